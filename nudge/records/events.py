"""When each unit first did something, and over which days the records can tell.

Day 0 is the posting day of the unit's batch; what happened on it or before is no response and is passed over, and only
posted batches have one (rules §1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Connection, Subquery, and_, func, select

from nudge.records.store import rows_of, table_of
from nudge.records.tables import BatchRow, EventRow, ImportRow, UnitRow


class Coverage(NamedTuple):
    """The days, as ordinals, that files of one kind cover together; `gaps` are the days missing between, as spans."""

    first: int | None
    last: int | None
    gaps: tuple[tuple[int, int], ...]

    def unbroken_from(self, day: int) -> int | None:
        """The last day covered without a break from `day` on; None where `day` itself is not covered."""
        if self.first is None or self.last is None or not self.first <= day <= self.last:
            return None
        if any(start <= day <= end for start, end in self.gaps):
            return None
        return min((start - 1 for start, _ in self.gaps if start > day), default=self.last)


def covered(spans: Iterable[tuple[int, int]]) -> Coverage:
    """What spans of days cover together, both ends included; adjoining spans leave no gap."""
    ordered = sorted(spans)
    if not ordered:
        return Coverage(None, None, ())
    gaps = []
    reached = ordered[0][1]
    for start, end in ordered[1:]:
        if start > reached + 1:
            gaps.append((reached + 1, start - 1))
        reached = max(reached, end)
    return Coverage(ordered[0][0], reached, tuple(gaps))


def coverage(connection: Connection, trial: str, kind: str) -> Coverage:
    """The days that the trial's files of one kind (contacts, payments, …) cover together."""
    return covered((row.covers_from, row.covers_to) for row in rows_of(connection, ImportRow, trial=trial, kind=kind))


def data_cut(connection: Connection, trial: str, kinds: Collection[str]) -> int | None:
    """The last day to which files of all these kinds cover every day since the first day 0, day 0 itself set aside.

    None where nothing is posted or a kind does not cover the day after: then nothing can be said of anybody.
    """
    start = first_day0(connection, trial)
    if start is None or not kinds:
        return None
    ends = [coverage(connection, trial, kind).unbroken_from(start + 1) for kind in kinds]
    return None if None in ends else min(end for end in ends if end is not None)


def first_day0(connection: Connection, trial: str) -> int | None:
    """The earliest day 0 of the trial's posted batches."""
    batches = rows_of(connection, BatchRow, trial=trial, status="posted")
    return min((row.day0 for row in batches if row.day0 is not None), default=None)


def first_events(
    connection: Connection, trial: str, kinds: Collection[str], *, until: int | None = None
) -> dict[str, int]:
    """For each unit with any of these events after its day 0, the first of them as an ordinal, by unit.

    An event of any recipient is its unit's. `until` is the last day to look at, such as the data cut.
    """
    first = first_after_day0(trial, kinds, until=until)
    return {row.unit: row.on_day for row in connection.execute(select(first).order_by(first.c.unit))}


def first_after_day0(trial: str, kinds: Collection[str], *, until: int | None = None) -> Subquery:
    """`unit` and its first `on_day` after day 0, for a query to build on."""
    event, unit, batch = table_of(EventRow), table_of(UnitRow), table_of(BatchRow)
    wanted = and_(
        event.c.trial == trial,
        event.c.kind.in_(sorted(kinds)),
        batch.c.status == "posted",
        event.c.on_day > batch.c.day0,
    )
    if until is not None:
        wanted = and_(wanted, event.c.on_day <= until)
    own_batch = and_(batch.c.trial == unit.c.trial, batch.c.number == unit.c.batch)
    own_unit = and_(unit.c.trial == event.c.trial, unit.c.unit == event.c.unit)
    return (
        select(event.c.unit.label("unit"), func.min(event.c.on_day).label("on_day"))
        .select_from(event.join(unit, own_unit).join(batch, own_batch))
        .where(wanted)
        .group_by(event.c.unit)
        .subquery("first")
    )
