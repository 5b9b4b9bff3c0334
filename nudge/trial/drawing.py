"""One draw, the same for letters and signs: the list frozen in the ledger first, then drawn, then recorded (I2, I8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from nudge.allocation.certificate import BatchLine, ledger_hash
from nudge.allocation.design import Allocated, Design, Entry
from nudge.allocation.listing import list_hash
from nudge.base.canonical import canonical
from nudge.base.errors import Refused
from nudge.base.values import utc_text
from nudge.records.store import append, append_allocation, audit, rows_of
from nudge.records.tables import AllocationRow, BatchRow, HouseholdRow, SealRow
from nudge.trial.codes import TrialCode
from nudge.trial.entries import kept_with_batch
from nudge.trial.handle import Trial
from nudge.trial.sealing import draw_seed


def next_batch(
    trial: Trial,
    earlier: Sequence[BatchRow],
    *,
    epoch: int,
    extract: tuple[str, str],
    as_of: date,
    suppression: tuple[str, date],
    entries: Mapping[str, Entry],
    flow: Mapping[str, object],
    now: datetime,
) -> BatchRow:
    """The batch that follows, its list hashed and chained to the one before. Nothing is recorded yet.

    `extract` is a file's name and hash, `suppression` a list's hash and the day it was dated.
    """
    before = (
        ledger_hash(trial.id, batch_line(earlier[-1]), algorithm=Design.of(trial.experiment).algorithm)
        if earlier
        else trial.seals[0].commitment
    )
    return BatchRow(
        trial=trial.id,
        number=len(earlier) + 1,
        epoch=epoch,
        extract_name=extract[0],
        extract_sha256=extract[1],
        as_of=as_of.toordinal(),
        suppression_sha256=suppression[0],
        suppression_dated=suppression[1].toordinal(),
        list_hash=list_hash(entries),
        previous_hash=before,
        frozen_at=utc_text(now),
        drawn_at=utc_text(now),
        status="drawn",
        day0=None,
        flow_json=canonical({**flow, **kept_with_batch(entries)}).decode(),
    )


def record_draw(
    connection: Connection, trial: Trial, seal: SealRow, batch: BatchRow, entries: Mapping[str, Entry], now: datetime
) -> None:
    """Freeze the list, draw it, and record the batch, its clusters and their arms; the caller adds the units.

    Refused where another batch or seal came in between.
    """
    batches = rows_of(connection, BatchRow, trial=trial.id)
    if len(batches) != batch.number - 1 or rows_of(connection, SealRow, trial=trial.id)[-1].number != seal.number:
        raise Refused(TrialCode.DRAWN_MEANWHILE.at(trial.place))
    frozen = {"batch": batch.number, "list_hash": batch.list_hash, "previous_hash": batch.previous_hash}
    audit(connection, trial=trial.id, what="list_frozen", facts=frozen | {"clusters": len(entries)}, at=now)
    before = [as_allocated(row) for row in rows_of(connection, AllocationRow, trial=trial.id)]
    design = Design.of(trial.experiment, epoch=batch.epoch)
    drawn = design.draw(seed=draw_seed(trial, seal), batch=batch.number, clusters=entries, drawn=before)
    append(connection, [batch])
    append(
        connection,
        [
            HouseholdRow(trial=trial.id, cluster=code, stratum=entry.stratum, batch=batch.number, merged_into=None)
            for code, entry in sorted(entries.items())
        ],
    )
    append_allocation(
        connection,
        [
            AllocationRow(trial=trial.id, **{name: getattr(one, name) for name in Allocated.__dataclass_fields__})
            for one in drawn
        ],
    )


def batch_line(row: BatchRow, *, clusters: int = 0, units: int = 0, late_members: int = 0) -> BatchLine:
    """A batch as the certificate lists it; the counts have no part in its ledger hash."""
    return BatchLine(
        number=row.number,
        epoch=row.epoch,
        frozen_at=row.frozen_at,
        drawn_at=row.drawn_at,
        list_hash=row.list_hash,
        clusters=clusters,
        units=units,
        late_members=late_members,
        previous_hash=row.previous_hash,
    )


def as_allocated(row: AllocationRow) -> Allocated:
    """The allocation room's value of a stored row."""
    return Allocated(**{name: getattr(row, name) for name in Allocated.__dataclass_fields__})
