"""The largest size not above 5 % that a redrawn test can have, where outcomes are few or tied."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration.cells import Cell
from benchmarks.calibration.tallies import headline, outcome_of, plan_of, settings_of
from benchmarks.calibration.trials import simulated
from nudge.allocation.assignment import Assignment
from nudge.experiment.definition import OutcomeType
from nudge.uplift.comparison import Comparison
from nudge.uplift.outcome_rows import unit_values
from nudge.uplift.pairs import log_rates, pair_differences
from nudge.uplift.units import UnitTable

REDRAWS: Final = 1_999
LAYOUTS: Final = 4
_TIE: Final = 1e-9
_LISTED: Final = 12


def attainable(cell: Cell) -> float:
    """The mean, over 200 trials, of the largest share of redraws (signs, for pairs) that a p of 5 % can count.

    Redraws are drawn afresh, 1,999 of them, so that the share of the trial's own is within about half a point.
    """
    found = []
    for layout in range(LAYOUTS):
        for table, assignment in simulated(cell, layout):
            found.append(_pairs(cell, table, layout) if cell.pairs else _redrawn(cell, table, assignment, layout))
    return float(np.mean(found))


def largest(sizes: NDArray[np.float64]) -> float:
    """The largest P(|T| >= t) not above 0.05 over t, from the equally likely values of |T|."""
    ordered = np.sort(sizes)[::-1]
    ends = np.flatnonzero(np.append(ordered[:-1] - ordered[1:] > _TIE * np.maximum(1.0, ordered[1:]), True))
    shares = (ends + 1) / ordered.size
    return float(shares[shares <= 0.05].max(initial=0.0))


def _redrawn(cell: Cell, table: UnitTable, assignment: Assignment, layout: int) -> float:
    settings = settings_of(cell, layout)
    comparison = Comparison.of(table.coded(), table.arms[1], assignment)
    row = headline(outcome_of(cell), comparison, settings)
    if row.redrawn is None or not row.needs_redraw or comparison.assignment is None:
        return 0.05
    statistic = row.redrawn()
    values = [statistic(labels) for labels in comparison.assignment.redraw(REDRAWS, settings.redraw_key)]
    sizes = np.abs(np.concatenate(values))
    return largest(np.where(np.isfinite(sizes), sizes, 1e300))


def _pairs(cell: Cell, table: UnitTable, layout: int) -> float:
    """Over all patterns of signs to twelve pairs, else over 1,999 drawn ones."""
    if table.pair is None:
        return 0.05
    comparison = Comparison.of(table.coded(), table.arms[1], None)
    plan = plan_of(outcome_of(cell), settings_of(cell, 0))
    y = log_rates(table, comparison.z) if cell.kind is OutcomeType.RATE else unit_values(comparison, plan)
    differences, _, _ = pair_differences(y, comparison.z, table.pair)
    if differences.size <= _LISTED:
        patterns = np.arange(1 << differences.size)[:, None]
        signs = 1 - 2 * ((patterns >> np.arange(differences.size)) & 1)
    else:
        signs = 2 * np.random.default_rng(layout).integers(0, 2, (REDRAWS, differences.size)) - 1
    return largest(np.abs(signs @ differences))
