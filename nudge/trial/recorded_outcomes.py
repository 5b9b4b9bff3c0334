"""One outcome of a recorded plan, read from the data: a value for each unit, or the reason why there is none.

Rules of the trial §1: day 0, the horizon, what blanks mean, which units an outcome leaves, each counted by arm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from nudge.base.errors import Place
from nudge.experiment.definition import Outcome, OutcomeType, RecordedExperiment
from nudge.trial.recorded_codes import RecordedCode, counted
from nudge.trial.recorded_columns import Columns
from nudge.trial.recorded_measured import (
    AT_OR_BEFORE_START,
    BASELINE_BLANK,
    DURATION_BLANK,
    EXPOSURE_BLANK,
    HAPPENED_BLANK,
    NOT_YET_FOLLOWED,
    OUTCOME_BLANK,
    START_BLANK,
    Measured,
)
from nudge.trial.recorded_sums import measure_percentile, measure_ratio
from nudge.trial.recorded_units import Units
from nudge.uplift.units import BoolArray, FloatArray, IntArray

DAYS: Final[Mapping[str, float]] = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
_ONE_COLUMN: Final = (
    *("start", "duration", "happened", "column", "exposure", "baseline", "baseline_exposure"),
    *("over", "upper", "counts"),
)


def columns_named(experiment: RecordedExperiment) -> dict[str, str]:
    """Every column of the data that a plan names, with the key that names it first."""
    data = experiment.data
    found: dict[str, str] = {data.arm: "data.arm"}
    for key in ("unit", "cluster", "pair", "batch", "period", "received", "spent"):
        if (heading := getattr(data, key)) is not None:
            found.setdefault(heading, f"data.{key}")
    for heading in data.strata:
        found.setdefault(heading, "data.strata")
    for outcome in experiment.outcomes:
        for key in _ONE_COLUMN:
            if (heading := getattr(outcome, key)) is not None:
                found.setdefault(heading, f"{outcome.id}.{key}")
        for key in ("event", "competing"):
            for heading in getattr(outcome, key):
                found.setdefault(heading, f"{outcome.id}.{key}")
    for key in ("covariates", "subgroups"):
        for heading in getattr(experiment.analysis, key):
            found.setdefault(heading, f"analysis.{key}")
    return found


def measure(outcome: Outcome, units: Units, columns: Columns) -> Measured:
    """Read the outcome. What cannot be read is kept in `columns.problems`."""
    if outcome.type is OutcomeType.RATE:
        return _rate(outcome, units, columns)
    if outcome.type is OutcomeType.RATIO:
        return measure_ratio(outcome, units, columns)
    if outcome.type is OutcomeType.PERCENTILE:
        return measure_percentile(outcome, units, columns)
    if outcome.column is not None:
        return _value(outcome, units, columns)
    return _timed(outcome, units, columns)


# ---- a number or a yes in one column


def _value(outcome: Outcome, units: Units, columns: Columns) -> Measured:
    heading, missing = str(outcome.column), outcome.missing
    notes = []
    if outcome.type is OutcomeType.PROPORTION:
        values = columns.truths(heading, outcome.success, missing)
        blank = np.isnan(values)
        if outcome.success and not (values == 1).any():
            notes.append(f"{outcome.id}: no cell of {heading} is one of its success words.")
        if outcome.blank == "failure" and blank.any():
            values = np.where(blank, 0.0, values)
            notes.append(f"{outcome.id}: {int(blank.sum()):,} blank cells of {heading} count as no (blank: failure).")
    else:
        values = columns.numbers(heading, missing)
        blank = np.isnan(values)
    if outcome.absent is not None and blank.any():
        values = np.where(np.isnan(values), float(outcome.absent), values)
        notes.append(
            f"{outcome.id}: {int(blank.sum()):,} blank cells of {heading} count as {outcome.absent:g} (absent)."
        )
    after = ~units.before
    repeated = _one_row_each(units, columns, after)
    known = after & ~np.isnan(values)
    have = _any(units, known)
    unit = units.row_unit[known]
    fields: dict[str, Any] = {"y": values[known]}
    if outcome.baseline is not None or units.before.any():
        baseline, filled = _baseline(outcome, units, columns, values)
        fields["baseline"] = baseline[unit]
        if lacking := int(filled[np.unique(unit)].sum()):
            notes.append(f"{outcome.id}: {lacking:,} units without a baseline are given the mean of all the others.")
    return Measured(unit=unit, fields=fields, missing={OUTCOME_BLANK: ~have}, notes=tuple(notes), repeated=repeated)


def _one_row_each(units: Units, columns: Columns, after: BoolArray) -> bool:
    """Whether units have several rows told apart by period; refused where nothing tells them apart."""
    if not units.named:
        return False
    key = units.row_unit if units.period is None else units.row_unit * (int(units.period.max()) + 1) + units.period
    rows = np.flatnonzero(after)
    _, first, inverse = np.unique(key[rows], return_index=True, return_inverse=True)
    second = np.flatnonzero(first[inverse] != np.arange(rows.size))
    if second.size:
        code = RecordedCode.SECOND_ROW if units.period is None else RecordedCode.PERIOD_TWICE
        at = (int(rows[first[inverse[second[0]]]]), int(rows[second[0]]))
        numbers = " and ".join(str(columns.cells.rows[row]) for row in at)
        count = counted(np.unique(units.row_unit[rows[second]]).size, "unit")
        problem = code.at(Place(columns.cells.name), count=count, rows=numbers)
        if problem not in columns.problems:
            columns.problems.append(problem)
    return bool(np.bincount(units.row_unit[rows], minlength=len(units)).max(initial=0) > 1)


def _baseline(outcome: Outcome, units: Units, columns: Columns, values: FloatArray) -> tuple[FloatArray, BoolArray]:
    """What each unit's outcome was before, and where the mean of all stands in for it."""
    if outcome.baseline is not None:
        own = _mean_by(units.row_unit, columns.numbers(outcome.baseline, outcome.missing), len(units))
    else:
        site = units.site
        before = np.where(units.before, values, np.nan)
        own = _mean_by(site[units.row_unit], before, int(site.max()) + 1)[site]
    blank = np.isnan(own)
    middle = float(own[~blank].mean()) if (~blank).any() else 0.0
    return np.where(blank, middle, own), blank


def _mean_by(codes: IntArray, values: FloatArray, size: int) -> FloatArray:
    known = ~np.isnan(values)
    total = np.bincount(codes[known], weights=values[known], minlength=size)
    number = np.bincount(codes[known], minlength=size)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _any(units: Units, rows: BoolArray) -> BoolArray:
    """Units with at least one such row."""
    return np.bincount(units.row_unit[rows], minlength=len(units)) > 0


# ---- counts over exposure, added up


def _rate(outcome: Outcome, units: Units, columns: Columns) -> Measured:
    missing = outcome.missing
    count = columns.not_negative(str(outcome.column), columns.numbers(str(outcome.column), missing))
    if outcome.absent is not None:
        count = np.where(np.isnan(count), float(outcome.absent), count)
    exposure = np.ones(count.size)
    if outcome.exposure is not None:
        exposure = columns.above_zero(outcome.exposure, columns.numbers(outcome.exposure, missing))
    by_site = bool(units.before.any()) and not units.named
    holder = units.site if by_site else np.arange(len(units))
    row = holder[units.row_unit]
    size = int(holder.max()) + 1
    reasons = {OUTCOME_BLANK: np.isnan(count), EXPOSURE_BLANK: np.isnan(exposure)}
    known = ~units.before & ~np.isnan(count) & ~np.isnan(exposure)
    fields: dict[str, Any] = {
        "count": np.bincount(row[known], weights=count[known], minlength=size),
        "exposure": np.bincount(row[known], weights=exposure[known], minlength=size),
    }
    have = np.bincount(row[known], minlength=size) > 0
    based = have.copy()
    if outcome.baseline is not None:
        earlier = columns.not_negative(outcome.baseline, columns.numbers(outcome.baseline, missing))
        spent = np.ones(count.size)
        if outcome.baseline_exposure is not None:
            spent = columns.above_zero(outcome.baseline_exposure, columns.numbers(outcome.baseline_exposure, missing))
        known = ~np.isnan(earlier) & ~np.isnan(spent)
    else:
        earlier, spent, known = count, exposure, units.before & ~np.isnan(count) & ~np.isnan(exposure)
    if outcome.baseline is not None or units.before.any():
        fields["baseline"] = np.bincount(row[known], weights=earlier[known], minlength=size)
        fields["baseline_exposure"] = np.bincount(row[known], weights=spent[known], minlength=size)
        based = np.bincount(row[known], minlength=size) > 0
    inside = have & based
    first = np.full(size, -1)
    counted = np.flatnonzero(units.counted)[::-1]
    first[holder[counted]] = counted  # the first unit stands for its site
    inside &= first >= 0
    unit = first[inside]
    lacking = ~have[holder]
    reason_of = {reason: lacking & _any(units, ~units.before & marked) for reason, marked in reasons.items()}
    reason_of[EXPOSURE_BLANK] &= ~reason_of[OUTCOME_BLANK]
    reason_of[OUTCOME_BLANK] |= lacking & ~reason_of[EXPOSURE_BLANK]
    reason_of[BASELINE_BLANK] = have[holder] & ~based[holder]
    return Measured(unit=unit, fields={name: values[inside] for name, values in fields.items()}, missing=reason_of)


# ---- when it happened


@dataclass(frozen=True, kw_only=True)
class _Times:
    """By unit, in the outcome's time unit: the first event (infinite: none), the end of follow-up (NaN: unknown)."""

    at: FloatArray
    end: FloatArray
    competing: FloatArray | None
    missing: dict[str, BoolArray]
    notes: tuple[str, ...] = ()
    day0: tuple[date, date] | None = None
    after_day0: FloatArray | None = None


def _timed(outcome: Outcome, units: Units, columns: Columns) -> Measured:
    times = _dated(outcome, units, columns) if outcome.start is not None else _lasting(outcome, units, columns)
    missing = dict(times.missing)
    gone = np.logical_or.reduce(list(missing.values()))
    event = times.at <= np.where(np.isnan(times.end), np.inf, times.end)
    fields: dict[str, Any]
    if outcome.type is OutcomeType.PROPORTION:
        within = float(outcome.within or 0)
        inside = event & (times.at <= within)
        followed = np.where(np.isnan(times.end), True, times.end >= within)
        missing[NOT_YET_FOLLOWED] = missing.get(NOT_YET_FOLLOWED, gone & False) | (~gone & ~followed)
        known = ~gone & followed
        fields = {"y": inside[known].astype(np.float64)}
    else:
        known = ~gone
        fields = {"time": np.where(event, times.at, times.end)[known], "event": event[known]}
        if not np.isnan(times.end[known]).any():
            fields["follow_up"] = times.end[known]
        if times.competing is not None:
            fields["competing"] = times.competing[known]
    return Measured(
        unit=np.flatnonzero(known),
        fields=fields,
        missing=missing,
        notes=times.notes,
        day0=times.day0,
        after_day0=times.after_day0,
    )


def _dated(outcome: Outcome, units: Units, columns: Columns) -> _Times:
    scale, n = DAYS[outcome.time_unit], len(units)
    own = columns.days(str(outcome.start), outcome.missing)
    start = _first(units.row_unit, own, n)
    _same_start(str(outcome.start), units, columns, own, start)
    after_day0 = None
    if units.batch is not None:
        own_start = start
        first = _first(units.batch, start, int(units.batch.max()) + 1)
        start = first[units.batch]
        after_day0 = own_start - start
    blank = np.isnan(start)
    _blank_everywhere(str(outcome.start), units, columns, blank & units.counted & units.kept)
    event_days = columns.days(outcome.event[0], outcome.missing)
    after = (event_days - start[units.row_unit]) / scale
    at, early = _first_event(units, np.where(units.before, np.nan, after), repeats=bool(outcome.repeats))
    end = np.full(n, np.inf)
    if outcome.data_cut is not None:
        end = (outcome.data_cut.toordinal() - start) / scale
    if outcome.follow_up is not None:
        end = np.minimum(end, float(outcome.follow_up))
    end = np.where(blank, np.nan, end)
    missing = {START_BLANK: blank, AT_OR_BEFORE_START: early & ~blank}
    missing[NOT_YET_FOLLOWED] = ~blank & ~early & (np.nan_to_num(end) <= 0)
    competing = None
    if outcome.competing:
        several = [columns.days(heading, outcome.missing) for heading in outcome.competing]
        earliest = np.fmin.reduce(several)
        first_competing = _first(units.row_unit, (earliest - start[units.row_unit]) / scale, n)
        competing = np.where(np.isnan(first_competing), np.inf, np.maximum(first_competing, 0.0))
    late = int((np.isfinite(at) & (at > end)).sum())
    cut = "the data cut" if outcome.follow_up is None else "the end of follow-up"
    notes = (f"{outcome.id}: {late:,} events after {cut} are not counted.",) if late else ()
    days = start[~blank & units.counted]
    return _Times(
        at=at,
        end=end,
        competing=competing,
        missing=missing,
        notes=notes,
        day0=(date.fromordinal(int(days.min())), date.fromordinal(int(days.max()))) if days.size else None,
        after_day0=after_day0,
    )


def _same_start(heading: str, units: Units, columns: Columns, own: FloatArray, start: FloatArray) -> None:
    differing = np.flatnonzero(~np.isnan(own) & (own != start[units.row_unit]))
    if differing.size:
        one = int(differing[0])
        other = int(np.flatnonzero((units.row_unit == units.row_unit[one]) & (own == start[units.row_unit[one]]))[0])
        rows = sorted((columns.cells.rows[one], columns.cells.rows[other]))
        columns.problems.append(
            RecordedCode.UNIT_DISAGREES.at(
                columns.cells.place(heading),
                key="start",
                count=counted(np.unique(units.row_unit[differing]).size, "unit"),
                rows=f"{rows[0]} and {rows[1]}",
            )
        )


def _blank_everywhere(heading: str, units: Units, columns: Columns, blank: BoolArray) -> None:
    counts = np.bincount(units.arm[blank], minlength=len(units.arms))
    if not counts.any() or counts.all():
        return
    said = ", ".join(f"{n:,} units of {arm}" for arm, n in zip(units.arms, counts.tolist(), strict=True) if n)
    columns.problems.append(RecordedCode.START_BLANK_IN_SOME_ARMS.at(columns.cells.place(heading), blank=said))


def _lasting(outcome: Outcome, units: Units, columns: Columns) -> _Times:
    n = len(units)
    duration = columns.not_negative(str(outcome.duration), columns.numbers(str(outcome.duration), outcome.missing))
    happened = columns.truths(str(outcome.happened), outcome.success, outcome.missing)
    usable = ~units.before & ~np.isnan(duration) & ~np.isnan(happened)
    yes = usable & (happened == 1)
    at, early = _first_event(units, np.where(yes, duration, np.nan), repeats=bool(outcome.repeats))
    end = -_first(units.row_unit, np.where(usable & (happened == 0), -duration, np.nan), n)
    if outcome.follow_up is not None:
        end = np.full(n, float(outcome.follow_up))
    have = _any(units, usable)
    no_duration = ~have & _any(units, np.isnan(duration))
    missing = {
        DURATION_BLANK: no_duration,
        HAPPENED_BLANK: ~have & ~no_duration,
        AT_OR_BEFORE_START: have & early,
        NOT_YET_FOLLOWED: have & ~early & ~np.isfinite(at) & ~(np.nan_to_num(end) > 0),
    }
    competing = None
    if outcome.competing:
        several = [columns.numbers(heading, outcome.missing) for heading in outcome.competing]
        first = _first(units.row_unit, np.fmin.reduce(several), n)
        competing = np.where(np.isnan(first), np.inf, np.maximum(first, 0.0))
    return _Times(at=at, end=end, competing=competing, missing=missing)


def _first(codes: IntArray, values: FloatArray, size: int) -> FloatArray:
    """The smallest value of each code, NaN where it has none."""
    found = np.full(size, np.inf)
    known = ~np.isnan(values)
    np.minimum.at(found, codes[known], values[known])
    return np.where(np.isinf(found), np.nan, found)


def _first_event(units: Units, after: FloatArray, *, repeats: bool) -> tuple[FloatArray, BoolArray]:
    """Each unit's first event after day 0 (infinite: none), and the units never at risk (rules §1).

    Where every event is on file, those on day 0 or before are passed over; where one was kept, its unit leaves.
    """
    early = ~np.isnan(after) & (after <= 0)
    if repeats:
        after, early = np.where(early, np.nan, after), np.zeros_like(early)
    first = _first(units.row_unit, after, len(units))
    return np.where(np.isnan(first), np.inf, first), _any(units, early)
