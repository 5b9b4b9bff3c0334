"""The planned trial run many times on invented units: drawn by its own design, analysed as the real one will be.

Units answer by the curve of the past, or by figures stated, with a known effect. Two members of a cluster share one
draw of chance with the probability of the intra-cluster correlation, so that any value made from it correlates by
just that much and every unit keeps its own distribution. All units come in one batch, so nothing drifts over the weeks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import gammaincinv, ndtri, pdtrik

from nudge.allocation.assignment import Assignment
from nudge.allocation.design import Design
from nudge.allocation.schemes import draw
from nudge.allocation.streams import redraw_key
from nudge.planning.background import Background
from nudge.planning.plan import Plan
from nudge.planning.question import Question
from nudge.planning.response import Amounts, Shares, Times
from nudge.simulation.stream import Stream
from nudge.uplift.analysis import analyse_outcome
from nudge.uplift.estimate import Measure
from nudge.uplift.units import FloatArray, IntArray, UnitTable
from nudge.uplift.verdict import VerdictCode

REDRAWS: Final = 199
"""Redraws of each invented trial's randomisation test: p <= 0.05 needs 9 or fewer as extreme."""
_WORKS: Final = frozenset({VerdictCode.WORKS, VerdictCode.WORTHWHILE, VerdictCode.WORKS_BY_LESS})
_HARMS: Final = frozenset({VerdictCode.DOES_HARM, VerdictCode.DOES_HARM_BY_LESS})

Progress = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What `trials` invented trials of one size said, the same effect in every arm.

    `works` and `harms` count verdicts of the smallest arm; `verdicts` all of its verdicts by code. `exaggeration`:
    by how much the estimates of those that said "works" are larger than the effect, on average; None without one.
    """

    effect: float
    units: int
    weeks: int | None
    trials: int
    works: int
    harms: int
    verdicts: Mapping[str, int]
    exaggeration: float | None

    @property
    def share(self) -> float:
        """The share of trials that said "works": the power."""
        return self.works / self.trials

    @property
    def error(self) -> float:
        """The Monte Carlo standard error of that share, not below that of half a trial."""
        p = min(max(self.share, 0.5 / self.trials), 1 - 0.5 / self.trials)
        return math.sqrt(p * (1 - p) / self.trials)


def rehearse(
    question: Question,
    background: Background,
    plan: Plan,
    *,
    effect: float,
    units: int,
    weeks: int | None,
    trials: int,
    key: str,
    redraws: int = REDRAWS,
    progress: Progress | None = None,
) -> Rehearsed:
    """Run the trial so many times. `key`: the definition's hash, from which all chance follows."""
    verdicts: Counter[str] = Counter()
    sizes = []
    smallest = plan.ratio[1:].index(min(plan.ratio[1:]))
    for number in range(trials):
        stream = Stream(int(key[:16], 16), "rehearsal", units, f"{effect:.9g}", number)
        code, found = _once(question, background, plan, effect, units, stream, redraws, smallest)
        verdicts[code] += 1
        if code in _WORKS and found is not None and effect > 0:
            sizes.append(found / effect)
        if progress is not None:
            progress()
    return Rehearsed(
        effect=effect,
        units=units,
        weeks=weeks,
        trials=trials,
        works=sum(verdicts[code] for code in _WORKS),
        harms=sum(verdicts[code] for code in _HARMS),
        verdicts=dict(sorted(verdicts.items())),
        exaggeration=float(np.mean(sizes)) if sizes else None,
    )


def _once(
    question: Question,
    background: Background,
    plan: Plan,
    effect: float,
    units: int,
    stream: Stream,
    redraws: int,
    smallest: int,
) -> tuple[VerdictCode, float | None]:
    """One invented trial: the verdict of the smallest arm, and its estimate as an effect."""
    compared = units * sum(plan.ratio) / (sum(plan.ratio) + plan.outside)  # the others are not in the analysis
    sizes = _sizes(stream, background.sizes, compared)
    names = tuple(f"stratum {number}" for number in range(len(background.strata)))
    weights = np.cumsum(background.strata) / sum(background.strata)
    strata = np.minimum(np.searchsorted(weights, stream.shares(sizes.size), side="right"), len(names) - 1)
    design = Design(
        trial="rehearsal",
        arms=("control", *(f"arm {number}" for number in range(1, len(plan.ratio)))),
        ratio=plan.ratio,
        strata=("stratum",) if len(names) > 1 else (),
    )
    words = stream.shares(4).tobytes()
    allocated = draw(
        design,
        seed=words,
        batch=1,
        clusters={f"{number:07d}": names[stratum] for number, stratum in enumerate(strata)},
        drawn=(),
    )
    assignment = Assignment.of_blocks(allocated, design, arms=design.arms)
    drawn = np.repeat(np.arange(sizes.size), sizes)
    clustered = int(sizes.max()) > 1
    table = UnitTable(
        arms=design.arms,
        arm=assignment.arm[drawn].astype(np.int64),
        stratum=assignment.stratum[drawn].astype(np.int64),
        strata=assignment.strata,
        cluster=drawn if clustered else None,
        drawn=drawn,
    )
    chance = _alike(stream, drawn, sizes.size, background.icc)
    table = _answered(table, plan, effect, chance, stream)
    result = analyse_outcome(
        question.outcome.model_copy(update={"primary": True, "better": "higher" if question.higher else "lower"}),
        table,
        assignment=assignment,
        randomised="yes",
        confidence=question.confidence,
        smallest_worthwhile=question.size,
        multiplicity=None,
        redraw_key=redraw_key(words.hex()),
        redraws=redraws,
        live=True,
        unit=question.unit,
        money=question.money,
        headline_only=True,
    )
    estimate = result.headlines[smallest].estimate
    return result.verdict[smallest].code, None if estimate is None else _as_effect(question, estimate)


def _sizes(stream: Stream, known: tuple[int, ...], units: float) -> IntArray:
    """Cluster sizes that follow the known ones, as many as make so many units on average."""
    count = max(2 * 2, round(units * len(known) / sum(known)))
    picked = np.asarray(known, dtype=np.int64)
    return picked[(stream.shares(count) * picked.size).astype(np.int64)]


def _alike(stream: Stream, cluster: IntArray, clusters: int, icc: float) -> FloatArray:
    """A draw of chance for each unit, uniform; two of a cluster have the same one with probability `icc`."""
    own = stream.shares(cluster.size)
    if icc <= 0:
        return own
    shared = stream.shares(clusters)[cluster]
    return np.where(stream.shares(cluster.size) < math.sqrt(icc), shared, own)


def _answered(table: UnitTable, plan: Plan, effect: float, chance: FloatArray, stream: Stream) -> UnitTable:
    """The table with each unit's outcome, its arm's effect in it."""
    response, treated = plan.response, table.arm > 0
    if isinstance(response, Times):
        log_ratio = response.log_ratio(effect) if effect > 0 else 0.0
        day = _day(response.waiting, response.last, chance)
        changed = _day(response.under(log_ratio), response.ended(log_ratio), chance)
        time = np.where(treated, changed, day)
        horizon = response.horizon
        event = time <= horizon
        return replace(table, time=np.minimum(time, horizon), event=event, follow_up=np.full(time.size, float(horizon)))
    if isinstance(response, Shares):
        share = np.where(treated, response.arm(effect), response.reference)
        return replace(table, y=(chance < share).astype(np.float64))
    if isinstance(response, Amounts):
        sign = 1.0 if response.higher else -1.0
        spread = response.sd * math.sqrt(1 - response.correlation**2)
        return replace(table, y=spread * ndtri(chance) + sign * effect * treated)
    mean = np.where(treated, response.arm(effect), response.reference)
    if response.variation > 0:
        shape = response.variation**-2
        mean = mean * gammaincinv(shape, chance) / shape
    return replace(table, count=_poisson(mean, stream.shares(mean.size)))


def _day(waiting: FloatArray, last: float, chance: FloatArray) -> FloatArray:
    """The day of the event: the first by which the share still waiting has fallen to the unit's chance."""
    falling = np.append(waiting, last)
    return np.searchsorted(-falling, -chance, side="left").astype(np.float64)


def _poisson(mean: FloatArray, chance: FloatArray) -> FloatArray:
    """The count whose probability first reaches the chance."""
    some = chance > np.exp(-mean)
    found = np.zeros(mean.size)
    found[some] = np.ceil(pdtrik(chance[some], mean[some]))
    return found


def _as_effect(question: Question, estimate: float) -> float:
    turned = math.log(estimate) if question.measure is Measure.RATE_RATIO and estimate > 0 else estimate
    return turned if question.higher else -turned
