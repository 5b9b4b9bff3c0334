"""The facts of a letter that can be told by their form: telephone numbers, dates, sums, shares and other numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from nudge.base.values import MONTHS
from nudge.documents.blocks import Block

TELEPHONE: Final = r"(?<![\d-])(?:0|\+44 ?)\d(?:[ \u00a0]?\d){8,9}(?!\d)"
"""A British telephone number as letters write it."""
_MONTH: Final = "|".join(MONTHS)
_NUMBER_WORD: Final = "two|three|four|five|six|seven|eight|nine|ten|half"
_FORMS: Final = re.compile(
    r"(?P<address>(?:https?://|www\.)\S+|\S+@\S+)"
    rf"|(?P<telephone>{TELEPHONE})"
    rf"|(?P<date>(?<!\d)\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTH})(?: \d{{4}})?|\b(?:{_MONTH}) \d{{4}})"
    r"|(?P<sum>£ ?\d[\d,]*(?:\.\d\d?)?)"
    rf"|(?P<share>\b\d+(?:\.\d+)? ?(?:%|per cent\b)|\b(?:\d+|{_NUMBER_WORD}) (?:in|out of)(?: every)? (?:\d+|ten)\b)"
    r"|(?P<time>(?<!\d)\d{1,2}(?:[.:]\d\d)? ?[ap]m\b)"
    r"|(?P<number>(?<![\w.-])\d[\d,]*(?:\.\d+)?(?![\w-]))"
)


@dataclass(frozen=True, slots=True, order=True)
class Figure:
    """One fact: its kind (telephone, date, sum, share, time, address or number) and how it reads."""

    kind: str
    text: str


def figures_in(words: str) -> Iterator[Figure]:
    """Every figure of a text, in order. The numbers inside a date or a telephone number are not told again."""
    for match in _FORMS.finditer(words):
        kind = match.lastgroup or ""
        text = match.group().rstrip(".,;:?!")
        yield Figure(kind, text.replace(" ", "") if kind == "telephone" else text)


def figures_of(blocks: Iterable[Block]) -> tuple[frozenset[Figure], frozenset[Figure]]:
    """The figures of a letter: those it states itself, and those that stand in a claim and are checked as one."""
    own: set[Figure] = set()
    claimed: set[Figure] = set()
    for block in blocks:
        (claimed if block.claims else own).update(figures_in(block.words))
    return frozenset(own), frozenset(claimed - own)
