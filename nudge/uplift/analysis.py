"""One outcome of a trial, from its units to its verdict, by the default table of TRIAL-RULES §5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.base.errors import Place, Refused
from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.arms import arm_results
from nudge.uplift.clusters import constant
from nudge.uplift.codes import UpliftCode
from nudge.uplift.comparison import Comparison, Row, replace_table
from nudge.uplift.context import Context
from nudge.uplift.estimate import Estimate, Flag, Role
from nudge.uplift.factorial import Factors, main_effects
from nudge.uplift.facts import NO_FACTS, Facts
from nudge.uplift.finishing import Settings, across_arms, finished, own_p, tested
from nudge.uplift.outcome_rows import Plan, headline_row, noted, secondary_rows, sensitivity_rows
from nudge.uplift.panels import panels
from nudge.uplift.results import OutcomeResult
from nudge.uplift.units import Counts, UnitTable
from nudge.uplift.verdict import Verdict, Wording, judge, more_units, oriented, worded, worthwhile_size

_CONTACT: Final = frozenset({"contact", "payment"})


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
    primaries: int = 1,
    facts: Facts = NO_FACTS,
    headline_only: bool = False,
) -> OutcomeResult:
    """Every arm's figures, every arm against the table's first, and the verdict of a primary outcome.

    `assignment` is the draw of all arms' clusters; a live trial without it keeps the Wald p, flagged; for recorded
    data arms are then held to have been drawn in fixed numbers within strata. `smallest_worthwhile` is in the
    outcome's own unit (pence, fractions, its time unit). `redraw_key`: 16 bytes. `weigh="cluster"` counts each
    cluster once; `adjust="headline"` was sealed and puts the adjusted row first; `money`: y is in pence.
    `primaries` is how many primary outcomes share `multiplicity` (`across_outcomes` then adjusts their p-values);
    several without a rule have no verdict. `facts` serves the panels, names a hold-out, and says whether a factorial
    trial leads with its main effects. `headline_only` leaves out whatever stands beside the headline and its verdict,
    for trials that are invented by the hundred. Raises Refused where the horizon
    reaches beyond the follow-up of an arm, or no unit has the outcome.
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
    plan = Plan(
        kind=outcome.type,
        horizon=horizon or 0.0,
        weigh_clusters=weigh == "cluster",
        adjusted=adjust == "headline",
        key=redraw_key,
        redraws=redraws,
    )
    main = everyone.primary_only()
    if assignment is None and not live and not settings.needs_units:
        main, assignment = _as_recorded(main)
    factors = facts.factors if facts.factorial == "main_effects" else {}
    effects = main_effects(main, assignment, factors)
    cells = [Comparison.of(main, arm, assignment) for arm in main.arms[1:] if arm not in facts.hold_out]
    comparisons = [effect.comparison for effect in effects] or cells
    rows = [
        tested(item, [headline_row(item, plan), *(() if headline_only else secondary_rows(item, plan))], settings)
        for item in comparisons
    ]
    shared = primaries if outcome.primary and multiplicity == "holm" else 1
    headline = across_arms(
        [finished(item, row[0], Role.HEADLINE, settings) for item, row in zip(comparisons, rows, strict=True)],
        [row[0] for row in rows],
        primaries=shared,
    )
    beside = [
        finished(item, one, Role.SECONDARY, settings)
        for item, row in zip(comparisons, rows, strict=True)
        for one in row[1:]
    ]
    late: list[Comparison] = []
    if len(everyone) > len(main):
        late = [effect.comparison for effect in main_effects(everyone, None, factors)]
        late = late or [Comparison.of(everyone, item.arm, None) for item in comparisons]
    for item, with_late in () if headline_only else zip_longest(comparisons, late):
        for role, of, row in sensitivity_rows(item, with_late, plan):
            beside.append(finished(of, own_p(row, settings), role, settings))
    for item in comparisons if live and main.pair is not None and not headline_only else ():
        whole = replace_table(item, replace(item.table, pair=None))
        row = noted(headline_row(whole, plan), "not paired, clusters without a partner counted")
        beside.append(finished(whole, own_p(row, settings), Role.SENSITIVITY, settings))
    for item in () if headline_only else _joined(main, assignment, factors, facts.hold_out):
        row = noted(headline_row(item, plan), "clusters found to be one counted whole, in the arm of that one")
        beside.append(finished(item, own_p(row, settings), Role.SENSITIVITY, settings))
    if effects:
        headline = [replace(item, contrast=effect.told) for item, effect in zip(headline, effects, strict=True)]
        told = {(effect.comparison.arm, effect.comparison.reference): effect.told for effect in effects}
        beside = [replace(item, contrast=told[item.arm, item.reference]) for item in beside]
        for item in () if headline_only else cells:
            [row] = tested(item, [headline_row(item, plan)], settings)
            beside.append(finished(item, noted(row, "this arm alone"), Role.SECONDARY, settings))
    beside.sort(key=lambda item: list(Role).index(item.role))
    better = _better(outcome, live=live)
    verdicts: tuple[Verdict, ...] = ()
    if outcome.primary and randomised == "yes" and better is not None and (primaries == 1 or multiplicity is not None):
        wording = Wording(
            measure=headline[0].measure, horizon=horizon, time_unit=outcome.time_unit, unit=unit, money=money
        )
        verdicts = tuple(
            _verdict(item, row[0], better, smallest_worthwhile, wording)
            for item, row in zip(headline, rows, strict=True)
        )
    context = Context(
        outcome=outcome,
        table=main,
        comparisons=comparisons,
        rows=[row[0] for row in rows],
        headline=headline,
        plan=plan,
        settings=settings,
        better=better,
        smallest_worthwhile=smallest_worthwhile,
        unit=unit,
        money=money,
        facts=facts,
        assignment=assignment,
    )
    return OutcomeResult(
        id=outcome.id,
        type=outcome.type.value,
        primary=outcome.primary,
        better=better,
        population=_population(unit, live=live),
        estimand=_estimand(outcome, horizon, unit),
        unit=unit,
        time_unit=outcome.time_unit if horizon is not None else None,
        horizon=horizon,
        followed_to_horizon=_followed(main, horizon),
        competing=tuple(outcome.competing),
        smallest_worthwhile=smallest_worthwhile,
        verdict=verdicts,
        arms=()
        if headline_only
        else arm_results(main, outcome.type.value, horizon=horizon, time_unit=outcome.time_unit, confidence=confidence),
        estimates=(*headline, *beside),
        panels={} if headline_only else panels(context),
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


def _joined(
    table: UnitTable, assignment: Assignment | None, factors: Factors, hold_out: Sequence[str]
) -> list[Comparison]:
    """The comparisons with clusters found to be one in one arm; none where none were (rules §2)."""
    if assignment is None or table.joined is None or bool((table.joined == table.drawn_codes).all()):
        return []
    whole = replace(
        table,
        arm=assignment.arm[table.joined].astype(np.int64),
        stratum=None if table.stratum is None else assignment.stratum[table.joined].astype(np.int64),
        drawn=table.joined,
    )
    effects = [effect.comparison for effect in main_effects(whole, assignment, factors)]
    return effects or [Comparison.of(whole, arm, assignment) for arm in whole.arms[1:] if arm not in hold_out]


def _verdict(estimate: Estimate, row: Row, better: str, worthwhile: float | None, wording: Wording) -> Verdict:
    confidence, measure = estimate.confidence, estimate.measure
    strict = estimate.simultaneous or estimate.ci
    inner = row.limits(row.critical(1 - 2 * (1 - confidence))) if row.limits is not None else None
    d = worthwhile_size(worthwhile, better=better, measure=measure)
    code = judge(
        strict=oriented(strict, better=better, measure=measure),
        plain=oriented(inner, better=better, measure=measure),
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
        inner=inner,
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
    if outcome.type is OutcomeType.RATIO:
        return f"difference in the sum of {outcome.column} over the sum of {outcome.over}, arm less reference"
    if outcome.type is OutcomeType.PERCENTILE:
        return f"difference in the sites' percentile {outcome.percentile:g} of {outcome.column}, arm less reference"
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
