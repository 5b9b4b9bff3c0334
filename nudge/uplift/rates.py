"""Counts over exposure: the rate ratio of a Poisson model with arm and stratum dummies, and its clustered sandwich.

Only totals by stratum and arm are fitted, so nothing grows with the number of units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from nudge.allocation.arm_sums import Cells
from nudge.uplift.clusters import compared, satterthwaite
from nudge.uplift.comparison import Comparison, Row, empty_row, two_sided, wald_limits
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod
from nudge.uplift.rerandomisation import FromSums, columns_of
from nudge.uplift.units import FloatArray, IntArray, distinct, sum_by

_ITERATIONS: Final = 30
_NOISE: Final = 1e-12  # a standard error of a logarithm below this is what rounding left of none
_SATURATED: Final = 1e-9  # a cluster that the fit follows exactly has no residual to adjust
_MOST_LOG: Final = 30.0  # a log ratio beyond this is an arm without events


@dataclass(frozen=True, slots=True)
class RateFit:
    """The log ratio, each cluster's share of it, and the degrees of freedom, None where no variance can be known."""

    log_ratio: float
    influence: FloatArray
    df: float | None


def fit_rate(
    count: FloatArray, exposure: FloatArray, z: IntArray, stratum: IntArray, cluster: IntArray
) -> RateFit | None:
    """Poisson regression with log link of counts on arm and stratum, offset log(exposure), by profiled likelihood.

    The variance sums squared scores by cluster, each residual over 1 less its leverage (Mancl & DeRouen 2001,
    Biometrics 57, 126-134), with Satterthwaite's t of the form that is unbiased for Poisson counts (Pustejovsky &
    Tipton 2018): the plain sandwich × G/(G - k) with t on G - k covers as little as 89 % where exposures differ.
    Arm, stratum and cluster make a part with totals of its own; a cluster that spans arms has a leverage for each of
    its parts.
    Strata without both arms or without events carry nothing.
    """
    rows, _ = compared(z, stratum)
    size = int(cluster.max(initial=-1)) + 1
    _, layer = np.unique(stratum[rows], return_inverse=True)
    strata = int(layer.max(initial=-1)) + 1
    key = (cluster[rows] * 2 + z[rows]) * max(strata, 1) + layer
    parts, place = np.unique(key, return_inverse=True)
    c, e = sum_by(place, parts.size, count[rows]), sum_by(place, parts.size, exposure[rows])
    of, layer, one = parts // (2 * max(strata, 1)), parts % max(strata, 1), (parts // max(strata, 1) % 2).astype(float)
    totals = np.stack([sum_by(layer, strata, part) for part in (c * one, c, e * one, e)])[:, None, :]
    if not totals[0].sum() > 0 or not (totals[1] - totals[0]).sum() > 0:
        return None
    log_ratio = profiled(*totals)
    share, base = fitted(log_ratio, *totals)
    information = float((totals[1] * share * (1 - share)).sum())
    if information <= 0:
        return None
    mean = e * base[0][layer] * np.exp(log_ratio[0] * one)
    away, in_stratum = one - share[0][layer], totals[1, 0][layer]
    with np.errstate(divide="ignore", invalid="ignore"):
        leverage = np.where(mean > 0, mean * (1 / in_stratum + away**2 / information), 0.0)
    left, free = 1 - leverage, leverage < 1 - _SATURATED
    arms_of = [distinct(of[one == code]) for code in (1.0, 0.0)]
    if not free.all() or min(arms_of) < 2:
        return RateFit(float(log_ratio[0]), np.zeros(size), None)
    weight = away / information
    root = weight / np.sqrt(left)
    with np.errstate(divide="ignore", invalid="ignore"):
        along_stratum = np.where(mean > 0, root * mean / np.sqrt(in_stratum), 0.0)
    df = satterthwaite(root**2 * mean, (root * mean * away / math.sqrt(information))[:, None], along_stratum, layer)
    return RateFit(float(log_ratio[0]), sum_by(of, size, weight * (c - mean) / left), df)


def rate_row(comparison: Comparison, count: FloatArray, exposure: FloatArray | None) -> Row:
    """The ratio of rates, arm over reference; without exposure, per unit."""
    measure = Measure.RATE_RATIO
    over = np.ones(count.size) if exposure is None else exposure
    beside = " and stratum" if comparison.stratified else ""
    method = f"Ratio of rates by Poisson regression on arm{beside}, "
    method += "Mancl and DeRouen's sandwich by cluster, Satterthwaite's t"
    if 0 in comparison.sizes:
        return empty_row(measure, method)
    row = Row(
        measure=measure,
        method=method,
        events=int(count.sum()),
        strata=comparison.strata if comparison.stratified else (),
        strata_dropped=comparison.strata_dropped,
        needs_redraw=True,
        redrawn=lambda: rate_statistic(comparison, count, over),
    )
    if comparison.strata_dropped:
        row = row.flagged(Flag.STRATA_DROPPED)
    fit = fit_rate(count, over, comparison.z, comparison.table.stratum_codes, comparison.table.cluster_codes)
    if fit is None:
        return row.flagged(Flag.NO_EVENTS)
    se = float(np.sqrt((fit.influence**2).sum()))
    ratio = math.exp(fit.log_ratio)
    if fit.df is None and min(comparison.clusters) < 2:
        return replace(row, estimate=ratio).flagged(Flag.ONE_CLUSTER_IN_ARM)
    if fit.df is None or not se > _NOISE:
        return replace(row, estimate=ratio).flagged(Flag.NO_VARIANCE)
    statistic = fit.log_ratio / se
    return replace(
        row,
        estimate=ratio,
        se=se,
        df=fit.df,
        ci_method=CiMethod.SANDWICH_T,
        limits=wald_limits(ratio, se, measure),
        statistic=statistic,
        p_value=two_sided(statistic, fit.df),
        p_method=PMethod.WALD_T,
        influence=fit.influence,
    )


def rate_statistic(comparison: Comparison, count: FloatArray, exposure: FloatArray) -> FromSums:
    """The log ratio over its plain sandwich standard error, for redraws: sums of squares by arm and stratum suffice.

    The leverages of the interval's variance would need every cluster in every redraw; the test is exact either way. An
    arm without events counts as infinite."""
    if comparison.assignment is None:
        msg = "no assignment to redraw"
        raise ValueError(msg)
    column = columns_of(comparison.assignment, comparison.table.drawn_codes)
    size = len(comparison.assignment)
    c, e = sum_by(column, size, count), sum_by(column, size, exposure)
    layer = np.zeros(size, dtype=np.int64)
    layer[column] = comparison.table.stratum_codes
    strata = int(layer.max(initial=0)) + 1
    values = np.stack([c, e, c * c, c * e, e * e], axis=1)
    into = np.zeros((size, strata))
    into[np.arange(size), layer] = 1.0
    moments = (into[:, :, None] * values[:, None, :]).reshape(size, 5 * strata)
    every = moments.sum(axis=0).reshape(strata, 5).T

    def finish(sums: FloatArray) -> FloatArray:
        one = sums.transpose(2, 0, 1)
        whole = np.broadcast_to(every[:, None, :], one.shape)
        both = (one[1] > 0) & (one[1] < whole[1])
        none = (np.where(both, one[0], 0).sum(axis=1) <= 0) | (np.where(both, whole[0] - one[0], 0).sum(axis=1) <= 0)
        totals = [np.where(both, part, 0.0) for part in (one[0], whole[0], one[1], whole[1])]
        log_ratio = profiled(*totals)
        share, base = fitted(log_ratio, *totals)
        variance = np.zeros(len(sums))
        for part, arm in ((one, 1.0), (whole - one, 0.0)):
            rate = base * np.exp(log_ratio[:, None] * arm)
            squares = part[2] - 2 * rate * part[3] + rate**2 * part[4]
            variance += np.where(both, (arm - share) ** 2 * squares, 0.0).sum(axis=1)
        information = (totals[1] * share * (1 - share)).sum(axis=1)
        flat = variance <= 1e-12 * float(every[2].sum())
        with np.errstate(divide="ignore", invalid="ignore"):
            found = log_ratio * information / np.sqrt(np.where(flat, 1.0, variance))
        found = np.where(flat, np.where(np.abs(log_ratio) < 1e-12, 0.0, np.copysign(np.inf, log_ratio)), found)
        return np.asarray(np.where(none, np.copysign(np.inf, log_ratio), found))

    return FromSums(
        cells=Cells(cell=layer, stratum=np.arange(strata), values=values),
        added=lambda labels: (labels.astype(np.float64) @ moments).reshape(len(labels), strata, 5),
        finish=finish,
    )


def profiled(c_1: FloatArray, c: FloatArray, e_1: FloatArray, e: FloatArray) -> FloatArray:
    """The log ratio, shape (rows,), from totals of shape (rows, strata): Newton on the profiled score."""
    e_0 = e - e_1
    with np.errstate(divide="ignore", invalid="ignore"):
        start = np.log(c_1.sum(axis=1) / e_1.sum(axis=1)) - np.log((c - c_1).sum(axis=1) / e_0.sum(axis=1))
    value = np.clip(np.nan_to_num(start, nan=0.0, posinf=_MOST_LOG, neginf=-_MOST_LOG), -_MOST_LOG, _MOST_LOG)
    for _ in range(_ITERATIONS):
        share, _ = fitted(value, c_1, c, e_1, e)
        score = (c_1 - c * share).sum(axis=1)
        information = (c * share * (1 - share)).sum(axis=1)
        step = np.where(information > 1e-12, score / np.maximum(information, 1e-12), 0.0)
        value = np.clip(value + np.clip(step, -2, 2), -_MOST_LOG, _MOST_LOG)
        if not step.size or float(np.abs(step).max()) < 1e-12:
            break
    return np.asarray(value)


def fitted(
    log_ratio: FloatArray, c_1: FloatArray, c: FloatArray, e_1: FloatArray, e: FloatArray
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The arm's share of each stratum's fitted counts, and the reference's fitted rate."""
    ratio = np.exp(log_ratio)[:, None]
    weight = (e - e_1) + e_1 * ratio
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(weight > 0, e_1 * ratio / weight, 0.0)
        base = np.where(weight > 0, c / weight, 0.0)
    return share, base
