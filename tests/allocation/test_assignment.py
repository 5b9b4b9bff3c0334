"""What was drawn and what could have been: rules of the trial §3, §5 and §6."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.allocation.assignment import Assignment, arrangements, dealt, listing
from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Design
from nudge.allocation.schemes import draw
from nudge.allocation.streams import redraw_key
from nudge.base.errors import Refused

KEY = redraw_key("0" * 64)
SEED = bytes(range(32))
TWO = Design(trial="demo", arms=("current", "new"), ratio=(1, 1))
THREE = Design(trial="demo", arms=("a", "b", "c"), ratio=(2, 1, 1))


def drawn(design: Design, sizes: dict[str, int], weeks: int = 1) -> Assignment:
    rows = ()
    names = [(f"{stratum}{number}", stratum) for stratum, size in sizes.items() for number in range(size)]
    for week in range(weeks):
        rows += draw(design, seed=SEED, batch=week + 1, clusters=dict(names[week::weeks]), drawn=rows)
    return Assignment.of_blocks(rows, design)


def all_redraws(assignment: Assignment, n: int, chunk: int | None = None) -> np.ndarray:
    return np.concatenate(list(assignment.redraw(n, KEY, chunk)))


ASSIGNMENTS = {
    "blocks": drawn(TWO, {"n": 23, "s": 9}, weeks=3),
    "blocks of three arms": drawn(THREE, {"n": 23, "s": 9}),
    "complete": Assignment.of_recorded(np.arange(60) % 3, np.arange(60) // 40, "complete", ("a", "b", "c")),
    "complete and small": Assignment.of_recorded(np.arange(12) % 2, np.arange(12) // 6, "blocked", ("a", "b")),
    "simple": Assignment.of_recorded(np.arange(17) % 3, None, "simple", ("a", "b", "c")),
    "pairs": Assignment.of_recorded(np.arange(14) % 2, np.arange(14) // 2, "pairs", ("a", "b")),
}


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_i13_redraws_are_the_same_in_chunks_of_any_size(name) -> None:
    whole = all_redraws(ASSIGNMENTS[name], 50)
    assert whole.dtype == np.int8
    assert whole.shape == (50, len(ASSIGNMENTS[name]))
    for chunk in (1, 7, 50, 400):
        assert np.array_equal(whole, all_redraws(ASSIGNMENTS[name], 50, chunk))
    assert len(np.unique(whole, axis=0)) > 20


@pytest.mark.parametrize("name", ["complete", "complete and small", "pairs"])
def test_a_redraw_keeps_the_counts_of_each_stratum_or_pair(name) -> None:
    assignment = ASSIGNMENTS[name]
    for row in all_redraws(assignment, 100):
        for stratum in np.unique(assignment.stratum):
            inside = assignment.stratum == stratum
            assert Counter(row[inside].tolist()) == Counter(assignment.arm[inside].tolist())


@pytest.mark.parametrize("name", ["blocks", "blocks of three arms"])
def test_a_redraw_of_blocks_fills_every_full_block_as_the_ratio_says(name) -> None:
    assignment = ASSIGNMENTS[name]
    for row in all_redraws(assignment, 100):
        for block, owned in enumerate(assignment.slots):
            held = np.bincount(row[assignment.group == block], minlength=len(owned))
            assert (held <= owned).all()
            assert held.sum() < owned.sum() or (held == owned).all()


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_cluster_gets_each_arm_as_often_as_its_probability_says(name) -> None:
    assignment = ASSIGNMENTS[name]
    redraws = all_redraws(assignment, 6_000)
    expected = assignment.probabilities()
    assert np.allclose(expected.sum(axis=1), 1)
    for arm in range(len(assignment.arms)):
        found = (redraws == arm).mean(axis=0)
        assert np.abs(found - expected[:, arm]).max() < 4.5 * math.sqrt(0.25 / 6_000)


@pytest.mark.parametrize(
    "assignment",
    [
        drawn(TWO, {"n": 7}),  # one full block or two, one of them open
        drawn(THREE, {"n": 6}).between("b", "a"),
        Assignment.of_recorded([0, 1, 1, 0, 1, 0], [0, 0, 0, 1, 1, 1], "complete", ("a", "b")),
        Assignment.of_recorded([0, 1, 1, 0], None, "simple", ("a", "b")),
    ],
    ids=["blocks", "between", "complete", "simple"],
)
def test_redraws_visit_every_allocation_as_often_as_the_list_has_it(assignment) -> None:
    listed = Counter(map(bytes, assignment.enumerate()))
    assert sum(listed.values()) == assignment.allocations()
    n = 12_000
    found = Counter(map(bytes, all_redraws(assignment, n)))
    assert set(found) <= set(listed)
    total = sum(listed.values())
    chi_square = sum((found[row] - n * times / total) ** 2 / (n * times / total) for row, times in listed.items())
    freedom = len(listed) - 1
    assert chi_square < freedom + 4.5 * math.sqrt(2 * freedom)
    assert bytes(assignment.arm) in listed


def test_i10_nine_clusters_in_three_blocks_have_36_allocations_of_which_7_are_as_extreme() -> None:
    """ri2's test data: 18 units in 9 clusters, blocks of 2, 3 and 4 with 1, 2 and 2 treated; statistics.md §6."""
    y = np.array([8, 6, 2, 0, 3, 1, 1, 1, 2, 2, 0, 1, 0, 2, 2, 4, 1, 1], dtype=float)
    treated = np.array([int(ch) for ch in "110011001111001100"])[::2]
    block = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2])
    assignment = Assignment.of_recorded(treated, block, "clusters", ("control", "treated"))
    every = assignment.enumerate()
    assert assignment.allocations() == len(every) == 36
    assert len(np.unique(every, axis=0)) == 36
    chance = assignment.probabilities()
    effects = []
    for row in every:
        units = np.repeat(row, 2)
        weight = 1 / np.repeat(chance[np.arange(9), row], 2)
        effects.append(
            np.average(y[units == 1], weights=weight[units == 1])
            - np.average(y[units == 0], weights=weight[units == 0])
        )
    observed = effects[[bytes(row) for row in every].index(bytes(assignment.arm))]
    assert observed == pytest.approx(2)
    assert sum(abs(effect) >= 2 - 1e-9 for effect in effects) == 7
    assert sum(effect >= 2 - 1e-9 for effect in effects) == 3


def test_i10_seven_villages_have_21_allocations_of_which_8_are_as_extreme() -> None:
    """Gerber and Green (2012), table 2.2: effect 6.5, two-tailed 8/21, upper 5/21."""
    y = np.array([15, 15, 20, 20, 10, 15, 30], dtype=float)
    treated = np.array([1, 0, 0, 0, 0, 0, 1])
    every = Assignment.of_recorded(treated, None, "complete", ("control", "treated")).enumerate().astype(float)
    assert len(every) == 21
    effects = every @ y / 2 - (1 - every) @ y / 5
    assert effects[(every == treated).all(axis=1)] == pytest.approx([6.5])
    assert (np.abs(effects) >= 6.5 - 1e-9).sum() == 8
    assert (effects >= 6.5 - 1e-9).sum() == 5


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_the_list_of_a_group_is_whole_in_order_and_free_of_repeats(counts) -> None:
    if sum(counts) > 7:
        return
    labels = [arm for arm, count in enumerate(counts) for _ in range(count)]
    every = sorted(set(permutations(labels)))
    assert [tuple(row) for row in listing(tuple(counts)).tolist()] == every
    assert arrangements(counts) == len(every)


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any),
    st.integers(1, 6),
    st.sampled_from([1, 3, 2**20, 2**32 - 1]),
    st.integers(0, 2**32),
)
@settings(max_examples=150, deadline=None)
def test_a_large_group_is_dealt_as_a_plain_stable_sort_of_its_keys_deals_it(counts, rows, most, seed) -> None:
    """Few distinct keys make many ties; equal keys go by slot."""
    keys = np.random.default_rng(seed).integers(0, most, size=(rows, sum(counts)), dtype=np.uint32, endpoint=True)
    labels = np.repeat(np.arange(len(counts)), counts)
    plain = np.empty(keys.shape, dtype=np.int8)
    for row, words in zip(plain, keys, strict=True):
        row[np.argsort(words, kind="stable")] = labels
    assert np.array_equal(dealt(keys, tuple(counts)), plain)


@pytest.mark.parametrize("slots", [599, 600, 2_000])
@pytest.mark.parametrize("share", [0.01, 0.4, 0.5])
@pytest.mark.parametrize("most", [2**32 - 1, 2**20, 300])
def test_a_wide_group_is_dealt_as_a_plain_stable_sort_deals_it(slots, share, most) -> None:
    """Uniform keys, keys all below the window that is searched, and keys with ties at every border."""
    keys = np.random.default_rng(1).integers(0, most, size=(40, slots), dtype=np.uint32, endpoint=True)
    first = round(slots * share)
    for counts in ((first, slots - first), (first, 0, first // 2, slots - first - first // 2)):
        plain = np.empty(keys.shape, dtype=np.int8)
        np.put_along_axis(
            plain,
            np.argsort(keys, axis=1, kind="stable"),
            np.broadcast_to(np.repeat(np.arange(len(counts), dtype=np.int8), counts), keys.shape),
            axis=1,
        )
        assert np.array_equal(dealt(keys, counts), plain)


def test_a_redraw_spends_the_raw_words_as_written_down() -> None:
    """A small group takes one word, a large one a word for two slots, group after group: repeated word by word."""
    arm = np.array([0, 1, 1, *[0, 1] * 10, 1])
    stratum = np.array([0, 0, 0, *[1] * 21])
    found = all_redraws(Assignment.of_recorded(arm, stratum, "complete", ("a", "b")), 3)
    words = np.random.Philox(key=int.from_bytes(KEY, "big")).random_raw(3 * 12).reshape(3, 12)
    for row, (first, *others) in zip(found, words.tolist(), strict=True):
        assert row[:3].tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]][first % 3]
        halves = [half for word in others for half in (word % 2**32, word // 2**32)][:21]
        border = sorted(halves)[10]
        assert row[3:].tolist() == [int(half >= border) for half in halves]


def test_the_key_of_the_redraws_is_the_one_the_rules_give() -> None:
    import hashlib

    assert redraw_key("abc") == hashlib.sha256(b"nudge-redraw/1\nabc").digest()[:16]
    with pytest.raises(ValueError, match="16 bytes"):
        next(ASSIGNMENTS["pairs"].redraw(1, b"short"))


def test_a_comparison_of_two_arms_holds_the_others_where_they_fell() -> None:
    assignment = ASSIGNMENTS["blocks of three arms"]
    two = assignment.between("c", "a")
    assert two.arms == ("a", "c")
    assert np.array_equal(two.positions, np.flatnonzero(assignment.arm != 1))
    assert np.array_equal(two.arm, assignment.arm[two.positions] // 2)
    assert two.clusters == tuple(assignment.clusters[place] for place in two.positions)
    # in each block the two arms own the slots that the design gives them, filled or not
    assert {tuple(row) for row in two.slots.tolist()} <= {(2, 1), (4, 2), (6, 3)}
    for row in all_redraws(two, 40):
        for block, owned in enumerate(two.slots):
            assert (np.bincount(row[two.group == block], minlength=2) <= owned).all()


def test_slots_of_clusters_left_out_count_as_unfilled() -> None:
    """A batch that was never posted leaves the analysis; its slots still belong to the block that was drawn."""
    first = draw(TWO, seed=SEED, batch=1, clusters={f"c{number}": "n" for number in range(4)}, drawn=())
    second = draw(TWO, seed=SEED, batch=2, clusters={f"d{number}": "n" for number in range(4)}, drawn=first)
    kept = Assignment.of_blocks(second, TWO)
    assert len(kept) == 4
    assert kept.slots.sum() > 4
    assert set(map(bytes, all_redraws(kept, 2_000))) == set(map(bytes, kept.enumerate()))


def test_epochs_have_strata_and_blocks_of_their_own() -> None:
    second = Design(trial="demo", arms=("current", "new", "third"), ratio=(1, 1, 1), epoch=2)
    rows = draw(TWO, seed=SEED, batch=1, clusters={f"c{number}": "n" for number in range(5)}, drawn=())
    rows += draw(second, seed=SEED, batch=2, clusters={f"d{number}": "n" for number in range(5)}, drawn=rows)
    assignment = Assignment.of_blocks(rows, (TWO, second))
    assert assignment.arms == ("current", "new", "third")
    assert assignment.strata == ("n\tepoch 1", "n\tepoch 2")
    assert np.array_equal(assignment.stratum, [0] * 5 + [1] * 5)
    assert (all_redraws(assignment, 200)[:, :5] < 2).all()
    with pytest.raises(Refused) as refusal:
        Assignment.of_blocks(rows, TWO)
    assert [problem.code for problem in refusal.value.problems] == [AllocationCode.DESIGN_MISSING.slug]


def test_rows_that_the_design_cannot_have_given_are_refused() -> None:
    rows = draw(TWO, seed=SEED, batch=1, clusters={f"c{number}": "n" for number in range(5)}, drawn=())
    other = Design(trial="demo", arms=("current", "new"), ratio=(3, 2))
    for refused, design in ((rows, other), ((*rows, rows[0]), TWO)):
        with pytest.raises(Refused) as refusal:
            Assignment.of_blocks(refused, design)
        assert [problem.code for problem in refusal.value.problems] == [AllocationCode.ROWS_DO_NOT_FIT_DESIGN.slug]
    with pytest.raises(Refused) as refusal:
        Assignment.of_blocks(rows, Design(trial="demo", arms=("x", "y"), ratio=(1, 1)))
    assert [problem.code for problem in refusal.value.problems] == [AllocationCode.ARM_UNKNOWN.slug]


def test_a_pair_without_both_arms_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        Assignment.of_recorded([0, 0, 0, 1], [0, 0, 1, 1], "pairs", ("a", "b"))
    assert [problem.code for problem in refusal.value.problems] == [AllocationCode.PAIR_WITHOUT_BOTH_ARMS.slug]


@pytest.mark.parametrize(
    ("arm", "stratum", "scheme", "smallest"),
    [
        ([0, 0, 0, 1, 1, 1], None, "complete", 2 / 20),  # 3 v 3 sites can never reach 0.05
        ([0, 0, 0, 0, 1, 1, 1, 1], None, "complete", 2 / 70),
        ([0, 0, 0, 0, 0, 1, 1], None, "complete", 1 / 21),  # no mirror among 5 v 2
        ([0, 1] * 5, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], "pairs", 2 / 32),  # nor can 5 pairs
        ([0, 1] * 6, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5], "pairs", 2 / 64),
        ([0, 1, 0, 1], None, "simple", 2 / 16),
        ([], None, "complete", 1.0),
    ],
)
def test_the_smallest_p_that_a_design_can_reach_is_known_beforehand(arm, stratum, scheme, smallest) -> None:
    assignment = Assignment.of_recorded(np.array(arm, dtype=int), stratum, scheme, ("a", "b"))
    assert assignment.attainable_p() == pytest.approx(smallest)


@pytest.mark.parametrize("size", range(3, 9))
def test_the_smallest_p_of_open_blocks_is_the_rarest_allocation_with_its_mirror(size) -> None:
    assignment = drawn(TWO, {"n": size})
    listed = Counter(map(bytes, assignment.enumerate()))
    total = sum(listed.values())
    mirrored = {row: listed[bytes(1 - np.frombuffer(row, dtype=np.int8))] for row in listed}
    assert assignment.attainable_p() == pytest.approx(min(listed[row] + mirrored[row] for row in listed) / total)


def test_designs_that_cannot_be_listed_say_so() -> None:
    unequal = Assignment.of_recorded([0, 0, 1], None, "simple", ("a", "b"))
    assert unequal.allocations() == math.inf
    with pytest.raises(ValueError, match="not listed"):
        unequal.enumerate()
    with pytest.raises(ValueError, match="between"):
        ASSIGNMENTS["simple"].attainable_p()
    assert len(Assignment.of_recorded([0, 1], None, "simple", ("a", "b")).enumerate()) == 4


def test_a_large_design_has_more_allocations_than_any_float_holds() -> None:
    assignment = Assignment.of_recorded(np.arange(4_000) % 2, None, "complete", ("a", "b"))
    assert assignment.allocations() == math.comb(4_000, 2_000)
    [rows] = assignment.redraw(3, KEY)
    assert (rows.sum(axis=1) == 2_000).all()
