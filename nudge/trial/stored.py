"""The draw of a trial that was made here, for units read from its own table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.trial.recorded_columns import Columns
from nudge.trial.recorded_units import Units
from nudge.uplift.sequence import Sequences
from nudge.uplift.units import IntArray


@dataclass(frozen=True, eq=False, kw_only=True)
class Stored:
    """What was drawn. `named` is the column that names the drawn cluster, `place` where each stands in the draw.

    Of a draw of sequences `assignment` is that of `sequences`. `key`: 16 bytes, for redraws; `unit` is the word for
    what is analysed.
    """

    assignment: Assignment
    named: str
    place: Mapping[str, int]
    key: bytes
    unit: str
    sequences: Sequences | None = None

    def of(self, units: Units, columns: Columns) -> tuple[Assignment | None, IntArray]:
        """The draw, and each unit's place in it; no draw of arms where sequences were drawn."""
        found = columns.codes(self.named)
        rows = len(units.row_unit)
        first = np.zeros(len(units), dtype=np.int64)
        first[units.row_unit[::-1]] = np.arange(rows)[::-1]
        places = np.array([self.place[word] for word in found.words], dtype=np.int64)
        return None if self.sequences is not None else self.assignment, places[found.codes[first]]
