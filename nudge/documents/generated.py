"""Words that a style sheet would put on a page: no check of the wording reads them, so there may be none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import tinycss2

from nudge.base.languages import LANGUAGES

_WORD: Final = re.compile(r"[^\W_]+")
# The number of a page is the one thing that a sheet may put into words.
_PAGE: Final = frozenset(
    word for language in LANGUAGES.values() for word in _WORD.findall(language.page.format(page="", pages=""))
)
_NAMES_A_FONT: Final = frozenset({"font-family", "font", "src", "font-feature-settings", "font-variation-settings"})


def generated_words(css: str) -> list[str]:
    """What a sheet would print: strings with words in them, and attributes by `attr()`; an `@import` is told as one."""
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return list(dict.fromkeys(_of_rules(rules)))


def _of_rules(rules: Sequence[Any]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "declaration" and rule.lower_name not in _NAMES_A_FONT:
            yield from _of_value(rule.value)
        elif rule.type == "at-rule" and rule.lower_at_keyword == "import":
            yield "@import"
        elif rule.type in {"at-rule", "qualified-rule"} and rule.content is not None:
            yield from _of_rules(tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True))


def _of_value(tokens: Sequence[Any]) -> Iterator[str]:
    for token in tokens:
        if token.type == "string" and not _PAGE.issuperset(_WORD.findall(token.value)):
            yield " ".join(token.value.split())
        elif token.type == "function" and token.lower_name != "url":
            if token.lower_name == "attr":
                yield tinycss2.serialize([token])
            yield from _of_value(token.arguments)
        elif token.type.endswith(" block"):
            yield from _of_value(token.content)
