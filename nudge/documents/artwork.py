"""A finished sign read back by another library than the one that drew it: its words, shapes and pixels.

Everything is in millimetres from the top left corner of the trim, and in the colours that show, so it is all one
whether a circle came from a drawing, from a style sheet or from a picture.
"""

from __future__ import annotations

import ctypes
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

from nudge.documents.profiles import Zone
from nudge.documents.readback import MM

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255
Points = npt.NDArray[np.float64]  # one row a point: across and down
Pixels = npt.NDArray[np.uint8]  # rows, columns, colours
_STEPS: Final = np.linspace(0, 1, 9)[1:]  # points taken of each curve
_DOTS: Final = 2.0  # pixels to the millimetre, on a large sheet fewer
_MOST_PIXELS: Final = 2_000  # along the longer side
_LEAST_SQUARE: Final = 10.0  # millimetres
_OBLONG: Final = 5  # points of a rectangle, closed
_CLOSE: Final = 400  # pixels along the side of a square seen close up


@dataclass(frozen=True, slots=True)
class Words:
    """A run of type: what it says, where, its size in points, its colour."""

    text: str
    zone: Zone
    points: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Outline:
    """One closed or open line of a drawn shape, with the colours that it is filled and stroked in."""

    line: Points
    fill: Colour | None
    stroke: Colour | None
    width: float  # of the stroke, in millimetres

    @property
    def zone(self) -> Zone:
        left, top = self.line.min(axis=0)
        right, foot = self.line.max(axis=0)
        return Zone(float(left), float(top), float(right - left), float(foot - top))


@dataclass(frozen=True, slots=True)
class Square:
    """A square of white paper on the sheet: where it lies, and what the eye sees there, close up and in grey."""

    zone: Zone
    grey: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Artwork:
    """What one finished sign shows. Boxes are as the PDF states them; `pixels` covers the media box."""

    pages: int
    trim: Zone
    bleed: Zone
    media: Zone
    words: tuple[Words, ...]
    outlines: tuple[Outline, ...]
    squares: tuple[Square, ...]
    pixels: Pixels
    dots: float  # pixels to the millimetre
    text: str

    def part(self, zone: Zone) -> Pixels:
        """The pixels inside a zone."""
        down, across = zone.y - self.media.y, zone.x - self.media.x
        rows = slice(max(0, round(down * self.dots)), max(0, round((down + zone.height) * self.dots)))
        columns = slice(max(0, round(across * self.dots)), max(0, round((across + zone.width) * self.dots)))
        return self.pixels[rows, columns]


def read_artwork(pdf: bytes) -> Artwork:
    """Read the first page of a sign's PDF."""
    with pikepdf.open(io.BytesIO(pdf)) as file:
        boxes = {
            name: [float(side) for side in file.pages[0].obj[name]] for name in ("/MediaBox", "/TrimBox", "/BleedBox")
        }
        pages = len(file.pages)
    left, _, _, top = boxes["/TrimBox"]

    def zone(box: list[float]) -> Zone:
        return Zone((box[0] - left) * MM, (top - box[3]) * MM, (box[2] - box[0]) * MM, (box[3] - box[1]) * MM)

    media = zone(boxes["/MediaBox"])
    dots = min(_DOTS, _MOST_PIXELS / max(media.width, media.height))
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[0]
        reading = page.get_textpage()
        words: list[Words] = []
        outlines: list[Outline] = []
        for item in page.get_objects(max_depth=6):
            if item.type == pdfium.FPDF_PAGEOBJ_TEXT:
                words.append(_words(item, reading, left, top))
            elif item.type == pdfium.FPDF_PAGEOBJ_PATH:
                outlines += _outlines(item, left, top)
        pixels = page.render(scale=dots * MM, rev_byteorder=True).to_numpy()[:, :, :3].copy()
        squares = [
            Square(zone, _close_up(page, zone, media))
            for zone in dict.fromkeys(_white_squares(outlines))
            if media.holds(zone)
        ]
        text = reading.get_text_range()
        reading.close()
        page.close()
    finally:
        document.close()
    return Artwork(
        pages=pages,
        trim=zone(boxes["/TrimBox"]),
        bleed=zone(boxes["/BleedBox"]),
        media=media,
        words=tuple(word for word in words if word.text.strip()),
        outlines=tuple(outlines),
        squares=tuple(squares),
        pixels=pixels,
        dots=dots,
        text=text,
    )


def _white_squares(outlines: Iterable[Outline]) -> Iterator[Zone]:
    for one in outlines:
        zone = one.zone
        white = one.fill is not None and min(one.fill) == 255 and 4 <= len(one.line) <= 5
        if white and zone.width >= _LEAST_SQUARE and abs(zone.width - zone.height) < 0.01 * zone.width:
            yield zone


def _close_up(page: Any, zone: Zone, media: Zone) -> npt.NDArray[np.uint8]:
    crop = (zone.x - media.x, media.foot - zone.foot, media.right - zone.right, zone.y - media.y)
    seen = page.render(scale=_CLOSE / zone.width * MM, crop=tuple(max(0, side / MM) for side in crop), grayscale=True)
    grey: npt.NDArray[np.uint8] = seen.to_numpy().squeeze().copy()
    return grey


def _zone(item: Any, left: float, top: float) -> Zone:
    x, foot, right, head = item.get_bounds()
    return Zone((x - left) * MM, (top - head) * MM, (right - x) * MM, (head - foot) * MM)


def _words(item: Any, reading: Any, left: float, top: float) -> Words:
    size = ctypes.c_float()
    pdfium.FPDFTextObj_GetFontSize(item.raw, size)
    length = pdfium.FPDFTextObj_GetText(item.raw, reading.raw, None, 0)
    buffer = (ctypes.c_ushort * max(1, length // 2))()
    pdfium.FPDFTextObj_GetText(item.raw, reading.raw, buffer, length)
    text = bytes(buffer).decode("utf-16-le", errors="replace").rstrip("\0")
    points = abs(size.value * item.get_matrix().d)
    return Words(text, _zone(item, left, top), points, _colour(pdfium.FPDFPageObj_GetFillColor, item) or (0, 0, 0))


def _colour(ask: Any, item: Any) -> Colour | None:
    red, green, blue, solid = (ctypes.c_uint() for _ in range(4))
    if not ask(item.raw, red, green, blue, solid) or solid.value == 0:
        return None
    return red.value, green.value, blue.value


def _outlines(item: Any, left: float, top: float) -> Iterator[Outline]:
    mode, stroked, width = ctypes.c_int(), ctypes.c_int(), ctypes.c_float()
    pdfium.FPDFPath_GetDrawMode(item.raw, mode, stroked)
    pdfium.FPDFPageObj_GetStrokeWidth(item.raw, width)
    fill = _colour(pdfium.FPDFPageObj_GetFillColor, item) if mode.value else None
    stroke = _colour(pdfium.FPDFPageObj_GetStrokeColor, item) if stroked.value else None
    if fill is None and stroke is None:
        return
    matrix = item.get_matrix()
    turned = np.array([[matrix.a, matrix.b], [matrix.c, matrix.d]])
    scale = float(np.sqrt(abs(np.linalg.det(turned))))
    for line in _lines(*_path(item)):
        placed = (line @ turned + [matrix.e, matrix.f] - [left, top]) * [MM, -MM]
        yield Outline(placed, fill, stroke, width.value * scale * MM)
    clip = pdfium.FPDFPageObj_GetClipPath(item.raw)
    for number in range(max(0, pdfium.FPDFClipPath_CountPaths(clip))):  # what a style sheet rounds is cut out so
        for line in _lines(*_clip(clip, number)):
            if len(line) > _OBLONG:
                yield Outline((line - [left, top]) * [MM, -MM], fill, None, 0)


def _path(item: Any) -> tuple[int, Callable[[int], Any]]:
    return pdfium.FPDFPath_CountSegments(item.raw), lambda place: pdfium.FPDFPath_GetPathSegment(item.raw, place)


def _clip(clip: Any, number: int) -> tuple[int, Callable[[int], Any]]:
    count = pdfium.FPDFClipPath_CountPathSegments(clip, number)
    return count, lambda place: pdfium.FPDFClipPath_GetPathSegment(clip, number, place)


def _lines(count: int, segment_at: Callable[[int], Any]) -> Iterator[Points]:
    """Each line of a path as points in the path's own space, its curves taken in steps."""
    line: list[tuple[float, float]] = []
    control: list[tuple[float, float]] = []
    for number in range(count):
        segment = segment_at(number)
        x, y = ctypes.c_float(), ctypes.c_float()
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        kind, point = pdfium.FPDFPathSegment_GetType(segment), (x.value, y.value)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            if len(line) > 1:
                yield np.array(line)
            line = [point]
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            line.append(point)
        else:
            control.append(point)
            if len(control) == 3:
                line += map(tuple, _curve(line[-1], *control))
                control = []
    if len(line) > 1:
        yield np.array(line)


def _curve(*four: tuple[float, float]) -> Points:
    start, first, second, end = (np.array(point) for point in four)
    t = _STEPS[:, None]
    curve: Points = (1 - t) ** 3 * start + 3 * t * (1 - t) ** 2 * first + 3 * t**2 * (1 - t) * second + t**3 * end
    return curve
