"""What a report says where more than single arms are compared: factors, subgroups, a hold-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nudge.reports.lines import FLAG_WORDS, compared, measure_name, size
from nudge.reports.parts import Part, Section, Table, Text
from nudge.reports.wording import NONE, Wording, count_of, listed, number, p_words, plural, whole
from nudge.uplift.estimate import Flag, Scale

Outcome = Mapping[str, Any]
Lines = Sequence[Mapping[str, Any]]

_AVERAGED: Final = (
    "Each factor is compared within levels of the others, and its difference is the average over them. If how much one"
    " factor does depends on another, that average is nobody's: read the last rows first. A trial large enough for the"
    " factors is seldom large enough for their interaction, so a wide interval there is no sign that there is none."
)
_ONLY_THE_TEST: Final = (
    "Only the test of each last row speaks of a difference between groups. That one group's interval leaves out no"
    " difference and another's does not is no evidence: by chance alone some groups always look better. Nothing here is"
    " a verdict."
)
_WHOLE_LINE: Final = (
    "One group was held out of everything that was tried. Set against all the others together it shows what the whole"
    " line of letters does, whichever arm it was. It has no part in the verdict."
)
_IN_TURN: Final = (
    "Every site had one arm after the other, so what happened over time is kept apart from what the arm did: arms are"
    " compared within the same period, or each site with itself and periods evened out between the sequences."
)
_CARRY_OVER: Final = (
    "Whether what a site had first carries over into its second period can hardly be seen: a test of it misses most"
    " that there is, and choosing what to print by it would mislead, so nothing is chosen by it."
)


def factorial(outcome: Outcome, lines: Lines, wording: Wording) -> Section:
    """The section of the panel `factorial`."""
    rows = [
        (
            _factor(line),
            size(line, outcome, wording),
            whole(line["n"]),
            p_words(line["p_value"]),
            _flags(line),
        )
        for line in lines
    ]
    name = measure_name(lines[0], outcome)
    ratio = lines[0]["scale"] == Scale.RATIO
    table = Table(
        caption=f"{name}, by factor",
        columns=("Factor", "With interval", plural(outcome["unit"]).capitalize(), "p", "Note"),
        rows=tuple(rows),
        words=(1, 4),
        note="An interaction is "
        + ("the ratio at one level over the ratio at the other." if ratio else "the difference of two differences."),
    )
    return Section(slug=_slug(outcome, "factors"), heading="Factor by factor", parts=(Text(words=_AVERAGED), table))


def subgroups(outcome: Outcome, lines: Lines, wording: Wording) -> Section:
    """The section of the panel `subgroups`."""
    parts: list[Part] = [Text(words=_ONLY_THE_TEST)]
    several = len({line["arm"] for line in lines}) > 1
    for name, arm in dict.fromkeys((line["subgroup"], line["arm"]) for line in lines):
        own = [line for line in lines if (line["subgroup"], line["arm"]) == (name, arm)]
        rows = [
            (
                line["level"],
                size(line, outcome, wording),
                whole(line["n"]),
                whole(line["events"]),
                _flags(line),
            )
            for line in own
            if line["kind"] == "level"
        ]
        [test] = [line for line in own if line["kind"] == "interaction"]
        rows.append(("Do the groups differ?", _tested(test), whole(test["n"]), "", ""))
        one, other = compared(own[0], outcome, wording)
        against = f", ‘{one}’ against ‘{other}’" if several else ""
        missing = test["missing"]
        left = "" if not missing else f" {count_of(missing, outcome['unit'])} without a known group not shown."
        parts.append(
            Table(
                caption=f"{wording.outcome(outcome)} by {_plain(name)}{against}",
                columns=("Group", "Difference, with interval", plural(outcome["unit"]).capitalize(), "Events", "Note"),
                rows=tuple(rows),
                words=(1, 4),
                note=f"{_measured(own, outcome)}.{left}",
            )
        )
    return Section(slug=_slug(outcome, "groups"), heading="Group by group", parts=tuple(parts))


def hold_out(outcome: Outcome, lines: Lines, wording: Wording) -> Section:
    """The section of the panel `hold_out`."""
    rows = [
        (
            f"{listed([wording.arm(arm) for arm in line['arms']])}, against ‘{wording.arm(line['reference'])}’",
            size(line, outcome, wording),
            whole(line["n"]),
            p_words(line["p_value"]),
            _flags(line),
        )
        for line in lines
    ]
    table = Table(
        caption=f"{measure_name(lines[0], outcome)}, everything against the hold-out",
        columns=("Compared", "With interval", plural(outcome["unit"]).capitalize(), "p", "Note"),
        rows=tuple(rows),
        words=(1, 4),
    )
    return Section(
        slug=_slug(outcome, "hold-out"), heading="Against nothing at all", parts=(Text(words=_WHOLE_LINE), table)
    )


def sequences(outcome: Outcome, lines: Lines, wording: Wording) -> Section:
    """The section of the panel `sequences`."""
    rows = tuple((line["sequence"], whole(line["clusters"])) for line in lines if line["kind"] == "sequence")
    parts: list[Part] = [
        Text(words=_IN_TURN),
        Table(caption="Which sequence the sites were drawn to", columns=("Sequence", "Sites"), rows=rows),
    ]
    parts += [
        Text(words=f"{_CARRY_OVER} Here: {p_words(line['p_value'])}.", aside=True) for line in lines if _carries(line)
    ]
    return Section(slug=_slug(outcome, "sequences"), heading="One arm after the other", parts=tuple(parts))


def _carries(line: Mapping[str, Any]) -> bool:
    return line["kind"] == "carry_over" and line["p_value"] is not None


def _factor(line: Mapping[str, Any]) -> str:
    changes = [
        f"{_plain(factor)}: {level} against {against}"
        for factor, level, against in zip(line["factors"], line["levels"], line["against"], strict=True)
    ]
    if line["kind"] == "interaction":
        return f"Interaction of {' and '.join(changes)}"
    over = f", averaged over {listed([_plain(name) for name in line['averaged_over']])}"
    return f"{changes[0][:1].upper()}{changes[0][1:]}{over if line['averaged_over'] else ''}"


def _measured(own: Lines, outcome: Outcome) -> str:
    level = next((line for line in own if line["kind"] == "level"), None)
    return "" if level is None else measure_name(level, outcome)


def _tested(test: Mapping[str, Any]) -> str:
    if test["p_value"] is None:
        return "too few units to test"
    above, below = test["df"]
    return f"{p_words(test['p_value'])} (F {number(test['statistic'], 2)} on {above} and {number(below)})"


def _flags(line: Mapping[str, Any]) -> str:
    return " ".join(FLAG_WORDS[Flag(flag)] for flag in line["flags"]) or NONE


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _slug(outcome: Outcome, ending: str) -> str:
    return f"{outcome['id'].lower().replace('_', '-')}-{ending}"
