"""The smallest rows that make a trial: a posted batch, its households, units, arms and recipients. People invented."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from sqlalchemy import Connection

from nudge.records.store import append, append_allocation
from nudge.records.tables import AllocationRow, BatchRow, EventRow, HouseholdRow, ImportRow, RecipientRow, UnitRow

TRIAL = "demo"
DAY0 = date(2026, 9, 7).toordinal()
NOW = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)


def batch(number: int = 1, *, day0: int | None = DAY0, status: str = "posted", epoch: int = 1) -> BatchRow:
    return BatchRow(
        trial=TRIAL, number=number, epoch=epoch, extract_name="week.csv", extract_sha256="e" * 64, as_of=DAY0 - 3,
        suppression_sha256="f" * 64, suppression_dated=DAY0 - 3, list_hash="a" * 64, previous_hash="0" * 64,
        frozen_at="2026-09-04T09:00:00Z", drawn_at="2026-09-04T09:01:00Z", status=status, day0=day0, flow_json="{}",
    )  # fmt: skip


def allocation(cluster: str, arm: str, *, number: int = 1, stratum: str = "all", epoch: int = 1) -> AllocationRow:
    return AllocationRow(
        trial=TRIAL, cluster=cluster, batch=number, stratum=stratum, epoch=epoch, block=1, slot=1, block_size=4, arm=arm
    )


def enrol(
    connection: Connection,
    units: Sequence[tuple[str, str]],
    *,
    number: int = 1,
    stratum: str = "all",
    epoch: int = 1,
    late: bool = False,
) -> None:
    """Units of one tenancy each, as (unit, arm), in a batch that is there."""
    append(connection, [HouseholdRow(trial=TRIAL, cluster=f"c-{u}", stratum=stratum, batch=number) for u, _ in units])
    append(
        connection,
        [
            UnitRow(
                trial=TRIAL, unit=u, cluster=f"c-{u}", batch=number, first_batch=number, late=late, values_json="{}"
            )
            for u, _ in units
        ],
    )
    rows = [allocation(f"c-{u}", arm, number=number, stratum=stratum, epoch=epoch) for u, arm in units]
    append_allocation(connection, rows)


def event(unit: str, on_day: int, kind: str = "contact", *, row: int = 2, file: str = "c" * 64) -> EventRow:
    return EventRow(
        trial=TRIAL, unit=unit, kind=kind, on_day=on_day, import_sha256=file, row=row, matched_by="tenancy reference"
    )


def imported(first: int, last: int, *, kind: str = "contacts", sha256: str = "c" * 64) -> ImportRow:
    return ImportRow(
        trial=TRIAL, sha256=sha256, kind=kind, name="log.csv", at="2026-11-09T09:00:00Z", rows=1, covers_from=first,
        covers_to=last,
    )  # fmt: skip


def recipient(unit: str, number: int = 1, **columns: str) -> RecipientRow:
    return RecipientRow(trial=TRIAL, unit=unit, number=number, **{"tenancy_reference": f"T-{unit}", **columns})
