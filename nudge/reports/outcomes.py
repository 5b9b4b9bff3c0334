"""What a report shows of one outcome: its figures by arm, its sentences, its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from nudge.reports.lines import (
    PER_100,
    by_time,
    compared,
    directed,
    interval_words,
    level_printer,
    measure_name,
    sides,
    size,
)
from nudge.reports.parts import Curves, Intervals, Line, Mark, Part, Section, Table, Text
from nudge.reports.summary import headline
from nudge.reports.wording import (
    NONE,
    Wording,
    between,
    listed,
    number,
    p_words,
    per_100,
    periods,
    plural,
    whole,
)
from nudge.uplift.estimate import Measure, Role, Scale
from nudge.uplift.survival import curve_from_tallies

Outcome = Mapping[str, Any]


def shares_sentence(line: Mapping[str, Any], outcome: Outcome, wording: Wording) -> str:
    """How many of every 100 by the horizon in each arm, without a full stop."""
    units, when = plural(outcome["unit"]), by_time(outcome)
    shares = {arm["arm"]: point(arm["values"], "contact_by_horizon")["estimate"] for arm in outcome["arms"]}
    arm, reference = line["arm"], line["reference"]
    return (
        f"By {when}, {per_100(shares[arm])} of every 100 {units} {wording.happened(outcome)} with"
        f" {_named(arm, wording)}, and {per_100(shares[reference])} with {_named(reference, wording)}"
    )


def contact_sentence(line: Mapping[str, Any], outcome: Outcome, wording: Wording) -> str:
    """The shares of both arms, and the difference with its interval and p-value."""
    contrast = line.get("contrast")
    arm, reference = compared(line, outcome, wording)
    of_contrast = f"‘{arm}’ against ‘{reference}’, of every 100 {plural(outcome['unit'])} by {by_time(outcome)}"
    sentence = of_contrast if contrast else shares_sentence(line, outcome, wording)
    if line["estimate"] is None:
        return f"{sentence}."
    amount, direction = directed(line["estimate"], line, outcome, wording)
    tested = "" if line["p_value"] is None else f"; {p_words(line['p_value'])}"
    within = " within the strata of the draw" if line["strata"] else ""
    return f"{sentence}: {amount} {direction}{within} ({interval_words(line['ci'], line, outcome, wording)}{tested})."


def sections(outcome: Outcome, wording: Wording, *, featured: bool, live: bool) -> tuple[Section, ...]:
    """The figures of one outcome. A featured one gets a section for each question, another a single one.

    `live`: the letters were posted by nudge, which is what day 0 then means.
    """
    slug = outcome["id"].lower().replace("_", "-")
    if outcome["type"] != "time_to_event":
        parts: tuple[Part, ...] = (_levels(outcome, wording), *_adjusted(outcome), *_pictures(outcome, wording, None))
        return (Section(slug=slug, heading=wording.outcome(outcome), parts=parts, level=2 if featured else 3),)
    units = plural(outcome["unit"])
    by_day: tuple[Part, ...] = (*_contact_words(outcome, wording), _by_day(outcome, wording))
    days: tuple[Part, ...] = (
        *_days_words(outcome, wording),
        _days(outcome, wording),
        *_pictures(outcome, wording, Measure.RMST_DIFFERENCE),
    )
    curves = _curves(outcome, wording, live=live)
    if not featured:
        return (Section(slug=slug, heading=wording.outcome(outcome), parts=by_day + days + curves, level=3),)
    times = plural(outcome["time_unit"] or "time")
    return (
        Section(
            slug=f"{slug}-share",
            heading=f"{wording.done(outcome)} by {by_time(outcome)}, of every 100 {units}",
            parts=by_day,
        ),
        Section(slug=f"{slug}-time", heading=f"{times.capitalize()} earlier or later", parts=days),
        Section(slug=f"{slug}-curves", heading=f"{times[:-1].capitalize()} by {times[:-1]}", parts=curves),
    )


def _contact_words(outcome: Outcome, wording: Wording) -> tuple[Text, ...]:
    lines = [line for line in outcome["estimates"] if line["measure"] == Measure.RISK_DIFFERENCE and planned(line)]
    return tuple(Text(words=contact_sentence(line, outcome, wording)) for line in lines)


def _by_day(outcome: Outcome, wording: Wording) -> Table:
    days = sorted({float(day) for arm in outcome["arms"] for day in arm["values"]["by_day"]} | {outcome["horizon"]})
    unit = outcome["time_unit"] or "time"
    rows = []
    for arm in outcome["arms"]:
        found = {float(day): value for day, value in arm["values"]["by_day"].items()}
        last = point(arm["values"], "contact_by_horizon")
        found[outcome["horizon"]] = last
        rows.append(
            (
                wording.arm(arm["arm"]),
                whole(arm["n"]),
                *(per_100(found[day]["estimate"]) if day in found else NONE for day in days),
                _limits(last, per_100),
            )
        )
    return Table(
        caption=f"Of every 100 {plural(outcome['unit'])}, how many {wording.happened(outcome)} by each {unit}",
        columns=(
            "Arm",
            f"{plural(outcome['unit']).capitalize()} counted",
            *(f"{unit.capitalize()} {day:g}" for day in days),
            f"{_confidence(outcome)} interval at {by_time(outcome)}",
        ),
        rows=tuple(rows),
    )


def _days_words(outcome: Outcome, wording: Wording) -> tuple[Text, ...]:
    horizon = outcome["horizon"]
    basis = Text(
        words=f"On average over the first {periods(horizon, outcome['time_unit'])},"
        f" counting {wording.without(outcome)} as {horizon:g}. Everybody counts, whether or not it happened to them."
    )
    if not any(line["strata"] for line in headline(outcome)):
        return (basis,)
    return basis, Text(words=_WITHIN_STRATA)


_WITHIN_STRATA: Final = (
    "Differences compare like with like, within the strata of the draw, so they are not quite the difference of the"
    " averages below."
)


def _days(outcome: Outcome, wording: Wording) -> Table:
    times = plural(outcome["time_unit"] or "time")
    rows = []
    for arm in outcome["arms"]:
        mean, middle = point(arm["values"], "rmst"), arm["values"]["median"]
        half = (
            "not reached"
            if middle is None
            else f"{by_time({**outcome, 'horizon': point(arm['values'], 'median')['estimate']})}"
        )
        rows.append(
            (
                wording.arm(arm["arm"]),
                whole(arm["n"]),
                whole(arm["events"]),
                number(mean["estimate"]),
                _limits(mean, number),
                half,
            )
        )
    event = wording.event(outcome)
    return Table(
        caption=f"Average {times} to {event}, over the first {periods(outcome['horizon'], outcome['time_unit'])}",
        columns=(
            "Arm",
            f"{plural(outcome['unit']).capitalize()} counted",
            f"With {event}",
            f"Average {times}",
            f"{_confidence(outcome)} interval",
            f"Half had {event} by" if not event.startswith("the ") else "Half by",
        ),
        rows=tuple(rows),
    )


def _curves(outcome: Outcome, wording: Wording, *, live: bool) -> tuple[Part, ...]:
    arms = [arm for arm in outcome["arms"] if arm["values"]["curve"]]
    if not arms:
        return ()
    unit, horizon = outcome["time_unit"] or "time", outcome["horizon"]
    ticks = _ticks(outcome)
    units = plural(outcome["unit"])
    ends = "; ".join(
        f"{wording.arm(arm['arm'])} {per_100(point(arm['values'], 'contact_by_horizon')['estimate'])}" for arm in arms
    )
    curves = Curves(
        lines=tuple(_line(arm, outcome, wording) for arm in arms),
        horizon=horizon,
        ticks=ticks,
        axis=f"{plural(unit).capitalize()} since {unit} 0",
        unit=f"{units.capitalize()} of every 100 that {wording.happened(outcome)}",
        alt=f"Line chart of the share that {wording.happened(outcome)} over {periods(horizon, unit)}."
        f" By {by_time(outcome)}, of every 100: {ends}.",
        caption=f"Shaded: {_confidence(outcome)} limits (Kaplan–Meier, log-log) of each curve by itself, as if every"
        f" {outcome['unit']} answered for itself alone. {unit.capitalize()} 0 is"
        f" {'the day the first letters of the batch were posted' if live else 'the start in the data'}.",
    )
    rows = tuple((wording.arm(arm["arm"]), *(_at_risk(arm["values"]["curve"], tick) for tick in ticks)) for arm in arms)
    table = Table(
        caption=f"{units.capitalize()} still waiting and followed,"
        f" and (in brackets) how many {wording.happened(outcome)} so far",
        columns=("Arm", *(f"{unit.capitalize()} {tick:g}" for tick in ticks)),
        rows=rows,
    )
    return (curves, table)


def _line(arm: Mapping[str, Any], outcome: Outcome, wording: Wording) -> Line:
    rows = arm["values"]["curve"]
    # The engine draws the limits from the document's own counts; row 0 only says where the curve begins.
    steps = [row for row in rows if row[0] > 0 or row[2] or row[3]]
    curve = curve_from_tallies(
        np.array([row[0] for row in steps], dtype=np.float64),
        np.array([row[2] for row in steps], dtype=np.int64),
        np.array([row[3] for row in steps], dtype=np.int64),
        outcome["horizon"],
    )
    confidence = outcome["estimates"][0]["confidence"] if outcome["estimates"] else 0.95
    limits = [curve.contact_limits(row[0], confidence) for row in rows]
    return Line(
        label=wording.arm(arm["arm"]),
        time=tuple(row[0] for row in rows),
        share=tuple(100 * (1 - row[4]) for row in rows),
        low=tuple(None if pair is None else 100 * pair[0] for pair in limits),
        high=tuple(None if pair is None else 100 * pair[1] for pair in limits),
    )


def _ticks(outcome: Outcome) -> tuple[float, ...]:
    horizon = outcome["horizon"]
    days = sorted({float(day) for arm in outcome["arms"] for day in arm["values"]["by_day"]})
    inside = [day for day in days if day < horizon]
    if len(inside) < 2:
        step = next(step for step in (1, 2, 5, 7, 13, 14, 28, 50, 91, 182, 365, 1e9) if horizon / step <= 6)
        inside = [step * number for number in range(1, 7) if step * number < horizon]
    return (0.0, *inside, float(horizon))


def _at_risk(curve: Sequence[Sequence[float]], tick: float) -> str:
    waiting = next((row[1] for row in curve if row[0] >= tick), 0)
    return f"{waiting:,.0f} ({sum(row[2] for row in curve if row[0] <= tick):,.0f})"


_TURNS: Final = (
    "The figures by arm are over all periods. The comparison is made within periods or within sites, so it is not their"
    " difference."
)


def _adjusted(outcome: Outcome) -> tuple[Text, ...]:
    """What the comparison takes into account and the figures by arm do not."""
    names = dict.fromkeys(name for line in headline(outcome) for name in line["covariates"])
    if "sequences" in outcome.get("panels", {}):
        return (Text(words=_TURNS, aside=True),)
    if not names:
        return ()
    said = listed(["what was counted before" if name == "baseline" else name.replace("_", " ") for name in names])
    return (Text(words=f"The figures by arm are as counted. The comparison is adjusted for {said}.", aside=True),)


def _levels(outcome: Outcome, wording: Wording) -> Table:
    units = f"{wording.counted(outcome, outcome['arms'])} counted".capitalize()
    interval, kind = f"{_confidence(outcome)} interval", outcome["type"]
    level = level_printer(outcome, wording)
    rows: list[tuple[str, ...]] = []
    for arm in outcome["arms"]:
        values, start = arm["values"], (wording.arm(arm["arm"]), whole(arm["n"]))
        if kind == "proportion":
            share = point(values, "proportion")
            rows.append((*start, whole(arm["events"]), per_100(share["estimate"]), _limits(share, per_100)))
        elif kind == "mean":
            mean, spread = point(values, "mean"), point(values, "sd")
            rows.append((*start, level(mean["estimate"]), _limits(mean, level), level(spread["estimate"])))
        elif kind == "percentile":
            mean, spread = point(values, "percentile"), point(values, "sd")
            rows.append((*start, level(mean["estimate"]), _limits(mean, level), level(spread["estimate"])))
        elif kind == "ratio":
            ratio = point(values, "ratio")
            cells = (number(point(values, key)["estimate"], 0) for key in ("numerator", "denominator"))
            rows.append((*start, *cells, per_100(ratio["estimate"]), _limits(ratio, per_100)))
        else:
            rate = point(values, "rate")
            cells = (number(point(values, key)["estimate"], 0) for key in ("count", "exposure"))
            rows.append((*start, *cells, number(rate["estimate"], 3), _limits(rate, lambda value: number(value, 3))))
    columns = {
        "proportion": ("Yes", f"Of every 100 {plural(outcome['unit'])}", interval),
        "mean": ("Mean", interval, "Standard deviation"),
        "rate": ("Count", "Exposure", "Rate", interval),
        "ratio": ("Sum", "Out of", "Of every 100", interval),
        "percentile": ("Mean of the sites' percentiles", interval, "Standard deviation"),
    }[kind]
    return Table(caption=f"{wording.outcome(outcome)}, by arm", columns=("Arm", units, *columns), rows=tuple(rows))


def _pictures(outcome: Outcome, wording: Wording, measure: Measure | None) -> tuple[Intervals, ...]:
    lines = [line for line in headline(outcome) if measure is None or line["measure"] == measure]
    return (interval_picture(lines, outcome, wording),) if any(line["estimate"] is not None for line in lines) else ()


def interval_picture(lines: Sequence[Mapping[str, Any]], outcome: Outcome, wording: Wording) -> Intervals:
    """The estimates of one measure and outcome beside each other, with the smallest worthwhile difference."""
    first = lines[0]
    ratio = first["scale"] == Scale.RATIO
    factor = 100.0 if first["measure"] in PER_100 else 0.01 if outcome["id"] in wording.money else 1.0
    order = [arm["arm"] for arm in outcome["arms"]]
    several = len({line["arm"] for line in lines}) > 1
    marks = tuple(
        Mark(
            label=compared(line, outcome, wording)[0] if several or len(lines) == 1 else line["method"],
            words=size(line, outcome, wording),
            estimate=factor * line["estimate"],
            low=None if line["ci"] is None else factor * line["ci"][0],
            high=None if line["ci"] is None else factor * line["ci"][1],
            line=order.index(line["arm"]),
        )
        for line in lines
        if line["estimate"] is not None
    )
    said = "; ".join(f"{mark.label} {mark.words}" for mark in marks)
    name = measure_name(first, outcome)
    references = listed(dict.fromkeys(compared(line, outcome, wording)[1] for line in lines), "or")
    return Intervals(
        marks=marks,
        axis=f"{name}{' (£)' if outcome['id'] in wording.money else ''}, against {references}",
        no_effect=1.0 if ratio else 0.0,
        ratio=ratio,
        sides=sides(first, outcome),
        worthwhile=_worthwhile(outcome, ratio=ratio, factor=factor),
        alt=f"{name}, against {references}, with {_confidence(outcome)} intervals: {said}.",
        caption=f"Bars: {_confidence(outcome)} intervals, each arm on its own. Solid line: no difference."
        + (" Dotted line: the smallest difference worth having." if outcome["smallest_worthwhile"] else ""),
    )


def _worthwhile(outcome: Outcome, *, ratio: bool, factor: float) -> float | None:
    least, better = outcome["smallest_worthwhile"], outcome["better"]
    if least is None or better is None:
        return None
    toward = -least if better == "lower" else least
    return float(1 + toward) if ratio else float(factor * toward)


def point(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A value of an arm as {estimate, se, ci}, whether the document gives it so or as a bare number."""
    found = values.get(key)
    return found if isinstance(found, Mapping) else {"estimate": found, "se": None, "ci": None}


def _limits(value: Mapping[str, Any], shown: Any) -> str:
    return NONE if value["ci"] is None else between(*(shown(end) for end in value["ci"]))


def _confidence(outcome: Outcome) -> str:
    return f"{outcome['estimates'][0]['confidence'] if outcome['estimates'] else 0.95:.0%}"


def _named(arm: str, wording: Wording) -> str:
    return f"‘{wording.arm(arm)}’"


def planned(line: Mapping[str, Any]) -> bool:
    """Whether a row is one of those that the plan asked for, beside which others only test it."""
    return line["role"] in (Role.HEADLINE, Role.SECONDARY)
