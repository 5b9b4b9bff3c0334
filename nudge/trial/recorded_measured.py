"""What one outcome of a recorded plan comes to: a value for each unit, and why the other units have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from nudge.uplift.units import BoolArray, FloatArray, IntArray

OUTCOME_BLANK: Final = "outcome_blank"
START_BLANK: Final = "start_blank"
DURATION_BLANK: Final = "duration_blank"
HAPPENED_BLANK: Final = "happened_blank"
EXPOSURE_BLANK: Final = "exposure_blank"
BASELINE_BLANK: Final = "baseline_blank"
AT_OR_BEFORE_START: Final = "event_on_or_before_start"
NOT_YET_FOLLOWED: Final = "not_yet_followed"
SPANNING: Final = "cluster_in_several_arms"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """An outcome as rows for the engine: `unit` says whose each row is, `fields` are columns of a `UnitTable`.

    `missing` marks, by reason, the units without a row. `repeated`: a unit may have several rows, one a period.
    """

    unit: IntArray
    fields: Mapping[str, Any]
    missing: Mapping[str, BoolArray]
    notes: tuple[str, ...] = ()
    repeated: bool = False
    day0: tuple[date, date] | None = None
    after_day0: FloatArray | None = None  # by unit, days from its batch's day 0 to its own start; NaN where blank
