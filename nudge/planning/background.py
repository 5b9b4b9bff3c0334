"""What a plan rests on: each figure, and whether it is from the council's history, stated, or assumed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
from scipy.optimize import brentq

from nudge.experiment.definition import Baseline, OutcomeType
from nudge.planning.past import PastLetters
from nudge.planning.question import Question
from nudge.planning.response import Amounts, Counted, Response, Shares, Times, exponential
from nudge.uplift.units import FloatArray

HOUSEHOLD_ICC: Final = 0.5
"""Members of a household: what is published of yes/no outcomes of letters to whole households."""
PLACE_ICC: Final = 0.05
"""Members of a street or another place."""
HOUSEHOLD_SIZE: Final = 2
PLACE_SIZE: Final = 20
RATE_VARIATION: Final = 0.4
"""How much the rates of sites differ, as a coefficient of variation."""
_SHAPES: Final = (0.05, 20.0)


class Origin(StrEnum):
    """Where a figure comes from."""

    HISTORY = "history"
    STATED = "stated"
    ASSUMED = "assumed"


class Fact(StrEnum):
    """What a plan needs to know."""

    INFLOW = "inflow"
    RESPONSE = "response"
    SPREAD = "spread"
    SIZES = "sizes"
    ICC = "icc"
    RETURNED = "returned"
    STRATA = "strata"
    CORRELATION = "correlation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. Inflow in units a week; response as the share, mean or restricted mean of the reference."""

    fact: Fact
    value: float
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Background:
    """What is known of one outcome before the trial.

    `inflow` is units a week, `weekly` each week of the history. `sizes` are units of clusters; `strata` the clusters
    of each stratum in the history, one entry where there are no strata. `pool` is how many units there are in all
    where the trial enrols once. `figures` says where each came from, in the order in which they are read.
    """

    response: Response
    inflow: float
    weekly: tuple[int, ...]
    pool: int | None
    sizes: tuple[int, ...]
    icc: float
    strata: tuple[int, ...]
    wider: float | None
    figures: tuple[Figure, ...]


def from_history(question: Question, past: PastLetters, *, pool: bool) -> Background | None:
    """The background that past letters give; None where they do not know this outcome or hold no whole week."""
    if not past.weekly.size or not past.weekly.sum():
        return None
    unreached = _returned(past)
    found = _past_response(question, past, unreached.value)
    if found is None:
        return None
    response, figures, values, known = found
    sizes, size_origin = _sizes(question, past)
    alike = None if size_origin is Origin.ASSUMED or values is None else past.alike(values, known)
    inflow = float(past.weekly.mean())
    strata = tuple(int(count) for count in past.stratum_clusters)
    return Background(
        response=response,
        inflow=inflow,
        weekly=tuple(int(count) for count in past.weekly),
        pool=int(past.drawn.sum()) if pool else None,
        sizes=sizes,
        icc=_icc(question, sizes) if alike is None else alike,
        strata=strata,
        wider=1 + past.ineligible / past.day.size if past.ineligible else None,
        figures=(
            Figure(fact=Fact.INFLOW, value=float(past.drawn.sum()) if pool else inflow, origin=Origin.HISTORY),
            *figures,
            *_cluster_figures(question, sizes, size_origin, alike),
            Figure(fact=Fact.STRATA, value=len(strata), origin=Origin.HISTORY),
            unreached,
        ),
    )


def from_baseline(question: Question, baseline: Baseline, *, pool: bool) -> Background | None:
    """The background that `baseline:` states; None where it is of another outcome."""
    if baseline.outcome != question.outcome.id:
        return None
    found = _stated_response(question, baseline)
    if found is None:
        return None
    response, figures = found
    inflow = baseline.units / weeks_between(*_ends(baseline))
    sizes = _assumed_sizes(question)
    return Background(
        response=response,
        inflow=inflow,
        weekly=(),
        pool=baseline.units if pool else None,
        sizes=sizes,
        icc=_icc(question, sizes),
        strata=(1,),
        wider=None,
        figures=(
            Figure(fact=Fact.INFLOW, value=float(baseline.units) if pool else inflow, origin=Origin.STATED),
            *figures,
            *_cluster_figures(question, sizes, Origin.ASSUMED, None),
            *((Figure(fact=Fact.RETURNED, value=0.0, origin=Origin.ASSUMED),) if question.posted else ()),
        ),
    )


def weeks_between(first: date, last: date) -> float:
    """Weeks from the first day to the last, both counted."""
    return ((last - first).days + 1) / 7


def _ends(baseline: Baseline) -> tuple[date, date]:
    return baseline.period.first, baseline.period.last


def _returned(past: PastLetters) -> Figure:
    if past.returned is None:
        return Figure(fact=Fact.RETURNED, value=0.0, origin=Origin.ASSUMED)
    return Figure(fact=Fact.RETURNED, value=float(past.returned[past.drawn].mean()), origin=Origin.HISTORY)


def _past_response(
    question: Question, past: PastLetters, unreached: float
) -> tuple[Response, tuple[Figure, ...], FloatArray | None, np.ndarray] | None:
    """The response, its figures, and unit values with those known, from which their likeness is worked out."""
    outcome, horizon = question.outcome, question.horizon
    if outcome.type is OutcomeType.MEAN:
        amounts = past.amounts.get(outcome.column or "")
        known = np.zeros(0, dtype=np.bool_) if amounts is None else np.isfinite(amounts) & past.drawn
        if amounts is None or known.sum() < 2 or not float(amounts[known].std(ddof=1)) > 0:
            return None
        sd = float(amounts[known].std(ddof=1))
        figures = (_figure(Fact.SPREAD, sd, Origin.HISTORY), _figure(Fact.CORRELATION, 0.0, Origin.ASSUMED))
        return Amounts(sd=sd, higher=question.higher), figures, np.where(known, amounts, 0.0), known
    if outcome.type is OutcomeType.RATE or horizon is None or not {*outcome.event} & {*past.first}:
        return None
    waiting = past.waiting(outcome.event, horizon)
    if waiting is None or not 0 < waiting[-1] < 1:
        return None
    days, known = past.answered(outcome.event), past.followed >= horizon
    share = float(1 - waiting[-1])
    if outcome.type is OutcomeType.PROPORTION:
        response: Response = Shares(reference=share, higher=question.higher)
        return response, (_figure(Fact.RESPONSE, share, Origin.HISTORY),), (days <= horizon).astype(np.float64), known
    times = Times(waiting=waiting[:-1], last=float(waiting[-1]), higher=question.higher, unreached=unreached)
    return times, (_figure(Fact.RESPONSE, times.reference, Origin.HISTORY),), np.minimum(days, horizon), known


def _stated_response(question: Question, baseline: Baseline) -> tuple[Response, tuple[Figure, ...]] | None:
    kind, horizon = question.outcome.type, question.horizon
    if kind is OutcomeType.PROPORTION and baseline.share is not None and 0 < baseline.share < 1:
        figure = _figure(Fact.RESPONSE, baseline.share, Origin.STATED)
        return Shares(reference=baseline.share, higher=question.higher), (figure,)
    if kind in {OutcomeType.MEAN, OutcomeType.PERCENTILE} and baseline.sd is not None:
        sd = baseline.sd * (100 if question.money else 1)
        return Amounts(sd=sd, higher=question.higher), (
            _figure(Fact.SPREAD, sd, Origin.STATED),
            _figure(Fact.CORRELATION, 0.0, Origin.ASSUMED),
        )
    if kind is OutcomeType.RATE and baseline.rate:
        known = None if baseline.sd is None else (baseline.sd**2 - baseline.rate) / baseline.rate**2
        variation = RATE_VARIATION if known is None else math.sqrt(max(known, 0.0))
        return Counted(reference=baseline.rate, higher=question.higher, variation=variation), (
            _figure(Fact.RESPONSE, baseline.rate, Origin.STATED),
            _figure(Fact.SPREAD, variation, Origin.ASSUMED if known is None else Origin.STATED),
            _figure(Fact.CORRELATION, 0.0, Origin.ASSUMED),
        )
    if kind is OutcomeType.TIME_TO_EVENT and baseline.rmst is not None and horizon is not None:
        share = None if baseline.events is None else baseline.events / baseline.units
        waiting = curve_through(baseline.rmst * horizon / (baseline.horizon or horizon), horizon, share)
        if waiting is None:
            return None
        times = Times(waiting=waiting[:-1], last=float(waiting[-1]), higher=question.higher)
        return times, (_figure(Fact.RESPONSE, times.reference, Origin.STATED),)
    return None


def curve_through(rmst: float, horizon: int, share: float | None) -> FloatArray | None:
    """The share waiting at the start of days 1 to horizon + 1: Weibull through both figures, else constant hazard.

    None where no curve has that restricted mean: it lies between 1 and the horizon.
    """
    if not 1 < rmst < horizon:
        return None
    day = np.arange(horizon + 1)
    if share is not None and 0 < share < 1:

        def weibull(shape: float) -> FloatArray:
            return np.asarray((1 - share) ** ((day / horizon) ** shape))

        def off(shape: float) -> float:
            return float(weibull(shape)[:-1].sum()) - rmst

        if off(_SHAPES[0]) < 0 < off(_SHAPES[1]):
            return weibull(float(brentq(off, *_SHAPES)))
    end = float(brentq(lambda end: float(exponential(horizon, end).sum()) - rmst, 1e-12, 1 - 1e-12))
    return np.append(exponential(horizon, end), 1 - end)


def _sizes(question: Question, past: PastLetters) -> tuple[tuple[int, ...], Origin]:
    if question.cluster is None:
        return (1,), Origin.STATED
    if past.clusters_known:
        return tuple(int(size) for size in past.sizes), Origin.HISTORY
    return _assumed_sizes(question), Origin.ASSUMED


def _assumed_sizes(question: Question) -> tuple[int, ...]:
    if question.cluster is None:
        return (1,)
    return (HOUSEHOLD_SIZE,) if question.households else (PLACE_SIZE,)


def _icc(question: Question, sizes: Sequence[int]) -> float:
    if max(sizes) == 1:
        return 0.0
    return HOUSEHOLD_ICC if question.households else PLACE_ICC


def _cluster_figures(
    question: Question, sizes: Sequence[int], origin: Origin, alike: float | None
) -> tuple[Figure, ...]:
    if question.cluster is None:
        return ()
    mean = _figure(Fact.SIZES, sum(sizes) / len(sizes), origin)
    if max(sizes) == 1:
        return (mean,)
    icc = _icc(question, sizes) if alike is None else alike
    return mean, _figure(Fact.ICC, icc, Origin.ASSUMED if alike is None else Origin.HISTORY)


def _figure(fact: Fact, value: float, origin: Origin) -> Figure:
    return Figure(fact=fact, value=value, origin=origin)
