"""The draw `nudge-minimised/1`: one cluster after the other, with a chance, to the arm that balances the factors.

For each arm, what would the imbalance be if the next cluster went to it? Over the factors, the range (or the
variance) of the arms' counts among the clusters with the newcomer's level is added up; the arms with the least are
drawn with `chance` between them, the others share the rest; where all are equal each has the same chance.
Source: Pocock and Simon (1975), Biometrics 31, 103-115. Counts go on from batch to batch of an epoch.

With two arms at equal chances the arms' names could be swapped throughout, so each cluster's chance is one half.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Allocated, Design, Entry
from nudge.allocation.distances import FloatArray
from nudge.allocation.keying import FRACTION_BITS, Keyed
from nudge.allocation.streams import Words
from nudge.base.errors import Place, Refused

if TYPE_CHECKING:
    from nudge.allocation.assignment import ArmArray, Assignment

_CELLS: Final = 2_000_000


def draw_minimised(
    design: Design, *, keyed: Keyed, batch: int, new: Mapping[str, Entry], before: Iterable[Allocated]
) -> tuple[Allocated, ...]:
    """Allocate the new clusters in the order that the key gives; a factor's levels are the parts of the stratum.

    Raises Refused where the rows of this epoch do not follow from the key: each is worked out again.
    """
    held = sorted((row for row in before if row.epoch == design.epoch), key=lambda row: (row.batch, row.slot))
    order = sorted(new, key=lambda cluster: keyed("order", batch, cluster))
    queue = [(row.cluster, row.batch, row.stratum) for row in held]
    queue += [(cluster, batch, new[cluster].stratum) for cluster in order]
    levels = _coded([stratum.split("\t") for _, _, stratum in queue])
    words = np.array([[keyed.fraction("coin", design.epoch, number, cluster)] for cluster, number, _ in queue])
    arms = [design.arms[code] for code in _given(design, levels, words.reshape(len(queue), 1))[0]]
    wrong = sum(row.arm != arm for row, arm in zip(held, arms, strict=False))
    if wrong:
        place = Place("allocation")
        raise Refused(AllocationCode.SEED_DOES_NOT_FIT.at(place, epoch=design.epoch, count=wrong, total=len(held)))
    return tuple(
        Allocated(
            cluster=cluster,
            batch=batch,
            stratum=stratum,
            epoch=design.epoch,
            block=batch,
            slot=slot,
            block_size=len(order),
            arm=arm,
        )
        for slot, ((cluster, _, stratum), arm) in enumerate(
            zip(queue[len(held) :], arms[len(held) :], strict=True), start=1
        )
    )


def _coded(levels: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """int64[n, factors]: each factor's levels as numbers, no number in two factors."""
    names: dict[tuple[int, str], int] = {}
    rows = [[names.setdefault((factor, level), len(names)) for factor, level in enumerate(row)] for row in levels]
    return np.array(rows, dtype=np.int64).reshape(len(rows), -1)


def _given(design: Design, levels: NDArray[np.int64], fractions: FloatArray) -> ArmArray:
    """int8[draws, n]: the procedure, many draws side by side; fractions float64[n, draws] in [0, 1)."""
    arms, (n, draws) = len(design.arms), fractions.shape
    counts = np.zeros((int(levels.max(initial=-1)) + 1, arms, draws), dtype=np.int64)
    found = np.empty((n, draws), dtype=np.int8)
    chance = design.chance or 0.0
    for turn in range(n):
        here = counts[levels[turn]]  # factors, arms, draws
        scores = np.stack([_imbalance(here, arm, design.imbalance) for arm in range(arms)])
        best = scores == scores.min(axis=0)
        tied = best.sum(axis=0)
        share = np.where(best, chance / tied, (1 - chance) / np.maximum(arms - tied, 1))
        share = np.where(tied == arms, 1 / arms, share)
        upper = np.cumsum(share, axis=0)[:-1]
        found[turn] = (fractions[turn] >= upper).sum(axis=0)
        np.add.at(counts, (levels[turn][:, None], found[turn][None, :], np.arange(draws)[None, :]), 1)
    return np.ascontiguousarray(found.T)


def _imbalance(counts: NDArray[np.int64], arm: int, measure: str | None) -> NDArray[np.int64]:
    """Added up over factors were the next cluster in this arm; whole numbers (the variance times arms squared)."""
    then = counts.copy()
    then[:, arm] += 1
    if measure == "variance":
        arms = then.shape[1]
        return np.asarray(((arms * then - then.sum(axis=1, keepdims=True)) ** 2).sum(axis=(0, 1)))
    return np.asarray((then.max(axis=1) - then.min(axis=1)).sum(axis=0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """One epoch of a minimised draw: its clusters in the order of their turns, with their levels."""

    design: Design
    members: NDArray[np.intp]
    levels: NDArray[np.int64]
    codes: NDArray[np.int8]  # the assignment's code of each of the design's arms


@dataclass(frozen=True, eq=False, kw_only=True)
class Minimising:
    """The rule of a minimised draw: the procedure run again over the order as it was, with other chances."""

    runs: tuple[Run, ...]

    @classmethod
    def of(cls, rows: Sequence[Allocated], designs: Mapping[int, Design], names: Sequence[str]) -> Minimising:
        """The rule of these rows, all of every epoch's; `names` gives the codes."""
        runs = []
        for epoch, design in sorted(designs.items()):
            places = sorted(
                (place for place, row in enumerate(rows) if row.epoch == epoch),
                key=lambda place: (rows[place].batch, rows[place].slot),
            )
            runs.append(
                Run(
                    design=design,
                    members=np.array(places, dtype=np.intp),
                    levels=_coded([rows[place].stratum.split("\t") for place in places]),
                    codes=np.array([names.index(arm) for arm in design.arms], dtype=np.int8),
                )
            )
        return cls(runs=tuple(run for run in runs if run.members.size))

    def between(self, whole: Assignment, kept: NDArray[np.intp], pair: Sequence[int]) -> Minimising:
        """The same procedure with the two arms' codes. Refused with a third arm, which could not be held."""
        if len(kept) != len(whole):
            raise Refused(AllocationCode.MINIMISED_ARMS.at(Place("assignment")))
        new = {code: number for number, code in enumerate(pair)}
        return Minimising(
            runs=tuple(
                replace(run, codes=np.array([new[int(code)] for code in run.codes], dtype=np.int8)) for run in self.runs
            )
        )

    def probabilities(self, free: Assignment) -> FloatArray:
        """Equal for the arms of a cluster's epoch: their names could be swapped."""
        found = np.zeros((len(free), len(free.arms)))
        for run in self.runs:
            found[np.ix_(run.members, run.codes)] = 1 / len(run.codes)
        return found

    def listed(self, free: Assignment) -> None:
        """None: what a minimised draw can give is not equally likely."""
        del free

    def redraw(self, free: Assignment, n: int, key: bytes, chunk: int | None) -> Iterator[ArmArray]:
        """`n` redraws: one word a turn, its upper 52 bits the fraction, epochs one after the other."""
        size = chunk or max(1, _CELLS // max(1, len(free)))
        words = Words(key)
        for start in range(0, n, size):
            rows = min(size, n - start)
            taken = words.take(rows * len(free)).reshape(rows, len(free)) >> np.uint64(64 - FRACTION_BITS)
            fractions = taken.astype(np.float64).T / 2.0**FRACTION_BITS
            found = np.empty((rows, len(free)), dtype=np.int8)
            before = 0
            for run in self.runs:
                after = before + run.members.size
                found[:, run.members] = run.codes[_given(run.design, run.levels, fractions[before:after])]
                before = after
            yield found

    def attainable_p(self, free: Assignment) -> float:
        """An upper bound of the smallest two-sided p: the arms in turn that are least likely, and their mirror."""
        smallest = 1.0
        for run in self.runs:
            smallest *= _unlikely(run.design, run.levels)
        return min(1.0, 2 * smallest) if len(free) else 1.0


def _unlikely(design: Design, levels: NDArray[np.int64]) -> float:
    """The chance of the draw that takes an arm least likely at each turn."""
    arms = len(design.arms)
    counts = np.zeros((int(levels.max(initial=-1)) + 1, arms, 1), dtype=np.int64)
    chance: Any = design.chance or 0.0
    found = 1.0
    for row in levels:
        scores = np.array([int(_imbalance(counts[row], arm, design.imbalance)[0]) for arm in range(arms)])
        tied = int((scores == scores.min()).sum())
        arm = int(scores.argmax())
        found *= 1 / arms if tied == arms else (1 - chance) / (arms - tied)
        counts[row, arm] += 1
    return found
