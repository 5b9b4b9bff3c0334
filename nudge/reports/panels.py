"""What a report says of an outcome's panels: one section each, in the order of the list below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from nudge.reports.chances import chances
from nudge.reports.compliers import compliers
from nudge.reports.parts import Section
from nudge.reports.spending import letters, spending
from nudge.reports.unmeasured import unmeasured
from nudge.reports.wording import Wording

Lines: TypeAlias = Sequence[Mapping[str, Any]]
Told: TypeAlias = Callable[[Mapping[str, Any], Lines, Wording], Section]
"""From an outcome of the summary and its panel's lines to a section."""

SECTIONS: Final[Mapping[str, Told]] = {
    "compliance": compliers,
    "bounds": unmeasured,
    "bayes": chances,
    "letters": letters,
    "costs": spending,
}


def sections(outcome: Mapping[str, Any], wording: Wording) -> list[Section | None]:
    """The sections of one outcome's panels; a panel this version does not know is passed over."""
    held: Mapping[str, Lines] = outcome.get("panels", {})
    return [told(outcome, held[name], wording) for name, told in SECTIONS.items() if held.get(name)]
