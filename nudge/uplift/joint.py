"""Several coefficients at once: a Wald test with the CR2 variance and the degrees of freedom that few clusters leave.

Pustejovsky & Tipton (2018), Journal of Business & Economic Statistics 36, 672-683: Hotelling's T² approximated, "HTZ",
with the identity as working covariance. With one coefficient it is the squared t of `clusters.general_fit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc

from nudge.uplift.clusters import constant, dummies, independent, shares_by_cluster
from nudge.uplift.units import FloatArray, IntArray

_FLAT: Final = 1e-20  # of the variance that the residuals alone would give: what rounding leaves of none


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """The first q coefficients together. `statistic` is F on (`df`, `df_below`); None: there is no test."""

    df: int
    statistic: float | None
    df_below: float | None
    p_value: float | None


def joint_test(y: FloatArray, columns: npt.NDArray[np.float64], q: int, stratum: IntArray, cluster: IntArray) -> Joint:
    """Whether the first q of the columns (n, k) all have coefficient 0, beside the others and stratum dummies.

    Fewer than q are tested where some are linear in the columns before them; `df` says how many.
    """
    _, stratum = np.unique(stratum, return_inverse=True)
    n_s = np.bincount(stratum).astype(np.float64)
    swept = columns - np.stack([np.bincount(stratum, weights=column) / n_s for column in columns.T], axis=1)[stratum]
    y_swept = y - (np.bincount(stratum, weights=y) / n_s)[stratum]
    # The tested columns come last where columns are dropped as linear in others: what they add is what is tested.
    turned = np.concatenate([swept[:, q:], swept[:, :q]], axis=1)
    kept = independent(turned)
    others = columns.shape[1] - q
    tested = [place for place, index in enumerate(kept) if index >= others]
    nothing = Joint(df=len(tested), statistic=None, df_below=None, p_value=None)
    if not tested:
        return nothing
    basis, upper = np.linalg.qr(turned[:, kept])
    coefficients = np.linalg.solve(upper, basis.T @ y_swept)
    residual = y_swept - turned[:, kept] @ coefficients
    wanted = np.linalg.solve(upper.T, np.eye(len(kept))[:, tested])  # (k, q): the estimates are (basis @ wanted)' y
    values, vectors = np.linalg.eigh(wanted.T @ wanted)
    root = wanted @ (vectors / np.sqrt(values)) @ vectors.T  # contrasts of which the working variance is the identity
    scaled = (vectors / np.sqrt(values)) @ vectors.T @ coefficients[tested]
    whole = constant(stratum, cluster)
    sides = (1 / np.sqrt(n_s))[stratum][:, None] if whole else dummies(stratum, n_s)
    factors = np.concatenate([basis, sides], axis=1)
    parts = _Parts.of(factors, residual, cluster, np.concatenate([root, np.zeros((sides.shape[1], len(tested)))]))
    variance = parts.shares.T @ parts.shares
    floor = _FLAT * float(y @ y) / max(y.size, 1)
    if parts.shares.shape[0] <= len(tested) + 1 or float(np.linalg.eigvalsh(variance)[0]) <= floor:
        return nothing
    place = stratum[parts.first] if whole else np.zeros(parts.first.size, dtype=np.int64)
    df = _hotelling(parts, len(kept) if whole else factors.shape[1], place)
    below = None if df is None else df - len(tested) + 1
    if df is None or below is None or below <= 0:
        return nothing
    statistic = float(scaled @ np.linalg.solve(variance, scaled)) * below / (df * len(tested))
    return Joint(
        df=len(tested), statistic=statistic, df_below=below, p_value=float(fdtrc(len(tested), below, statistic))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """By cluster and contrast: `shares` (G, q), `along` (G, m, q) and the products `norms` (G, q, q)."""

    first: IntArray
    shares: FloatArray
    along: npt.NDArray[np.float64]
    norms: npt.NDArray[np.float64]

    @classmethod
    def of(
        cls, factors: npt.NDArray[np.float64], residual: FloatArray, cluster: IntArray, b: npt.NDArray[np.float64]
    ) -> _Parts:
        """What `shares_by_cluster` gives of each contrast, products of two by way of their sum."""
        q = b.shape[1]
        found = [shares_by_cluster(factors, residual, cluster, b[:, s]) for s in range(q)]
        norms = np.zeros((found[0][0].size, q, q))
        for s in range(q):
            norms[:, s, s] = found[s][3]
            for t in range(s):
                both = shares_by_cluster(factors, residual, cluster, b[:, s] + b[:, t])[3]
                norms[:, s, t] = norms[:, t, s] = (both - found[s][3] - found[t][3]) / 2
        return cls(
            first=found[0][1],
            shares=np.stack([part[2] for part in found], axis=1),
            along=np.stack([part[4] for part in found], axis=2),
            norms=norms,
        )


def _hotelling(parts: _Parts, dense: int, place: IntArray) -> float | None:
    """η = q(q + 1)/Σ Var(V_st), V the variance of contrasts whose working variance is the identity (eq. 12, HTZ).

    For clusters i and j the two vectors of a contrast have the product δ norms − along·along, so that every sum over
    pairs of clusters is a product of small matrices. Columns of `along` from `dense` on belong to the cluster's own
    stratum `place`, and meet only those of the same stratum.
    """
    q = parts.shares.shape[1]
    strata = int(place.max(initial=0)) + 1
    total = 0.0
    for s in range(q):
        for t in range(q):
            one, other = parts.along[:, :, s], parts.along[:, :, t]
            norm, own, opposite = parts.norms[:, s, t], parts.norms[:, s, s], parts.norms[:, t, t]
            near = (one * other).sum(axis=1)
            square_one, square_other = (one**2).sum(axis=1), (other**2).sum(axis=1)
            a = one[:, :dense].T @ other[:, :dense]
            traced, squared = float((a * a.T).sum()), float((a**2).sum())
            for column in range(dense, one.shape[1]):  # one column, the cluster's own stratum
                b = np.stack([_sum(place, x * other[:, column], strata) for x in one[:, :dense].T])
                c = np.stack([_sum(place, x * one[:, column], strata) for x in other[:, :dense].T])
                d = _sum(place, one[:, column] * other[:, column], strata)
                traced += 2 * float((b * c).sum()) + float((d**2).sum())
                squared += float((b**2).sum()) + float((c**2).sum()) + float((d**2).sum())
            total += float((norm**2 - 2 * norm * near).sum()) + traced
            total += float((own * opposite - own * square_other - opposite * square_one).sum()) + squared
    return q * (q + 1) / total if total > 0 else None


def _sum(place: IntArray, weights: FloatArray, size: int) -> FloatArray:
    return np.bincount(place, weights=weights, minlength=size).astype(np.float64)
