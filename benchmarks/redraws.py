"""The randomisation test: 10,000 redraws of a blocked household design, against plain loops and R.

    python benchmarks/redraws.py [units]

20,000 units in some 13,300 households, five strata, drawn by `nudge-blocks/1`; whole days to 56 as the outcome, and
the studentised difference (arm beside strata, CR2) as the statistic. Drawing is part of the work of everybody. The
loops do 100 and 20 redraws, R does 100, and their seconds are multiplied.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial

import numpy as np
from side_by_side import Contestant, Found, apart, has_r, in_r, print_table, print_versions, take_turns

from nudge.allocation.assignment import Assignment
from nudge.allocation.design import Design
from nudge.allocation.schemes import draw
from nudge.allocation.streams import redraw_key
from nudge.uplift.clusters import arm_effect
from nudge.uplift.rerandomisation import ClusterSums, redraw_test, studentised

UNITS, STRATA, REDRAWS, ROUNDS = 20_000, 5, 10_000, 3
KEY = redraw_key("benchmark")


@dataclass(frozen=True)
class Trial:
    """Households as drawn, and the units in them."""

    assignment: Assignment
    cluster: np.ndarray
    stratum: np.ndarray
    y: np.ndarray
    statistic: object


def trial(units: int) -> Trial:
    """An invented trial without effect: households of one to three, members alike, strata that differ."""
    rng = np.random.default_rng(2026)
    size = rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1], size=units)
    size = size[: int(np.searchsorted(np.cumsum(size), units)) + 1]
    layer = rng.integers(0, STRATA, size.size)
    design = Design(trial="benchmark", arms=("current", "new"), ratio=(1, 1), strata=("patch",))
    names = [f"{code:016x}" for code in range(size.size)]
    clusters = {name: f"patch {code}" for name, code in zip(names, layer, strict=True)}
    row_of = {row.cluster: row for row in draw(design, seed=bytes(32), batch=1, clusters=clusters, drawn=())}
    assignment = Assignment.of_blocks([row_of[name] for name in names], design)
    cluster = np.repeat(np.arange(size.size), size)
    frailty = rng.gamma(1.0, 1.0, size.size)[cluster] * (1 + 0.2 * layer[cluster])
    y = np.minimum(np.ceil(rng.exponential(1 / (0.02 * frailty))), 56.0)
    stratum = assignment.stratum[cluster].astype(np.int64)
    statistic = studentised(ClusterSums.of(y, stratum, cluster, size.size))
    return Trial(assignment=assignment, cluster=cluster, stratum=stratum, y=y, statistic=statistic)


def with_tables(one: Trial) -> Found:
    """As nudge runs it: blocks are not written out."""
    [found] = redraw_test(one.assignment, [one.statistic], KEY, REDRAWS)
    return {"p": [found.p_value]}


def written_out(one: Trial) -> Found:
    """The same where every household's arm is written out first, as a large block needs it."""
    [found] = redraw_test(one.assignment, [lambda labels: one.statistic(labels)], KEY, REDRAWS)
    return {"p": [found.p_value]}


def plain_loop(one: Trial, redraws: int, *, studentise: bool) -> Found:
    """One redraw at a time: households shuffled within their block, units given their arm, least squares on them."""
    rng = np.random.default_rng(1)
    block, arm = one.assignment.group, one.assignment.arm
    by_block = np.argsort(block, kind="stable")
    held = arm[by_block]
    columns = np.zeros((one.y.size, STRATA + 1))
    columns[np.arange(one.y.size), 1 + one.stratum] = 1.0
    found = np.empty(redraws)
    for number in range(redraws):
        shuffled = np.lexsort((rng.random(block.size), block))
        again = np.empty_like(arm)
        again[shuffled] = held
        z = again[one.cluster]
        if studentise:
            fit = arm_effect(one.y, z.astype(np.int64), one.stratum, one.cluster)
            found[number] = fit.estimate / fit.se
        else:
            columns[:, 0] = z
            found[number] = np.linalg.solve(columns.T @ columns, columns.T @ one.y)[0]
    return {"spread": [float(found.std())]}


def agreement(one: Trial, redraws: int) -> str:
    """How far the statistic from sums is from a fit made afresh on the units, over some of the same redraws."""
    labels = next(iter(one.assignment.redraw(redraws, KEY)))
    fits = [arm_effect(one.y, row[one.cluster].astype(np.int64), one.stratum, one.cluster) for row in labels]
    return apart(one.statistic(labels), [fit.estimate / fit.se for fit in fits])


def main(units: int) -> None:
    """Print seconds for 10,000 redraws, ratios to nudge, and how far the statistics agree."""
    one = trial(units)
    base = f"nudge, {REDRAWS:,} redraws"
    contestants = [
        Contestant(name=base, work=partial(with_tables, one)),
        Contestant(name="nudge, every arm written out", work=partial(written_out, one)),
        Contestant(
            name="plain loop, one coefficient by least squares",
            work=partial(plain_loop, one, 100, studentise=False),
            lacks="a robust error; open blocks; the same redraws again",
            times=REDRAWS // 100,
        ),
        Contestant(
            name="plain loop, studentised by CR2 each time",
            work=partial(plain_loop, one, 20, studentise=True),
            lacks="open blocks; the same redraws again",
            times=REDRAWS // 20,
        ),
    ]
    r = has_r("ri2", "randomizr")
    if r:
        columns = {
            "y": one.y,
            "arm": one.assignment.arm[one.cluster],
            "cluster": one.cluster,
            "block": one.assignment.group[one.cluster],
        }
        contestants.append(
            Contestant(
                name="R ri2",
                work=lambda: in_r("redraws.R", columns, str(one.y.size)),
                lacks="open blocks; a studentised statistic by default",
                times=REDRAWS // 100,
            )
        )
    scores = take_turns(contestants, ROUNDS)
    print_versions()
    households, blocks = len(one.assignment), len(one.assignment.slots)
    title = (
        f"{REDRAWS:,} redraws: {one.y.size:,} units in {households:,} households, {blocks:,} blocks, {STRATA} strata"
    )
    print_table(title, contestants, scores, base, () if r else ("R ri2 and randomizr",))
    p, written = (scores[name].found["p"][0] for name in (base, contestants[1].name))
    print(f"p {p:.4f} either way: {p == written}; statistic apart from a fit made afresh: {agreement(one, 50)} of it")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else UNITS)
