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
    CLAIM_NOT_IN_DAYS = ("two means of a day or more", "Give both in days: `--before 46 --after 21`.")
    CLAIM_DID_NOT_FALL = (
        "a mean that fell from before to after",
        "Give the larger figure first; where it rose there is no improvement to look into.",
    )
    CLAIM_BEYOND_WINDOW = (
        "a follow-up longer than the mean, and under ten years; {when}, {mean} days within {days}",
        "Give for how many days each letter was followed, or leave it out.",
    )
    CLAIM_OF_NOBODY = ("two or more responders before and after", "Give how many responded, or leave it out.")
    CLAIM_NOT_ABOVE_ZERO = ("a `{name}` above 0", "Give it in days (months for `months`), or leave it out.")
