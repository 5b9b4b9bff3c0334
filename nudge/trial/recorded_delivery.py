"""Whose letter reached each unit of somebody else's trial, and what was spent on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nudge.experiment.definition import RecordedExperiment
from nudge.trial.recorded_codes import RecordedCode
from nudge.trial.recorded_columns import Columns
from nudge.trial.recorded_units import Units
from nudge.uplift.checks import missing_by_arm
from nudge.uplift.units import IntArray


def delivered(plan: RecordedExperiment, units: Units, columns: Columns) -> dict[str, Any]:
    """`received` and `spent` by unit, for a `UnitTable`; a unit of several rows by its first.

    `received` holds arms (whose letter it was), or yes and no: its own arm's, or none. A blank is none. What cannot
    be read is kept in `columns.problems`.
    """
    first = np.full(len(units), -1)
    first[units.row_unit[::-1]] = np.arange(len(units.row_unit))[::-1]
    found: dict[str, Any] = {}
    if plan.data.received is not None:
        found["received"] = _received(plan.data.received, units, columns)[first]
    if plan.data.spent is not None:
        spent = columns.not_negative(plan.data.spent, columns.numbers(plan.data.spent))
        columns.refuse(RecordedCode.CELL_BLANK, plan.data.spent, np.isnan(spent), key="spent")
        found["spent"] = 100.0 * spent[first]
    elif plan.arms[0].cost is not None:
        own = {arm.id: 100.0 * (arm.cost or 0.0) for arm in plan.arms}
        found["spent"] = np.array([own[arm] for arm in units.arms])[units.arm]
    return found


def _received(heading: str, units: Units, columns: Columns) -> IntArray:
    words = columns.codes(heading)
    if set(words.words) <= set(units.arms):
        arms = np.array([units.arms.index(word) for word in words.words] + [-1], dtype=np.int64)
        return arms[words.codes]
    own = np.nan_to_num(columns.truths(heading, ()))
    return np.where(own == 1.0, units.row_arm, -1)


def after_draw(columns: Mapping[str, Any], units: Units) -> dict[str, Any] | None:
    """Units whom their own arm's letter did not reach, by arm; None where nobody says."""
    if "received" not in columns:
        return None
    counted = units.counted
    missed = np.bincount(units.arm[counted & (columns["received"] != units.arm)], minlength=len(units.arms)).tolist()
    of = dict(zip(units.arms, np.bincount(units.arm[counted], minlength=len(units.arms)).tolist(), strict=True))
    told = missing_by_arm(of, dict(zip(units.arms, missed, strict=True)))
    return {"not_received": {"counts": told["counts"], "of": of, "p_value": told["p_value"]}}
