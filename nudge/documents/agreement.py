"""Do the languages of one letter say the same? Their amounts, dates, telephone numbers and references, each counted.

Words a translator must answer for; figures are compared here. A letter whose halves differ is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from nudge.base.errors import Place, Problem
from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.documents.codes import LetterCode
from nudge.documents.figures import TELEPHONE

_ADDRESS: Final = re.compile(r"\S+@\S+|(?:https?://|www\.)\S+")
_AMOUNT: Final = re.compile(r"£ ?(\d[\d,]*)(?:\.(\d\d))?")
_TELEPHONE: Final = re.compile(TELEPHONE)
_NUMBER: Final = re.compile(r"\d+(?:[.,/-]\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a text says in figures, each with how often: pence, ISO days and months, telephones, all other numbers."""

    amounts: Counter[int]
    dates: Counter[str]
    telephones: Counter[str]
    numbers: Counter[str]


def figures_of(text: str, language: str) -> Figures:
    """The figures of a text in a language. Addresses of pages and mailboxes are left out: they may have a language."""
    text = " ".join(_ADDRESS.sub(" ", text.replace("\u00a0", " ")).split())
    dates: Counter[str] = Counter()

    def dated(found: re.Match[str]) -> str:
        number = _months(language)[found["month"]]
        day = found.groupdict().get("day")
        dates[f"{found['year']}-{number:02d}" + (f"-{int(day):02d}" if day else "")] += 1
        return " "

    for pattern in _date_patterns(language):
        text = pattern.sub(dated, text)
    amounts: Counter[int] = Counter()
    for whole, pence in _AMOUNT.findall(text):
        amounts[int(whole.replace(",", "")) * 100 + int(pence or 0)] += 1
    text = _AMOUNT.sub(" ", text)
    telephones = Counter(found.replace(" ", "") for found in _TELEPHONE.findall(text))
    numbers = Counter(_NUMBER.findall(_TELEPHONE.sub(" ", text)))
    return Figures(amounts=amounts, dates=dates, telephones=telephones, numbers=numbers)


def check_agreement(halves: Mapping[str, str], place: Place) -> Iterator[Problem]:
    """What differs in figures between the English of a letter and its other languages: a code for each kind."""
    if len(halves) < 2:
        return
    base = ENGLISH if ENGLISH in halves else next(iter(halves))
    said = figures_of(halves[base], base)
    for language, text in halves.items():
        if language == base:
            continue
        own, name = figures_of(text, language), LANGUAGES[language].name
        for code, one, other in (
            (LetterCode.HALVES_DIFFER_IN_AMOUNTS, said.amounts, own.amounts),
            (LetterCode.HALVES_DIFFER_IN_DATES, said.dates, own.dates),
            (LetterCode.HALVES_DIFFER_IN_TELEPHONES, said.telephones, own.telephones),
            (LetterCode.HALVES_DIFFER_IN_NUMBERS, said.numbers, own.numbers),
        ):
            if one != other:
                yield code.at(place, language=name)


@cache
def _months(language: str) -> Mapping[str, int]:
    known = LANGUAGES[language]
    found: dict[str, int] = {}
    for names in (known.in_dates, known.months):
        found |= {name: number for number, name in enumerate(names, start=1)}
    return {**found, **known.mutated}


@cache
def _date_patterns(language: str) -> tuple[re.Pattern[str], ...]:
    """A whole date, then a month with its year: the longer first, since it holds the other."""
    month = "|".join(sorted(map(re.escape, _months(language)), key=len, reverse=True))
    parts = {"day": r"(?<!\d)(?P<day>\d{1,2})", "month": f"(?P<month>{month})", "year": r"(?P<year>\d{4})(?!\d)"}
    whole = LANGUAGES[language].dated.format(**parts)
    return re.compile(whole), re.compile(rf"\b{parts['month']} (?:de )?{parts['year']}")
