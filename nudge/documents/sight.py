"""A finished page as an eye has it: what colour stands on what ground, and whether type can be seen at all.

The page is drawn as pixels once, and each run of type is compared with the ground around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pypdfium2
from numpy.typing import NDArray

from nudge.documents.profiles import Zone
from nudge.documents.readback import MM, Ink

SCALE: Final = 2.0  # pixels to a point: a stem of 10 pt type is a pixel and a half wide
LARGE_POINTS: Final = 18.0
LEAST_CONTRAST: Final = 4.5  # WCAG 2.2, 1.4.3
LEAST_CONTRAST_LARGE: Final = 3.0
_SLICE: Final = 3.0  # sizes of type: no gap between words is so wide
_ALIKE: Final = 24  # of 255: colours that differ by less are one
_ROUND: Final = 1.5  # points around a run of type in which its ground is looked for
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One run of type: where it is, its contrast with its ground (1 to 21), and whether all of it is to be seen."""

    page: int
    zone: Zone
    points: float
    contrast: float
    red: bool
    whole: bool

    @property
    def least(self) -> float:
        """The contrast that type of this size needs."""
        return LEAST_CONTRAST_LARGE if self.points >= LARGE_POINTS - 0.01 else LEAST_CONTRAST


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """The contrast of two colours of red, green and blue from 0 to 255, from 1 to 21 (WCAG 2.2)."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def look_at(pdf: bytes, ink: Sequence[Ink]) -> tuple[Seen, ...]:
    """Every run of type of a PDF, as it is to be seen. `ink` is what `read_back` found in the same PDF."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [_pixels(page) for page in document]
    finally:
        document.close()
    return tuple(
        _seen(one, pages[one.page - 1])
        for one in ink
        if one.points is not None and one.zone.width > 0 and one.zone.height > 0
    )


def _pixels(page: Any) -> Pixels:
    drawn: Pixels = page.render(scale=SCALE, rev_byteorder=True).to_numpy()[:, :, :3]
    page.close()
    return drawn


def _seen(one: Ink, page: Pixels) -> Seen:
    left, top = int(one.zone.x / MM * SCALE), int(one.zone.y / MM * SCALE)
    right, foot = int(one.zone.right / MM * SCALE) + 1, int(one.zone.foot / MM * SCALE) + 1
    box = page[max(0, top) : foot, max(0, left) : right]
    around = int(_ROUND * SCALE)
    ground = _ground(box, _frame(page, left - around, top - around, right + around, foot + around), one.colour)
    share = one.colour[3] / 255
    type_ = np.array(one.colour[:3], float) * share + np.array(ground, float) * (1 - share)
    points = one.points or 0.0
    red, green, blue = one.colour[:3]
    return Seen(
        page=one.page,
        zone=one.zone,
        points=points,
        contrast=contrast([float(part) for part in type_], ground),
        red=red >= 150 and green <= 90 and blue <= 90,
        whole=not one.cut and _drawn(box, type_, ground, points),
    )


def _ground(box: Pixels, rim: Pixels, colour: Sequence[int]) -> tuple[float, float, float]:
    """The colour that most of the box and the rim around it has beside that of the type."""
    pixels = box.reshape(-1, 3)
    far = np.abs(pixels.astype(int) - np.array(colour[:3])).max(axis=1) > _ALIKE
    return _most(np.concatenate([pixels[far], rim]))


def _drawn(box: Pixels, type_: NDArray[np.float64], ground: Sequence[float], points: float) -> bool:
    """Whether every stretch of the run has pixels nearer to the colour of the type than to that of the ground."""
    from_ground = type_ - np.array(ground, float)
    length = float(from_ground @ from_ground)
    if not length:
        return True  # of the ground's own colour: said of the contrast
    near = ((box.astype(float) - np.array(ground, float)) @ from_ground) / length > 0.4
    columns = near.any(axis=0)
    step = max(1, int(_SLICE * max(points, 1.0) * SCALE))
    return all(columns[start : start + step].any() for start in range(0, max(1, len(columns) - step // 2), step))


def _frame(page: Pixels, left: int, top: int, right: int, foot: int) -> Pixels:
    """The pixels of the rim of a rectangle, as far as it lies on the page."""
    height, width = page.shape[:2]
    left, top, right, foot = max(0, left), max(0, top), min(width, right), min(height, foot)
    box = page[top:foot, left:right]
    if not box.size:
        return np.full((1, 3), 255, np.uint8)
    return np.concatenate([box[0], box[-1], box[:, 0], box[:, -1]])


def _most(pixels: Pixels) -> tuple[float, float, float]:
    """The colour that most pixels have, to within a sixteenth."""
    coarse = (pixels >> 4).astype(np.int64) @ np.array([256, 16, 1])
    values, counts = np.unique(coarse, return_counts=True)
    chosen = pixels[coarse == values[counts.argmax()]].mean(axis=0)
    return float(chosen[0]), float(chosen[1]), float(chosen[2])


def _luminance(colour: Sequence[float]) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
