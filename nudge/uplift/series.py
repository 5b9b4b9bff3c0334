"""One series before and after a change: a step, a change of slope, a trend and a season, errors that remember.

Segmented regression by least squares (Wagner et al. 2002) with the variance of Newey & West (1987), Bartlett weights
1 - l/(L + 1), no prewhitening and no small-sample factor. Not a randomised comparison: whatever else changed when the
letter did is in the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from nudge.uplift.clusters import independent
from nudge.uplift.estimate import Interval
from nudge.uplift.units import BoolArray, FloatArray

FEWEST_SIDE: Final = 8  # periods that each side needs for a trend to be told from a step (Wagner et al. 2002 ask 12)
_NOISE: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One coefficient, in the series' own unit (a slope: per period); None: it does not exist."""

    estimate: float | None
    se: float | None
    se_independent: float | None  # as if no period remembered the one before: ordinary least squares
    df: int
    p_value: float | None
    ci: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """A series fitted: `level` is the step at the change; `slope` the change of trend, None where none was fitted."""

    level: Change
    slope: Change | None
    periods: int
    periods_after: int
    lag: int


def segmented(
    y: FloatArray, after: BoolArray, *, season: int | None, lag: int, slope: bool, confidence: float
) -> Segmented:
    """The step in `y`, one value a period in order of time, from the first period that is `after`.

    `season`: periods in a year, each with a term of its own; None for no season. `lag`: how many periods a deviation
    may be remembered. `slope`: fit a change of trend too, counted 1, 2, … from the first period after, so that the
    step is that at the moment of the change. Raises ValueError where a period before follows one after, a value is
    not finite, or `lag` or `season` does not fit the length.
    """
    n = y.size
    if after.size != n or (np.diff(after.astype(np.int64)) < 0).any():
        msg = "every period after the change must follow every period before it"
        raise ValueError(msg)
    if not np.isfinite(y).all() or not 0 <= lag < n or (season is not None and not 1 <= season <= n):
        msg = "the series must be finite and longer than its lag and its season"
        raise ValueError(msg)
    time = np.arange(n, dtype=np.float64)
    step = after.astype(np.float64)
    columns = [step]
    if slope:
        columns.append(np.cumsum(step))
    columns += [np.ones(n), time - time.mean()]
    if season is not None:
        columns += [(time % season == month).astype(np.float64) for month in range(1, season)]
    x = np.stack(columns, axis=1)
    wanted = 2 if slope else 1
    # The step and the slope come last in the search, so that they are dropped where the rest already explains them.
    order = [*range(wanted, x.shape[1]), *range(wanted)]
    kept = [order[index] for index in independent(x[:, order])]
    df = n - len(kept)
    found = [_nothing(df)] * wanted
    if df > 0:
        estimates, errors, independently = _fitted(y, x[:, kept], lag)
        for index in range(wanted):
            if index in kept:
                at = kept.index(index)
                found[index] = _change(estimates[at], errors[at], independently[at], df, confidence, y)
    return Segmented(
        level=found[0], slope=found[1] if slope else None, periods=n, periods_after=int(after.sum()), lag=lag
    )


def _fitted(y: FloatArray, x: npt.NDArray[np.float64], lag: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Coefficients, their standard errors by Newey and West, and by ordinary least squares."""
    basis, upper = np.linalg.qr(x)
    inverse = np.linalg.solve(upper, np.eye(x.shape[1]))
    residual = y - basis @ (basis.T @ y)
    scores = basis * residual[:, None]
    middle = scores.T @ scores
    for back in range(1, lag + 1):
        together = scores[back:].T @ scores[:-back]
        middle += (1 - back / (lag + 1)) * (together + together.T)
    variance = np.diag(inverse @ middle @ inverse.T)
    spread = float(residual @ residual) / (y.size - x.shape[1])
    ordinary = (inverse**2).sum(axis=1) * spread
    return inverse @ (basis.T @ y), np.sqrt(np.maximum(variance, 0.0)), np.sqrt(ordinary)


def _change(estimate: float, se: float, se_independent: float, df: int, confidence: float, y: FloatArray) -> Change:
    if se <= _NOISE * float(np.abs(y).max(initial=0.0)):  # what rounding left of a series without deviations
        return Change(estimate=float(estimate), se=None, se_independent=None, df=df, p_value=None, ci=None)
    reach = float(stdtrit(df, (1 + confidence) / 2)) * float(se)
    return Change(
        estimate=float(estimate),
        se=float(se),
        se_independent=float(se_independent),
        df=df,
        p_value=float(2 * stdtr(df, -abs(estimate / se))),
        ci=(float(estimate - reach), float(estimate + reach)),
    )


def _nothing(df: int) -> Change:
    return Change(estimate=None, se=None, se_independent=None, df=max(df, 0), p_value=None, ci=None)
