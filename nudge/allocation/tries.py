"""Arms dealt once to a whole batch, stratum by stratum, in the declared ratio: one try of a draw.

A stratum of n clusters has whole rounds of the ratio, enough for n; they are put in order and the first n serve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from nudge.allocation.design import Allocated, Design, Entry
from nudge.allocation.keying import Keyed


def ordered(keyed: Keyed, batch: int, new: Mapping[str, Entry]) -> dict[str, tuple[str, ...]]:
    """The clusters of each stratum in the order that the key gives; strata in the order of their names."""
    strata: dict[str, list[str]] = defaultdict(list)
    for cluster in sorted(new):
        strata[new[cluster].stratum].append(cluster)
    return {
        stratum: tuple(sorted(strata[stratum], key=lambda cluster: keyed("order", batch, cluster)))
        for stratum in sorted(strata)
    }


def block_size(design: Design, clusters: int) -> int:
    """Slots for so many clusters of a stratum: whole rounds of the ratio."""
    total = sum(design.ratio)
    return -(-clusters // total) * total


def dealt_arms(design: Design, keyed: Keyed, batch: int, stratum: str, number: int, clusters: int) -> tuple[str, ...]:
    """The arms of try `number` for the clusters of a stratum, in their order."""
    rounds = block_size(design, clusters) // sum(design.ratio)
    slots = sorted(
        (keyed("slot", design.epoch, batch, stratum, number, arm, place), arm)
        for arm, share in zip(design.arms, design.ratio, strict=True)
        for place in range(1, share * rounds + 1)
    )
    return tuple(arm for _, arm in slots[:clusters])


def rows_of(
    design: Design, batch: int, strata: Mapping[str, tuple[str, ...]], arms: Mapping[str, tuple[str, ...]]
) -> tuple[Allocated, ...]:
    """The allocations of a try: a stratum's part of a batch is one block, numbered as the batch."""
    return tuple(
        Allocated(
            cluster=cluster,
            batch=batch,
            stratum=stratum,
            epoch=design.epoch,
            block=batch,
            slot=slot,
            block_size=block_size(design, len(clusters)),
            arm=arm,
        )
        for stratum, clusters in strata.items()
        for slot, (cluster, arm) in enumerate(zip(clusters, arms[stratum], strict=True), start=1)
    )


def draw_sequences(design: Design, *, keyed: Keyed, batch: int, new: Mapping[str, Entry]) -> tuple[Allocated, ...]:
    """The draw `nudge-sequences/1`: each stratum's sites dealt to the sequences, one try, kept."""
    strata = ordered(keyed, batch, new)
    arms = {stratum: dealt_arms(design, keyed, batch, stratum, 1, len(held)) for stratum, held in strata.items()}
    return rows_of(design, batch, strata, arms)
