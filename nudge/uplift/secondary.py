"""Which row leads for each type of outcome, and which rows stand beside it: secondary, sensitivity, descriptive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.special import erfc

from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.comparison import Comparison, Row
from nudge.uplift.estimate import Flag, Measure, PMethod, Role
from nudge.uplift.means import adjusted_row, mean_row
from nudge.uplift.rows import by_arm, contact_row, proportion_row, rmst_row, times
from nudge.uplift.survival import contact_values, logrank, logrank_scores, rmst_values
from nudge.uplift.units import FloatArray, UnitTable

_MEASURES = {
    OutcomeType.TIME_TO_EVENT: (Measure.RMST_DIFFERENCE, "Difference in restricted mean time"),
    OutcomeType.PROPORTION: (Measure.RISK_DIFFERENCE, "Difference of shares"),
    OutcomeType.MEAN: (Measure.MEAN_DIFFERENCE, "Difference of means"),
}


def headline_row(comparison: Comparison, outcome: Outcome, horizon: float | None, *, adjust: str | None = None) -> Row:
    """The row that answers the outcome's question."""
    table = comparison.table
    if adjust == "headline" and table.covariates and outcome.type in _MEASURES:
        measure, what = _MEASURES[outcome.type]
        y = unit_values(comparison, outcome, horizon)
        return adjusted_row(comparison, y, table.covariates, measure=measure, what=what)
    if outcome.type is OutcomeType.TIME_TO_EVENT:
        return rmst_row(comparison, horizon or 0.0)
    if outcome.type is OutcomeType.PROPORTION:
        return proportion_row(comparison, _y(table))
    return mean_row(comparison, _y(table), table.baseline)


def unit_values(comparison: Comparison, outcome: Outcome, horizon: float | None) -> FloatArray:
    """The unit values y of rules §5."""
    if outcome.type is OutcomeType.TIME_TO_EVENT:
        return by_arm(rmst_values, comparison, horizon or 0.0)
    return _y(comparison.table)


def secondary_rows(comparison: Comparison, outcome: Outcome, horizon: float | None) -> list[Row]:
    """Rows with a test of their own, which lend it to no other: contact by the horizon, log-rank."""
    if outcome.type is not OutcomeType.TIME_TO_EVENT or horizon is None:
        return []
    return [contact_row(comparison, horizon), logrank_row(comparison, horizon)]


def logrank_row(comparison: Comparison, horizon: float) -> Row:
    """The log-rank test, stratified by the strata; with clusters, its score with a variance robust to them."""
    time, event = times(comparison.table)
    z, stratum = comparison.z, comparison.table.stratum_codes
    found = logrank(time, event, z, stratum, horizon)
    row = Row(
        measure=Measure.LOGRANK,
        method="Stratified log-rank test" if comparison.stratified else "Log-rank test",
        events=int((event & (time <= horizon)).sum()),
        strata=comparison.strata if comparison.stratified else (),
        strata_dropped=comparison.strata_dropped,
        flags=(Flag.TEST_ONLY,),
    )
    chi2, p_method = found.chi2, PMethod.LOGRANK
    if comparison.clustered:
        scores = logrank_scores(time, event, z, stratum, horizon)
        _, place = np.unique(comparison.table.cluster_codes, return_inverse=True)
        by_cluster = np.bincount(place, weights=scores)
        variance = float((by_cluster**2).sum()) * by_cluster.size / max(by_cluster.size - 1, 1)
        chi2 = (found.observed - found.expected) ** 2 / variance if variance > 0 else None
        p_method = PMethod.ROBUST_LOGRANK
        row = replace(row, method=row.method + ", score variance summed by cluster")
    if chi2 is None:
        return row.flagged(Flag.NO_VARIANCE)
    return replace(row, statistic=chi2, df=1.0, p_value=float(erfc(np.sqrt(chi2 / 2))), p_method=p_method)


def sensitivity_rows(
    comparison: Comparison, late: Comparison | None, outcome: Outcome, horizon: float | None, *, adjust: str | None
) -> Iterator[tuple[Role, Row, bool]]:
    """Rows that show what the headline hangs on; the last field says whether the late members are in the row.

    The mean of responders only comes last, descriptive, without interval or test: responding is itself an outcome.
    """
    table = comparison.table
    if table.covariates and outcome.type in _MEASURES and adjust != "headline":
        measure, what = _MEASURES[outcome.type]
        y = unit_values(comparison, outcome, horizon)
        yield Role.SENSITIVITY, adjusted_row(comparison, y, table.covariates, measure=measure, what=what), False
    if adjust == "headline" and table.covariates:
        row = headline_row(comparison, outcome, horizon)
        yield Role.SENSITIVITY, replace(row, method=row.method + "; not adjusted for covariates"), False
    if table.baseline is not None and outcome.type is OutcomeType.MEAN:
        row = mean_row(comparison, _y(table))
        yield Role.SENSITIVITY, replace(row, method=row.method + "; not adjusted for the baseline"), False
    if late is not None and 0 not in late.sizes:
        row = headline_row(late, outcome, horizon)
        yield Role.SENSITIVITY, replace(row, method=row.method + "; late members of allocated clusters included"), True
    if outcome.type is OutcomeType.TIME_TO_EVENT and horizon is not None:
        if table.competing is not None and np.isfinite(table.competing).any():
            yield Role.SENSITIVITY, _censored_row(comparison, horizon), False
        yield Role.DESCRIPTIVE, _responders_row(comparison, horizon), False


def _censored_row(comparison: Comparison, horizon: float) -> Row:
    table = comparison.table
    time, event = times(table)
    competing = np.full(time.size, np.inf) if table.competing is None else table.competing
    first = competing < time
    changed = replace(table, time=np.where(first, competing, time), event=event & ~first, follow_up=None)
    row = rmst_row(replace(comparison, table=changed), horizon)
    return replace(row, method=row.method + "; follow-up ended at a competing event")


def _responders_row(comparison: Comparison, horizon: float) -> Row:
    time, event = times(comparison.table)
    inside = event & (time <= horizon)
    one, other = (time[inside & (comparison.z == code)] for code in (1, 0))
    row = Row(
        measure=Measure.MEAN_DIFFERENCE,
        method="Difference in mean time among those who responded only. Who responded differs between the arms, so "
        "this is not a comparison of like with like",
        events=int(inside.sum()),
        flags=(Flag.RESPONDERS_ONLY, Flag.NOT_A_COMPARISON),
    )
    if not one.size or not other.size:
        return row.flagged(Flag.NO_EVENTS)
    return replace(row, estimate=float(one.mean() - other.mean()))


def whole_table(table: UnitTable, outcome: Outcome, horizon: float | None) -> UnitTable:
    """Each cluster once: its mean, as a number. For a time to event, the mean of its units' restricted times."""
    msg = f"weighing clusters alike is not offered for {outcome.type.value}"
    raise NotImplementedError(msg)


def _y(table: UnitTable) -> FloatArray:
    if table.y is None:
        msg = "this type of outcome needs y"
        raise ValueError(msg)
    return table.y


__all__ = ["contact_values", "headline_row", "secondary_rows", "sensitivity_rows", "unit_values", "whole_table"]
