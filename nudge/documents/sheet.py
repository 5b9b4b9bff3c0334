"""The sheet a sign is printed on: its size, the way up, and the bleed and marks that a print house wants.

Sizes are of the finished sheet, cut: the trim. A design is drawn in one unit, the hundredth of an A-sheet's short side
(`rem`), so that the same design fills every size; a board, which is squatter, takes the largest unit that still fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nudge.base.errors import Place, Problem
from nudge.documents.profiles import Zone
from nudge.documents.sign_codes import SignCode

SIZES: Final[Mapping[str, tuple[float, float]]] = {  # short side and long side of the trim, in millimetres
    "A4": (210, 297),
    "A3": (297, 420),
    "A2": (420, 594),
    "A1": (594, 841),
    "600x450": (450, 600),  # corrugated board
    "900x600": (600, 900),
}
ORIENTATIONS: Final = ("portrait", "landscape")
SAFE: Final = 5.0  # millimetres from the trim inward: no words or code nearer to the edge, as the guillotine may slip
LEAST_BLEED: Final = 3.0  # millimetres of colour beyond the trim that printers ask for
_LONG: Final = 141.4  # the long side of an A-sheet in hundredths of its short side


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What lies beyond the trim, in millimetres: the page that the file holds, and how far the colour goes.

    WeasyPrint 70 writes the PDF's BleedBox at the bleed or at 10 points (3.53 mm), whichever is less; with `bleed` 10
    the crop marks stand between the colour and the edge of the page, clear of both.
    """

    bleed: float
    colour: float
    marks: bool


PRESETS: Final[Mapping[str, Preset]] = {
    "print-house": Preset(bleed=10, colour=3.6, marks=True),
    "no-marks": Preset(bleed=3, colour=3, marks=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One size, way up and preset. Zones are in millimetres from the top left corner of the trim."""

    size: str
    orientation: str
    preset: str

    @property
    def width(self) -> float:
        return SIZES[self.size][0 if self.orientation == "portrait" else 1]

    @property
    def height(self) -> float:
        return SIZES[self.size][1 if self.orientation == "portrait" else 0]

    @property
    def unit(self) -> float:
        """One hundredth of the design's short side, in millimetres."""
        short, long = SIZES[self.size]
        return round(min(short / 100, long / _LONG), 4)

    @property
    def beyond(self) -> Preset:
        return PRESETS[self.preset]

    @property
    def safe(self) -> Zone:
        """Where words and the code must lie."""
        return Zone(SAFE, SAFE, self.width - 2 * SAFE, self.height - 2 * SAFE)

    @property
    def css(self) -> str:
        """The page, the unit, and the zones whose colour reaches beyond the trim, as a style sheet.

        `ground` lies under all of the sheet, `panel` is the picture at its head and `foot` the strip at its edge.
        """
        out = self.beyond
        marks = "crop cross" if out.marks else "none"
        return (
            f"@page {{ size: {self.width:g}mm {self.height:g}mm; margin: 0; bleed: {out.bleed:g}mm; marks: {marks} }}\n"
            f"html {{ font-size: {self.unit:g}mm }}\n"
            f"body {{ position: relative; margin: 0; width: {self.width:g}mm; height: {self.height:g}mm }}\n"
            f"[data-zone=ground], [data-zone=panel], [data-zone=foot] {{ position: absolute; overflow: hidden;"
            f" left: -{out.colour:g}mm; width: {self.width + 2 * out.colour:g}mm }}\n"
            f"[data-zone=ground], [data-zone=panel] {{ top: -{out.colour:g}mm }}\n"
            f"[data-zone=ground], [data-zone=foot] {{ bottom: -{out.colour:g}mm }}\n"
        )


def check_sheet(sheet: Sheet, place: Place) -> tuple[Problem, ...]:
    """Whether there is such a size, way up and preset; every one that there is not, at once."""
    asked = (
        (SignCode.SIZE_UNKNOWN, sheet.size, SIZES),
        (SignCode.ORIENTATION_UNKNOWN, sheet.orientation, ORIENTATIONS),
        (SignCode.PRESET_UNKNOWN, sheet.preset, PRESETS),
    )
    return tuple(code.at(place, valid=", ".join(known)) for code, given, known in asked if given not in known)
