"""Two letters that do the same, and a comparison that says 46 days against 21.

Both letters bring contact at the same constant daily hazard, in whole days; one batch is followed for longer. A mean
among those who responded only grows with the follow-up, so the batch followed for longer looks slower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nudge.simulation.stream import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """`exact` are the two means among responders, in days; `drawn` the same from `units` invented units a letter.

    `rmst` is the restricted mean to the shorter follow-up, the same for both letters; `rmst_drawn` as drawn.
    """

    hazard: float
    follow_up: tuple[int, int]
    units: int
    exact: tuple[float, float]
    drawn: tuple[float, float]
    responded: tuple[float, float]
    rmst: float
    rmst_drawn: tuple[float, float]


def responders_mean(hazard: float, follow_up: int) -> float:
    """Mean day among those who respond by day c of follow-up, q = e^-hazard: 1/(1 - q) - c q^c / (1 - q^c)."""
    stay = math.exp(-hazard)
    late = stay**follow_up
    return 1 / (1 - stay) - follow_up * late / (1 - late)


def artefact(
    seed: int = 1, *, hazard: float = 0.01, follow_up: tuple[int, int] = (113, 45), units: int = 20_000
) -> Artefact:
    """The demonstration behind "46 to 21 days": 46.6 and 21.3 from two letters that do exactly the same."""
    horizon = min(follow_up)
    times = [np.ceil(-np.log(Stream(seed, "artefact", letter).shares(units)) / hazard) for letter in (0, 1)]
    answered = [time[time <= days] for time, days in zip(times, follow_up, strict=True)]
    return Artefact(
        hazard=hazard,
        follow_up=follow_up,
        units=units,
        exact=(responders_mean(hazard, follow_up[0]), responders_mean(hazard, follow_up[1])),
        drawn=(float(answered[0].mean()), float(answered[1].mean())),
        responded=(len(answered[0]) / units, len(answered[1]) / units),
        rmst=(1 - math.exp(-hazard * horizon)) / (1 - math.exp(-hazard)),
        rmst_drawn=(float(np.minimum(times[0], horizon).mean()), float(np.minimum(times[1], horizon).mean())),
    )
