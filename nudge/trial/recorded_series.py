"""The periods of one series: read as times, and refused where their order or even spacing cannot be known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from nudge.base.errors import Refused
from nudge.trial.recorded_codes import RecordedCode
from nudge.trial.recorded_columns import Columns
from nudge.trial.recorded_units import Units
from nudge.uplift.units import FloatArray, IntArray

_DATED: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:-(\d{2}))?")
_EVEN: Final = 1e-9  # of a step


def series_periods(heading: str, units: Units, columns: Columns) -> IntArray:
    """The place in time, from 0, of each row's period. Raises Refused where a period between two others is not there.

    A period left out would move every later one to another month of the year, and nearer to those before.
    """
    place = columns.cells.place(heading)
    times = times_of(units.periods)
    if times is None or units.period is None or np.unique(times).size < times.size:
        raise Refused(RecordedCode.SERIES_PERIODS.at(place))
    rank = np.argsort(np.argsort(times, kind="stable"), kind="stable")[units.period]
    steps = np.diff(np.sort(times))
    uneven = np.flatnonzero(np.abs(steps - steps.min(initial=np.inf)) > _EVEN * steps.min(initial=np.inf))
    if uneven.size:
        row = columns.cells.rows[int(np.flatnonzero(rank == uneven[0])[0])]
        raise Refused(RecordedCode.SERIES_GAP.at(place, row=row))
    return rank


def times_of(words: Sequence[str]) -> FloatArray | None:
    """Each period as a number: months where all have the same day or none, else days; None where some are neither."""
    found = [_DATED.fullmatch(word) for word in words]
    parts = [(int(match[1]), int(match[2]), match[3]) for match in found if match is not None]
    if len(parts) == len(words):
        if len({day for _, _, day in parts}) == 1:
            return np.array([12.0 * year + month for year, month, _ in parts])
        try:
            return np.array([float(date(year, month, int(day)).toordinal()) for year, month, day in parts])
        except (TypeError, ValueError):
            return None
    try:
        numbers = np.array([float(word) for word in words])
    except ValueError:
        return None
    return numbers if bool(np.isfinite(numbers).all()) else None
