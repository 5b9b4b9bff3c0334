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
MOST_OPEN: Final = 0.05
"""The largest share of vehicles that a band without an upper edge may hold: an 85th and a 95th percentile lie below."""
_NUMBER: Final = r"(\d{1,3}(?:\.\d+)?)"
_UNIT: Final = r"(?:mph|mi/h|km/?h|kmph|kph|miles per hour|kilomet(?:re|er)s per hour)"
_NAMES: Final = r"(?:(?:vehicles?|speeds?|bands?|bins?|vbin|range|class|count)\s*(?:\d{1,2}\s*[:.)]|of|at|in)?[\s\-]*)*"
_CLOSED: Final = re.compile(
    rf"{_NAMES}\(?{_NUMBER}\s*{_UNIT}?\s*(?:-|–|—|to|<|and under|_)\s*<?\s*{_NUMBER}\s*\(?{_UNIT}?\)?", re.IGNORECASE
)
_BELOW: Final = re.compile(
    rf"{_NAMES}(?:<|under|below|less than|up to|0\s*<)\s*{_NUMBER}\s*\(?{_UNIT}?\)?", re.IGNORECASE
)
_ABOVE: Final = re.compile(
    rf"{_NAMES}(?:(?:>=?|≥|over|above|from)\s*{_NUMBER}\s*{_UNIT}?"
    rf"|{_NUMBER}\s*{_UNIT}?\s*(?:\+|plus|and over|and above|or over|or more))\s*\(?{_UNIT}?\)?",
    re.IGNORECASE,
)
_SUMMARY: Final = re.compile(
    r".*\b(?:mean|average|avg|ave|median)\b.*|.*\b(?:85|95|50)(?:th)?\s*(?:%|%?\s*ile|percentile|centile)\b.*"
    r"|.*(?:85|95)\s*(?:%\s*ile|th|%).*|[vpq]\s?(?:pp\s?)?(?:50|85|95)|(?:pp?)?85|vpp\s?\d*",
    re.IGNORECASE,
)
_MPH: Final = re.compile(r"\bmph\b|mi/h|miles per hour", re.IGNORECASE)
_KMH: Final = re.compile(r"km/?h\b|\bkmph\b|\bkph\b|kilomet(?:re|er)s per hour", re.IGNORECASE)


def band_of(heading: str) -> Band | None:
    """The band that a heading names: `20-25`, `20 to 25 mph`, `<20`, `60+`, `Bin 3: 20-25`; else None."""
    text = re.sub(r"\s+", " ", heading.replace("_", "-")).strip()
    if match := _CLOSED.fullmatch(text):
        lower, upper = float(match[1]), float(match[2])
        return (lower, upper) if lower < upper else None
    if match := _BELOW.fullmatch(text):
        return 0.0, float(match[1])
    if match := _ABOVE.fullmatch(text):
        return float(match[1] or match[2]), None
    return None


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
    whole: bool  # bands such as 21-25, 26-30: of speeds cut to whole numbers


def bands_of(written: Iterable[Band], place: Place, *, gaps: bool) -> Bands | Problem:
    """The bands put in order: each begins where the one before it ends, or, of whole speeds, one above.

    With `gaps`, bands may be left out, as where no vehicle fell into them. The top band may have no upper edge; it
    then ends as far up as the one below it is wide, which `MOST_OPEN` keeps from mattering.
    """
    order = sorted(set(written), key=lambda band: (band[0], band[1] is None, band[1] or 0.0))
    if any(one[1] is None for one in order[:-1]):
        return FileCode.BANDS_UNCLEAR.at(place)
    steps = [after[0] - (before[1] or 0.0) for before, after in pairwise(order)]
    whole = bool(steps) and all(step >= 1 for step in steps) and any(step == 1 for step in steps)
    fits = all(step >= 0 for step in steps) and (gaps or all(step == (1 if whole else 0) for step in steps))
    if not fits:
        return FileCode.BANDS_UNCLEAR.at(place)
    closed: dict[Band, tuple[float, float]] = {}
    width = 5.0
    for lower, upper in order:
        end = lower + width if upper is None else upper + whole
        width = end - lower
        closed[lower, upper] = (lower, end)
    top = order[-1] if order and order[-1][1] is None else None
    return Bands(closed, top, whole)


def summaries(headings: Sequence[str]) -> tuple[str, ...]:
    """The headings of means, medians and percentiles."""
    return tuple(heading for heading in headings if is_summary(heading))
