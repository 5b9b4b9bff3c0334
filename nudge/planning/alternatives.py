"""What could be changed in a trial that cannot answer its question, each change worked out by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from nudge.planning.plan import Plan
from nudge.planning.power import TARGET, control_share
from nudge.planning.response import Shares, Times

TWO_YEARS: Final = 104
"""Weeks beyond which a trial is called too long."""
FEW_IN_STRATUM: Final = 8
_HELPS: Final = 0.01  # a change that adds less power is not worth a line
_MOST_COUNCILS: Final = 50
_MOST_IN_RATIO: Final = 8


class Change(StrEnum):
    """What could be changed, the easiest first."""

    EVEN_RATIO = "even_ratio"
    SHARE_OUTCOME = "share_outcome"
    OTHER_HORIZON = "other_horizon"
    FEWER_STRATA = "fewer_strata"
    FEWER_ARMS = "fewer_arms"
    LONGER = "longer"
    WIDER = "wider"
    LARGER_DIFFERENCE = "larger_difference"
    COUNCILS = "councils"
    TOGETHER = "together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One change, worked out: what its power would be over the planned weeks, and the weeks it would need.

    `value` is the change's own number: arms, strata to keep, a day, an effect, councils, weeks. `ratio` and `changes`
    where they apply. `needed_weeks` None: no length would do.
    """

    change: Change
    power: float
    needed_weeks: int | None
    value: float | None = None
    ratio: tuple[int, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def reaches(self) -> bool:
        """Whether the target power is reached by this alone."""
        return self.power >= TARGET - 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """The trial as planned, against which a change is measured."""

    plan: Plan
    effect: float
    units: int
    weeks: int | None
    inflow: float | None

    @property
    def power(self) -> float:
        return self.plan.power(self.effect, self.units)

    def weeks_needed(self, plan: Plan, effect: float, *, wider: float = 1.0) -> int | None:
        needed = plan.needed(effect)
        return None if needed is None or self.inflow is None else weeks_for(needed, self.inflow * wider)

    def changed(self, change: Change, plan: Plan, effect: float, value: float | None = None) -> Alternative | None:
        """The change, if it helps."""
        power = plan.power(effect, self.units)
        if power < self.power + _HELPS:
            return None
        return Alternative(
            change=change,
            power=power,
            needed_weeks=self.weeks_needed(plan, effect),
            value=value,
            ratio=plan.ratio if plan.ratio != self.plan.ratio else (),
        )


def weeks_for(units: float, inflow: float) -> int:
    """Whole weeks that bring so many units."""
    return math.ceil(units / inflow)


def alternatives(
    plan: Plan, effect: float, *, units: int, weeks: int | None, inflow: float | None, wider: float | None
) -> Iterator[Alternative]:
    """Each change that helps, the easiest first. `inflow` None: the trial enrols once, with `units` in all.

    `wider` is by how much the inflow would grow if every first letter were in the trial; None where that is unknown.
    """
    trial = _Trial(plan=plan, effect=effect, units=units, weeks=weeks, inflow=inflow)
    design = list(_of_design(trial))
    yield from (one for one in design if one.change is Change.EVEN_RATIO)
    yield from _of_outcome(trial)
    yield from (one for one in design if one.change is not Change.EVEN_RATIO)
    yield from _of_size(trial, wider)
    if len(design) > 1:
        both = replace(plan, ratio=design[-1].ratio or plan.ratio, strata=_enough_strata(plan, units))
        one = trial.changed(Change.TOGETHER, both, effect)
        if one is not None:
            yield replace(one, changes=tuple(each.change for each in design))


def _of_design(trial: _Trial) -> Iterator[Alternative]:
    plan = trial.plan
    even = even_ratio(plan.ratio)
    changes = (
        (Change.EVEN_RATIO, replace(plan, ratio=even), None),
        (Change.FEWER_STRATA, replace(plan, strata=_enough_strata(plan, trial.units)), plan.strata),
        (Change.FEWER_ARMS, replace(plan, ratio=(1, 1)), 2 if len(plan.ratio) > 2 else None),
    )
    for change, other, value in changes:
        if other == plan or (change is Change.FEWER_ARMS and value is None):
            continue
        if (one := trial.changed(change, other, trial.effect, value)) is not None:
            yield one


def _enough_strata(plan: Plan, units: int) -> int:
    """No more strata than leave each some clusters."""
    clusters = units / plan.cluster_size
    return min(plan.strata, max(1, math.floor(clusters / FEW_IN_STRATUM)))


def _of_outcome(trial: _Trial) -> Iterator[Alternative]:
    """The same change of behaviour, a hazard ratio that holds throughout, measured in another way."""
    times = trial.plan.response
    if not isinstance(times, Times):
        return
    log_ratio = times.log_ratio(trial.effect)
    as_share = Shares(reference=1 - times.last, higher=not times.higher)
    gained = abs(times.ended(log_ratio) - times.last)
    if 0 < gained < as_share.most and as_share.reference > 0:
        one = trial.changed(Change.SHARE_OUTCOME, replace(trial.plan, response=as_share), gained, times.horizon)
        if one is not None:
            yield one
    earlier = []
    for day in range(7, times.waiting.size, 7):
        shorter = replace(times, waiting=times.waiting[:day], last=float(times.waiting[day]))
        gain = shorter.gain(log_ratio)
        if 0 < gain < shorter.most:
            earlier.append(trial.changed(Change.OTHER_HORIZON, replace(trial.plan, response=shorter), gain, day))
    yield from sorted((one for one in earlier if one is not None), key=lambda one: -one.power)[:1]


def _of_size(trial: _Trial, wider: float | None) -> Iterator[Alternative]:
    plan, effect, units = trial.plan, trial.effect, trial.units
    needed = plan.needed(effect)
    if needed is not None and trial.inflow is not None:
        weeks = weeks_for(needed, trial.inflow)
        length = min(weeks, TWO_YEARS)
        power = plan.power(effect, length * trial.inflow)
        yield Alternative(change=Change.LONGER, power=power, needed_weeks=weeks, value=length)
    if wider is not None:
        power = plan.power(effect, units * wider)
        if power >= trial.power + _HELPS:
            weeks_wider = trial.weeks_needed(plan, effect, wider=wider)
            yield Alternative(change=Change.WIDER, power=power, needed_weeks=weeks_wider, value=wider)
    detectable = plan.detectable(units)
    if detectable is not None:
        yield Alternative(change=Change.LARGER_DIFFERENCE, power=TARGET, needed_weeks=trial.weeks, value=detectable)
    if needed is not None and (councils := math.ceil(needed / units)) <= _MOST_COUNCILS:
        power = plan.power(effect, units * councils)
        yield Alternative(change=Change.COUNCILS, power=power, needed_weeks=trial.weeks, value=councils)


def even_ratio(ratio: tuple[int, ...]) -> tuple[int, ...]:
    """Two arms 1 to 1; more, about √k controls to one in each of the k others, in small whole numbers."""
    others = len(ratio) - 1
    if others == 1:
        return (1, 1)
    wanted = control_share(len(ratio))
    pairs = [(control, each) for each in (1, 2, 3) for control in range(1, _MOST_IN_RATIO + 1)]

    def off(pair: tuple[int, int]) -> tuple[bool, int]:
        return abs(pair[0] / (pair[0] + others * pair[1]) - wanted) > 0.02, sum(pair)

    control, each = min(pairs, key=off)
    return control, *(each,) * others
