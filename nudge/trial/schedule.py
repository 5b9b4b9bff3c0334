"""When signs go up and come down, and which days count: the same rule at every site of an arm or sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from nudge.allocation.design import Design
from nudge.experiment.sites import SiteExperiment
from nudge.trial.batches import FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days that count, both inside, from day 0: negative before it."""

    first: int
    last: int
    until: int | None = None  # the day on which the next sign changes, where one does

    @property
    def days(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, day: int) -> bool:
        return self.first <= day <= self.last

    def holds(self, since: int | None, on: int) -> bool:
        """Whether a count made on a day tells of these days alone: what came after it was cleared on the day `since`.

        Counted and cleared on the day of a change, it tells of what was before. One that runs from before a baseline
        is part of it: nothing changed there. Where `since` is not known, the day of the count decides.
        """
        if since is None:
            return on in self
        last = self.last if self.until is None else self.until
        return self.first <= on <= last and (self.last < 0 or since >= self.first - 1)


def spans(experiment: SiteExperiment) -> tuple[Span, ...]:
    """The days of each period. Day 0 counts nowhere, nor does the day of a change or a washout."""
    days, washout = experiment.sites.days, experiment.sites.washout_days or 0
    found = []
    for number in range(experiment.periods):
        end, final = (number + 1) * days, number + 1 == experiment.periods
        first = number * days + 1 + washout
        found.append(Span(first=first, last=end) if final else Span(first=first, last=end - 1, until=end))
    return tuple(found)


def span_before(experiment: SiteExperiment) -> Span | None:
    """The days before the signs that count; None where none do."""
    days = experiment.sites.baseline_days
    return None if days is None else Span(first=-days, last=-1, until=0)


def arms_in_turn(experiment: SiteExperiment, design: Design, drawn: str) -> tuple[str, ...]:
    """The arm of each period, of a site that drew that arm or sequence."""
    if not experiment.changing:
        return (drawn,)
    return dict(zip(design.arms, design.conditions, strict=True))[drawn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One sign at one site: the periods from `period` (from 1) on, `up` and `down` in days from day 0."""

    arm: str
    period: int
    up: int
    down: int

    @property
    def wave(self) -> str:
        """What the records call it."""
        return FIRST if self.period == 1 else f"period-{self.period}"

    def dates(self, starts: date) -> tuple[date, date]:
        """The days on which it is to go up and to come down."""
        return starts + timedelta(days=self.up), starts + timedelta(days=self.down)


def turns(experiment: SiteExperiment, arms: Sequence[str]) -> tuple[Turn, ...]:
    """The signs of a site whose arms in turn are these; an arm without a sign has none."""
    found, period, days = [], 0, experiment.sites.days
    for arm, run in groupby(arms):
        length = len(list(run))
        if experiment.arm(arm).sign is not None:
            end = (period + length) * days + (period + length == len(arms))
            found.append(Turn(arm=arm, period=period + 1, up=period * days, down=end))
        period += length
    return tuple(found)
