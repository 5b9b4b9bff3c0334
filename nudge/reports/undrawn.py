"""What a report says of figures that no draw stands behind: the grade of the evidence first, then the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nudge.reports.parts import Section, Table, Text
from nudge.reports.wording import NONE, Wording, number, p_words, whole
from nudge.uplift.estimate import Scale

_KIND: Final = {
    "before_after": "before and after",
    "interrupted_series": "one series, before and after a change",
    "difference_in_differences": "a difference in differences",
}
_COULD_BE: Final = {
    "before_after": "Whatever else differs between the two times, or between whom they count, is in the figure: a"
    " trend, a season, a bad month before.",
    "interrupted_series": "The trend before, and the season where one is declared, are taken off. Whatever else changed"
    " when the letter did is in the step.",
    "difference_in_differences": "What changed for everybody is taken off. That both groups would have changed alike"
    " without the letter is assumed, and cannot be seen.",
}
_WHAT: Final = {
    "change": "After less before",
    "step": "Step at the change",
    "step_and_slope": "Step, where the trend may change too",
    "slope": "Change of the trend, each period",
    "difference_in_differences": "Change less the others' change",
}
_WHY: Final = {
    "too_few_periods": "Not estimated: a series needs at least eight periods on either side of the change, and more"
    " than twice the lag in all.",
    "arms_overlap_in_time": "Not estimated: every period before the change must come before every period after it.",
    "period_without_figure": "Not estimated: a period between two others has no figure, and later ones would move up.",
    "period_of_no_counts": "Not estimated: a period has a count of 0, which has no logarithm. Take longer periods.",
    "no_standard_error": "No interval: too few clusters or periods, or they do not differ.",
}


def undrawn(outcome: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], wording: Wording) -> Section:
    """The section of the panel `not_randomised`."""
    compare, grade = lines[0]["compare"], lines[0]["grade"]
    text = (
        f"This is not a randomised comparison, so it has no verdict. It is {_KIND[compare]}: evidence of grade"
        f" {grade} at best, where 5 is a trial drawn by chance. {_COULD_BE[compare]}"
    )
    rows = tuple(
        (
            f"{wording.arm(line['arm'])}: {_WHAT[line['what']].lower()}",
            number(line["estimate"], 4) if line["estimate"] is not None else NONE,
            f"{number(line['ci'][0], 4)} to {number(line['ci'][1], 4)}" if line["ci"] else NONE,
            whole(line["n"]),
            p_words(line["p_value"]),
        )
        for line in lines
    )
    counted = "Periods" if compare == "interrupted_series" else "Units"
    memory = f" Deviations may be remembered for {lines[0]['lag']} periods." if lines[0]["lag"] is not None else ""
    reasons = [_WHY[reason] for reason in dict.fromkeys(line["reason"] for line in lines) if reason]
    ratio = " Figures are ratios: 1 is no change." if lines[0]["scale"] == Scale.RATIO else ""
    note = " ".join([f"p is as if the arms had been drawn by chance.{memory}{ratio}", *reasons])
    columns = ("Figure", "Estimate", f"{100 * lines[0]['confidence']:g}% interval", counted, "p, as if")
    table = Table(caption=f"{_KIND[compare].capitalize()}", columns=columns, rows=rows, words=(0,), note=note)
    return Section(
        slug=f"not-randomised-{outcome['id']}", heading="Not a randomised comparison", parts=(Text(words=text), table)
    )
