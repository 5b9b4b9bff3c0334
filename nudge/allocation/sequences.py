"""Sites that go through conditions in turn: which condition a site is in, period by period.

The arms of such a design are sequences. A stepped wedge starts every sequence in the control and ends it in the arm,
one sequence crossing over at each step; a crossover gives each sequence the conditions in another order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Allocated, Design
from nudge.base.errors import Place, Refused
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.sites import SiteExperiment


def stepped_wedge(
    trial: str, *, control: str, arm: str, steps: int, strata: tuple[str, ...] = (), ratio: Sequence[int] = ()
) -> Design:
    """`steps` sequences over `steps` + 1 periods: sequence k is in the control for its first k periods.

    Raises Refused where there are fewer than two steps.
    """
    conditions = tuple((control,) * step + (arm,) * (steps + 1 - step) for step in range(1, steps + 1))
    names = tuple(f"step {step}" for step in range(1, steps + 1))
    return _design(trial, names, conditions, strata, ratio)


def crossover(
    trial: str, *, orders: Sequence[Sequence[str]], strata: tuple[str, ...] = (), ratio: Sequence[int] = ()
) -> Design:
    """One sequence for each order of conditions, such as [("a", "b"), ("b", "a")].

    Raises Refused for orders of different lengths, or one given twice.
    """
    conditions = tuple(tuple(order) for order in orders)
    return _design(trial, tuple(" then ".join(order) for order in conditions), conditions, strata, ratio)


def declared(experiment: LiveExperiment, *, epoch: int) -> Design:
    """The design that an experiment of sites declares: its wedge, or both orders of its two arms."""
    if not isinstance(experiment, SiteExperiment):
        msg = "only sites have one arm after the other"
        raise TypeError(msg)
    control = experiment.control.id
    [arm] = [name for name in experiment.arm_ids if name != control]
    strata = experiment.design.strata
    if experiment.design.method == "crossover":
        found = crossover(experiment.id, orders=[(control, arm), (arm, control)], strata=strata)
    else:
        found = stepped_wedge(experiment.id, control=control, arm=arm, steps=experiment.periods - 1, strata=strata)
    return replace(found, epoch=epoch)


def _design(
    trial: str,
    names: tuple[str, ...],
    conditions: tuple[tuple[str, ...], ...],
    strata: tuple[str, ...],
    ratio: Sequence[int],
) -> Design:
    return Design(
        trial=trial,
        arms=names,
        ratio=tuple(ratio) or (1,) * len(names),
        strata=strata,
        method="sequences",
        conditions=conditions,
    )


def schedule(design: Design, drawn: Iterable[Allocated]) -> dict[str, tuple[str, ...]]:
    """Each site's condition in each period. Raises Refused where a site has a sequence that the design lacks."""
    conditions = dict(zip(design.arms, design.conditions, strict=False))
    rows = tuple(drawn)
    if strange := sum(row.arm not in conditions for row in rows):
        raise Refused(AllocationCode.ARM_UNKNOWN.at(Place("schedule"), count=strange))
    return {row.cluster: conditions[row.arm] for row in rows}
