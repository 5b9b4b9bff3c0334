"""How invented tenants respond to letters, and what a trial of them would find if it were endless.

Given a household's frailty Z, the chance that a tenancy responds for the first time on day k is
1 - exp(-effect(arm) Z h(k)), with Z gamma of mean 1, so the share that has not responded by day k is
(1 + effect H(k) / parts) ** -parts, H the sum of h: a closed form, nothing is estimated. A response is a contact or
a payment, two processes that share out h. A tenancy that has moved, lost its tenant or entered Breathing Space
responds no more, and stays counted as not having responded (rules of the trial §1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nudge.simulation.stream import Stream

FloatArray = NDArray[np.float64]
NEVER = 10_000
"""The day of what does not happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Daily hazards. `first`, `second` and `late` are those of a response without effect: before the second letter
    falls due on day `second_after`, for the fortnight after it, and from then on. An arm multiplies them by its
    effect, 1 where none is named. `frailty_parts` is the gamma's shape: 2 is a variance of one half between
    households. Moves, deaths and Breathing Space are the same in every arm.
    """

    first: float = 0.0165
    second: float = 0.0140
    late: float = 0.0050
    second_after: int = 14
    contact_share: float = 0.7
    frailty_parts: int = 2
    effects: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({"personal-norm": 1.4}))
    vacated: float = 0.0006
    deceased: float = 0.0001
    breathing_space: float = 0.0005

    def effect(self, arm: str) -> float:
        """By what an arm multiplies the hazard of a response."""
        return self.effects.get(arm, 1.0)

    def cumulative(self, until: int) -> FloatArray:
        """float64[until + 1]: the hazard of a response added up to the end of each day, from 0 on day 0."""
        day = np.arange(1, until + 1)
        daily = np.where(
            day <= self.second_after,
            self.first,
            np.where(day <= self.second_after + 14, self.second, self.late),
        )
        return np.concatenate(([0.0], np.cumsum(daily)))

    def not_yet(self, arm: str, until: int, *, share: float = 1.0) -> FloatArray:
        """float64[until + 1]: the share of an arm without a response by the end of each day.

        `share` picks out a part of the responses: `contact_share` those that are contacts.
        """
        hazard = self.effect(arm) * share * self.cumulative(until) / self.frailty_parts
        alone = (1 + hazard) ** -self.frailty_parts
        still_there = np.exp(-(self.vacated + self.deceased + self.breathing_space) * np.arange(until))
        responses = (alone[:-1] - alone[1:]) * still_there
        return np.concatenate(([1.0], 1.0 - np.cumsum(responses)))

    def truth(self, arms: Sequence[str], *, horizon: int = 56) -> Truth:
        """What an endless trial of these arms finds, the first arm being the reference."""
        found = {}
        for arm in arms:
            waiting = self.not_yet(arm, horizon)
            contact = self.not_yet(arm, min(horizon, self.second_after), share=self.contact_share)
            found[arm] = ArmTruth(
                rmst=float(waiting[:-1].sum()),
                responded=float(1 - waiting[-1]),
                contact_before_second=float(1 - contact[-1]),
            )
        return Truth(horizon=horizon, reference=arms[0], arms=MappingProxyType(found))


@dataclass(frozen=True, slots=True)
class ArmTruth:
    """Of one arm: restricted mean days to contact or payment; the share that contacted or paid by the horizon; the
    share that contacted before the second letter fell due."""

    rmst: float
    responded: float
    contact_before_second: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The simulated truth. Differences are arm minus reference, as in every estimate."""

    horizon: int
    reference: str
    arms: Mapping[str, ArmTruth]

    def rmst_difference(self, arm: str) -> float:
        """Days; below 0 means earlier than in the reference arm."""
        return self.arms[arm].rmst - self.arms[self.reference].rmst

    def share_difference(self, arm: str) -> float:
        """Difference of the shares that responded by the horizon."""
        return self.arms[arm].responded - self.arms[self.reference].responded


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """For each unit the day, counted from its day 0, of each thing that happens to it; NEVER where it does not.

    int64[n] each. Contacts and payments on or after the day of a move, death or Breathing Space do not happen.
    """

    contact: NDArray[np.int64]
    payment: NDArray[np.int64]
    vacated: NDArray[np.int64]
    deceased: NDArray[np.int64]
    breathing_space: NDArray[np.int64]

    @property
    def response(self) -> NDArray[np.int64]:
        """The first of contact and payment."""
        return np.minimum(self.contact, self.payment)


def live(
    stream: Stream, behaviour: Behaviour, *, effect: FloatArray, household: NDArray[np.int64], until: int = 400
) -> Days:
    """Let each unit live `until` days from its day 0.

    `effect` float64[n] multiplies a unit's hazard (all ones: a trial without effect). `household` int64[n], codes
    from 0: units of one household share their frailty. A unit's chances do not depend on its effect, so the same
    stream under two effects compares a unit with itself.
    """
    n, households = len(effect), int(household.max(initial=-1)) + 1
    parts = -np.log(stream.shares(households * behaviour.frailty_parts))
    frailty = parts.reshape(households, behaviour.frailty_parts).mean(axis=1)[household]
    cumulative = behaviour.cumulative(until)

    def first(share: float) -> NDArray[np.int64]:
        wait = -np.log(stream.shares(n)) / (effect * frailty * share)
        return _capped(np.searchsorted(cumulative, wait, side="left"), until)

    def ends(hazard: float) -> NDArray[np.int64]:
        waits = -np.log(stream.shares(n))
        return _capped(np.ceil(waits / hazard if hazard else np.full(n, np.inf)), until)

    contact, payment = first(behaviour.contact_share), first(1 - behaviour.contact_share)
    vacated, deceased = ends(behaviour.vacated), ends(behaviour.deceased)
    breathing_space = ends(behaviour.breathing_space)
    over = np.minimum(np.minimum(vacated, deceased), breathing_space)
    return Days(
        contact=np.where(contact <= over, contact, NEVER),
        payment=np.where(payment <= over, payment, NEVER),
        vacated=vacated,
        deceased=deceased,
        breathing_space=breathing_space,
    )


def _capped(days: NDArray[np.floating] | NDArray[np.integer], until: int) -> NDArray[np.int64]:
    return np.where(days <= until, np.minimum(days, until), NEVER).astype(np.int64)
