"""What came back: files of contacts, payments, returns, moves and balances become events and measurements of units.

A file is kept whole or not at all, and once: the same bytes again change nothing. Arms play no part here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from nudge.base.canonical import canonical
from nudge.base.columns import Value
from nudge.base.errors import Place, Problem, Refused
from nudge.experiment.conditions import EVENT_COLUMNS, Condition, compile_condition
from nudge.intake.mapping import ColumnMapping, load_mappings, save_mappings
from nudge.intake.rejects import problems as reject_problems
from nudge.intake.rejects import write_rejects
from nudge.intake.responses import ResponseRow, Responses, read_responses
from nudge.intake.telling import told
from nudge.records.codes import ResponseCode
from nudge.records.matching import Index
from nudge.records.store import audit, remove, rows_of
from nudge.records.tables import EventRow, ImportRow, MeasurementRow, PostingRow, RecipientRow, ReviewRow
from nudge.trial.codes import TrialCode
from nudge.trial.handle import Trial
from nudge.trial.imports import Imported, added_before, check_open, cover_problems, keep_import
from nudge.trial.units import text_values

# Kinds of event that need no rule: a row of the file is one.
_ALWAYS: Final[Mapping[str, str]] = {
    "returned": "returned",
    "complaints": "complaint",
    "breathing_space": "breathing_space",
}
FILE_OF: Final[Mapping[str, str]] = {
    **{event: file for file, event in _ALWAYS.items()},
    "vacated": "moved",
    "deceased": "moved",
}
"""The kind of file that tells of an event without a rule of its own."""
# What an event keeps of its row: words of a closed list, and dates. A typed reason may hold a name (I12).
_PLAIN: Final = ("direction", "what", "until")
SLOW_TO_LOG: Final = 3  # days after a contact from which its being written down so late is worth a remark


@dataclass(frozen=True, slots=True)
class Rules:
    """The event rules of an experiment, read once."""

    conditions: Mapping[str, tuple[tuple[str, Condition], ...]]  # by kind of file: (event kind, condition)

    @classmethod
    def of(cls, trial: Trial) -> Rules:
        found: dict[str, list[tuple[str, Condition]]] = {}
        for event, rule in trial.experiment.events.items():
            condition = compile_condition(rule.when, EVENT_COLUMNS[rule.source_kind])
            found.setdefault(rule.source_kind, []).append((event, condition))
        return cls({kind: tuple(rules) for kind, rules in found.items()})

    def events(self, row: ResponseRow) -> tuple[tuple[str, ...], bool]:
        """The kinds of event that a row is, and whether a blank cell leaves another kind undecided."""
        if row.kind in _ALWAYS:
            return (_ALWAYS[row.kind],), False
        if row.kind == "moved":
            return (str(row.values["what"]),), False
        held = [(event, condition.holds(row.values)) for event, condition in self.conditions.get(row.kind, ())]
        return tuple(event for event, holds in held if holds), any(holds is None for _, holds in held)


def add_responses(
    trial: Trial,
    files: Sequence[Path],
    *,
    kind: str | None = None,
    covers: tuple[date, date] | None = None,
    today: date,
    now: datetime,
    mapping: ColumnMapping | None = None,
    encoding: str | None = None,
    accept_good_rows: bool = False,
    dry_run: bool = False,
) -> tuple[Imported, ...]:
    """Record files of responses: of one `kind`, or each of the kind its headings tell, all covering the same days.

    Every file is read and checked before any is kept; then each is kept in a transaction of its own. A row that fits
    several tenancies, or whose identifiers disagree, waits in the review queue; one that fits none is counted. The
    same file again, with other days covered, corrects those days and nothing else. Raises Refused, with every
    problem of every file, where days are not stated or lie in the future, and where rows are unreadable (unless
    `accept_good_rows`); their list is written all the same.
    """
    check_open(trial)
    learnt = load_mappings(trial.workspace.mappings)
    if mapping is not None:
        learnt = learnt | {mapping.file_kind: mapping}
    readings = [read_responses(path, kind=kind, covers=covers, mapping=learnt, encoding=encoding) for path in files]
    with trial.store.snapshot() as connection:
        before = {row.sha256: row for row in rows_of(connection, ImportRow, trial=trial.id)}
    problems: list[Problem] = []
    lines: list[str] = []
    for reading in readings:
        known = before.get(reading.sha256)
        own = list(_problems(reading, known, covers, today))
        problems += own
        lines += map(str, own)
        if known is None and reading.rejects and not accept_good_rows:
            why = ResponseCode.ROWS_UNREADABLE.at(Place(reading.name), count=reading.rejected, rows=reading.rows)
            problems += (why, *reject_problems(reading.name, reading.rejects))
            lines += (str(why), *told(reading.rejects))
        if known is None and reading.rejects and not dry_run:
            write_rejects(_rejects_file(trial, reading), reading.rejects)
    if problems:
        refusal = Refused(*problems)
        refusal.told = tuple(lines)
        raise refusal
    rules = Rules.of(trial)
    imported = [_keep(trial, rules, reading, covers, now, dry_run=dry_run) for reading in readings]
    if any(one.made for one in imported):
        save_mappings(trial.workspace.mappings, learnt | {one.kind: one.mapping for one in readings})
    return tuple(imported)


def withdraw_responses(trial: Trial, sha256: str, *, because: str, now: datetime) -> int:
    """Take back a file that should not have been added, with all that came of it; logged. Returns the events removed.

    Refused where no such file is on record, and without a reason.
    """
    check_open(trial)
    if not because.strip():
        raise Refused(TrialCode.BECAUSE_MISSING.at(trial.place))
    with trial.store.transaction() as connection:
        found = rows_of(connection, ImportRow, trial=trial.id, sha256=sha256)
        if not found:
            raise Refused(ResponseCode.FILE_NOT_ON_RECORD.at(trial.place))
        where = {"trial": trial.id, "import_sha256": sha256}
        gone = {
            table.__name__: remove(connection, table, where=where) for table in (EventRow, MeasurementRow, ReviewRow)
        }
        remove(connection, ImportRow, where={"trial": trial.id, "sha256": sha256})
        facts = {"sha256": sha256, "kind": found[0].kind, "because": because.strip(), "events": gone["EventRow"]}
        audit(connection, trial=trial.id, what="responses_withdrawn", facts=facts, at=now)
    return gone["EventRow"]


def _problems(
    reading: Responses,
    known: ImportRow | None,
    covers: tuple[date, date] | None,
    today: date,
) -> Iterator[Problem]:
    yield from cover_problems(reading.name, reading.kind, reading.proposed_covers, known, covers, today)
    if known is None and reading.proposed_covers is not None and reading.proposed_covers[1] > today:
        late = [row.row for row in reading.records() if row.on > today]
        yield ResponseCode.ROWS_FUTURE.at(Place(reading.name), today=today.isoformat(), count=len(late), row=late[0])


def _rejects_file(trial: Trial, reading: Responses) -> Path:
    return trial.workspace.out(trial.id) / "responses" / f"{reading.sha256[:12]}-rejects.csv"


def _keep(
    trial: Trial,
    rules: Rules,
    reading: Responses,
    covers: tuple[date, date] | None,
    now: datetime,
    *,
    dry_run: bool,
) -> Imported:
    with trial.store.snapshot() if dry_run else trial.store.transaction() as connection:
        known = rows_of(connection, ImportRow, trial=trial.id, sha256=reading.sha256)
        if known:
            return added_before(connection, trial, known[0], covers, now, dry_run=dry_run)
        days = covers or reading.proposed_covers
        if days is None:
            raise Refused(ResponseCode.COVERS_UNKNOWN.at(Place(reading.name)))
        found = _Found()
        index = _index(connection, trial.id)
        for row in reading.records():
            _place(found, index, rules, trial.id, reading.sha256, row)
        imported = Imported(
            name=reading.name,
            sha256=reading.sha256,
            kind=reading.kind,
            covers=days,
            made=not dry_run,
            rows=reading.rows,
            rejected=reading.rejected,
            rejects_file=_rejects_file(trial, reading) if reading.rejects and not dry_run else None,
            events=Counter(event.kind for event in found.events),
            notes=(*reading.notes, *_notes(reading, found)),
            **found.counts,
        )
        if not dry_run:
            keep_import(connection, trial, imported, [*found.events, *found.measurements, *found.reviews], now)
    return imported


@dataclass(slots=True)
class _Found:
    """What one file comes to, gathered row by row."""

    events: list[EventRow] = field(default_factory=list)
    measurements: list[MeasurementRow] = field(default_factory=list)
    reviews: list[ReviewRow] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def _place(found: _Found, index: Index, rules: Rules, trial: str, sha256: str, row: ResponseRow) -> None:
    kinds, undecided = rules.events(row)
    numbers = _measurements(row)
    if not kinds and not numbers:
        found.counts["undecided" if undecided else "not_counted"] += 1
        return
    identifiers = {
        "tenancy_reference": row.tenancy_reference,
        "payment_reference": row.payment_reference,
        "letter_reference": row.letter_reference,
        "telephone": row.telephone,
        "surname": row.surname,
        "uprn": row.uprn,
    }
    match = index.match(**identifiers)
    if row.logged_on is not None and (row.logged_on - row.on).days > SLOW_TO_LOG:
        found.counts["logged_late"] += bool(match.unit or match.candidates)
    if match.candidates:
        found.counts["conflicts"] += 1
        found.reviews.append(_review(trial, sha256, row, match.candidates, identifiers, kinds, numbers))
    elif match.unit is None or match.by is None:
        found.counts["not_in_trial"] += 1
    else:
        found.counts["matched"] += 1
        events, measurements = as_rows(
            trial, sha256, row.row, match.unit, match.by, row.on.toordinal(), kinds, numbers, row.values
        )
        found.events += events
        found.measurements += measurements


def as_rows(
    trial: str,
    sha256: str,
    row: int,
    unit: str,
    by: str,
    on_day: int,
    kinds: Sequence[str],
    numbers: Mapping[str, int],
    values: Mapping[str, Value],
) -> tuple[list[EventRow], list[MeasurementRow]]:
    """The events and measurements of one row of a file, once it is known whose it is."""
    amount = values.get("amount")
    events = [
        EventRow(
            trial=trial,
            unit=unit,
            kind=kind,
            on_day=on_day,
            import_sha256=sha256,
            row=row,
            matched_by=by,
            amount=amount if isinstance(amount, int) else None,
            values_json=text_values({name: values[name] for name in _PLAIN if values.get(name) is not None}),
        )
        for kind in kinds
    ]
    measurements = [
        MeasurementRow(trial=trial, unit=unit, name=name, on_day=on_day, number=number, import_sha256=sha256, row=row)
        for name, number in numbers.items()
    ]
    return events, measurements


def _measurements(row: ResponseRow) -> dict[str, int]:
    """The numbers of a file of readings, in pence where they are money."""
    if row.kind != "rent_accounts":
        return {}
    return {name: value for name, value in row.values.items() if isinstance(value, int)}


def _review(
    trial: str,
    sha256: str,
    row: ResponseRow,
    candidates: Sequence[str],
    identifiers: Mapping[str, str | None],
    kinds: Sequence[str],
    numbers: Mapping[str, int],
) -> ReviewRow:
    told = {name: value for name, value in identifiers.items() if value}
    values = {name: value.isoformat() if isinstance(value, date) else value for name, value in row.values.items()}
    content = {"identifiers": told, "values": values, "events": kinds, "measurements": numbers}
    return ReviewRow(
        trial=trial,
        import_sha256=sha256,
        row=row.row,
        kind=row.kind,
        on_day=row.on.toordinal(),
        candidates_json=canonical(candidates).decode(),
        row_json=canonical(content).decode(),
    )


def _index(connection: Connection, trial: str) -> Index:
    postings = rows_of(connection, PostingRow, trial=trial)
    return Index.of(
        rows_of(connection, RecipientRow, trial=trial), {row.letter_reference: row.unit for row in postings}
    )


def _notes(reading: Responses, found: _Found) -> Iterator[str]:
    counts = found.counts
    if reading.kind in EVENT_COLUMNS and counts["undecided"]:
        yield f"{counts['undecided']} rows lack a cell that the trial's event rules ask for, so they count as nothing"
    if counts["logged_late"]:
        yield f"{counts['logged_late']} rows were written down more than {SLOW_TO_LOG} days after they happened"
    if counts["not_in_trial"] and not counts["matched"] and not counts["conflicts"]:
        yield "not one row fits a tenancy of this trial: look whether the references are written as in the extract"
