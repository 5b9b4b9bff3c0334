"""A finished PDF read back by another library than the one that made it: what really stands where on the paper."""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium

from nudge.documents.profiles import Zone

MM: Final = 25.4 / 72  # millimetres in a PDF point
_HYPHENS: Final = dict.fromkeys(map(ord, "-\u2010\u2011\u00ad\u0002\ufffe"), None)
_DEPTH: Final = 6  # drawings inside drawings


@dataclass(frozen=True, slots=True)
class Ink:
    """Something printed: where, on which page (from 1), and the size of its type in points (None: not text).

    `solid` are words and images; rules and boxes may lie under them. `cut` is type of which a box cuts off a part;
    `colour` is its red, green, blue and opacity, from 0 to 255.
    """

    page: int
    zone: Zone
    points: float | None
    solid: bool
    cut: bool = False
    colour: tuple[int, int, int, int] = (0, 0, 0, 255)


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


def bare(text: str) -> str:
    """Text without spaces and hyphens, accents composed: the same however the lines broke."""
    return "".join(unicodedata.normalize("NFC", text).translate(_HYPHENS).split())


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


def heights(pdf: bytes, passages: Sequence[str]) -> tuple[tuple[int, float] | None, ...]:
    """The page each passage begins on and how far down it does, in millimetres; None where it is not found.

    Passages are without spaces and hyphens (`bare`).
    """
    document = pypdfium2.PdfDocument(pdf)
    try:
        signs: list[tuple[str, int, int]] = []  # each sign printed, with its page and its number on it
        pages = list(document)
        words = [page.get_textpage() for page in pages]
        for number, text in enumerate(words):
            signs += [(sign, number, at) for at, sign in enumerate(text.get_text_range()) if bare(sign)]
        whole = "".join(sign for sign, _, _ in signs)
        found: list[tuple[int, float] | None] = []
        for passage in passages:
            start = whole.find(passage)
            if start < 0 or not passage:
                found.append(None)
                continue
            _, number, at = signs[start]
            top = pages[number].get_size()[1] - words[number].get_charbox(at)[3]
            found.append((number + 1, top * MM))
    finally:
        document.close()
    return tuple(found)


def _ink(page: Any, number: int, height: float) -> Iterator[Ink]:
    forms: list[tuple[Any, int]] = []  # those open at each level: what is in them is measured from their own corner
    for item in page.get_objects(max_depth=_DEPTH):
        del forms[item.level :]
        placed = _matrix(forms)
        if item.type == pdfium.FPDF_PAGEOBJ_FORM:
            forms.append((item.get_matrix(), _colour(item)[3]))
        left, bottom, right, top = placed.on_rect(*item.get_bounds())
        zone = Zone(left * MM, (height - top) * MM, (right - left) * MM, (top - bottom) * MM)
        points, cut = None, False
        if item.type == pdfium.FPDF_PAGEOBJ_TEXT:
            size = ctypes.c_float()
            pdfium.FPDFTextObj_GetFontSize(item.raw, size)
            matrix = item.get_matrix().multiply(placed)
            points = size.value * math.hypot(matrix.c, matrix.d)
            cut = any(not clip.holds(zone) for clip in _clips(item, placed, height))
        elif item.type == pdfium.FPDF_PAGEOBJ_FORM:
            continue  # what is in it comes next
        red, green, blue, opaque = _colour(item)
        for _, share in forms:
            opaque = opaque * share // 255
        solid = points is not None or item.type == pdfium.FPDF_PAGEOBJ_IMAGE
        yield Ink(number, zone, points, solid, cut, (red, green, blue, opaque))


def _matrix(forms: list[tuple[Any, int]]) -> Any:
    whole = pypdfium2.PdfMatrix()
    for matrix, _ in reversed(forms):
        whole = whole.multiply(matrix)
    return whole


def _colour(item: Any) -> tuple[int, int, int, int]:
    parts = [ctypes.c_uint() for _ in range(4)]
    pdfium.FPDFPageObj_GetFillColor(item.raw, *parts)
    red, green, blue, opaque = (part.value for part in parts)
    return red, green, blue, opaque


def _clips(item: Any, placed: Any, height: float) -> Iterator[Zone]:
    """The boxes that cut what is drawn, each as the rectangle around it."""
    path = pdfium.FPDFPageObj_GetClipPath(item.raw)
    for number in range(max(0, pdfium.FPDFClipPath_CountPaths(path)) if path else 0):
        corners = []
        for step in range(pdfium.FPDFClipPath_CountPathSegments(path, number)):
            x, y = ctypes.c_float(), ctypes.c_float()
            pdfium.FPDFPathSegment_GetPoint(pdfium.FPDFClipPath_GetPathSegment(path, number, step), x, y)
            corners.append(placed.on_point(x.value, y.value))
        if corners:
            left, right = min(x for x, _ in corners), max(x for x, _ in corners)
            foot, top = min(y for _, y in corners), max(y for _, y in corners)
            yield Zone(left * MM, (height - top) * MM, (right - left) * MM, (top - foot) * MM)
