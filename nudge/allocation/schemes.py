"""The draw `nudge-blocks/1`: a function of the seed, the design and each batch's set of (cluster, stratum) (I2).

Ordered by HMAC-SHA-256 throughout, never by a library's random stream. Rules of the trial §3.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Allocated, Design, usable
from nudge.allocation.keying import Keyed, composed
from nudge.base.errors import Place, Problem, Refused

ALGORITHM: Final = "nudge-blocks/1"
EVERYONE: Final = "all"
"""The stratum where none is declared."""
NO_VALUE: Final = "(none)"
"""A stratum value that is missing."""


def stratum_of(values: Sequence[str | None]) -> str:
    """The stratum of a unit from its values in declared order; white space in a value counts as one space."""
    return "\t".join(" ".join(composed(value or "").split()) or NO_VALUE for value in values) or EVERYONE


def block_arms(design: Design, seed: bytes, stratum: str, block: int) -> tuple[str, ...]:
    """The arms of one block of the design's epoch, slot by slot; blocks of a stratum count from 1."""
    return _blocks_of(design, seed, stratum)(block)


def _blocks_of(design: Design, seed: bytes, stratum: str) -> Callable[[int], tuple[str, ...]]:
    """The arms of any block of a stratum, by its number."""
    keyed = Keyed(seed, ALGORITHM, design.trial)
    sized = keyed.after("size", design.epoch, stratum)
    seated = keyed.after("slot", design.epoch, stratum)
    slots = [
        [
            (f"{composed(arm)}\n{number}", arm)
            for arm, share in zip(design.arms, design.ratio, strict=True)
            for number in range(1, share * multiple + 1)
        ]
        for multiple in design.multiples
    ]

    def arms(block: int) -> tuple[str, ...]:
        size = int.from_bytes(sized(str(block))[:4], "big") % len(slots)  # 4 bytes are 8 hex digits
        return tuple(arm for _, arm in sorted([(seated(f"{block}\n{slot}"), arm) for slot, arm in slots[size]]))

    return arms


class _Blocks(dict[str, Callable[[int], tuple[str, ...]]]):
    """By stratum, the arms of its blocks: each stratum's hashes are begun once a draw."""

    def __init__(self, design: Design, seed: bytes) -> None:
        super().__init__()
        self._design, self._seed = design, seed

    def __missing__(self, stratum: str) -> Callable[[int], tuple[str, ...]]:
        self[stratum] = _blocks_of(self._design, self._seed, stratum)
        return self[stratum]


def draw(
    design: Design, *, seed: bytes, batch: int, clusters: Mapping[str, str], drawn: Iterable[Allocated]
) -> tuple[Allocated, ...]:
    """Allocate the clusters of a batch that hold no arm yet; return these alone, in the order drawn.

    `clusters` gives each cluster's stratum; `drawn` is everything drawn before, in any order, abandoned batches
    included. A cluster already drawn keeps its arm and takes no new slot (I3). Raises Refused where the rows drawn
    before do not follow from the seed and the design, or the batch is out of order.
    """
    before = tuple(drawn)
    held = {composed(row.cluster) for row in before}
    strata: dict[str, str] = {}
    torn = set()  # one cluster under two spellings, in two strata
    for cluster, stratum in clusters.items():
        name, its = composed(cluster), composed(stratum)
        if strata.setdefault(name, its) != its:
            torn.add(name)
    new = {cluster: stratum for cluster, stratum in strata.items() if cluster not in held}
    blocks, rows_of = _Blocks(design, seed), _by_block(design, before)
    last = _last_blocks(rows_of)
    Refused.when(
        (
            *_problems_of_batch(design, batch, len(torn), before, new),
            *_problems_of_rows(design, blocks, before, rows_of, last),
        )
    )
    state = {
        stratum: (block, max(row.slot for row in rows_of[stratum, block]), blocks[stratum](block))
        for stratum, block in last.items()
    }
    nothing: tuple[int, int, tuple[str, ...]] = (0, 0, ())
    rows = []
    for cluster in sorted(new, key=Keyed(seed, ALGORITHM, design.trial).after("order", batch)):
        stratum = new[cluster]
        block, slot, arms = state.get(stratum, nothing)
        if slot == len(arms):
            block, slot = block + 1, 0
            arms = blocks[stratum](block)
        rows.append(
            Allocated(
                cluster=cluster,
                batch=batch,
                stratum=stratum,
                epoch=design.epoch,
                block=block,
                slot=slot + 1,
                block_size=len(arms),
                arm=arms[slot],
            )
        )
        state[stratum] = (block, slot + 1, arms)
    return tuple(rows)


def _by_block(design: Design, drawn: Iterable[Allocated]) -> dict[tuple[str, int], list[Allocated]]:
    """The rows of this epoch, by stratum and block."""
    found: dict[tuple[str, int], list[Allocated]] = defaultdict(list)
    for row in drawn:
        if row.epoch == design.epoch:
            found[composed(row.stratum), row.block].append(row)
    return found


def _last_blocks(blocks: Iterable[tuple[str, int]]) -> dict[str, int]:
    last: dict[str, int] = {}
    for stratum, block in blocks:
        last[stratum] = max(block, last.get(stratum, 0))
    return last


def _problems_of_batch(
    design: Design, batch: int, torn: int, drawn: Sequence[Allocated], new: Mapping[str, str]
) -> list[Problem]:
    place = Place(f"batch {batch}")
    problems = []
    if batch < 1:
        problems.append(AllocationCode.BATCH_NOT_COUNTED.at(place, batch=batch))
    last = max((row.batch for row in drawn), default=0)
    if new and batch <= last:
        problems.append(AllocationCode.BATCH_OUT_OF_ORDER.at(place, batch=batch, last=last, count=len(new)))
    if not all(usable(cluster) for cluster in new):
        problems.append(AllocationCode.ID_UNUSABLE.at(place, what="a cluster"))
    if not all(stratum and "\n" not in stratum for stratum in new.values()):
        problems.append(AllocationCode.ID_UNUSABLE.at(place, what="a stratum"))
    if torn:
        problems.append(AllocationCode.CLUSTER_IN_TWO_STRATA.at(place, count=torn))
    if later := sum(row.epoch > design.epoch for row in drawn):
        problems.append(AllocationCode.EPOCH_OUT_OF_ORDER.at(place, epoch=design.epoch, count=later))
    return problems


def _problems_of_rows(
    design: Design,
    blocks: _Blocks,
    drawn: Sequence[Allocated],
    rows_of: Mapping[tuple[str, int], Sequence[Allocated]],
    last: Mapping[str, int],
) -> list[Problem]:
    """What is wrong with the rows drawn before, each looked at once. Only those of this epoch can be re-drawn."""
    place = Place("allocation")
    problems = []
    if twice := sum(count > 1 for count in Counter([composed(row.cluster) for row in drawn]).values()):
        problems.append(AllocationCode.ALLOCATED_TWICE.at(place, count=twice))
    broken = sum(count != last[stratum] for stratum, count in Counter(stratum for stratum, _ in rows_of).items())
    wrong = 0
    for (stratum, block), rows in rows_of.items():
        arms = blocks[stratum](block)
        size = len(arms)
        whole = len(rows) <= size if block == last[stratum] else len(rows) == max(row.block_size for row in rows)
        broken += sorted([row.slot for row in rows]) != list(range(1, len(rows) + 1)) or not whole
        for row in rows:
            slot = row.slot
            wrong += row.block_size != size or not 1 <= slot <= size or row.arm != arms[slot - 1]
    if broken:
        problems.append(AllocationCode.SLOTS_MISSING.at(place, epoch=design.epoch, count=broken))
    if wrong:
        total = sum(map(len, rows_of.values()))
        problems.append(AllocationCode.SEED_DOES_NOT_FIT.at(place, epoch=design.epoch, count=wrong, total=total))
    return problems
