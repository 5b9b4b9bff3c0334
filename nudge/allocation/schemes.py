"""The draw `nudge-blocks/1`: a function of the seed, the design and each batch's set of (cluster, stratum) (I2).

Ordered by HMAC-SHA-256 throughout, never by a library's random stream. Rules of the trial §3.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Allocated, Design, usable
from nudge.base.errors import Place, Problem, Refused

ALGORITHM: Final = "nudge-blocks/1"
EVERYONE: Final = "all"
"""The stratum where none is declared."""
NO_VALUE: Final = "(none)"
"""A stratum value that is missing."""


def composed(text: str) -> str:
    """Text in Unicode's composed form (NFC), so that one name has one spelling."""
    return unicodedata.normalize("NFC", text)


def stratum_of(values: Sequence[str | None]) -> str:
    """The stratum of a unit from its values in declared order; white space in a value counts as one space."""
    return "\t".join(" ".join(composed(value or "").split()) or NO_VALUE for value in values) or EVERYONE


def keyed(seed: bytes, trial: str, *parts: object) -> str:
    """H of the rules: 64 lower-case hex digits that only the seed foretells."""
    message = "\n".join((ALGORITHM, trial, *map(str, parts)))
    return hmac.digest(seed, composed(message).encode(), "sha256").hex()


def block_arms(design: Design, seed: bytes, stratum: str, block: int) -> tuple[str, ...]:
    """The arms of one block of the design's epoch, slot by slot; blocks of a stratum count from 1."""
    choices = design.multiples
    size = int(keyed(seed, design.trial, "size", design.epoch, stratum, block)[:8], 16) % len(choices)
    slots = [
        (keyed(seed, design.trial, "slot", design.epoch, stratum, block, arm, number), arm)
        for arm, share in zip(design.arms, design.ratio, strict=True)
        for number in range(1, share * choices[size] + 1)
    ]
    return tuple(arm for _, arm in sorted(slots))


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
    strata: dict[str, set[str]] = defaultdict(set)
    for cluster, stratum in clusters.items():
        strata[composed(cluster)].add(composed(stratum))
    new = {cluster: min(found) for cluster, found in strata.items() if cluster not in held}
    Refused.when(
        (
            *_problems_of_batch(design, batch, strata, before, new),
            *_problems_of_rows(design, seed, before),
        )
    )
    state = _state(design, seed, before)
    rows = []
    for cluster in sorted(new, key=lambda name: keyed(seed, design.trial, "order", batch, name)):
        stratum = new[cluster]
        block, slot, arms = state.get(stratum, (0, 0, ()))
        if slot == len(arms):
            block, slot = block + 1, 0
            arms = block_arms(design, seed, stratum, block)
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


def _state(design: Design, seed: bytes, drawn: Iterable[Allocated]) -> dict[str, tuple[int, int, tuple[str, ...]]]:
    """Each stratum's last block of this epoch, how many of its slots are filled, and its arms, drawn once more."""
    last: dict[str, tuple[int, int]] = {}
    for row in drawn:
        if row.epoch == design.epoch:
            stratum = composed(row.stratum)
            last[stratum] = max(last.get(stratum, (0, 0)), (row.block, row.slot))
    return {
        stratum: (block, filled, block_arms(design, seed, stratum, block)) for stratum, (block, filled) in last.items()
    }


def _problems_of_batch(
    design: Design, batch: int, strata: Mapping[str, set[str]], drawn: Sequence[Allocated], new: Mapping[str, str]
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
    if doubled := sum(len(found) > 1 for found in strata.values()):
        problems.append(AllocationCode.CLUSTER_IN_TWO_STRATA.at(place, count=doubled))
    if later := sum(row.epoch > design.epoch for row in drawn):
        problems.append(AllocationCode.EPOCH_OUT_OF_ORDER.at(place, epoch=design.epoch, count=later))
    return problems


def _problems_of_rows(design: Design, seed: bytes, drawn: Sequence[Allocated]) -> list[Problem]:
    """What is wrong with the rows drawn before. Only those of this epoch can be re-drawn by this design."""
    place = Place("allocation")
    problems = []
    if twice := sum(count > 1 for count in Counter(composed(row.cluster) for row in drawn).values()):
        problems.append(AllocationCode.ALLOCATED_TWICE.at(place, count=twice))
    blocks: dict[tuple[str, int], list[Allocated]] = defaultdict(list)
    for row in drawn:
        if row.epoch == design.epoch:
            blocks[composed(row.stratum), row.block].append(row)
    last = dict(sorted(blocks))
    broken = sum(count != last[stratum] for stratum, count in Counter(stratum for stratum, _ in blocks).items())
    wrong = 0
    for (stratum, block), rows in blocks.items():
        arms = block_arms(design, seed, stratum, block)
        open_here = block == last[stratum]
        filled = sorted(row.slot for row in rows)
        whole = len(rows) <= len(arms) if open_here else len(rows) == max(row.block_size for row in rows)
        broken += filled != list(range(1, len(rows) + 1)) or not whole
        wrong += sum(
            row.block_size != len(arms) or not 1 <= row.slot <= len(arms) or row.arm != arms[row.slot - 1]
            for row in rows
        )
    if broken:
        problems.append(AllocationCode.SLOTS_MISSING.at(place, epoch=design.epoch, count=broken))
    if wrong:
        total = sum(map(len, blocks.values()))
        problems.append(AllocationCode.SEED_DOES_NOT_FIT.at(place, epoch=design.epoch, count=wrong, total=total))
    return problems
