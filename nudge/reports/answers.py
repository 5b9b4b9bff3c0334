"""The answer of an outcome in words: the finding, what it means, and what would settle it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nudge.reports.lines import compared, directed, interval_words, level_printer
from nudge.reports.outcomes import Outcome, planned, shares_sentence
from nudge.reports.parts import Answer, Tone
from nudge.reports.summary import headline
from nudge.reports.wording import Wording, number, p_words, per_100, periods, plural
from nudge.uplift.estimate import Measure, Scale
from nudge.uplift.verdict import HEADLINES, VerdictCode


def answers(outcome: Outcome, wording: Wording, *, drawn_here: bool) -> tuple[Answer, ...]:
    """One for each headline row; without a verdict the head is the arm."""
    verdicts = {verdict["arm"]: verdict for verdict in outcome["verdict"]}
    return tuple(
        _answer(line, outcome, wording, verdicts.get(line["arm"]), drawn_here=drawn_here) for line in headline(outcome)
    )


def _answer(
    line: Mapping[str, Any], outcome: Outcome, wording: Wording, verdict: Mapping[str, Any] | None, *, drawn_here: bool
) -> Answer:
    arm, reference = (f"‘{side}’" for side in compared(line, outcome, wording))
    name = wording.outcome(outcome)
    if line["estimate"] is None:
        sentence = f"{name}: no estimate can be given for {arm} against {reference}."
        return Answer(head=_head(verdict), tone=_tone(verdict), sentence=sentence)
    amount, direction = directed(line["estimate"], line, outcome, wording)
    interval = interval_words(line["simultaneous"] or line["ci"], line, outcome, wording)
    basis = ""
    if line["measure"] == Measure.RMST_DIFFERENCE:
        event = wording.event(outcome)
        # A difference that may be chance was measured; only one that is told from none came.
        came = "was measured as" if _unsure(verdict) else "came"
        sentence = f"With {arm}, {event} {came} {amount} {direction} than with {reference} ({interval})."
        horizon = outcome["horizon"]
        basis = (
            f"That is on average over the first {periods(horizon, outcome['time_unit'])},"
            f" counting {wording.without(outcome)} as {horizon:g}."
        )
    elif line["measure"] == Measure.RISK_DIFFERENCE:
        units = plural(outcome["unit"])
        sentence = f"{name}: {amount} {direction} of every 100 {units} with {arm} than with {reference} ({interval})."
    else:
        sentence = f"{name} was {amount} {direction} with {arm} than with {reference} ({interval})."
    if (contrast := line.get("contrast")) and contrast[2]:
        basis = f"{basis} This is {contrast[2]}.".strip()
    return Answer(
        head=_head(verdict),
        tone=_tone(verdict),
        sentence=sentence,
        basis=basis,
        meaning=_meaning(line, outcome, wording, verdict, drawn_here=drawn_here),
    )


_TONES: Final[Mapping[str, Tone]] = {
    VerdictCode.WORTHWHILE: Tone.GOOD,
    VerdictCode.WORKS: Tone.GOOD,
    VerdictCode.WORKS_BY_LESS: Tone.SMALL,
    VerdictCode.DOES_HARM: Tone.BAD,
    VerdictCode.DOES_HARM_BY_LESS: Tone.BAD,
    VerdictCode.NO_DIFFERENCE: Tone.SMALL,
    VerdictCode.NO_BENEFIT: Tone.SMALL,
    VerdictCode.TOO_SMALL_TO_TELL: Tone.UNSURE,
}


def _unsure(verdict: Mapping[str, Any] | None) -> bool:
    return verdict is None or verdict["code"] == VerdictCode.TOO_SMALL_TO_TELL


def _head(verdict: Mapping[str, Any] | None) -> str:
    return "" if verdict is None else HEADLINES[VerdictCode(verdict["code"])].removesuffix(".")


def _tone(verdict: Mapping[str, Any] | None) -> Tone:
    return Tone.PLAIN if verdict is None else _TONES[VerdictCode(verdict["code"])]


def _settled_by(verdict: Mapping[str, Any] | None) -> str:
    """What the verdict says would settle it, after its finding; empty where it says nothing."""
    return (
        ""
        if verdict is None
        else "About" + verdict["text"].rpartition("About")[2]
        if "About" in verdict["text"]
        else ""
    )


def _meaning(
    line: Mapping[str, Any], outcome: Outcome, wording: Wording, verdict: Mapping[str, Any] | None, *, drawn_here: bool
) -> tuple[str, ...]:
    points = []
    by_horizon = _row(outcome, line["arm"], Measure.RISK_DIFFERENCE)
    if outcome["type"] == "time_to_event" and by_horizon is not None and not line.get("contrast"):
        points.append(f"{shares_sentence(by_horizon, outcome, wording)}.")
    if (p := line["p_value"]) is not None:
        points.append(_chance(p, line["p_adjusted"], by_chance=drawn_here))
    if outcome["smallest_worthwhile"] is not None:
        points.append(f"The smallest difference worth having was set at {_worthwhile_words(outcome, line, wording)}.")
    if settled := _settled_by(verdict):
        points.append(settled)
    return tuple(points)


def _chance(p: float, adjusted: float | None, *, by_chance: bool) -> str:
    if p < 0.001:
        often = "less than once in 1,000 such trials"
    elif p < 0.1:
        times = round(1000 * p)
        often = f"about {times} times in 1,000 such trials" if times > 1 else "about once in 1,000 such trials"
    elif p > 0.99:
        often = "nearly always"
    else:
        often = f"about {round(100 * p)} times in 100 such trials"
    also = "" if adjusted is None else f"; {p_words(adjusted)} with all arms considered"
    drawn = "" if by_chance else "had been drawn by chance and "
    condition = f"If the arms {drawn}made no difference"
    return f"{condition}, a difference at least this large would be seen {often} ({p_words(p)}{also})."


def _worthwhile_words(outcome: Outcome, line: Mapping[str, Any], wording: Wording) -> str:
    least = outcome["smallest_worthwhile"]
    if line["measure"] == Measure.RISK_DIFFERENCE:
        return f"{per_100(least)} of every 100 {plural(outcome['unit'])}"
    if line["measure"] == Measure.RMST_DIFFERENCE:
        return periods(least, outcome["time_unit"])
    if line["scale"] == Scale.RATIO:
        return f"{number(100 * least)}%"
    if line["measure"] == Measure.RATIO_DIFFERENCE:
        return f"{number(100 * least)} percentage points"
    return level_printer(outcome, wording)(least)


def _row(outcome: Outcome, arm: str, measure: Measure) -> Mapping[str, Any] | None:
    return next(
        (line for line in outcome["estimates"] if line["arm"] == arm and line["measure"] == measure and planned(line)),
        None,
    )
