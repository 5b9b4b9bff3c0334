"""From rows to estimates: the randomisation test, the interval at the trial's confidence, several arms at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.uplift.clusters import constant
from nudge.uplift.comparison import FEW_CLUSTERS, Comparison, Row
from nudge.uplift.estimate import RATIOS, Estimate, Flag, Interval, PMethod, Role, Scale, as_if_randomised
from nudge.uplift.multiplicity import correlation, dunnett_critical, dunnett_p, holm
from nudge.uplift.rerandomisation import MOST_CLUSTERS, Redrawn, redraw_test
from nudge.uplift.results import OutcomeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What holds for every row of one analysis."""

    confidence: float
    randomised: str
    redraw_key: bytes
    redraws: int
    needs_units: bool


def tested(comparison: Comparison, rows: Sequence[Row], settings: Settings) -> list[Row]:
    """The rows with their randomisation test where rules §5 want it, all from one set of redraws."""
    found = list(rows)
    wanted = {
        index: row.redrawn
        for index, row in enumerate(rows)
        if (row.needs_redraw or (comparison.assignment is not None and comparison.assignment.rule is not None))
        and row.redrawn is not None
        and (row.estimate is not None or Flag.NO_EVENTS in row.flags)  # no stratum holds both arms: nothing to test
    }
    flag = _untestable(comparison, settings)
    if flag is not None or comparison.assignment is None:
        for index in wanted:
            found[index] = rows[index].flagged(flag or Flag.RANDOMISATION_TEST_NOT_RUN)
    elif wanted:
        statistics = [make() for make in wanted.values()]
        tests = redraw_test(comparison.assignment, statistics, settings.redraw_key, settings.redraws)
        for index, test in zip(wanted, tests, strict=True):
            found[index] = _redrawn(rows[index], test, comparison.assignment, settings)
    return [own_p(row, settings) for row in found]


def _untestable(comparison: Comparison, settings: Settings) -> Flag | None:
    if comparison.assignment is None:
        if settings.needs_units:
            return Flag.RANDOMISATION_TEST_NEEDS_UNITS
        spanning = not constant(comparison.z, comparison.table.cluster_codes)
        return Flag.CLUSTERS_SPAN_ARMS if spanning else Flag.RANDOMISATION_TEST_NOT_RUN
    return Flag.RANDOMISATION_TEST_NOT_RUN if len(comparison.assignment) > MOST_CLUSTERS else None


def _redrawn(row: Row, test: Redrawn, assignment: Assignment, settings: Settings) -> Row:
    if test.degenerate:  # one value throughout is no distribution, and its p of 1 no evidence of no effect
        row = replace(row, p_value=None, p_method=None, statistic=None, redraws=test.redraws)
        return row.flagged(Flag.REDRAWS_DEGENERATE)
    row = replace(
        row,
        p_value=test.p_value,
        p_method=PMethod.RANDOMISATION_EXACT if test.exact else PMethod.RANDOMISATION_DRAWN,
        statistic=test.statistic,
    )
    two = len(assignment.arms) == 2
    if (assignment.attainable_p() if two else 1 / assignment.allocations()) >= 1 - settings.confidence:
        row = row.flagged(Flag.CANNOT_REACH_SIGNIFICANCE)
    return replace(row, redraws=test.redraws)


def own_p(row: Row, settings: Settings) -> Row:
    """The row, its p-value named for what it is where nobody says that the arms were drawn by chance."""
    if settings.randomised == "yes" or row.p_method is None:
        return row
    return replace(row, p_method=as_if_randomised(row.p_method))


def finished(comparison: Comparison, row: Row, role: Role, settings: Settings) -> Estimate:
    """The estimate that a row makes, with its plain interval; an interval and a test at odds are flagged."""
    confidence = settings.confidence
    if comparison.clustered and 0 < min(comparison.clusters) < FEW_CLUSTERS and row.estimate is not None:
        row = row.flagged(Flag.FEW_CLUSTERS)
    drawn_whole = comparison.table.sequences is None
    if drawn_whole and comparison.clustered and not constant(comparison.z, comparison.table.cluster_codes):
        row = row.flagged(Flag.CLUSTERS_SPAN_ARMS)
    ci = row.limits(row.critical(confidence)) if row.limits is not None else None
    scale = Scale.RATIO if row.measure in RATIOS else Scale.DIFFERENCE
    if ci is not None and row.p_value is not None:
        null = 1.0 if scale is Scale.RATIO else 0.0
        excludes = not ci[0] <= null <= ci[1]
        if excludes != (row.p_value <= 1 - confidence):
            row = row.flagged(Flag.INTERVAL_AND_TEST_DISAGREE)
    return Estimate(
        arm=comparison.arm,
        reference=comparison.reference,
        measure=row.measure,
        scale=scale,
        role=role,
        method=row.method,
        confidence=confidence,
        n=sum(comparison.sizes),
        estimate=row.estimate,
        se=row.se,
        ci=ci,
        ci_method=row.ci_method if ci is not None else None,
        df=row.df,
        statistic=row.statistic,
        p_value=row.p_value,
        p_method=row.p_method,
        redraws=row.redraws,
        strata=row.strata,
        strata_dropped=row.strata_dropped,
        covariates=row.covariates,
        clusters=comparison.clusters_compared,
        design_effect=row.design_effect,
        events=row.events,
        flags=row.flags,
    )


def across_arms(estimates: Sequence[Estimate], rows: Sequence[Row], *, primaries: int = 1) -> list[Estimate]:
    """Adjusted p-values and simultaneous intervals where several arms meet one reference (rules §5).

    Holm where a p-value is redrawn, else Dunnett; intervals always by Dunnett, from the estimated correlation.
    With several primary outcomes under Holm, each outcome's intervals share the error between the outcomes.
    """
    confidence = 1 - (1 - estimates[0].confidence) / primaries if estimates else 1.0
    if len(estimates) < 2:
        if primaries == 1:
            return list(estimates)
        return [
            replace(item, simultaneous=row.limits(row.critical(confidence)) if row.limits is not None else None)
            for item, row in zip(estimates, rows, strict=True)
        ]
    size = max((row.influence.size for row in rows if row.influence is not None), default=0)
    correlations = correlation(
        [
            np.zeros(size) if row.influence is None else np.pad(row.influence, (0, size - row.influence.size))
            for row in rows
        ]
    )
    by_redraw = any(item.p_method is not None and item.p_method.redrawn for item in estimates)
    known = [index for index, item in enumerate(estimates) if item.p_value is not None]
    p_values = [item.p_value for item in estimates if item.p_value is not None]
    adjusted = dict(zip(known, holm(p_values), strict=True))
    if not by_redraw:
        for index in known:
            item = estimates[index]
            if item.statistic is not None and item.p_value is not None:
                adjusted[index] = dunnett_p(item.statistic, item.p_value, correlations, item.df)
    found = []
    for index, (item, row) in enumerate(zip(estimates, rows, strict=True)):
        wide: Interval | None = None
        if row.limits is not None:
            wide = row.limits(dunnett_critical(confidence, correlations, row.df))
        p = adjusted.get(index)
        words = None if p is None else ("holm" if by_redraw else "dunnett")
        found.append(replace(item, p_adjusted=p, simultaneous=wide, adjustment=words))
    return found


def across_outcomes(results: Sequence[OutcomeResult]) -> tuple[OutcomeResult, ...]:
    """Holm over every headline p of every primary outcome: what `multiplicity: holm` means. Others are unchanged."""
    rows = [row for result in results if result.primary for row in result.headlines if row.p_value is not None]
    adjusted = dict(
        zip((id(row) for row in rows), holm([row.p_value for row in rows if row.p_value is not None]), strict=True)
    )

    def changed(row: Estimate) -> Estimate:
        p = adjusted.get(id(row))
        return row if p is None else replace(row, p_adjusted=p, adjustment="holm")

    return tuple(replace(result, estimates=tuple(map(changed, result.estimates))) for result in results)
