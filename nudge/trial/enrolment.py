"""One week's enrolment: extract and suppression list in, a batch drawn, everything counted (I2, I3, I4, I9)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection

from nudge.base.errors import Place, Problem, Refused
from nudge.base.files import private_folder
from nudge.documents.batch import prove_letters
from nudge.documents.details import check_details
from nudge.documents.letter import LetterSpec
from nudge.documents.templates import TemplateFolder
from nudge.experiment.conditions import compile_condition
from nudge.intake.duplicates import Alike, Lookout
from nudge.intake.extract import Extract, Tenancy, read_extract
from nudge.intake.mapping import ColumnMapping, load_mappings, save_mappings
from nudge.intake.rejects import LETTER, Reject, write_rejects
from nudge.intake.suppression import SuppressionList, read_suppression
from nudge.intake.telling import rows_refused, told
from nudge.records.store import append, audit, change, remove, rows_of
from nudge.records.tables import AllocationRow, BatchRow, HouseholdRow, RecipientRow, SealRow, UnitRow
from nudge.trial.clusters import Clusters, clusters_of
from nudge.trial.codes import TrialCode
from nudge.trial.drawing import next_batch, record_draw
from nudge.trial.due import check_extract_date
from nudge.trial.forms import OTHER_LANGUAGE, Forms, forms_of
from nudge.trial.gate import check_list_date
from nudge.trial.handle import Trial, require_seal
from nudge.trial.households import Home
from nudge.trial.sealing import epoch_now, lapsed_claims, letters_of, read_secret
from nudge.trial.sites import require_letters
from nudge.trial.units import (
    home_of,
    reason_out,
    recipient_rows,
    specs_of,
    text_values,
    unit_code,
    with_bands,
)


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """What an extract came to: counts that add up, and the batch if anybody was new. Shows no arm (I8).

    `alike` are pairs of rows that may be one person's; `deceased` the rows of tenancies that somebody must write to
    the executors of. `nearly_ready` says what a language still lacks in which somebody could be written to.
    """

    batch: int | None
    made: bool
    flow: Mapping[str, object]
    reading: Extract
    unwritable: tuple[Reject, ...] = ()
    rejects_file: Path | None = None
    merged: int = 0
    alike: tuple[Alike, ...] = ()
    deceased: tuple[int, ...] = ()
    nearly_ready: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """Rows that could not be read, then tenancies to whom no letter could be written."""
        return (*self.reading.rejects, *self.unwritable)


@dataclass(kw_only=True)
class _Sorted:
    """The tenancies of an extract, sorted: who is new, who comes back, who is out and why."""

    rows: int
    known: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    why: dict[str, str] = field(default_factory=dict)
    new: list[Tenancy] = field(default_factory=list)
    back: list[Tenancy] = field(default_factory=list)
    homes: list[Home] = field(default_factory=list)
    unwritable: list[Reject] = field(default_factory=list)
    deceased: list[int] = field(default_factory=list)
    lookout: Lookout = field(default_factory=Lookout)

    def leave_out(self, unit: str, reason: str) -> None:
        self.excluded[reason] += 1
        self.why[unit] = reason


@dataclass(frozen=True)
class _Held:
    """What the trial already holds."""

    batches: tuple[BatchRow, ...]
    units: Mapping[str, UnitRow]
    allocated: tuple[AllocationRow, ...]
    recipients: tuple[RecipientRow, ...]
    epoch: int

    def abandoned(self, unit: UnitRow) -> bool:
        return next(batch.status for batch in self.batches if batch.number == unit.batch) == "abandoned"


def enrol(
    trial: Trial,
    extract: Path,
    suppression: Path,
    *,
    dated: date,
    today: date,
    now: datetime,
    as_of: date | None = None,
    mapping: ColumnMapping | None = None,
    encoding: str | None = None,
    accept_good_rows: bool = False,
    dry_run: bool = False,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Enrolment:
    """Draw the arms of this week's new tenancies.

    The same extract twice is one enrolment. Whatever could stop a letter is found before the draw, against every
    arm's template (I4). Refused where the list is stale, a claim has lapsed, rows are unreadable (unless
    `accept_good_rows`), or the trial is closed; the list of unreadable rows is written all the same.
    """
    require_letters(trial)
    seal = require_seal(trial)
    Refused.when([*lapsed_claims(trial, seal, today), *_details_gone_by(trial, today)])
    mapping = mapping or load_mappings(trial.workspace.mappings).get("extract")
    waiting = private_folder(trial.workspace.folder / "data")
    with read_extract(extract, trial.experiment.columns, mapping, encoding=encoding, spool=waiting) as reading:
        with trial.store.snapshot() as connection:
            if trial.is_closed(connection):
                raise Refused(TrialCode.CLOSED.at(trial.place))
            held = _held(connection, trial.id)
        for batch in held.batches:
            if batch.extract_sha256 == reading.sha256 and batch.status != "abandoned":
                return Enrolment(batch=batch.number, made=False, flow=json.loads(batch.flow_json), reading=reading)
        day = as_of or reading.as_of or today
        check_list_date(suppression, dated, day, today)
        _check_extract_date(extract, day, today, held)
        listed = read_suppression(suppression, dated=dated)
        listed.check_zeros(tenancy.reference for tenancy in reading.tenancies())
        if reading.rejects and not accept_good_rows:
            file = _write_rejects(trial, reading.rejects, dry_run=dry_run)
            why = TrialCode.ROWS_REJECTED.at(Place(reading.name), count=reading.rejected, rows=reading.rows, file=file)
            raise rows_refused(why, reading.name, reading.rejects)
        secret, forms = read_secret(trial), forms_of(trial, seal)
        found = _sort(trial, reading, listed, held, forms, secret, today)
    _prove(trial, forms, found, secret, day, today, executor, progress)
    if found.unwritable and not accept_good_rows:
        file = _write_rejects(trial, (*reading.rejects, *found.unwritable), dry_run=dry_run)
        why = TrialCode.LETTERS_UNWRITABLE.at(Place(reading.name), count=len(found.unwritable), file=file)
        refusal = Refused(why, *(_problem(reading.name, one) for one in found.unwritable))
        refusal.told = (str(why), *told(found.unwritable))
        raise refusal
    plan = clusters_of(
        trial.experiment,
        new=found.new,
        back=found.back,
        homes=found.homes,
        units=held.units,
        recipients=held.recipients,
        allocated=frozenset(row.cluster for row in held.allocated),
        secret=secret,
    )
    flow = _flow(reading, found, plan, forms)
    result = Enrolment(
        batch=None,
        made=False,
        flow=flow,
        reading=reading,
        unwritable=tuple(found.unwritable),
        alike=found.lookout.alike,
        deceased=tuple(sorted(found.deceased)),
        nearly_ready=forms.nearly_ready() if OTHER_LANGUAGE in found.excluded else {},
    )
    if dry_run:
        return result
    if not (found.new or found.back):
        with trial.store.transaction() as connection:
            _record_merged(connection, trial, plan)
        return replace(result, merged=len(plan.merged))
    batch = next_batch(
        trial,
        held.batches,
        epoch=held.epoch,
        extract=(reading.name, reading.sha256),
        as_of=day,
        suppression=(listed.sha256, dated),
        entries=plan.entries,
        flow={**flow, "why": found.why, "suppression": _within(trial, suppression)},
        now=now,
    )
    # The list of rejects first: killed after the draw, the same command would find the batch made and not write it.
    folder = trial.workspace.batch_folder(trial.id, batch.number)
    listing = write_rejects(folder / "rejects.csv", result.rejects) if result.rejects else None
    _keep(trial, seal, batch, plan, found, now)
    learnt = load_mappings(trial.workspace.mappings)
    save_mappings(trial.workspace.mappings, {**learnt, "extract": reading.mapping})
    return replace(result, batch=batch.number, made=True, rejects_file=listing, merged=len(plan.merged))


def _details_gone_by(trial: Trial, today: date) -> tuple[Problem, ...]:
    """Days that the first letters name and that are past: nobody is drawn for a letter that comes too late."""
    folder = TemplateFolder(trial.workspace.templates)
    letters = [arm.letter for arm in trial.experiment.arms if arm.letter]
    return check_details(folder, letters, trial.experiment.details, on=today, place=trial.loaded.place)


def _flow(reading: Extract, found: _Sorted, plan: Clusters, forms: Forms) -> dict[str, object]:
    """Everything counted (I9). rows = rejected + dropped + accepted; tenancies = enrolled before + excluded + eligible;
    eligible = allocated + late + rejoined. `forms` counts people by the form of their letters.
    """
    wanted = Counter(form.words for tenancy in (*found.new, *found.back) for form in forms.of(tenancy))
    return {
        "rows": reading.rows,
        "rejected": dict(Counter({one.row: one.code for one in reversed(reading.rejects)}.values())),
        "dropped": dict(reading.dropped),
        "rows_accepted": reading.accepted,
        "tenancies": reading.count,
        "enrolled_before": found.known,
        "excluded": dict(found.excluded),
        "eligible": len(found.new) + len(found.back),
        "allocated": len(found.new) - len(plan.late),
        "late": len(plan.late),
        "rejoined": len(found.back),
        "clusters": len(plan.entries),
        "forms": dict(wanted),
    }


def _within(trial: Trial, path: Path) -> str:
    """A file's path from the workspace, so that a workspace may be moved; whole where it lies outside."""
    root, path = trial.workspace.folder.resolve(), path.resolve()
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _check_extract_date(path: Path, day: date, today: date, held: _Held) -> None:
    check_extract_date(path, day, today)
    standing = [batch for batch in held.batches if batch.status != "abandoned"]
    if standing and day.toordinal() < standing[-1].as_of:
        last = date.fromordinal(standing[-1].as_of).isoformat()
        raise Refused(TrialCode.EXTRACT_BACKWARDS.at(Place(str(path)), number=standing[-1].number, day=last))


def _held(connection: Connection, trial: str) -> _Held:
    return _Held(
        batches=tuple(rows_of(connection, BatchRow, trial=trial)),
        units={row.unit: row for row in rows_of(connection, UnitRow, trial=trial)},
        allocated=tuple(rows_of(connection, AllocationRow, trial=trial)),
        recipients=tuple(rows_of(connection, RecipientRow, trial=trial)),
        epoch=epoch_now(connection, trial),
    )


def _sort(
    trial: Trial,
    reading: Extract,
    listed: SuppressionList,
    held: _Held,
    forms: Forms,
    secret: bytes,
    today: date,
) -> _Sorted:
    experiment = trial.experiment
    eligible = compile_condition(experiment.eligible, experiment.kinds)
    found = _Sorted(rows=reading.rows)
    named = {person.unit for person in held.recipients}
    for tenancy in reading.tenancies():
        unit = unit_code(secret, tenancy.reference)
        row = held.units.get(unit)
        found.lookout.add(tenancy)
        if tenancy.deceased and not listed.reasons(tenancy.reference, today):
            found.deceased.append(min(tenancy.rows))
        if row is not None and not held.abandoned(row):
            found.known += 1
            found.homes.append(home_of(tenancy))
            continue
        reason = reason_out(experiment, eligible, forms, tenancy, listed, today)
        if row is not None and unit not in named:
            reason = "erased"
        if reason is not None:
            found.leave_out(unit, reason)
        elif row is not None:
            found.back.append(tenancy)
        else:
            found.new.append(tenancy)
    return found


def _prove(
    trial: Trial,
    forms: Forms,
    found: _Sorted,
    secret: bytes,
    day: date,
    today: date,
    executor: Executor | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Lay out every letter that could be sent, in every arm; take out the tenancies of which any fails."""
    templates = letters_of(trial.experiment)
    specs: dict[str, tuple[str, LetterSpec]] = {}
    for tenancy in (*found.new, *found.back):
        for number, template in enumerate(dict.fromkeys(templates)):
            for spec in specs_of(
                trial,
                tenancy,
                template,
                secret=secret,
                forms=forms,
                as_of=day,
                letter_date=today,
                wave=f"proof-{number}",
            ):
                specs[spec.reference] = (tenancy.reference, spec)
    refused = prove_letters(
        [spec for _, spec in specs.values()],
        TemplateFolder(trial.workspace.templates),
        trial.workspace.profile,
        printing=trial.workspace.printing,
        executor=executor,
        progress=progress,
    )
    by_tenancy: dict[str, dict[str, str]] = defaultdict(dict)
    for reference, faults in refused.items():
        for fault in faults:
            by_tenancy[specs[reference][0]].setdefault(fault.code, f"{fault.expected}\n{fault.fix}")
    for pile in (found.new, found.back):
        stopped = [tenancy for tenancy in pile if tenancy.reference in by_tenancy]
        pile[:] = [tenancy for tenancy in pile if tenancy.reference not in by_tenancy]
        for tenancy in stopped:
            found.leave_out(unit_code(secret, tenancy.reference), "letter_cannot_be_written")
            for code, words in by_tenancy[tenancy.reference].items():
                reason, _, fix = words.partition("\n")
                found.unwritable.append(Reject(min(tenancy.rows), LETTER, code, reason, fix, tenancy.reference))


def _keep(trial: Trial, seal: SealRow, batch: BatchRow, plan: Clusters, found: _Sorted, now: datetime) -> None:
    experiment = trial.experiment
    with trial.store.transaction() as connection:
        record_draw(connection, trial, seal, batch, plan.entries, now)
        append(connection, [_unit_row(trial, batch, plan, tenancy) for tenancy in found.new])
        append(
            connection,
            [row for tenancy in found.new for row in recipient_rows(trial.id, plan.unit[tenancy.reference], tenancy)],
        )
        for tenancy in found.back:  # with the names and figures as they are now: one may have been why it was undone
            unit = plan.unit[tenancy.reference]
            where = {"trial": trial.id, "unit": unit}
            to = {"batch": batch.number, "values_json": text_values(with_bands(experiment, tenancy.values))}
            change(connection, UnitRow, where=where, to=to)
            remove(connection, RecipientRow, where=where)
            append(connection, list(recipient_rows(trial.id, unit, tenancy)))
        _record_merged(connection, trial, plan)
        facts = {
            "batch": batch.number,
            "clusters": len(plan.entries),
            "late": len(plan.late),
            "rejoined": len(found.back),
        }
        audit(connection, trial=trial.id, what="drawn", facts=facts, at=now)


def _record_merged(connection: Connection, trial: Trial, plan: Clusters) -> None:
    """Two households found to be one keep their arms; the analysis joins them (rules §2)."""
    for code, into in plan.merged.items():
        change(connection, HouseholdRow, where={"trial": trial.id, "cluster": code}, to={"merged_into": into})


def _unit_row(trial: Trial, batch: BatchRow, plan: Clusters, tenancy: Tenancy) -> UnitRow:
    return UnitRow(
        trial=trial.id,
        unit=plan.unit[tenancy.reference],
        cluster=plan.cluster[tenancy.reference],
        batch=batch.number,
        first_batch=batch.number,
        late=tenancy.reference in plan.late,
        values_json=text_values(with_bands(trial.experiment, tenancy.values)),
    )


def _write_rejects(trial: Trial, rejects: tuple[Reject, ...], *, dry_run: bool) -> Path:
    path = trial.workspace.out(trial.id) / "rejects.csv"
    return path if dry_run else write_rejects(path, rejects)


def _problem(name: str, reject: Reject) -> Problem:
    return Problem(reject.code, Place(name, row=reject.row, heading=reject.heading), reject.reason, reject.fix)
