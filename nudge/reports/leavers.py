"""How many moved out, died or were otherwise lost before the outcome could happen, arm by arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nudge.reports.lines import by_time
from nudge.reports.parts import Part, Section, Table, Text
from nudge.reports.wording import NONE, Wording, between, listed, p_words, per_100, plural, reason, signed, whole


def leavers(outcome: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], wording: Wording) -> Section:
    """The section of the panel `competing`."""
    units = plural(outcome["unit"])
    what = listed([reason(name) for name in outcome["competing"]], "or") or "another event"
    parts: list[Part] = [
        Text(
            words=f"Some {units} had an event ({what}) after which {wording.event(outcome)} could no longer come. They"
            " stay in every figure of this outcome, counted as without it. Here is how many there were, by"
            f" {by_time(outcome)}, where nothing had come before."
        )
    ]
    common = [line for line in lines if line["worth_saying"]]
    if common:
        shares = listed([f"{per_100(line['share'])} with ‘{wording.arm(line['arm'])}’" for line in common])
        parts.append(
            Text(
                words=f"They are more than 2 of every 100 {units} ({shares}), so how the arms differ in them belongs to"
                " the answer."
            )
        )
    rows = tuple(
        (
            wording.arm(line["arm"]),
            whole(line["events"]),
            whole(line["n"]),
            _of_100(line["share"], line["ci"]),
            _of_100(line["difference"], line["ci_difference"], sign=True),
            p_words(line["p_value"]),
        )
        for line in lines
    )
    parts.append(
        Table(
            caption=f"{what[:1].upper()}{what[1:]}, by {by_time(outcome)}",
            columns=("Arm", "Number", "Of", "Of every 100", f"Against ‘{wording.arm(lines[0]['arm'])}’", "p"),
            rows=rows,
        )
    )
    slug = f"{outcome['id'].lower().replace('_', '-')}-competing"
    return Section(slug=slug, heading="Who was lost to other events", parts=tuple(parts))


def _of_100(value: float | None, ci: Sequence[float] | None, *, sign: bool = False) -> str:
    if value is None:
        return NONE
    shown = (lambda x: signed(100 * x)) if sign else per_100
    return shown(value) if ci is None else f"{shown(value)} ({between(*(shown(end) for end in ci))})"
