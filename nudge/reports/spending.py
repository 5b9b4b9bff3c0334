"""What a gain cost, and whether it is worth it, with limits that own up where there may be no gain; letters saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nudge.reports.chances import chance
from nudge.reports.lines import by_time
from nudge.reports.parts import Listing, Part, Section, Text
from nudge.reports.summary import headline
from nudge.reports.wording import Wording, between, money, number, plural

_COUNTED: Final = (
    "What was spent counts every letter of every wave and, where the plan names them, officers’ minutes; it is an"
    " average over every {unit} drawn, whether or not its letter arrived."
)


def spending(outcome: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], wording: Wording) -> Section:
    """The section of the panel `costs`."""
    parts: list[Part] = []
    for arm in dict.fromkeys(line["arm"] for line in lines):
        own = [line for line in lines if line["arm"] == arm]
        parts.append(Text(words=_spent(own[0], outcome, wording)))
        points = [("", words) for line in own for words in _points(line, outcome, wording)]
        if points:
            parts.append(Listing(items=tuple(points)))
    parts.append(Text(words=_COUNTED.format(unit=outcome["unit"]), aside=True))
    slug = f"{outcome['id'].lower().replace('_', '-')}-costs"
    return Section(slug=slug, heading="What it costs", parts=tuple(parts))


def _spent(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> str:
    arm, reference = (f"‘{wording.arm(line[side])}’" for side in ("arm", "reference"))
    words = (
        f"{money(line['cost_arm'])} was spent on each {outcome['unit']} of {arm}, and"
        f" {money(line['cost_reference'])} on each of {reference}"
    )
    more = line["cost_difference"]
    if more is None:
        return f"{words}."
    if round(more) == 0:
        return f"{words}: no difference to speak of."
    return f"{words}: {money(abs(more))} {'more' if more > 0 else 'less'}{_within(outcome)}."


def _within(outcome: Mapping[str, Any]) -> str:
    """Why a difference need not be that of the two averages before it."""
    return ", strata of the draw compared like with like" if headline(outcome)[0]["strata"] else ""


def _points(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> list[str]:
    points = []
    if line["reason"] == "no_standard_error":
        return ["The trial gives no error to work with, so what a gain costs cannot be told."]
    if line["ratio_set"] is not None:
        points.append(_price(line, outcome, wording))
    if line["net_benefit"] is not None:
        points.append(_worth(line, outcome, wording))
    return points


def _one(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> str:
    """What a price is of: `one more tenancy in touch by day 56`, `one day earlier`."""
    unit = outcome["unit"]
    fewer = outcome["better"] == "lower"
    if line["per"] == "time":
        return f"each {outcome['time_unit']} {'earlier' if fewer else 'later'} of one {unit}"
    if line["per"] == "event" and outcome["type"] == "time_to_event":
        had = wording.happened(outcome).removeprefix("were ").replace(" or had paid", " or paid")
        return f"each {_further(unit, fewer=not fewer)} that {_was(had)} by {by_time(outcome)}"
    if line["per"] == "event":
        name = wording.outcome(outcome)
        return f"each {_further(unit, fewer=fewer)} with ‘{name}’"
    return f"each 1 {'lower' if fewer else 'higher'} in ‘{wording.outcome(outcome)}’"


def _further(unit: str, *, fewer: bool) -> str:
    return f"{unit} fewer" if fewer else f"further {unit}"


def _was(had: str) -> str:
    return had if had.startswith("had ") else f"was {had}"


def _price(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> str:
    one = _one(line, outcome, wording)
    told = one[:1].upper() + one[1:]
    ends, level = line["ratio_ends"], f"{line['confidence']:.0%} interval"
    best = "" if line["ratio"] is None else f" (best estimate {_pounds(line['ratio'])})"
    if line["ratio_set"] == "interval" and line["gain"] <= 0:
        return f"{told}: there is no price, because it did worse."
    if line["ratio_set"] == "interval":
        low, high = ends
        if high <= 0:
            return f"{told} cost nothing: less was spent, and more was gained."
        return f"{told} cost {_pounds(line['ratio'])} ({level}: {between(_pounds(low), _pounds(high))})."
    if line["ratio_set"] == "outside" and line["cost_difference"] > 0 and ends[1] > 0:
        return (
            f"{told}: at least {_pounds(ends[1])}{best}, and no upper limit can be given, because it may have gained"
            f" nothing at all ({line['confidence']:.0%} confidence)."
        )
    return (
        f"{told}: no price can be given{best}, because it may have gained nothing at all and the extra cost is not"
        f" told from none ({line['confidence']:.0%} confidence)."
        if line["ratio_set"] == "everything"
        else f"{told}: no price can be given, because it may have gained nothing at all; less was spent in any case"
        f" ({line['confidence']:.0%} confidence)."
    )


def _pounds(pence: float) -> str:
    """A price, or a saving where it is below nothing."""
    if 0 < abs(pence) < 0.5:
        return "less than a penny" if pence > 0 else "a saving of less than a penny"
    return money(pence) if pence >= 0 else f"a saving of {money(-pence)}"


def _worth(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> str:
    value, net = line["value"], line["net_benefit"]
    low, high = line["net_benefit_ci"]
    one = _one(line, outcome, wording)
    start = (
        "Pound for pound"
        if line["per"] == "amount" and outcome["id"] in wording.money and value == 1.0
        else f"If {one} is worth {money(value)}"
        if outcome["id"] not in wording.money
        else f"If each pound is worth {money(100 * value)}"
    )
    side = "more" if net >= 0 else "less"
    words = (
        f"{start}, the gain is worth {money(abs(net))} {side} than it cost for each {outcome['unit']}"
        f" ({line['confidence']:.0%} interval: {between(money(low, sign=True), money(high, sign=True))})."
    )
    if line["probability_worth_it"] is not None:
        words += f" The chance that it is worth what it cost is {chance(line['probability_worth_it'])}."
    return words


def letters(outcome: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], wording: Wording) -> Section:
    """The section of the panel `letters`."""
    units = plural(outcome["unit"])
    parts = []
    for line in lines:
        arm, reference = (f"‘{wording.arm(line[side])}’" for side in ("arm", "reference"))
        words = (
            f"For every 100 {units}, {number(100 * line['letters_arm'])} later letters were posted with {arm} and"
            f" {number(100 * line['letters_reference'])} with {reference}"
        )
        if line["saved"] is not None:
            saved = 100 * line["saved"]
            words += f": {number(abs(saved))} {'fewer' if saved >= 0 else 'more'}{_within(outcome)}"
            if line["ci"] is not None:
                words += f" ({line['confidence']:.0%} interval: {_fewer(line['ci'])})"
        parts.append(Text(words=f"{words}."))
    slug = f"{outcome['id'].lower().replace('_', '-')}-letters"
    return Section(slug=slug, heading="Later letters", parts=tuple(parts))


def _fewer(ends: Sequence[float]) -> str:
    low, high = (100 * end for end in ends)
    if low >= 0:
        return f"{between(number(low), number(high))} fewer"
    if high <= 0:
        return f"{between(number(-high), number(-low))} more"
    return f"{number(-low)} more to {number(high)} fewer"
