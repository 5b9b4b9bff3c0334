"""A finished PDF read back by another library than the one that made it: what really stands where on the paper."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium

from nudge.documents.profiles import Zone

MM: Final = 25.4 / 72  # millimetres in a PDF point


@dataclass(frozen=True, slots=True)
class Ink:
    """Something printed: where, on which page (from 1), and the size of its type in points (None: not text).

    `solid` are words and images; rules and boxes may lie under them.
    """

    page: int
    zone: Zone
    points: float | None
    solid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """The text of each page in reading order, what is inked, and the text of page 1 inside one zone."""

    texts: tuple[str, ...]
    ink: tuple[Ink, ...]
    windowed: str
    sizes: tuple[tuple[float, float], ...]  # width and height of each page, in millimetres

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def read_back(pdf: bytes, window: Zone) -> ReadBack:
    """Read a PDF. `windowed` holds the text of page 1 whose glyphs touch the window."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        texts, ink, sizes, windowed = [], [], [], ""
        for number, page in enumerate(document, start=1):
            width, height = page.get_size()
            sizes.append((width * MM, height * MM))
            words = page.get_textpage()
            texts.append(words.get_text_range())
            if number == 1:
                windowed = words.get_text_bounded(
                    left=window.x / MM,
                    right=window.right / MM,
                    top=height - window.y / MM,
                    bottom=height - window.foot / MM,
                )
            ink += list(_ink(page, number, height))
            words.close()
            page.close()
    finally:
        document.close()
    return ReadBack(texts=tuple(texts), ink=tuple(ink), windowed=windowed, sizes=tuple(sizes))


def texts_in(pdf: bytes, zone: Zone) -> list[tuple[str, str]]:
    """Of each page its whole text and the text inside a zone, lines joined by single spaces."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    try:
        for page in document:
            words = page.get_textpage()
            _, height = page.get_size()
            inside = words.get_text_bounded(
                left=zone.x / MM, right=zone.right / MM, top=height - zone.y / MM, bottom=height - zone.foot / MM
            )
            found.append((" ".join(words.get_text_range().split()), " ".join(inside.split())))
            words.close()
            page.close()
    finally:
        document.close()
    return found


def _ink(page: Any, number: int, height: float) -> Iterator[Ink]:
    for item in page.get_objects(max_depth=4):
        left, bottom, right, top = item.get_bounds()
        zone = Zone(left * MM, (height - top) * MM, (right - left) * MM, (top - bottom) * MM)
        points = None
        if item.type == pdfium.FPDF_PAGEOBJ_TEXT:
            size = ctypes.c_float()
            pdfium.FPDFTextObj_GetFontSize(item.raw, size)
            matrix = item.get_matrix()
            points = abs(size.value * matrix.d)
        yield Ink(number, zone, points, points is not None or item.type == pdfium.FPDF_PAGEOBJ_IMAGE)
