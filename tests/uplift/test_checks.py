"""Arm sizes against the design by listing every draw; missing outcomes by arm; balance before the draw."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from nudge.allocation.assignment import Assignment
from nudge.allocation.design import Allocated, Design
from nudge.uplift.checks import balance, missing_by_arm, sample_ratio


def blocks(arms: tuple[str, ...], *written: tuple[int, str]) -> Assignment:
    """Blocks of one stratum as (size, arms of the filled slots, a letter each)."""
    rows = [
        Allocated(
            cluster=f"c{block}-{slot}",
            batch=1,
            stratum="all",
            epoch=1,
            block=block,
            slot=slot,
            block_size=size,
            arm=arm,
        )
        for block, (size, held) in enumerate(written, 1)
        for slot, arm in enumerate(held, 1)
    ]
    return Assignment.of_blocks(rows, Design(trial="t", arms=arms, ratio=(1,) * len(arms)), arms=arms)


def listed_p(assignment: Assignment, code: int) -> float:
    """The chance of a number of the arm's clusters no likelier than the one seen, over every draw."""
    numbers = Counter((assignment.enumerate() == code).sum(axis=1).tolist())
    seen = numbers[int((assignment.arm == code).sum())]
    return sum(count for count in numbers.values() if count <= seen) / numbers.total()


@pytest.mark.parametrize(
    "assignment",
    [
        blocks(("a", "b"), (4, "abab")),
        blocks(("a", "b"), (4, "abab"), (8, "aaaab")),
        blocks(("a", "b"), (4, "aa"), (6, "aaa"), (4, "bb")),
    ],
)
def test_two_arms_are_tried_against_every_draw_of_the_design(assignment):
    found = sample_ratio(assignment)
    assert found["p_value"] == pytest.approx(listed_p(assignment, 0), abs=1e-12)
    assert found["p_value"] == pytest.approx(listed_p(assignment, 1), abs=1e-12)
    assert sum(found["expected"].values()) == pytest.approx(sum(found["observed"].values()))


def test_of_three_arms_none_hides_behind_the_first():
    """The first arm is as large as expected; the other two are as unlike as the design can make them."""
    assignment = blocks(("a", "b", "c"), (9, "abbb"), (3, "b"))
    found = sample_ratio(assignment)
    least = min(listed_p(assignment, code) for code in range(3))
    assert found["p_value"] == pytest.approx(min(1.0, 3 * least), abs=1e-12)
    assert found["p_value"] < listed_p(assignment, 0)


def test_independent_draws_have_no_sizes_to_hold_to():
    assert sample_ratio(Assignment.of_recorded(np.array([0, 1, 1]), None, "simple", ("a", "b"))) is None


def test_missing_outcomes_are_compared_by_pearsons_chi_square():
    found = missing_by_arm({"a": 120, "b": 110, "c": 100}, {"a": 6, "b": 15})
    assert found["counts"] == {"a": 6, "b": 15, "c": 0}
    wanted = chi2_contingency([[6, 114], [15, 95], [0, 100]], correction=False).pvalue
    assert found["p_value"] == pytest.approx(wanted, rel=1e-12)
    assert missing_by_arm({"a": 9, "b": 9}, {})["p_value"] is None


def test_balance_is_in_pooled_standard_deviations_and_leaves_the_missing_out():
    values = np.array([1.0, 2.0, 3.0, np.nan, 5.0, 7.0, 9.0])
    found = balance("arrears", values, np.array([0, 0, 0, 0, 1, 1, 1]), ("a", "b"))
    assert found["arms"] == {"a": 2.0, "b": 7.0}
    assert found["standardised_difference"] == pytest.approx(5 / np.sqrt((1 + 4) / 2))
