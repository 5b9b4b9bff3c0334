"""Which row leads for each type of outcome, and which rows stand beside it: secondary, sensitivity, descriptive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import erfc

from nudge.experiment.definition import OutcomeType
from nudge.uplift.bootstrap import bootstrap_row
from nudge.uplift.comparison import SMALL_ARM, Comparison, Row, empty_row, replace_table, two_sided
from nudge.uplift.estimate import Flag, Measure, PMethod, Role
from nudge.uplift.hazards import adjusted_hazard_row, hazard_row
from nudge.uplift.means import adjusted_row, arm_blind_residual, covariate_columns, mean_row
from nudge.uplift.pairs import log_rates, pair_row
from nudge.uplift.proportion_ratios import ratio_rows
from nudge.uplift.rate_rows import adjusted_rate_row, known_before, negative_binomial_row
from nudge.uplift.rates import rate_row
from nudge.uplift.rerandomisation import studentised
from nudge.uplift.rows import by_arm, contact_row, proportion_row, rmst_row, times, values_row
from nudge.uplift.sequences import sequence_row
from nudge.uplift.sums import due_df, ratio_values
from nudge.uplift.survival import contact_values, logrank, logrank_scores, rmst_values
from nudge.uplift.units import FloatArray

HEADLINE: Final = {
    OutcomeType.TIME_TO_EVENT: (Measure.RMST_DIFFERENCE, "Difference in restricted mean time"),
    OutcomeType.PROPORTION: (Measure.RISK_DIFFERENCE, "Difference of shares"),
    OutcomeType.MEAN: (Measure.MEAN_DIFFERENCE, "Difference of means"),
    OutcomeType.RATE: (Measure.RATE_RATIO, "Ratio of rates"),
    OutcomeType.RATIO: (Measure.RATIO_DIFFERENCE, "Difference of ratios of sums, linearised,"),
    OutcomeType.PERCENTILE: (Measure.PERCENTILE_DIFFERENCE, "Difference of the sites' percentiles"),
}

_CHANGING: Final = frozenset({OutcomeType.MEAN, OutcomeType.PERCENTILE})
"""Outcomes that may have been measured before."""
WINSORISED: Final = 0.01
"""The share at either end that a row of sensitivity draws in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one outcome is analysed. `weigh_clusters`: each cluster counts once; `adjusted`: covariates lead.

    `key` and `redraws` serve the signs of matched pairs.
    """

    kind: OutcomeType
    horizon: float
    weigh_clusters: bool
    adjusted: bool
    key: bytes
    redraws: int


def headline_row(comparison: Comparison, plan: Plan) -> Row:
    """The row that answers the outcome's question, by the table of rules §5."""
    table, (measure, what) = comparison.table, HEADLINE[plan.kind]
    if 0 in comparison.sizes:
        return empty_row(measure, what)
    if table.sequences is not None:
        return sequence_row(comparison, measure=measure, what=what)
    if plan.kind is OutcomeType.RATIO and not _due_in_both(comparison):
        return Row(measure=measure, method=what, flags=(Flag.NO_DENOMINATOR,))
    if table.pair is not None:
        y = log_rates(table, comparison.z) if plan.kind is OutcomeType.RATE else _change(comparison, plan)
        return pair_row(comparison, y, measure=measure, what=what, key=plan.key, redraws=plan.redraws)
    if plan.kind is OutcomeType.RATE:
        if plan.adjusted and known_before(table):
            return adjusted_rate_row(comparison)
        return rate_row(comparison, _column(table.count), table.exposure)
    if plan.weigh_clusters and comparison.clustered:
        return _weighed_row(comparison, plan)
    if plan.adjusted and table.covariates:
        return _adjusted_headline(comparison, plan)
    if plan.kind is OutcomeType.TIME_TO_EVENT:
        return rmst_row(comparison, plan.horizon)
    if plan.kind is OutcomeType.PROPORTION:
        return proportion_row(comparison, _column(table.y))
    row = mean_row(comparison, unit_values(comparison, plan), table.baseline, measure=measure, what=what)
    if plan.kind is OutcomeType.RATIO:  # redraws know no arms: one ratio for both
        row = replace(row, redrawn=lambda: studentised(comparison.sums(_pooled(comparison, plan))))
    return _by_what_was_due(row, comparison, plan)


def _by_what_was_due(row: Row, comparison: Comparison, plan: Plan) -> Row:
    """The row, that of a ratio with no more degrees of freedom than its largest denominators leave."""
    table = comparison.table
    if plan.kind is not OutcomeType.RATIO or row.df is None or row.statistic is None:
        return row
    df = min(row.df, due_df(_column(table.over), comparison.z, table.cluster_codes))
    return replace(row, df=df, p_value=two_sided(row.statistic, df))


def _due_in_both(comparison: Comparison) -> bool:
    over = _column(comparison.table.over)
    return all(float(over[comparison.z == code].sum()) > 0 for code in (1, 0))


def unit_values(comparison: Comparison, plan: Plan) -> FloatArray:
    """The unit values y of rules §5, those of a time to event made within each arm."""
    if plan.kind is OutcomeType.TIME_TO_EVENT:
        return by_arm(rmst_values, comparison, plan.horizon)
    y = _column(comparison.table.y)
    if plan.kind is OutcomeType.RATIO:
        over, found = _column(comparison.table.over), np.empty(y.size)
        for code in (1, 0):
            rows = comparison.z == code
            found[rows] = ratio_values(y[rows], over[rows])
        return found
    return y


def secondary_rows(comparison: Comparison, plan: Plan) -> list[Row]:
    """Rows with a test of their own, which lend it to no other: contact by the horizon, log-rank, hazards, ratios."""
    if 0 in comparison.sizes or comparison.table.sequences is not None:
        return []
    if plan.kind is OutcomeType.PROPORTION and comparison.table.pair is None:
        return ratio_rows(comparison, _column(comparison.table.y))
    if plan.kind is not OutcomeType.TIME_TO_EVENT:
        return []
    if comparison.table.pair is None:
        horizon = plan.horizon
        return [contact_row(comparison, horizon), logrank_row(comparison, horizon), hazard_row(comparison, horizon)]
    y = by_arm(contact_values, comparison, plan.horizon)
    what = "Difference of 1 - Kaplan-Meier at the horizon"
    return [pair_row(comparison, y, measure=Measure.RISK_DIFFERENCE, what=what, key=plan.key, redraws=plan.redraws)]


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
    comparison: Comparison, late: Comparison | None, plan: Plan
) -> Iterator[tuple[Role, Comparison, Row]]:
    """Rows that show what the headline hangs on, each with the comparison it was made of.

    The mean of responders only comes last, descriptive, without interval or test: responding is itself an outcome.
    """
    table, (measure, what) = comparison.table, HEADLINE[plan.kind]
    sensitivity = Role.SENSITIVITY
    if 0 in comparison.sizes or table.sequences is not None:
        return
    if plan.kind is OutcomeType.RATIO and not _due_in_both(comparison):
        return
    if plan.kind is OutcomeType.RATE and table.pair is None:
        for row in _beside_rates(comparison, plan):
            yield sensitivity, comparison, row
    adjustable = bool(table.covariates) and table.pair is None and plan.kind is not OutcomeType.RATE
    if adjustable and not plan.adjusted:
        y = unit_values(comparison, plan)
        row = adjusted_row(comparison, y, table.covariates, measure=measure, what=what)
        yield sensitivity, comparison, _by_what_was_due(row, comparison, plan)
    if adjustable and plan.adjusted:
        row = headline_row(comparison, replace(plan, adjusted=False))
        yield sensitivity, comparison, noted(row, "not adjusted for covariates")
    if adjustable and plan.kind is OutcomeType.TIME_TO_EVENT:
        yield sensitivity, comparison, adjusted_hazard_row(comparison, plan.horizon)
    if table.baseline is not None and plan.kind in _CHANGING and table.pair is None:
        row = mean_row(comparison, _column(table.y), measure=measure, what=what)
        yield sensitivity, comparison, noted(row, "not adjusted for the baseline")
    if plan.kind is OutcomeType.MEAN and table.pair is None:
        for row in _beside_means(comparison, plan):
            yield sensitivity, comparison, row
    if plan.weigh_clusters and comparison.clustered:
        row = headline_row(comparison, replace(plan, weigh_clusters=False))
        yield sensitivity, comparison, noted(row, "each unit counted once")
    if late is not None:
        row = headline_row(late, plan)
        yield sensitivity, late, noted(row, "late members of allocated clusters included")
    if plan.kind is OutcomeType.TIME_TO_EVENT:
        if table.competing is not None and np.isfinite(table.competing).any():
            yield sensitivity, comparison, _censored_row(comparison, plan)
        yield Role.DESCRIPTIVE, comparison, _responders_row(comparison, plan.horizon)


def _beside_rates(comparison: Comparison, plan: Plan) -> Iterator[Row]:
    """The other of adjusted and not, where something was known before the draw; and the negative binomial model."""
    if plan.adjusted and known_before(comparison.table):
        yield noted(headline_row(comparison, replace(plan, adjusted=False)), "not adjusted")
    elif known_before(comparison.table):
        yield adjusted_rate_row(comparison)
    yield negative_binomial_row(comparison)


def _beside_means(comparison: Comparison, plan: Plan) -> Iterator[Row]:
    """The interval by resampling; and with the largest and smallest values of both arms together drawn in."""
    y = _column(comparison.table.y)
    row = bootstrap_row(comparison, y, plan.key)
    if row is not None:
        yield row
    low, high = np.quantile(y, (WINSORISED, 1 - WINSORISED))
    inner = np.clip(y, low, high)
    if y.size >= 2 / WINSORISED and not bool((inner == y).all()):
        yield noted(mean_row(comparison, inner), "values beyond the middle 98 in 100 of both arms drawn in to them")


def noted(row: Row, note: str) -> Row:
    """The row, its method ending in what is different about it."""
    return replace(row, method=f"{row.method}; {note}")


def _adjusted_headline(comparison: Comparison, plan: Plan) -> Row:
    """The row adjusted for covariates; redraws compare what they leave of y, both arms together."""
    measure, what = HEADLINE[plan.kind]
    table = comparison.table
    row = adjusted_row(comparison, unit_values(comparison, plan), table.covariates, measure=measure, what=what)
    row = _by_what_was_due(row, comparison, plan)
    columns = covariate_columns(table.covariates, np.ones(len(table), dtype=np.bool_))
    return replace(
        row,
        needs_redraw=comparison.clustered or min(comparison.sizes) < SMALL_ARM,
        redrawn=lambda: studentised(
            comparison.sums(arm_blind_residual(_pooled(comparison, plan), columns, table.stratum_codes))
        ),
    )


def _weighed_row(comparison: Comparison, plan: Plan) -> Row:
    """Each cluster once, at the mean of its units, by least squares on arm and stratum dummies."""
    measure, what = HEADLINE[plan.kind]
    whole, mean = comparison.by_cluster()
    row = values_row(whole, mean(unit_values(comparison, plan)), measure=measure, what=f"{what}, each cluster once,")
    pooled: Callable[[], FloatArray] = lambda: _pooled(comparison, plan)  # noqa: E731
    return replace(row, needs_redraw=True, redrawn=lambda: studentised(whole.sums(mean(pooled()))))


def _pooled(comparison: Comparison, plan: Plan) -> FloatArray:
    if plan.kind is OutcomeType.TIME_TO_EVENT:
        return rmst_values(*times(comparison.table), plan.horizon)
    if plan.kind is OutcomeType.RATIO:
        return ratio_values(_column(comparison.table.y), _column(comparison.table.over))
    return _column(comparison.table.y)


def _change(comparison: Comparison, plan: Plan) -> FloatArray:
    y = unit_values(comparison, plan)
    baseline = comparison.table.baseline
    return y if baseline is None else y - baseline


def _censored_row(comparison: Comparison, plan: Plan) -> Row:
    table = comparison.table
    time, event = times(table)
    competing = np.full(time.size, np.inf) if table.competing is None else table.competing
    first = competing < time
    changed = replace(table, time=np.where(first, competing, time), event=event & ~first, follow_up=None)
    row = headline_row(replace_table(comparison, changed), plan)
    return noted(row, "follow-up ended at a competing event")


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


def _column(values: FloatArray | None) -> FloatArray:
    if values is None:
        msg = "the table lacks the column of this type of outcome"
        raise ValueError(msg)
    return values
