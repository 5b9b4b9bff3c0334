"""Several trials of one question pooled: how much they agree, what they say together, and what the next may find.

Each trial brings an estimate and its standard error on a scale that adds up: days of restricted mean time,
differences of shares or means, logarithms of ratios. Trials differ in more than chance (other councils, other
tenants), so the default lets true effects vary (random effects, REML) and widens the interval by Hartung and Knapp.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, ndtr, ndtri, stdtr, stdtrit

from nudge.uplift.estimate import Interval
from nudge.uplift.units import FloatArray

FEW_TRIALS: Final = 5
"""Below this many trials the spread between them is hardly known, and the result is flagged."""
_GRID: Final = 60
_NO_SCATTER: Final = 1e-12
"""Of what chance alone would give: what rounding leaves where trials agree to the last digit."""


class Spread(StrEnum):
    """How the variance between trials, τ², is estimated. `none` holds it at 0: one true effect (fixed effect)."""

    NONE = "none"
    DERSIMONIAN_LAIRD = "dersimonian_laird"
    REML = "reml"
    ML = "ml"
    PAULE_MANDEL = "paule_mandel"
    HEDGES = "hedges"
    SIDIK_JONKMAN = "sidik_jonkman"


class PoolFlag(StrEnum):
    """What a reader of a pooled estimate must know."""

    FEW_TRIALS = "few_trials"
    ONE_TRIAL = "one_trial"
    NO_SCATTER = "no_scatter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Trials together. Everything is on the scale of the estimates given; `tau2` is in its square.

    `q`, `q_p_value` (k - 1 degrees of freedom), `i2` (share of the spread that is not chance, in [0, 1)) and `h2` say
    how far the trials disagree. `prediction` is where the true effect of a further trial may lie. None: it does not
    exist with so few trials, or for a fixed effect.
    """

    trials: int
    spread: Spread
    estimate: float
    se: float
    ci: Interval
    df: float | None
    statistic: float
    p_value: float
    q: float
    q_p_value: float | None
    tau2: float
    tau2_ci: Interval | None
    i2: float | None
    h2: float | None
    prediction: Interval | None
    flags: tuple[PoolFlag, ...] = ()


def pool(
    estimates: FloatArray,
    variances: FloatArray,
    *,
    spread: Spread = Spread.REML,
    hartung_knapp: bool = True,
    at_least_plain: bool = False,
    prediction_df: float | None = None,
    confidence: float = 0.95,
) -> Pooled:
    """Pool k trials by inverse variance. `variances` are squared standard errors, above 0; both float64[k], k >= 1.

    `hartung_knapp` estimates the error from how the trials scatter, with t on k - 1 (Hartung & Knapp 2001; Sidik &
    Jonkman 2002); `at_least_plain` never lets that be smaller than the plain one (the ad hoc correction of Knapp &
    Hartung 2003), nor is it where the trials agree to the last digit (flagged `no_scatter`). The prediction interval
    takes t on `prediction_df` (k - 2 as in Higgins, Thompson & Spiegelhalter 2009, or k - 1); None: t on k - 1 beside
    Hartung and Knapp's error, else the normal distribution.
    Raises ValueError for other shapes, and for values that are not finite or variances that are not above 0.
    """
    y, v = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if y.ndim != 1 or y.shape != v.shape or not y.size or not (np.isfinite(y) & np.isfinite(v) & (v > 0)).all():
        msg = "as many variances above 0 as estimates, at least one"
        raise ValueError(msg)
    k = y.size
    tau2 = tau_squared(y, v, spread)
    weight = 1 / (v + tau2)
    mean = _mean(y, weight)
    se = 1 / math.sqrt(float(weight.sum()))
    df: float | None = None
    agree = False
    if hartung_knapp and spread is not Spread.NONE and k > 1:
        scatter = float((weight * (y - mean) ** 2).sum()) / (k - 1)
        agree = scatter <= _NO_SCATTER  # an error of nothing would claim to know the effect for certain
        se *= math.sqrt(max(scatter, 1.0) if at_least_plain or agree else scatter)
        df = float(k - 1)
    critical = _quantile((1 + confidence) / 2, df)
    statistic = mean / se if se > 0 else math.copysign(math.inf, mean)
    q = _q(y, v, 0.0)
    typical = _typical_variance(v)
    beyond = prediction_df if prediction_df is not None else df
    reach = _quantile((1 + confidence) / 2, beyond) if beyond is None or beyond > 0 else None
    random = spread is not Spread.NONE and k > 1
    shown = tau2 if random else max(0.0, _dersimonian_laird(y, v)) if k > 1 else 0.0
    return Pooled(
        trials=k,
        spread=spread,
        estimate=mean,
        se=se,
        ci=(mean - critical * se, mean + critical * se),
        df=df,
        statistic=statistic,
        p_value=float(2 * (ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic)))),
        q=q,
        q_p_value=float(chdtrc(k - 1, q)) if k > 1 else None,
        tau2=tau2,
        tau2_ci=q_profile(y, v, confidence) if random else None,
        i2=shown / (shown + typical) if typical is not None else None,
        h2=shown / typical + 1 if typical is not None else None,
        prediction=(mean - reach * math.hypot(se, math.sqrt(tau2)), mean + reach * math.hypot(se, math.sqrt(tau2)))
        if random and reach is not None
        else None,
        flags=(
            *((PoolFlag.ONE_TRIAL,) if k == 1 else (PoolFlag.FEW_TRIALS,) if k < FEW_TRIALS else ()),
            *((PoolFlag.NO_SCATTER,) if agree else ()),
        ),
    )


def tau_squared(estimates: FloatArray, variances: FloatArray, spread: Spread) -> float:
    """The variance between trials, never below 0; 0 with one trial.

    Sources: DerSimonian & Laird (1986); Paule & Mandel (1982), the root of Q(τ²) = k - 1; Hedges (1983); Sidik &
    Jonkman (2005) from the crude variance; ML and REML where the (restricted) likelihood is largest (Viechtbauer 2005).
    """
    if estimates.size < 2 or spread is Spread.NONE:
        return 0.0
    return max(0.0, _ESTIMATORS[spread](estimates, variances))


def q_profile(estimates: FloatArray, variances: FloatArray, confidence: float) -> Interval:
    """Limits of τ²: where the generalised Q meets the two quantiles of χ²(k - 1) (Viechtbauer 2007). Cut at 0."""
    tail, df = (1 - confidence) / 2, estimates.size - 1
    upper, lower = float(chdtri(df, tail)), float(chdtri(df, 1 - tail))
    return _q_root(estimates, variances, upper), _q_root(estimates, variances, lower)


def _mean(y: FloatArray, weight: FloatArray) -> float:
    return float((weight * y).sum() / weight.sum())


def _q(y: FloatArray, v: FloatArray, tau2: float) -> float:
    weight = 1 / (v + tau2)
    return float((weight * (y - _mean(y, weight)) ** 2).sum())


def _q_root(y: FloatArray, v: FloatArray, wanted: float) -> float:
    """The τ² at which Q, which falls as τ² grows, is as wanted; 0 where it is below that already."""
    if _q(y, v, 0.0) <= wanted:
        return 0.0
    high = float(y.var()) + float(v.max())
    while _q(y, v, high) > wanted:
        high *= 2
    return float(brentq(lambda tau2: _q(y, v, tau2) - wanted, 0.0, high, xtol=1e-15, rtol=1e-13))


def _typical_variance(v: FloatArray) -> float | None:
    """The variance that stands for all trials in I² (Higgins & Thompson 2002); None with one trial."""
    if v.size < 2:
        return None
    weight = 1 / v
    total = float(weight.sum())
    return (v.size - 1) * total / (total**2 - float((weight**2).sum()))


def _dersimonian_laird(y: FloatArray, v: FloatArray) -> float:
    weight = 1 / v
    total = float(weight.sum())
    return (_q(y, v, 0.0) - (y.size - 1)) / (total - float((weight**2).sum()) / total)


def _hedges(y: FloatArray, v: FloatArray) -> float:
    return float(y.var(ddof=1) - v.mean())


def _paule_mandel(y: FloatArray, v: FloatArray) -> float:
    return _q_root(y, v, float(y.size - 1))


def _sidik_jonkman(y: FloatArray, v: FloatArray) -> float:
    crude = float(y.var())
    if crude <= 0:
        return 0.0
    weight = crude / (v + crude)
    return float((weight * (y - _mean(y, weight)) ** 2).sum()) / (y.size - 1)


def _likeliest(y: FloatArray, v: FloatArray, *, restricted: bool) -> float:
    """The likeliest τ²: of the roots of the score between points of a fine grid, and 0, the one that is most likely.

    The likelihood can have two hills, on which scoring from one start stops at the nearer.
    """

    def score(tau2: float) -> float:  # times 2; tr P, P = W - W11'W/1'W1, where the likelihood is restricted
        weight = 1 / (v + tau2)
        total, squares = float(weight.sum()), float((weight**2).sum())
        residual = float((weight**2 * (y - _mean(y, weight)) ** 2).sum())
        return residual - (total - squares / total if restricted else total)

    def likelihood(tau2: float) -> float:  # times 2, less a constant
        weight = 1 / (v + tau2)
        whole = float(np.log(weight).sum() - (weight * (y - _mean(y, weight)) ** 2).sum())
        return whole - math.log(float(weight.sum())) if restricted else whole

    largest = float(np.ptp(y)) ** 2 + float(v.max())
    grid = [0.0, *np.geomspace(1e-6 * float(v.min()), largest, _GRID).tolist()]
    slopes = [score(tau2) for tau2 in grid]
    hills = [0.0] + [
        float(brentq(score, low, high, xtol=1e-15, rtol=1e-13))
        for (low, high), (up, down) in zip(pairwise(grid), pairwise(slopes), strict=True)
        if up > 0 >= down
    ]
    return max(hills, key=likelihood)


def _reml(y: FloatArray, v: FloatArray) -> float:
    return _likeliest(y, v, restricted=True)


def _ml(y: FloatArray, v: FloatArray) -> float:
    return _likeliest(y, v, restricted=False)


_ESTIMATORS: Final[dict[Spread, Callable[[FloatArray, FloatArray], float]]] = {
    Spread.DERSIMONIAN_LAIRD: _dersimonian_laird,
    Spread.REML: _reml,
    Spread.ML: _ml,
    Spread.PAULE_MANDEL: _paule_mandel,
    Spread.HEDGES: _hedges,
    Spread.SIDIK_JONKMAN: _sidik_jonkman,
}


def _quantile(share: float, df: float | None) -> float:
    return float(ndtri(share) if df is None else stdtrit(df, share))
