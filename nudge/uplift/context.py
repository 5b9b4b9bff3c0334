"""What one outcome's panels may look at: the comparisons made, their headline rows, and what the trial knows beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from nudge.allocation.assignment import Assignment
from nudge.experiment.definition import Outcome
from nudge.uplift.comparison import Comparison, Row
from nudge.uplift.estimate import Estimate
from nudge.uplift.facts import NO_FACTS, Facts
from nudge.uplift.finishing import Settings
from nudge.uplift.outcome_rows import Plan
from nudge.uplift.units import UnitTable


@dataclass(frozen=True, kw_only=True)
class Context:
    """One analysed outcome.

    `table` holds the units of the primary population, `comparisons` each arm against the reference, `rows` and
    `headline` the finished headline of each comparison, in the same order. `smallest_worthwhile` is in the outcome's
    own unit; `money`: y is in pence. `randomised` is the plan's own word; `facts` what it says beyond the outcome;
    `assignment` the draw of every arm's clusters, where it is known.
    """

    outcome: Outcome
    table: UnitTable
    comparisons: Sequence[Comparison]
    rows: Sequence[Row]
    headline: Sequence[Estimate]
    plan: Plan
    settings: Settings
    better: str | None
    smallest_worthwhile: float | None
    unit: str
    money: bool
    facts: Facts = NO_FACTS
    assignment: Assignment | None = None

    @property
    def randomised(self) -> bool:
        """Whether somebody says that the arms were drawn by chance."""
        return self.settings.randomised == "yes"


Panel: TypeAlias = Callable[[Context], Sequence[Mapping[str, Any]]]
"""From an analysed outcome to the lines of one panel, plain values; none where the panel has nothing to say."""
