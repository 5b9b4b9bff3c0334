"""One letter: all that is needed to draw it, and the reference it is known by."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from nudge.base.columns import Value
from nudge.base.errors import Place
from nudge.documents.form import PLAIN, Form, Format

# No vowels, so no words; nothing that reads as something else by hand or on the telephone (0 O, 1 I L, 2 Z, 5 S,
# 8 B, U V). A prime number of them, so that the check character catches any one wrong and any two swapped.
ALPHABET: Final = "3456789CDFGHJKMNPRTVWXY"
_BODY: Final = 9  # 23**9 references: among 100,000 letters two are alike once in 360 trials, and the records refuse it
_SHAPE: Final = re.compile(rf"[{ALPHABET}]{{{_BODY + 1}}}")
REFERENCE_PATTERN: Final = re.compile(rf"[{ALPHABET}]{{3}}-[{ALPHABET}]{{3}}-[{ALPHABET}]{{4}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSpec:
    """All that one letter needs. Personal: it never reaches a log, a message or the repository.

    `template` is relative to the templates folder. Money in `fields` is integer pence. `claims` holds the wording
    frozen at the seal, `claims_in` that of other languages by their code. `council` is the table of that name in
    nudge.toml; its lines in another language end in the code (`hours_cy`). `details` are the experiment's constants.
    """

    reference: str
    template: str
    name: str
    salutation: str
    post_to: tuple[str, ...]
    fields: Mapping[str, Value]
    claims: Mapping[str, str]
    council: Mapping[str, str]
    letter_date: date
    as_of: date
    tenancy_reference: str
    payment_reference: str
    details: Mapping[str, str | int | date] = field(default_factory=dict)
    form: Form = PLAIN
    claims_in: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def format(self) -> Format:
        """How the letter reaches its reader."""
        return self.form.format

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the letter, in their order."""
        return self.form.languages

    @property
    def place(self) -> Place:
        """Where a problem of this letter lies: its template and its reference, no more."""
        return Place(f"{self.template} for letter {self.reference}")

    def document(self) -> dict[str, object]:
        """Plain values in one fixed order, for the hash that says whether a letter already made is this one."""
        return {
            "reference": self.reference,
            "template": self.template,
            "name": self.name,
            "salutation": self.salutation,
            "post_to": list(self.post_to),
            "fields": {name: _plain(value) for name, value in self.fields.items()},
            "claims": dict(self.claims),
            "council": dict(self.council),
            "letter_date": self.letter_date.isoformat(),
            "as_of": self.as_of.isoformat(),
            "tenancy_reference": self.tenancy_reference,
            "payment_reference": self.payment_reference,
            "details": {name: _plain(value) for name, value in self.details.items()},
            "form": [str(self.format), list(self.languages), self.form.points],
            "claims_in": {language: dict(claims) for language, claims in self.claims_in.items()},
        }


def _plain(value: Value) -> object:
    # The kind goes with the value: 1, 1.0, true and "1" print differently.
    return [type(value).__name__, value.isoformat() if isinstance(value, date) else value]


def letter_reference(secret: bytes, trial: str, unit: str, number: int, wave: str) -> str:
    """The reference of recipient `number` of a unit in one wave: always the same, and nobody can guess it.

    HMAC-SHA-256 under the trial's secret, so it tells neither the arm nor the tenancy.
    """
    message = "\n".join(("nudge-letter/1", trial, unit, str(number), wave)).encode()
    drawn = int.from_bytes(hmac.digest(secret, message, "sha256"))
    body = ""
    for _ in range(_BODY):
        drawn, place = divmod(drawn, len(ALPHABET))
        body += ALPHABET[place]
    return _grouped(body + _check(body))


def read_reference(text: str) -> str | None:
    """The reference in what somebody typed or read out, hyphens, spaces and case as they come; else None."""
    plain = re.sub(r"[\s\-–.]+", "", text).upper()
    if _SHAPE.fullmatch(plain) is None or _check(plain[:-1]) != plain[-1]:
        return None
    return _grouped(plain)


def _check(body: str) -> str:
    return ALPHABET[sum(weight * ALPHABET.index(sign) for weight, sign in enumerate(body, 1)) % len(ALPHABET)]


def _grouped(plain: str) -> str:
    return f"{plain[:3]}-{plain[3:6]}-{plain[6:]}"
