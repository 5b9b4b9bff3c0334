"""The same person under two references: pointed out with row numbers, and never merged.

Two tenancies are told of where a person of the one may be a person of the other, and the home or a telephone number is
the same. People may be the same where surnames agree, forenames agree or one begins the other (`A`, `Alys`), and titles
do not contradict each other, all without regard to case, accents and full stops. A home is compared by its postcode and
its lines without spaces, marks and case; a telephone number by its digits, `+44` read as `0`. A father and a son of one
initial are told of too: somebody has to look, and nothing follows by itself.

What it is for: one person with two letters, perhaps of two arms where the addresses differ; a former tenancy that still
runs as an account of its own; a reference typed twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from nudge.base.accents import unaccented
from nudge.intake.people import Person
from nudge.intake.tenancy import Tenancy

FEWEST_DIGITS: Final = 9  # of a telephone number; a shorter one is an extension or a slip
_LIMIT: Final = 1_000  # pairs kept: a file with more has one cause, and its first rows show it


@dataclass(frozen=True, slots=True, order=True)
class Alike:
    """Two rows, the earlier first, that may be of one person, and what they share: `address`, `telephone` or both."""

    first: int
    second: int
    shares: str

    def __str__(self) -> str:
        return f"rows {self.first} and {self.second}: the same name and {self.shares}"


@dataclass(slots=True)
class Lookout:
    """Takes the tenancies of a file one by one; `alike` are the pairs seen so far."""

    _seen: dict[tuple[str, str], list[tuple[int, Person]]] = field(default_factory=lambda: defaultdict(list))
    _found: dict[tuple[int, int], set[str]] = field(default_factory=dict)

    def add(self, tenancy: Tenancy) -> None:
        """Compare a tenancy with those before it. One reference is given once."""
        row = min(tenancy.rows)
        keys = [("address", _home(tenancy.address)), *(("telephone", one) for one in map(_digits, tenancy.telephones))]
        for person in tenancy.people:
            for what, key in keys:
                if not key:
                    continue
                others = self._seen[what, f"{_plain(person.surname)}|{key}"]
                for other, known in others:
                    if other != row and may_be_one(person, known) and len(self._found) < _LIMIT:
                        self._found.setdefault((min(row, other), max(row, other)), set()).add(what)
                others.append((row, person))

    @property
    def alike(self) -> tuple[Alike, ...]:
        """The pairs, by row."""
        return tuple(sorted(Alike(*rows, " and ".join(sorted(shared))) for rows, shared in self._found.items()))


def may_be_one(one: Person, other: Person) -> bool:
    """Whether two names may be one person's, written in two ways."""
    if _plain(one.surname) != _plain(other.surname):
        return False
    titles = {_plain(one.title), _plain(other.title)} - {""}
    if len(titles) > 1 and not titles & _ANY_TITLE:
        return False
    first, second = sorted((_plain(one.forename), _plain(other.forename)), key=len)
    return second.startswith(first)


_ANY_TITLE: Final = frozenset({"dr", "prof", "rev", "mx", "cllr"})  # borne beside, or in place of, Mr, Mrs or Ms
_MARKED: Final = re.compile(r"[\W_]+")


def _plain(text: str) -> str:
    return _MARKED.sub("", unaccented(unaccented(text).casefold()))


def _home(lines: tuple[str, ...]) -> str:
    return "".join(map(_plain, lines))


def _digits(telephone: str) -> str:
    digits = re.sub(r"\D", "", telephone.replace("(0)", ""))
    if telephone.strip().startswith("+44") or digits.startswith("0044"):
        digits = "0" + digits.removeprefix("00").removeprefix("44").removeprefix("0")
    return digits if len(digits) >= FEWEST_DIGITS else ""
