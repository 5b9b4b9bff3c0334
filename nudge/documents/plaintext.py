"""A letter as plain text: for e-mail, and for whoever puts it into braille or British Sign Language.

The same template, claims and required blocks as on paper, less the postal address and what is marked `data-paper`
because it makes sense on paper alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from nudge.base.errors import Problem, Refused
from nudge.documents.agreement import check_agreement
from nudge.documents.checks import check_asks, check_marks, check_text_values
from nudge.documents.codes import LetterCode
from nudge.documents.form import Format
from nudge.documents.letter import LetterSpec
from nudge.documents.page import halves_of, marks_of, parsed
from nudge.documents.qr import SIZE_CLASS, qr_target
from nudge.documents.templates import TemplateFolder

_BLOCKS: Final = frozenset({"p", "div", "h1", "h2", "h3", "h4", "ul", "ol", "table", "section", "dl"})
_BETWEEN: Final = "\n\n" + "-" * 40 + "\n\n"
_MANY_LINES: Final = re.compile(r"\n{3,}")
_PUNCTUATION: Final = re.compile(r"[^\w£%]+")


@dataclass(frozen=True, slots=True)
class TextLetter:
    """A letter in words alone: what it is about, and its text."""

    subject: str
    body: str

    def written(self, format_: Format) -> str:
        """The file: for e-mail the subject on its first line, for a transcriber as a heading."""
        first = f"Subject: {self.subject}" if format_ is Format.EMAIL else self.subject
        return f"{first}\n\n{self.body}\n"


def write_text(spec: LetterSpec, folder: TemplateFolder) -> tuple[TextLetter | None, tuple[Problem, ...]]:
    """The letter of a format that is not printed, and everything wrong with it; no letter where it cannot be filled
    in. Empty problems: it may be sent."""
    problems = check_text_values(spec)
    try:
        tree = parsed(folder.html(spec))
    except Refused as refusal:
        return None, (*problems, *refusal.problems)
    _prune(tree)
    subject = " ".join("".join(title.text or "" for title in tree.iter("title")).split())
    parts = [part for part in tree.iter("section") if part.get("lang")] or list(tree.iter("body"))
    body = _BETWEEN.join(_text(part, spec) for part in parts)
    letter = TextLetter(subject, body)
    return letter, (*problems, *_faults(letter, tree, spec, folder))


def _faults(letter: TextLetter, tree: Any, spec: LetterSpec, folder: TemplateFolder) -> Iterator[Problem]:
    if re.search(r"\{\{|\}\}|\{%|%\}|<<|>>|\[\[|\]\]|\bNone\b", letter.body):
        yield LetterCode.PLACEHOLDER_LEFT.at(spec.place)
    plain = _bare(letter.body)
    if plain.count(_bare(spec.salutation)) < len(spec.languages):
        yield LetterCode.NAME_ABSENT.at(spec.place)
    if spec.reference not in letter.body:
        yield LetterCode.REFERENCE_NOT_ONCE.at(spec.place, count=0)
    marks = tuple(marks_of(tree))
    yield from check_marks(marks, letter.body, spec, folder, plain=_bare)
    yield from check_asks(marks, spec)
    yield from check_agreement(halves_of(tree), spec.place)


def _bare(text: str) -> str:
    """Letters and figures alone: lists and tables have signs of their own in plain text."""
    return _PUNCTUATION.sub("", text)


def _prune(tree: Any) -> None:
    """Take out the address and what is for paper alone, keeping the text that follows each."""
    for parent in list(tree.iter()):
        before = None
        for child in list(parent):
            if child.get("data-paper") is not None or child.get("data-zone") == "address":
                tail = child.tail or ""
                parent.remove(child)
                if before is None:
                    parent.text = (parent.text or "") + tail
                else:
                    before.tail = (before.tail or "") + tail
            else:
                before = child


def _text(part: Any, spec: LetterSpec) -> str:
    lines = "".join(_pieces(part, spec)).split("\n")
    return _MANY_LINES.sub("\n\n", "\n".join(" ".join(line.split()) for line in lines)).strip()


def _pieces(element: Any, spec: LetterSpec) -> Iterator[str]:
    tag = element.tag if isinstance(element.tag, str) else ""
    if tag in {"script", "style", "head"}:
        return
    if tag == "br":
        yield "\n"
    elif tag == "img" and SIZE_CLASS in element.get("class", "").split():
        yield f"\n{qr_target(spec.council.get('website', ''), spec.reference)}\n"
    if tag in _BLOCKS:
        yield "\n\n"
    elif tag == "li":
        yield "\n- "
    elif tag == "tr":
        yield "\n"
    yield " ".join((element.text or "").split("\n"))
    for child in element:
        yield from _pieces(child, spec)
        if child.tag == "th":
            yield ": "
        elif child.tag == "td":
            yield " "
        yield " ".join((child.tail or "").split("\n"))
    if tag in _BLOCKS:
        yield "\n\n"
