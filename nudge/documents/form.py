"""The form a letter takes for its reader: its format, its languages and the size of its type. Never an arm.

What an extract's cells say is read by generous words. A cell that nobody taught nudge to read is left to an officer:
guessing could send a letter that its reader cannot read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.workspace import LARGE_PRINT

LARGE: Final = LARGE_PRINT[0]  # points of large print (UKAAF G003); 18 on request
SIZES: Final = LARGE_PRINT
# How many times a letter's own pages it may take: 18 pt needs two and a half times the paper, and page 1 has a window.
LARGE_PRINT_PAGES: Final = 4


class Format(StrEnum):
    """How a letter reaches its reader."""

    STANDARD = "standard"
    LARGE_PRINT = "large_print"
    EASY_READ = "easy_read"
    EMAIL = "email"
    BRAILLE = "braille"
    BSL = "bsl"

    @property
    def on_paper(self) -> bool:
        """Whether it is printed and goes into the print pack; the others are text for somebody to send on."""
        return self in {Format.STANDARD, Format.LARGE_PRINT, Format.EASY_READ}

    @property
    def words(self) -> str:
        """As a report or a list says it."""
        return _WORDS[self]


_WORDS: Final = {
    Format.STANDARD: "standard print",
    Format.LARGE_PRINT: "large print",
    Format.EASY_READ: "Easy Read",
    Format.EMAIL: "e-mail",
    Format.BRAILLE: "braille",
    Format.BSL: "British Sign Language",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`languages` in the order in which the letter has them; `points` is the size of large print, else None."""

    format: Format = Format.STANDARD
    languages: tuple[str, ...] = (ENGLISH,)
    points: int | None = None

    @property
    def words(self) -> str:
        """`large print 18 pt, Welsh with English`."""
        size = f" {self.points} pt" if self.points else ""
        names = " with ".join(LANGUAGES[code].name for code in self.languages)
        return f"{self.format.words}{size}" + ("" if self.languages == (ENGLISH,) else f", {names}")


def template_in(template: str, format_: Format, language: str) -> str:
    """The sibling of a template in a format and language: `x.html` is `x.easy-read.html`, `x.cy.html`, or both.

    Only Easy Read has words of its own; the other formats are the same words.
    """
    stem = template.removesuffix(".html")
    easy = ".easy-read" if format_ is Format.EASY_READ else ""
    return f"{stem}{easy}{'' if language == ENGLISH else f'.{language}'}.html"


def templates_in(template: str, form: Form) -> tuple[str, ...]:
    """The templates that make one letter in this form, one for each language."""
    return tuple(template_in(template, form.format, language) for language in form.languages)


def language_of(template: str) -> str:
    """The language that a template's own name says: Welsh of `x.cy.html`, else English."""
    ending = template.removesuffix(".html").rpartition(".")[2]
    return ending if ending in LANGUAGES else ENGLISH


PLAIN: Final = Form()  # standard print, in English


def form_named(template: str) -> tuple[str, Form]:
    """The letter that a template is a form of, and the form: `x.cy.html` is `x.html` in Welsh with English."""
    stem = template.removesuffix(".html")
    language = language_of(template)
    if language != ENGLISH:
        stem = stem.removesuffix(f".{language}")
    format_ = Format.EASY_READ if stem.endswith(".easy-read") else Format.STANDARD
    languages = tuple(dict.fromkeys((language, ENGLISH)))
    return f"{stem.removesuffix('.easy-read')}.html", Form(format=format_, languages=languages)


_ANY: Final = frozenset(
    {"", "none", "no", "n", "nil", "n a", "na", "not known", "unknown", "no preference", "none required"}
    | {"not required", "not applicable", "not stated", "null"}
)
_STANDARD: Final = _ANY | frozenset(
    {"letter", "print", "standard", "standard print", "standard letter", "standard format", "normal", "normal print"}
    | {"paper", "post", "paper letter", "by post", "hard copy", "regular", "default", "letter by post", "s"}
)
_REFUSING: Final = re.compile(r"\b(?:no|not|never|stop|except|without|dim)\b")
_SIZE: Final = re.compile(r"\b(\d{1,2}) ?(?:pt|pts|point|points|p)\b|\bprint (\d{1,2})\b|\blp ?(\d{1,2})\b")
_FORMATS: Final = (
    (Format.EASY_READ, re.compile(r"\beas(?:y|ier) ?(?:to )?read\b|\bhawdd ei d+eall\b|\bdarllen hawdd\b")),
    (Format.EMAIL, re.compile(r"\be ?mail(?:ed)?\b|\be ?bost\b|\belectronic(?:ally)?\b")),
    (Format.BRAILLE, re.compile(r"\bbrail+e?\b")),
    (Format.BSL, re.compile(r"\bbsl\b|\b(?:british )?sign(?:ed)? (?:language|video)\b|\biaith arwyddion\b")),
    (
        Format.LARGE_PRINT,
        re.compile(
            r"\b(?:large|larger|big|bigger|clear) ?(?:print|text|type|font|letters?|format)\b|\blarge\b|\blp ?\d{0,2}\b"
            r"|\bprint bras\b|\b\d{1,2} ?(?:pt|pts|point|points)\b"
        ),
    ),
)


def read_format(cell: str | None) -> Form | None:
    """The format that a cell asks for, with the size of large print where it names one; None where it cannot be read.

    Easy Read is in large type already. Whoever asks for two other formats at once is left to a person.
    """
    text = _plain(cell)
    if text in _STANDARD:
        return PLAIN
    if _REFUSING.search(text):
        return None
    found = sorted((match.start(), one) for one, words in _FORMATS if (match := words.search(text)) is not None)
    named = {one for _, one in found}
    if Format.EASY_READ in named:
        named.discard(Format.LARGE_PRINT)
    if len(named) != 1:
        return None
    [format_] = named
    if format_ is not Format.LARGE_PRINT:
        return Form(format=format_)
    match = _SIZE.search(text)
    asked = int(next(part for part in match.groups() if part)) if match else LARGE
    size = next((size for size in SIZES if size >= asked), None)
    return None if size is None else Form(format=format_, points=size if match else None)


def read_language(cell: str | None) -> str | None:
    """The code of the language that a cell names; None where letters cannot be in it, or it cannot be read."""
    text = _plain(cell)
    if text in _ANY:
        return ENGLISH
    if (known := _LANGUAGE_WORDS.get(text)) is not None:
        return known
    named = dict.fromkeys(_LANGUAGE_WORDS[word] for word in text.split() if word in _LANGUAGE_WORDS)
    rest = [word for word in text.split() if word not in _LANGUAGE_WORDS and word not in {"and", "or", "a", "with"}]
    others = [code for code in named if code != ENGLISH]
    if rest or not named or len(others) > 1:
        return None
    return others[0] if others else ENGLISH


_LANGUAGE_WORDS: Final = {word: language.code for language in LANGUAGES.values() for word in language.words}


def _plain(cell: str | None) -> str:
    """Lower case, every run of anything but letters and figures one space."""
    return " ".join(re.sub(r"[\W_]+", " ", (cell or "").casefold()).split())
