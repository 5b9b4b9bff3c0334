"""Signs put up and taken down, from the installers' log: what fixes day 0 of a trial of signs (rules §1)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final

from nudge.base.canonical import canonical
from nudge.base.errors import Place, Problem, Refused
from nudge.documents.letter import read_reference
from nudge.intake.cells import reference_key
from nudge.intake.installation import FILE_KIND, InstallationLog, LogRow, read_log
from nudge.intake.mapping import ColumnMapping, load_mappings, save_mappings
from nudge.records.store import append, audit, change, remove, rows_of
from nudge.records.tables import BatchRow, EventRow, PostingRow
from nudge.trial.batches import require_open
from nudge.trial.codes import TrialCode
from nudge.trial.gate import on_hold
from nudge.trial.handle import Trial, require_seal
from nudge.trial.schedule import Turn
from nudge.trial.signs import PlannedSign, sign_plan, standing_batch
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.site_enrolment import starts_on
from nudge.trial.sites import signs_of

TAKEN_DOWN: Final = "taken_down"
NOT_PUT_UP: Final = "not_put_up"
GRACE: Final = 7  # days after the day scheduled from which a sign that is not up counts as withheld


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What a log came to. `late` were put up after their scheduled day; `withheld` by reason; `waiting` are not due."""

    batch: int
    day0: date
    put_up: int
    taken_down: int
    late: int
    waiting: int
    withheld: Mapping[str, int]
    made: bool


def record_installation(
    trial: Trial,
    file: Path,
    *,
    today: date,
    now: datetime,
    because: str = "",
    mapping: ColumnMapping | None = None,
    encoding: str | None = None,
    dry_run: bool = False,
) -> Installed:
    """Record which signs were put up and taken down, from the log that the installers filled in.

    Day 0 is the day the first sign went up, for every site alike; where sites change over it is the day scheduled. A
    sign left blank a week after its day is withheld; its site stays in the analysis. The same log twice changes
    nothing. Refused, with every row at fault, for days in the future or before the signs were made, and for a day that
    moves one on record without a reason (`because`).
    """
    experiment = signs_of(trial)
    require_seal(trial)
    batch = standing_batch(trial)
    learnt = load_mappings(trial.workspace.mappings)
    log = read_log(file, learnt=mapping or learnt.get(FILE_KIND), encoding=encoding)
    signs = {sign.reference: sign for sign in sign_plan(trial, batch)}
    plan = {reference: sign.turn for reference, sign in signs.items()}
    with trial.store.snapshot() as connection:
        require_open(connection, trial)
        postings = {
            row.letter_reference: row for row in rows_of(connection, PostingRow, trial=trial.id, batch=batch.number)
        }
        held = on_hold(connection, trial)
        down = down_days(rows_of(connection, EventRow, trial=trial.id, kind=TAKEN_DOWN))
    if not postings:
        raise Refused(TrialCode.BATCH_NOT_LETTERED.at(Place(f"{trial.id}/{batch.number}"), trial=trial.id))
    rows = _checked(log, postings, signs, held, down, today, because)
    days = {reference: row.put_up_on for reference, row in rows.items() if row.put_up_on is not None}
    fixed = None if batch.day0 is None else date.fromordinal(batch.day0)
    day0 = _day_0(experiment.changing, batch, postings, days)
    if day0 is None:
        raise Refused(SignTrialCode.NOTHING_PUT_UP.at(Place(log.name)))
    if fixed is not None and day0 < fixed and not because.strip():
        [row] = [row for row in rows.values() if row.put_up_on == day0][:1]
        raise Refused(SignTrialCode.LOG_BEFORE_DAY_0.at(_place(log, row, "put_up_on"), day=fixed.isoformat()))
    found = _Found.of(trial, batch, day0, postings, rows, plan, down, today, log.sha256)
    if found.changes and not dry_run:
        _record(trial, batch, day0, fixed, found, because, now)
        save_mappings(trial.workspace.mappings, learnt | {FILE_KIND: log.mapping})
    final = {reference: found.status.get(reference, row.status) for reference, row in postings.items()}
    reasons = {reference: found.reason.get(reference, row.reason) for reference, row in postings.items()}
    withheld: dict[str, int] = {}
    for reference, status in final.items():
        if status == "withheld":
            key = reasons[reference] or "withheld"
            withheld[key] = withheld.get(key, 0) + 1
    return Installed(
        batch=batch.number,
        day0=day0,
        put_up=sum(status == "posted" for status in final.values()),
        taken_down=len(down.keys() | found.down.keys()),
        late=found.late,
        waiting=sum(status == "made" for status in final.values()),
        withheld=withheld,
        made=bool(found.changes) and not dry_run,
    )


def _checked(
    log: InstallationLog,
    postings: Mapping[str, PostingRow],
    signs: Mapping[str, PlannedSign],
    held: Mapping[str, str],
    down: Mapping[str, int],
    today: date,
    because: str,
) -> dict[str, LogRow]:
    """The rows by reference, or Refused with every fault."""
    problems: list[Problem] = []
    rows: dict[str, LogRow] = {}
    for row in log.rows:
        reference = read_reference(row.sign_reference) or row.sign_reference.upper()
        posting = postings.get(reference)
        if posting is None:
            problems.append(SignTrialCode.LOG_REFERENCE.at(_place(log, row, "sign_reference")))
            continue
        if reference in rows:
            where = _place(log, row, "sign_reference")
            problems.append(SignTrialCode.LOG_TWICE.at(where, first=rows[reference].row))
            continue
        rows[reference] = row
        problems += _faults(log, row, posting, down.get(reference), today, because)
        problems += _misplaced(log, row, posting, signs[reference].facts.site, held, because)
    Refused.when(problems)
    return rows


def _faults(
    log: InstallationLog, row: LogRow, posting: PostingRow, down_before: int | None, today: date, because: str
) -> list[Problem]:
    up, down = row.put_up_on, row.taken_down_on
    found = []
    made = posting.made_at[:10]
    for name, day in (("put_up_on", up), ("taken_down_on", down)):
        if day is not None and day > today:
            found.append(SignTrialCode.LOG_FUTURE.at(_place(log, row, name)))
    if up is not None and up.isoformat() < made:
        found.append(SignTrialCode.LOG_BEFORE_SIGNS.at(_place(log, row, "put_up_on"), made=made))
    on_record = None if posting.posted_on is None else date.fromordinal(posting.posted_on)
    was_down = None if down_before is None else date.fromordinal(down_before)
    if down is not None and up is None and on_record is None:
        found.append(SignTrialCode.LOG_DOWN_ALONE.at(_place(log, row, "put_up_on")))
    went_up, came_down = up or on_record, down or was_down
    if went_up is not None and came_down is not None and came_down < went_up:
        found.append(SignTrialCode.LOG_DOWN_FIRST.at(_place(log, row, "taken_down_on")))
    for name, day, before in (("put_up_on", up, posting.posted_on), ("taken_down_on", down, down_before)):
        if day is not None and before is not None and day.toordinal() != before and not because.strip():
            found.append(SignTrialCode.LOG_DIFFERS.at(_place(log, row, name), day=date.fromordinal(before).isoformat()))
    return found


def _misplaced(
    log: InstallationLog, row: LogRow, posting: PostingRow, site: str, held: Mapping[str, str], because: str
) -> Iterator[Problem]:
    """A sign at a site that it was not drawn for, or at one that must have none."""
    if row.site and reference_key(row.site) != reference_key(site):
        yield SignTrialCode.LOG_SITE.at(_place(log, row, "site"), site=site)
    new = row.put_up_on is not None and posting.posted_on is None
    if new and posting.unit in held and not because.strip():
        why = held[posting.unit].replace("_", " ")
        yield SignTrialCode.LOG_HELD.at(_place(log, row, "put_up_on"), why=why)


def _place(log: InstallationLog, row: LogRow, name: str) -> Place:
    return Place(log.name, row=row.row, heading=log.headings.get(name, name.replace("_", " ")))


def _day_0(
    changing: bool, batch: BatchRow, postings: Mapping[str, PostingRow], days: Mapping[str, date]
) -> date | None:
    """The first day a sign went up, by the records and this log together; the day scheduled where sites change over."""
    up = {reference: date.fromordinal(row.posted_on) for reference, row in postings.items() if row.posted_on}
    up |= days
    if not up:
        return None
    return starts_on(batch) if changing else min(up.values())


@dataclass(kw_only=True)
class _Found:
    """What a log changes, by sign reference."""

    sha256: str
    status: dict[str, str] = field(default_factory=dict)
    reason: dict[str, str | None] = field(default_factory=dict)
    days: dict[str, date] = field(default_factory=dict)
    down: dict[str, tuple[str, LogRow]] = field(default_factory=dict)  # the unit and the row
    moved: set[tuple[date, date]] = field(default_factory=set)  # days on record and what they are now
    late: int = 0
    day0_moves: bool = False

    @property
    def changes(self) -> bool:
        return bool(self.status or self.days or self.down or self.day0_moves)

    @classmethod
    def of(
        cls,
        trial: Trial,
        batch: BatchRow,
        day0: date,
        postings: Mapping[str, PostingRow],
        rows: Mapping[str, LogRow],
        plan: Mapping[str, Turn],
        down: Mapping[str, int],
        today: date,
        sha256: str,
    ) -> _Found:
        found = cls(sha256=sha256, day0_moves=batch.day0 is not None and batch.day0 != day0.toordinal())
        for reference, posting in postings.items():
            row = rows.get(reference)
            due = plan[reference].dates(day0)[0]
            up = row.put_up_on if row is not None else None
            on_record = None if posting.posted_on is None else date.fromordinal(posting.posted_on)
            if up is not None and up != on_record:
                found.status[reference], found.reason[reference], found.days[reference] = "posted", None, up
                if on_record is not None:
                    found.moved.add((on_record, up))
            elif up is None and posting.status == "made" and (today - due).days > GRACE:
                found.status[reference], found.reason[reference] = "withheld", NOT_PUT_UP
            shown = up or on_record
            found.late += shown is not None and shown > due
            if row is not None and row.taken_down_on is not None:
                before = down.get(reference)
                if before != row.taken_down_on.toordinal():
                    found.down[reference] = (posting.unit, row)
                    if before is not None:
                        found.moved.add((date.fromordinal(before), row.taken_down_on))
        return found


def _record(
    trial: Trial, batch: BatchRow, day0: date, fixed: date | None, found: _Found, because: str, now: datetime
) -> None:
    with trial.store.transaction() as connection:
        [row] = rows_of(connection, BatchRow, trial=trial.id, number=batch.number)
        if row.status != batch.status:  # undone meanwhile
            raise Refused(TrialCode.BATCH_CHANGED.at(Place(f"{trial.id}/{batch.number}")))
        for reference, status in found.status.items():
            to: dict[str, object] = {"status": status, "reason": found.reason[reference]}
            if reference in found.days:
                to["posted_on"] = found.days[reference].toordinal()
            change(connection, PostingRow, where={"trial": trial.id, "letter_reference": reference}, to=to)
        for event in rows_of(connection, EventRow, trial=trial.id, kind=TAKEN_DOWN):  # a day corrected is one day
            if json.loads(event.values_json)["reference"] in found.down:
                remove(connection, EventRow, where={"trial": trial.id, "id": event.id})
        append(connection, [_down_event(trial, found.sha256, *one) for one in found.down.items()])
        to = {"status": "posted", "day0": day0.toordinal()}
        change(connection, BatchRow, where={"trial": trial.id, "number": batch.number}, to=to)
        facts = {
            "batch": batch.number,
            "log": found.sha256,
            "put_up": len(found.days),
            "taken_down": len(found.down),
            "withheld": sum(status == "withheld" for status in found.status.values()),
        }
        audit(connection, trial=trial.id, what="installed", facts=facts, at=now)
        moved = found.moved | ({(fixed, day0)} if fixed is not None and fixed != day0 else set())
        if moved:
            corrected = {
                "batch": batch.number,
                "wave": "signs",
                "from": sorted({old.isoformat() for old, _ in moved}),
                "to": ", ".join(sorted({new.isoformat() for _, new in moved})),
                "because": because.strip(),
            }
            audit(connection, trial=trial.id, what="posting_corrected", facts=corrected, at=now)


def _down_event(trial: Trial, sha256: str, reference: str, found: tuple[str, LogRow]) -> EventRow:
    unit, row = found
    day = row.taken_down_on
    if day is None:
        raise ValueError(row.row)
    return EventRow(
        trial=trial.id,
        unit=unit,
        kind=TAKEN_DOWN,
        on_day=day.toordinal(),
        import_sha256=sha256,
        row=row.row,
        matched_by="sign_reference",
        amount=None,
        values_json=canonical({"reference": reference, "on": day.isoformat()}).decode(),
    )


def down_days(events: Sequence[EventRow]) -> dict[str, int]:
    """By sign reference the day, as an ordinal, on which it was taken down."""
    return {json.loads(event.values_json)["reference"]: event.on_day for event in events if event.kind == TAKEN_DOWN}
