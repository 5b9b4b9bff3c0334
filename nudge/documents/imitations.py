"""Does a sign imitate a traffic sign? A council may put up those that are prescribed (RTRA 1984 s. 64, TSRGD 2016).

Seen twice: in the shapes of the finished page, whatever drew them, and in its pixels, which show pictures and what
shapes make together. A shape smaller than a twenty-fifth of the sheet's short side is too small to be taken for a sign.
What is not seen: figures drawn as shapes, letters used as shapes (a large O), and a picture in which the red is broken
up. A person looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from nudge.base.errors import Place, Problem
from nudge.documents.artwork import Artwork, Colour, Outline, Points, Words
from nudge.documents.profiles import Zone
from nudge.documents.sign_codes import SignCode

Mask = npt.NDArray[np.bool_]
_LEAST: Final = 0.04  # of the short side
_LARGE: Final = 0.1
_NUMBER: Final = re.compile(r"\d{1,3}\s*(mph|km/?h)?", re.IGNORECASE)
_WHOLE_LINE: Final = re.compile(
    r"(please\s+)?(stop|slow|slow down|reduce speed( now)?|give way|no entry|no through road|one way"
    r"|keep (left|right|clear)|no (parking|stopping|waiting|loading|overtaking|vehicles|cycling|u-?turns?)"
    r"|danger|warning|caution|hazard"
    r"|road closed|diversion|dead slow|school|children|look (left|right|both ways))( now| here)?",
    re.IGNORECASE,
)
_ANYWHERE: Final = re.compile(
    r"\d+\s*(mph|km/?h|miles per hour)|\bspeed limit\b|\bslow down\b|\breduce (your )?speed\b|\bspeed cameras?\b"
    r"|\baccident black ?spot\b|\b(dangerous|sharp|hidden) (bend|road|junction|dip|crossing|corner)\b"
    r"|\b(children|animals|horses|cattle|deer|ducks|toads|pedestrians|elderly people|queues?) (crossing|likely)\b"
    r"|\b(hazards?|danger|junction|bends?|crossing|school|queues?|road ?works|works|ice|flood|ford|hump|ramp|lights"
    r"|cattle|horses|deer|children|pedestrians|zone|camera)\s+(\w+\s+)?ahead\b",
    re.IGNORECASE,
)


def imitations(art: Artwork, blocks: Iterable[str], place: Place) -> tuple[Problem, ...]:
    """Every likeness to a traffic sign, each kind once, with the size of the largest."""
    short = min(art.trim.width, art.trim.height)
    found: dict[SignCode, float] = {}
    for code, size in (*_drawn(art, short), *_seen(art, short)):
        found[code] = max(size, found.get(code, 0))
    lines = sum(_speaks_to_drivers(block) for block in blocks)
    return (
        *(code.at(place, size=found[code]) for code in SignCode if code in found),
        *([SignCode.IMITATES_ROAD_WORDS.at(place, count=lines)] if lines else ()),
    )


def _speaks_to_drivers(line: str) -> bool:
    return _WHOLE_LINE.fullmatch(line.strip(" .!:;-–—")) is not None or _ANYWHERE.search(line) is not None


def is_red(colour: Colour | None) -> bool:
    """The red of traffic signs and whatever may pass for it by day: not pink, not orange, not brown."""
    return colour is not None and bool(_red(np.array(colour, dtype=np.uint8)))


def _red(colours: npt.NDArray[np.uint8]) -> Mask:
    red, green, blue = (colours[..., channel].astype(int) for channel in range(3))
    most, least = np.maximum(green, blue), np.minimum(green, blue)
    # bright enough, strong enough, and within some 22 degrees of pure red
    seen: Mask = (red >= 110) & (most * 2 < red) & ((most - least) * 8 <= (red - least) * 3)
    return seen


# ---- in the shapes ----


def _drawn(art: Artwork, short: float) -> Iterator[tuple[SignCode, float]]:
    large = [one for one in art.outlines if _size(one.zone) >= _LEAST * short and one.zone.meets(art.trim, slack=0)]
    circles = [one for one in large if _is_circle(one.line)]
    for one in circles:
        size = _size(one.zone)
        if is_red(one.stroke) and one.width >= 0.02 * size:
            yield SignCode.IMITATES_RED_RING, size
        if is_red(one.fill) and any(_within(inner.zone, one.zone) for inner in circles if inner is not one):
            yield SignCode.IMITATES_RED_RING, size
        if any(_numbered(word, one.zone) for word in art.words):
            yield SignCode.IMITATES_ROUNDEL, size
    for one in large:
        size, sides = _size(one.zone), _corners(one.line)
        red = is_red(one.fill) or (is_red(one.stroke) and one.width >= 0.01 * size)
        if sides == 3 and red:
            yield SignCode.IMITATES_TRIANGLE, size
        if size >= _LARGE * short and _is_octagon(one.line):
            yield SignCode.IMITATES_OCTAGON, size
        if size >= _LARGE * short and _is_red_bar(one):
            yield SignCode.IMITATES_DIAGONAL, size


def _size(zone: Zone) -> float:
    return max(zone.width, zone.height)


def _is_circle(line: Points) -> bool:
    low, high = line.min(axis=0), line.max(axis=0)
    width, height = high - low
    if len(line) < 8 or min(width, height) == 0 or not 0.85 < width / height < 1.18:
        return False
    reach = np.hypot(*(((line - (low + high) / 2) / (high - low)).T))
    return bool(reach.std() < 0.015 and np.hypot(*(line[0] - line[-1])) < 0.1 * width)


def _within(inner: Zone, outer: Zone) -> bool:
    """About one centre, and smaller."""
    off = max(
        abs(inner.x + inner.width / 2 - outer.x - outer.width / 2),
        abs(inner.y + inner.height / 2 - outer.y - outer.height / 2),
    )
    return off < 0.1 * outer.width and 0.35 < inner.width / outer.width < 0.98


def _numbered(word: Words, circle: Zone) -> bool:
    zone = word.zone
    inside = (
        abs(zone.x + zone.width / 2 - circle.x - circle.width / 2) < 0.2 * circle.width
        and abs(zone.y + zone.height / 2 - circle.y - circle.height / 2) < 0.25 * circle.height
        and zone.width < circle.width
    )
    return inside and zone.height > 0.15 * circle.height and _NUMBER.fullmatch(word.text.strip()) is not None


def _simplified(line: Points, slack: float) -> Points:
    """The corners of a closed line that are left where bends of less than `slack` millimetres are taken out."""
    if np.hypot(*(line[0] - line[-1])) > slack:
        line = np.vstack([line, line[:1]])
    far = int(np.hypot(*(line - line[0]).T).argmax())
    kept = {0, far, len(line) - 1}
    waiting = [(0, far), (far, len(line) - 1)]
    while waiting:
        start, end = waiting.pop()
        if end - start < 2:
            continue
        a, b = line[start], line[end]
        along = b - a
        length = float(np.hypot(*along))
        between = line[start + 1 : end] - a
        off = np.abs(between[:, 0] * along[1] - between[:, 1] * along[0]) / length if length else np.hypot(*between.T)
        place = int(off.argmax())
        if off[place] > slack:
            middle = start + 1 + place
            kept.add(middle)
            waiting += [(start, middle), (middle, end)]
    corners: Points = line[sorted(kept)][:-1]
    return corners


def _corners(line: Points) -> int:
    """Corners of a shape, those that are rounded or cut a little counted as one."""
    low, high = line.min(axis=0), line.max(axis=0)
    return len(_open_ended(_simplified(line, 0.07 * float((high - low).max()))))


def _open_ended(corners: Points) -> Points:
    """Without a first corner that only lies on the straight between its neighbours: where the pen happened to start."""
    if len(corners) < 4:
        return corners
    before, here, after = corners[-1], corners[0], corners[1]
    along = after - before
    off = abs((here - before)[0] * along[1] - (here - before)[1] * along[0]) / max(float(np.hypot(*along)), 1e-9)
    span = float((corners.max(axis=0) - corners.min(axis=0)).max())
    return corners[1:] if off < 0.07 * span else corners


def _is_octagon(line: Points) -> bool:
    low, high = line.min(axis=0), line.max(axis=0)
    width, height = high - low
    if min(width, height) == 0 or not 0.85 < width / height < 1.18:
        return False
    corners = _simplified(line, 0.012 * float(max(width, height)))
    if len(corners) != 8:
        return False
    reach = np.hypot(*(corners - corners.mean(axis=0)).T)
    sides = np.hypot(*(corners - np.roll(corners, 1, axis=0)).T)
    return bool(reach.std() < 0.06 * reach.mean() and sides.std() < 0.25 * sides.mean())


def _is_red_bar(one: Outline) -> bool:
    if len(one.line) == 2 and is_red(one.stroke):
        return one.width >= 0.02 * _size(one.zone) and _aslant(*(one.line[1] - one.line[0]))
    if not is_red(one.fill):
        return False
    return _long_and_aslant(one.line)


def _long_and_aslant(points: Points) -> bool:
    spread, axes = np.linalg.eigh(np.cov((points - points.mean(axis=0)).T))
    return bool(spread[1] > 25 * max(spread[0], 1e-9)) and _aslant(*axes[:, 1])


def _aslant(across: float, down: float) -> bool:
    return bool(25 < np.degrees(np.arctan2(abs(down), abs(across))) < 65)


# ---- in the pixels ----


def _seen(art: Artwork, short: float) -> Iterator[tuple[SignCode, float]]:
    red = _red(art.part(art.trim))
    for word in art.words:  # an o in a red headline is no ring
        _blot(red, word.zone, art.dots)
    named, count = ndimage.label(red, structure=np.ones((3, 3)))
    for number, box in enumerate(ndimage.find_objects(named), start=1):
        part = named[box] == number
        size = max(part.shape) / art.dots
        if size < _LEAST * short or count == 0:
            continue
        whole = ndimage.binary_fill_holes(part)
        share = float(whole.mean())
        hollow = 1 - float(part.sum()) / float(whole.sum())
        square = 0.85 < part.shape[0] / part.shape[1] < 1.18
        round_ = square and 0.74 < share < 0.81 and _edge_is_round(whole)
        if round_ and hollow > 0.15 and not _is_bar(whole & ~part):
            yield SignCode.IMITATES_RED_RING, size
        if round_ and hollow > 0.03 and _is_bar(whole & ~part):
            yield SignCode.IMITATES_NO_ENTRY, size
        if 0.4 < share < 0.66 and _edge_is_triangle(whole):
            yield SignCode.IMITATES_TRIANGLE, size
        if square and size >= _LARGE * short and 0.815 < share < 0.87 and _edge_is_octagon(whole):
            yield SignCode.IMITATES_OCTAGON, size
        rows, columns = np.nonzero(part)
        if (
            size >= _LARGE * short
            and len(rows) > 20
            and _long_and_aslant(np.column_stack([columns, rows]).astype(float))
        ):
            yield SignCode.IMITATES_DIAGONAL, size


def _blot(red: Mask, zone: Zone, dots: float) -> None:
    top, left = max(0, int(zone.y * dots) - 1), max(0, int(zone.x * dots) - 1)
    red[top : max(0, int(zone.foot * dots) + 2), left : max(0, int(zone.right * dots) + 2)] = False


def _edge_is_round(whole: Mask) -> bool:
    rows, columns = np.nonzero(whole & ~ndimage.binary_erosion(whole))
    height, width = whole.shape
    reach = np.hypot((rows + 0.5) / height - 0.5, (columns + 0.5) / width - 0.5)
    return bool(reach.std() < 0.02 + 0.5 / min(height, width))


def _is_bar(hole: Mask) -> bool:
    """One level hole, wider than high: the bar of a no-entry sign."""
    named, count = ndimage.label(hole)
    if count == 0:
        return False
    sizes = ndimage.sum_labels(hole, named, range(1, count + 1))
    box = ndimage.find_objects(named)[int(np.argmax(sizes))]
    part = named[box] == 1 + int(np.argmax(sizes))
    return bool(part.shape[1] > 2.2 * part.shape[0] and part.mean() > 0.85)


def _edge_is_triangle(whole: Mask) -> bool:
    """Widths that grow or shrink evenly from one side to the other, whichever side the point is on."""
    for way in (whole, whole.T):
        widths = way.sum(axis=1).astype(float)
        inner = widths[len(widths) // 8 : -max(1, len(widths) // 8)]
        if len(inner) < 6 or np.ptp(inner) < 0.5 * inner.max():
            continue
        steps = np.corrcoef(np.arange(len(inner)), inner)[0, 1]
        if abs(steps) > 0.985:
            return True
    return False


def _edge_is_octagon(whole: Mask) -> bool:
    """Eight flats: the corners of the box are empty, the middles of its sides are full for two fifths of them."""
    height, width = whole.shape
    sides = (whole[1], whole[-2], whole[:, 1], whole[:, -2])
    flat = [float(side.mean()) for side in sides]
    return all(0.3 < share < 0.52 for share in flat) and not whole[0, 0] and not whole[height - 1, width - 1]
