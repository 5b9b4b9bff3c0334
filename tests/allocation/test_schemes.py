"""The draw `nudge-blocks/1`: rules of the trial §3."""

from __future__ import annotations

from nudge.allocation.design import Allocated, Design
from nudge.allocation.schemes import draw

SEED = bytes(range(32))
DEMO = Design(trial="demo", arms=("current", "new"), ratio=(1, 1))
FIRST = {f"H{number:02d}": "north" if number % 2 else "south" for number in range(1, 8)}
SECOND = dict.fromkeys(("H01", "H08", "H09", "H10"), "north")


def demo_rows() -> tuple[Allocated, ...]:
    first = draw(DEMO, seed=SEED, batch=1, clusters=FIRST, drawn=())
    return first + draw(DEMO, seed=SEED, batch=2, clusters=SECOND, drawn=first)


def test_i2_the_draw_is_the_known_answer_that_two_implementations_of_the_rules_gave() -> None:
    found = [(row.cluster, row.arm, row.stratum, row.batch, row.block, row.slot, row.block_size) for row in demo_rows()]
    assert found == [
        ("H01", "new", "north", 1, 1, 1, 4),
        ("H04", "current", "south", 1, 1, 1, 6),
        ("H02", "new", "south", 1, 1, 2, 6),
        ("H06", "new", "south", 1, 1, 3, 6),
        ("H05", "current", "north", 1, 1, 2, 4),
        ("H07", "new", "north", 1, 1, 3, 4),
        ("H03", "current", "north", 1, 1, 4, 4),
        ("H09", "new", "north", 2, 2, 1, 8),
        ("H10", "new", "north", 2, 2, 2, 8),
        ("H08", "current", "north", 2, 2, 3, 8),
    ]
