"""The number read for each unit nearest to a day after its day 0."""

from __future__ import annotations

from sqlalchemy import Connection, and_, select

from nudge.records.store import table_of
from nudge.records.tables import BatchRow, MeasurementRow, UnitRow


def measured(
    connection: Connection, trial: str, name: str, *, at: int, window: tuple[int, int], until: int | None = None
) -> dict[str, int]:
    """By unit, the number read nearest to `at` days after its day 0, within `window` days of that day.

    Equally near, the earlier counts; read twice on that day, the one recorded last. A unit without a reading there is
    absent: missing, never nought (I9). Only units of posted batches have a day 0.
    """
    reading, unit, batch = table_of(MeasurementRow), table_of(UnitRow), table_of(BatchRow)
    target = batch.c.day0 + at
    wanted = and_(
        reading.c.trial == trial,
        reading.c.name == name,
        batch.c.status == "posted",
        reading.c.on_day >= target + window[0],
        reading.c.on_day <= target + window[1],
    )
    if until is not None:
        wanted = and_(wanted, reading.c.on_day <= until)
    own_unit = and_(unit.c.trial == reading.c.trial, unit.c.unit == reading.c.unit)
    own_batch = and_(batch.c.trial == unit.c.trial, batch.c.number == unit.c.batch)
    rows = connection.execute(
        select(reading.c.unit, reading.c.number, reading.c.on_day, reading.c.id, target.label("target"))
        .select_from(reading.join(unit, own_unit).join(batch, own_batch))
        .where(wanted)
    )
    nearest: dict[str, tuple[tuple[int, int, int], int]] = {}
    for row in rows:
        rank = (abs(row.on_day - row.target), row.on_day, -row.id)
        if row.unit not in nearest or rank < nearest[row.unit][0]:
            nearest[row.unit] = (rank, row.number)
    return {unit_code: number for unit_code, (_, number) in sorted(nearest.items())}
