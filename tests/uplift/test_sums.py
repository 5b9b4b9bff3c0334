"""Ratios of sums against R's survey package, and what must hold for any sums."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.analysis import analyse_outcome
from nudge.uplift.estimate import Flag, Measure, PMethod
from nudge.uplift.results import OutcomeResult
from nudge.uplift.sums import due_df, ratio_values
from nudge.uplift.units import UnitTable

ORACLE = json.loads((Path(__file__).parents[1] / "data" / "oracles" / "sums.json").read_text("utf-8"))
COLLECTED = Outcome(id="collected", type=OutcomeType.RATIO, column="paid", over="due", primary=True, better="higher")
SUMS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 100)), min_size=3, max_size=30)


def analysed(y: np.ndarray, over: np.ndarray, arm: np.ndarray, cluster: np.ndarray | None = None) -> OutcomeResult:
    table = UnitTable(arms=("old", "new"), arm=arm, y=y, over=over, cluster=cluster)
    return analyse_outcome(
        COLLECTED,
        table,
        assignment=None,
        randomised="yes",
        confidence=0.95,
        smallest_worthwhile=0.02,
        multiplicity=None,
        redraw_key=bytes(16),
        redraws=199,
        live=False,
    )


def oracle_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    paid, due = (np.array(ORACLE[key], dtype=float) for key in ("paid", "due"))
    return paid, due, np.array(ORACLE["arm"])


def test_i10_the_difference_of_two_ratios_of_sums_is_that_of_rs_survey() -> None:
    result = analysed(*oracle_table())
    [row] = result.headlines
    (reference, arm), errors = ORACLE["ratio"], ORACLE["se"]
    assert row.measure is Measure.RATIO_DIFFERENCE
    assert row.estimate == pytest.approx(arm - reference, abs=ORACLE["tolerance"])
    assert row.se == pytest.approx(math.hypot(*errors), abs=ORACLE["tolerance"])
    assert row.p_method is PMethod.RANDOMISATION_DRAWN
    for found, ratio, se in zip(result.arms, ORACLE["ratio"], errors, strict=True):
        assert found.values["ratio"]["estimate"] == pytest.approx(ratio, abs=ORACLE["tolerance"])
        assert found.values["ratio"]["se"] == pytest.approx(se, abs=ORACLE["tolerance"])
    assert "percentage points higher" in result.verdict[0].text


def test_households_are_summed_before_their_spread_is_measured() -> None:
    paid, due, arm = oracle_table()
    doubled = analysed(*(np.repeat(part, 2) for part in (paid, due, arm)), cluster=np.repeat(np.arange(24), 2))
    [row], [once] = doubled.headlines, analysed(paid, due, arm).headlines
    assert row.estimate == pytest.approx(once.estimate, abs=1e-12)
    assert row.se == pytest.approx(once.se, rel=1e-9)  # the same household twice tells no more


@given(SUMS, st.floats(0.1, 10))
def test_the_mean_of_the_values_is_the_ratio_whatever_the_currency(sums: list[tuple[int, int]], rate: float) -> None:
    y, over = np.array(sums, dtype=float).T
    assert ratio_values(y, over).mean() == pytest.approx(y.sum() / over.sum())
    assert ratio_values(rate * y, rate * over) == pytest.approx(ratio_values(y, over), abs=1e-9)


@given(SUMS, SUMS)
def test_swapping_the_arms_mirrors_the_interval(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    y, over = np.array(one + other, dtype=float).T
    arm = np.repeat([0, 1], [len(one), len(other)])
    [there], [back] = analysed(y, over, arm).headlines, analysed(y, over, 1 - arm).headlines
    assert there.estimate == pytest.approx(-(back.estimate or 0.0), abs=1e-12)
    assert (there.ci is None) == (back.ci is None)
    if there.ci is not None and back.ci is not None:
        assert there.ci == pytest.approx((-back.ci[1], -back.ci[0]), abs=1e-9)


def test_an_arm_to_which_nothing_was_due_has_no_ratio() -> None:
    paid, due, arm = oracle_table()
    result = analysed(paid, np.where(arm == 1, 0.0, due), arm)
    [row] = result.headlines
    assert (row.estimate, row.flags) == (None, (Flag.NO_DENOMINATOR,))
    assert result.arms[1].values["ratio"]["estimate"] is None
    json.dumps(result.document(), allow_nan=False)


def test_a_ratio_without_a_denominator_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ratio_values(np.ones(2), np.zeros(2))


def test_a_few_large_debts_leave_few_degrees_of_freedom_and_equal_ones_a_unit_each() -> None:
    arm = np.repeat([0, 1], 50)
    assert due_df(np.full(100, 7.0), arm, np.arange(100)) == pytest.approx(100)
    few = np.where(np.arange(100) % 50 < 3, 1_000.0, 0.01)
    assert due_df(few, arm, np.arange(100)) == pytest.approx(6, rel=1e-3)
    assert due_df(np.full(100, 7.0), arm, np.arange(100) // 5) == pytest.approx(20)


def test_a_skewed_debt_does_not_make_two_same_letters_differ_more_often_than_it_should() -> None:
    rejected = []  # with t on units less 2 this is 12 in 100
    for number in range(300):
        rng = np.random.default_rng(number)
        due = np.exp(1.5 * rng.normal(size=120))
        [row] = analysed(due * rng.beta(0.5, 0.5, 120), due, np.arange(120) % 2).headlines
        assert row.p_method is PMethod.WALD_T
        rejected.append(row.p_value is not None and row.p_value <= 0.05)
    assert np.mean(rejected) < 0.075
