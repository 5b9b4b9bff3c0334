"""What was drawn, and everything the same design could have drawn instead: the ground of the randomisation test.

Clusters stand in one order throughout, arms as numbers into `arms`. Clusters fall into *groups* inside which the
draw permuted the arms: a block, a stratum, a pair. A group owns a fixed multiset of arms, one a slot; a block that
is still open owns more slots than it has clusters, and a redraw permutes the whole block and keeps the filled slots.

How a redraw spends the words of its stream, group after group in the order of their numbers:
- a group with up to `LISTED` arrangements takes one word w: arrangement w mod n of their lexicographic list, each
  arrangement naming the arms of the group's slots in cluster order, the unfilled slots last (the bias is under
  LISTED / 2**64);
- a larger group takes one word for two slots, the low half for the first; slots sorted by their half, equal halves
  by slot, get the group's arms in arm order (two halves are equal in one of 2**32 pairs);
- independent draws take one word w a cluster: entry w mod G of the G arms drawn, sorted.
Rules of the trial §3 and §6.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Allocated, Design
from nudge.allocation.rules import Rule
from nudge.allocation.streams import WordArray, Words
from nudge.base.errors import Place, Problem, Refused

Scheme: TypeAlias = Literal["blocks", "complete", "simple", "pairs"]
ArmArray: TypeAlias = NDArray[np.int8]
IntArray: TypeAlias = NDArray[np.integer]
KeyArray: TypeAlias = NDArray[np.uint32]
Counts: TypeAlias = tuple[int, ...]

LISTED: Final = 5_040
"""Up to this many arrangements a group's are listed, and one word picks among them."""
NARROW: Final = 600
"""Rows of fewer keys are partitioned whole."""
CELLS: Final = 4_000_000
"""Cells of a chunk of redraws where the caller names no size: some 80 MB at work."""
_LAST: Final = 2**32 - 1
_SCHEME_OF: Final[Mapping[str, Scheme]] = {
    "simple": "simple",
    "complete": "complete",
    "blocked": "complete",
    "clusters": "complete",
    "pairs": "pairs",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Assignment:
    """The arms of G clusters as drawn, with what a redraw holds fixed.

    `arm` int8[G], codes into `arms`. `stratum` int32[G], codes into `strata` (of a live trial design stratum within
    epoch). `group` int32[G], codes 0..K-1; `slots` int64[K, arms], how many slots of each arm a group owns, filled or
    not. `positions` intp[G]: where each cluster stands in the assignment this one was cut from (`between`), else
    0..G-1. `clusters` are the codes or names of the clusters, empty where none were given. A redraw
    obeys `rule` as well, where the draw had one.
    """

    arms: tuple[str, ...]
    arm: ArmArray
    stratum: NDArray[np.int32]
    strata: tuple[str, ...]
    scheme: Scheme
    group: NDArray[np.int32]
    slots: NDArray[np.int64]
    positions: NDArray[np.intp]
    clusters: tuple[str, ...] = ()
    rule: Rule | None = None

    @classmethod
    def of_blocks(
        cls, allocated: Iterable[Allocated], designs: Design | Iterable[Design], *, arms: Sequence[str] | None = None
    ) -> Assignment:
        """The live draw `nudge-blocks/1`, clusters in the order given.

        `designs` has the design of every epoch: a block's whole multiset of arms follows from its ratio. Slots whose
        cluster is left out of `allocated` (an abandoned batch) count as unfilled. `arms` fixes the order of the
        codes; by default that of the designs, the newest first. Raises Refused where rows and designs disagree.
        """
        rows = tuple(allocated)
        by_epoch = {one.epoch: one for one in ((designs,) if isinstance(designs, Design) else designs)}
        newest_first = (arm for epoch in sorted(by_epoch, reverse=True) for arm in by_epoch[epoch].arms)
        names = tuple(arms) if arms is not None else tuple(dict.fromkeys(newest_first))
        Refused.when(_problems_of_blocks(rows, by_epoch, names))
        code = {arm: number for number, arm in enumerate(names)}
        strata = sorted({(row.epoch, row.stratum) for row in rows})
        blocks = sorted({(row.epoch, row.stratum, row.block, row.block_size) for row in rows})
        slots = np.zeros((len(blocks), len(names)), dtype=np.int64)
        for number, (epoch, _, _, size) in enumerate(blocks):
            design = by_epoch[epoch]
            for arm, share in zip(design.arms, design.ratio, strict=True):
                slots[number, code[arm]] = share * size // sum(design.ratio)
        stratum_code = {key: number for number, key in enumerate(strata)}
        block_code = {key[:3]: number for number, key in enumerate(blocks)}
        several = len({epoch for epoch, _ in strata}) > 1
        return cls(
            arms=names,
            arm=np.array([code[row.arm] for row in rows], dtype=np.int8),
            stratum=np.array([stratum_code[row.epoch, row.stratum] for row in rows], dtype=np.int32),
            strata=tuple(f"{stratum}\tepoch {epoch}" if several else stratum for epoch, stratum in strata),
            scheme="blocks",
            group=np.array([block_code[row.epoch, row.stratum, row.block] for row in rows], dtype=np.int32),
            slots=slots,
            positions=np.arange(len(rows), dtype=np.intp),
            clusters=tuple(row.cluster for row in rows),
        )

    @classmethod
    def of_recorded(
        cls,
        arm: IntArray,
        stratum: IntArray | None,
        drawn: str,
        arms: Sequence[str],
        *,
        strata: Sequence[str] = (),
        clusters: Sequence[str] = (),
    ) -> Assignment:
        """A draw that somebody else made, one entry a cluster.

        `arm` holds codes into `arms`; `stratum` any codes 0..S-1, for `pairs` the pair. `drawn` is the word of the
        plan: complete, blocked and clusters keep arm counts per stratum; pairs swap within the pair; simple redraws
        each cluster by itself at the observed shares. Raises Refused where strata or pairs do not fit.
        """
        codes = np.asarray(arm, dtype=np.int8)
        layer = np.zeros(len(codes), dtype=np.int32) if stratum is None else np.asarray(stratum, dtype=np.int32)
        if len(layer) != len(codes):
            raise Refused(AllocationCode.STRATA_LENGTH.at(Place("assignment"), arms=len(codes), count=len(layer)))
        scheme = _SCHEME_OF[drawn]
        group = np.zeros(len(codes), dtype=np.int32) if scheme == "simple" else layer
        slots = np.zeros((int(group.max(initial=-1)) + 1, len(arms)), dtype=np.int64)
        np.add.at(slots, (group, codes), 1)
        if scheme == "pairs":
            odd = int((((slots > 1).any(axis=1)) | (slots.sum(axis=1) != 2)).sum())
            if odd:
                raise Refused(AllocationCode.PAIR_WITHOUT_BOTH_ARMS.at(Place("assignment"), count=odd))
        count = int(layer.max(initial=-1)) + 1
        return cls(
            arms=tuple(arms),
            arm=codes,
            stratum=layer,
            strata=tuple(strata) or (("all",) if stratum is None else tuple(map(str, range(count)))),
            scheme=scheme,
            group=group,
            slots=slots,
            positions=np.arange(len(codes), dtype=np.intp),
            clusters=tuple(clusters),
        )

    def __len__(self) -> int:
        return len(self.arm)

    def between(self, arm: str, reference: str) -> Assignment:
        """The clusters of two arms alone: their labels are redrawn, every other arm is held where it fell.

        The reference has code 0 and the arm code 1. Of an open block, the unfilled slots of the two arms take part.
        """
        pair = [self.arms.index(reference), self.arms.index(arm)]
        if pair[0] == pair[1]:
            msg = "an arm is compared with another arm"
            raise ValueError(msg)
        kept = np.flatnonzero(np.isin(self.arm, pair))
        numbers, group = np.unique(self.group[kept], return_inverse=True)
        return replace(
            self,
            arms=(reference, arm),
            arm=(self.arm[kept] == pair[1]).astype(np.int8),
            stratum=self.stratum[kept],
            group=group.astype(np.int32),
            slots=self.slots[numbers][:, pair],
            positions=self.positions[kept],
            clusters=tuple(self.clusters[place] for place in kept) if self.clusters else (),
            rule=None if self.rule is None else self.rule.between(self, kept, pair),
        )

    def only(self, members: NDArray[np.intp]) -> Assignment:
        """These clusters alone, of whole groups, without the rule."""
        numbers, group = np.unique(self.group[members], return_inverse=True)
        return replace(
            self,
            arm=self.arm[members],
            stratum=self.stratum[members],
            group=group.astype(np.int32),
            slots=self.slots[numbers],
            positions=np.arange(len(members), dtype=np.intp),
            rule=None,
        )

    @cached_property
    def _free(self) -> Assignment:
        return replace(self, rule=None)

    @cached_property
    def _ruled(self) -> ArmArray | None:  # every allocation that the rule admits, where they can be listed
        return None if self.rule is None else self.rule.listed(self._free)

    def probabilities(self) -> NDArray[np.float64]:
        """float64[G, arms]: each cluster's chance of each arm under the redraw."""
        if self.rule is not None:
            return self.rule.probabilities(self._free)
        shares = self.slots / np.maximum(self.slots.sum(axis=1, keepdims=True), 1)
        return np.asarray(shares[self.group], dtype=np.float64)

    def allocations(self) -> int | float:
        """How many equally likely redraws there are, counting the unfilled slots of open blocks.

        Infinite where they are not equally likely (independent draws at unequal shares, a minimised draw), or too
        many for a rule to be held to each: such a design is not listed.
        """
        if self.rule is not None:
            return math.inf if self._ruled is None else len(self._ruled)
        if self.scheme == "simple":
            counts = {int(count) for count in self.slots[0]} if len(self.slots) else {0}
            return len(self.arms) ** len(self.arm) if len(counts) == 1 else math.inf
        return math.prod(arrangements(tuple(row)) for row in self.slots.tolist())

    def enumerate(self) -> ArmArray:
        """int8[K, G]: every equally likely redraw, the K of `allocations`. A row may come twice from an open block.

        Raises ValueError where they cannot be listed.
        """
        count = self.allocations()
        if not isinstance(count, int):
            msg = "unequally likely allocations are not listed"
            raise ValueError(msg)
        if self._ruled is not None:
            return self._ruled
        if self.scheme == "simple":
            every = np.array(list(product(range(len(self.arms)), repeat=len(self.arm))), dtype=np.int8)
            return every.reshape(count, len(self.arm))
        found = np.empty((count, len(self.arm)), dtype=np.int8)
        before = 1
        for part in self.parts:
            listed = listing(part.counts)
            for members in part.members:
                turns = np.arange(count) // before % len(listed)
                found[:, members] = listed[turns, : len(members)]
                before *= len(listed)
        return found

    def redraw(self, n: int, key: bytes, chunk: int | None = None) -> Iterator[ArmArray]:
        """`n` redraws as int8[up to chunk, G], the same ones whatever the chunk. `key`: 16 bytes (`redraw_key`)."""
        if self.rule is not None:
            yield from self.rule.redraw(self._free, n, key, chunk)
            return
        size = chunk if chunk is not None else max(1, CELLS // max(1, self._words_a_redraw, len(self.arm)))
        words = Words(key)
        for start in range(0, n, size):
            rows = min(size, n - start)
            yield self._redrawn(words.take(rows * self._words_a_redraw).reshape(rows, self._words_a_redraw))

    def attainable_p(self) -> float:
        """The smallest two-sided p that the randomisation test of two arms can give, over all that could be drawn.

        An allocation and its mirror are as extreme as each other; the mirror counts where the design can draw it.
        For independent draws, over allocations with the observed counts. Use `between` first where arms are many.
        """
        if len(self.arms) != 2:
            msg = "the randomisation test compares two arms: use between(arm, reference)"
            raise ValueError(msg)
        if len(self.arm) == 0:
            return 1.0
        if self.rule is not None:
            return self.rule.attainable_p(self._free)
        if self.scheme == "simple":
            zero, one = (int(count) for count in self.slots[0])
            here = (zero / (zero + one)) ** zero * (one / (zero + one)) ** one
            mirror = (zero / (zero + one)) ** one * (one / (zero + one)) ** zero
            return min(1.0, here + mirror)
        smallest, mirrored = 1.0, 1.0
        for part in self.parts:
            rarest, both = _rarest(part.counts, part.members.shape[1])
            smallest *= rarest ** len(part.members)
            mirrored *= both ** len(part.members)
        return min(1.0, smallest + mirrored)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Groups of the same slots and as many clusters, side by side, so that each is redrawn in one go."""
        order = np.argsort(self.group, kind="stable")
        sizes = np.bincount(self.group, minlength=len(self.slots))
        ends = np.cumsum(sizes)
        kinds: dict[tuple[Counts, int], list[int]] = {}
        next_word, first_word = 0, {}
        for number, (counts, size) in enumerate(zip(self.slots.tolist(), sizes.tolist(), strict=True)):
            if size:
                kinds.setdefault((tuple(counts), size), []).append(number)
                first_word[number] = next_word
                next_word += _words_for(counts)
        return tuple(
            Part(
                counts=counts,
                members=np.stack([order[ends[number] - size : ends[number]] for number in numbers]),
                words=np.array([first_word[number] for number in numbers], dtype=np.intp),
            )
            for (counts, size), numbers in kinds.items()
        )

    @cached_property
    def listed(self) -> bool:
        """Whether a redraw takes one word a group and nothing else: an arrangement of each group's list."""
        return self.rule is None and self.scheme != "simple" and all(part.listed is not None for part in self.parts)

    @cached_property
    def _words_a_redraw(self) -> int:
        if self.scheme == "simple":
            return len(self.arm)
        return sum(part.spends * len(part.members) for part in self.parts)

    @cached_property
    def _columns(self) -> NDArray[np.intp]:
        """Where each cluster's arm stands in the slots that `_redrawn` lays side by side, part after part."""
        found = np.empty(len(self.arm), dtype=np.intp)
        before = 0
        for part in self.parts:
            groups, size = part.members.shape
            starts = before + part.width * np.arange(groups)[:, None]
            found[part.members] = starts + np.arange(size)
            before += part.width * groups
        return found

    def _redrawn(self, words: WordArray) -> ArmArray:
        rows = len(words)
        if self.scheme == "simple" or not len(self.arm):
            labels = np.repeat(np.arange(len(self.arms), dtype=np.int8), self.slots.sum(axis=0))
            return labels[remainders(words, max(1, len(labels)))]
        slots = np.empty((rows, sum(part.width * len(part.members) for part in self.parts)), dtype=np.int8)
        before = 0
        for part in self.parts:
            after = before + part.width * len(part.members)
            if part.listed is not None:
                picked = remainders(words[:, part.words], len(part.listed))
                slots[:, before:after] = part.listed.take(picked, axis=0).view(np.int8).reshape(rows, -1)
            else:
                for number, first in enumerate(part.words):
                    place = before + number * part.width
                    keys = _halves(words[:, first : first + part.spends])[:, : part.width]
                    slots[:, place : place + part.width] = dealt(keys, part.counts)
            before = after
        return slots.take(self._columns, axis=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """Groups alike: `counts` slots of each arm, `members` intp[groups, size], `words` intp[groups], each first one."""

    counts: Counts
    members: NDArray[np.intp]
    words: NDArray[np.intp]

    @cached_property
    def spends(self) -> int:
        """Words that a group takes."""
        return _words_for(self.counts)

    @cached_property
    def listed(self) -> NDArray[np.uint64] | None:
        """The arrangements, eight arms to a machine word (quicker to copy), or None where there are too many."""
        if arrangements(self.counts) > LISTED:
            return None
        listed = listing(self.counts)
        return np.pad(listed, ((0, 0), (0, -listed.shape[1] % 8))).view(np.uint64)

    @cached_property
    def width(self) -> int:
        """Columns that a group takes in the slots laid side by side."""
        return sum(self.counts) if self.listed is None else 8 * self.listed.shape[1]


def arrangements(counts: Sequence[int]) -> int:
    """How many ways the slots of a group can hold its arms: the multinomial coefficient."""
    left, ways = sum(counts), 1
    for count in counts:
        ways *= math.comb(left, count)
        left -= count
    return ways


def listing(counts: Counts) -> ArmArray:
    """int8[arrangements, slots]: all of them, in lexicographic order."""
    rows: list[Counts] = [()]
    for _ in range(sum(counts)):
        rows = [(*row, arm) for row in rows for arm, count in enumerate(counts) if row.count(arm) < count]
    return np.array(rows, dtype=np.int8).reshape(len(rows), sum(counts))


def remainders(words: WordArray, divisor: int) -> NDArray[np.int64]:
    """words mod divisor. By way of the quotient, which NumPy finds with vector instructions, unlike the remainder."""
    whole = np.uint64(divisor)
    return (words - (words // whole) * whole).view(np.int64)


def dealt(keys: KeyArray, counts: Counts) -> ArmArray:
    """int8[rows, slots]: in each row the slots with the smallest keys get arm 0, the next arm 1, and so on.

    Equal keys go by slot. Only the keys at the borders between arms are sought, which is quicker than sorting; the
    few rows for which that does not settle the border are sorted in full.
    """
    arms = np.flatnonzero(counts)
    found = np.full(keys.shape, arms[0], dtype=np.int8)
    unsettled = np.zeros(len(keys), dtype=bool)
    border = 0
    for before, arm in pairwise(arms):
        border += counts[before]
        over = keys >= _border_keys(keys, border)[:, None]
        found += over.view(np.int8) * np.int8(arm - before)
        unsettled |= np.add.reduce(over.view(np.uint8), axis=1, dtype=np.int64) != keys.shape[1] - border
    if unsettled.any():
        order = np.argsort(keys[unsettled], axis=1, kind="stable")
        labels = np.repeat(np.arange(len(counts), dtype=np.int8), counts)
        again = np.empty(order.shape, dtype=np.int8)
        np.put_along_axis(again, order, np.broadcast_to(labels, order.shape), axis=1)
        found[unsettled] = again
    return found


def _border_keys(keys: KeyArray, border: int) -> KeyArray:
    """In each row the key that has `border` smaller ones beside it, or, seldom, another one.

    Uniform keys put it within four standard deviations of its expected place, so in wide rows only the keys of that
    window are sorted.
    """
    rows, slots = keys.shape
    if slots < NARROW:
        return np.asarray(np.partition(keys, border, axis=1)[:, border])
    share = border / slots
    reach = 4 * math.sqrt(share * (1 - share) / slots) + 2 / slots
    low, high = (np.uint32(min(max(edge, 0.0) * 2**32, _LAST)) for edge in (share - reach, share + reach))
    inside = (keys - low) < (high - low)  # unsigned: keys below `low` wrap to the top
    below = np.add.reduce((keys < low).view(np.uint8), axis=1, dtype=np.int64)
    counts = np.add.reduce(inside.view(np.uint8), axis=1, dtype=np.int64)
    width = int(counts.max()) + 1
    window = np.full((rows, width), np.uint32(_LAST))
    places = np.flatnonzero(inside)
    offsets = np.arange(rows) * width - (np.cumsum(counts) - counts)
    window.ravel()[np.arange(places.size) + np.repeat(offsets, counts)] = keys.reshape(-1)[places]
    window.sort(axis=1)
    return np.asarray(window[np.arange(rows), np.clip(border - below, 0, width - 1)])


def _words_for(counts: Sequence[int]) -> int:
    return 1 if arrangements(counts) <= LISTED else (sum(counts) + 1) // 2


def _halves(words: WordArray) -> KeyArray:
    """uint32[rows, 2 × words]: each word's low half, then its high half, on machines of either byte order."""
    return np.ascontiguousarray(words, dtype="<u8").view("<u4")


def _rarest(counts: Counts, filled: int) -> tuple[float, float]:
    """Of a group's filled slots, the chance of their rarest arms, and of that pattern's mirror."""
    every = arrangements(counts)
    zero, one = counts
    best = (math.inf, 0.0)
    for ones in range(max(0, filled - zero), min(one, filled) + 1):
        here = arrangements((zero - filled + ones, one - ones)) / every
        fits = filled - ones <= one and ones <= zero
        mirror = arrangements((zero - ones, one - filled + ones)) / every if fits else 0.0
        best = min(best, (here, mirror))
    return best


def _problems_of_blocks(
    rows: Sequence[Allocated], designs: Mapping[int, Design], names: Sequence[str]
) -> Iterator[Problem]:
    place = Place("allocation")
    for epoch in sorted({row.epoch for row in rows} - designs.keys()):
        yield AllocationCode.DESIGN_MISSING.at(place, epoch=epoch)
    for epoch, design in sorted(designs.items()):
        here = [row for row in rows if row.epoch == epoch]
        if strange := sum(row.arm not in design.arms or row.arm not in names for row in here):
            yield AllocationCode.ARM_UNKNOWN.at(place, count=strange)
            continue
        seats: dict[tuple[str, int], dict[int, Allocated]] = {}
        clashes = 0
        for row in here:
            seat = seats.setdefault((row.stratum, row.block), {})
            clashes += row.slot in seat or not 1 <= row.slot <= row.block_size
            seat[row.slot] = row
        wrong = sum(not _fits(tuple(seat.values()), design) for seat in seats.values())
        if wrong or clashes:
            yield AllocationCode.ROWS_DO_NOT_FIT_DESIGN.at(place, epoch=epoch, count=wrong + clashes)


def _fits(block: Sequence[Allocated], design: Design) -> bool:
    """Whether these rows can be slots of one block of the design."""
    size, total = block[0].block_size, sum(design.ratio)
    if any(row.block_size != size for row in block) or size not in {total * times for times in design.multiples}:
        return False
    held = [row.arm for row in block]
    return all(held.count(arm) <= share * size // total for arm, share in zip(design.arms, design.ratio, strict=True))
