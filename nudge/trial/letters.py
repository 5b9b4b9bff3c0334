"""Letters of a batch: who gets one today, made, packed arm-blind, and recorded (I1, I4, I8, I11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Refused
from nudge.base.values import utc_text
from nudge.documents.batch import LetterFile, make_letters
from nudge.documents.letter import letter_reference
from nudge.documents.printpack import make_print_pack
from nudge.documents.templates import TemplateFolder
from nudge.experiment.conditions import compile_condition
from nudge.experiment.definition import Wave
from nudge.intake.extract import Tenancy, read_extract
from nudge.intake.mapping import ColumnMapping, load_mappings
from nudge.intake.suppression import SuppressionList
from nudge.records.store import append, audit, change, rows_of
from nudge.records.tables import AllocationRow, BatchRow, EventRow, PostingRow, RecipientRow, UnitRow
from nudge.trial.codes import TrialCode
from nudge.trial.gate import Listed, fresh_list, withheld_because
from nudge.trial.handle import Trial, require_seal
from nudge.trial.sealing import frozen_claims, read_secret
from nudge.trial.units import exclusion, specs_of, tenancy_of, unit_code, with_bands

FIRST: Final = "first"  # the wave of the first letter


@dataclass(frozen=True, kw_only=True)
class LettersMade:
    """What one run of letters came to. Counts are of letters; shows no arm (I8)."""

    batch: int
    wave: str
    folder: Path
    made: int
    kept: int
    withheld: Mapping[str, int]
    skipped: Mapping[str, int]
    print_files: tuple[Path, ...]
    manifest: Path | None


@dataclass(frozen=True, kw_only=True)
class _Due:
    """Who of a batch gets a letter of this wave, who does not and why."""

    write: Mapping[str, Tenancy]
    withheld: Mapping[str, str]
    skipped: Mapping[str, str]
    as_of: date


def make_batch_letters(
    trial: Trial,
    number: int,
    *,
    today: date,
    now: datetime,
    listed: Listed | None = None,
    wave: str = FIRST,
    extract: Path | None = None,
    mapping: ColumnMapping | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
) -> LettersMade:
    """Make the letters of one batch and wave, and its print pack. Run again, it finishes what was begun.

    A unit that came onto the suppression list, or was held, since the draw is withheld: no letter, still analysed.
    """
    seal = require_seal(trial)
    held = records_of(trial, number)
    batch, units, arms, recipients = held.batch, held.units, held.arms, held.recipients
    postings, events = held.postings, held.events
    if batch.status == "abandoned":
        raise Refused(TrialCode.BATCH_ABANDONED.at(batch_place(trial, number)))
    folder = trial.workspace.batch_folder(trial.id, number, None if wave == FIRST else wave)
    if wave == FIRST and batch.status == "posted":
        raise Refused(TrialCode.BATCH_POSTED.at(batch_place(trial, number), batch=f"{trial.id}/{number}"))
    suppression = fresh_list(batch, listed, today)
    if wave == FIRST:
        due = _due_first(trial, batch, units, recipients, suppression, events, today)
        templates = {arm.id: arm.letter for arm in trial.experiment.arms}
    else:
        rule = _wave(trial, wave)
        if extract is None:
            raise Refused(TrialCode.WAVE_NEEDS_EXTRACT.at(batch_place(trial, number)))
        due = _due_later(trial, rule, batch, units, postings, suppression, events, extract, mapping, today)
        templates = {arm.id: rule.letter for arm in trial.experiment.arms}
    secret = read_secret(trial)
    claims = frozen_claims(seal)
    letter_date = _letter_date(postings, wave, number, today)
    specs, owner = [], {}
    for unit, tenancy in due.write.items():
        template = templates[arms[units[unit].cluster]]
        if template is None:  # an arm that gets no letter
            continue
        for position, spec in enumerate(
            specs_of(
                trial,
                tenancy,
                template,
                secret=secret,
                claims=claims,
                as_of=due.as_of,
                letter_date=letter_date,
                wave=wave,
            ),
            start=1,
        ):
            specs.append(spec)
            owner[spec.reference] = (unit, position)
    result = LettersMade(
        batch=number,
        wave=wave,
        folder=folder,
        made=0,
        kept=0,
        withheld=Counter(due.withheld.values()),
        skipped=Counter(due.skipped.values()),
        print_files=(),
        manifest=None,
    )
    if dry_run or not specs:
        if not dry_run:
            _record(trial, batch, wave, (), {}, due, {}, today, now)
        return result
    made = make_letters(
        specs,
        TemplateFolder(trial.workspace.templates),
        trial.workspace.profile,
        folder,
        executor=executor,
        progress=progress,
    )
    refused = {owner[reference][0]: problems[0].code for reference, problems in made.refused.items()}
    kept = [letter for letter in made.letters if owner[letter.reference][0] not in refused]
    pack = make_print_pack(kept, specs, folder)
    _record(trial, batch, wave, kept, owner, due, refused, today, now)
    return LettersMade(
        batch=number,
        wave=wave,
        folder=folder,
        made=len(kept),
        kept=made.kept,
        withheld=Counter([*due.withheld.values(), *refused.values()]),
        skipped=result.skipped,
        print_files=pack.print_files,
        manifest=pack.manifest,
    )


def batches_to_letter(trial: Trial, wave: str, today: date) -> list[int]:
    """The batches that want letters of this wave today."""
    if wave == FIRST:
        return [batch.number for batch in trial.batches if batch.status in {"drawn", "lettered"}]
    rule = _wave(trial, wave)
    due = []
    for batch in trial.batches:
        if batch.status == "posted" and batch.day0 is not None and batch.day0 + rule.after <= today.toordinal():
            due.append(batch.number)
    if not due:
        days = [
            batch.day0 + rule.after for batch in trial.batches if batch.status == "posted" and batch.day0 is not None
        ]
        when = date.fromordinal(min(days)).isoformat() if days else "a posted batch"
        raise Refused(TrialCode.NOTHING_DUE.at(trial.place, day=when))
    return due


@dataclass(frozen=True, kw_only=True)
class BatchRecords:
    """All that is recorded of one batch; `arms` by cluster, of the whole trial."""

    batch: BatchRow
    units: Mapping[str, UnitRow]
    arms: Mapping[str, str]
    recipients: Sequence[RecipientRow]
    postings: Sequence[PostingRow]
    events: Sequence[EventRow]


def records_of(trial: Trial, number: int) -> BatchRecords:
    """What is recorded of a batch, or Refused where there is no such batch."""
    with trial.store.snapshot() as connection:
        batch = batch_of(connection, trial, number)
        units = {row.unit: row for row in rows_of(connection, UnitRow, trial=trial.id, batch=number)}
        return BatchRecords(
            batch=batch,
            units=units,
            arms={row.cluster: row.arm for row in rows_of(connection, AllocationRow, trial=trial.id)},
            recipients=[row for row in rows_of(connection, RecipientRow, trial=trial.id) if row.unit in units],
            postings=rows_of(connection, PostingRow, trial=trial.id, batch=number),
            events=[row for row in rows_of(connection, EventRow, trial=trial.id) if row.unit in units],
        )


def batch_of(connection: Connection, trial: Trial, number: int) -> BatchRow:
    """One batch, or Refused with the numbers there are."""
    found = rows_of(connection, BatchRow, trial=trial.id, number=number)
    if not found:
        known = ", ".join(f"{trial.id}/{row.number}" for row in rows_of(connection, BatchRow, trial=trial.id))
        raise Refused(TrialCode.NO_SUCH_BATCH.at(batch_place(trial, number), trial=trial.id, known=known or "none yet"))
    return found[0]


def batch_place(trial: Trial, number: int) -> Place:
    return Place(f"{trial.id}/{number}")


def _wave(trial: Trial, wave: str) -> Wave:
    for rule in trial.experiment.waves:
        if rule.id == wave:
            return rule
    known = ", ".join(rule.id for rule in trial.experiment.waves) or "none"
    raise Refused(TrialCode.WAVE_UNKNOWN.at(trial.place, known=known))


def _letter_date(postings: Sequence[PostingRow], wave: str, number: int, today: date) -> date:
    """The date on the letters: that of the run that began them, so that a resumed run gives the same bytes."""
    made = [row.made_at for row in postings if row.wave == wave and row.batch == number]
    return date.fromisoformat(min(made)[:10]) if made else today


def _by_unit(recipients: Sequence[RecipientRow]) -> dict[str, list[RecipientRow]]:
    grouped: dict[str, list[RecipientRow]] = {}
    for row in recipients:
        grouped.setdefault(row.unit, []).append(row)
    return grouped


def _due_first(
    trial: Trial,
    batch: BatchRow,
    units: Mapping[str, UnitRow],
    recipients: Sequence[RecipientRow],
    suppression: SuppressionList,
    events: Sequence[EventRow],
    today: date,
) -> _Due:
    write, withheld = {}, {}
    for unit, rows in _by_unit(recipients).items():
        own = [event for event in events if event.unit == unit]
        reason = withheld_because(rows[0].tenancy_reference, own, suppression, today)
        if reason is not None:
            withheld[unit] = reason
        else:
            write[unit] = tenancy_of(units[unit], rows, trial.experiment.kinds)
    return _Due(write=write, withheld=withheld, skipped={}, as_of=date.fromordinal(batch.as_of))


def _due_later(
    trial: Trial,
    rule: Wave,
    batch: BatchRow,
    units: Mapping[str, UnitRow],
    postings: Sequence[PostingRow],
    suppression: SuppressionList,
    events: Sequence[EventRow],
    extract: Path,
    mapping: ColumnMapping | None,
    today: date,
) -> _Due:
    """The same rule in every arm, from this week's extract: who has not done any of `unless`, and still owes."""
    if batch.day0 is None:
        raise Refused(TrialCode.NOT_POSTED_YET.at(batch_place(trial, batch.number), batch=f"{trial.id}/{batch.number}"))
    experiment = trial.experiment
    secret = read_secret(trial)
    learnt = mapping or load_mappings(trial.workspace.mappings).get("extract")
    reading = read_extract(extract, experiment.columns, learnt, spool=trial.workspace.folder / "data")
    now_on_file = {unit_code(secret, tenancy.reference): tenancy for tenancy in reading.tenancies()}
    eligible = compile_condition(experiment.eligible, experiment.kinds)
    had = {row.unit for row in postings if row.wave == rule.id and row.status in {"posted", "withheld"}}
    write: dict[str, Tenancy] = {}
    withheld: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for unit in units:
        own = [event for event in events if event.unit == unit]
        done = [event for event in own if event.kind in rule.unless and event.on_day > batch.day0]
        tenancy = now_on_file.get(unit)
        if unit in had:
            continue
        if done:
            skipped[unit] = min(done, key=lambda event: event.on_day).kind
        elif tenancy is None:
            skipped[unit] = "not_in_extract"
        elif reason := exclusion(experiment, with_bands(experiment, tenancy.values)):
            skipped[unit] = reason
        elif eligible.holds(_without_text(with_bands(experiment, tenancy.values), experiment.kinds)) is False:
            skipped[unit] = "not_eligible"
        elif stop := withheld_because(tenancy.reference, own, suppression, today):
            withheld[unit] = stop
        else:
            write[unit] = tenancy
    return _Due(write=write, withheld=withheld, skipped=skipped, as_of=reading.as_of or today)


def _without_text(values: Mapping[str, Value], kinds: Mapping[str, Kind]) -> dict[str, Value]:
    """Values with text left unknown: after the first letter a stage moves on by itself, amounts still decide."""
    return {name: None if kinds.get(name) is Kind.TEXT else value for name, value in values.items()}


def _record(
    trial: Trial,
    batch: BatchRow,
    wave: str,
    letters: Sequence[LetterFile],
    owner: Mapping[str, tuple[str, int]],
    due: _Due,
    refused: Mapping[str, str],
    today: date,
    now: datetime,
) -> None:
    with trial.store.transaction() as connection:
        there = {
            row.letter_reference: row for row in rows_of(connection, PostingRow, trial=trial.id, batch=batch.number)
        }
        made_at = utc_text(now)
        fresh = []
        for letter in letters:
            reference, sha256 = letter.reference, letter.sha256
            unit, position = owner[reference]
            if reference in there:
                where = {"trial": trial.id, "letter_reference": reference}
                to = {"status": "made", "reason": None, "sha256": sha256, "batch": batch.number}
                if there[reference].status != "posted":
                    change(connection, PostingRow, where=where, to=to)
                continue
            fresh.append(
                PostingRow(
                    trial=trial.id,
                    letter_reference=reference,
                    unit=unit,
                    number=position,
                    batch=batch.number,
                    wave=wave,
                    status="made",
                    reason=None,
                    made_at=made_at,
                    sha256=sha256,
                    pages=letter.pages,
                    sheets=letter.sheets,
                    posted_on=None,
                    reprints=0,
                )
            )
        secret = read_secret(trial)
        for unit, reason in {**due.withheld, **refused}.items():
            reference = letter_reference(secret, trial.id, unit, 1, wave)
            if reference in there:
                where = {"trial": trial.id, "letter_reference": reference}
                change(connection, PostingRow, where=where, to={"status": "withheld", "reason": reason})
            else:
                fresh.append(
                    PostingRow(
                        trial=trial.id,
                        letter_reference=reference,
                        unit=unit,
                        number=1,
                        batch=batch.number,
                        wave=wave,
                        status="withheld",
                        reason=reason,
                        made_at=made_at,
                        sha256="",
                        pages=0,
                        sheets=0,
                        posted_on=None,
                        reprints=0,
                    )
                )
        append(connection, fresh)
        if wave == FIRST and batch.status == "drawn":
            change(connection, BatchRow, where={"trial": trial.id, "number": batch.number}, to={"status": "lettered"})
        if fresh:
            facts = {
                "batch": batch.number,
                "wave": wave,
                "letters": len(letters),
                "withheld": len(due.withheld) + len(refused),
            }
            audit(connection, trial=trial.id, what="lettered", facts=facts, at=now)


def due_on(trial: Trial, wave: Wave, batch: BatchRow) -> date | None:
    """The day on which a batch's letters of a later wave fall due: from day 0, the same in every arm."""
    return None if batch.day0 is None else date.fromordinal(batch.day0) + timedelta(days=wave.after)
