"""The draw `nudge-pairs/1`: two clusters alike, one to each arm.

Pairs lie inside a batch and a stratum. They are those a column names, or are made by distance: of all pairs of
clusters still free the two closest are taken, equal distances (to nine decimals) by the clusters' codes, until fewer
than two are left. A cluster without a partner is a pair of its own with one empty place: its arm is the toss of a
coin, it counts in every total, and it has no weight in a paired estimate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Allocated, Design, Entry
from nudge.allocation.distances import DECIMALS, whitened
from nudge.allocation.keying import Keyed
from nudge.base.errors import Place, Refused

MOST_TO_PAIR: Final = 4_000
"""Clusters of one stratum and batch that are paired by distance; their distances are all held at once."""


def draw_pairs(
    design: Design, *, keyed: Keyed, batch: int, new: Mapping[str, Entry], before: Iterable[Allocated]
) -> tuple[Allocated, ...]:
    """Pair the new clusters of a batch and toss each pair's coin; rows in the order of stratum, pair and slot."""
    last: dict[str, int] = defaultdict(int)
    for row in before:
        if row.epoch == design.epoch:
            last[row.stratum] = max(last[row.stratum], row.block)
    strata: dict[str, dict[str, Entry]] = defaultdict(dict)
    for cluster in sorted(new):
        strata[new[cluster].stratum][cluster] = new[cluster]
    rows = []
    for stratum in sorted(strata):
        pairs = _named(strata[stratum], batch) if design.pair else made_pairs(strata[stratum], batch)
        for pair in sorted(pairs, key=lambda members: keyed("order", batch, members[0])):
            last[stratum] += 1
            arms = pair_arms(design, keyed, stratum, last[stratum])
            rows += [
                Allocated(
                    cluster=cluster,
                    batch=batch,
                    stratum=stratum,
                    epoch=design.epoch,
                    block=last[stratum],
                    slot=slot,
                    block_size=2,
                    arm=arms[slot - 1],
                )
                for slot, cluster in enumerate(pair, start=1)
            ]
    return tuple(rows)


def pair_arms(design: Design, keyed: Keyed, stratum: str, block: int) -> tuple[str, ...]:
    """The arms of a pair's two slots; the smaller code has the first slot."""
    return tuple(sorted(design.arms, key=lambda arm: keyed("slot", design.epoch, stratum, block, arm, 1)))


def made_pairs(entries: Mapping[str, Entry], batch: int) -> list[tuple[str, ...]]:
    """Pairs by Mahalanobis distance, the closest two first; the cluster left over alone. Codes rise in a pair."""
    codes = sorted(entries)
    if len(codes) > MOST_TO_PAIR:
        place = Place(f"batch {batch}")
        raise Refused(AllocationCode.PAIRS_TOO_MANY.at(place, most=MOST_TO_PAIR, batch=batch, count=len(codes)))
    places = whitened([entries[code].covariates for code in codes])
    one, other = np.triu_indices(len(codes), k=1)
    distance = np.zeros(one.size)
    for column in places.T:  # no matrix product: a library's may differ in the last digit
        distance += (column[one] - column[other]) ** 2
    order = np.argsort(np.round(distance, DECIMALS), kind="stable")  # equal ones stand by code already
    free = np.ones(len(codes), dtype=np.bool_)
    found: list[tuple[str, ...]] = []
    while order.size:
        first, second = int(one[order[0]]), int(other[order[0]])
        found.append((codes[first], codes[second]))
        free[[first, second]] = False
        order = order[1:]
        # Dropping the taken every time would cost as much as a pair; now and then is enough.
        if len(found) % 16 == 0 or not order.size or not (free[one[order[0]]] and free[other[order[0]]]):
            order = order[free[one[order]] & free[other[order]]]
    return [*found, *((codes[place],) for place in np.flatnonzero(free))]


def _named(entries: Mapping[str, Entry], batch: int) -> list[tuple[str, ...]]:
    """Pairs as the list names them; a cluster without a name, or alone under it, by itself."""
    named: dict[str, list[str]] = defaultdict(list)
    alone = []
    for code in sorted(entries):
        name = entries[code].pair
        if name is None:
            alone.append((code,))
        else:
            named[name].append(code)
    if many := sum(len(members) > 2 for members in named.values()):
        raise Refused(AllocationCode.PAIR_TOO_LARGE.at(Place(f"batch {batch}"), batch=batch, count=many))
    return [*(tuple(members) for members in named.values()), *alone]
