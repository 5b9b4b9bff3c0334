"""When events befell units, and how often: day 0 passes over, the last day counts, overlapping logs count once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from nudge.records.tables import EventRow
from nudge.trial.event_days import counted, first_after
from nudge.trial.population import Population

DAY_0 = 739_000


def population(*units: str) -> Population:
    held = {"units": units, "day0": np.full(len(units), DAY_0), "row_of": {unit: n for n, unit in enumerate(units)}}
    return cast("Population", SimpleNamespace(**held))


def event(unit: str, day: int, *, kind: str = "activity", file: str = "a", row: int = 1, **more: Any) -> EventRow:
    return EventRow(
        trial="t", unit=unit, kind=kind, on_day=DAY_0 + day, import_sha256=file, row=row, matched_by="r", **more
    )


def test_every_event_counts_from_day_1_to_the_last_day_and_none_before_or_after() -> None:
    events = [event("u1", day, row=day + 5) for day in (-1, 0, 1, 10, 11)]
    assert counted(events, ["activity"], population("u1", "u2"), 10).tolist() == [2, 0]
    assert first_after(events, ["activity"], population("u1", "u2")).tolist() == [1, np.inf]


def test_two_on_one_day_are_two_and_other_kinds_and_other_units_are_none() -> None:
    events = [event("u1", 3, row=1), event("u1", 3, row=2), event("u1", 3, kind="call", row=3), event("u9", 3, row=4)]
    assert counted(events, ["activity"], population("u1"), 10).tolist() == [2]


def test_i9_a_row_that_is_of_two_kinds_counts_once() -> None:
    events = [event("u1", 3, kind="idea", row=1), event("u1", 3, kind="own_idea", row=1)]
    assert counted(events, ["idea", "own_idea"], population("u1"), 10).tolist() == [1]


def test_i9_logs_that_overlap_count_nothing_twice() -> None:
    """The week's log and the month's log both tell of day 3; the month's tells of one more there, and of day 5."""
    week = [event("u1", 3, file="week", row=1)]
    month = [
        event("u1", 3, file="month", row=7),
        event("u1", 3, file="month", row=8),
        event("u1", 5, file="month", row=9),
    ]
    assert counted([*week, *month], ["activity"], population("u1"), 10).tolist() == [3]
    assert counted([*month, *week], ["activity"], population("u1"), 10).tolist() == [3]
