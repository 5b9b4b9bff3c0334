"""Counts by regression on any columns: Poisson, and negative binomial with a spread of its own (NB2), both log link."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln, polygamma

from nudge.uplift.units import FloatArray, IntArray

Matrix: TypeAlias = npt.NDArray[np.float64]

_ITERATIONS: Final = 100
_NO_SPREAD: Final = 1e8  # a dispersion parameter beyond this is a Poisson's
_SATURATED: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class CountModel:
    """Coefficients (k,), the inverse of their expected information, fitted counts, and the NB2 parameter theta.

    The variance of a count is μ + μ²/theta; theta is infinite for a Poisson.
    """

    columns: Matrix
    coefficients: FloatArray
    covariance: Matrix
    count: FloatArray
    mean: FloatArray
    theta: float

    @property
    def log_likelihood(self) -> float:
        """With all constants."""
        y, mean, theta = self.count, self.mean, self.theta
        if not math.isfinite(theta):
            return float((y * np.log(mean) - mean - gammaln(y + 1)).sum())
        return _nb_log_likelihood(y, mean, theta)

    def robust(self, cluster: IntArray) -> Matrix:
        """The sandwich of scores summed by cluster, each residual over 1 less its leverage (Mancl & DeRouen 2001).

        Where each unit is its own cluster this is R's HC3.
        """
        weight = self.mean / (1 + self.mean / self.theta)
        leverage = np.einsum("ij,jk,ik->i", self.columns, self.covariance, self.columns) * weight
        left = np.maximum(1 - leverage, _SATURATED)
        scores = self.columns * ((self.count - self.mean) / (1 + self.mean / self.theta) / left)[:, None]
        _, place = np.unique(cluster, return_inverse=True)
        sums = np.stack([np.bincount(place, weights=column) for column in scores.T], axis=1)
        return np.asarray(self.covariance @ (sums.T @ sums) @ self.covariance)


def fit_counts(columns: Matrix, count: FloatArray, exposure: FloatArray, *, spread: bool = False) -> CountModel | None:
    """Maximum likelihood with offset log(exposure); `spread` estimates theta too. The columns hold their own constant.

    None where no finite maximum is found: columns that follow from others, or counts that are all 0.
    """
    if not count.sum() > 0 or np.linalg.matrix_rank(columns) < columns.shape[1]:
        return None
    offset = np.log(exposure)
    start = np.log((count + 0.5) / exposure)
    value = np.asarray(np.linalg.lstsq(columns, start, rcond=None)[0], dtype=np.float64)
    theta = math.inf
    fitted = _fitted(columns, count, offset, value, theta)
    if fitted is None:
        return None
    if spread:
        value = fitted
        mean = np.exp(columns @ value + offset)
        excess = float(((count - mean) ** 2 - mean).sum())
        theta = float((mean**2).sum() / excess) if excess > 0 else _NO_SPREAD
        for _ in range(_ITERATIONS):
            new = _theta(count, mean, theta)
            fitted = _fitted(columns, count, offset, value, new)
            if fitted is None:
                return None
            done = abs(math.log(new / theta)) < 1e-11 or new >= _NO_SPREAD
            value, theta = fitted, new
            mean = np.exp(columns @ value + offset)
            if done:
                break
        theta = math.inf if theta >= _NO_SPREAD else theta
    mean = np.exp(columns @ fitted + offset)
    weight = mean / (1 + mean / theta)
    return CountModel(
        columns=columns,
        coefficients=fitted,
        covariance=np.asarray(np.linalg.inv((columns.T * weight) @ columns), dtype=np.float64),
        count=count,
        mean=mean,
        theta=theta,
    )


def _fitted(
    columns: Matrix, count: FloatArray, offset: FloatArray, value: FloatArray, theta: float
) -> FloatArray | None:
    """Fisher scoring with theta held."""
    for _ in range(_ITERATIONS):
        linear = columns @ value + offset
        if np.abs(linear).max() > 200:
            return None
        mean = np.exp(linear)
        below = 1 + mean / theta
        information = (columns.T * (mean / below)) @ columns
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e13:
            return None
        step = np.linalg.solve(information, columns.T @ ((count - mean) / below))
        value = value + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-12:
            break
    return value if np.abs(value).max() < 50 else None


def _theta(count: FloatArray, mean: FloatArray, theta: float) -> float:
    """Newton on log(theta) with fitted counts held, steps of a factor e at most."""
    for _ in range(_ITERATIONS):
        both = theta + mean
        slope = float(
            (digamma(theta + count) - digamma(theta) + np.log(theta / both) + 1 - (count + theta) / both).sum()
        )
        bend = float(
            (polygamma(1, theta + count) - polygamma(1, theta) + 1 / theta - 2 / both + (count + theta) / both**2).sum()
        )
        first, second = theta * slope, theta**2 * bend + theta * slope
        step = first / -second if second < 0 else math.copysign(1.0, first)
        theta *= math.exp(min(max(step, -1.0), 1.0))
        if theta >= _NO_SPREAD or abs(step) < 1e-12:
            break
    return min(theta, _NO_SPREAD)


def _nb_log_likelihood(y: FloatArray, mean: FloatArray, theta: float) -> float:
    return float(
        (
            gammaln(theta + y)
            - gammaln(theta)
            - gammaln(y + 1)
            + theta * np.log(theta / (theta + mean))
            + y * np.log(mean / (theta + mean))
        ).sum()
    )
