"""Outcomes that many rows of a unit or site make together: a ratio of two sums, a percentile of readings."""

from __future__ import annotations

from typing import Any

import numpy as np

from nudge.experiment.definition import Outcome
from nudge.trial.recorded_codes import RecordedCode
from nudge.trial.recorded_columns import Columns
from nudge.trial.recorded_measured import BASELINE_BLANK, OUTCOME_BLANK, Measured
from nudge.trial.recorded_units import Units
from nudge.uplift.percentiles import banded_percentiles, overlapping, percentiles
from nudge.uplift.units import BoolArray, FloatArray


def measure_ratio(outcome: Outcome, units: Units, columns: Columns) -> Measured:
    """Each unit's sum of `column` and of `over`, over all its rows; a row that lacks either counts in neither."""
    above = columns.numbers(str(outcome.column), outcome.missing)
    if outcome.absent is not None:
        above = np.where(np.isnan(above), float(outcome.absent), above)
    over = columns.not_negative(str(outcome.over), columns.numbers(str(outcome.over), outcome.missing))
    known = ~units.before & ~np.isnan(above) & ~np.isnan(over)
    row, size = units.row_unit[known], len(units)
    have = np.bincount(row, minlength=size) > 0
    fields = {
        "y": np.bincount(row, weights=above[known], minlength=size)[have],
        "over": np.bincount(row, weights=over[known], minlength=size)[have],
    }
    return Measured(unit=np.flatnonzero(have), fields=fields, missing={OUTCOME_BLANK: ~have & units.counted})


def measure_percentile(outcome: Outcome, units: Units, columns: Columns) -> Measured:
    """Each site's percentile of all its readings after and, where a period before is named, of all those before."""
    holder = units.site
    size = int(holder.max()) + 1
    after = _percentile(outcome, units, columns, ~units.before)
    inside = ~np.isnan(after)
    missing = {OUTCOME_BLANK: ~inside[holder] & units.counted}
    fields: dict[str, Any] = {}
    if units.before.any():
        earlier = _percentile(outcome, units, columns, units.before)
        missing[BASELINE_BLANK] = inside[holder] & np.isnan(earlier)[holder] & units.counted
        inside &= ~np.isnan(earlier)
        fields["baseline"] = earlier[inside]
    first = np.full(size, -1)
    counted = np.flatnonzero(units.counted)[::-1]
    first[holder[counted]] = counted  # the first unit stands for its site
    return Measured(unit=first[inside], fields={"y": after[inside], **fields}, missing=missing)


def _percentile(outcome: Outcome, units: Units, columns: Columns, rows: BoolArray) -> FloatArray:
    """float64[sites], NaN where a site has no reading among these rows."""
    site = units.site[units.row_unit]
    size, percent = int(units.site.max()) + 1, float(outcome.percentile or 0)
    lower = columns.numbers(str(outcome.column), outcome.missing)
    if outcome.upper is None or outcome.counts is None:
        known = rows & ~np.isnan(lower)
        return percentiles(site[known], lower[known], size, percent)
    upper = columns.numbers(outcome.upper, outcome.missing)
    counts = columns.not_negative(outcome.counts, columns.numbers(outcome.counts, outcome.missing))
    known = rows & ~np.isnan(lower) & ~np.isnan(upper) & ~np.isnan(counts)
    told = len(columns.problems)
    columns.refuse(RecordedCode.BAND_BACKWARDS, outcome.upper, known & (upper <= lower))
    clash = np.zeros(rows.size, dtype=np.bool_)
    clash[known] = overlapping(site[known], lower[known], upper[known])
    columns.refuse(RecordedCode.BANDS_OVERLAP, str(outcome.column), clash)
    if len(columns.problems) > told:
        return np.full(size, np.nan)
    return banded_percentiles(site[known], lower[known], upper[known], counts[known], size, percent)
