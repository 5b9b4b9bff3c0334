"""What a gain costs: Fieller's sets against R, net benefit by plain algebra, letters saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import stdtr
from uplift_cases import CALLS, CONTACT, MONEY, SHARE, analysed, codes, household_trial, named, oracles, shares

from nudge.experiment.definition import Outcome
from nudge.uplift.fieller import RatioKind, ratio_set
from nudge.uplift.units import UnitTable


def lines(outcome: Outcome, table: UnitTable, panel: str = "costs", **changes: Any) -> list[Any]:
    return list(analysed(outcome, table, **changes).panels.get(panel, []))


def spent(table: UnitTable, pence: Any) -> UnitTable:
    """The table with what was spent on each unit, one number an arm or one a unit."""
    cost = np.asarray(pence, dtype=np.float64)
    return replace(table, spent=cost[table.arm] if cost.size == len(table.arms) else cost)


@pytest.mark.parametrize("case", oracles("fieller", "fieller"), ids=named)
def test_i10_a_ratios_set_is_fiellers(case):
    numbers = [case[key] for key in ("above", "below", "variance_above", "variance_below", "covariance", "critical")]
    found = ratio_set(*numbers)
    assert found.kind == case["set"]
    assert found.ends == pytest.approx(case["ends"], rel=case["tolerance"])


number = st.floats(-100, 100).filter(lambda value: abs(value) > 1e-3)


@settings(deadline=None)
@given(number, number, st.floats(0.01, 100), st.floats(0.01, 100), st.floats(-0.99, 0.99), st.floats(0.5, 4))
def test_the_set_holds_the_ratio_and_is_an_interval_only_where_the_gain_is_told_from_nothing(a, b, sa, sb, r, c):
    assume(abs(abs(b) - c * sb) > 1e-6)
    found = ratio_set(a, b, sa**2, sb**2, r * sa * sb, c)
    assert found.holds(a / b)
    assert (found.kind is RatioKind.INTERVAL) == (abs(b) > c * sb)
    if found.ends is not None:
        for end in found.ends:
            away = (a - end * b) ** 2
            assert away == pytest.approx(c**2 * (sa**2 - 2 * end * r * sa * sb + end**2 * sb**2), rel=1e-5, abs=1e-6)


def test_at_the_very_edge_the_set_is_everything():
    found = ratio_set(1.0, 2.0, 1.0, 1.0, 0.0, 2.0)
    assert (found.kind, found.ends, found.interval) == (RatioKind.EVERYTHING, None, None)
    assert found.holds(1e9)


def test_with_one_price_an_arm_the_price_of_a_contact_is_the_difference_over_the_gain():
    table = spent(shares([(60, 200), (90, 200)]), [92.0, 140.0])
    [row] = analysed(SHARE, table).headlines
    [line] = lines(SHARE.model_copy(update={"value": 5}), table)
    assert (line["per"], line["cost_arm"], line["cost_reference"]) == ("event", 140.0, 92.0)
    assert (line["cost_difference"], line["cost_se"]) == (pytest.approx(48.0), pytest.approx(0.0, abs=1e-9))
    assert line["ratio"] == pytest.approx(48 / 0.15)
    assert line["net_benefit"] == pytest.approx(500 * 0.15 - 48)
    assert line["net_benefit_se"] == pytest.approx(500 * line["gain_se"])
    assert line["probability_worth_it"] == pytest.approx(
        stdtr(line["df"], line["net_benefit"] / line["net_benefit_se"])
    )
    assert line["gain"] == pytest.approx(row.estimate)
    ends = sorted(
        48 / (line["gain"] + side * (line["net_benefit_ci"][1] - line["net_benefit"]) / 500) for side in (-1, 1)
    )
    assert line["ratio_ends"] == pytest.approx(ends)


def test_a_gain_that_may_be_nothing_has_no_upper_price():
    [line] = lines(SHARE, spent(shares([(60, 200), (66, 200)]), [92.0, 140.0]))
    assert line["ratio_set"] == "outside"
    assert line["ratio_ends"][0] < 0 < line["ratio_ends"][1] <= line["ratio"]
    assert line["net_benefit"] is None


def test_an_arm_that_did_worse_has_no_price():
    [line] = lines(SHARE, spent(shares([(90, 200), (60, 200)]), [92.0, 140.0]))
    assert (line["ratio"], line["reason"], line["ratio_set"]) == (None, "no_gain", "interval")


def test_a_time_has_a_price_for_each_contact_and_for_each_day():
    table, assignment = household_trial(4, clusters=200)
    table = spent(table, 92.0 + 48.0 * table.arm + 30.0 * table.event)
    event, time = lines(CONTACT.model_copy(update={"value": 2}), table, assignment=assignment)
    [row] = analysed(CONTACT, table, assignment=assignment).headlines
    assert (event["per"], time["per"]) == ("event", "time")
    assert time["gain"] == pytest.approx(-row.estimate)
    assert time["value"] == 200.0
    assert event["value"] is None
    assert time["net_benefit"] == pytest.approx(200 * time["gain"] - time["cost_difference"])
    assert event["cost_difference"] == time["cost_difference"]
    later = analysed(CONTACT.model_copy(update={"better": "higher"}), table, assignment=assignment).panels["costs"]
    assert [line["gain"] for line in later] == pytest.approx([-event["gain"], -time["gain"]])


def test_arrears_are_told_pound_for_pound_and_never_as_a_ratio():
    rng = np.random.default_rng(6)
    table = UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 80)), y=rng.normal(20_000, 3_000, 160))
    [line] = lines(MONEY, spent(table, [92.0, 140.0]), money=True)
    assert (line["value"], line["ratio"], line["ratio_set"]) == (1.0, None, None)
    assert line["net_benefit"] == pytest.approx(line["gain"] - 48)
    assert lines(MONEY, spent(table, [92.0, 140.0])) == []  # a number that is no money, and that nobody valued
    [halved] = lines(MONEY.model_copy(update={"value": 0.5}), spent(table, [92.0, 140.0]), money=True)
    assert halved["net_benefit"] == pytest.approx(line["gain"] / 2 - 48)


def test_costs_that_go_with_the_outcome_enter_its_error():
    rng = np.random.default_rng(9)
    y = (rng.random(400) < np.repeat([0.3, 0.45], 200)).astype(float)
    table = UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 200)), y=y)
    [line] = lines(SHARE.model_copy(update={"value": 3}), spent(table, 92.0 + 300.0 * y))
    assert line["net_benefit"] == pytest.approx(0, abs=1e-9)
    assert line["net_benefit_se"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("changes", [{"randomised": "no"}, {"randomised": "unknown"}])
def test_without_a_draw_by_chance_nothing_has_a_price(changes):
    assert lines(SHARE, spent(shares([(60, 200), (90, 200)]), [92.0, 140.0]), **changes) == []


def test_nothing_has_a_price_for_rates_or_where_nobody_says_what_was_spent_or_what_is_better():
    counts = UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 20)), count=np.arange(40.0))
    assert lines(CALLS, spent(counts, [1.0, 2.0])) == []
    assert lines(SHARE, shares([(60, 200), (90, 200)])) == []
    unsaid = SHARE.model_copy(update={"better": None})
    assert lines(unsaid, spent(shares([(60, 200), (90, 200)]), [1.0, 2.0])) == []


def test_where_nobody_differs_there_is_no_error_and_a_reason():
    [line] = lines(SHARE, spent(shares([(200, 200), (200, 200)]), [92.0, 140.0]))
    assert (line["reason"], line["ratio_set"], line["net_benefit"]) == ("no_standard_error", None, None)


def test_later_letters_saved_are_a_difference_of_means_by_household():
    table, assignment = household_trial(5, clusters=120)
    later = np.where(table.event & (table.time <= 14), 0.0, 1.0)
    [line] = lines(CONTACT, replace(table, later_letters=later), "letters", assignment=assignment)
    assert line["letters_arm"] == pytest.approx(later[table.arm == 1].mean())
    assert line["ci"][0] < line["saved"] < line["ci"][1]
    twin = SHARE.model_copy(update={"better": "lower"})
    [row] = analysed(twin, replace(table, y=later), assignment=assignment).headlines
    assert line["saved"] == pytest.approx(-row.estimate)
    assert line["se"] == pytest.approx(row.se)


def test_letters_are_told_once_of_a_primary_outcome_with_any_later_letter():
    table = shares([(60, 200), (90, 200)])
    assert lines(SHARE, replace(table, later_letters=np.zeros(400)), "letters") == []
    secondary = SHARE.model_copy(update={"primary": False})
    assert lines(secondary, replace(table, later_letters=np.ones(400)), "letters") == []
    [line] = lines(SHARE, replace(table, later_letters=np.ones(400)), "letters")
    assert (line["saved"], line["ci"]) == (0.0, None)
