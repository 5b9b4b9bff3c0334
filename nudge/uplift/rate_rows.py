"""What stands beside a ratio of rates: adjusted for the counts before and covariates, and a negative binomial model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from nudge.uplift.clusters import compared
from nudge.uplift.comparison import Comparison, Row, two_sided, wald_limits
from nudge.uplift.count_model import CountModel, fit_counts
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod
from nudge.uplift.means import covariate_columns
from nudge.uplift.rates import rate_statistic
from nudge.uplift.units import FloatArray, UnitTable, distinct

_MOST_CELLS: Final = 40_000_000  # of units by columns: beyond it a row of sensitivity is not worth its memory
_NOISE: Final = 1e-9


def known_before(table: UnitTable) -> dict[str, FloatArray]:
    """The covariates of a rate: log((count before + ½)/exposure before) where it is named, and those declared."""
    found: dict[str, FloatArray] = {}
    if table.baseline is not None:
        over = 1.0 if table.baseline_exposure is None else table.baseline_exposure
        found["baseline"] = np.log((table.baseline + 0.5) / over)
    return {**found, **table.covariates}


def adjusted_rate_row(comparison: Comparison) -> Row:
    """Poisson regression on arm, strata and what was known before; redraws compare counts with those expected of it."""
    table = comparison.table
    before = known_before(table)
    names = ", ".join("the counts before" if name == "baseline" else name for name in before)
    rows = _row_of(comparison, f"Ratio of rates by Poisson regression adjusted for {names}")
    row = _fitted(comparison, replace(rows, covariates=tuple(before)), before, spread=False)[0]
    return replace(
        row, needs_redraw=True, redrawn=lambda: rate_statistic(comparison, _counts(table), _expected(table, before))
    )


def negative_binomial_row(comparison: Comparison) -> Row:
    """NB2 on arm and strata, its spread estimated: busy sites weigh less than in a Poisson model."""
    row, fit = _fitted(
        comparison, _row_of(comparison, "Ratio of rates by negative binomial regression"), {}, spread=True
    )
    if fit is None:
        return row
    spread = f"theta {fit.theta:.3g}" if math.isfinite(fit.theta) else "no spread beyond Poisson's"
    return replace(row, method=f"{row.method}; {spread}")


def _row_of(comparison: Comparison, what: str) -> Row:
    beside = ", within strata" if comparison.stratified else ""
    row = Row(
        measure=Measure.RATE_RATIO,
        method=f"{what}{beside}, Mancl and DeRouen's sandwich by cluster, t on clusters less terms",
        events=int(_counts(comparison.table).sum()),
        strata=comparison.strata if comparison.stratified else (),
        strata_dropped=comparison.strata_dropped,
    )
    return row.flagged(Flag.STRATA_DROPPED) if comparison.strata_dropped else row


def _fitted(
    comparison: Comparison, row: Row, before: Mapping[str, FloatArray], *, spread: bool
) -> tuple[Row, CountModel | None]:
    table, (used, _) = comparison.table, compared(comparison.z, comparison.table.stratum_codes)
    count, z = _counts(table)[used], comparison.z[used]
    if not used.any():
        return row.flagged(Flag.EMPTY_ARM), None
    if not min(float(count[z == code].sum()) for code in (1, 0)) > 0:
        return row.flagged(Flag.NO_EVENTS), None
    columns = covariate_columns(before, used)[used]
    kept = columns[:, columns.std(axis=0) > 0]
    if before and kept.shape[1] < len(before):
        row = row.flagged(Flag.COVARIATE_DROPPED)
    design = np.concatenate([z[:, None], kept, _dummies(table, used)], axis=1)
    if design.size > _MOST_CELLS:
        return row.flagged(Flag.MODEL_NOT_FITTED), None
    fit = fit_counts(design, count, _exposures(table)[used], spread=spread)
    if fit is None:
        return row.flagged(Flag.MODEL_NOT_FITTED), None
    log_ratio = float(fit.coefficients[0])
    row = replace(row, estimate=math.exp(log_ratio))
    cluster = table.cluster_codes[used]
    df = float(distinct(cluster) - design.shape[1])
    if min(distinct(cluster[z == code]) for code in (1, 0)) < 2:
        return row.flagged(Flag.ONE_CLUSTER_IN_ARM), fit
    se = math.sqrt(float(fit.robust(cluster)[0, 0]))
    if not se > _NOISE or not df > 0:
        return row.flagged(Flag.NO_VARIANCE), fit
    row = replace(
        row,
        se=se,
        df=df,
        ci_method=CiMethod.SANDWICH_T,
        limits=wald_limits(math.exp(log_ratio), se, Measure.RATE_RATIO),
        statistic=log_ratio / se,
        p_value=two_sided(log_ratio / se, df),
        p_method=PMethod.WALD_T,
    )
    return row, fit


def _expected(table: UnitTable, before: Mapping[str, FloatArray]) -> FloatArray:
    """The count expected of each unit without regard to its arm: the same under every redraw."""
    every = np.ones(len(table), dtype=np.bool_)
    design = np.concatenate([covariate_columns(before, every), _dummies(table, every)], axis=1)
    fit = fit_counts(design, _counts(table), _exposures(table))
    return _exposures(table) if fit is None else fit.mean


def _dummies(table: UnitTable, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    codes, place = np.unique(table.stratum_codes[rows], return_inverse=True)
    return np.asarray(place[:, None] == np.arange(codes.size), dtype=np.float64)


def _counts(table: UnitTable) -> FloatArray:
    if table.count is None:
        msg = "a rate needs counts"
        raise ValueError(msg)
    return table.count


def _exposures(table: UnitTable) -> FloatArray:
    return np.ones(len(table)) if table.exposure is None else table.exposure
