"""The panels that stand beside an outcome's estimates, by their name in the summary. None lends the headline a p."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nudge.uplift.bayes import bayes_panel
from nudge.uplift.bounds import bounds_panel
from nudge.uplift.competing import competing_panel
from nudge.uplift.compliance import compliance_panel
from nudge.uplift.context import Context, Panel
from nudge.uplift.costs import costs_panel, letters_panel
from nudge.uplift.estimate import plain
from nudge.uplift.factorial import factorial_panel
from nudge.uplift.hold_out import hold_out_panel
from nudge.uplift.sequences import sequences_panel
from nudge.uplift.subgroups import subgroups_panel
from nudge.uplift.unrandomised import unrandomised_panel

PANELS: Final[Mapping[str, Panel]] = {
    "not_randomised": unrandomised_panel,
    "factorial": factorial_panel,
    "hold_out": hold_out_panel,
    "subgroups": subgroups_panel,
    "competing": competing_panel,
    "compliance": compliance_panel,
    "bounds": bounds_panel,
    "bayes": bayes_panel,
    "letters": letters_panel,
    "costs": costs_panel,
}


def panels(context: Context) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Every panel that has something to say of this outcome, as plain values."""
    if context.table.sequences is not None:  # the others compare clusters that are in one arm
        told = {"sequences": sequences_panel(context.table, context.headline[0].measure)}
    else:
        told = {name: panel(context) for name, panel in PANELS.items()}
    return {name: plain(lines) for name, lines in told.items() if lines}
