"""A trial that somebody else ran, analysed from their data: one plan, one table, one summary.

No workspace, no database, no letters. Rules of the trial §1 and §6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.allocation.streams import redraw_key
from nudge.base.errors import Place, Problem, Refused
from nudge.experiment.definition import Outcome, RecordedExperiment
from nudge.experiment.loader import Loaded, define, load
from nudge.experiment.seal import definition_hash
from nudge.reports.summary import ArmCount, Checks, Flow, Header, Summary, assemble
from nudge.trial.recorded_cells import Cells, read_cells
from nudge.trial.recorded_codes import RecordedCode
from nudge.trial.recorded_columns import Columns
from nudge.trial.recorded_delivery import after_draw, delivered
from nudge.trial.recorded_measured import AT_OR_BEFORE_START, SPANNING, Measured
from nudge.trial.recorded_outcomes import columns_named, measure
from nudge.trial.recorded_sequences import drawn_sequences
from nudge.trial.recorded_series import series_periods
from nudge.trial.recorded_units import Units, drawn_word, read_units
from nudge.trial.stored import Stored
from nudge.uplift.analysis import analyse_outcome
from nudge.uplift.checks import balance, missing_by_arm
from nudge.uplift.estimate import Estimate, Flag, Role
from nudge.uplift.facts import Facts
from nudge.uplift.results import OutcomeResult
from nudge.uplift.units import FloatArray, IntArray, Subgroup, UnitTable

MOST_WORDS: Final = 20  # different words in a covariate that is no number
_APART: Final = 1.0  # days between the arms' median postings at which a reader is told


def analyse(
    experiment: RecordedExperiment | Mapping[str, Any] | Path | str,
    data: Any,
    *,
    redraws: int = 9_999,
    as_of: date | None = None,
) -> Summary:
    """The summary document of a recorded trial.

    `experiment` is a plan, the values of one, or its file; `data` a CSV (gzipped too) or XLSX file, or a pandas,
    polars or Arrow table. `redraws` bounds the randomisation test. Raises Refused with everything wrong at once.
    """
    plan, loaded = _plan(experiment)
    read = _read(plan, read_cells(data, columns_named(plan)))
    measured = [measure(outcome, read.units, read.columns) for outcome in plan.outcomes]
    Refused.when(read.columns.problems)
    results: list[OutcomeResult] = []
    problems: list[Problem] = []
    for number, (outcome, found) in enumerate(zip(plan.outcomes, measured, strict=True)):
        try:
            results.append(_finished(_analysed(read, outcome, found, redraws), read, outcome, found, redraws))
        except Refused as refusal:
            problems += [_placed(problem, loaded, number, outcome) for problem in refusal.problems]
    Refused.when(problems)
    return assemble(_header(read, measured, results, as_of), results)


def analyse_stored(
    plan: RecordedExperiment, cells: Cells, stored: Stored, *, redraws: int
) -> tuple[tuple[Measured, ...], tuple[OutcomeResult, ...]]:
    """Every outcome of a trial that was drawn here, as of a recorded plan, but against the draw on record.

    Raises Refused with what makes an outcome impossible to estimate.
    """
    read = _read(plan, cells, stored)
    measured = tuple(measure(outcome, read.units, read.columns) for outcome in plan.outcomes)
    Refused.when(read.columns.problems)
    results = tuple(
        _analysed(read, outcome, found, redraws) for outcome, found in zip(plan.outcomes, measured, strict=True)
    )
    return measured, results


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A plan and its data, read: who was in the trial, and what was drawn."""

    plan: RecordedExperiment
    columns: Columns
    units: Units
    covariates: Mapping[str, FloatArray]
    subgroups: Mapping[str, Subgroup]
    drawn: str
    assignment: Assignment | None
    place: IntArray  # of each unit's cluster in the assignment
    key: str  # the definition's hash
    delivered: Mapping[str, Any]  # by unit
    times: IntArray | None  # by unit, its period's place in a series
    stored: Stored | None = None  # the draw itself, where it was made here


def _read(plan: RecordedExperiment, cells: Cells, stored: Stored | None = None) -> _Read:
    columns = Columns(cells, plan.data.missing)
    units = read_units(plan, columns)
    drawn = drawn_word(plan)
    assignment, place = units.assignment(drawn) if stored is None else stored.of(units, columns)
    covariates = [_covariate(heading, units, columns) for heading in plan.analysis.covariates]
    return _Read(
        plan=plan,
        columns=columns,
        units=units,
        covariates={name: values for found in covariates for name, values in found.items()},
        subgroups={heading: _subgroup(heading, units, columns) for heading in plan.analysis.subgroups},
        drawn=drawn,
        assignment=assignment,
        place=place,
        key=definition_hash(plan),
        delivered=delivered(plan, units, columns),
        times=series_periods(str(plan.data.period), units, columns)
        if plan.design.compare == "interrupted_series"
        else None,
        stored=stored,
    )


def _analysed(read: _Read, outcome: Outcome, found: Measured, redraws: int) -> OutcomeResult:
    plan = read.plan
    return analyse_outcome(
        outcome,
        _table(read, found),
        assignment=read.assignment,
        randomised=plan.design.randomised,
        confidence=plan.analysis.confidence,
        smallest_worthwhile=plan.worthwhile(outcome.id),
        multiplicity=plan.multiplicity,
        redraw_key=redraw_key(read.key) if read.stored is None else read.stored.key,
        redraws=redraws,
        live=read.stored is not None,
        unit="unit" if read.stored is None else read.stored.unit,
        weigh=plan.data.weigh,
        adjust=plan.analysis.adjust,
        primaries=sum(item.primary for item in plan.outcomes),
        facts=Facts.of(plan),
    )


def _plan(experiment: RecordedExperiment | Mapping[str, Any] | Path | str) -> tuple[RecordedExperiment, Loaded | None]:
    loaded = load(Path(experiment)) if isinstance(experiment, (str, Path)) else None
    if loaded is not None:
        plan: Any = loaded.experiment
    else:
        plan = define(experiment) if isinstance(experiment, Mapping) else experiment
    if not isinstance(plan, RecordedExperiment):
        place = Place("experiment") if loaded is None else loaded.place("design", "method")
        raise Refused(RecordedCode.NOT_RECORDED.at(place))
    return plan, loaded


def _placed(problem: Problem, loaded: Loaded | None, number: int, outcome: Outcome) -> Problem:
    """The problem at the line of the plan where its outcome's horizon stands."""
    if loaded is None or problem.place.source != outcome.id:
        return problem
    return replace(problem, place=loaded.place("outcomes", number, "horizon"))


def _table(read: _Read, found: Measured) -> UnitTable:
    units = read.units
    inside = units.kept & units.counted
    rows = inside[found.unit]
    unit = found.unit[rows]
    cluster = units.cluster
    if cluster is None and found.repeated:
        cluster = np.arange(len(units))
    missing = {**found.missing, SPANNING: ~units.kept}
    told = np.zeros(len(units), dtype=np.bool_)
    missing_by: dict[str, dict[str, int]] = {arm: {} for arm in units.arms}
    for reason in (SPANNING, *found.missing):
        marked = missing[reason] & units.counted & ~told
        told |= marked
        for code, n in enumerate(np.bincount(units.arm[marked], minlength=len(units.arms)).tolist()):
            if marked.any():
                missing_by[units.arms[code]][reason] = n
    assigned = np.bincount(units.arm[units.counted], minlength=len(units.arms))
    table = UnitTable(
        arms=units.arms,
        arm=units.arm[unit],
        stratum=None if units.stratum is None else units.stratum[unit],
        strata=units.strata,
        cluster=None if cluster is None else cluster[unit],
        drawn=read.place[unit],
        pair=None if units.pair is None else units.pair[unit],
        covariates={name: values[unit] for name, values in read.covariates.items()},
        subgroups={name: replace(found, codes=found.codes[unit]) for name, found in read.subgroups.items()},
        assigned=dict(zip(units.arms, assigned.tolist(), strict=True)),
        missing_by=missing_by,
        missing=None if found.repeated else _missing(read, found, cluster),
        **{name: values[unit] for name, values in read.delivered.items()},
        **{name: values[rows] for name, values in found.fields.items()},
    )
    if read.times is not None:
        table = replace(table, period=read.times[unit])
    return replace(table, **_sequenced(read, unit))


def _sequenced(read: _Read, unit: IntArray) -> dict[str, Any]:
    """The periods of units whose cluster had one arm after the other; they multiply the strata."""
    units = read.units
    if units.sequences is None or units.patterns is None or units.cluster is None or units.period is None:
        return {}
    periods = len(units.periods)
    layer = np.zeros(len(units), dtype=np.int64) if units.stratum is None else units.stratum
    of_cluster = np.zeros(units.sequences.size, dtype=np.int64)
    of_cluster[units.cluster] = layer
    names = units.strata if units.stratum is not None else ("",)
    return {
        "stratum": layer[unit] * periods + units.period[unit],
        "strata": tuple(f"{name}\t{when}".strip() for name in names for when in units.periods),
        "drawn": units.cluster[unit] if read.stored is None else read.place[unit],
        "period": units.period[unit],
        "sequences": read.stored.sequences
        if read.stored is not None and read.stored.sequences is not None
        else drawn_sequences(
            read.plan, units.sequences, units.patterns, units.periods, None if units.stratum is None else of_cluster
        ),
    }


def _missing(read: _Read, found: Measured, cluster: IntArray | None) -> UnitTable:
    """The units whose outcome nobody knows; those never at risk, or dropped whole, have none to know."""
    units = read.units
    lost = np.zeros(len(units), dtype=np.bool_)
    for reason, marked in found.missing.items():
        if reason != AT_OR_BEFORE_START:
            lost |= marked
    never = found.missing.get(AT_OR_BEFORE_START)
    lost &= units.kept & units.counted & (~never if never is not None else True)
    return UnitTable(
        arms=units.arms,
        arm=units.arm[lost],
        stratum=None if units.stratum is None else units.stratum[lost],
        cluster=None if cluster is None else cluster[lost],
    )


def _covariate(heading: str, units: Units, columns: Columns) -> dict[str, FloatArray]:
    """A column of numbers as it is; one of words as one column of 0 and 1 for each word but the first."""
    first = np.full(len(units), -1)
    first[units.row_unit[::-1]] = np.arange(len(units.row_unit))[::-1]
    told = len(columns.problems)
    numbers = columns.numbers(heading)
    if len(columns.problems) == told:
        return {heading: numbers[first]}
    del columns.problems[told:]
    words = columns.codes(heading)
    if len(words.words) > MOST_WORDS:
        columns.problems.append(
            RecordedCode.COVARIATE_TOO_WIDE.at(columns.cells.place(heading), limit=MOST_WORDS, count=len(words.words))
        )
    return {
        f"{heading}={word}": np.where(words.blank, np.nan, words.codes == number)[first]
        for number, word in enumerate(words.words)
        if number
    }


def _subgroup(heading: str, units: Units, columns: Columns) -> Subgroup:
    """A column of words, those of a unit's first row; a column with many is no subgroup."""
    found = columns.codes(heading)
    if len(found.words) > MOST_WORDS:
        place = columns.cells.place(heading)
        columns.problems.append(RecordedCode.SUBGROUP_TOO_WIDE.at(place, limit=MOST_WORDS, count=len(found.words)))
    first = np.full(len(units), -1)
    first[units.row_unit[::-1]] = np.arange(len(units.row_unit))[::-1]
    return Subgroup(codes=found.codes[first], levels=found.words)


def _finished(result: OutcomeResult, read: _Read, outcome: Outcome, found: Measured, redraws: int) -> OutcomeResult:
    """The result with what the trial has to say: its dates, and whether the arms were posted apart."""
    estimates = result.estimates
    if read.plan.design.compare == "interrupted_series":
        estimates = tuple(map(_without_test, estimates))
    if _posted_apart(read.units, found):
        estimates = tuple(
            replace(row, flags=(*row.flags, Flag.DISPATCH_DIFFERS_BY_ARM)) if row.role is Role.HEADLINE else row
            for row in estimates
        ) + _own_clocks(read, outcome, redraws)
    return replace(
        result,
        estimates=estimates,
        day0=None if found.day0 is None else [day.isoformat() for day in found.day0],
        data_cut=None if outcome.data_cut is None else outcome.data_cut.isoformat(),
    )


def _without_test(row: Estimate) -> Estimate:
    """What the arms differ by, and no more: one came after the other, so an interval would pass time off as chance."""
    return replace(
        row,
        se=None,
        df=None,
        ci=None,
        ci_method=None,
        simultaneous=None,
        statistic=None,
        p_value=None,
        p_method=None,
        redraws=None,
        p_adjusted=None,
        adjustment=None,
        flags=(*row.flags, Flag.TIME_IGNORED),
    )


def _posted_apart(units: Units, found: Measured) -> bool:
    """Whether the arms' median dates lie a day or more apart within some batch (rules §1)."""
    if units.batch is None or found.after_day0 is None:
        return False
    for batch in np.unique(units.batch):
        inside = (units.batch == batch) & ~np.isnan(found.after_day0)
        arms = np.unique(units.arm[inside])
        medians = [float(np.median(found.after_day0[inside & (units.arm == arm)])) for arm in arms]
        if medians and max(medians) - min(medians) >= _APART:
            return True
    return False


def _dispatch(units: Units, found: Measured) -> dict[str, Any] | None:
    """Units with a date of their own, without one, and the median day after day 0, by arm."""
    if found.after_day0 is None:
        return None
    told: dict[str, Any] = {}
    for code, arm in enumerate(units.arms):
        own = found.after_day0[(units.arm == code) & units.counted]
        days = own[~np.isnan(own)]
        median = float(np.median(days)) if days.size else None
        told[arm] = {"posted": int(days.size), "withheld": int(own.size - days.size), "median_day": median}
    return told


def _own_clocks(read: _Read, outcome: Outcome, redraws: int) -> tuple[Estimate, ...]:
    """The headline from each unit's own date instead of its batch's day 0: a sensitivity row and no more (rules §1)."""
    columns = Columns(read.columns.cells, read.columns.missing)
    found = measure(outcome, replace(read.units, batch=None), columns)
    if columns.problems:
        return ()  # an arm that got nothing has no dates of its own
    try:
        result = _analysed(read, outcome, found, redraws)
    except Refused:
        return ()
    return tuple(
        replace(row, role=Role.SENSITIVITY, method=f"{row.method}; each unit from its own date, not its batch's day 0")
        for row in result.headlines
    )


def _header(read: _Read, measured: Sequence[Measured], results: Sequence[OutcomeResult], as_of: date | None) -> Header:
    plan, units, cells = read.plan, read.units, read.columns.cells
    assigned = np.bincount(units.arm[units.counted], minlength=len(units.arms)).tolist()
    counts = {
        arm: ArmCount(arm=arm, assigned=n, clusters=clusters)
        for arm, n, clusters in zip(units.arms, assigned, units.clusters_by_arm(), strict=True)
    }
    main = next((result for result in results if result.primary), results[0])
    notes = [
        f"{n:,} {'line of the file is' if n == 1 else 'lines of the file are'} no data: {what}."
        for what, n in cells.dropped.items()
    ]
    for found, result in zip(measured, results, strict=True):
        notes += [*found.notes, *result.notes]
    dispatch = next((told for found in measured if (told := _dispatch(units, found)) is not None), None)
    return Header(
        experiment=plan.id,
        definition_hash=read.key,
        randomised=plan.design.randomised,
        drawn=read.drawn,
        arms=tuple(counts[arm] for arm in plan.arm_ids),
        as_of=as_of,
        multiplicity=plan.multiplicity,
        flow=Flow(
            rows=len(cells),
            eligible=int(units.counted.sum()),
            allocated=int(units.counted.sum()),
            analysed=sum(arm.n for arm in main.arms),
        ),
        checks=Checks(
            missing_by_arm=missing_by_arm(
                {arm.arm: arm.n_assigned for arm in main.arms}, {arm.arm: arm.missing for arm in main.arms}
            ),
            dispatch_by_arm=dispatch,
            balance=[
                balance(name, values[units.counted], units.arm[units.counted], units.arms)
                for name, values in read.covariates.items()
            ],
            after_draw=after_draw(read.delivered, units),
        ),
        notes=tuple(dict.fromkeys(notes)),
    )
