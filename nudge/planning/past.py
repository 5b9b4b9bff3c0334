"""The council's own past letters as arrays: who was written to week by week, and what followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from nudge.uplift.survival import kaplan_meier
from nudge.uplift.units import BoolArray, FloatArray, IntArray, sum_by

FEW_SHARED: Final = 30
"""Fewer clusters of two or more than this say too little of how alike their members are."""


@dataclass(frozen=True, kw_only=True)
class PastLetters:
    """One entry a unit that got a first letter and met the trial's own eligibility.

    `day` counts from the first letter of the file (all letters, eligible or not) to the last, on `last_day`; `cut` is
    the last day covered, on the same count. `cluster` and `stratum` hold codes from 0. `first` has, by event, the
    day of its first time counted from the letter, infinite where it did not happen by the cut. `amounts` has declared
    columns as they stood at the letter. `returned` is None where the file does not say. `ineligible` counts the other
    letters.
    """

    day: IntArray
    last_day: int
    cut: int
    cluster: IntArray
    clusters_known: bool
    stratum: IntArray
    strata: tuple[str, ...]
    first: Mapping[str, FloatArray]
    amounts: Mapping[str, FloatArray] = field(default_factory=dict)
    returned: BoolArray | None = None
    ineligible: int = 0

    @cached_property
    def drawn(self) -> BoolArray:
        """Units in the week in which their cluster first came: one that joins later is outside the draw (rules §2)."""
        if not self.cluster.size:
            return np.zeros(0, dtype=np.bool_)
        week = self.day // 7
        earliest = np.full(int(self.cluster.max()) + 1, np.iinfo(np.int64).max)
        np.minimum.at(earliest, self.cluster, week)
        return np.asarray(week == earliest[self.cluster])

    @cached_property
    def weekly(self) -> IntArray:
        """Units drawn in each whole week of the file, weeks without a letter among them."""
        weeks = (self.last_day + 1) // 7
        inside = self.drawn & (self.day // 7 < weeks)
        return np.bincount(self.day[inside] // 7, minlength=weeks)

    def quietest(self, weeks: int) -> int | None:
        """The fewest units in so many weeks on end; None where the file is shorter."""
        if not 0 < weeks <= self.weekly.size:
            return None
        return int(np.convolve(self.weekly, np.ones(weeks, dtype=np.int64), mode="valid").min())

    @cached_property
    def sizes(self) -> IntArray:
        """Units of each cluster drawn together."""
        counts = np.bincount(self.cluster[self.drawn])
        return counts[counts > 0]

    @cached_property
    def stratum_clusters(self) -> IntArray:
        """Clusters of each stratum, by its code."""
        _, once = np.unique(self.cluster[self.drawn], return_index=True)
        return np.bincount(self.stratum[self.drawn][once], minlength=len(self.strata))

    @property
    def followed(self) -> FloatArray:
        """How many days each unit was watched after its letter."""
        return (self.cut - self.day).astype(np.float64)

    def answered(self, events: tuple[str, ...]) -> FloatArray:
        """Days to the first of several events; the day of the letter and before answers nothing (rules §1)."""
        found = np.full(self.day.size, np.inf)
        for event in events:
            if event in self.first:
                days = self.first[event]
                found = np.minimum(found, np.where(days > 0, days, np.inf))
        return found

    def waiting(self, events: tuple[str, ...], horizon: int) -> FloatArray | None:
        """The share without an event at the start of each day 1 to `horizon` + 1, by Kaplan-Meier.

        None where nobody was watched that long.
        """
        days, followed = self.answered(events)[self.drawn], self.followed[self.drawn]
        known = followed > 0
        if not (followed >= horizon).any():
            return None
        time, event = np.minimum(days, followed)[known], (days <= followed)[known]
        curve = kaplan_meier(time, event, float(horizon))
        return np.array([1 - curve.contact_by(float(day)) for day in range(horizon + 1)])

    def alike(self, values: FloatArray, known: BoolArray) -> float | None:
        """The intra-cluster correlation of unit values, by analysis of variance (Donner 1986), from 0 to 1.

        None where fewer than `FEW_SHARED` clusters hold two or more known units, or the values do not vary.
        """
        rows = self.drawn & known
        _, code = np.unique(self.cluster[rows], return_inverse=True)
        y = values[rows]
        n = np.bincount(code).astype(np.float64)
        if int((n > 1).sum()) < FEW_SHARED:
            return None
        groups, total = n.size, float(n.sum())
        means = sum_by(code, groups, y) / n
        between = float((n * (means - y.mean()) ** 2).sum()) / (groups - 1)
        within = float(((y - means[code]) ** 2).sum()) / (total - groups)
        usual = (total - float((n**2).sum()) / total) / (groups - 1)
        below = between + (usual - 1) * within
        return None if below <= 0 else min(1.0, max(0.0, (between - within) / below))
