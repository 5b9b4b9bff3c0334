"""The randomisation test from the records up, by listing: open blocks, strata, households, a third arm held.

Nothing here uses the engine's redraws or its statistics: arrangements of each block's whole multiset are listed with
itertools, cut to the filled slots, and every one is fitted afresh with full matrices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import pytest
from uplift_cases import CONTACT, MONEY, SHARE, analysed, dense_cr2

from nudge.allocation.assignment import Assignment
from nudge.allocation.design import Allocated, Design
from nudge.experiment.definition import Outcome
from nudge.uplift.units import UnitTable

Block = tuple[int, int, int]  # stratum, size, filled slots


def drawn(blocks: list[Block], arms: tuple[str, ...], ratio: tuple[int, ...], rng: np.random.Generator):
    """Rows as the ledger holds them, and for each block its clusters and the arms of all its slots."""
    rows, members, slots = [], [], []
    for number, (stratum, size, filled) in enumerate(blocks, 1):
        whole = [code for code, share in enumerate(ratio) for _ in range(share * size // sum(ratio))]
        block = rng.permutation(whole)[:filled]
        members.append(list(range(len(rows), len(rows) + filled)))
        slots.append(whole)
        rows += [
            Allocated(
                cluster=f"c{number}-{slot}",
                batch=1,
                stratum=f"s{stratum}",
                epoch=1,
                block=number,
                slot=slot,
                block_size=size,
                arm=arms[code],
            )
            for slot, code in enumerate(block, 1)
        ]
    return rows, members, slots


def allocations(held: np.ndarray, members: list[list[int]], slots: list[list[int]], arm: int) -> Iterator[np.ndarray]:
    """Every allocation of two arms' labels, each as often as the design draws it; other arms stay."""
    parts = []
    for clusters, whole in zip(members, slots, strict=True):
        mine = [cluster for cluster in clusters if held[cluster] in (0, arm)]
        labels = [code for code in whole if code in (0, arm)]
        parts.append((mine, [found[: len(mine)] for found in set(permutations(labels))]))
    for choice in product(*(found for _, found in parts)):
        again = held.copy()
        for (mine, _), labels in zip(parts, choice, strict=True):
            again[mine] = labels
        yield again


def student(y: np.ndarray, z: np.ndarray, cluster: np.ndarray, stratum: np.ndarray) -> float:
    both = np.isin(stratum, [code for code in np.unique(stratum) if np.unique(z[stratum == code]).size == 2])
    if not both.any():
        return 0.0
    layers = stratum[both, None] == np.unique(stratum[both])
    design = np.column_stack([z[both], layers]).astype(float)
    estimate, se, _ = dense_cr2(y[both], design, cluster[both])
    if abs(estimate) < 1e-10:
        return 0.0
    return estimate / se if se > 1e-7 else math.copysign(math.inf, estimate)


def cochran(y: np.ndarray, z: np.ndarray, _: np.ndarray, stratum: np.ndarray) -> float:
    away = variance = 0.0
    for code in np.unique(stratum):
        here = stratum == code
        n, one, events = here.sum(), z[here].sum(), y[here].sum()
        if n > 1:
            away += y[here & (z == 1)].sum() - one * events / n
            variance += one * (n - one) * events * (n - events) / (n**2 * (n - 1))
    return 0.0 if abs(away) < 1e-12 else away / math.sqrt(variance)


CASES = [
    ([(0, 6, 4), (1, 6, 4)], ("a", "b"), (1, 1)),
    ([(0, 4, 4), (0, 6, 5)], ("a", "b"), (1, 1)),
    ([(0, 3, 3), (1, 6, 4)], ("a", "b"), (2, 1)),
    ([(0, 6, 6), (0, 6, 3)], ("a", "b", "c"), (1, 1, 1)),
    ([(0, 9, 7)], ("a", "b", "c"), (1, 1, 1)),
]


@pytest.mark.parametrize("outcome", [SHARE, MONEY, CONTACT], ids=["share", "mean", "days"])
@pytest.mark.parametrize("households", [False, True], ids=["tenancies", "households"])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_the_p_value_is_the_share_of_all_draws_as_extreme(outcome: Outcome, households: bool, case: int):
    blocks, arms, ratio = CASES[case]
    rng = np.random.default_rng(1000 * case + 10 * households + 1)
    rows, members, slots = drawn(blocks, arms, ratio, rng)
    while len({row.arm for row in rows}) < len(arms):
        rows, members, slots = drawn(blocks, arms, ratio, rng)
    held = np.array([arms.index(row.arm) for row in rows])
    layer = np.array([int(row.stratum[1:]) for row in rows])
    cluster = np.repeat(np.arange(held.size), rng.integers(1, 4, held.size) if households else 1)
    day = rng.integers(1, 60, cluster.size)
    y = (
        (rng.random(cluster.size) < 0.4).astype(float)
        if outcome is SHARE
        else np.minimum(day, 56.0)
        if outcome is CONTACT
        else rng.normal(size=cluster.size).round(1)
    )
    several = np.unique(layer).size > 1
    table = UnitTable(
        arms=arms,
        arm=held[cluster],
        stratum=layer[cluster] if several else None,
        strata=("s0", "s1") if several else (),
        cluster=cluster if households else None,
        drawn=cluster,
        y=None if outcome is CONTACT else y,
        time=np.minimum(day, 56.0) if outcome is CONTACT else None,
        event=day <= 56 if outcome is CONTACT else None,
        follow_up=np.full(cluster.size, 56.0) if outcome is CONTACT else None,
    )
    design = Design(trial="t", arms=arms, ratio=ratio, strata=("patch",) if several else ())
    assignment = Assignment.of_blocks(rows, design, arms=arms)
    for row in analysed(outcome, table, assignment=assignment, live=True).headlines:
        arm = arms.index(row.arm)
        inside = np.isin(held[cluster], (0, arm))
        alone = np.unique(cluster[inside]).size == inside.sum()
        statistic = cochran if outcome is SHARE and alone else student
        stratum = layer[cluster] if not (outcome is SHARE and not alone) else np.zeros_like(cluster)

        def size(labels: np.ndarray, arm=arm, inside=inside, statistic=statistic, stratum=stratum) -> float:
            z = (labels[cluster[inside]] == arm).astype(int)
            return abs(statistic(y[inside], z, cluster[inside], stratum[inside]))

        seen = size(held)
        sizes = [size(labels) for labels in allocations(held, members, slots, arm)]
        extreme = [found >= seen - 1e-9 * max(1.0, seen) if math.isfinite(seen) else found == seen for found in sizes]
        assert row.redraws == len(sizes)
        assert row.p_value == pytest.approx(sum(extreme) / len(sizes), abs=1e-12)
