"""Stationery: where the window, the address and the text lie on the page, for each kind of envelope."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from nudge.base.errors import Place, Refused
from nudge.documents.codes import LetterCode

PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0
MARGIN_FOOT: Final = 5.0  # the text of any page ends this far above the foot of the border
# Room for rounding in the PDF and for the overhang of a glyph, in millimetres.
TOLERANCE: Final = 0.35


@dataclass(frozen=True, slots=True)
class Zone:
    """A rectangle on the page, in millimetres from its top left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def foot(self) -> float:
        return self.y + self.height

    def holds(self, other: Zone, *, slack: float = TOLERANCE) -> bool:
        """Whether the other rectangle lies wholly inside, to within `slack` millimetres."""
        return (
            other.x >= self.x - slack
            and other.y >= self.y - slack
            and other.right <= self.right + slack
            and other.foot <= self.foot + slack
        )

    def meets(self, other: Zone, *, slack: float = TOLERANCE) -> bool:
        """Whether the two share more than `slack` millimetres in both directions."""
        return (
            min(self.right, other.right) - max(self.x, other.x) > slack
            and min(self.foot, other.foot) - max(self.y, other.y) > slack
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One envelope: zones of page 1, the printable border of every page, and the size of the address."""

    name: str
    title: str
    border: Zone
    head: Zone
    contact: Zone
    window: Zone
    address: Zone
    keep_out: tuple[Zone, ...]
    body: Zone
    address_points: float
    address_line: float
    most_pages: int
    text_points: float = 11.0  # the least for most of the text; small print may be smaller

    @property
    def css(self) -> str:
        """The page and its fixed zones as a style sheet. Zones are measured from the corner of the text of page 1."""
        top = self.border.y + 4
        left, right = self.body.x, PAGE_WIDTH - self.body.right

        def placed(selector: str, zone: Zone) -> str:
            return (
                f"{selector} {{ position: absolute; top: {zone.y - top:.2f}mm; left: {zone.x - left:.2f}mm;"
                f" width: {zone.width:.2f}mm; max-width: {zone.width:.2f}mm }}\n"
            )

        return (
            f"@page {{ size: {PAGE_WIDTH:.0f}mm {PAGE_HEIGHT:.0f}mm; margin: {top:.2f}mm {right:.2f}mm"
            f" {PAGE_HEIGHT - self.border.foot + MARGIN_FOOT:.2f}mm {left:.2f}mm }}\n"
            f"[data-zone=page] {{ position: relative; height: {self.body.y - top:.2f}mm; margin: 0 }}\n"
            + placed("[data-zone=head]", self.head)
            + placed("[data-zone=address]", self.address)
            + placed("[data-zone=contact]", self.contact)
            + f"[data-zone=address] {{ font-size: {self.address_points}pt; line-height: {self.address_line}mm }}\n"
        )


@cache
def profiles() -> Mapping[str, Profile]:
    """Every profile that comes with nudge, by name."""
    read = tomllib.loads(files("nudge.documents").joinpath("profiles.toml").read_text("utf-8"))
    return {name: _profile(name, given) for name, given in read.items()}


def _profile(name: str, given: Mapping[str, Any]) -> Profile:
    def value(item: object) -> object:
        if isinstance(item, dict):
            return Zone(**item)
        return tuple(Zone(**each) for each in item) if isinstance(item, list) else item

    return Profile(name=name, **{key: value(item) for key, item in given.items()})  # type: ignore[arg-type]


def profile_named(name: str) -> Profile:
    """The profile of that name; Refused with the names there are."""
    known = profiles()
    if name not in known:
        raise Refused(LetterCode.PROFILE_UNKNOWN.at(Place("nudge.toml"), valid=", ".join(known)))
    return known[name]
