"""Numbers: an arm's mean, the difference of means, and Lin's adjustment for what was known before the draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nudge.uplift.clusters import Fit, compared, general_fit
from nudge.uplift.comparison import SMALL_ARM, Comparison, Row, empty_row, fitted_row
from nudge.uplift.estimate import Flag, Measure
from nudge.uplift.rerandomisation import studentised
from nudge.uplift.rows import values_row
from nudge.uplift.units import FloatArray, IntArray, apart, distinct


@dataclass(frozen=True, slots=True)
class Mean:
    """One arm's mean with the CR2 standard error of its clusters (s/√n where each unit is its own), t on `df`."""

    value: float
    se: float | None
    df: float


def arm_mean(y: FloatArray, cluster: IntArray) -> Mean:
    """The mean over units: Σ_g e_g²/(1 - n_g/n)/n², e_g a cluster's sum of residuals. One cluster has no se."""
    if apart(cluster):
        n, residual = np.ones(y.size), y - y.mean()
    else:
        _, place = np.unique(cluster, return_inverse=True)
        n, residual = np.bincount(place).astype(np.float64), np.bincount(place, weights=y - y.mean())
    if n.size < 2:
        return Mean(float(y.mean()), None, 0.0)
    return Mean(float(y.mean()), float(np.sqrt((residual**2 / (1 - n / y.size)).sum()) / y.size), float(n.size - 1))


def mean_row(
    comparison: Comparison,
    y: FloatArray,
    baseline: FloatArray | None = None,
    *,
    measure: Measure = Measure.MEAN_DIFFERENCE,
    what: str = "Difference of means",
) -> Row:
    """The difference of means of any unit values; with a baseline, adjusted for it by Lin's interaction."""
    if 0 in comparison.sizes:
        return empty_row(measure, what)
    needs = comparison.clustered or min(comparison.sizes) < SMALL_ARM
    if baseline is None:
        row = values_row(comparison, y, measure=measure, what=what)
        return replace(row, needs_redraw=needs, redrawn=lambda: studentised(comparison.sums(y)))
    row = adjusted_row(comparison, y, {"baseline": baseline}, measure=measure, what=what)
    left = arm_blind_residual(y, baseline[:, None], comparison.table.stratum_codes)
    return replace(row, needs_redraw=needs, redrawn=lambda: studentised(comparison.sums(left)))


def adjusted_row(
    comparison: Comparison, y: FloatArray, covariates: Mapping[str, FloatArray], *, measure: Measure, what: str
) -> Row:
    """The arm's coefficient beside stratum dummies, centred covariates and their products with the arm.

    A missing covariate takes the mean of both arms together, and an indicator of its being missing enters too.
    Source: Lin (2013), Annals of Applied Statistics 7, 295-318.
    """
    if 0 in comparison.sizes:
        return empty_row(measure, what)
    rows, dropped = compared(comparison.z, comparison.table.stratum_codes)
    columns = covariate_columns(covariates, rows)
    z = comparison.z.astype(np.float64)
    design = np.concatenate([z[:, None], columns, columns * z[:, None]], axis=1)
    cluster = comparison.table.cluster_codes
    fit = Fit(estimate=None, se=None, df=None, influence=np.zeros(0), strata_dropped=dropped)
    if rows.any():
        fit = general_fit(
            y[rows],
            design[rows],
            comparison.table.stratum_codes[rows],
            cluster[rows],
            size=int(cluster.max()) + 1,
            dropped=dropped,
        )
        if min(distinct(cluster[rows & (comparison.z == code)]) for code in (1, 0)) < 2:
            fit = replace(fit, se=None, df=None, one_cluster=True)  # as without covariates (rules §5)
    names = ", ".join(covariates)
    row = fitted_row(
        fit,
        comparison,
        measure=measure,
        method=f"{what} adjusted for {names} (Lin's interacted regression), "
        f"{'CR2 by cluster' if comparison.clustered else 'HC2'}, Satterthwaite's t",
    )
    row = replace(row, covariates=tuple(covariates))
    if not columns.any():
        return row.flagged(Flag.COVARIATE_DROPPED)
    return row


def covariate_columns(covariates: Mapping[str, FloatArray], rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Covariates filled and centred over the rows used, with an indicator column where some are missing."""
    columns = []
    for values in covariates.values():
        known = np.isfinite(values)
        middle = float(values[known & rows].mean()) if (known & rows).any() else 0.0
        columns.append(np.where(known, values, middle) - middle)
        if not known[rows].all():
            absent = (~known).astype(np.float64)
            columns.append(absent - absent[rows].mean())
    return np.stack(columns, axis=1) if columns else np.zeros((rows.size, 0))


def arm_blind_residual(y: FloatArray, columns: npt.NDArray[np.float64], stratum: IntArray) -> FloatArray:
    """y less what the columns explain within strata, both arms together: the same under every redraw."""
    n_s = np.maximum(np.bincount(stratum), 1)
    swept = columns - np.stack([np.bincount(stratum, weights=c) / n_s for c in columns.T], axis=1)[stratum]
    centred = y - (np.bincount(stratum, weights=y) / n_s)[stratum]
    slopes = np.linalg.lstsq(swept, centred, rcond=None)[0]
    return np.asarray(y - swept @ slopes)
