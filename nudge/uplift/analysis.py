"""One outcome of a trial, from its units to its verdict, by the default table of TRIAL-RULES §5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.base.errors import Place, Refused
from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.arms import arm_results
from nudge.uplift.clusters import constant
from nudge.uplift.codes import UpliftCode
from nudge.uplift.comparison import Comparison, Row
from nudge.uplift.estimate import RATIOS, Estimate, Flag, Interval, PMethod, Role, Scale, as_if_randomised
from nudge.uplift.multiplicity import correlation, dunnett_critical, dunnett_p, holm
from nudge.uplift.rerandomisation import MOST_CLUSTERS, Redrawn, redraw_test
from nudge.uplift.results import OutcomeResult
from nudge.uplift.secondary import headline_row, secondary_rows, sensitivity_rows, whole_table
from nudge.uplift.units import Counts, UnitTable
from nudge.uplift.verdict import Verdict, Wording, judge, more_units, oriented, worded, worthwhile_size

_CONTACT: Final = frozenset({"contact", "payment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What holds for every row of one analysis."""

    confidence: float
    randomised: str
    redraw_key: bytes
    redraws: int
    needs_units: bool


def analyse_outcome(
    outcome: Outcome,
    table: UnitTable | Counts,
    *,
    assignment: Assignment | None,
    randomised: str,
    confidence: float,
    smallest_worthwhile: float | None,
    multiplicity: str | None,
    redraw_key: bytes,
    redraws: int = 9_999,
    live: bool,
    unit: str = "unit",
    weigh: str | None = None,
    adjust: str | None = None,
    money: bool = False,
) -> OutcomeResult:
    """Every arm's figures, every arm against the table's first, and the verdict of a primary outcome.

    `assignment` is the draw of all arms' clusters; a live trial without it keeps the Wald p, flagged; for recorded
    data arms are then held to have been drawn in fixed numbers within strata. `smallest_worthwhile` is in the
    outcome's own unit (pence, fractions, its time unit). `redraw_key`: 16 bytes. `weigh="cluster"` counts each
    cluster once; `adjust="headline"` was sealed and puts the adjusted row first; `money`: y is in pence.
    Raises Refused where the horizon reaches beyond the follow-up of an arm, or no unit has the outcome.
    """
    settings = Settings(
        confidence=confidence,
        randomised=randomised,
        redraw_key=redraw_key,
        redraws=redraws,
        needs_units=isinstance(table, Counts),
    )
    everyone = (table.units() if isinstance(table, Counts) else table).coded()
    horizon = _horizon(outcome, everyone)
    main = everyone.primary_only()
    if weigh == "cluster":
        main = whole_table(main, outcome, horizon)
    if assignment is None and not live and not settings.needs_units:
        main, assignment = _as_recorded(main)
    arms = main.arms[1:]
    comparisons = [Comparison.of(main, arm, assignment) for arm in arms]
    headline = [headline_row(item, outcome, horizon, adjust=adjust) for item in comparisons]
    beside = [secondary_rows(item, outcome, horizon) for item in comparisons]
    finished = [
        _tested(item, (row, *rows), settings) for item, row, rows in zip(comparisons, headline, beside, strict=True)
    ]
    first = _across_arms(
        [_estimate(item, rows[0], Role.HEADLINE, settings) for item, rows in zip(comparisons, finished, strict=True)],
        headline,
    )
    estimates = [item for item, _ in first]
    estimates += [
        _estimate(item, row, Role.SECONDARY, settings)
        for item, rows in zip(comparisons, finished, strict=True)
        for row in rows[1:]
    ]
    for role in (Role.SENSITIVITY, Role.DESCRIPTIVE):
        for arm, item in zip(arms, comparisons, strict=True):
            late = Comparison.of(everyone, arm, None) if len(everyone) > len(main) and weigh is None else None
            estimates += [
                _estimate(late if late is not None and row_late else item, _own_p(row, settings), role, settings)
                for row_role, row, row_late in sensitivity_rows(item, late, outcome, horizon, adjust=adjust)
                if row_role is role
            ]
    better = _better(outcome, live=live)
    verdicts: tuple[Verdict, ...] = ()
    if outcome.primary and randomised == "yes" and better is not None:
        wording = Wording(
            measure=first[0][0].measure, horizon=horizon, time_unit=outcome.time_unit, unit=unit, money=money
        )
        verdicts = tuple(
            _verdict(estimate, row, better, smallest_worthwhile, confidence, wording) for estimate, row in first
        )
    return OutcomeResult(
        id=outcome.id,
        type=outcome.type.value,
        primary=outcome.primary,
        better=better,
        population=_population(unit, live=live),
        estimand=_estimand(outcome, horizon, unit),
        unit=unit,
        time_unit=outcome.time_unit if outcome.type is OutcomeType.TIME_TO_EVENT else None,
        horizon=horizon,
        followed_to_horizon=_followed(main, horizon),
        competing=tuple(outcome.competing),
        smallest_worthwhile=smallest_worthwhile,
        verdict=verdicts,
        arms=arm_results(main, outcome.type.value, horizon=horizon, time_unit=outcome.time_unit, confidence=confidence),
        estimates=tuple(estimates),
        notes=_notes(comparisons, better, outcome, randomised),
    )


def _horizon(outcome: Outcome, table: UnitTable) -> float | None:
    """The outcome's horizon, refused where some arm was not followed so far (rules §1)."""
    place = Place(outcome.id)
    if not len(table):
        raise Refused(UpliftCode.NO_UNITS.at(place, outcome=outcome.id))
    if outcome.type is OutcomeType.PROPORTION:
        return None if outcome.within is None else float(outcome.within)
    if outcome.type is not OutcomeType.TIME_TO_EVENT:
        return None
    if outcome.horizon is None:
        raise Refused(UpliftCode.HORIZON_NOT_SET.at(place, outcome=outcome.id))
    horizon = float(outcome.horizon)
    longest: dict[str, float] = {}
    for code, arm in enumerate(table.arms):
        rows = table.arm == code
        if table.time is None or table.event is None or not rows.any():
            continue
        followed = table.time[rows] if table.follow_up is None else table.follow_up[rows]
        if table.follow_up is None and bool(table.event[rows][followed == followed.max()].all()):
            continue  # the last one watched responded: the curve is at 0, and longer follow-up changes nothing
        longest[arm] = float(followed.max())
    short = min(longest, key=longest.__getitem__, default=None)
    if short is not None and longest[short] < horizon:
        largest = f"{longest[short]:g}"
        raise Refused(UpliftCode.HORIZON_BEYOND_FOLLOW_UP.at(place, outcome=outcome.id, arm=short, largest=largest))
    return horizon


def _as_recorded(table: UnitTable) -> tuple[UnitTable, Assignment | None]:
    """Arms as if drawn in fixed numbers within strata, cluster by cluster (rules §6); None where clusters span."""
    stratum, codes = table.stratum_codes, table.cluster_codes
    if not (constant(table.arm, codes) and constant(stratum, codes)):
        return table, None
    _, first, drawn = np.unique(codes, return_index=True, return_inverse=True)
    used, layer = np.unique(stratum[first], return_inverse=True)
    assignment = Assignment.of_recorded(table.arm[first], layer if used.size > 1 else None, "complete", table.arms)
    return replace(table, drawn=drawn), assignment


def _tested(comparison: Comparison, rows: Sequence[Row], settings: Settings) -> list[Row]:
    """The rows with their randomisation test where rules §5 want it, all from one set of redraws."""
    wanted = [index for index, row in enumerate(rows) if row.needs_redraw and row.estimate is not None and row.redrawn]
    found = list(rows)
    if wanted:
        flag = _untestable(comparison, settings)
        if flag is not None or comparison.assignment is None:
            for index in wanted:
                found[index] = rows[index].flagged(flag or Flag.RANDOMISATION_TEST_NOT_RUN)
        else:
            made = [row.redrawn() for row in rows if row.needs_redraw and row.estimate is not None and row.redrawn]
            tests = redraw_test(comparison.assignment, made, settings.redraw_key, settings.redraws)
            for index, test in zip(wanted, tests, strict=True):
                found[index] = _redrawn(rows[index], test, comparison.assignment, settings)
    return [_own_p(row, settings) for row in found]


def _untestable(comparison: Comparison, settings: Settings) -> Flag | None:
    if comparison.assignment is None:
        if settings.needs_units:
            return Flag.RANDOMISATION_TEST_NEEDS_UNITS
        spanning = not constant(comparison.z, comparison.table.cluster_codes)
        return Flag.CLUSTERS_SPAN_ARMS if spanning else Flag.RANDOMISATION_TEST_NOT_RUN
    return Flag.RANDOMISATION_TEST_NOT_RUN if len(comparison.assignment) > MOST_CLUSTERS else None


def _redrawn(row: Row, test: Redrawn, assignment: Assignment, settings: Settings) -> Row:
    row = replace(
        row,
        p_value=test.p_value,
        p_method=PMethod.RANDOMISATION_EXACT if test.exact else PMethod.RANDOMISATION_DRAWN,
        statistic=test.statistic,
    )
    if test.degenerate:
        row = row.flagged(Flag.REDRAWS_DEGENERATE)
    if assignment.attainable_p() >= 1 - settings.confidence:
        row = row.flagged(Flag.CANNOT_REACH_SIGNIFICANCE)
    return replace(row, redraws=test.redraws)


def _own_p(row: Row, settings: Settings) -> Row:
    if settings.randomised == "yes" or row.p_method is None:
        return row
    return replace(row, p_method=as_if_randomised(row.p_method))


def _estimate(comparison: Comparison, row: Row, role: Role, settings: Settings) -> Estimate:
    confidence = settings.confidence
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
        clusters=sum(comparison.clusters),
        design_effect=row.design_effect,
        events=row.events,
        flags=row.flags,
    )


def _across_arms(estimates: list[Estimate], rows: list[Row]) -> list[tuple[Estimate, Row]]:
    """Adjusted p-values and simultaneous intervals where several arms meet one reference."""
    if len(estimates) < 2:
        return list(zip(estimates, rows, strict=True))
    size = max(row.influence.size for row in rows if row.influence is not None)
    influences = [
        np.zeros(size) if row.influence is None else np.pad(row.influence, (0, size - row.influence.size))
        for row in rows
    ]
    correlations = correlation(influences)
    by_redraw = any(item.p_method is not None and item.p_method.redrawn for item in estimates)
    known = [index for index, item in enumerate(estimates) if item.p_value is not None]
    adjusted: dict[int, float] = {}
    if by_redraw:
        adjusted = dict(zip(known, holm([estimates[index].p_value or 0.0 for index in known]), strict=True))
    else:
        for index in known:
            statistic = estimates[index].statistic
            if statistic is not None:
                adjusted[index] = dunnett_p(statistic, correlations, estimates[index].df)
    found = []
    for index, (item, row) in enumerate(zip(estimates, rows, strict=True)):
        wide: Interval | None = None
        if row.limits is not None:
            wide = row.limits(dunnett_critical(item.confidence, correlations, row.df))
        p = adjusted.get(index)
        found.append(
            (
                replace(
                    item,
                    p_adjusted=p,
                    simultaneous=wide,
                    adjustment=None if p is None else ("holm" if by_redraw else "dunnett"),
                ),
                row,
            )
        )
    return found


def _verdict(
    estimate: Estimate, row: Row, better: str, worthwhile: float | None, confidence: float, wording: Wording
) -> Verdict:
    strict = estimate.simultaneous or estimate.ci
    plain = row.limits(row.critical(1 - 2 * (1 - confidence))) if row.limits is not None else None
    measure = estimate.measure
    d = worthwhile_size(worthwhile, better=better, measure=measure)
    code = judge(
        strict=oriented(strict, better=better, measure=measure),
        plain=oriented(plain, better=better, measure=measure),
        tested=estimate.p_value is not None and Flag.INTERVAL_AND_TEST_DISAGREE not in estimate.flags,
        worthwhile=d,
    )
    text = worded(
        code,
        wording=wording,
        estimate=estimate.estimate,
        interval=strict,
        confidence=confidence,
        worthwhile=d,
        more=more_units(estimate.n, estimate.se, d, confidence),
    )
    return Verdict(estimate.arm, code, text)


def _better(outcome: Outcome, *, live: bool) -> str | None:
    if outcome.better is not None:
        return str(outcome.better)
    contact = bool(outcome.event) and set(outcome.event) <= _CONTACT
    return "lower" if live and contact and outcome.type is OutcomeType.TIME_TO_EVENT else None


def _followed(table: UnitTable, horizon: float | None) -> int | None:
    """Units followed to the horizon, or in touch before it where only that is known."""
    if table.time is None or table.event is None or horizon is None:
        return None
    if table.follow_up is not None:
        return int((table.follow_up >= horizon).sum())
    return int((table.event | (table.time >= horizon)).sum())


def _population(unit: str, *, live: bool) -> str:
    if live:
        return f"every {unit} allocated in a posted batch, in the arm drawn (intention to treat)"
    return f"every {unit} of the file with a known outcome, in the arm recorded"


def _estimand(outcome: Outcome, horizon: float | None, unit: str) -> str:
    what = " or ".join(outcome.event) if outcome.event else outcome.id.replace("_", " ")
    span = "" if horizon is None else f" within {horizon:g} {outcome.time_unit}s"
    if outcome.type is OutcomeType.TIME_TO_EVENT:
        return f"difference in mean time to {what}, counting those without it{span} as {horizon:g}, arm less reference"
    if outcome.type is OutcomeType.PROPORTION:
        return f"difference in the share with {what}{span}, arm less reference"
    if outcome.type is OutcomeType.RATE:
        return f"ratio of the rates of {what}, arm over reference"
    return f"difference in mean {what} per {unit}, arm less reference"


def _notes(comparisons: Sequence[Comparison], better: str | None, outcome: Outcome, randomised: str) -> tuple[str, ...]:
    notes = [
        f"{outcome.id}: {item.strata_dropped} strata hold only one of {item.arm} and {item.reference}, "
        "and have no weight in their comparison."
        for item in comparisons
        if item.strata_dropped
    ]
    if outcome.primary and better is None:
        notes.append(f"{outcome.id}: no verdict, because the plan does not say whether lower or higher is better.")
    if outcome.primary and randomised != "yes":
        notes.append(f"{outcome.id}: no verdict, because nobody says that the arms were drawn by chance.")
    return tuple(notes)
