"""What the trials of a cell came to, and the file that keeps it, so that a stopped run goes on where it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks.calibration.cells import HORIZON, WITHIN, Cell
from benchmarks.calibration.trials import simulated, truth
from nudge.allocation.assignment import Assignment
from nudge.allocation.streams import redraw_key
from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.comparison import Comparison, Row
from nudge.uplift.estimate import Estimate, Role
from nudge.uplift.finishing import Settings, across_arms, finished, tested
from nudge.uplift.outcome_rows import Plan, headline_row
from nudge.uplift.units import UnitTable

REDRAWS: Final = 199
_OUTCOMES: Final = {
    OutcomeType.PROPORTION: {"event": ("contact",), "within": WITHIN},
    OutcomeType.TIME_TO_EVENT: {"event": ("contact",), "horizon": HORIZON},
    OutcomeType.MEAN: {"column": "arrears"},
    OutcomeType.RATE: {"column": "calls"},
    OutcomeType.RATIO: {"column": "paid", "over": "due"},
}


@dataclass(slots=True)
class Tally:
    """Counts over the trials of one cell. A comparison is under no effect, or has the cell's effect.

    `null`: comparisons under no effect; `tested`: those of them with a p; `rejects`: those with p at most 0.05;
    `odds`: those whose interval and test disagree; `family`: trials in which one of them has an adjusted p at most
    0.05. `powered`, `found`: comparisons with an effect, and those with p at most 0.05. `intervals`: plain intervals
    of all comparisons, `held` those with the truth inside; `wide`, `inside`: trials with simultaneous intervals, and
    those in which all hold the truth. `events`, `clusters`: the fewest of an arm, summed over trials. `attainable`:
    the largest size up to 5 % that the test can have.
    """

    trials: int = 0
    null: int = 0
    tested: int = 0
    rejects: int = 0
    family: int = 0
    intervals: int = 0
    held: int = 0
    wide: int = 0
    inside: int = 0
    odds: int = 0
    powered: int = 0
    found: int = 0
    events: int = 0
    clusters: int = 0
    p_methods: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    attainable: float | None = None

    def add(self, cell: Cell, estimates: list[Estimate], least: tuple[float, int]) -> None:
        """One trial's headlines. `least`: the fewest events, and clusters, of its arms."""
        true = truth(cell)
        self.trials += 1
        self.events += int(least[0])
        self.clusters += least[1]
        family = inside = True
        for item, value in zip(estimates, true, strict=True):
            rejected = item.p_value is not None and item.p_value <= 0.05
            self.flags.update(flag.value for flag in item.flags)
            self.p_methods.update([item.p_method.value if item.p_method is not None else "none"])
            if value == item.null:
                self.null += 1
                self.tested += item.p_value is not None
                self.rejects += rejected
                self.odds += item.ci is not None and rejected == (item.ci[0] <= value <= item.ci[1])
                adjusted = item.p_adjusted if len(estimates) > 1 else item.p_value
                family = family and not (adjusted is not None and adjusted <= 0.05)
            else:
                self.powered += 1
                self.found += rejected
            if item.ci is not None:
                self.intervals += 1
                self.held += item.ci[0] <= value <= item.ci[1]
            strict = item.simultaneous
            inside = inside and (strict is None or strict[0] <= value <= strict[1])
        self.family += not family
        self.wide += len(estimates) > 1
        self.inside += inside and len(estimates) > 1


def outcome_of(cell: Cell) -> Outcome:
    """The outcome of a cell's trials."""
    return Outcome.model_validate({"id": "outcome", "type": cell.kind, "primary": True, **_OUTCOMES[cell.kind]})


def settings_of(cell: Cell, layout: int) -> Settings:
    """How the trials of one layout are tested; the key of their redraws is not that of their draws."""
    return Settings(
        confidence=0.95,
        randomised="yes",
        redraw_key=redraw_key(f"{cell.name} test {layout}"),
        redraws=REDRAWS,
        needs_units=False,
    )


def headline(outcome: Outcome, comparison: Comparison, settings: Settings) -> Row:
    """The row that leads, before it is tested: adjusted for what the draw balanced, where it balanced anything."""
    plan = plan_of(outcome, settings)
    return headline_row(comparison, replace(plan, adjusted=bool(comparison.table.covariates)))


def plan_of(outcome: Outcome, settings: Settings) -> Plan:
    """The plan by which `analyse_outcome` would analyse it."""
    return Plan(
        kind=outcome.type,
        horizon=float(outcome.horizon or outcome.within or 0.0),
        weigh_clusters=False,
        adjusted=False,
        key=settings.redraw_key,
        redraws=settings.redraws,
    )


def headlines(outcome: Outcome, table: UnitTable, assignment: Assignment | None, settings: Settings) -> list[Estimate]:
    """What `analyse_outcome` puts first, every arm against the reference, without the rows and panels beside it."""
    comparisons = [Comparison.of(table.coded(), arm, assignment) for arm in table.arms[1:]]
    rows = [tested(item, [headline(outcome, item, settings)], settings)[0] for item in comparisons]
    made = [finished(item, row, Role.HEADLINE, settings) for item, row in zip(comparisons, rows, strict=True)]
    return across_arms(made, rows)


def tallied(task: tuple[Cell, int, int]) -> Tally:
    """The trials of layouts `first` to `last`, the last not included, of a cell."""
    cell, first, last = task
    outcome = outcome_of(cell)
    tally = Tally()
    for layout in range(first, last):
        settings = settings_of(cell, layout)
        for table, assignment in simulated(cell, layout):
            tally.add(cell, headlines(outcome, table, assignment, settings), _least(cell, table, assignment))
    return tally


def _least(cell: Cell, table: UnitTable, assignment: Assignment) -> tuple[float, int]:
    events, clusters = [], []
    for code in range(len(table.arms)):
        rows = table.arm == code
        if cell.kind is OutcomeType.TIME_TO_EVENT and table.event is not None and table.time is not None:
            events.append(float((table.event[rows] & (table.time[rows] <= HORIZON)).sum()))
        elif cell.kind is OutcomeType.PROPORTION and table.y is not None:
            y = table.y[rows]
            events.append(float(min(y.sum(), y.size - y.sum())))
        elif table.count is not None:
            events.append(float(table.count[rows].sum()))
        else:
            events.append(float(rows.sum()))
        clusters.append(int((assignment.arm == code).sum()))
    return min(events), min(clusters)


class Book:
    """Tallies by cell in one JSON file, written whole after each part."""

    def __init__(self, path: Path) -> None:
        self._path = path
        known = json.loads(path.read_text("utf-8")) if path.exists() else {}
        self._tallies = {name: Tally(**{**values, **_counters(values)}) for name, values in known.items()}

    def __getitem__(self, cell: Cell) -> Tally:
        return self._tallies.get(cell.name, Tally())

    def add(self, cell: Cell, part: Tally) -> None:
        """Add a part, in the order of the layouts."""
        held = self[cell]
        for name in set(Tally.__slots__) - {"attainable"}:
            setattr(held, name, getattr(held, name) + getattr(part, name))
        self._keep(cell, held)

    def limit(self, cell: Cell, attainable: float) -> None:
        """Note the largest size that the cell's test can have."""
        held = self[cell]
        held.attainable = attainable
        self._keep(cell, held)

    def _keep(self, cell: Cell, tally: Tally) -> None:
        self._tallies[cell.name] = tally
        lines = (
            f"{json.dumps(name)}: {json.dumps({slot: getattr(one, slot) for slot in Tally.__slots__}, sort_keys=True)}"
            for name, one in sorted(self._tallies.items())
        )
        fresh = self._path.with_suffix(".part")
        fresh.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
        fresh.replace(self._path)


def _counters(values: Mapping[str, dict[str, int]]) -> dict[str, Counter[str]]:
    return {name: Counter(values[name]) for name in ("p_methods", "flags")}
