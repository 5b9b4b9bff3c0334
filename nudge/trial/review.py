"""Doubtful matches, decided by a person who does not see the arm. Every decision is logged and can be made anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from nudge.base.errors import Refused
from nudge.base.values import day_in_words, utc_text
from nudge.records.codes import ResponseCode
from nudge.records.matching import Index
from nudge.records.store import append, audit, change, remove, rows_of
from nudge.records.tables import EventRow, ImportRow, MeasurementRow, PostingRow, RecipientRow, ReviewRow
from nudge.trial.codes import TrialCode
from nudge.trial.handle import Trial
from nudge.trial.responses import as_rows

BY_REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tenancy that a row may belong to. Personal: for the screen of whoever decides."""

    unit: str
    reference: str
    names: tuple[str, ...]
    address: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One row that waits for a decision, as its file had it. Personal: for the screen of whoever decides (I12)."""

    id: int
    trial: str
    file: str
    row: int
    kind: str
    on: date
    identifiers: Mapping[str, str]
    candidates: tuple[Candidate, ...]
    skipped: bool

    def text(self) -> str:
        """For a terminal: what the row says, whose it may be, and what to type."""
        said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.identifiers.items())
        passed = " (skipped before)" if self.skipped else ""
        lines = [f"{self.id}. {self.file} row {self.row}, {self.kind}, {day_in_words(self.on)}{passed}", f"   {said}"]
        for one in self.candidates:
            lines.append(f"   --accept {self.id} {one.reference}   {' and '.join(one.names)}, {', '.join(one.address)}")
        lines.append(f"   --reject {self.id}   --skip {self.id}")
        return "\n".join(lines)

    def figures(self) -> dict[str, Any]:
        """For JSON: no name, number or address."""
        return {
            "id": self.id,
            "row": self.row,
            "kind": self.kind,
            "on": self.on.isoformat(),
            "candidates": [one.reference for one in self.candidates],
            "skipped": self.skipped,
        }


def open_reviews(trial: Trial) -> tuple[Doubt, ...]:
    """The rows that wait for a decision, oldest first; those skipped before come last."""
    with trial.store.snapshot() as connection:
        rows = rows_of(connection, ReviewRow, trial=trial.id, status=("open", "skipped"))
        if not rows:
            return ()
        files = {row.sha256: row.name for row in rows_of(connection, ImportRow, trial=trial.id)}
        wanted = tuple(unit for row in rows for unit in json.loads(row.candidates_json))
        people: dict[str, list[RecipientRow]] = {}
        for person in rows_of(connection, RecipientRow, trial=trial.id, unit=wanted):
            people.setdefault(person.unit, []).append(person)
    doubts = [
        Doubt(
            id=row.id or 0,
            trial=trial.id,
            file=files.get(row.import_sha256, ""),
            row=row.row,
            kind=row.kind,
            on=date.fromordinal(row.on_day),
            identifiers=json.loads(row.row_json).get("identifiers", {}),
            candidates=tuple(_candidate(people[unit]) for unit in json.loads(row.candidates_json) if unit in people),
            skipped=row.status == "skipped",
        )
        for row in rows
    ]
    return tuple(sorted(doubts, key=lambda doubt: (doubt.skipped, doubt.on, doubt.id)))


def accept(trial: Trial, id: int | str, reference: str, *, now: datetime) -> bool:
    """The row belongs to the tenancy of this reference (or unit code): its events are recorded. False if so decided.

    A row accepted before for another tenancy moves to this one.
    """
    with trial.store.transaction() as connection:
        row = _row(connection, trial, id)
        unit = _unit(connection, trial, row, reference)
        if (row.status, row.unit) == ("accepted", unit):
            return False
        content = json.loads(row.row_json)
        if "events" not in content:
            raise Refused(ResponseCode.REVIEW_ERASED.at(trial.place))
        _take_back(connection, row)
        events, measurements = as_rows(
            trial.id,
            row.import_sha256,
            row.row,
            unit,
            BY_REVIEW,
            row.on_day,
            content["events"],
            content["measurements"],
            content["values"],
        )
        append(connection, [*events, *measurements])
        _decide(connection, trial, row, "accepted", unit, now)
    return True


def reject(trial: Trial, id: int | str, *, now: datetime) -> bool:
    """The row belongs to nobody in this trial. False if so decided before."""
    return _set_aside(trial, id, "rejected", now)


def skip(trial: Trial, id: int | str, *, now: datetime) -> bool:
    """Leave the row for later; it stays in the list, and counts as nothing meanwhile. False if so left before."""
    return _set_aside(trial, id, "skipped", now)


def _set_aside(trial: Trial, number: int | str, status: str, now: datetime) -> bool:
    with trial.store.transaction() as connection:
        row = _row(connection, trial, number)
        if row.status == status:
            return False
        _take_back(connection, row)
        _decide(connection, trial, row, status, None, now)
    return True


def _row(connection: Connection, trial: Trial, number: int | str) -> ReviewRow:
    if trial.is_closed(connection):
        raise Refused(TrialCode.CLOSED.at(trial.place))
    text = str(number).strip()
    found = rows_of(connection, ReviewRow, trial=trial.id, id=int(text)) if text.isdecimal() and len(text) < 16 else []
    if not found:
        raise Refused(ResponseCode.REVIEW_UNKNOWN.at(trial.place, trial=trial.id))
    return found[0]


def _unit(connection: Connection, trial: Trial, row: ReviewRow, reference: str) -> str:
    if reference in json.loads(row.candidates_json):
        return reference
    postings = rows_of(connection, PostingRow, trial=trial.id)
    letters = {posting.letter_reference: posting.unit for posting in postings}
    index = Index.of(rows_of(connection, RecipientRow, trial=trial.id), letters)
    for found in (
        index.match(tenancy_reference=reference),
        index.match(payment_reference=reference),
        index.match(letter_reference=reference),
    ):
        if found.unit is not None:
            return found.unit
    raise Refused(TrialCode.UNKNOWN_REFERENCE.at(trial.place))


def _take_back(connection: Connection, row: ReviewRow) -> None:
    """What an earlier decision on this row recorded."""
    where = {"trial": row.trial, "import_sha256": row.import_sha256, "row": row.row}
    remove(connection, EventRow, where=where)
    remove(connection, MeasurementRow, where=where)


def _decide(connection: Connection, trial: Trial, row: ReviewRow, status: str, unit: str | None, now: datetime) -> None:
    to = {"status": status, "unit": unit, "decided_at": utc_text(now)}
    change(connection, ReviewRow, where={"trial": trial.id, "id": row.id}, to=to)
    facts = {"id": row.id, "row": row.row, "sha256": row.import_sha256, "was": row.status, "now": status, "unit": unit}
    audit(connection, trial=trial.id, what="review", facts=facts, at=now)


def _candidate(people: list[RecipientRow]) -> Candidate:
    first = people[0]
    return Candidate(
        unit=first.unit,
        reference=first.tenancy_reference,
        names=tuple(" ".join(part for part in (row.title, row.forename, row.surname) if part) for row in people),
        address=tuple(json.loads(first.address_json)),
    )
