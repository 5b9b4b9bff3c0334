"""The draw `nudge-rerandomised/1`: a batch is drawn again until its arms are alike in the declared covariates.

The imbalance of a batch is M = sum over arms of n_a |z_a|², z_a the arm's mean of the whitened covariates
(`distances`); with two arms it is the Mahalanobis distance of Morgan and Rubin (2012), Annals of Statistics 40,
1263-1282, equation 1. A try is accepted where M, to nine decimals, is at most the batch's limit. The limit is the
tenth smallest M of ceil(10 / acceptance) tries dealt under the list's own hash, which everybody who has the list can
repeat; small batches and odd covariates, for which the paper's chi-square fails, so keep the share accepted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from nudge.allocation.design import Allocated, Design, Entry
from nudge.allocation.distances import DECIMALS, FloatArray, whitened
from nudge.allocation.keying import Keyed
from nudge.allocation.listing import list_hash
from nudge.allocation.tries import dealt_arms, ordered, rows_of

if TYPE_CHECKING:
    from nudge.allocation.assignment import ArmArray, Assignment

TENTH: Final = 10
MOST_LISTED: Final = 100_000
"""Allocations without the criterion, up to which those that meet it are listed."""
ESTIMATED_FROM: Final = 20_000
"""Redraws from which chances are worked out where neither a list nor symmetry gives them."""
_CELLS: Final = 2_000_000


def imbalance(places: FloatArray, arms: ArmArray, count: int) -> FloatArray:
    """M of each row of arms: int8[rows, n] codes below `count` (others have no part), places float64[n, rank]."""
    found = np.zeros(len(arms))
    for arm in range(count):
        held = (arms == arm).astype(np.float64)
        n = held.sum(axis=1)
        total = held @ places
        found += (total**2).sum(axis=1) / np.maximum(n, 1)
    return np.asarray(np.round(found, DECIMALS))


def limit_of(design: Design, batch: int, new: Mapping[str, Entry]) -> float:
    """The largest imbalance accepted in this batch; needs no seed."""
    reference = Keyed(bytes.fromhex(list_hash(new)), design.algorithm, design.trial)
    strata = ordered(reference, batch, new)
    places = whitened([new[cluster].covariates for cluster in sorted(new)])
    many = math.ceil(TENTH / _acceptance(design))
    tries = np.array([_codes(design, reference, batch, strata, number) for number in range(1, many + 1)])
    return float(np.sort(imbalance(places, tries, len(design.arms)))[TENTH - 1])


def draw_rerandomised(design: Design, *, keyed: Keyed, batch: int, new: Mapping[str, Entry]) -> tuple[Allocated, ...]:
    """The first try that meets the batch's limit; rows in the order of stratum and slot."""
    if not new:
        return ()
    limit = limit_of(design, batch, new)
    strata = ordered(keyed, batch, new)
    places = whitened([new[cluster].covariates for cluster in sorted(new)])
    number = 1
    while imbalance(places, _codes(design, keyed, batch, strata, number)[None, :], len(design.arms))[0] > limit:
        number += 1  # ends: the limit is the imbalance of a try
    arms = {stratum: dealt_arms(design, keyed, batch, stratum, number, len(held)) for stratum, held in strata.items()}
    return rows_of(design, batch, strata, arms)


def _acceptance(design: Design) -> float:
    return 1.0 if design.acceptance is None else design.acceptance


def _codes(
    design: Design, keyed: Keyed, batch: int, strata: Mapping[str, tuple[str, ...]], number: int
) -> NDArray[np.int8]:
    """The arms of a try as codes, clusters in the order of their codes."""
    dealt = {
        cluster: design.arms.index(arm)
        for stratum, clusters in strata.items()
        for cluster, arm in zip(clusters, dealt_arms(design, keyed, batch, stratum, number, len(clusters)), strict=True)
    }
    return np.array([dealt[cluster] for cluster in sorted(dealt)], dtype=np.int8)


@dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """One batch of a rule: `members` intp[n], its clusters; `places` float64[n, rank]; `limit` on their M.

    A comparison holds the other arms: `limit` is then what they leave of it.
    """

    members: NDArray[np.intp]
    places: FloatArray
    limit: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Balanced:
    """The rule that a redraw obeys: each batch by itself drawn again until it meets its limit."""

    batches: tuple[Batch, ...]
    even: bool  # every arm has the same share, so that the arms' names could be swapped

    def between(self, whole: Assignment, kept: NDArray[np.intp], pair: Sequence[int]) -> Balanced:
        """The rule for the clusters `kept`, of the arms `pair`; what the other arms add to M is held."""
        place = np.full(len(whole), -1, dtype=np.intp)
        place[kept] = np.arange(len(kept))
        found = []
        for batch in self.batches:
            arms = whole.arm[batch.members][None, :]
            held = sum(
                (float(imbalance(batch.places, np.where(arms == code, 0, 1).astype(np.int8), 1)[0]))
                for code in range(len(whole.arms))
                if code not in pair
            )
            here = place[batch.members] >= 0
            found.append(
                Batch(
                    members=place[batch.members[here]],
                    places=batch.places[here],
                    limit=round(batch.limit - held + 10.0**-DECIMALS * (held > 0), DECIMALS),
                )
            )
        return replace(self, batches=tuple(batch for batch in found if batch.members.size))

    def probabilities(self, free: Assignment) -> FloatArray:
        """Each cluster's chance of each arm; where arms cannot be swapped, from the list or from many redraws."""
        if self.even:
            return free.probabilities()
        every = self.listed(free)
        rows = every if every is not None else np.concatenate([*self.redraw(free, ESTIMATED_FROM, bytes(16), None)])
        return np.stack([(rows == code).mean(axis=0) for code in range(len(free.arms))], axis=1)

    def listed(self, free: Assignment) -> ArmArray | None:
        """Every allocation that meets the limits, of equal chance; None where there are too many to look through."""
        count = free.allocations()
        if not count <= MOST_LISTED:
            return None
        every = free.enumerate()
        return np.asarray(every[self.holds(every, len(free.arms))])

    def holds(self, arms: ArmArray, count: int) -> NDArray[np.bool_]:
        """Which rows meet the limit in every batch."""
        met = np.ones(len(arms), dtype=np.bool_)
        for batch in self.batches:
            met &= imbalance(batch.places, arms[:, batch.members], count) <= batch.limit
        return met

    def redraw(self, free: Assignment, n: int, key: bytes, chunk: int | None) -> Iterator[ArmArray]:
        """`n` redraws; each batch has a stream of its own, keyed by `key` and its number, so the chunk is no matter."""
        size = chunk or max(1, _CELLS // max(1, len(free)))
        streams = [
            self._accepted(free.only(batch.members), batch, sha256(key + b"\n%d" % number).digest()[:16])
            for number, batch in enumerate(self.batches)
        ]
        for start in range(0, n, size):
            rows = min(size, n - start)
            found = np.empty((rows, len(free)), dtype=np.int8)
            for batch, stream in zip(self.batches, streams, strict=True):
                for row in range(rows):
                    found[row, batch.members] = next(stream)
            yield found

    def _accepted(self, free: Assignment, batch: Batch, key: bytes) -> Iterator[NDArray[np.int8]]:
        """Redraws of one batch that meet its limit, without end."""
        size = max(1, min(4_096, _CELLS // max(1, len(free))))
        inner = replace(self, batches=(replace(batch, members=np.arange(len(free))),))
        for arms in free.redraw(2**62, key, chunk=size):
            yield from arms[inner.holds(arms, len(free.arms))]

    def attainable_p(self, free: Assignment) -> float:
        """The smallest two-sided p: exact where allocations are listed, else as if nothing were turned away."""
        every = self.listed(free)
        if every is None:
            return free.attainable_p()
        rows, counts = np.unique(every, axis=0, return_counts=True)
        held = {row.tobytes(): int(count) for row, count in zip(rows, counts, strict=True)}
        smallest: float = min(
            (count + held.get((1 - row).astype(np.int8).tobytes(), 0)) / len(every)
            for row, count in zip(rows, counts.tolist(), strict=True)
        )
        return smallest
