"""Arm and stratum dummies by least squares, with the CR2 variance and its degrees of freedom; HC2 is a unit a cluster.

Bell & McCaffrey (2002); Pustejovsky & Tipton (2018), with the identity as working covariance. Two ways that a test
holds equal to the dense matrices: sums by cluster where arm and stratum are constant within clusters (no matrices at
all), and otherwise symmetric roots of size k per cluster, k the columns that vary within a stratum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from nudge.uplift.units import BoolArray, FloatArray, IntArray, apart, sum_by

_SATURATED: Final = 1e-9  # a cluster that the fit follows exactly has no residual to adjust
_NOISE: Final = 1e-12  # of the largest |y|: a spread below this is what rounding left of none
_CHUNK: Final = 4_000_000  # doubles held at once while Gram matrices are summed


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The arm's coefficient, its standard error and Satterthwaite degrees of freedom.

    `influence` holds each cluster's adjusted share of the estimate, by cluster code: its squares sum to `se`²,
    and products with another comparison's sum to their covariance. None: the quantity does not exist.
    """

    estimate: float | None
    se: float | None
    df: float | None
    influence: FloatArray
    strata_dropped: int = 0
    one_cluster: bool = False


def compared(arm: IntArray, stratum: IntArray) -> tuple[BoolArray, int]:
    """The rows in strata that hold both arms (arm 1 and arm 0), and how many strata do not."""
    size = int(stratum.max(initial=-1)) + 1
    held = np.bincount(stratum * 2 + (arm == 1), minlength=2 * size).reshape(size, 2) > 0
    both = held[:, 0] & held[:, 1]
    rows = np.ones(stratum.size, dtype=np.bool_) if both.all() else both[stratum]
    return rows, int((held[:, 0] ^ held[:, 1]).sum())


def arm_effect(y: FloatArray, arm: IntArray, stratum: IntArray, cluster: IntArray) -> Fit:
    """Arm 1 less arm 0 from y on an arm dummy and stratum dummies, clusters whole or not.

    `cluster` holds codes from 0. Strata without both arms have no weight.
    """
    rows, dropped = compared(arm, stratum)
    size = int(cluster.max(initial=-1)) + 1
    if not rows.any():
        return Fit(estimate=None, se=None, df=None, influence=np.zeros(size), strata_dropped=dropped)
    if not rows.all():
        y, arm, stratum, cluster = y[rows], arm[rows], stratum[rows], cluster[rows]
    if apart(cluster):
        fit = _beyond_rounding(_from_units(y, arm, stratum, dropped), y)
        influence = np.zeros(size)
        influence[cluster] = fit.influence
        return replace(fit, influence=influence)
    if not (constant(arm, cluster) and constant(stratum, cluster)):
        return general_fit(y, arm.astype(np.float64)[:, None], stratum, cluster, size=size, dropped=dropped)
    n, total = sum_by(cluster, size), sum_by(cluster, size, y)
    z, of = np.zeros(size), np.zeros(size, dtype=np.int64)
    z[cluster], of[cluster] = arm, stratum
    present = np.flatnonzero(n)
    fit = _beyond_rounding(_from_sums(n[present], total[present], z[present], of[present], dropped), y)
    influence = np.zeros(size)
    influence[present] = fit.influence
    return replace(fit, influence=influence)


def _beyond_rounding(fit: Fit, y: FloatArray) -> Fit:
    """The fit, without a standard error where that is only what rounding left of none."""
    if fit.se is None or fit.se > _NOISE * float(np.abs(y).max(initial=0.0)):
        return fit
    return replace(fit, se=None, df=None)


def constant(values: IntArray, cluster: IntArray) -> bool:
    """Whether a value is the same throughout each cluster."""
    first = np.zeros(int(cluster.max(initial=-1)) + 1, dtype=values.dtype)
    first[cluster] = values
    return bool((first[cluster] == values).all())


def welch_df(y: FloatArray, arm: IntArray) -> float | None:
    """Welch's degrees of freedom: Satterthwaite with each arm's own variance (HC2 of two arms is Welch's variance)."""
    one, other = y[arm == 1], y[arm == 0]
    if min(one.size, other.size) < 2:
        return None
    v_1, v_0 = one.var(ddof=1) / one.size, other.var(ddof=1) / other.size
    below = v_1**2 / (one.size - 1) + v_0**2 / (other.size - 1)
    return float((v_1 + v_0) ** 2 / below) if below > 0 else None


def _from_sums(n: FloatArray, total: FloatArray, z: FloatArray, stratum: IntArray, dropped: int) -> Fit:
    """Cluster sizes, sums of y, arms and strata, every stratum holding both arms.

    With arm and stratum constant in a cluster its hat matrix is h 11', h = 1/N_s + (z - p_s)²/S, so the symmetric
    root is I + ((1 - nh)^-½ - 1) 11'/n and the cluster's share is w E (1 - nh)^-½, w = (z - p_s)/S.
    """
    strata = int(stratum.max()) + 1
    n_s = np.bincount(stratum, weights=n, minlength=strata)
    n_s[n_s == 0] = 1
    p = np.bincount(stratum, weights=n * z, minlength=strata) / n_s
    mean = np.bincount(stratum, weights=total, minlength=strata) / n_s
    away = z - p[stratum]
    spread = float((n * away**2).sum())
    centred = total - n * mean[stratum]
    estimate = float((away * centred).sum() / spread)
    residual = centred - estimate * n * away
    left = 1 - n * (1 / n_s[stratum] + away**2 / spread)
    if (left < _SATURATED).any() or min((z == 1).sum(), (z == 0).sum()) < 2:
        return Fit(
            estimate=estimate, se=None, df=None, influence=np.zeros(n.size), strata_dropped=dropped, one_cluster=True
        )
    weight = away / spread / np.sqrt(left)
    influence = weight * residual
    norm = weight**2 * n
    along_arm = weight * n * away / np.sqrt(spread)
    along_stratum = weight * n / np.sqrt(n_s[stratum])
    df = satterthwaite(norm, along_arm[:, None], along_stratum, stratum)
    return Fit(
        estimate=estimate,
        se=float(np.sqrt((influence**2).sum())),
        df=df,
        influence=influence,
        strata_dropped=dropped,
    )


def _from_units(y: FloatArray, arm: IntArray, stratum: IntArray, dropped: int) -> Fit:
    """The same where each unit is its own cluster (HC2): units of one stratum and arm share all but their residual.

    The influence values are by row. One stratum has Welch's degrees of freedom.
    """
    cell = stratum * 2
    cell += arm
    count = np.bincount(cell).astype(np.float64)
    count = np.append(count, np.zeros(count.size % 2))
    of, z = np.arange(count.size) // 2, np.arange(count.size) % 2
    n_s = np.maximum(count[::2] + count[1::2], 1.0)
    p = count[1::2] / n_s
    mean = np.bincount(stratum, weights=y, minlength=n_s.size) / n_s
    away = z - p[of]
    spread = float((count * away**2).sum())
    centred = y - mean[stratum]
    estimate = float((away * np.bincount(cell, weights=centred, minlength=count.size)).sum() / spread)
    left = 1 - (1 / n_s[of] + away**2 / spread)
    if (left[count > 0] < _SATURATED).any() or min(count[1::2].sum(), count[::2].sum()) < 2:
        return Fit(
            estimate=estimate, se=None, df=None, influence=np.zeros(y.size), strata_dropped=dropped, one_cluster=True
        )
    weight = away / spread / np.sqrt(np.where(count > 0, left, 1.0))
    centred -= (estimate * away)[cell]
    influence = weight[cell]
    influence *= centred
    along_arm, along_stratum = weight * away / np.sqrt(spread), weight / np.sqrt(n_s[of])
    return Fit(
        estimate=estimate,
        se=float(np.sqrt((influence**2).sum())),
        df=welch_df(y, arm)
        if np.count_nonzero(count) <= 2
        else satterthwaite(weight**2, along_arm[:, None], along_stratum, of, count),
        influence=influence,
        strata_dropped=dropped,
    )


def satterthwaite(
    norm: FloatArray, along: FloatArray, along_stratum: FloatArray, stratum: IntArray, times: FloatArray | None = None
) -> float | None:
    """tr(P)²/tr(P²), P = diag(norm) - UU', U holding k dense columns and one column per stratum.

    A cluster lies in one stratum, so the stratum columns of U'U are diagonal and need no matrix. `times`: how many
    clusters each entry stands for, 1 each by default.
    """
    times = np.ones(norm.size) if times is None else times
    inner = (along**2).sum(axis=1) + along_stratum**2
    trace = float((times * (norm - inner)).sum())
    strata = int(stratum.max()) + 1
    own = np.bincount(stratum, weights=times * along_stratum**2, minlength=strata)
    cross = np.stack(
        [np.bincount(stratum, weights=times * along_stratum * column, minlength=strata) for column in along.T], axis=1
    )
    square = (
        float((times * (norm**2 - 2 * norm * inner)).sum())
        + float((own**2).sum())
        + 2 * float((cross**2).sum())
        + float((((along.T * times) @ along) ** 2).sum())
    )
    return trace**2 / square if square > 0 else None


def general_fit(
    y: FloatArray,
    columns: npt.NDArray[np.float64],
    stratum: IntArray,
    cluster: IntArray,
    *,
    size: int | None = None,
    dropped: int = 0,
) -> Fit:
    """The first column's coefficient with CR2, for any columns (n, k) beside the stratum dummies.

    Strata are swept out first; columns that are linear in others before them get no coefficient. Where clusters
    lie in one stratum each, a cluster's hat matrix has rank k + 1 however many strata there are.
    """
    size = int(cluster.max(initial=-1)) + 1 if size is None else size
    nothing = Fit(estimate=None, se=None, df=None, influence=np.zeros(size), strata_dropped=dropped)
    _, stratum = np.unique(stratum, return_inverse=True)
    n_s = np.bincount(stratum).astype(np.float64)
    swept = columns - np.stack([np.bincount(stratum, weights=column) / n_s for column in columns.T], axis=1)[stratum]
    y_swept = y - (np.bincount(stratum, weights=y) / n_s)[stratum]
    kept = independent(swept)
    if 0 not in kept:
        return nothing
    basis, upper = np.linalg.qr(swept[:, kept])
    coefficients = np.linalg.solve(upper, basis.T @ y_swept)
    residual = y_swept - swept[:, kept] @ coefficients
    wanted = np.linalg.solve(upper.T, np.eye(len(kept))[0])  # the estimate's weights are basis @ wanted
    whole = constant(stratum, cluster)
    sides = (1 / np.sqrt(n_s))[stratum][:, None] if whole else dummies(stratum, n_s)
    factors = np.concatenate([basis, sides], axis=1)
    b = np.concatenate([wanted, np.zeros(sides.shape[1])])
    codes, first, shares, norm, u = shares_by_cluster(factors, residual, cluster, b)
    influence = np.zeros(size)
    influence[codes] = shares
    k = len(kept)
    if whole:
        df = satterthwaite(norm, u[:, :k], u[:, k], stratum[first])
    else:
        df = satterthwaite(norm, u, np.zeros(norm.size), np.zeros(norm.size, dtype=np.int64))
    variance = float((influence**2).sum())
    degenerate = codes.size < 3 or variance <= 0
    fit = Fit(
        estimate=float(coefficients[kept.index(0)]),
        se=None if degenerate else float(np.sqrt(variance)),
        df=None if degenerate else df,
        influence=influence,
        strata_dropped=dropped,
    )
    return _beyond_rounding(fit, y)


def shares_by_cluster(
    factors: FloatArray, residual: FloatArray, cluster: IntArray, b: FloatArray
) -> tuple[IntArray, IntArray, FloatArray, FloatArray, npt.NDArray[np.float64]]:
    """Each cluster's code, first row, share of the estimate, and the |v|² and F'v that Satterthwaite needs.

    A cluster's hat matrix is FF', its share b'(I - F'F)^-½ F'e and v = F(I - F'F)^-½ b: only F'F needs a root.
    """
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    codes, first = cluster[order][starts], order[starts]
    if starts.size == cluster.size:  # a unit a cluster: F is one row f, and the root is known
        rows = factors[order]
        left = 1 - (rows**2).sum(axis=1)
        along = np.where(left > _SATURATED, rows @ b / np.sqrt(np.maximum(left, _SATURATED)), 0.0)
        return codes, first, along * residual[order], along**2, rows * along[:, None]
    gram = _sums_of_products(factors[order], starts)
    scores = np.add.reduceat(factors[order] * residual[order, None], starts, axis=0)
    values, vectors = np.linalg.eigh(gram)
    free = values < 1 - _SATURATED
    root = np.where(free, 1 / np.sqrt(np.where(free, 1 - values, 1.0)), 0.0)
    turned = np.einsum("gij,i->gj", vectors, b) * root
    q = np.einsum("gij,gj->gi", vectors, turned)
    u = np.einsum("gij,gj->gi", gram, q)
    return codes, first, np.einsum("gj,gij,gi->g", turned, vectors, scores), np.einsum("gi,gi->g", q, u), u


def independent(columns: FloatArray) -> list[int]:
    """Which columns add something to those before them, by modified Gram-Schmidt."""
    kept: list[int] = []
    basis: list[FloatArray] = []
    for index, column in enumerate(columns.T):
        rest = column.copy()
        for _ in range(2):
            for known in basis:
                rest -= known * (known @ rest)
        length = float(np.linalg.norm(rest))
        if length > 1e-9 * max(float(np.linalg.norm(column)), 1e-300) and length > 1e-12 * np.sqrt(column.size):
            kept.append(index)
            basis.append(rest / length)
    return kept


def dummies(stratum: IntArray, n_s: FloatArray) -> FloatArray:
    dummies = np.zeros((stratum.size, n_s.size))
    dummies[np.arange(stratum.size), stratum] = 1 / np.sqrt(n_s[stratum])
    return dummies


def _sums_of_products(rows: FloatArray, starts: IntArray) -> npt.NDArray[np.float64]:
    """Σ f f' over each run of rows, shape (runs, k, k), a chunk of whole runs at a time."""
    k = rows.shape[1]
    ends = np.append(starts[1:], rows.shape[0])
    gram = np.zeros((starts.size, k, k))
    run = 0
    while run < starts.size:
        upto = int(np.searchsorted(ends, starts[run] + max(_CHUNK // (k * k), 1), side="right"))
        upto = max(upto, run + 1)
        part = rows[starts[run] : ends[upto - 1]]
        gram[run:upto] = np.add.reduceat(part[:, :, None] * part[:, None, :], starts[run:upto] - starts[run], axis=0)
        run = upto
    return gram
