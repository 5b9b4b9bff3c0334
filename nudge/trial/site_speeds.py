"""Vehicles of a site by speed: how they are kept among its measurements, and the figure that an outcome asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from nudge.base.errors import Place, Problem, Refused
from nudge.experiment.definition import Outcome, OutcomeType
from nudge.intake.readings import SiteReading
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.site_counts import THOUSANDTHS
from nudge.uplift.percentiles import banded_percentiles, overlapping, percentiles

SPEEDS: Final = "speeds"
MOST_OPEN: Final = 0.05
"""The largest share of a site's vehicles that a band without an upper edge may hold where a mean is asked for."""
_OPEN: Final = "open"
_HUNDRED: Final = 100.0


def name_of(one: SiteReading) -> str:
    """The name under which vehicles of one band are kept: `speeds/LOWER/UPPER`, `/open` where the top is a guess."""
    lower, upper = (round(THOUSANDTHS * (edge or 0.0)) for edge in (one.lower, one.upper))
    return f"{SPEEDS}/{lower}/{upper}" + (f"/{_OPEN}" if one.open else "")


@dataclass(frozen=True, slots=True)
class Speeds:
    """Numbers of vehicles in bands [lower, upper) of miles per hour; of vehicles measured one by one both are alike."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    count: NDArray[np.float64]
    open: NDArray[np.bool_]

    @classmethod
    def of(cls, named: Iterable[tuple[str, int]]) -> Self:
        """Those among measurements, by their names."""
        rows = [(name.split("/")[1:], number) for name, number in named if name.startswith(f"{SPEEDS}/")]
        edges = np.array([[int(edge) for edge in edges[:2]] for edges, _ in rows], dtype=np.float64).reshape(-1, 2)
        return cls(
            lower=edges[:, 0] / THOUSANDTHS,
            upper=edges[:, 1] / THOUSANDTHS,
            count=np.array([number for _, number in rows], dtype=np.float64),
            open=np.array([_OPEN in edges[2:] for edges, _ in rows], dtype=np.bool_),
        )

    def fault(self, outcome: Outcome, place: Place) -> Problem | None:
        """Why the outcome cannot be worked out: the band without an upper edge may hide it.

        A percentile lies in there if fewer vehicles are below than it asks for; a limit if it is above the band's
        lower edge. A mean moves with the guess, so the band may hold MOST_OPEN of the vehicles at most.
        """
        total, hidden = self.count.sum(), self.count[self.open].sum()
        if not hidden > 0:
            return None
        if outcome.type is OutcomeType.MEAN:
            known = hidden <= MOST_OPEN * total
        elif outcome.type is OutcomeType.PROPORTION:
            known = float(outcome.limit or 0) <= self.lower[self.open].min()
        else:
            known = total - hidden >= float(outcome.percentile or 0) / _HUNDRED * total
        if known:
            return None
        return SignTrialCode.BAND_OPEN.at(
            place, outcome=outcome.id, share=f"{hidden / total:.1%}", edge=f"{self.lower[self.open].min():g}"
        )

    def figure(self, outcome: Outcome, place: Place) -> float | None:
        """A percentile, mean or share above the limit (per cent) of all vehicles; None where there are none.

        Inside a band vehicles are taken to be spread evenly. Refused where `fault` says so, and where the bands do not
        go together.
        """
        lower, upper, count = self.lower, self.upper, self.count
        if not count.sum() > 0:
            return None
        alone = lower == upper
        codes = np.zeros(count.size, dtype=np.int64)
        if alone.any() and not alone.all():
            raise Refused(SignTrialCode.SPEEDS_MIXED.at(place))
        if not alone.any() and overlapping(codes, lower, upper).any():
            raise Refused(SignTrialCode.BANDS_OVERLAP.at(place))
        if fault := self.fault(outcome, place):
            raise Refused(fault)
        if outcome.type is OutcomeType.MEAN:
            return float(((lower + upper) / 2 * count).sum() / count.sum())
        if outcome.type is OutcomeType.PROPORTION:
            limit = float(outcome.limit or 0)
            width = np.where(alone, 1.0, upper - lower)
            above = np.where(alone, lower > limit, np.clip((upper - limit) / width, 0.0, 1.0))
            return _HUNDRED * float((above * count).sum() / count.sum())
        percent = float(outcome.percentile or 0)
        if alone.all():
            each = np.repeat(lower, count.astype(np.int64))
            return float(percentiles(np.zeros(each.size, dtype=np.int64), each, 1, percent)[0])
        return float(banded_percentiles(codes, lower, upper, count, 1, percent)[0])
