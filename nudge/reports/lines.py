"""One estimate of a summary in words: its size, its interval, its direction, on the scale a reader thinks in.

A proportion is printed of every 100 units, a time as earlier or later, pence as pounds, a ratio as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from nudge.reports.wording import NONE, Wording, between, money, number, periods, plural, signed
from nudge.uplift.estimate import Flag, Measure, Role, Scale

PER_100: Final = frozenset({Measure.RISK_DIFFERENCE, Measure.RATIO_DIFFERENCE})
"""Fractions that are printed of every 100."""
MEASURE_NAMES: Final[Mapping[Measure, str]] = {
    Measure.RISK_DIFFERENCE: "Difference per 100 {units}",
    Measure.RISK_RATIO: "Risk ratio",
    Measure.ODDS_RATIO: "Odds ratio",
    Measure.RMST_DIFFERENCE: "Difference in average {times}, over the first {horizon}",
    Measure.HAZARD_RATIO: "Hazard ratio",
    Measure.LOGRANK: "Log-rank test",
    Measure.MEAN_DIFFERENCE: "Difference in mean",
    Measure.RATE_RATIO: "Rate ratio",
    Measure.RATIO_DIFFERENCE: "Difference per 100 of the total",
    Measure.PERCENTILE_DIFFERENCE: "Difference in percentile",
}
FLAG_WORDS: Final[Mapping[Flag, str]] = {
    Flag.EMPTY_ARM: "An arm has no units with this outcome beside the other arm, so nothing can be estimated.",
    Flag.ONE_CLUSTER_IN_ARM: "An arm has one cluster only, so its spread cannot be known.",
    Flag.NO_VARIANCE: "There is no spread to measure, so no interval exists.",
    Flag.STRATA_NOT_USED: "Events or clusters are few, so the strata of the draw are left out of this row.",
    Flag.STRATA_DROPPED: "Some strata held one arm only; they cannot compare anything and have no weight.",
    Flag.INTERVAL_AND_TEST_DISAGREE: "The interval and the test point different ways, so neither is leant on.",
    Flag.CANNOT_REACH_SIGNIFICANCE: "So few clusters were drawn that no result could have reached p < 0.05.",
    Flag.REDRAWS_DEGENERATE: "Every redraw of the design gives the same result, so there is no test.",
    Flag.RANDOMISATION_TEST_NOT_RUN: "Too many clusters to redraw; the p-value comes from the interval's own formula.",
    Flag.RANDOMISATION_TEST_NEEDS_UNITS: "Only counts were given; redrawing the design needs the single units.",
    Flag.CLUSTERS_SPAN_ARMS: "Some clusters hold units of both arms.",
    Flag.TEST_ONLY: "A test without a size: it says whether the curves differ, not by how much.",
    Flag.RESPONDERS_ONLY: "Counts only those who responded.",
    Flag.NOT_A_COMPARISON: "Not a comparison of the arms: those who responded are not alike in each.",
    Flag.FEW_EVENTS: "Fewer than ten events in an arm.",
    Flag.FEW_CLUSTERS: "Fewer than ten clusters in an arm.",
    Flag.NO_EVENTS: "No event in an arm.",
    Flag.NO_DENOMINATOR: "The total that the sum is divided by is nothing in an arm.",
    Flag.MODEL_NOT_FITTED: "No model of this kind could be fitted to these counts.",
    Flag.RATIO_UNBOUNDED: "No finite ratio fits best, as where the arms' events never overlap in time.",
    Flag.HAZARDS_NOT_PROPORTIONAL: "The ratio changes as time passes, so one number does not describe it:"
    " read the difference in average time and the curves instead.",
    Flag.COVARIATE_DROPPED: "A covariate could not be used and was left out.",
    Flag.WITHIN_BEYOND_SECOND_POSTING: "The period runs past the second letter, so both letters are in the figure.",
    Flag.FOLLOW_UP_SHORT: "No unit of some arm was followed to the horizon here, so there is no average to give.",
    Flag.TIME_IGNORED: "The arms came one after the other, and this takes no account of time: read the series.",
    Flag.BEFORE_THE_END: "A look before the end, at the confidence that this look allows.",
    Flag.DISPATCH_DIFFERS_BY_ARM: "The arms were posted, or their signs put up, a day or more apart.",
}


def measure_name(line: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    """What the row measures, in words."""
    name = MEASURE_NAMES[Measure(line["measure"])].format(
        units=plural(outcome["unit"]),
        times=plural(outcome["time_unit"] or "time"),
        horizon=periods(outcome["horizon"], outcome["time_unit"]) if outcome["horizon"] is not None else "",
    )
    if line["measure"] == Measure.RISK_DIFFERENCE and outcome["type"] == "time_to_event":
        return f"{name}, by {by_time(outcome)}"
    return name


def compared(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> tuple[str, str]:
    """The two sides of an estimate, or of a panel's line on the same two arms: of a contrast in its own words."""
    if "contrast" in line:
        contrast = line["contrast"]
    else:
        same = (row for row in outcome["estimates"] if row["role"] == Role.HEADLINE and _alike(row, line))
        contrast = next((row.get("contrast") for row in same), None)
    return (contrast[0], contrast[1]) if contrast else (wording.arm(line["arm"]), wording.arm(line["reference"]))


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool((one["arm"], one["reference"]) == (other["arm"], other["reference"]))


def by_time(outcome: Mapping[str, Any]) -> str:
    """`day 56`, `week 52`."""
    return f"{outcome['time_unit'] or 'time'} {outcome['horizon']:g}"


def printer(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> Callable[[float | None], str]:
    """How a value of this row is printed: scaled, rounded, with its sign where it is a difference."""
    measure = line["measure"]
    if measure in PER_100:
        return lambda value: signed(None if value is None else 100 * value)
    if line["scale"] == Scale.RATIO:
        return lambda value: number(value, 2)
    if measure == Measure.MEAN_DIFFERENCE and outcome["type"] == "mean":
        return _mean_printer(outcome, wording, sign=True)
    return signed


def level_printer(outcome: Mapping[str, Any], wording: Wording) -> Callable[[float | None], str]:
    """How an arm's own mean is printed."""
    return _mean_printer(outcome, wording, sign=False)


def _mean_printer(outcome: Mapping[str, Any], wording: Wording, *, sign: bool) -> Callable[[float | None], str]:
    if outcome["id"] in wording.money:
        return lambda value: money(value, sign=sign)
    return (lambda value: signed(value, 2)) if sign else (lambda value: number(value, 2))


def size(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> str:
    """`+9.1 (3.0 to 15.2)`, or a dash."""
    shown = printer(line, outcome, wording)
    if line["estimate"] is None:
        return NONE
    if line["ci"] is None:
        return shown(line["estimate"])
    return f"{shown(line['estimate'])} ({between(*(shown(end) for end in line['ci']))})"


def sides(line: Mapping[str, Any], outcome: Mapping[str, Any]) -> tuple[str, str]:
    """What lies below and above no effect."""
    if line["measure"] == Measure.RMST_DIFFERENCE:
        return "earlier", "later"
    return ("fewer", "more") if line["measure"] == Measure.RISK_DIFFERENCE else ("lower", "higher")


def directed(value: float, line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> tuple[str, str]:
    """The size without its sign and the word for its direction: `4.1 days`, `earlier`."""
    below, above = sides(line, outcome)
    measure = line["measure"]
    null = 1.0 if line["scale"] == Scale.RATIO else 0.0
    word = below if value < null else above
    if measure == Measure.RISK_DIFFERENCE:
        return number(abs(100 * value)), word
    if measure == Measure.RATIO_DIFFERENCE:
        return f"{number(abs(100 * value))} percentage points", word
    if measure == Measure.RMST_DIFFERENCE:
        return f"{number(abs(value))} {plural(outcome['time_unit'] or '')}".strip(), word
    if line["scale"] == Scale.RATIO:
        return f"{number(abs(100 * (value - 1)))}%", word
    return level_printer(outcome, wording)(abs(value)), word


def interval_words(
    ends: Sequence[float] | None, line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording
) -> str:
    """`95% interval: 1.6 to 6.6 days earlier`, or `… 1.2 days later to 5.0 days earlier` where it spans no effect."""
    if ends is None:
        return "no interval can be given"
    null = 1.0 if line["scale"] == Scale.RATIO else 0.0
    upward = line["estimate"] is None or line["estimate"] >= null
    (first, one), (last, other) = (directed(end, line, outcome, wording) for end in (ends if upward else ends[::-1]))
    several = ", all arms considered" if ends is line["simultaneous"] else ""
    head = f"{line['confidence']:.0%} interval{several}: "
    if one != other:
        return f"{head}{first} {one} to {last} {other}"
    bare = first.split(" ")[0] if line["measure"] == Measure.RMST_DIFFERENCE else first
    return f"{head}{bare} to {last} {other}"
