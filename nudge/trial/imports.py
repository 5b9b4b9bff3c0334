"""One file of what came back, on record: what it came to, the days it covers, and once only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlmodel import SQLModel

from nudge.base.errors import Place, Problem, Refused
from nudge.base.values import utc_text
from nudge.experiment.seal import definition_hash
from nudge.records.codes import ResponseCode
from nudge.records.store import append, audit, change, rows_of
from nudge.records.tables import EventRow, ImportRow
from nudge.trial.codes import TrialCode
from nudge.trial.handle import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of one file. Good rows = matched + not in this trial + conflicts + not counted + undecided.

    `not_counted` fit no event rule; `undecided` lack a cell that a rule asks for; `events` are by kind, those of rows
    that wait for a decision not among them. `made` is False where the file was on record already, or on a dry run.
    """

    name: str
    sha256: str
    kind: str
    covers: tuple[date, date]
    made: bool
    rows: int
    matched: int = 0
    not_in_trial: int = 0
    conflicts: int = 0
    rejected: int = 0
    not_counted: int = 0
    undecided: int = 0
    logged_late: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    rejects_file: Path | None = None
    notes: tuple[str, ...] = ()

    def figures(self) -> dict[str, Any]:
        """The counts, for JSON."""
        names = ("rows", "matched", "not_in_trial", "conflicts", "rejected", "not_counted", "undecided", "logged_late")
        return {
            "file": self.name,
            "sha256": self.sha256,
            "kind": self.kind,
            "covers": [day.isoformat() for day in self.covers],
            "made": self.made,
            **{name: getattr(self, name) for name in names},
            "events": dict(self.events),
            "notes": list(self.notes),
        }


def check_open(trial: Trial) -> None:
    """Sealed, its event rules those of the seal, and not closed. A template touched since is no matter here."""
    if trial.seal is None:
        raise Refused(TrialCode.NOT_SEALED.at(trial.place, trial=trial.id))
    if definition_hash(trial.experiment) != trial.seal.definition_hash:
        raise Refused(TrialCode.CHANGED_SINCE_SEAL.at(trial.place, what="this experiment file", trial=trial.id))
    with trial.store.snapshot() as connection:
        if trial.is_closed(connection):
            raise Refused(TrialCode.CLOSED.at(trial.place))


def cover_problems(
    name: str,
    kind: str,
    proposed: tuple[date, date] | None,
    known: ImportRow | None,
    covers: tuple[date, date] | None,
    today: date,
) -> Iterator[Problem]:
    """What is wrong with the days that a file is said to cover; `proposed` are those of its rows."""
    place = Place(name)
    if known is not None:
        if known.kind != kind:
            yield ResponseCode.KIND_DIFFERS.at(place, before=known.kind)
    elif covers is None and proposed is None:
        yield ResponseCode.COVERS_UNKNOWN.at(place)
    elif covers is None and proposed is not None:
        first, last = (day.isoformat() for day in proposed)
        yield ResponseCode.COVERS_NEEDED.at(place, first=first, last=last)
    if covers is not None and covers[1] > today:
        yield ResponseCode.COVERS_FUTURE.at(place, today=today.isoformat(), last=covers[1].isoformat())


def keep_import(
    connection: Connection, trial: Trial, imported: Imported, rows: Sequence[SQLModel], now: datetime
) -> None:
    """Record a file with all that came of it, and log it."""
    append(connection, [_import_row(trial.id, imported, now)])
    append(connection, rows)
    # a file's name is whatever somebody typed, and the chain is never erased
    facts = {name: value for name, value in imported.figures().items() if name not in {"file", "made", "notes"}}
    audit(connection, trial=trial.id, what="responses_added", facts=facts, at=now)


def _import_row(trial: str, imported: Imported, now: datetime) -> ImportRow:
    return ImportRow(
        trial=trial,
        sha256=imported.sha256,
        kind=imported.kind,
        name=imported.name,
        at=utc_text(now),
        rows=imported.rows,
        covers_from=imported.covers[0].toordinal(),
        covers_to=imported.covers[1].toordinal(),
        matched=imported.matched,
        not_in_trial=imported.not_in_trial,
        conflicts=imported.conflicts,
        rejected=imported.rejected,
    )


def added_before(
    connection: Connection,
    trial: Trial,
    known: ImportRow,
    covers: tuple[date, date] | None,
    now: datetime,
    *,
    dry_run: bool,
) -> Imported:
    """A file already on record: nothing changes but, where others are stated, the days it covers."""
    held = (date.fromordinal(known.covers_from), date.fromordinal(known.covers_to))
    corrected = covers is not None and covers != held
    if corrected and covers is not None and not dry_run:
        to = {"covers_from": covers[0].toordinal(), "covers_to": covers[1].toordinal()}
        change(connection, ImportRow, where={"trial": trial.id, "sha256": known.sha256}, to=to)
        facts = {
            "sha256": known.sha256,
            "from": [day.isoformat() for day in held],
            "to": [day.isoformat() for day in covers],
        }
        audit(connection, trial=trial.id, what="coverage_corrected", facts=facts, at=now)
    events = rows_of(connection, EventRow, trial=trial.id, import_sha256=known.sha256)
    return Imported(
        name=known.name,
        sha256=known.sha256,
        kind=known.kind,
        covers=covers or held,
        made=corrected and not dry_run,
        rows=known.rows,
        matched=known.matched,
        not_in_trial=known.not_in_trial,
        conflicts=known.conflicts,
        rejected=known.rejected,
        events=Counter(event.kind for event in events),
        notes=(
            "on record already; only the days it covers were corrected"
            if corrected
            else "on record already: no change",
        ),
    )
