"""Whose row of a response file is this? Exact after tidying the writing, never by likeness; a doubt goes to a person.

Identifiers, strongest first: tenancy reference, payment reference, letter reference, telephone with surname, UPRN with
surname. A row is matched when its strongest identifier on file points at one unit and no other identifier on file
points elsewhere. It is a conflict when they disagree, when the strongest fits several units, when a tenancy or payment
reference that is not ours stands beside a weaker identifier that is, and when the only one is a reference that would be
ours with zeros before it, as a spreadsheet takes them away. Otherwise it is not in this trial.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nudge.base.accents import unaccented
from nudge.records.tables import RecipientRow

_NOT_DIGITS: Final = re.compile(r"[^0-9]")
_APOSTROPHES: Final = re.compile("['’‘ʼ´`]")
# As references are read aloud and typed back: the letters that look like figures are those figures.
_LOOK_ALIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_NATIONAL: Final = 10  # digits of a UK number without its leading nought


class By(StrEnum):
    """The identifiers, strongest first."""

    TENANCY = "tenancy reference"
    PAYMENT = "payment reference"
    LETTER = "letter reference"
    TELEPHONE = "telephone and surname"
    UPRN = "UPRN and surname"


_REFERENCES: Final = (By.TENANCY, By.PAYMENT)


@dataclass(frozen=True, slots=True)
class Match:
    """`unit` and `by` where matched; `candidates`, in order, where a person must decide; neither: not in the trial."""

    unit: str | None = None
    by: str | None = None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Index:
    """The identifiers of everybody in a trial, and the units that each belongs to."""

    units: Mapping[tuple[str, ...], frozenset[str]]
    without_zeros: Mapping[tuple[str, ...], frozenset[str]]

    @classmethod
    def of(cls, recipients: Iterable[RecipientRow], letter_references: Mapping[str, str]) -> Index:
        """From the recipients, and from letter reference to unit."""
        units: dict[tuple[str, ...], set[str]] = {}
        for row in recipients:
            telephones = json.loads(row.telephones_json)
            for key in (
                (By.TENANCY, reference(row.tenancy_reference)),
                (By.PAYMENT, reference(row.payment_reference)),
                *((By.TELEPHONE, telephone(number), surname(row.surname)) for number in telephones),
                (By.UPRN, uprn(row.uprn), surname(row.surname)),
            ):
                if all(key):
                    units.setdefault(key, set()).add(row.unit)
        for quoted, unit in letter_references.items():
            units.setdefault((By.LETTER, letter_reference(quoted)), set()).add(unit)
        bare: dict[tuple[str, ...], set[str]] = {}
        for (by, known, *_), found in units.items():
            if by in _REFERENCES and known.isdecimal() and known.startswith("0"):
                bare.setdefault((by, known.lstrip("0")), set()).update(found)
        return cls(*({key: frozenset(found) for key, found in some.items()} for some in (units, bare)))

    def match(
        self,
        *,
        tenancy_reference: str | None = None,
        payment_reference: str | None = None,
        letter_reference: str | None = None,
        telephone: str | None = None,
        surname: str | None = None,
        uprn: str | None = None,
    ) -> Match:
        """The unit that a row's identifiers point at. A blank one says nothing."""
        name = _surname(surname)
        keys = (
            (By.TENANCY, reference(tenancy_reference)),
            (By.PAYMENT, reference(payment_reference)),
            (By.LETTER, _letter_reference(letter_reference)),
            (By.TELEPHONE, _telephone(telephone), name),
            (By.UPRN, _uprn(uprn), name),
        )
        given = [(key, self.units.get(key, frozenset())) for key in keys if all(key)]
        found = [(key[0], units) for key, units in given if units]
        if not found:
            damaged = (self.without_zeros.get(key, frozenset()) for key, _ in given)
            return Match(candidates=tuple(sorted(frozenset().union(*damaged))))
        strongest, fitting = found[0]
        strangers = [By(key[0]) for key, units in given if not units and key[0] in _REFERENCES]
        in_doubt = len(fitting) > 1 or any(not fitting <= units for _, units in found)
        # By is declared strongest first; a weaker reference that we do not know says nothing against a stronger one
        if in_doubt or any(_rank(by) < _rank(strongest) for by in strangers):
            return Match(candidates=tuple(sorted(frozenset().union(*(units for _, units in found)))))
        return Match(unit=next(iter(fitting)), by=strongest)


def reference(text: str | None) -> str:
    """A tenancy or payment reference without spaces or regard to capitals; leading noughts count."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text or "").casefold())
    return unicodedata.normalize("NFKC", "".join(plain.split()))  # without its space an accent may join its letter


def letter_reference(text: str | None) -> str:
    """`nx7 4qf2`, `NX74QF2` and `NX7-4QF2` are one; O is 0, I and L are 1."""
    plain = unicodedata.normalize("NFKC", text or "").upper()
    return "".join(character for character in plain if character.isalnum()).translate(_LOOK_ALIKE)


def telephone(text: str | None) -> str:
    """`+44 (0)7700 900123`, `0044 7700 900123` and `7700900123` are `07700900123`; nothing where it is no number.

    A number of one repeated digit stands for none.
    """
    plain = unicodedata.normalize("NFKC", text or "").strip()
    digits = _NOT_DIGITS.sub("", plain)
    abroad = plain.startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00")
    if digits.startswith("44") and (abroad or len(digits) == _NATIONAL + 2):
        digits = "0" + digits[2:].lstrip("0")
    elif abroad:
        digits = "+" + digits
    elif len(digits) == _NATIONAL and not digits.startswith("0"):
        digits = "0" + digits  # a spreadsheet has dropped the leading nought
    enough = len(digits) >= _NATIONAL and len(set(digits.lstrip("+0"))) > 1
    return digits if enough else ""


def surname(text: str | None) -> str:
    """Without regard to capitals, accents, apostrophes or repeated spaces; otherwise letter for letter."""
    # a circled A is a capital only once it is taken apart, and a folded letter may come apart again
    folded = unaccented(_APOSTROPHES.sub("", text or "")).casefold()
    return " ".join(_APOSTROPHES.sub("", unaccented(folded)).split())


def uprn(text: str | None) -> str:
    """Twelve digits at most, without leading noughts; nothing where it is no such number."""
    digits = (text or "").strip()
    return digits.lstrip("0") if digits.isdecimal() and digits.isascii() and len(digits) <= 12 else ""


def _rank(by: By) -> int:
    return list(By).index(by)


# `match` takes arguments of these names
_letter_reference, _telephone, _surname, _uprn = letter_reference, telephone, surname, uprn
