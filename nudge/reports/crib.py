"""One page for whoever takes the calls: what the letters look like, what they ask, and the same help for every caller.

It never says who has which letter, and names no arm (I8).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from nudge.reports.render import page_html


@dataclass(frozen=True, slots=True, kw_only=True)
class CribLetter:
    """One of the letters: what the page calls it, its heading, its first page as PNG and what it asks.

    `says` is what it says that others do not; `claims`: that is a figure of what others did.
    """

    name: str
    heading: str
    picture: bytes
    asks: tuple[str, ...]
    says: tuple[str, ...] = ()
    claims: bool = False

    @property
    def source(self) -> str:
        """The picture as data, for the page."""
        return f"data:image/png;base64,{base64.b64encode(self.picture).decode('ascii')}"

    @property
    def alt(self) -> str:
        """The picture in words."""
        return f"The first page of {self.name}, to an invented tenant, headed “{self.heading}”."


@dataclass(frozen=True, slots=True, kw_only=True)
class Crib:
    """What the page is made of. `help` are the lines that every letter has, word for word."""

    title: str
    council: str
    service: str
    telephone: str
    letters: tuple[CribLetter, ...]
    help: tuple[str, ...]
    sealed: bool

    @property
    def number(self) -> str:
        """How many letters there are, in words."""
        return ("no", "one", "two", "three", "four", "five", "six")[min(len(self.letters), 6)]

    @property
    def claims(self) -> bool:
        """Whether any letter states a figure of what others did."""
        return any(letter.claims for letter in self.letters)

    @property
    def same_ask(self) -> bool:
        """Whether every letter asks the same thing."""
        return len({letter.asks for letter in self.letters}) == 1


def crib_html(crib: Crib, *, widest: int = 72) -> str:
    """The page, for `report_pdf` to print; `widest` is the most millimetres that a picture of a letter may take."""
    beside = (180 - 5 * (len(crib.letters) - 1)) // max(1, len(crib.letters))
    return page_html("crib.html", crib=crib, width=min(widest, beside))
