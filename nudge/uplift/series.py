"""A series of figures with a change at a known date: segmented regression, errors that go on from period to period.

Wagner et al. (2002) for the regression; Newey & West (1987) for the variance, Bartlett's kernel, no prewhitening and
no correction for small samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from nudge.uplift.units import BoolArray, FloatArray

MONTHS: Final = 12
_NOISE: Final = 1e-12  # of the largest |y|: residuals below this are what rounding left of none


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One coefficient with its Newey-West error. None: the quantity does not exist."""

    estimate: float | None
    se: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What changed at the date: the level, and by how much each further period adds to it (None: not asked for).

    `df` is periods less coefficients; `fitted` is False where there are too few periods to tell the terms apart.
    """

    level: Term
    slope: Term | None
    df: int
    lag: int
    fitted: bool


def usual_lag(periods: int, *, monthly: bool) -> int:
    """12 for months; else 4 (n/100)^(2/9), cut to a whole number (Newey & West 1994)."""
    return MONTHS if monthly else int(4 * (periods / 100) ** (2 / 9))


def segmented(y: FloatArray, after: BoolArray, *, slope: bool, monthly: bool, lag: int | None = None) -> Segments:
    """y, in the order of time and evenly spaced, on time, the change and (`monthly`) a dummy for each month.

    `after` is True from the change on. With `slope` the periods since the last one before the change are a term of
    their own, so that the change of level is what the two lines leave between them there. `lag`: periods over which
    errors may go together.
    """
    n = y.size
    lag = usual_lag(n, monthly=monthly) if lag is None else lag
    time = np.arange(n, dtype=np.float64)
    shift = after.astype(np.float64)
    columns = [shift]
    if slope:
        columns.append(shift * (time - float((~after).sum()) + 1))
    columns += [np.ones(n), time]
    if monthly:
        columns += [(time % MONTHS == month).astype(np.float64) for month in range(1, MONTHS)]
    x = np.stack(columns, axis=1)
    df = n - x.shape[1]
    none = Term(estimate=None, se=None)
    if df < 1 or np.linalg.matrix_rank(x) < x.shape[1]:
        return Segments(level=none, slope=none if slope else None, df=max(df, 0), lag=lag, fitted=False)
    basis, upper = np.linalg.qr(x)
    beta = np.linalg.solve(upper, basis.T @ y)
    residual = y - x @ beta
    exact = bool(np.abs(residual).max() <= _NOISE * max(float(np.abs(y).max()), 1.0))
    inverse = np.linalg.inv(upper)
    errors = np.sqrt(np.maximum(np.diag(inverse @ newey_west(basis * residual[:, None], lag) @ inverse.T), 0.0))
    terms = [
        Term(estimate=float(value), se=None if exact or not error > 0 else float(error))
        for value, error in zip(beta[:2], errors[:2], strict=True)
    ]
    return Segments(level=terms[0], slope=terms[1] if slope else None, df=df, lag=lag, fitted=True)


def newey_west(scores: FloatArray, lag: int) -> FloatArray:
    """The long-run sum of squares of scores (n, k) in order of time: Σ_l w_l Σ_t (s_t s_{t-l}' + its transpose)."""
    found: FloatArray = scores.T @ scores
    for back in range(1, min(lag, len(scores) - 1) + 1):
        product = scores[back:].T @ scores[:-back]
        found = found + (1 - back / (lag + 1)) * (product + product.T)
    return found
