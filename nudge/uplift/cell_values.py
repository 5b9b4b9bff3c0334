"""Unit values made within each cell of a table: an arm's level, an arm and a combination of factors."""

from __future__ import annotations

import numpy as np

from nudge.experiment.definition import OutcomeType
from nudge.uplift.outcome_rows import Plan
from nudge.uplift.sums import ratio_values
from nudge.uplift.survival import rmst_values
from nudge.uplift.units import FloatArray, IntArray, UnitTable


def cell_values(table: UnitTable, cell: IntArray, plan: Plan) -> FloatArray | None:
    """The unit values y of rules §5, whose mean over a cell is that cell's figure; None where a cell has none.

    A time to event has a Kaplan-Meier curve for each cell, a ratio of sums a ratio; other values are as they are.
    """
    if plan.kind is OutcomeType.TIME_TO_EVENT and table.time is not None and table.event is not None:
        y = np.empty(len(table))
        for code in np.unique(cell):
            rows = np.flatnonzero(cell == code)
            y[rows] = rmst_values(table.time[rows], table.event[rows], plan.horizon)
        return y
    if table.y is None:
        msg = "the table lacks the column of this type of outcome"
        raise ValueError(msg)
    if plan.kind is OutcomeType.RATIO and table.over is not None:
        y = np.empty(len(table))
        for code in np.unique(cell):
            rows = np.flatnonzero(cell == code)
            if not float(table.over[rows].sum()) > 0:
                return None
            y[rows] = ratio_values(table.y[rows], table.over[rows])
        return y
    return table.y
