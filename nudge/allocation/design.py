"""The declared design, and one cluster's allocation under it. Rules of the trial §3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from typing import Final

from nudge.allocation.codes import AllocationCode
from nudge.base.errors import Place, Problem, Refused

MOST_IN_RATIO: Final = 24
"""A block is up to three times the ratio's sum; past this hardly a stratum would ever fill one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How clusters are dealt to arms: `nudge-blocks/1`, permuted blocks within strata.

    `arms` and `ratio` go together, in the declared order; the ratio is brought to lowest terms. `strata` are the
    names of the declared strata columns. A change of arms or ratio is a new `epoch`. Raises Refused.
    """

    trial: str
    arms: tuple[str, ...]
    ratio: tuple[int, ...]
    strata: tuple[str, ...] = ()
    epoch: int = 1

    def __post_init__(self) -> None:
        Refused.when(self._problems())
        divisor = gcd(*self.ratio)
        object.__setattr__(self, "ratio", tuple(share // divisor for share in self.ratio))

    def _problems(self) -> Iterator[Problem]:
        place = Place("design")
        if len(self.arms) < 2:
            yield AllocationCode.ARMS_TOO_FEW.at(place, count=len(self.arms))
        for arm in sorted({arm for arm in self.arms if self.arms.count(arm) > 1}):
            yield AllocationCode.ARM_TWICE.at(place, arm=arm)
        for what, names in (("the trial", (self.trial,)), ("an arm", self.arms)):
            if any(not usable(name) for name in names):
                yield AllocationCode.ID_UNUSABLE.at(place, what=what)
        if len(self.ratio) != len(self.arms):
            yield AllocationCode.RATIO_LENGTH.at(place, arms=len(self.arms), count=len(self.ratio))
        elif any(type(share) is not int or share < 1 for share in self.ratio):
            yield AllocationCode.RATIO_NOT_WHOLE.at(place)
        elif (total := sum(self.ratio) // gcd(*self.ratio)) > MOST_IN_RATIO:
            yield AllocationCode.RATIO_TOO_LARGE.at(place, most=MOST_IN_RATIO, total=total)
        if self.epoch < 1:
            yield AllocationCode.EPOCH_NOT_COUNTED.at(place, epoch=self.epoch)

    @property
    def multiples(self) -> tuple[int, ...]:
        """How many times the ratio a block may hold. Blocks of 2 would make the next arm certain 44 % of the time."""
        return (2, 3, 4) if sum(self.ratio) == 2 else (1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """One cluster's place in the draw. `batch`, `epoch`, `block` and `slot` count from 1; `cluster` is a code."""

    cluster: str
    batch: int
    stratum: str
    epoch: int
    block: int
    slot: int
    block_size: int
    arm: str


def usable(name: str) -> bool:
    """True where a name can be a part of a drawn message: not blank, and without a line break."""
    return bool(name.strip()) and "\n" not in name
