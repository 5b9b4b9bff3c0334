"""The default table of TRIAL-RULES §5: which estimate, interval and test an outcome gets in a design."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from nudge.uplift.clusters import Fit, arm_effect
from nudge.uplift.comparison import (
    FEW_CLUSTERS,
    FEW_EVENTS,
    FEW_EXPECTED,
    SMALL_ARM,
    Comparison,
    Row,
    empty_row,
    fitted_row,
    two_sided,
    wald_limits,
)
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod
from nudge.uplift.proportions import (
    Share,
    Tables,
    cochran_mantel_haenszel,
    design_effect,
    effective,
    mantel_haenszel,
    miettinen_nurminen,
)
from nudge.uplift.rerandomisation import mantel_haenszel as mantel_haenszel_redrawn
from nudge.uplift.rerandomisation import studentised
from nudge.uplift.survival import contact_values, kaplan_meier, rmst_values
from nudge.uplift.units import BoolArray, FloatArray, UnitTable

UnitValues: TypeAlias = Callable[[FloatArray, BoolArray, float], FloatArray]
"""From times, events and the horizon of one sample to one value a unit, whose mean is the sample's estimate."""


def proportion_row(comparison: Comparison, y: FloatArray) -> Row:
    """The difference of shares of a 0/1 outcome, by unit in the order of the comparison's rows."""
    measure = Measure.RISK_DIFFERENCE
    if 0 in comparison.sizes:
        return empty_row(measure, "Difference of shares")
    z = comparison.z
    arm, reference = (Share(float(y[z == code].sum()), float((z == code).sum())) for code in (1, 0))
    row = _proportion_row(comparison, y, arm, reference)
    if min(arm.events, reference.events) < FEW_EVENTS:
        row = row.flagged(Flag.FEW_EVENTS)
    return replace(row, events=int(arm.events + reference.events))


def _proportion_row(comparison: Comparison, y: FloatArray, arm: Share, reference: Share) -> Row:
    if comparison.clustered:
        few = min(arm.events, reference.events) < FEW_EVENTS or min(comparison.clusters) < FEW_CLUSTERS
        plain = few or not comparison.stratified
        return _effective_row(comparison, y, arm, reference) if plain else _fitted(comparison, y)
    if comparison.stratified:
        row = _mantel_haenszel_row(comparison, y)
        return replace(row, needs_redraw=min(arm.events, reference.events) < FEW_EVENTS)
    return _score_row(comparison, y, arm, reference)


def _score_row(comparison: Comparison, y: FloatArray, arm: Share, reference: Share) -> Row:
    statistic = cochran_mantel_haenszel(Tables.of(y, comparison.z, np.zeros(y.size, dtype=np.int64)))
    pooled = (arm.events + reference.events) / (arm.n + reference.n)
    expected = min(pooled, 1 - pooled) * min(arm.n, reference.n)
    return Row(
        measure=Measure.RISK_DIFFERENCE,
        method="Difference of shares, Miettinen and Nurminen's score interval and test",
        estimate=arm.value - reference.value,
        se=math.sqrt(_variance(arm) + _variance(reference)),
        ci_method=CiMethod.MIETTINEN_NURMINEN,
        limits=lambda critical: miettinen_nurminen(arm, reference, critical),
        statistic=statistic or 0.0,
        p_value=two_sided(statistic or 0.0, None),
        p_method=PMethod.SCORE,
        needs_redraw=expected < FEW_EXPECTED or min(arm.n, reference.n) < SMALL_ARM,
        redrawn=lambda: mantel_haenszel_redrawn(comparison.sums(y, strata=False, shifted=False)),
        influence=_fit(comparison, y, strata=False).influence,
    )


def _mantel_haenszel_row(comparison: Comparison, y: FloatArray) -> Row:
    tables = Tables.of(y, comparison.z, comparison.table.stratum_codes)
    row = Row(
        measure=Measure.RISK_DIFFERENCE,
        method="Difference of shares by Mantel-Haenszel weights over strata, Sato's interval, "
        "Cochran-Mantel-Haenszel test",
        strata=comparison.strata,
        strata_dropped=comparison.strata_dropped,
    )
    if comparison.strata_dropped:
        row = row.flagged(Flag.STRATA_DROPPED)
    if not comparison.strata:
        return row.flagged(Flag.EMPTY_ARM)
    estimate, se = mantel_haenszel(tables)
    row = replace(
        row,
        estimate=estimate,
        redrawn=lambda: mantel_haenszel_redrawn(comparison.sums(y, shifted=False)),
        influence=_fit(comparison, y).influence,
    )
    if not se > 0:  # nobody or everybody, in every stratum: an interval of no width would claim to know
        return row.flagged(Flag.NO_VARIANCE)
    statistic = cochran_mantel_haenszel(tables) or 0.0
    return replace(
        row,
        se=se,
        ci_method=CiMethod.SATO,
        limits=wald_limits(estimate, se, Measure.RISK_DIFFERENCE),
        statistic=statistic,
        p_value=two_sided(statistic, None),
        p_method=PMethod.COCHRAN_MANTEL_HAENSZEL,
    )


def _effective_row(comparison: Comparison, y: FloatArray, arm: Share, reference: Share) -> Row:
    fit = _fit(comparison, y, strata=False)
    z, cluster = comparison.z, comparison.table.cluster_codes
    whole = fit.influence.size and not fit.one_cluster
    of_arm = np.zeros(fit.influence.size)
    of_arm[cluster] = z
    variances = (
        (float((fit.influence[of_arm == 1] ** 2).sum()), float((fit.influence[of_arm == 0] ** 2).sum()))
        if whole
        else None
    )
    sizes = tuple(np.unique(cluster[z == code], return_counts=True)[1].astype(np.float64) for code in (1, 0))
    effect = design_effect(arm, reference, variances, sizes[0], sizes[1])
    df = comparison.clusters_less_arms
    small_arm, small_reference = effective(arm, effect), effective(reference, effect)
    row = Row(
        measure=Measure.RISK_DIFFERENCE,
        method="Difference of shares, Miettinen and Nurminen's score interval on the effective number of units, "
        "t on clusters less arms",
        estimate=arm.value - reference.value,
        influence=fit.influence,
        design_effect=effect,
        needs_redraw=True,
        redrawn=lambda: studentised(comparison.sums(y, strata=False)),
    )
    if comparison.stratified:
        row = row.flagged(Flag.STRATA_NOT_USED)
    if min(comparison.clusters) < 2:
        return row.flagged(Flag.ONE_CLUSTER_IN_ARM)
    se = fit.se if fit.se is not None else 0.0
    statistic = row.estimate / se if row.estimate is not None and se > 0 else None
    return replace(
        row,
        se=se,
        df=df,
        ci_method=CiMethod.MIETTINEN_NURMINEN_EFFECTIVE_T,
        limits=lambda critical: miettinen_nurminen(small_arm, small_reference, critical),
        statistic=statistic,
        p_value=two_sided(statistic, df) if statistic is not None else None,
        p_method=PMethod.WALD_T if statistic is not None else None,
    )


def _fitted(comparison: Comparison, y: FloatArray) -> Row:
    row = values_row(comparison, y, measure=Measure.RISK_DIFFERENCE, what="Difference of shares")
    return replace(row, needs_redraw=True, redrawn=lambda: studentised(comparison.sums(y)))


def values_row(comparison: Comparison, y: FloatArray, *, measure: Measure, what: str) -> Row:
    """Least squares of any unit values on arm and stratum dummies: HC2 or CR2 with Satterthwaite's t."""
    if 0 in comparison.sizes:
        return empty_row(measure, what)
    beside = " and stratum" if comparison.stratified else ""
    robust = "CR2 by cluster" if comparison.clustered else "HC2"
    fit = _fit(comparison, y)
    row = fitted_row(
        fit, comparison, measure=measure, method=f"{what} by least squares on arm{beside}, {robust}, Satterthwaite's t"
    )
    if comparison.clustered and fit.se:
        plain = arm_effect(y, comparison.z, comparison.table.stratum_codes, np.arange(y.size))
        row = replace(row, design_effect=max(fit.se**2 / plain.se**2, 1.0) if plain.se else None)
    return row


def rmst_row(comparison: Comparison, horizon: float) -> Row:
    """The difference in restricted mean time up to the horizon."""
    measure, what = Measure.RMST_DIFFERENCE, "Difference in restricted mean time"
    time, event = times(comparison.table)
    if 0 in comparison.sizes:
        return empty_row(measure, what)
    z = comparison.z
    curves = [kaplan_meier(time[z == code], event[z == code], horizon) for code in (1, 0)]
    events = min(curve.total_events for curve in curves)
    small = min(comparison.sizes) < SMALL_ARM
    y = by_arm(rmst_values, comparison, horizon)
    row = values_row(comparison, y, measure=measure, what=what)
    if not (comparison.clustered or comparison.stratified or small):
        estimate = curves[0].rmst - curves[1].rmst
        se = math.hypot(curves[0].rmst_se, curves[1].rmst_se)
        row = replace(
            row,
            estimate=estimate,
            se=se if se > 0 else None,
            df=None,
            ci_method=CiMethod.GREENWOOD_Z if se > 0 else None,
            limits=wald_limits(estimate, se, measure) if se > 0 else None,
            statistic=estimate / se if se > 0 else None,
            p_value=two_sided(estimate / se, None) if se > 0 else None,
            p_method=PMethod.WALD_Z if se > 0 else None,
            method="Difference in restricted mean time between Kaplan-Meier curves, Greenwood's variance",
        )
    if events < FEW_EVENTS:
        row = row.flagged(Flag.FEW_EVENTS)
    return replace(
        row,
        events=sum(curve.total_events for curve in curves),
        needs_redraw=comparison.clustered or small or events < FEW_EVENTS,
        redrawn=lambda: studentised(comparison.sums(rmst_values(time, event, horizon))),
    )


def contact_row(comparison: Comparison, horizon: float) -> Row:
    """1 - Kaplan-Meier at the horizon, arm less reference; a plain proportion where follow-up is complete."""
    time, event = times(comparison.table)
    y = by_arm(contact_values, comparison, horizon)
    if bool(((y == 0) | (y == 1)).all()):
        return proportion_row(comparison, y)
    row = values_row(
        comparison, y, measure=Measure.RISK_DIFFERENCE, what="Difference of 1 - Kaplan-Meier at the horizon"
    )
    inside = event & (time <= horizon)
    events = [int(inside[comparison.z == code].sum()) for code in (1, 0)]
    if min(events) < FEW_EVENTS:
        row = row.flagged(Flag.FEW_EVENTS)
    return replace(
        row,
        events=sum(events),
        needs_redraw=comparison.clustered or min(comparison.sizes) < SMALL_ARM or min(events) < FEW_EVENTS,
        redrawn=lambda: studentised(comparison.sums(contact_values(time, event, horizon))),
    )


def times(table: UnitTable) -> tuple[FloatArray, BoolArray]:
    """The times and events of a table. ValueError where it has none."""
    if table.time is None or table.event is None:
        msg = "a time to event needs time and event"
        raise ValueError(msg)
    return table.time, table.event


def by_arm(values: UnitValues, comparison: Comparison, horizon: float) -> FloatArray:
    """Unit values made within each arm, in the order of the rows."""
    time, event = times(comparison.table)
    y = np.empty(time.size)
    for code in (1, 0):
        rows = np.flatnonzero(comparison.z == code)
        y[rows] = values(time.take(rows), event.take(rows), horizon)
    return y


def _fit(comparison: Comparison, y: FloatArray, *, strata: bool = True) -> Fit:
    stratum = comparison.table.stratum_codes if strata else np.zeros(y.size, dtype=np.int64)
    return arm_effect(y, comparison.z, stratum, comparison.table.cluster_codes)


def _variance(share: Share) -> float:
    return share.value * (1 - share.value) / share.n
