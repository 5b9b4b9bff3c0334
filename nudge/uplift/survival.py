"""Time to an event: Kaplan-Meier, restricted mean time, contact by a day, log-rank.

One kernel works on the distinct times, whatever they are; whole days are only counted faster on the way to it.
Day k lies inside a horizon of k: an event on day k counts, and adds k to the restricted mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtri

from nudge.uplift.estimate import Interval
from nudge.uplift.units import BoolArray, FloatArray, IntArray

_FEW_CELLS: Final = 100_000
_FAST_DAYS: Final = 4096  # up to here whole days are tallied by bincount instead of sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The Kaplan-Meier curve of one arm up to `horizon`, one entry per distinct time.

    `greenwood` is the running sum of d/(n(n - d)), with 0 for a time at which everybody left responded.
    """

    horizon: float
    time: FloatArray
    at_risk: FloatArray
    events: FloatArray
    censored: FloatArray
    survival: FloatArray
    greenwood: FloatArray

    @property
    def n(self) -> int:
        """Units at risk at the start."""
        return int(self.at_risk[0]) if self.at_risk.size else 0

    @property
    def total_events(self) -> int:
        """Events up to and including the horizon."""
        return int(self.events.sum())

    @property
    def complete(self) -> bool:
        """Whether nobody was censored before the horizon."""
        return not bool(self.censored[self.time < self.horizon].any())

    @property
    def area(self) -> FloatArray:
        """A(t): the area under the curve from each time to the horizon."""
        widths = np.diff(self.time, append=self.horizon)
        return np.asarray(np.cumsum((self.survival * widths)[::-1])[::-1])

    @property
    def rmst(self) -> float:
        """The restricted mean time: the area under the curve from 0 to the horizon."""
        return float(self.area[0] + self.time[0]) if self.time.size else self.horizon

    @property
    def rmst_se(self) -> float:
        """Root of the sum of A(t)² d/(n(n - d)) (Klein & Moeschberger 2003, 4.5.2)."""
        return float(np.sqrt(np.sum(self.area**2 * _hazard_terms(self))))

    def at(self, time: float) -> int:
        """The index of the last entry at or before a time; -1 before the first."""
        return int(np.searchsorted(self.time, time, side="right")) - 1

    def contact_by(self, time: float) -> float:
        """1 - S(t), events on day t included."""
        index = self.at(time)
        return 0.0 if index < 0 else float(1 - self.survival[index])

    def contact_se(self, time: float) -> float:
        """Greenwood's standard error of S(t)."""
        index = self.at(time)
        return 0.0 if index < 0 else float(self.survival[index] * np.sqrt(self.greenwood[index]))

    def contact_limits(self, time: float, confidence: float) -> Interval | None:
        """Limits for 1 - S(t) on the log(-log) scale; None where S(t) is 0 or 1 and the scale has no such point."""
        return log_log_limits(self.contact_by(time), self.contact_se(time), float(ndtri((1 + confidence) / 2)))

    def median(self, confidence: float) -> tuple[float, float, float | None] | None:
        """The first time with S(t) <= 1/2 and its Brookmeyer-Crowley log-log limits; None if it is not reached.

        The upper limit is None where the upper band stays above one half.
        """
        below = np.flatnonzero(self.survival <= 0.5 + 1e-12)
        if not below.size:
            return None
        low, high = _log_log(self.survival, self.greenwood, confidence)
        crossed_low, crossed_high = (np.flatnonzero(band <= 0.5) for band in (low, high))
        lower = float(self.time[crossed_low[0]])
        return float(self.time[below[0]]), lower, float(self.time[crossed_high[0]]) if crossed_high.size else None

    def rows(self) -> list[tuple[float, int, int, int, float, float]]:
        """(time, at risk, events, censored, survival, standard error), beginning at time 0."""
        se = self.survival * np.sqrt(self.greenwood)
        start: list[tuple[float, int, int, int, float, float]] = [(0.0, self.n, 0, 0, 1.0, 0.0)]
        return start + [
            (float(t), int(n), int(d), int(c), float(s), float(e))
            for t, n, d, c, s, e in zip(
                self.time, self.at_risk, self.events, self.censored, self.survival, se, strict=True
            )
        ]


def tally(time: FloatArray, event: BoolArray, horizon: float) -> tuple[FloatArray, IntArray, IntArray, IntArray]:
    """Distinct times up to the horizon, events and censored units at each, and each unit's index into them.

    Times beyond the horizon are cut to it, without event.
    """
    event = event & (time <= horizon)
    time = np.minimum(time, horizon)
    whole = time.astype(np.int64)
    if time.size and whole.min() >= 0 and whole.max() < _FAST_DAYS and bool((whole == time).all()):
        both = np.bincount(whole * 2 + event, minlength=2 * (int(whole.max()) + 1)).reshape(-1, 2)
        present = np.flatnonzero(both.any(axis=1))
        place = np.zeros(both.shape[0], dtype=np.int64)
        place[present] = np.arange(present.size)
        return present.astype(np.float64), both[present, 1], both[present, 0], place[whole]
    distinct, place = np.unique(time, return_inverse=True)
    events = np.bincount(place[event], minlength=distinct.size)
    return distinct, events, np.bincount(place, minlength=distinct.size) - events, place.astype(np.int64)


def curve_from_tallies(time: FloatArray, events: IntArray, censored: IntArray, horizon: float) -> Curve:
    """The curve from events and censored units at increasing distinct times, none beyond the horizon."""
    died, left = events.astype(np.float64), censored.astype(np.float64)
    at_risk = np.cumsum((died + left)[::-1])[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(at_risk > died, died / (at_risk * (at_risk - died)), 0.0)
    return Curve(
        horizon=float(horizon),
        time=time,
        at_risk=at_risk,
        events=died,
        censored=left,
        survival=np.asarray(np.cumprod(1 - died / at_risk), dtype=np.float64),
        greenwood=np.cumsum(terms),
    )


def kaplan_meier(time: FloatArray, event: BoolArray, horizon: float) -> Curve:
    """The curve of one arm from unit rows."""
    distinct, events, censored, _ = tally(time, event, horizon)
    return curve_from_tallies(distinct, events, censored, horizon)


def curve_from_days(counts: IntArray, horizon: int) -> Curve:
    """The curve from an integer table of shape (days 0..H, 2): censored, events. Days beyond the horizon are cut."""
    inside = counts[: horizon + 1].copy()
    inside[-1, 0] += counts[horizon + 1 :].sum()
    present = np.flatnonzero(inside.any(axis=1))
    return curve_from_tallies(present.astype(np.float64), inside[present, 1], inside[present, 0], horizon)


def rmst_values(time: FloatArray, event: BoolArray, horizon: float) -> FloatArray:
    """RMST + n ψ for each unit of one arm: their mean is the restricted mean, Σψ² Greenwood's variance of it.

    ψ is the influence function: the sum over t <= day of A(t) h/(n(1 - h)), less A(day)/(n(1 - h)) for an event.
    Where nobody is censored before the horizon this is min(day, horizon), and is returned exactly so.
    """
    distinct, events, censored, place = tally(time, event, horizon)
    curve = curve_from_tallies(distinct, events, censored, horizon)
    if curve.complete:
        return np.minimum(time, horizon)
    return curve.rmst + curve.n * _influence(curve, curve.area, place, event & (time <= horizon))


def contact_values(time: FloatArray, event: BoolArray, horizon: float) -> FloatArray:
    """1 - S(horizon) + n ψ for each unit of one arm; where nobody is censored early, the 0/1 outcome itself."""
    distinct, events, censored, place = tally(time, event, horizon)
    curve = curve_from_tallies(distinct, events, censored, horizon)
    inside = event & (time <= horizon)
    if curve.complete:
        return inside.astype(np.float64)
    end = np.full(curve.time.size, curve.survival[-1])
    return np.asarray((1 - curve.survival[-1]) - curve.n * _influence(curve, end, place, inside))


def _influence(curve: Curve, weight: FloatArray, place: IntArray, event: BoolArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        jump = np.where(curve.at_risk > curve.events, weight / (curve.at_risk - curve.events), 0.0)
    drift = np.cumsum(jump * curve.events / curve.at_risk)
    return np.asarray(drift[place] - event * jump[place])


def _hazard_terms(curve: Curve) -> FloatArray:
    return np.asarray(np.diff(curve.greenwood, prepend=0.0))


def log_log_limits(contact: float, se: float, critical: float) -> Interval | None:
    """Limits for a share in touch on the log(-log) scale of the share that is not; None at 0 and 1."""
    if not 0 < contact < 1:
        return None
    log_s = math.log1p(-contact)
    spread = math.exp(critical * se / ((1 - contact) * -log_s))
    return 1 - math.exp(log_s / spread), 1 - math.exp(log_s * spread)


def _log_log(survival: FloatArray, greenwood: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    z = ndtri((1 + confidence) / 2)
    inside = (survival > 0) & (survival < 1)
    log_s = np.log(np.where(inside, survival, 0.5))
    spread = np.exp(z * np.sqrt(greenwood) / -log_s)
    low = np.where(inside, np.exp(log_s * spread), survival)
    return low, np.where(inside, np.exp(log_s / spread), survival)


@dataclass(frozen=True, slots=True)
class LogRank:
    """Stratified two-arm log-rank: events seen and expected in the arm, the variance and chi-squared (1 df)."""

    observed: float
    expected: float
    variance: float

    @property
    def chi2(self) -> float | None:
        """None where the variance is 0."""
        return (self.observed - self.expected) ** 2 / self.variance if self.variance > 0 else None


def logrank(time: FloatArray, event: BoolArray, arm: IntArray, stratum: IntArray, horizon: float) -> LogRank:
    """Stratified Mantel-Haenszel log-rank of arm 1 against arm 0, from unit rows, up to the horizon."""
    distinct, _, _, place = tally(time, event, horizon)
    inside = event & (time <= horizon)
    strata, days = int(stratum.max(initial=0)) + 1, distinct.size
    if strata * days <= _FEW_CELLS + 2 * time.size:
        cell = (((arm == 1) * strata + stratum) * days + place) * 2 + inside
        return _logrank(np.bincount(cell, minlength=4 * strata * days).reshape(2, strata, days, 2))
    total = LogRank(0.0, 0.0, 0.0)
    for code in np.unique(stratum):  # many strata of many distinct times: a table of all would be nearly empty
        rows = np.flatnonzero(stratum == code)
        part = logrank(time[rows], event[rows], arm[rows], np.zeros(rows.size, dtype=np.int64), horizon)
        total = LogRank(total.observed + part.observed, total.expected + part.expected, total.variance + part.variance)
    return total


def logrank_from_days(counts: IntArray, horizon: int) -> LogRank:
    """The same from an integer table of shape (arms 2, strata, days 0..H, 2): reference first; censored, events."""
    inside = counts[:, :, : horizon + 1].copy()
    inside[:, :, -1, 0] += counts[:, :, horizon + 1 :].sum(axis=(2, 3))
    return _logrank(inside)


def _logrank(table: IntArray) -> LogRank:
    """From counts (arms 2, strata, times, censored and events), multiplied as floats.

    Four integer counts multiplied overflow 64 bits from some 200,000 units.
    """
    both = table.sum(axis=0).astype(np.float64)
    leaving_1 = table[1].sum(axis=-1).astype(np.float64)
    n, n_1 = (np.cumsum(part[:, ::-1], axis=1)[:, ::-1] for part in (both.sum(axis=-1), leaving_1))
    d = both[..., 1]
    share = n_1 / np.maximum(n, 1)
    factor = np.where(n > 1, (n - d) / np.maximum(n - 1, 1), 0.0)
    expected, variance = float((d * share).sum()), float((d * share * (1 - share) * factor).sum())
    return LogRank(float(table[1, :, :, 1].sum()), expected, variance)


def logrank_scores(time: FloatArray, event: BoolArray, arm: IntArray, stratum: IntArray, horizon: float) -> FloatArray:
    """Each unit's share of O - E, for a variance robust to clusters (Lin & Wei 1989, at no effect)."""
    scores = np.zeros(time.size)
    for code in np.unique(stratum):
        rows = np.flatnonzero(stratum == code)
        _, events, censored, place = tally(time[rows], event[rows], horizon)
        one = (arm[rows] == 1).astype(np.float64)
        n = np.cumsum((events + censored)[::-1])[::-1]
        share = np.cumsum(np.bincount(place, weights=one, minlength=n.size)[::-1])[::-1] / n
        hazard = events / n
        gone, gone_share = np.cumsum(hazard), np.cumsum(hazard * share)
        inside = event[rows] & (time[rows] <= horizon)
        scores[rows] = inside * (one - share[place]) - (one * gone[place] - gone_share[place])
    return scores
