"""What the analysis refuses, in words. No other module of this room words a refusal."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class UpliftCode(Code):
    """Why an outcome cannot be analysed as declared."""

    HORIZON_NOT_SET = (
        "a horizon for the time to an event of outcome {outcome}",
        "Add `horizon:`, in the outcome's own time unit, decided before looking at the data.",
    )
    HORIZON_BEYOND_FOLLOW_UP = (
        "a horizon that some unit of every arm was followed to; arm {arm} was followed to {largest} at most",
        "Set `horizon: {largest}` or lower for outcome {outcome}, or wait for later data.",
    )
    NO_UNITS = (
        "at least one unit with outcome {outcome}",
        "Check the column names of the plan and the words declared as missing.",
    )
    PAIR_NOT_WHOLE = (
        "pairs of one unit in each of two arms; {count} pairs of outcome {outcome} are not",
        "Give each pair one unit of the arm and one of the reference, or drop `pair:`.",
    )
