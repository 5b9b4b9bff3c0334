"""Counts of units by arm, stratum and day in one statement, for the estimates that need nothing more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TypeAlias

from sqlalchemy import Connection, and_, case, false, func, literal, select

from nudge.records.events import first_after_day0
from nudge.records.store import table_of
from nudge.records.tables import AllocationRow, BatchRow, UnitRow

Tally: TypeAlias = tuple[str, str, int, int, int]
"""(arm, analysis stratum, day, 1 event or 0 censored, units)."""


def analysis_stratum(stratum: str, epoch: int) -> str:
    """What estimates are stratified by: the stratum of the draw, and from the second epoch on the epoch too (§3)."""
    return stratum if epoch == 1 else f"{stratum}\tepoch {epoch}"


def survival_counts(
    connection: Connection,
    *,
    trial: str,
    kinds: Collection[str],
    horizon: int,
    coverage_end: int,
    late: bool = False,
) -> list[Tally]:
    """Every unit of every posted batch, in the arm drawn, by the day of its first event or of its last being followed.

    An event counts on day k for 0 < k <= min(horizon, coverage_end - day 0); a unit without one is censored at that
    end, on day 0 where its day 0 is no earlier than `coverage_end`. Late members, who were not randomised, are left
    out unless `late` (rules §1, §2). In order of arm, stratum, day and event.
    """
    unit, batch, allocation = table_of(UnitRow), table_of(BatchRow), table_of(AllocationRow)
    first = first_after_day0(trial, kinds, until=coverage_end)
    on_file = literal(coverage_end) - batch.c.day0
    followed = case((on_file < 0, 0), (on_file > horizon, horizon), else_=on_file)
    day = first.c.on_day - batch.c.day0
    happened = and_(first.c.on_day.is_not(None), day <= horizon)
    own_batch = and_(batch.c.trial == unit.c.trial, batch.c.number == unit.c.batch)
    own_arm = and_(allocation.c.trial == unit.c.trial, allocation.c.cluster == unit.c.cluster)
    in_it = and_(unit.c.trial == trial, batch.c.status == "posted")
    columns = (
        allocation.c.arm,
        allocation.c.stratum,
        allocation.c.epoch,
        case((happened, day), else_=followed).label("day"),
        case((happened, 1), else_=0).label("event"),
    )
    rows = connection.execute(
        select(*columns, func.count().label("units"))
        .select_from(
            unit.join(batch, own_batch).join(allocation, own_arm).outerjoin(first, first.c.unit == unit.c.unit)
        )
        .where(in_it if late else and_(in_it, unit.c.late == false()))
        .group_by(*columns)
    )
    counts: Counter[tuple[str, str, int, int]] = Counter()
    for arm, stratum, epoch, on_day, event, units in rows:
        counts[arm, analysis_stratum(stratum, epoch), int(on_day), int(event)] += units
    return sorted((*key, units) for key, units in counts.items())
