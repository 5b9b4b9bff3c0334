"""Whether a trial can answer its question, and what to change where it cannot.

Everything is in units and weeks; sentences are the reports'.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from nudge.planning.alternatives import TWO_YEARS, Alternative, alternatives, weeks_for
from nudge.planning.background import Background
from nudge.planning.plan import Plan
from nudge.planning.power import TARGET, Chances, freedman_events, schoenfeld_events, smallest_p, smallest_paired_p
from nudge.planning.question import Question, brought
from nudge.planning.response import Amounts, Times

WEEKS: Final = 26
"""How long a trial is taken to enrol where nobody says: half a year."""
_MOST_STEPS: Final = 6
_MOST_POOLS: Final = 10  # a size beyond so many times what there is is no length of this trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One length of enrolment: weeks (None where the trial enrols once), units, power, the smallest visible effect."""

    weeks: int | None
    units: int
    power: float | None
    detectable: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Events that a log-rank test of the same effect needs, in the control and one arm, and how many there will be."""

    hazard_ratio: float
    schoenfeld: float
    freedman: float
    expected: float


@dataclass(frozen=True, kw_only=True)
class Feasibility:
    """The answer of one outcome. `power` and `worth` are of the smallest worthwhile difference, None without one.

    `weeks` is None where the trial enrols once. `typical` is the effect of an arm like those tested before;
    `beyond`: the difference asked for is larger than any letter could bring.
    """

    question: Question
    background: Background
    plan: Plan
    weeks: int | None
    units: int
    arms: tuple[int, int]
    power: float | None
    worth: Chances | None
    detectable: float | None
    needed: int | None
    needed_weeks: int | None
    typical: float | None
    typical_chances: Chances | None
    events: Events | None
    steps: tuple[Step, ...]
    alternatives: tuple[Alternative, ...]
    beyond: bool

    @property
    def answers(self) -> bool:
        """Whether the planned trial reaches the target power for the difference that would matter."""
        return self.power is not None and self.power >= TARGET - 1e-4


def plan_of(question: Question, background: Background) -> Plan:
    """The plan that an experiment describes."""
    return Plan(
        response=background.response,
        ratio=question.ratio,
        outside=question.outside,
        contrasts=question.contrasts,
        paired=0.0 if question.paired else None,  # how alike the two of a pair are is not known
        confidence=question.confidence,
        icc=background.icc,
        sizes=background.sizes,
        strata=len(background.strata),
    )


def feasibility(question: Question, background: Background, *, weeks: int = WEEKS) -> Feasibility:
    """Work out what the trial can tell after so many weeks of enrolment (once: with all units there are)."""
    plan = plan_of(question, background)
    once = background.pool is not None
    units = background.pool if background.pool is not None else math.floor(background.inflow * weeks)
    effect = question.worthwhile
    beyond = effect is not None and effect >= plan.response.most
    asked = None if effect is None or beyond or units < 2 else effect
    typical = brought(plan.response, question.prior.mean) if question.prior.mean > 0 else None
    needed = None if asked is None else plan.needed(asked)
    found = Feasibility(
        question=question,
        background=background,
        plan=plan,
        weeks=None if once else weeks,
        units=units,
        arms=(round(units * plan.shares[0]), round(units * plan.shares[1])),
        power=None if asked is None else plan.power(asked, units),
        worth=None if asked is None else plan.chances(asked, units),
        detectable=plan.detectable(units) if units >= 2 else None,
        needed=needed,
        needed_weeks=None if needed is None or once else weeks_for(needed, background.inflow),
        typical=typical,
        typical_chances=plan.chances(typical, units) if typical and units >= 2 else None,
        events=_events(plan, asked, units),
        steps=tuple(_steps(plan, asked, background, weeks, needed)),
        alternatives=(),
        beyond=beyond,
    )
    if asked is None or found.answers:
        return found
    inflow = None if once else background.inflow
    changes = alternatives(plan, asked, units=units, weeks=found.weeks, inflow=inflow, wider=background.wider)
    return replace(found, alternatives=tuple(changes))


def drawn_one_by_one(question: Question) -> Plan:
    """The plan of an experiment of whose outcome and clusters nothing is known: each unit drawn by itself."""
    return Plan(
        response=Amounts(sd=1.0, higher=question.higher),
        ratio=question.ratio,
        outside=question.outside,
        contrasts=question.contrasts,
        paired=0.0 if question.paired else None,  # how alike the two of a pair are is not known
        confidence=question.confidence,
        icc=0.0,
        sizes=(1,),
        strata=1,
    )


def cannot_reach(plan: Plan, units: float) -> float | None:
    """The smallest p that any draw of so many units can give, where that is not below 1 - confidence; else None.

    Of the control against the smallest other arm, in fixed numbers: blocks and strata only make it larger.
    """
    control, arm = plan.clusters(units)
    p = smallest_p((control, arm)) if plan.paired is None else smallest_paired_p((control + arm) // 2)
    return p if p >= 1 - plan.confidence else None


def _events(plan: Plan, effect: float | None, units: int) -> Events | None:
    response = plan.response
    if effect is None or not isinstance(response, Times):
        return None
    log_ratio = response.log_ratio(effect)
    control, arm = (units * share for share in plan.shares)
    ratio, hazard = arm / control, math.exp(log_ratio)
    expected = control * (1 - response.last) + arm * (1 - response.ended(log_ratio))
    return Events(
        hazard_ratio=hazard,
        schoenfeld=plan.design_effect * schoenfeld_events(hazard, confidence=plan.confidence, ratio=ratio),
        freedman=plan.design_effect * freedman_events(hazard, confidence=plan.confidence, ratio=ratio),
        expected=expected,
    )


def _steps(plan: Plan, effect: float | None, background: Background, weeks: int, needed: int | None) -> Iterator[Step]:
    """Lengths worth a line: the planned one, halves and doubles of it, and the one needed."""
    sizes: list[tuple[int | None, int]]
    if background.pool is not None:
        pool = background.pool
        several = {max(2, pool // 2), pool, 2 * pool}
        if needed is not None and needed <= _MOST_POOLS * pool:
            several.add(needed)
        sizes = [(None, size) for size in sorted(several)]
    else:
        lengths = {max(1, weeks // 2), weeks, 2 * weeks, 52, TWO_YEARS}
        if needed is not None and needed / background.inflow <= 5 * TWO_YEARS:
            lengths.add(weeks_for(needed, background.inflow))
        sizes = [(length, math.floor(length * background.inflow)) for length in sorted(lengths)]
    for length, units in sizes[: _MOST_STEPS + 1]:
        if units >= 2:
            yield Step(
                weeks=length,
                units=units,
                power=None if effect is None else plan.power(effect, units),
                detectable=plan.detectable(units),
            )
