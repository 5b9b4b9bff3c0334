"""Several arms against one reference, or several outcomes: Holm, and Dunnett with the estimated correlation.

Dunnett's probabilities are integrals over a rectangle of the multivariate normal or t, by Genz's transformation on a
fixed lattice: the same bytes every time, no random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr, ndtri, stdtrit

from nudge.uplift.units import FloatArray

_POINTS: Final = 32_749  # a prime number of lattice points: errors near 5e-6 for up to seven arms
_TAIL: Final = 1e-4
_PRIMES: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's (1979) step-down adjusted p-values, in the order given."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = running
    return tuple(adjusted)


def correlation(influences: Sequence[FloatArray]) -> FloatArray:
    """Correlations of estimates from their influence values over the same clusters; 0 with one that has none."""
    rows = np.stack(influences)
    covariance = rows @ rows.T
    scale = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(np.outer(scale, scale) > 0, covariance / np.outer(scale, scale), 0.0)
    np.fill_diagonal(found, 1.0)
    return np.clip(found, -1.0, 1.0)


def all_within(bound: float, correlations: FloatArray, df: float | None) -> float:
    """P(every |T_j| <= bound), T multivariate t on `df` degrees of freedom, normal where df is None.

    Source: Genz & Bretz (2009), Computation of Multivariate Normal and t Probabilities, algorithms 4.1 and 4.2.
    """
    return _rectangle(correlations, df)(bound)


def _rectangle(correlations: FloatArray, df: float | None) -> Callable[[float], float]:
    k = correlations.shape[0]
    lower = _cholesky(correlations)
    uniform = [_lattice(prime) for prime in _PRIMES[:k]]
    scale = np.ones(_POINTS) if df is None else _t_scale(df, _PRIMES[k - 1])

    def inside(bound: float) -> float:
        drawn = np.zeros((k, _POINTS))
        chance = np.ones(_POINTS)
        for row in range(k):
            centre = lower[row, :row] @ drawn[:row] if row else np.zeros(_POINTS)
            width = lower[row, row]
            if width < 1e-9:  # a linear combination of those before it
                chance = chance * (np.abs(centre) <= bound * scale + 1e-9)
                continue
            low, high = ndtr((-bound * scale - centre) / width), ndtr((bound * scale - centre) / width)
            chance = chance * (high - low)
            if row < k - 1:
                drawn[row] = ndtri(np.clip(low + uniform[row] * (high - low), 1e-300, 1 - 1e-16))
        return float(chance.mean())

    return inside


@lru_cache(maxsize=len(_PRIMES))
def _lattice(prime: int) -> FloatArray:
    """One coordinate of the lattice's points, folded; not to be written to."""
    return np.asarray(np.abs(2 * ((np.arange(1, _POINTS + 1) * np.sqrt(prime)) % 1.0) - 1))


@lru_cache(maxsize=16)
def _t_scale(df: float, prime: int) -> FloatArray:
    """√(χ²/df) at each point: what a bound on t becomes on the normal; not to be written to."""
    return np.asarray(np.sqrt(2 * gammaincinv(df / 2, _lattice(prime)) / df))


def dunnett_p(statistic: float, p_value: float, correlations: FloatArray, df: float | None) -> float:
    """The adjusted two-sided p of one of several comparisons: P(any |T_j| >= |statistic|).

    `p_value` is its own p. Far in the tail, where the integral has no digits left, the comparisons hardly overlap
    and their number times the p is the bound used.
    """
    beyond = 1.0 - all_within(abs(statistic), correlations, df)
    bound = float(min(1.0, correlations.shape[0] * p_value))
    return bound if bound < _TAIL else min(max(beyond, p_value), bound)


def dunnett_critical(confidence: float, correlations: FloatArray, df: float | None) -> float:
    """The bound within which all comparisons lie with the given probability, by root finding."""
    inside = _rectangle(correlations, df)
    # One comparison alone needs no more, and Bonferroni no less; both a little wider, for the lattice's own error.
    one, each = ((1 + confidence) / 2, 1 - (1 - confidence) / (2 * correlations.shape[0]))
    low, high = (float(ndtri(share) if df is None else stdtrit(df, share)) for share in (one, each))
    low, high = 0.999 * low, 1.001 * high
    while inside(low) > confidence and low > 1e-9:
        low /= 2
    while inside(high) < confidence and high < 1e6:
        high *= 2
    return float(brentq(lambda bound: inside(bound) - confidence, low, high, xtol=1e-9))


def _cholesky(correlations: FloatArray) -> FloatArray:
    """A lower root of a correlation matrix that may be singular."""
    k = correlations.shape[0]
    lower = np.zeros((k, k))
    for row in range(k):
        for column in range(row + 1):
            rest = correlations[row, column] - lower[row, :column] @ lower[column, :column]
            if row == column:
                lower[row, row] = np.sqrt(max(rest, 0.0))
            elif lower[column, column] > 1e-9:
                lower[row, column] = rest / lower[column, column]
    return lower
