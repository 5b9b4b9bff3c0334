"""Who of a batch gets a letter of a wave today, who is withheld, and to whom none is due; the same in every arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Refused
from nudge.base.files import private_folder
from nudge.experiment.conditions import compile_condition
from nudge.experiment.definition import Wave
from nudge.intake.extract import Tenancy, read_extract
from nudge.intake.mapping import ColumnMapping, load_mappings
from nudge.intake.rejects import write_rejects
from nudge.intake.suppression import SuppressionList
from nudge.intake.telling import rows_refused
from nudge.records.tables import BatchRow
from nudge.trial.batches import BatchRecords, batch_place, by_unit
from nudge.trial.codes import TrialCode
from nudge.trial.gate import withheld_because
from nudge.trial.handle import Trial
from nudge.trial.sealing import read_secret
from nudge.trial.units import exclusion, tenancy_of, unit_code, with_bands

EXTRACT_DAYS: Final = 7


@dataclass(frozen=True, kw_only=True)
class Due:
    """By unit: the tenancy to write to, why a letter is withheld, why none is due. `as_of` dates the facts printed."""

    write: Mapping[str, Tenancy]
    withheld: Mapping[str, str]
    skipped: Mapping[str, str]
    as_of: date


@dataclass(frozen=True, kw_only=True)
class Facts:
    """This week's extract for a later letter: `as_of` where the file does not state its day."""

    extract: Path
    mapping: ColumnMapping | None = None
    as_of: date | None = None
    accept_good_rows: bool = False
    dry_run: bool = False


def due_first(trial: Trial, held: BatchRecords, suppression: SuppressionList, today: date) -> Due:
    """First letters, on the facts of the enrolment. A unit whose names were erased since gets none."""
    write: dict[str, Tenancy] = {}
    withheld: dict[str, str] = {}
    everybody, everything = by_unit(held.recipients), by_unit(held.events)
    for unit, row in held.units.items():
        people = everybody[unit]
        if not people:
            withheld[unit] = "erased"
        elif reason := withheld_because(people[0].tenancy_reference, everything[unit], suppression, today):
            withheld[unit] = reason
        else:
            write[unit] = tenancy_of(row, people, trial.experiment.kinds)
    return Due(write=write, withheld=withheld, skipped={}, as_of=date.fromordinal(held.batch.as_of))


def due_later(
    trial: Trial, rule: Wave, held: BatchRecords, suppression: SuppressionList, facts: Facts, today: date
) -> Due:
    """Letters of a later wave: the same rule in every arm, from this week's extract.

    Written to is who has done none of `unless` since day 0 and still owes. Refused before the wave is due, where the
    extract is future-dated or older than a week, and where rows cannot be read: a unit among them would silently get
    no letter.
    """
    batch, experiment = held.batch, trial.experiment
    day = due_on(rule, batch)
    if day is None or batch.day0 is None:
        raise Refused(TrialCode.NOT_POSTED_YET.at(batch_place(trial, batch.number), batch=f"{trial.id}/{batch.number}"))
    if today < day:
        raise Refused(TrialCode.NOTHING_DUE.at(batch_place(trial, batch.number), day=day.isoformat()))
    secret = read_secret(trial)
    learnt = facts.mapping or load_mappings(trial.workspace.mappings).get("extract")
    spool = private_folder(trial.workspace.folder / "data")
    with read_extract(facts.extract, experiment.columns, learnt, spool=spool) as reading:
        as_of = facts.as_of or reading.as_of or today
        check_extract_date(facts.extract, as_of, today)
        if reading.rejects and not facts.accept_good_rows:
            file = trial.workspace.out(trial.id) / "rejects.csv"
            if not facts.dry_run:
                write_rejects(file, reading.rejects)
            why = TrialCode.ROWS_REJECTED.at(Place(reading.name), count=reading.rejected, rows=reading.rows, file=file)
            raise rows_refused(why, reading.name, reading.rejects)
        on_file = {unit_code(secret, tenancy.reference): tenancy for tenancy in reading.tenancies()}
    eligible = compile_condition(experiment.eligible, experiment.kinds)
    named, everything = {person.unit for person in held.recipients}, by_unit(held.events)
    write: dict[str, Tenancy] = {}
    withheld: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for unit in held.units:
        events = everything[unit]
        done = [event for event in events if event.kind in rule.unless and event.on_day > batch.day0]
        tenancy = on_file.get(unit)
        if unit not in named:
            skipped[unit] = "erased"
        elif done:
            skipped[unit] = min(done, key=lambda event: event.on_day).kind
        elif tenancy is None:
            skipped[unit] = "not_in_extract"
        elif reason := exclusion(experiment, with_bands(experiment, tenancy.values)):
            skipped[unit] = reason
        elif eligible.holds(_without_text(with_bands(experiment, tenancy.values), experiment.kinds)) is False:
            skipped[unit] = "not_eligible"
        elif stop := withheld_because(tenancy.reference, events, suppression, today):
            withheld[unit] = stop
        elif tenancy.deceased:
            withheld[unit] = "deceased"
        else:
            write[unit] = tenancy
    return Due(write=write, withheld=withheld, skipped=skipped, as_of=as_of)


def due_on(wave: Wave, batch: BatchRow) -> date | None:
    """The day on which a batch's letters of a later wave fall due: from day 0, the same in every arm."""
    return None if batch.day0 is None else date.fromordinal(batch.day0) + timedelta(days=wave.after)


def wave_named(trial: Trial, wave: str) -> Wave:
    """The rule of a later wave. Refused, with those there are, where the trial has no such one."""
    for rule in trial.experiment.waves:
        if rule.id == wave:
            return rule
    known = ", ".join(("first", *(rule.id for rule in trial.experiment.waves)))
    raise Refused(TrialCode.WAVE_UNKNOWN.at(trial.place, known=known))


def check_extract_date(path: Path, day: date, today: date) -> None:
    """Refuse an extract that is dated in the future, or more than 7 days ago: letters would speak of old balances."""
    if day > today:
        raise Refused(TrialCode.EXTRACT_FUTURE.at(Place(str(path))))
    if (today - day).days > EXTRACT_DAYS:
        raise Refused(TrialCode.EXTRACT_OLD.at(Place(str(path))))


def _without_text(values: Mapping[str, Value], kinds: Mapping[str, Kind]) -> dict[str, Value]:
    """Values with text left unknown: after the first letter a stage moves on by itself, amounts still decide."""
    return {name: None if kinds.get(name) is Kind.TEXT else value for name, value in values.items()}
