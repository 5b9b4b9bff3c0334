"""What a report says of an outcome's panels: one section each, in the order of the list below."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from nudge.reports.chances import chances
from nudge.reports.compliers import compliers
from nudge.reports.contrasts import factorial, hold_out, sequences, subgroups
from nudge.reports.leavers import leavers
from nudge.reports.looks import looks
from nudge.reports.parts import Section
from nudge.reports.spending import letters, spending
from nudge.reports.undrawn import undrawn
from nudge.reports.unmeasured import unmeasured
from nudge.reports.wording import Wording

Lines: TypeAlias = Sequence[Mapping[str, Any]]
Told: TypeAlias = Callable[[Mapping[str, Any], Lines, Wording], Section]
"""From an outcome of the summary and its panel's lines to a section."""

SECTIONS: Final[Mapping[str, Told]] = {
    "not_randomised": undrawn,
    "looks": looks,
    "factorial": factorial,
    "hold_out": hold_out,
    "subgroups": subgroups,
    "sequences": sequences,
    "competing": leavers,
    "compliance": compliers,
    "bounds": unmeasured,
    "bayes": chances,
    "letters": letters,
    "costs": spending,
}


def sections(
    outcome: Mapping[str, Any],
    wording: Wording,
    names: Collection[str] = tuple(SECTIONS),
    *,
    several: bool = False,
) -> list[Section | None]:
    """The sections of one outcome's panels; a panel this version does not know is passed over.

    `several`: other outcomes have theirs too, so each heading names its outcome.
    """
    held: Mapping[str, Lines] = outcome.get("panels", {})
    found: list[Section | None] = []
    for name, told in SECTIONS.items():
        if name in names and held.get(name):
            section = told(outcome, held[name], wording)
            if several:
                heading = f"{wording.outcome(outcome)}: {section.heading[:1].lower()}{section.heading[1:]}"
                section = replace(section, heading=heading)
            found.append(section)
    return found


def harmed(outcome: Mapping[str, Any], wording: Wording) -> list[Section | None]:
    """Whether a harm fell on some more than on others: the groups alone, named for the harm."""
    return [
        replace(section, heading=f"{wording.outcome(outcome)}, group by group", level=3)
        for section in sections(outcome, wording, ("subgroups",))
        if section is not None
    ]
