"""How far the answer could move if those whose outcome is not known were unlike the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nudge.reports.lines import directed
from nudge.reports.parts import Part, Section, Table, Text
from nudge.reports.summary import headline
from nudge.reports.wording import NONE, Wording, between, count_of, per_100, plural, whole

_NAMES: Final[Mapping[str, str]] = {
    "manski": "Assuming nothing",
    "lee": "Among those measured whichever arm they were in",
}
_WHY_NOT: Final[Mapping[str, str]] = {
    "no_range": "Without the least and the most that it can be (`range` in the plan), nothing bounds the first line.",
    "value_outside_range": "Some measured value lies outside the range that the plan states, so the first line is left"
    " out.",
    "follow_up_incomplete": "Some were followed for a part of the time only, which these bounds cannot use.",
    "nothing_to_compare": "Nobody in an arm was measured, so nothing can be bounded.",
}


def unmeasured(outcome: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], wording: Wording) -> Section:
    """The section of the panel `bounds`."""
    units = plural(outcome["unit"])
    parts: list[Part] = []
    for line in {line["arm"]: line for line in lines}.values():
        lost = line["missing_arm"] + line["missing_reference"]
        parts.append(
            Text(
                words=f"The outcome is not known of {count_of(lost, outcome['unit'])}:"
                f" {whole(line['missing_arm'])} of {whole(line['assigned_arm'])} in ‘{wording.arm(line['arm'])}’ and"
                f" {whole(line['missing_reference'])} of {whole(line['assigned_reference'])} in"
                f" ‘{wording.arm(line['reference'])}’. The answer leaves them out. If they were unlike the {units} that"
                " are known, the difference could lie anywhere in these bounds:"
            )
        )
        own = [one for one in lines if one["arm"] == line["arm"]]
        if any(one["bounds"] is not None for one in own):
            parts.append(_table(own, outcome, wording))
        parts += [Text(words=_WHY_NOT[why], aside=True) for why in dict.fromkeys(one["reason"] for one in own) if why]
    slug = f"{outcome['id'].lower().replace('_', '-')}-unmeasured"
    return Section(slug=slug, heading="If those not measured were different", parts=tuple(parts))


def _table(lines: Sequence[Mapping[str, Any]], outcome: Mapping[str, Any], wording: Wording) -> Table:
    first = headline(outcome)[0]
    rows = []
    trimmed = [line for line in lines if line["kind"] == "lee" and line["trim_share"]]
    for line in lines:
        if line["bounds"] is None:
            continue
        chance = NONE if line["ci"] is None else _ends(line["ci"], first, outcome, wording)
        rows.append((_NAMES[line["kind"]], _ends(line["bounds"], first, outcome, wording), chance))
    note = "The first line puts every unknown at the worst that it can be for the arm, then at the best."
    for line in trimmed:
        arm = "the arm with more known" if line["trimmed"] is None else f"‘{wording.arm(line['trimmed'])}’"
        note += (
            f" The second leaves out {per_100(line['trim_share'])} of every 100 known in {arm}, the highest, then the"
            " lowest; it holds if an arm only ever made people harder to measure, or only ever easier."
        )
    confidence = f"{lines[0]['confidence']:.0%}"
    unit = f" per 100 {plural(outcome['unit'])}" if first["measure"] == "risk_difference" else ""
    return Table(
        caption=f"Bounds of the difference{unit}",
        columns=("What is assumed", "Bounds", f"With chance counted in ({confidence})"),
        rows=tuple(rows),
        words=(1, 2),
        note=note,
    )


def _ends(ends: Sequence[float], line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> str:
    """`4.1 days earlier to 1.0 days later`, from the lowest to the highest."""
    return between(*(" ".join(directed(end, line, outcome, wording)) for end in ends))
