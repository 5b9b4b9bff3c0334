"""The arithmetic of size: power, sizes, events, critical values, and what a significant result is then worth.

Everything here is in the units of the estimate: fractions, days, pence, or the logarithm of a ratio. A test is
two-sided at 1 - confidence; its statistic is normal, or t where degrees of freedom are given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import nctdtr, ndtr, ndtri, stdtrit

from nudge.uplift.multiplicity import dunnett_critical

TARGET: Final = 0.8
"""The power that a plan asks for, where nothing else is said."""
_LARGE_DF: Final = 2_000  # beyond it t and the normal differ by less than a thousandth


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """What a test of one true effect brings, before it is run.

    `power`: how often it is significant, in either direction. `exaggeration`: by how much, on average, the estimate
    of a significant result is larger than the truth, whatever its sign (type M). `wrong_sign`: the share of
    significant results that point the wrong way (type S).
    """

    power: float
    exaggeration: float
    wrong_sign: float


def critical_value(confidence: float, *, df: float | None = None, correlations: Sequence[float] = ()) -> float:
    """The bound that |T| must pass. With several arms, `correlations` holds each arm's share λ = n/(n + n_reference).

    One arm: the two-sided quantile. Several: Dunnett's bound for correlations √(λ_i λ_j) (Dunnett 1955), the same
    that the verdict's interval will use.
    """
    if len(correlations) > 1:
        share = np.sqrt(np.asarray(correlations, dtype=np.float64))
        matrix = np.outer(share, share)
        np.fill_diagonal(matrix, 1.0)
        return dunnett_critical(confidence, matrix, None if df is None or df > _LARGE_DF else df)
    upper = (1 + confidence) / 2
    return float(ndtri(upper) if df is None or df > _LARGE_DF else stdtrit(df, upper))


def power(effect: float, se: float, critical: float, *, df: float | None = None) -> float:
    """P(|T| > critical) where the estimate is normal about `effect` with that standard error.

    With degrees of freedom T is noncentral t. An effect of 0 gives the test's own error.
    """
    away = abs(effect) / se
    if df is None or df > _LARGE_DF:
        return float(ndtr(away - critical) + ndtr(-away - critical))
    below, wrong = (float(nctdtr(df, away, bound)) for bound in (critical, -critical))
    # Far from the bound the series has no digits left and gives NaN: nothing lies there.
    return 1 - (0.0 if math.isnan(below) else below) + (0.0 if math.isnan(wrong) else wrong)


def chances(effect: float, se: float, critical: float) -> Chances:
    """Power, exaggeration and wrong sign of a normal estimate with a true effect that is not 0.

    Source: Gelman & Carlin (2014), Perspectives on Psychological Science 9, 641-651; the expectation in closed form
    (Lu, Qiu & Deng 2019, British Journal of Mathematical and Statistical Psychology 72, 1-17).
    """
    away = abs(effect) / se
    right, wrong = float(ndtr(away - critical)), float(ndtr(-away - critical))
    mean = away * right + _density(critical - away) - away * wrong + _density(critical + away)
    found = right + wrong
    return Chances(power=found, exaggeration=float(mean / found / away), wrong_sign=wrong / found)


def wanted(critical: float, target: float = TARGET) -> float:
    """How many standard errors the effect must be worth for the power to reach the target."""
    return critical + float(ndtri(target))


def units_each(
    effect: float, variances: tuple[float, float], critical: float, *, target: float = TARGET, ratio: float = 1.0
) -> float:
    """Units in the reference for the target power; the arm has `ratio` times as many. Not rounded.

    `variances` are of one unit's value, reference first: p(1 - p), s², or that of min(day, horizon).
    """
    reference, arm = variances
    return wanted(critical, target) ** 2 * (reference + arm / ratio) / effect**2


def units_each_pooled(
    reference: float, arm: float, *, confidence: float = 0.95, target: float = TARGET, ratio: float = 1.0
) -> float:
    """Units in the reference for two shares tested by the pooled score (Fleiss, Levin & Paik 2003, 4.14)."""
    middle = (reference + ratio * arm) / (1 + ratio)
    null = (1 + 1 / ratio) * middle * (1 - middle)
    other = reference * (1 - reference) + arm * (1 - arm) / ratio
    z = critical_value(confidence) * math.sqrt(null) + float(ndtri(target)) * math.sqrt(other)
    return z**2 / (arm - reference) ** 2


def schoenfeld_events(
    hazard_ratio: float, *, confidence: float = 0.95, target: float = TARGET, ratio: float = 1.0
) -> float:
    """Events in both arms that a log-rank test needs (Schoenfeld 1981, Biometrika 68, 316-319)."""
    z = wanted(critical_value(confidence), target)
    return z**2 * (1 + ratio) ** 2 / (ratio * math.log(hazard_ratio) ** 2)


def freedman_events(
    hazard_ratio: float, *, confidence: float = 0.95, target: float = TARGET, ratio: float = 1.0
) -> float:
    """Events in both arms that a log-rank test needs (Freedman 1982, Statistics in Medicine 1, 121-129)."""
    z = wanted(critical_value(confidence), target)
    return z**2 * (1 + ratio * hazard_ratio) ** 2 / (ratio * (1 - hazard_ratio) ** 2)


def design_effect(icc: float, sizes: Sequence[float]) -> float:
    """How many times larger the variance is because clusters are drawn whole: 1 + (Σm²/Σm - 1) ρ.

    The same as 1 + ((1 + CV²) mean - 1) ρ (Eldridge, Ashby & Kerry 2006, International Journal of Epidemiology 35,
    1292-1300). Every unit weighs the same.
    """
    m = np.asarray(sizes, dtype=np.float64)
    return 1 + (float((m**2).sum() / m.sum()) - 1) * icc


def control_share(arms: int) -> float:
    """The share of units in the control that serves comparisons with `arms` - 1 others best: √k to 1 (Dunnett 1955)."""
    others = arms - 1
    return math.sqrt(others) / (others + math.sqrt(others))


def smallest_p(clusters: Sequence[int]) -> float:
    """The smallest two-sided p of a randomisation test of two arms of so many clusters, drawn in fixed numbers.

    Blocks and strata only raise it. Where the arms are equal the mirror of an allocation is as extreme.
    """
    one, other = clusters
    ways = math.comb(one + other, one)
    return min(1.0, (2 if one == other else 1) / ways)


def smallest_paired_p(pairs: int) -> float:
    """The smallest two-sided p of a sign-flip test of so many pairs."""
    return min(1.0, 2.0 ** (1 - pairs))


def _density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
