"""The set of ratios that two estimates leave standing: an interval, or all but one, or everything (Fieller 1954)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from nudge.uplift.estimate import Interval


class RatioKind(StrEnum):
    """What the set looks like."""

    INTERVAL = "interval"
    OUTSIDE = "outside"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class RatioSet:
    """The set's kind and its ends: between them, or (`outside`) at or below the first and at or above the second."""

    kind: RatioKind
    ends: Interval | None

    @property
    def interval(self) -> Interval | None:
        """The ends where the set lies between them."""
        return self.ends if self.kind is RatioKind.INTERVAL else None

    def holds(self, ratio: float) -> bool:
        """Whether a ratio is in the set."""
        if self.ends is None:
            return True
        low, high = self.ends
        return low <= ratio <= high if self.kind is RatioKind.INTERVAL else ratio <= low or ratio >= high


def ratio_set(
    above: float, below: float, variance_above: float, variance_below: float, covariance: float, critical: float
) -> RatioSet:
    """Every ratio r at which above - r·below lies within `critical` of its own errors of 0.

    (below² - c²v)r² - 2(above·below - c²w)r + (above² - c²u) <= 0: an interval where `below` is told from 0, else
    everything outside two ends, or everything. Source: Fieller (1954), JRSS B 16, 175-185.
    """
    c2 = critical**2
    a = below**2 - c2 * variance_below
    b = above * below - c2 * covariance
    c = above**2 - c2 * variance_above
    root = b**2 - a * c
    scale = max(below**2, c2 * variance_below)
    if abs(a) <= 1e-14 * scale:  # `below` is at the edge of being told from 0: one end is infinite
        return RatioSet(RatioKind.EVERYTHING, None)
    if a > 0:
        spread = math.sqrt(max(root, 0.0))
        return RatioSet(RatioKind.INTERVAL, ((b - spread) / a, (b + spread) / a))
    if root <= 0:
        return RatioSet(RatioKind.EVERYTHING, None)
    spread = math.sqrt(root)
    return RatioSet(RatioKind.OUTSIDE, ((b + spread) / a, (b - spread) / a))
