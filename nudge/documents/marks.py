"""What a pack adds to a sheet for the machines that fold, insert or split it; the letter's own file never bears it.

Two kinds, never both. A mail room's inserting machine reads bars in the left margin of each front (OMR) and an
operator reads `JOB-number sheet/sheets` at its foot. A house that is sent one merged file finds where a letter begins
by words that stand in one place on first pages and on no other page. Neither hangs on the arm (I8).

Positions are millimetres from the top left of the sheet, and the same for every profile. The bars: 12 mm long, half a
millimetre thick, a sixth of an inch apart, below the fold and the window of a DL envelope. From the top: start (on
every sheet), insert (on the last sheet of a letter), then 1, 2, 4 and 8 of the sheet's number in the job, counted round
from 0 to 15, by which a machine sees that a sheet is missing or doubled. A machine is told
in its set-up where to read and what each bar means; length, thickness and gaps lie within what the software for such
machines allows (PlanetPress Connect: 10.2 to 20 mm, 0.25 to 0.63 mm, 2.9 to 4.2 mm).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

import pikepdf
from fontTools import subset
from fontTools.ttLib import TTFont

from nudge.documents.letter import ALPHABET
from nudge.documents.profiles import PAGE_HEIGHT, Zone
from nudge.documents.readback import MM
from nudge.workspace import PrintSettings

FIRST_PAGE: Final = "First page of this letter"
BARS: Final = Zone(5.0, 105.0, 12.0, 21.7)
WORDS: Final = Zone(120.0, 282.4, 70.0, 4.0)
"""Where the words stand, right-aligned, below the text of any page and opposite its page number."""
PITCH: Final = 25.4 / 6
_THICK: Final = 0.5
_POINTS: Final = 8.0
_NAME: Final = pikepdf.Name("/NudgeMarks")
_SIGNS: Final = range(32, 127)


@dataclass(frozen=True, slots=True)
class Slot:
    """A letter's place in the job: its number, and that of its first sheet, both from 1."""

    number: int
    sheet: int


def job_code(*parts: str | int) -> str:
    """Four signs that keep one job's sheets from another's, for the operator; they say nothing of trial or arm."""
    drawn = int.from_bytes(sha256("\n".join(("nudge-job/1", *map(str, parts))).encode()).digest()[:8])
    code = ""
    for _ in range(4):
        drawn, place = divmod(drawn, len(ALPHABET))
        code += ALPHABET[place]
    return code


def stamped_zones(printing: PrintSettings) -> tuple[Zone, ...]:
    """Where a pack prints on a letter, so that nothing of the letter may."""
    if printing.marks == "omr":
        return BARS, WORDS
    return (WORDS,) if printing.house == "fixed-zone" else ()


def mark_sheet(page: pikepdf.Page, font: pikepdf.Object, *, job: str, slot: Slot, sheet: int, sheets: int) -> None:
    """The bars and the operator's line on one front: sheet `sheet` (from 1) of a letter's `sheets`."""
    present = bars_of(slot.sheet + sheet - 2, last=sheet == sheets)
    bars = "".join(
        f"{_x(BARS.x)} {_y(BARS.y + place * PITCH + _THICK)} {_x(BARS.width)} {_x(_THICK)} re f\n"
        for place, drawn in enumerate(present)
        if drawn
    )
    _add(page, font, bars + _words(f"{job}-{slot.number:04d}  sheet {sheet}/{sheets}"))


def mark_first_page(page: pikepdf.Page, font: pikepdf.Object) -> None:
    """The words by which a house finds that a letter begins on this page."""
    _add(page, font, _words(FIRST_PAGE))


def bars_of(counted: int, *, last: bool) -> tuple[bool, ...]:
    """Which of the six bars a sheet bears, from the top; `counted` sheets of the job come before it."""
    return (True, last, *(bool(counted & bit) for bit in (1, 2, 4, 8)))


def marks_font(pdf: pikepdf.Pdf) -> pikepdf.Object:
    """The font of the words, once for a whole print file, with every sign in it: the same bytes in any file."""
    program, widths = _font()
    stream = pdf.make_stream(program)
    stream.Length1 = len(program)
    descriptor = pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor,
        FontName=pikepdf.Name("/NUDGEM+NotoSans-Regular"),
        Flags=32,
        FontBBox=[-620, -389, 2800, 1067],
        ItalicAngle=0,
        Ascent=1069,
        Descent=-293,
        CapHeight=714,
        StemV=80,
        FontFile2=stream,
    )
    return pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.TrueType,
            BaseFont=pikepdf.Name("/NUDGEM+NotoSans-Regular"),
            FirstChar=_SIGNS[0],
            LastChar=_SIGNS[-1],
            Widths=list(widths),
            Encoding=pikepdf.Name.WinAnsiEncoding,
            FontDescriptor=pdf.make_indirect(descriptor),
        )
    )


@cache
def _font() -> tuple[bytes, tuple[int, ...]]:
    """The letter's own font, cut down to ASCII, and the widths of its signs in thousandths of their size."""
    source = files("nudge.documents").joinpath("fonts", "NotoSans-Regular.ttf").read_bytes()
    font = TTFont(io.BytesIO(source), recalcTimestamp=False)
    cutter = subset.Subsetter(subset.Options(layout_features=[], hinting=False, notdef_outline=True))
    cutter.populate(unicodes=_SIGNS)
    cutter.subset(font)
    names, widths, scale = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
    written = io.BytesIO()
    font.save(written)
    return written.getvalue(), tuple(round(widths[names[sign]][0] * 1000 / scale) for sign in _SIGNS)


def _words(text: str) -> str:
    _, widths = _font()
    length = sum(widths[ord(sign) - _SIGNS[0]] for sign in text) * _POINTS / 1000
    return f"BT {_NAME} {_POINTS:g} Tf {WORDS.right / MM - length:.2f} {_y(WORDS.y + 3.1)} Td ({text}) Tj ET\n"


def _add(page: pikepdf.Page, font: pikepdf.Object, drawing: str) -> None:
    page.add_resource(font, pikepdf.Name.Font, _NAME)
    page.contents_add(b"q\n", prepend=True)  # whatever state the letter leaves behind ends before the marks
    page.contents_add(f"\nQ\nq 0 g\n{drawing}Q\n".encode("ascii"))


def _x(millimetres: float) -> str:
    return f"{millimetres / MM:.2f}"


def _y(down: float) -> str:
    return f"{(PAGE_HEIGHT - down) / MM:.2f}"
