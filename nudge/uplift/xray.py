"""What a published "before and after" could be made of besides the letter: window, selection, trend, a bad month.

A claim such as "46 days before, 21 after" gives two means among those who responded. Each finding below asks of one
cause what it would take to make the whole fall, or how much of it that cause makes, by arithmetic that can be checked
by hand. None of them says what happened; together they say what the claim does not show. Nothing here is a test.

Days are whole, and a steady letter brings contact with the same chance 1 - q each day, q = e^-hazard, so that the mean
day of those who respond within c days is 1/(1 - q) - c q^c/(1 - q^c) (`simulation.artefact.responders_mean`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from nudge.base.errors import Place, Problem, Refused
from nudge.simulation.artefact import responders_mean
from nudge.uplift.codes import UpliftCode
from nudge.uplift.estimate import Interval, plain

USUAL_HAZARD: Final = 0.01
"""One in a hundred of those still waiting responds each day: two in five within eight weeks."""
CORRELATIONS: Final = (0.3, 0.5, 0.7)
"""How far one month's figure foretells the next."""
WORST_OF: Final = (4, 12)
_LONGEST: Final = 3_650
_SLOWEST: Final = 1e-7


class Cause(StrEnum):
    """What else could make a fall of the mean."""

    WINDOW = "window"
    SELECTION = "selection"
    TREND = "trend"
    REGRESSION = "regression_to_the_mean"
    CHANCE = "chance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A claim as published: mean days among those who responded, before and after; the rest where it is known.

    `followed` days before and after; `responders` how many there were; `sd` how much the figure varies from month to
    month, in days; `usual` the long-run figure; `months` between the two. Raises Refused with everything wrong.
    """

    before: float
    after: float
    followed: tuple[int, int] | None = None
    responders: tuple[int, int] | None = None
    sd: float | None = None
    usual: float | None = None
    months: float | None = None

    def __post_init__(self) -> None:
        Refused.when(self._problems())

    def _problems(self) -> Iterator[Problem]:
        place = Place("claim")
        if not (self.before >= 1 and self.after >= 1):
            yield UpliftCode.CLAIM_NOT_IN_DAYS.at(place)
        if not self.before > self.after:
            yield UpliftCode.CLAIM_DID_NOT_FALL.at(place)
        if self.followed is not None:
            for mean, days, when in zip((self.before, self.after), self.followed, ("before", "after"), strict=True):
                if not mean <= days <= _LONGEST:
                    yield UpliftCode.CLAIM_BEYOND_WINDOW.at(place, when=when, mean=f"{mean:g}", days=days)
        if self.responders is not None and min(self.responders) < 2:
            yield UpliftCode.CLAIM_OF_NOBODY.at(place)
        for name in ("sd", "usual", "months"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                yield UpliftCode.CLAIM_NOT_ABOVE_ZERO.at(place, name=name)

    @property
    def fall(self) -> float:
        """Days by which the mean fell."""
        return self.before - self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one cause could do. `days` of the fall that it makes by itself, None where that cannot be said.

    `figures` are the numbers behind it, for the sentence and for whoever checks; `wanted` what would have to be known.
    """

    cause: Cause
    days: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    wanted: str = ""

    def document(self, fall: float) -> dict[str, Any]:
        """Plain values for JSON; `share` is of the fall, and may exceed 1."""
        share = None if self.days is None else self.days / fall
        figures = plain(dict(self.figures))
        return {"cause": self.cause.value, "days": plain(self.days), "share": plain(share), "figures": figures}


def xray(claim: Published) -> tuple[Finding, ...]:
    """One finding per cause, in a fixed order."""
    return (_window(claim), _selection(claim), _trend(claim), _regression(claim), _chance(claim))


def steady_hazard(mean: float, followed: float) -> float | None:
    """The daily hazard at which those who respond within `followed` whole days do so after `mean` days on average.

    None where no steady hazard is so slow: the mean is above (followed + 1)/2.
    """
    low, high = _SLOWEST, 20.0
    if responders_mean(low, int(followed)) <= mean:
        return None
    if responders_mean(high, int(followed)) >= mean:
        return high
    return float(brentq(lambda hazard: responders_mean(hazard, int(followed)) - mean, low, high, xtol=1e-14))


def window_for(mean: float, hazard: float) -> int | None:
    """The follow-up, in whole days, at which a steady hazard gives nearest to that mean; None if none does."""
    if 1 / -math.expm1(-hazard) <= mean:
        return None
    days = next((d for d in range(1, _LONGEST) if responders_mean(hazard, d) >= mean), None)
    if days is None or days == 1:
        return days
    return min((days - 1, days), key=lambda d: abs(responders_mean(hazard, d) - mean))


def _window(claim: Published) -> Finding:
    if claim.followed is None:
        windows = [window_for(mean, USUAL_HAZARD) for mean in (claim.before, claim.after)]
        if windows[0] is None or windows[1] is None:
            return Finding(cause=Cause.WINDOW, wanted="for how many days each letter was followed")
        means = [responders_mean(USUAL_HAZARD, days) for days in windows if days is not None]
        figures = {"hazard": USUAL_HAZARD, "followed": windows, "means": means, "assumed": True}
        return Finding(cause=Cause.WINDOW, days=means[0] - means[1], figures=figures)
    hazard = steady_hazard(claim.before, claim.followed[0])
    if hazard is None:
        return Finding(cause=Cause.WINDOW, wanted="the daily counts: so late a mean comes of no steady rate")
    predicted = responders_mean(hazard, claim.followed[1])
    horizon = min(claim.followed)
    figures = {
        "hazard": hazard,
        "followed": claim.followed,
        "means": [claim.before, predicted],
        "assumed": False,
        "rmst": _restricted(hazard, horizon),
        "horizon": horizon,
    }
    return Finding(cause=Cause.WINDOW, days=claim.before - predicted, figures=figures)


def _selection(claim: Published) -> Finding:
    """After which day would callers have to be lost, nobody calling sooner, for the mean to fall so far?"""
    followed = claim.followed[0] if claim.followed is not None else window_for(claim.before, USUAL_HAZARD)
    hazard = None if followed is None else steady_hazard(claim.before, followed)
    cut = None if hazard is None else window_for(claim.after, hazard)
    if followed is None or hazard is None or cut is None:
        return Finding(cause=Cause.SELECTION, wanted="how many were written to, and how many responded, by day")
    stay = math.exp(-hazard)
    kept = (1 - stay**cut) / (1 - stay**followed)
    waits = _restricted(hazard, followed), _restricted(hazard, cut) + (followed - cut) * stay**cut
    figures = {"followed": followed, "cut": cut, "lost": 1 - kept, "rmst": waits, "hazard": hazard}
    return Finding(cause=Cause.SELECTION, days=claim.before - responders_mean(hazard, cut), figures=figures)


def _trend(claim: Published) -> Finding:
    """How many times as fast contact would have to have become, for whatever reason, over the same follow-up."""
    followed = claim.followed[0] if claim.followed is not None else window_for(claim.before, USUAL_HAZARD)
    rates = [None if followed is None else steady_hazard(mean, followed) for mean in (claim.before, claim.after)]
    if rates[0] is None or rates[1] is None:
        return Finding(cause=Cause.TREND, wanted="the same figure for the months before and between")
    times = rates[1] / rates[0]
    figures: dict[str, Any] = {"times": times, "followed": followed}
    if claim.months is not None:
        figures["a_month"] = times ** (1 / claim.months) - 1
        figures["months"] = claim.months
    return Finding(cause=Cause.TREND, figures=figures, wanted="the same figure for the months before and between")


def _regression(claim: Published) -> Finding:
    """How far the figure would come back by itself if the letter was changed because the figure was bad."""
    if claim.usual is not None:
        away = claim.before - claim.usual
        back = {f"{r:g}": (1 - r) * away for r in CORRELATIONS}
        return Finding(
            cause=Cause.REGRESSION, days=max(back["0.5"], 0.0), figures={"usual": claim.usual, "by_correlation": back}
        )
    if claim.sd is not None:
        worst = {str(k): 0.5 * expected_worst(k) * claim.sd for k in WORST_OF}
        return Finding(
            cause=Cause.REGRESSION, days=worst[str(WORST_OF[-1])], figures={"sd": claim.sd, "worst_of": worst}
        )
    return Finding(cause=Cause.REGRESSION, wanted="the usual figure, or how much it varies from month to month")


def _chance(claim: Published) -> Finding:
    """The interval of the difference of two means of responders, had nothing but chance told them apart."""
    if claim.responders is None:
        return Finding(cause=Cause.CHANCE, wanted="how many responded before and after")
    spreads = [_spread(mean, days) for mean, days in zip((claim.before, claim.after), _windows(claim), strict=True)]
    se = math.sqrt(sum(spread**2 / n for spread, n in zip(spreads, claim.responders, strict=True)))
    half = float(ndtri(0.975)) * se
    interval: Interval = (claim.fall - half, claim.fall + half)
    figures = {"interval": interval, "se": se, "p_value": float(2 * ndtr(-claim.fall / se)) if se > 0 else None}
    return Finding(cause=Cause.CHANCE, days=half, figures=figures)


def _windows(claim: Published) -> tuple[int | None, int | None]:
    if claim.followed is not None:
        return claim.followed
    return window_for(claim.before, USUAL_HAZARD), window_for(claim.after, USUAL_HAZARD)


def _spread(mean: float, followed: int | None) -> float:
    """The standard deviation of a responder's day at the steady hazard of that mean; the mean itself without one."""
    hazard = None if followed is None else steady_hazard(mean, followed)
    if followed is None or hazard is None:
        return mean
    day = np.arange(1, followed + 1)
    chance = np.exp(-hazard * (day - 1))
    chance /= chance.sum()
    return float(np.sqrt((chance * (day - (chance * day).sum()) ** 2).sum()))


def _restricted(hazard: float, horizon: float) -> float:
    """The restricted mean to a whole-day horizon, everybody counted: (1 - q^H)/(1 - q)."""
    return math.expm1(-hazard * horizon) / math.expm1(-hazard)


def expected_worst(k: int) -> float:
    """The expected largest of k standard normals: ∫ x k φ(x) Φ(x)^(k - 1) dx (David & Nagaraja 2003, 3.1)."""
    x, step = np.linspace(-9, 9, 20_001, retstep=True)
    return float((x * k * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) * ndtr(x) ** (k - 1)).sum() * step)
