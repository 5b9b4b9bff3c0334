"""One sign: all that is needed to draw it, and the reference its installer knows it by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from nudge.base.errors import Place
from nudge.documents.letter import letter_reference
from nudge.documents.sheet import Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class SignSpec:
    """All that one sign needs. Nothing here is personal.

    `template` is relative to the templates folder (`signs/dog-norm.html`). `site` is the site's id, which the sign
    never prints: the reference and its code lead the installer to it. `size`, `orientation` and `preset` are names of
    `documents.sheet`. `claims` holds the wording frozen at the seal; `council` is the table of that name in nudge.toml;
    `details` are the experiment's constants.
    """

    reference: str
    template: str
    site: str
    size: str = "A3"
    orientation: str = "portrait"
    preset: str = "print-house"
    council: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str | int | date] = field(default_factory=dict)
    language: str = "en"

    @property
    def place(self) -> Place:
        """Where a problem of this sign lies: its template and its reference."""
        return Place(f"{self.template} for sign {self.reference}")

    @property
    def sheet(self) -> Sheet:
        """The sheet it is printed on."""
        return Sheet(size=self.size, orientation=self.orientation, preset=self.preset)


def sign_reference(secret: bytes, trial: str, site: str, number: int = 1) -> str:
    """The reference of sign `number` at a site: always the same, tells neither the arm nor the site."""
    return letter_reference(secret, trial, site, number, "sign")
