"""An arm held out of the comparisons: every other arm together against it, as one secondary line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nudge.uplift.context import Context
from nudge.uplift.contrasts import pooled_comparison
from nudge.uplift.estimate import Role
from nudge.uplift.finishing import finished, tested
from nudge.uplift.outcome_rows import headline_row

_OTHERS: Final = "everything else"


def hold_out_panel(context: Context) -> Sequence[Mapping[str, Any]]:
    """The headline's own row on everything else pooled, arm by arm as drawn, less the hold-out.

    Of the whole line: what was done to anybody at all, whichever arm it was. It lends no verdict.
    """
    lines = []
    for arm in context.facts.hold_out:
        if arm not in context.table.arms:
            continue
        comparison = pooled_comparison(context.table, context.assignment, arm, _OTHERS)
        [row] = tested(comparison, [headline_row(comparison, context.plan)], context.settings)
        told = finished(comparison, row, Role.SECONDARY, context.settings).document()
        told["arms"] = [name for name in context.table.arms if name != arm]
        lines.append({key: value for key, value in told.items() if key not in _UNSAID})
    return lines


_UNSAID: Final = frozenset({"arm", "simultaneous", "p_adjusted", "adjustment", "contrast"})
