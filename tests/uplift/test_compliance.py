"""The complier effect against two-stage least squares made elsewhere, and where it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uplift_cases import CALLS, CONTACT, MONEY, SHARE, analysed, codes, floats, household_trial, named, oracles, shares

from nudge.experiment.definition import Outcome
from nudge.uplift.clusters import arm_effect
from nudge.uplift.comparison import Comparison
from nudge.uplift.compliance import complier_effect
from nudge.uplift.refit import Refit
from nudge.uplift.units import UnitTable

CASES = oracles("compliance", "two_stage")


def lines(outcome: Outcome, table: UnitTable, **changes: Any) -> list[Any]:
    return list(analysed(outcome, table, **changes).panels.get("compliance", []))


def received(table: UnitTable, reached: Any) -> UnitTable:
    """The table where a unit got its own arm's letter if `reached`, else none."""
    return replace(table, received=np.where(reached, table.arm, -1))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_i10_the_complier_effect_is_two_stage_least_squares_with_cr2(case):
    data = CASES[0]["data"]
    columns: dict[str, Any] = {name: codes(data[name]) for name in case["by"]}
    if "stratum" in columns:
        columns["strata"] = ("north", "south")
    table = UnitTable(
        arms=("old", "new"),
        arm=codes(data["arm"]),
        y=floats(data["y"]),
        received=np.where(np.array(data["received"]) == 1, 1, -1),
        **columns,
    )
    [line] = lines(MONEY, table)
    for key, found in (("estimate", "estimate"), ("se", "se"), ("df", "df"), ("f", "first_stage_f")):
        assert line[found] == pytest.approx(case[key], rel=case["tolerance"])
    assert line["first_stage"] == pytest.approx(case["first_stage"], rel=case["tolerance"])
    assert line["ci"] == pytest.approx(case["ci"], rel=case["tolerance"])
    assert line["flags"] == []


def test_where_every_letter_arrived_the_complier_effect_is_that_of_sending_it():
    table, assignment = household_trial(1)
    result = analysed(CONTACT, received(table, True), assignment=assignment)
    [line], [row] = result.panels["compliance"], result.headlines
    assert (line["received_arm"], line["received_reference"], line["first_stage_f"]) == (1.0, 0.0, None)
    assert line["estimate"] == pytest.approx(row.estimate)
    assert line["ci"] == pytest.approx(row.ci)
    assert line["intention_to_treat"] == pytest.approx(row.estimate)


def test_letters_lost_at_random_in_both_arms_leave_the_effect_over_the_share_that_arrived():
    table = received(shares([(60, 200), (90, 200)]), np.arange(400) % 10 != 0)
    [line] = lines(SHARE, table)
    assert line["estimate"] == pytest.approx(0.15 / 0.9)
    assert line["received_reference"] == 0.0  # the reference's own letter is another


def test_a_letter_that_reached_the_reference_counts_against_the_first_stage():
    table = shares([(60, 200), (90, 200)])
    got = np.where(np.arange(400) % 10 == 0, 1 - table.arm, table.arm)
    [line] = lines(SHARE, replace(table, received=got))
    assert line["first_stage"] == pytest.approx(0.8)
    assert line["estimate"] == pytest.approx(0.15 / 0.8)


@pytest.mark.parametrize("reached", [0.0, 0.02])
def test_a_weak_first_stage_is_refused(reached):
    table = shares([(60, 100), (70, 100)])
    table = received(table, np.tile(np.arange(100) < 100 * reached, 2))
    [line] = lines(SHARE, table)
    assert line["flags"] == ["weak_first_stage"]
    assert (line["estimate"], line["se"], line["ci"]) == (None, None, None)
    assert line["intention_to_treat"] == pytest.approx(0.1)


def test_a_letter_that_reached_fewer_of_its_own_arm_is_refused():
    table = shares([(60, 100), (70, 100)])
    [line] = lines(SHARE, replace(table, received=np.where(table.arm == 0, 1, -1)))
    assert line["flags"] == ["weak_first_stage"]


def test_an_outcome_that_is_receipt_itself_has_an_estimate_and_no_interval():
    table = shares([(0, 100), (80, 100)])
    [line] = lines(SHARE, replace(table, received=np.where(table.y == 1, 1, -1)))
    assert line["estimate"] == pytest.approx(1.0)
    assert (line["ci"], line["flags"]) == (None, ["no_variance"])


def test_a_rate_has_no_complier_effect_and_unknown_receipt_none_either():
    table = UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 20)), count=np.arange(40.0) % 5)
    assert lines(CALLS, received(table, True)) == []
    assert lines(SHARE, shares([(60, 100), (70, 100)])) == []


@pytest.mark.parametrize("randomised", ["no", "unknown"])
def test_without_a_draw_by_chance_there_is_no_complier_effect(randomised):
    assert lines(SHARE, received(shares([(60, 100), (70, 100)]), True), randomised=randomised) == []


def test_the_interval_follows_the_trials_confidence():
    table = received(shares([(60, 200), (90, 200)]), np.arange(400) % 10 != 0)
    [wide], [narrow] = lines(SHARE, table, confidence=0.99), lines(SHARE, table, confidence=0.9)
    assert wide["ci"][0] < narrow["ci"][0] < narrow["estimate"] < narrow["ci"][1] < wide["ci"][1]


def test_with_a_baseline_both_stages_are_adjusted_for_it():
    rng = np.random.default_rng(8)
    before = rng.normal(100, 30, 400)
    arm = codes(np.arange(400) % 2)
    got = (arm == 1) & (rng.random(400) < 0.8)
    y = before - 10.0 * got + rng.normal(0, 5, 400)
    table = UnitTable(arms=("a", "b"), arm=arm, y=y, baseline=before, received=np.where(got, 1, -1))
    [adjusted], [plain] = lines(MONEY, table), lines(MONEY, replace(table, baseline=None))
    assert adjusted["se"] < plain["se"] / 3
    assert adjusted["estimate"] == pytest.approx(-10, abs=3 * adjusted["se"])


def test_pairs_and_clusters_weighed_once_keep_their_own_comparison():
    table, assignment = household_trial(3, strata=1)
    got = received(table, np.arange(len(table)) % 7 != 0)
    [line] = lines(CONTACT, got, assignment=assignment, weigh="cluster")
    [row] = analysed(CONTACT, got, assignment=assignment, weigh="cluster").headlines
    assert line["intention_to_treat"] == pytest.approx(row.estimate)
    pairs = UnitTable(
        arms=("a", "b"),
        arm=codes(np.arange(40) % 2),
        pair=codes(np.arange(40) // 2),
        y=np.arange(40.0) ** 1.2 % 7,
        received=np.where(np.arange(40) % 5 == 0, -1, np.arange(40) % 2),
    )
    [paired] = lines(MONEY, pairs)
    assert paired["intention_to_treat"] == pytest.approx(analysed(MONEY, pairs).headlines[0].estimate)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 20), st.floats(-50, 50))
def test_scale_and_shift_and_order_of_rows_change_nothing_but_the_unit(seed, scale, shift):
    rng = np.random.default_rng(seed)
    arm = codes(rng.permutation(np.arange(60) % 2))
    y = rng.normal(0, 1, 60) + arm
    table = UnitTable(arms=("a", "b"), arm=arm, y=y, received=np.where(rng.random(60) < 0.9, arm, -1))
    [line] = lines(MONEY, table)
    order = rng.permutation(60)
    moved = UnitTable(arms=("a", "b"), arm=arm[order], y=scale * y[order] + shift, received=table.received[order])
    [other] = lines(MONEY, moved)
    assert other["estimate"] == pytest.approx(scale * line["estimate"])
    assert other["ci"] == pytest.approx([scale * end for end in line["ci"]])
    assert other["first_stage_f"] == pytest.approx(line["first_stage_f"])


def test_the_interval_holds_the_effect_on_those_reached_in_95_of_100_trials_of_households():
    held = []
    for seed in range(300):
        rng = np.random.default_rng([7, seed])
        cluster = np.repeat(np.arange(60), 2)
        arm = codes(rng.permutation(np.arange(60) % 2)[cluster])
        reachable = rng.random(120) < 0.6
        got = (arm == 1) & reachable
        y = 2.0 * reachable + got + rng.normal(0, 1, 60)[cluster] + rng.normal(0, 1.5, 120)
        comparison = Comparison.of(UnitTable(arms=("a", "b"), arm=arm, cluster=cluster).coded(), "b", None)
        z, stratum = comparison.z, np.zeros(120, dtype=np.int64)
        refit = Refit(lambda v: v, lambda v, z=z, stratum=stratum, cluster=cluster: arm_effect(v, z, stratum, cluster))
        ci = complier_effect(refit, y, got.astype(float), 0.95).ci
        held.append(ci[0] <= 1 <= ci[1])
    assert 0.92 <= np.mean(held) <= 0.98
