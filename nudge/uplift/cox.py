"""Cox's hazard ratio of two arms within strata, Efron's ties, from tallies of distinct times; and its proportionality.

Only the numbers at risk and with an event matter, by stratum, time and arm, so nothing but the first count grows with
the number of units. Inside a time with d events Efron's d steps take a share l/d of those with the event away; their
sums have closed forms in reciprocals Σ 1/(x - l) and Σ 1/(x - l)².
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, digamma, polygamma

from nudge.uplift.survival import curve_from_tallies, tally
from nudge.uplift.units import BoolArray, FloatArray, IntArray

_ITERATIONS: Final = 50
_MOST_LOG: Final = 20.0  # a log ratio beyond this has no finite maximum behind it
_FEW_TIES: Final = 64  # up to here reciprocals are added one by one; differences of digamma lose digits on few
_FEW_CELLS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSets:
    """Units at risk and events by cell, a cell being a stratum and a distinct time; ordered by stratum, then time.

    `at_risk` and `events` count both arms, `arm_at_risk` and `arm_events` arm 1. `place`: each unit's cell, empty
    where only counts are known.
    """

    time: FloatArray
    stratum: IntArray
    at_risk: FloatArray
    events: FloatArray
    arm_at_risk: FloatArray
    arm_events: FloatArray
    place: IntArray

    @classmethod
    def of(cls, time: FloatArray, event: BoolArray, arm: IntArray, stratum: IntArray, horizon: float) -> RiskSets:
        """From unit rows up to the horizon; `arm` 1 against 0."""
        distinct, _, _, position = tally(time, event, horizon)
        key = stratum * distinct.size + position
        cells = (int(stratum.max(initial=0)) + 1) * distinct.size
        if cells <= _FEW_CELLS + 2 * time.size:
            used, place = np.arange(cells), key
        else:  # many strata of many distinct times: a table of all would be nearly empty
            used, place = np.unique(key, return_inverse=True)
        inside = event & (time <= horizon)
        both = np.bincount((place * 2 + (arm == 1)) * 2 + inside, minlength=4 * used.size).reshape(-1, 2, 2)
        return cls._counted(both, distinct[used % max(distinct.size, 1)], used // max(distinct.size, 1), place)

    @classmethod
    def of_days(cls, counts: IntArray, horizon: int) -> RiskSets:
        """From an integer table of shape (arms 2, strata, days 0..H, 2): reference first; censored, events."""
        inside = counts[:, :, : horizon + 1].copy()
        inside[:, :, -1, 0] += counts[:, :, horizon + 1 :].sum(axis=(2, 3))
        strata, days = inside.shape[1:3]
        both = inside.transpose(1, 2, 0, 3).reshape(-1, 2, 2)
        return cls._counted(
            both,
            np.tile(np.arange(days, dtype=np.float64), strata),
            np.repeat(np.arange(strata), days),
            np.zeros(0, dtype=np.int64),
        )

    @classmethod
    def _counted(cls, both: IntArray, time: FloatArray, stratum: IntArray, place: IntArray) -> RiskSets:
        leaving = both.sum(axis=2).astype(np.float64)
        at_risk = from_here(leaving, stratum)
        return cls(
            time=time,
            stratum=stratum,
            at_risk=at_risk.sum(axis=1),
            events=both[:, :, 1].sum(axis=1).astype(np.float64),
            arm_at_risk=at_risk[:, 1],
            arm_events=both[:, 1, 1].astype(np.float64),
            place=place,
        )


@dataclass(frozen=True, slots=True)
class _Steps:
    """Sums over Efron's steps l of a cell: Σ p, Σ p(1 - p), and Σ w, Σ wp, Σ (l/d)w, Σ (l/d)wp with w = 1/S0."""

    share: FloatArray
    spread: FloatArray
    hazard: FloatArray
    hazard_share: FloatArray
    less: FloatArray
    less_share: FloatArray


@dataclass(frozen=True, slots=True)
class CoxFit:
    """The log hazard ratio of arm 1 and what its tests need. `information` is the observed one, at the maximum."""

    log_ratio: float
    information: float
    sets: RiskSets

    @property
    def se(self) -> float:
        """The model's own standard error of the log ratio."""
        return float(1 / np.sqrt(self.information))

    def scores(self, arm: IntArray, inside: BoolArray, weight: FloatArray | None = None) -> FloatArray:
        """Each unit's score residual, whose sum is 0; `weight` (by cell) makes that of arm × g(time).

        `inside`: whether the unit had the event by the horizon. Source: Lin & Wei (1989), JASA 84, 1074-1078, with
        Efron's steps (Therneau & Grambsch 2000, 7.2). ValueError where only counts are known.
        """
        sets = self.sets
        if sets.place.size != arm.size:
            msg = "score residuals need the unit rows that the risk sets were made from"
            raise ValueError(msg)
        steps = _steps(self.log_ratio, sets)
        weight = np.ones(sets.time.size) if weight is None else weight
        found = np.empty(arm.size)
        for z in (0, 1):
            relative = np.exp(self.log_ratio * z)
            gone = running(-relative * (z * steps.hazard - steps.hazard_share) * weight, sets.stratum)
            own = (z * sets.events - steps.share) / np.maximum(sets.events, 1)
            own = (own + relative * (z * steps.less - steps.less_share)) * weight
            rows = np.flatnonzero(arm == z)
            here = sets.place[rows]
            found[rows] = gone[here] + inside[rows] * own[here]
        return found


def fit_cox(sets: RiskSets) -> CoxFit | None:
    """Newton from the log-rank's own step. None where no finite ratio fits best, or no risk set holds both arms."""
    mixed = (sets.events > 0) & (sets.arm_at_risk > 0) & (sets.arm_at_risk < sets.at_risk)
    informative = RiskSets(
        time=sets.time[mixed],
        stratum=sets.stratum[mixed],
        at_risk=sets.at_risk[mixed],
        events=sets.events[mixed],
        arm_at_risk=sets.arm_at_risk[mixed],
        arm_events=sets.arm_events[mixed],
        place=np.zeros(0, dtype=np.int64),
    )
    value, information = 0.0, 0.0
    for _ in range(_ITERATIONS):
        steps = _steps(value, informative)
        information = float(steps.spread.sum())
        if not information > 0:
            return None
        step = float((informative.arm_events - steps.share).sum()) / information
        value += float(np.clip(step, -1.0, 1.0))
        if abs(value) > _MOST_LOG:
            return None
        if abs(step) < 1e-13 * max(1.0, abs(value)) or abs(step) < 1e-12:
            break
    information = float(_steps(value, informative).spread.sum())
    return CoxFit(value, information, sets) if information > 0 else None


@dataclass(frozen=True, slots=True)
class Proportionality:
    """The test that the ratio does not drift with g(time): chi-squared on 1 df. None where g never varies."""

    chi2: float
    p_value: float


def km_times(sets: RiskSets) -> FloatArray:
    """g(t) = 1 - S(t-), S the curve of everybody: the transform that spreads events evenly."""
    distinct, at = np.unique(sets.time, return_inverse=True)
    at_risk = np.bincount(at, weights=sets.at_risk, minlength=distinct.size)
    events = np.bincount(at, weights=sets.events, minlength=distinct.size)
    leaving = at_risk - np.append(at_risk[1:], 0.0)
    if not distinct.size:
        return np.zeros(0)
    curve = curve_from_tallies(
        distinct, events.astype(np.int64), (leaving - events).astype(np.int64), float(distinct[-1])
    )
    return np.asarray(1 - np.append(1.0, curve.survival[:-1])[at])


def proportional(fit: CoxFit, g: FloatArray) -> Proportionality | None:
    """Score test of arm × g(time) beside the arm; `g` by cell.

    Source: Grambsch & Therneau (1994), Biometrika 81, 515-526, in the exact form of R's survival since 3.0.
    """
    sets = fit.sets
    steps = _steps(fit.log_ratio, sets)
    away = g - float((steps.spread * g).sum()) / fit.information
    score = float((away * (sets.arm_events - steps.share)).sum())
    return _tested(score, float((steps.spread * away**2).sum()), float((steps.spread * g**2).sum()))


def proportional_by_cluster(
    fit: CoxFit, g: FloatArray, arm: IntArray, inside: BoolArray, cluster: IntArray
) -> Proportionality | None:
    """The same with the score's variance from sums by cluster × G/(G - 1), where units of a cluster go together."""
    steps = _steps(fit.log_ratio, fit.sets)
    away = g - float((steps.spread * g).sum()) / fit.information
    score = float((away * (fit.sets.arm_events - steps.share)).sum())
    return _tested(score, cluster_variance(fit.scores(arm, inside, away), cluster), float((steps.spread * g**2).sum()))


def cluster_variance(scores: FloatArray, cluster: IntArray) -> float:
    """Σ of squared sums by cluster × G/(G - 1); 0 for one cluster."""
    _, place = np.unique(cluster, return_inverse=True)
    sums = np.bincount(place, weights=scores)
    return float((sums**2).sum()) * sums.size / (sums.size - 1) if sums.size > 1 else 0.0


def _tested(score: float, variance: float, scale: float) -> Proportionality | None:
    if not variance > 1e-12 * scale:
        return None
    chi2 = score**2 / variance
    return Proportionality(chi2, float(chdtrc(1, chi2)))


def _steps(log_ratio: float, sets: RiskSets) -> _Steps:
    """Sums over each cell's d steps; S0 at step l is C - lD, C from those at risk, D the mean of those with an event.

    p = (A - lB)/(C - lD) = r + k/(x - l) with r = B/D, x = C/D, k = (A - rC)/D.
    """
    ratio = np.exp(log_ratio)
    d = np.maximum(sets.events, 1)
    has = sets.events > 0
    a, b = ratio * sets.arm_at_risk, ratio * sets.arm_events / d
    c = sets.at_risk - sets.arm_at_risk + a
    down = np.where(has, (sets.events - sets.arm_events) / d + b, 1.0)
    x = np.where(has, c / down, 1.0)
    one, two = _reciprocals(x, np.where(has, sets.events, 0.0))
    r = b / down
    k = (a - r * c) / down
    share = d * r * has + k * one
    squares = d * r**2 * has + 2 * r * k * one + k**2 * two
    later = (x * one - sets.events) / d  # Σ (l/d)/(x - l)
    later_two = (x * two - one) / d
    mixed = has & (sets.arm_at_risk > 0) & (sets.arm_at_risk < sets.at_risk)
    return _Steps(
        share=share,
        spread=np.where(mixed, np.maximum(share - squares, 0.0), 0.0),
        hazard=one / down,
        hazard_share=(r * one + k * two) / down,
        less=later / down,
        less_share=(r * later + k * later_two) / down,
    )


def _reciprocals(x: FloatArray, d: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Σ 1/(x - l) and Σ 1/(x - l)² over l = 0..d-1, by cell."""
    one, two = np.zeros(x.size), np.zeros(x.size)
    few = np.flatnonzero((d > 0) & (d <= _FEW_TIES))
    if few.size:
        times = d[few].astype(np.int64)
        start = np.cumsum(times) - times
        left = 1 / (np.repeat(x[few], times) - (np.arange(int(times.sum())) - np.repeat(start, times)))
        one[few], two[few] = np.add.reduceat(left, start), np.add.reduceat(left**2, start)
    many = np.flatnonzero(d > _FEW_TIES)
    low, high = x[many] - d[many] + 1, x[many] + 1
    one[many] = digamma(high) - digamma(low)
    two[many] = polygamma(1, low) - polygamma(1, high)
    return one, two


def from_here(values: npt.NDArray[np.float64], stratum: IntArray) -> npt.NDArray[np.float64]:
    """Sums of the rows from each cell to the last of its stratum, shape (cells, k)."""
    total = np.cumsum(values[::-1], axis=0)[::-1]
    after = np.searchsorted(stratum, stratum, side="right")  # where the next stratum begins
    return np.asarray(total - np.append(total, np.zeros((1, values.shape[1])), axis=0)[after])


def running(values: FloatArray, stratum: IntArray) -> FloatArray:
    """Running sums that begin anew in each stratum."""
    if not values.size:
        return values
    total = np.cumsum(values)
    first = np.searchsorted(stratum, stratum, side="left")
    return np.asarray(total - np.append(0.0, total)[first])
