"""The declared design, what a list says of a cluster, and one cluster's allocation. Rules of the trial §3."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from nudge.allocation.codes import AllocationCode
from nudge.allocation.keying import composed
from nudge.base.errors import Place, Problem, Refused
from nudge.experiment.definition import LiveExperiment

if TYPE_CHECKING:
    from nudge.allocation.assignment import Assignment

Method: TypeAlias = Literal["blocked", "pairs", "rerandomised", "minimised", "sequences"]
ALGORITHMS: Final[Mapping[str, str]] = {
    "blocked": "nudge-blocks/1",
    "pairs": "nudge-pairs/1",
    "rerandomised": "nudge-rerandomised/1",
    "minimised": "nudge-minimised/1",
    "sequences": "nudge-sequences/1",
}
ACCEPTANCE: Final = 0.1
"""The share of allocations balanced enough, where none is declared."""
LEAST_ACCEPTANCE: Final = 0.001
CHANCE: Final = 0.8
"""The chance of the arm that balances best, where none is declared."""
MOST_COVARIATES: Final = 12

MOST_IN_RATIO: Final = 24
"""A block is up to three times the ratio's sum; past this hardly a stratum would ever fill one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How clusters are dealt to arms, and everything that the same design could have drawn instead.

    `arms` and `ratio` go together, in the declared order; the ratio is brought to lowest terms. `strata` are the
    names of the declared strata columns; where the method is `minimised` they are its factors. A change of arms or
    ratio is a new `epoch`. Methods, each drawn by the algorithm of `ALGORITHMS`:
    - `blocked`: permuted blocks within strata;
    - `pairs`: two clusters, one to each arm; named by the column `pair`, or made by distance on `covariates`;
    - `rerandomised`: a batch drawn again until its arms' `covariates` are among the best balanced share `acceptance`;
    - `minimised`: one cluster after the other to the arm that balances the factors, with `chance`; a factor's
      `imbalance` is the range of its counts, or their variance;
    - `sequences`: sites to the order in which they go through conditions. `conditions` has, for each arm (a
      sequence), the condition of each period.
    Raises Refused, with the reason, for a combination that cannot be drawn.
    """

    trial: str
    arms: tuple[str, ...]
    ratio: tuple[int, ...]
    strata: tuple[str, ...] = ()
    epoch: int = 1
    method: Method = "blocked"
    pair: str | None = None
    covariates: tuple[str, ...] = ()
    acceptance: float | None = None
    chance: float | None = None
    imbalance: Literal["range", "variance"] | None = None
    conditions: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, experiment: LiveExperiment, *, epoch: int = 1) -> Design:
        """The design that an experiment file declares."""
        declared = experiment.design
        if declared.method in {"stepped_wedge", "crossover"}:
            from nudge.allocation import sequences  # which builds on this module

            return sequences.declared(experiment, epoch=epoch)
        return cls(
            trial=experiment.id,
            arms=experiment.arm_ids,
            ratio=declared.ratio,
            strata=declared.strata,
            epoch=epoch,
            method=cast("Method", declared.method),
            pair=declared.pair,
            covariates=declared.covariates,
            acceptance=declared.acceptance,
            chance=declared.chance,
            imbalance=declared.imbalance,
        )

    def __post_init__(self) -> None:
        if self.method == "rerandomised" and self.acceptance is None:
            object.__setattr__(self, "acceptance", ACCEPTANCE)
        if self.method == "minimised":
            object.__setattr__(self, "chance", CHANCE if self.chance is None else self.chance)
            object.__setattr__(self, "imbalance", self.imbalance or "range")
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
        yield from self._problems_of_method(place)

    def _problems_of_method(self, place: Place) -> Iterator[Problem]:
        used = _TERMS[self.method]
        for term in sorted(term for terms in _TERMS.values() for term in terms if term not in used):
            if getattr(self, term):
                yield AllocationCode.TERM_OF_ANOTHER_METHOD.at(place, term=term, method=self.method)
        even = len(set(self.ratio)) == 1
        if self.method == "pairs":
            if len(self.arms) != 2 or not even:
                yield AllocationCode.PAIRS_OF_TWO_ARMS.at(place)
            if (self.pair is None) == (not self.covariates):
                yield AllocationCode.PAIR_OR_COVARIATES.at(place)
        if self.method == "rerandomised":
            if not self.covariates:
                yield AllocationCode.COVARIATES_NEEDED.at(place)
            if self.acceptance is not None and not LEAST_ACCEPTANCE <= self.acceptance <= 1:
                yield AllocationCode.ACCEPTANCE_OUT_OF_RANGE.at(place, least=LEAST_ACCEPTANCE)
        if len(self.covariates) > MOST_COVARIATES:
            yield AllocationCode.COVARIATES_TOO_MANY.at(place, most=MOST_COVARIATES, count=len(self.covariates))
        if self.method == "minimised":
            if not self.strata:
                yield AllocationCode.FACTORS_NEEDED.at(place)
            if not even:
                yield AllocationCode.MINIMISED_RATIO.at(place)
            if self.chance is not None and not 1 / max(len(self.arms), 1) < self.chance < 1:
                yield AllocationCode.CHANCE_OUT_OF_RANGE.at(place, least=f"{1 / max(len(self.arms), 1):.2g}")
        if self.method == "sequences":
            lengths = {len(one) for one in self.conditions}
            if len(self.conditions) != len(self.arms) or len(lengths) != 1 or 0 in lengths:
                yield AllocationCode.SEQUENCES_UNEVEN.at(place)

    @property
    def algorithm(self) -> str:
        """The name of the draw, which enters every message of it."""
        return ALGORITHMS[self.method]

    @property
    def terms(self) -> dict[str, Any]:
        """What the draw depends on besides arms, ratio, strata and epoch, in plain values; empty for blocks."""
        terms: dict[str, Any] = {} if self.method == "blocked" else {"method": self.method}
        for term in _TERMS[self.method]:
            value = getattr(self, term)
            if value is not None:
                terms[term] = [*map(_plain, value)] if isinstance(value, tuple) else value
        return terms

    def draw(
        self,
        *,
        seed: bytes,
        batch: int,
        clusters: Mapping[str, str | Entry],
        drawn: Iterable[Allocated] = (),
    ) -> tuple[Allocated, ...]:
        """Allocate the clusters of a batch that hold no arm yet; return these alone, in the order drawn.

        `clusters` is the batch's list as frozen: of each cluster its stratum, or an `Entry` where the design uses
        more. `drawn` is everything drawn before, in any order, abandoned batches included. Raises Refused.
        """
        from nudge.allocation.drawing import draw  # the schemes build on this module

        return draw(self, seed=seed, batch=batch, clusters=clusters, drawn=drawn)

    def assignment(
        self, drawn: Iterable[Allocated], lists: Mapping[int, Mapping[str, str | Entry]] | None = None
    ) -> Assignment:
        """What was drawn, ready to be redrawn: see `drawing.assignment_of`."""
        from nudge.allocation.drawing import assignment_of

        return assignment_of(drawn, self, lists or {})

    @property
    def multiples(self) -> tuple[int, ...]:
        """How many times the ratio a permuted block may hold; none in other methods.

        Blocks of 2 would make the next arm certain 44 % of the time.
        """
        if self.method != "blocked":
            return ()
        return (2, 3, 4) if sum(self.ratio) == 2 else (1, 2, 3)


_TERMS: Final[Mapping[str, tuple[str, ...]]] = {
    "blocked": (),
    "pairs": ("pair", "covariates"),
    "rerandomised": ("covariates", "acceptance"),
    "minimised": ("chance", "imbalance"),
    "sequences": ("conditions",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a batch's list says of one cluster: all that the draw depends on besides the seed.

    `pair` names its pair where pairs are given, `covariates` its values in the declared order (None: missing) where
    the draw looks at them; both are empty in other designs.
    """

    stratum: str
    pair: str | None = None
    covariates: tuple[float | None, ...] = ()

    @classmethod
    def of(cls, entry: str | Entry) -> Entry:
        """An entry, from itself or from the stratum alone; text in composed form, numbers as floats."""
        if isinstance(entry, str):
            return cls(stratum=composed(entry))
        return cls(
            stratum=composed(entry.stratum),
            pair=None if entry.pair is None else composed(entry.pair),
            covariates=tuple(None if value is None else float(value) for value in entry.covariates),
        )

    @property
    def finite(self) -> bool:
        """Whether every number that is there is one."""
        return all(value is None or math.isfinite(value) for value in self.covariates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """One cluster's place in the draw. `batch`, `epoch`, `block` and `slot` count from 1; `cluster` is a code.

    A block is what was permuted together: of `nudge-pairs/1` the pair, of `nudge-rerandomised/1` the stratum's part
    of the batch, of `nudge-sequences/1` likewise. Of `nudge-minimised/1` it is the batch, and `slot` the turn in it.
    """

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


def _plain(value: Any) -> Any:
    return [*value] if isinstance(value, tuple) else value
