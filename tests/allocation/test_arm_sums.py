"""Sums over the arm from tables of arrangements, held to the same redraws written out and added up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.allocation.arm_sums import ArmSums, Cells, picks
from nudge.allocation.assignment import Assignment, remainders
from nudge.allocation.design import Design
from nudge.allocation.schemes import draw

KEY = bytes(range(16))
SEED = bytes(range(32))


def blocks(clusters: int, strata: int, ratio: tuple[int, ...], *, skipped: int = 0) -> Assignment:
    """A live draw in three batches, its last blocks open, some clusters of it left out; its first two arms."""
    arms = tuple("abcd"[: len(ratio)])
    design = Design(trial="demo", arms=arms, ratio=ratio, strata=("s",))
    names = {f"c{number}": f"s{number % strata}" for number in range(clusters)}
    rows = ()
    for batch in range(3):
        here = {name: names[name] for name in list(names)[batch::3]}
        rows += draw(design, seed=SEED, batch=batch + 1, clusters=here, drawn=rows)
    return Assignment.of_blocks(rows[skipped:], design).between("b", "a")


def within_strata(assignment: Assignment, values: np.ndarray, sizes: np.ndarray) -> Cells:
    """A cell for each stratum and size; every seventh cluster adds nothing."""
    kinds, cell = np.unique(np.stack([assignment.stratum, sizes]), axis=1, return_inverse=True)
    cell = cell.reshape(-1).astype(np.int64)
    cell[::7] = -1
    return Cells(cell=cell, stratum=kinds[0].astype(np.int64), values=values)


def written_out(assignment: Assignment, cells: Cells, n: int) -> np.ndarray:
    labels = np.concatenate(list(assignment.redraw(n, KEY))).astype(np.float64)
    found = np.zeros((n, cells.stratum.size, cells.values.shape[1]))
    for code in range(cells.stratum.size):
        here = np.flatnonzero(cells.cell == code)
        found[:, code] = labels[:, here] @ cells.values[here]
    return found


def from_tables(assignment: Assignment, cells: Cells, n: int) -> np.ndarray:
    tables = ArmSums.of(assignment, cells)
    assert tables is not None
    return np.concatenate([tables(chunk) for chunk in picks(assignment, n, KEY)])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(4, 70),
    st.integers(1, 4),
    st.sampled_from([(1, 1), (2, 1), (1, 1, 1), (2, 1, 1), (1, 1, 1, 1)]),
    st.integers(0, 3),
    st.integers(0, 2**32),
    st.sampled_from([3, 10_000, 2**40]),
)
def test_i13_tables_add_up_the_very_redraws_that_would_be_written_out(clusters, strata, ratio, skipped, seed, most):
    """Blocks with open slots, abandoned clusters, several arms; small, large and negative whole numbers, to the bit."""
    rng = np.random.default_rng(seed)
    assignment = blocks(clusters, strata, ratio, skipped=skipped)
    sizes = rng.integers(1, 4, len(assignment))
    whole = rng.integers(-most, most, (len(assignment), 3)).astype(np.float64)
    cells = within_strata(assignment, whole, sizes)
    if cells.stratum.size:
        assert np.array_equal(from_tables(assignment, cells, 40), written_out(assignment, cells, 40))
    broken = within_strata(assignment, np.column_stack([whole, rng.normal(size=len(assignment))]), sizes)
    if broken.stratum.size:
        found, wanted = from_tables(assignment, broken, 40), written_out(assignment, broken, 40)
        assert np.array_equal(found[..., :3], wanted[..., :3])
        np.testing.assert_allclose(found[..., 3], wanted[..., 3], rtol=0, atol=1e-12 * max(len(assignment), 1))


@pytest.mark.parametrize(("drawn", "per_stratum"), [("pairs", 2), ("complete", 6), ("blocked", 14)])
def test_recorded_pairs_and_small_strata_have_tables_too(drawn, per_stratum):
    count = 6 * per_stratum
    place = np.random.default_rng(2).permutation(count)  # strata do not lie in one run
    arm, stratum = np.empty(count, dtype=int), np.empty(count, dtype=int)
    arm[place], stratum[place] = np.arange(count) % 2, np.arange(count) // per_stratum
    assignment = Assignment.of_recorded(arm, stratum, drawn, ("a", "b"))
    cells = within_strata(assignment, np.arange(2.0 * count).reshape(count, 2), np.ones(count))
    assert np.array_equal(from_tables(assignment, cells, 300), written_out(assignment, cells, 300))


def test_where_tables_cannot_serve_there_are_none():
    one = np.zeros(40, dtype=np.int64)
    cells = Cells(cell=one, stratum=np.zeros(1, dtype=np.int64), values=np.ones((40, 1)))
    arm = np.arange(40) % 2
    large = Assignment.of_recorded(arm, None, "complete", ("a", "b"))
    simple = Assignment.of_recorded(arm, None, "simple", ("a", "b"))
    three = Assignment.of_recorded(np.arange(40) % 4 % 3, np.arange(40) // 4, "complete", ("a", "b", "c"))
    small = Assignment.of_recorded(arm, np.arange(40) // 4, "complete", ("a", "b"))
    assert [ArmSums.of(each, cells) for each in (large, simple, three)] == [None, None, None]
    assert ArmSums.of(small, cells) is not None
    across = Cells(cell=np.arange(40) % 2, stratum=np.arange(2), values=np.ones((40, 1)))
    assert ArmSums.of(small, across) is None  # a group whose clusters lie in two strata
    many = Cells(cell=np.arange(40), stratum=np.zeros(40, dtype=np.int64), values=np.ones((40, 2)))
    assert ArmSums.of(small, many) is None
    wide = Assignment.of_recorded(np.arange(2_400) % 2, np.arange(2_400) // 12, "complete", ("a", "b"))
    every = Cells(
        cell=np.zeros(2_400, dtype=np.int64), stratum=np.zeros(1, dtype=np.int64), values=np.ones((2_400, 45))
    )
    assert ArmSums.of(wide, every) is None  # 200 groups of 924 arrangements and 45 numbers in each


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20), st.integers(1, 2**62))
def test_a_remainder_is_that_of_whole_numbers(words, divisor):
    found = remainders(np.array(words, dtype=np.uint64), divisor)
    assert found.tolist() == [word % divisor for word in words]
