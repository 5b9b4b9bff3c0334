"""Cox's model of several columns within strata, Efron's ties: the arm beside covariates known before the draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from nudge.uplift.cox import Proportionality, RiskSets, from_here, running
from nudge.uplift.units import BoolArray, FloatArray, IntArray, sum_by

Matrix: TypeAlias = npt.NDArray[np.float64]

_ITERATIONS: Final = 40
_MOST: Final = 12.0  # a standardised coefficient beyond this has no finite maximum behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxModel:
    """Coefficients (k,), their observed information (k, k), and the columns, units and cells they were made from."""

    coefficients: FloatArray
    information: Matrix
    columns: Matrix
    inside: BoolArray
    sets: RiskSets
    efron: bool = True

    @property
    def covariance(self) -> Matrix:
        """The model's own covariance of the coefficients."""
        return np.asarray(np.linalg.inv(self.information))

    def scores(self) -> Matrix:
        """Score residuals, shape (units, k): Lin & Wei (1989), with Efron's steps."""
        steps = _Steps.of(self.coefficients, self.columns, self.inside, self.sets, efron=self.efron)
        relative, cells, d = steps.relative, self.sets.time.size, np.maximum(self.sets.events, 1)

        def summed(values: FloatArray) -> FloatArray:
            return sum_by(steps.cell, cells, values)

        place, found = self.sets.place, np.empty_like(self.columns)
        weight = 1 / steps.total
        gone, less = running(summed(weight), self.sets.stratum), summed(weight * steps.away)
        for j, column in enumerate(self.columns.T):
            mean = steps.mean[:, j]
            gone_x = running(summed(weight * mean), self.sets.stratum)
            own = column - (summed(mean) / d)[place]
            own += relative * (column * less[place] - summed(weight * mean * steps.away)[place])
            found[:, j] = self.inside * own - relative * (column * gone[place] - gone_x[place])
        return found

    def robust(self, cluster: IntArray) -> Matrix:
        """The sandwich of score residuals summed by cluster, × G/(G - 1)."""
        _, place = np.unique(cluster, return_inverse=True)
        sums = np.stack([np.bincount(place, weights=column) for column in self.scores().T], axis=1)
        bread, groups = self.covariance, len(sums)
        return np.asarray(bread @ (sums.T @ sums) @ bread * groups / max(groups - 1, 1))

    def proportional(self, column: int, g: FloatArray) -> Proportionality | None:
        """Grambsch & Therneau's score test of one column × g(time), g by cell."""
        steps = _Steps.of(self.coefficients, self.columns, self.inside, self.sets, efron=self.efron)
        weight = g[steps.cell]
        seen = (g[self.sets.place] * self.inside) @ self.columns[:, column]
        score = float(seen - weight @ steps.mean[:, column])
        across = np.einsum("s,sk->k", weight, steps.spread[:, column])
        own = float((weight**2) @ steps.spread[:, column, column])
        variance = own - float(across @ np.linalg.solve(self.information, across))
        if not variance > 1e-12 * own:
            return None
        return Proportionality(score**2 / variance, float(chdtrc(1, score**2 / variance)))


def fit_cox_model(
    columns: Matrix, time: FloatArray, event: BoolArray, stratum: IntArray, horizon: float, *, efron: bool = True
) -> CoxModel | None:
    """Newton with halved steps, columns centred and scaled meanwhile. `efron` False: Breslow's ties.

    None where no finite coefficients fit best: a column that is constant or follows from others, or events of which
    one side never meets the other.
    """
    sets = RiskSets.of(time, event, np.zeros(time.size, dtype=np.int64), stratum, horizon)
    inside = np.asarray(event & (time <= horizon))
    middle, scale = columns.mean(axis=0), columns.std(axis=0)
    if not inside.any() or not (scale > 0).all():
        return None
    scaled = (columns - middle) / scale
    value = np.zeros(scaled.shape[1])
    steps = _Steps.of(value, scaled, inside, sets, efron=efron)
    seen = scaled[inside].sum(axis=0)
    for _ in range(_ITERATIONS):
        information = steps.spread.sum(axis=0)
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, seen - steps.mean.sum(axis=0))
        size, tried = 1.0, steps
        for _ in range(20):
            tried = _Steps.of(value + size * step, scaled, inside, sets, efron=efron)
            if tried.log_likelihood >= steps.log_likelihood - 1e-9:
                break
            size /= 2
        value, steps = value + size * step, tried
        if np.abs(value).max() > _MOST:
            return None
        if np.abs(step).max() < 1e-11:
            break
    information = steps.spread.sum(axis=0) * np.outer(scale, scale)
    return CoxModel(
        coefficients=value / scale,
        information=information,
        columns=columns - middle,
        inside=inside,
        sets=sets,
        efron=efron,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """One entry per event: its cell, its share l/d away, S0, the weighted mean (k,) and spread (k, k) of the columns.

    `relative` holds each unit's own exp(x'b).
    """

    cell: IntArray
    away: FloatArray
    total: FloatArray
    mean: Matrix
    spread: Matrix
    relative: FloatArray
    log_likelihood: float

    @classmethod
    def of(cls, value: FloatArray, columns: Matrix, inside: BoolArray, sets: RiskSets, *, efron: bool) -> _Steps:
        linear = columns @ value
        relative = np.exp(linear)
        cells, k = sets.time.size, columns.shape[1]
        d = sets.events.astype(np.int64)
        cell = np.repeat(np.arange(cells), d)
        away = (np.arange(cell.size) - np.repeat(np.cumsum(d) - d, d)) / np.maximum(d, 1)[cell] * efron

        def left(weights: FloatArray) -> FloatArray:
            every = from_here(sum_by(sets.place, cells, weights)[:, None], sets.stratum)[:, 0]
            return np.asarray(every[cell] - away * sum_by(sets.place, cells, weights * inside)[cell])

        total = left(relative)
        lost = not bool((total > 0).all())  # rounding of sums far apart, on the way to no finite maximum
        total = np.maximum(total, np.finfo(np.float64).tiny) if lost else total
        mean = np.stack([left(relative * column) / total for column in columns.T], axis=1)
        spread = np.empty((cell.size, k, k))
        for i in range(k):
            for j in range(i + 1):
                spread[:, i, j] = left(relative * columns[:, i] * columns[:, j]) / total - mean[:, i] * mean[:, j]
                spread[:, j, i] = spread[:, i, j]
        return cls(
            cell=cell,
            away=away,
            total=total,
            mean=mean,
            spread=spread,
            relative=relative,
            log_likelihood=-np.inf if lost else float(linear[inside].sum() - np.log(total).sum()),
        )
