"""Percentiles of many readings a site, such as the speed that 85 in 100 cars keep below: one figure a site.

A site's percentile is taken over all its readings of a period together. Percentiles of single days are never
averaged: a day of ten cars would weigh as much as one of a thousand, and each would be too rough to mean anything.
"""

from __future__ import annotations

import numpy as np

from nudge.uplift.units import BoolArray, FloatArray, IntArray, sum_by


def percentiles(site: IntArray, reading: FloatArray, size: int, percent: float) -> FloatArray:
    """float64[size]: each site's percentile of its readings, by linear interpolation; NaN where it has none.

    `site` int64[R], codes below `size`; 0 < percent < 100. Source: Hyndman & Fan (1996), definition 7, which is the
    default of R's `quantile`.
    """
    order = np.lexsort((reading, site))
    values = reading[order]
    number = np.bincount(site, minlength=size)
    first = np.cumsum(number) - number
    found = np.full(size, np.nan)
    have = number > 0
    place = (number[have] - 1) * (percent / 100)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, number[have] - 1)
    below, above = values[first[have] + low], values[first[have] + high]
    found[have] = below + (place - low) * (above - below)
    return found


def banded_percentiles(
    site: IntArray, lower: FloatArray, upper: FloatArray, counts: FloatArray, size: int, percent: float
) -> FloatArray:
    """The same from counts in bands [lower, upper): readings are taken to lie evenly inside a band.

    Bands of one site may come in any order and more than once (the counts of several days add up); NaN where a site
    has no reading. ValueError where a band's upper edge is not above its lower one, or bands of a site overlap.
    """
    bands, place = np.unique(np.stack([site, lower, upper], axis=1), axis=0, return_inverse=True)
    counts = sum_by(place.reshape(-1), len(bands), counts)
    site, lower, upper = bands[:, 0].astype(np.int64), bands[:, 1], bands[:, 2]
    if (upper <= lower).any() or overlapping(site, lower, upper).any():
        msg = "a band's upper edge is above its lower one, and bands do not overlap"
        raise ValueError(msg)
    bands, counts = bands[counts > 0], counts[counts > 0]
    site, lower, upper = bands[:, 0].astype(np.int64), bands[:, 1], bands[:, 2]
    total = np.bincount(site, weights=counts, minlength=size)
    end = np.cumsum(counts)
    start = end - counts
    before = np.cumsum(total) - total
    found = np.full(size, np.nan)
    wanted = (before + total * percent / 100)[total > 0]
    row = np.searchsorted(end, wanted - 1e-9 * total[total > 0])
    found[total > 0] = lower[row] + (wanted - start[row]) / counts[row] * (upper[row] - lower[row])
    return found


def overlapping(site: IntArray, lower: FloatArray, upper: FloatArray) -> BoolArray:
    """Which bands, in the order given, begin inside another band of their site that begins no later."""
    order = np.lexsort((upper, lower, site))
    s, low, high = site[order], lower[order], upper[order]
    again = (s[1:] == s[:-1]) & (low[1:] == low[:-1]) & (high[1:] == high[:-1])  # the same band of another day
    inside = (s[1:] == s[:-1]) & (low[1:] < high[:-1]) & ~again
    found = np.zeros(site.size, dtype=np.bool_)
    found[order[1:][inside]] = True
    return found
