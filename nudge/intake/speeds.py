"""Bands of speed and the unit of speeds, as counters and their suppliers write them.

What leaves this module is in miles per hour. A band [lower, upper) has the speeds from `lower` to just below `upper`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from nudge.base.errors import Place, Problem
from nudge.intake.codes import FileCode

Band = tuple[float, float | None]
"""Lower and upper edge as written; None where the band has no upper edge."""
MPH_IN_KMH: Final = 1.609344
FASTEST: Final = 200.0
"""Miles per hour above which a reading is a fault of the counter."""
_NUMBER: Final = r"(\d{1,3}(?:\.\d+)?)"
_UNIT: Final = r"(?:mph|mi/h|km/?h|kmph|kph|miles per hour|kilomet(?:re|er)s per hour)"
_NAMES: Final = r"(?:(?:vehicles?|speeds?|bands?|bins?|vbin|range|class|count)\s*(?:\d{1,2}\s*[:.)]|of|at|in)?[\s\-]*)*"
_CLOSED: Final = re.compile(
    rf"{_NAMES}\(?{_NUMBER}\s*{_UNIT}?\s*(?:-|–|—|to under|to|<|and under|_)\s*<?\s*{_NUMBER}\s*\(?{_UNIT}?\)?",
    re.IGNORECASE,
)
_BELOW: Final = re.compile(
    rf"{_NAMES}(?:(?:<=?|≤|under|below|less than|up to|sub|0\s*<)\s*{_NUMBER}\s*{_UNIT}?"
    rf"|{_NUMBER}\s*{_UNIT}?\s*(?:(?:and|or|&) (?:under|below|less)))\s*\(?{_UNIT}?\)?",
    re.IGNORECASE,
)
_ABOVE: Final = re.compile(
    rf"{_NAMES}(?:(?:>=?|≥|over|above|from)\s*{_NUMBER}\s*{_UNIT}?"
    rf"|{_NUMBER}\s*{_UNIT}?\s*(?:\+|plus|(?:and|or|&) (?:over|above|more|up|upwards)|-\s*(?:max|inf|∞)?|>))"
    rf"\s*\(?{_UNIT}?\)?",
    re.IGNORECASE,
)
_SUMMARY: Final = re.compile(
    r".*\b(?:mean|average|avg|ave|median)\b.*|.*\b(?:85|95|50)(?:th)?\s*(?:%|%?\s*ile|percentile|centile)\b.*"
    r"|.*(?:85|95)\s*(?:%\s*ile|th|%).*|[vpq]\s?(?:pp\s?)?(?:50|85|95)|(?:pp?)?85|vpp\s?\d*",
    re.IGNORECASE,
)
_LIKE_A_BAND: Final = re.compile(
    r"[<>≤≥]\s*=?\s*\d|\d\s*[<>≤≥+]|\d\s*[-–—/]\s*\d|\d\s*(?:mph|km/?h|kmph|kph|to|and|or|&)\b|\d\s*[-–—]\s*$"
    r"|\b(?:under|below|less than|up to|sub|over|above|from|mph|kph)\s*\d",
    re.IGNORECASE,
)
_NO_BAND: Final = re.compile(r"%|\b(?:total|limit|percent|psl|exceed\w*|acpo|dft|count of|date|time)\b", re.IGNORECASE)
_MPH: Final = re.compile(r"\bmph\b|mi/h|miles per hour", re.IGNORECASE)
_KMH: Final = re.compile(r"km/?h\b|\bkmph\b|\bkph\b|kilomet(?:re|er)s per hour", re.IGNORECASE)


def band_of(heading: str) -> Band | None:
    """The band that a heading names: `20-25`, `20 to 25 mph`, `<20`, `60+`, `Bin 3: 20-25`; else None."""
    text = re.sub(r"\s+", " ", heading.replace("_", "-")).strip()
    if match := _CLOSED.fullmatch(text):
        lower, upper = float(match[1]), float(match[2])
        return (lower, upper) if lower < upper else None
    if match := _BELOW.fullmatch(text):
        return 0.0, float(match[1] or match[2])
    if match := _ABOVE.fullmatch(text):
        return float(match[1] or match[2]), None
    return None


def like_a_band(heading: str) -> bool:
    """Whether a heading that is no band to us may be one to its supplier: its vehicles must not be lost."""
    text = heading.replace("_", " ")
    return bool(_LIKE_A_BAND.search(text)) and not _NO_BAND.search(text) and not is_summary(heading)


def is_summary(heading: str) -> bool:
    """Whether a heading is of a mean, a median or a percentile of speeds."""
    return _SUMMARY.fullmatch(re.sub(r"[_\s]+", " ", heading).strip()) is not None


def unit_in(texts: Iterable[str]) -> str:
    """`mph` or `km/h`, as the texts say; "" where they say neither, or both."""
    said = {unit for text in texts for unit, words in (("mph", _MPH), ("km/h", _KMH)) if words.search(_apart(text))}
    return said.pop() if len(said) == 1 else ""


def _apart(text: str) -> str:
    return text.replace("_", " ")


def in_mph(speed: float, unit: str) -> float:
    """A speed in miles per hour, to a thousandth."""
    return speed if unit == "mph" else round(speed / MPH_IN_KMH, 3)


@dataclass(frozen=True, slots=True)
class Bands:
    """Every band of one counter with the edges that it stands for."""

    closed: Mapping[Band, tuple[float, float]]
    top: Band | None  # the band without an upper edge
    whole: bool  # bands such as 21-25, 26-30: of speeds cut to whole numbers (or 20-24.9, 25-29.9: to tenths)


def settle(written: Mapping[str, Iterable[Band]], place: Place, *, gaps: bool) -> dict[str, Bands] | Problem:
    """The bands of each counter of a file. What a counter's own bands leave open, those of the others decide.

    Which bands are empty at one site, or on the days of one file, must not move an edge.
    """
    every = [band for bands in written.values() for band in bands]
    settled = {}
    for key, bands in written.items():
        found = bands_of(bands, place, gaps=gaps, beside=every)
        if isinstance(found, Problem):
            return found
        settled[key] = found
    return settled


def _first(*found: bool | None) -> bool | None:
    return next((one for one in found if one is not None), None)


def _order(band: Band) -> tuple[float, bool, float]:
    return band[0], band[1] is None, band[1] or 0.0


def _ticks(bands: Sequence[Band]) -> tuple[int, list[int], list[int]]:
    """How many of the finest step that the edges are written in make 1, and the edges in such steps.

    The upper edge of a band without one is left out.
    """
    edges = [edge for band in bands for edge in band if edge is not None]
    scale = 10 ** max((len(f"{edge:g}".partition(".")[2]) for edge in edges), default=0)
    uppers = [round(upper * scale) for _, upper in bands if upper is not None]
    return scale, [round(lower * scale) for lower, _ in bands], uppers


def _whole_by_neighbours(bands: Sequence[Band], *, complete: bool = False) -> bool | None:
    """Whether a band ends one step below the next; None where no two are neighbours, or they do both.

    Of bands one step wide, an empty one leaves out one step: there only a `complete` list can tell.
    """
    _, lowers, uppers = _ticks(bands)
    steps = [after - upper for upper, after in zip(uppers, lowers[1:], strict=False)]
    widths = [upper - lower for lower, upper in zip(lowers, uppers, strict=False)]
    if any(step < 0 for step in steps):
        return None
    inner = slice(int(bool(lowers) and lowers[0] == 0), -1 if len(lowers) > len(uppers) else None)
    steps = steps[inner] or steps  # <20 beside 20-24, and >35 beside 31-35, say nothing of those between
    touching = 0 in steps
    apart = 1 in steps and (complete or min(widths) > 1)
    return None if touching == apart else apart


def _whole_by_widths(bands: Sequence[Band]) -> bool | None:
    """The same of bands that do not meet: those of one width by the steps between them, others by a round width.

    21-25 and 36-40 are 15 apart, which bands of 5 fit and bands of 4 do not: they hold whole speeds. 20-25 alone is of
    5 mph, and ends where 25 begins; 21-25 and 20-24 are if their last speed lies in them. A band from 0 may be wider
    than the rest. None where nothing tells.
    """
    scale, lowers, uppers = _ticks(bands)
    closed = list(zip(lowers, uppers, strict=False))
    widths = {upper - lower for lower, upper in closed}
    if len(widths) == 1:
        [width] = widths
        steps = [after - before for before, after in pairwise(lowers)]
        meets, apart = (all(step % wide == 0 for step in steps) for wide in (width, width + 1))
        if meets != apart:
            return apart
    five = 5 * scale
    usual = [(lower % five, upper % five) for lower, upper in closed if lower > 0]
    meets = bool(closed) and all(ends == (0, 0) for ends in usual)
    apart = bool(usual) and all(ends in {(0, five - 1), (1, 0)} for ends in usual)
    return None if meets == apart else apart


def bands_of(written: Iterable[Band], place: Place, *, gaps: bool, beside: Iterable[Band] = ()) -> Bands | Problem:
    """The bands put in order: each begins where the one before it ends, or, of whole speeds, one step above.

    With `gaps`, bands may be left out, as where no vehicle fell into them: room for one at least must then be there,
    and whether speeds are whole is told by bands that meet, by those of the file's other counters (`beside`), or by
    their steps and widths. The top band may have no upper edge; it then ends as far up as the one below it is wide. A
    Problem where bands lie over one another, and where it cannot be told whether they are of whole speeds.
    """
    order = sorted(set(written), key=_order)
    whole = _whole_by_neighbours(order, complete=not gaps)
    if whole is None:
        every = sorted({*order, *beside}, key=_order)
        whole = _first(_whole_by_neighbours(every), _whole_by_widths(every)) if gaps else False
    if any(one[1] is None for one in order[:-1]) or (whole is None and order[0][1] is not None):
        return FileCode.BANDS_UNCLEAR.at(place)
    scale, lowers, uppers = _ticks(order)
    meets = int(bool(whole))
    left_out = [after - upper - meets for upper, after in zip(uppers, lowers[1:], strict=False)]
    at_the_ends = {0, len(order) - 2} if order[-1][1] is None else {0}  # `<20` ends where 20 begins
    left_out = [0 if room == -meets and at in at_the_ends else room for at, room in enumerate(left_out)]
    narrowest = min((upper - lower + meets for lower, upper in zip(lowers, uppers, strict=False)), default=0)
    if any(room != 0 and not (gaps and room >= narrowest) for room in left_out):
        return FileCode.BANDS_UNCLEAR.at(place)
    closed: dict[Band, tuple[float, float]] = {}
    width, before = 5.0, 0.0
    following = [lower for lower, _ in order[1:]]
    for number, (lower, upper) in enumerate(order):
        begin = max(lower, before)
        end = begin + width if upper is None else round(upper + meets / scale, 6)
        if number == 0 and following:
            end = min(end, following[0])
        width, before = end - begin, end
        closed[lower, upper] = (begin, end)
    top = order[-1] if order and order[-1][1] is None else None
    return Bands(closed, top, bool(whole))


def summaries(headings: Sequence[str]) -> tuple[str, ...]:
    """The headings of means, medians and percentiles."""
    return tuple(heading for heading in headings if is_summary(heading))
