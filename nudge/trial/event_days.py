"""On which days events befell the units of a trial, and how many there were (rules §1: day 0 and before pass over)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from nudge.records.tables import EventRow
from nudge.trial.population import Population

Days: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


def first_after(events: Sequence[EventRow], kinds: Sequence[str], population: Population) -> Days:
    """Days from day 0 to each unit's first event of the kinds; infinite where none."""
    found = np.full(len(population.units), np.inf)
    for number, day, _ in _since(events, kinds, population):
        found[number] = min(found[number], day)
    return found


def counted(events: Sequence[EventRow], kinds: Sequence[str], population: Population, within: int) -> Days:
    """How many events of the kinds each unit had by day `within`.

    A row of a file that is of two kinds counts once. Where several files tell of one day the fullest counts, so that
    logs which overlap count nothing twice.
    """
    rows = {
        (number, day, event.import_sha256, event.row)
        for number, day, event in _since(events, kinds, population)
        if day <= within
    }
    fullest: Counter[tuple[int, int]] = Counter()
    for (number, day, _), count in Counter(row[:3] for row in rows).items():
        fullest[number, day] = max(fullest[number, day], count)
    found = np.zeros(len(population.units))
    for (number, _), count in fullest.items():
        found[number] += count
    return found


def _since(
    events: Sequence[EventRow], kinds: Sequence[str], population: Population
) -> Iterator[tuple[int, int, EventRow]]:
    row = population.row_of
    for event in events:
        number = row.get(event.unit)
        if number is not None and event.kind in kinds:
            day = event.on_day - int(population.day0[number])
            if day > 0:
                yield number, day, event
