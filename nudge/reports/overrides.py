"""Wording of letters that the seal held, and who let it through: told in the report and on the certificate's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nudge.reports.parts import Section, Table, Text

_HELD: Final = {
    "threat_without_support": "What may happen, with no line on where to get help near it",
    "consequence_certain": "What may happen, told as certain",
    "fear_wording": "Wording that works by fear",
    "capitals_in_debt_letter": "A run of capitals in a letter about a debt",
}


def overrides(summary: Mapping[str, Any]) -> Section | None:
    """What was held and let through; nothing where nothing was."""
    let_through: Mapping[str, str] = summary.get("overrides") or {}
    if not let_through:
        return None
    words = "The check of the letters held this wording, and a person let it through by name before the seal."
    parts = (Text(words=words), overrides_table(let_through))
    return Section(slug="overrides", heading="Wording that was let through", parts=parts)


def overrides_table(let_through: Mapping[str, str]) -> Table:
    """What was held, and who let it through, when and why."""
    return Table(
        caption="Wording of the letters that was held, and who let it through",
        columns=("Held", "Let through"),
        rows=tuple((_HELD.get(name, name.replace("_", " ")), said) for name, said in let_through.items()),
        words=(0, 1),
    )
