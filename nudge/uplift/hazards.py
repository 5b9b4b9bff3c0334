"""The hazard ratio's row: beside the headline, with a test of its own and a check that one ratio tells the story."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from nudge.uplift.comparison import FEW_EVENTS, Comparison, Row, two_sided, wald_limits
from nudge.uplift.cox import (
    Proportionality,
    RiskSets,
    cluster_variance,
    fit_cox,
    km_times,
    proportional,
    proportional_by_cluster,
)
from nudge.uplift.cox_model import fit_cox_model
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod
from nudge.uplift.means import covariate_columns
from nudge.uplift.rows import times
from nudge.uplift.units import BoolArray

DRIFT: Final = 0.05  # a proportionality p below this greys the row
_NOISE: Final = 1e-9


def hazard_row(comparison: Comparison, horizon: float) -> Row:
    """Cox's ratio of hazards within strata up to the horizon; robust by cluster (Lin & Wei) where clusters matter."""
    time, event = times(comparison.table)
    z, cluster = comparison.z, comparison.table.cluster_codes
    inside = event & (time <= horizon)
    row = _begun(comparison, inside, adjusted="")
    if Flag.NO_EVENTS in row.flags:
        return row
    sets = RiskSets.of(time, event, z, comparison.table.stratum_codes, horizon)
    fit = fit_cox(sets)
    if fit is None:
        return row.flagged(Flag.RATIO_UNBOUNDED)
    g = km_times(sets)
    if not comparison.clustered:
        return _finished(comparison, row, fit.log_ratio, fit.se, proportional(fit, g))
    scores = fit.scores(z, inside)
    se = math.sqrt(cluster_variance(scores, cluster)) / fit.information
    row = replace(row, influence=np.bincount(cluster, weights=scores) / fit.information)
    return _finished(comparison, row, fit.log_ratio, se, proportional_by_cluster(fit, g, z, inside, cluster))


def adjusted_hazard_row(comparison: Comparison, horizon: float) -> Row:
    """The arm's ratio beside covariates known before the draw: the ratio among units that are alike in them."""
    table = comparison.table
    time, event = times(table)
    row = _begun(comparison, event & (time <= horizon), adjusted=f" adjusted for {', '.join(table.covariates)}")
    if Flag.NO_EVENTS in row.flags:
        return row
    columns = covariate_columns(table.covariates, np.ones(len(table), dtype=np.bool_))
    kept = columns[:, columns.std(axis=0) > 0]
    row = replace(row, covariates=tuple(table.covariates))
    if kept.shape[1] < len(table.covariates):
        row = row.flagged(Flag.COVARIATE_DROPPED)
    design = np.concatenate([comparison.z[:, None].astype(np.float64), kept], axis=1)
    fit = fit_cox_model(design, time, event, table.stratum_codes, horizon)
    if fit is None:
        return row.flagged(Flag.RATIO_UNBOUNDED)
    covariance = fit.robust(table.cluster_codes) if comparison.clustered else fit.covariance
    drift = None if comparison.clustered else fit.proportional(0, km_times(fit.sets))
    return _finished(comparison, row, float(fit.coefficients[0]), math.sqrt(covariance[0, 0]), drift)


def _begun(comparison: Comparison, inside: BoolArray, *, adjusted: str) -> Row:
    within = " within strata" if comparison.stratified else ""
    variance = "Lin and Wei's variance by cluster" if comparison.clustered else "the model's own variance"
    row = Row(
        measure=Measure.HAZARD_RATIO,
        method=f"Cox's hazard ratio of the arm{within}{adjusted}, Efron's ties, {variance}",
        events=int(inside.sum()),
        strata=comparison.strata if comparison.stratified else (),
        strata_dropped=comparison.strata_dropped,
    )
    if comparison.strata_dropped:
        row = row.flagged(Flag.STRATA_DROPPED)
    fewest = min(int(inside[comparison.z == code].sum()) for code in (1, 0))
    if not fewest:
        return row.flagged(Flag.NO_EVENTS)
    return row.flagged(Flag.FEW_EVENTS) if fewest < FEW_EVENTS else row


def _finished(comparison: Comparison, row: Row, log_ratio: float, se: float, drift: Proportionality | None) -> Row:
    df = comparison.clusters_less_arms if comparison.clustered else None
    row = replace(row, estimate=math.exp(log_ratio))
    if drift is not None:
        row = replace(row, method=f"{row.method}; proportional hazards: p = {drift.p_value:.3f}")
        if drift.p_value < DRIFT:
            row = row.flagged(Flag.HAZARDS_NOT_PROPORTIONAL)
    if comparison.clustered and min(comparison.clusters) < 2:
        return row.flagged(Flag.ONE_CLUSTER_IN_ARM)
    if not se > _NOISE or (df is not None and not df > 0):
        return row.flagged(Flag.NO_VARIANCE)
    statistic = log_ratio / se
    return replace(
        row,
        se=se,
        df=df,
        ci_method=CiMethod.LOG_Z if df is None else CiMethod.LOG_T,
        limits=wald_limits(math.exp(log_ratio), se, Measure.HAZARD_RATIO),
        statistic=statistic,
        p_value=two_sided(statistic, df),
        p_method=PMethod.WALD_Z if df is None else PMethod.WALD_T,
    )
