"""One batch as recorded: its units, arms, people, letters and what happened since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection

from nudge.base.errors import Place, Refused
from nudge.records.store import rows_of
from nudge.records.tables import AllocationRow, BatchRow, EventRow, PostingRow, RecipientRow, UnitRow
from nudge.trial.codes import TrialCode
from nudge.trial.handle import Trial

FIRST: Final = "first"  # the wave of the first letter


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
    """What is recorded of a batch. Refused where there is no such batch."""
    with trial.store.snapshot() as connection:
        batch = batch_of(connection, trial, number)
        units = {row.unit: row for row in rows_of(connection, UnitRow, trial=trial.id, batch=number)}
        return BatchRecords(
            batch=batch,
            units=units,
            arms={row.cluster: row.arm for row in rows_of(connection, AllocationRow, trial=trial.id)},
            recipients=rows_of(connection, RecipientRow, trial=trial.id, unit=tuple(units)),
            postings=rows_of(connection, PostingRow, trial=trial.id, batch=number),
            events=rows_of(connection, EventRow, trial=trial.id, unit=tuple(units)),
        )


class OfUnit(Protocol):
    """A row that is of one unit."""

    unit: str


RowOfUnit = TypeVar("RowOfUnit", bound=OfUnit)


def by_unit(rows: Iterable[RowOfUnit]) -> Mapping[str, list[RowOfUnit]]:
    """Rows by their unit, in their order; a unit without any has an empty list."""
    found: dict[str, list[RowOfUnit]] = defaultdict(list)
    for row in rows:
        found[row.unit].append(row)
    return found


def batch_of(connection: Connection, trial: Trial, number: int) -> BatchRow:
    """One batch. Refused, with the batches there are, where there is no such one."""
    found = rows_of(connection, BatchRow, trial=trial.id, number=number)
    if not found:
        known = ", ".join(f"{trial.id}/{row.number}" for row in rows_of(connection, BatchRow, trial=trial.id))
        raise Refused(TrialCode.NO_SUCH_BATCH.at(batch_place(trial, number), trial=trial.id, known=known or "none yet"))
    return found[0]


def batch_place(trial: Trial, number: int) -> Place:
    """A batch as the officer types it."""
    return Place(f"{trial.id}/{number}")


def require_open(connection: Connection, trial: Trial) -> None:
    """Refused where the trial is closed: nothing is made, posted or corrected after the arms were opened."""
    if trial.is_closed(connection):
        raise Refused(TrialCode.CLOSED.at(trial.place))
