"""Bounds for missing outcomes: by hand, by Lee's own variance, and by what may not matter."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from uplift_cases import CALLS, CONTACT, MONEY, SHARE, analysed, codes, oracles

from nudge.experiment.definition import Outcome
from nudge.uplift.bounds import Sample, imbens_manski, lee, manski
from nudge.uplift.facts import Facts
from nudge.uplift.units import UnitTable

[TOY] = oracles("bounds", "toy")


def sample(one: Any, zero: Any, cluster: Any = None, stratum: Any = None) -> Sample:
    """Two arms' values, None where missing."""
    values = [*one, *zero]
    n = len(values)
    return Sample(
        z=codes([1] * len(one) + [0] * len(zero)),
        seen=np.array([value is not None for value in values]),
        y=np.array([0.0 if value is None else value for value in values]),
        stratum=np.zeros(n, dtype=np.int64) if stratum is None else codes(stratum),
        cluster=np.arange(n) if cluster is None else codes(cluster),
    )


TOY_SAMPLE = sample([*range(1, 10), None], [*range(2, 8), None, None, None, None])


def lines(outcome: Outcome, table: UnitTable, lost: Any, **changes: Any) -> list[Any]:
    missing = UnitTable(arms=table.arms, arm=codes(lost), stratum=changes.pop("lost_strata", None))
    return list(analysed(outcome, replace(table, missing=missing), **changes).panels.get("bounds", []))


def test_i10_the_toy_has_the_bounds_worked_by_hand():
    found = manski(TOY_SAMPLE, (0.0, 10.0))
    assert (found.low, found.high) == pytest.approx(tuple(TOY["manski"]), abs=TOY["tolerance"])
    trimmed, share, of_arm = lee(TOY_SAMPLE)
    assert (trimmed.low, trimmed.high) == pytest.approx(tuple(TOY["lee"]), abs=TOY["tolerance"])
    assert (share, of_arm) == (pytest.approx(TOY["trim_share"]), True)


def test_i10_the_error_of_a_trimmed_bound_is_lees_asymptotic_one_by_influence_values():
    trimmed, _, _ = lee(TOY_SAMPLE)
    finite = math.sqrt(20 / 19)
    assert trimmed.low_se == pytest.approx(TOY["lee_se_asymptotic"] * finite, rel=1e-12)
    assert trimmed.high_se == pytest.approx(TOY["lee_se_asymptotic"] * finite, rel=1e-12)


@pytest.mark.parametrize(("width", "se"), [(0.0, 1.0), (0.5, 1.0), (2.0, 0.7), (50.0, 1.0)])
def test_i10_the_interval_covers_an_effect_at_either_end_with_its_confidence(width, se):
    c = imbens_manski(width, se, 0.95)
    inside, _ = integrate.quad(stats.norm.pdf, -c, c + width / se, epsabs=1e-13, limit=200, points=[0.0])
    assert inside == pytest.approx(0.95, abs=1e-9)
    assert stats.norm.ppf(0.95) - 1e-9 <= c <= stats.norm.ppf(0.975) + 1e-9


def test_without_a_spread_the_interval_is_the_bounds_themselves_wide_by_nothing():
    assert imbens_manski(1.0, 0.0, 0.95) == pytest.approx(stats.norm.ppf(0.95))
    assert imbens_manski(0.0, 0.0, 0.95) == pytest.approx(stats.norm.ppf(0.975))


values = st.lists(st.one_of(st.none(), st.integers(0, 20).map(float)), min_size=3, max_size=20).filter(
    lambda held: sum(value is not None for value in held) > 1
)


@settings(deadline=None)
@given(values, values)
def test_the_effect_of_those_measured_lies_between_the_bounds_and_lees_lie_inside_no_wider_than_the_data(one, zero):
    observed = np.mean([v for v in one if v is not None]) - np.mean([v for v in zero if v is not None])
    worst = manski(sample(one, zero), (0.0, 20.0))
    trimmed, share, _ = lee(sample(one, zero))
    assert worst.low - 1e-9 <= observed <= worst.high + 1e-9
    assert trimmed.low - 1e-9 <= observed <= trimmed.high + 1e-9
    assert 0 <= share < 1
    lost = [sum(v is None for v in arm) / len(arm) for arm in (one, zero)]
    assert worst.high - worst.low == pytest.approx(20 * sum(lost))


@settings(deadline=None)
@given(values, values)
def test_turning_the_sign_or_the_arms_turns_the_bounds(one, zero):
    straight, _, _ = lee(sample(one, zero))
    negative, _, _ = lee(sample(*([None if v is None else -v for v in arm] for arm in (one, zero))))
    swapped, _, _ = lee(sample(zero, one))
    for turned in (negative, swapped):
        assert (turned.low, turned.high) == pytest.approx((-straight.high, -straight.low), abs=1e-9)
        for one_se, other in ((turned.low_se, straight.high_se), (turned.high_se, straight.low_se)):
            assert one_se == pytest.approx(other, abs=1e-9)


def test_with_nobody_missing_more_in_one_arm_lees_bounds_meet_at_the_effect():
    trimmed, share, _ = lee(sample([1.0, 2.0, None], [0.0, 5.0, None]))
    assert (trimmed.low, trimmed.high, share) == (pytest.approx(-1.0), pytest.approx(-1.0), 0.0)


def test_households_widen_the_errors_of_both_kinds():
    rng = np.random.default_rng(2)
    shared = np.repeat(rng.normal(0, 3, 60), 2)
    y = [None if n % 9 == 0 else float(value) for n, value in enumerate(shared)]
    apart, together = sample(y[:60], y[60:]), sample(y[:60], y[60:], cluster=np.arange(120) // 2)
    for bound in (lambda held: manski(held, (-12.0, 12.0)), lambda held: lee(held)[0]):
        assert bound(together).low_se > 1.1 * bound(apart).low_se


def test_trimming_within_strata_weighs_them_by_those_measured_in_either_arm():
    one = [1.0, 2.0, 3.0, None] * 5 + [10.0, 20.0] * 5
    zero = [1.0, None, 2.0, None] * 5 + [10.0, 15.0] * 5
    strata = ([0] * 20 + [1] * 10) * 2
    found, share, of_arm = lee(sample(one, zero, stratum=strata), within_strata=True)
    parts = [
        lee(sample(*([v for v, s in zip(arm, strata, strict=False) if s == code] for arm in (one, zero))))
        for code in (0, 1)
    ]
    weights = np.array([40 * 0.5, 20 * 1.0])
    weights /= weights.sum()
    assert found.low == pytest.approx(float(weights @ [part[0].low for part in parts]))
    assert found.high_se == pytest.approx(float(np.hypot(*(weights * [part[0].high_se for part in parts]))))
    assert (share, of_arm) == (pytest.approx(weights[0] / 3), True)


# in an analysis


def money(**columns: Any) -> UnitTable:
    rng = np.random.default_rng(7)
    return UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 60)), y=rng.uniform(0, 100, 120), **columns)


def test_a_mean_needs_its_range_declared_for_the_bounds_that_assume_nothing():
    worst, trimmed = lines(MONEY, money(), [0, 1, 1])
    assert (worst["kind"], worst["bounds"], worst["reason"]) == ("manski", None, "no_range")
    assert (trimmed["kind"], trimmed["reason"], trimmed["trimmed"]) == ("lee", None, "a")
    assert (trimmed["missing_arm"], trimmed["missing_reference"], trimmed["assigned_arm"]) == (2, 1, 62)
    ranged = MONEY.model_copy(update={"range": (0, 100)})
    worst, _ = lines(ranged, money(), [0, 1, 1])
    assert worst["bounds"][0] < worst["bounds"][1]
    assert worst["ci"][0] < worst["bounds"][0] < worst["bounds"][1] < worst["ci"][1]
    worst, _ = lines(MONEY.model_copy(update={"range": (0, 50)}), money(), [0, 1, 1])
    assert (worst["bounds"], worst["reason"]) == (None, "value_outside_range")


def test_without_a_draw_by_chance_only_the_bounds_that_assume_nothing_stand():
    [worst] = lines(MONEY.model_copy(update={"range": (0, 100)}), money(), [0, 1, 1], randomised="no")
    assert (worst["kind"], worst["reason"]) == ("manski", None)


def test_pounds_of_the_range_are_pence_inside():
    ranged = MONEY.model_copy(update={"range": (0, 1)})
    worst, _ = lines(ranged, money(), [1], money=True)
    assert worst["range"] == [0.0, 100.0]
    assert worst["bounds"][1] - worst["bounds"][0] == pytest.approx(100 / 61)


def test_a_share_is_bounded_by_nobody_and_everybody():
    table = UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 50)), y=(np.arange(100) % 3 == 0).astype(float))
    worst, _ = lines(SHARE, table, [1] * 10)
    assert worst["bounds"][1] - worst["bounds"][0] == pytest.approx(10 / 60)


def test_a_time_is_bounded_by_day_0_and_the_horizon_if_all_the_others_were_followed_so_far():
    time = np.tile(np.arange(1.0, 61.0), 2)
    table = UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 60)), time=np.minimum(time, 56), event=time <= 56)
    worst, trimmed = lines(CONTACT, table, [0] * 5)
    assert worst["bounds"][1] - worst["bounds"][0] == pytest.approx(56 * 5 / 65)
    assert trimmed["trimmed"] == "b"
    short = replace(table, time=np.where(np.arange(120) % 7 == 3, 0.5, table.time), event=np.arange(120) % 7 != 3)
    assert [line["reason"] for line in lines(CONTACT, short, [0])] == ["follow_up_incomplete"] * 2


def test_nothing_is_said_where_nothing_is_missing_or_nobody_knows_or_rates_and_pairs_are_compared():
    assert lines(MONEY, money(), []) == []
    assert "bounds" not in analysed(MONEY, money()).panels
    counts = UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 20)), count=np.arange(40.0))
    assert lines(CALLS, counts, [1]) == []
    paired = UnitTable(arms=("a", "b"), arm=codes(np.arange(40) % 2), y=np.arange(40.0), pair=codes(np.arange(40) // 2))
    assert lines(MONEY, paired, [1]) == []


def test_strata_are_used_for_trimming_only_where_the_plan_says_so():
    table = money(stratum=codes(np.arange(120) % 2), strata=("x", "y"))
    strata = codes([0, 0, 1])
    _, plain = lines(MONEY, table, [1, 1, 0], lost_strata=strata)
    _, within = lines(MONEY, table, [1, 1, 0], lost_strata=strata, facts=Facts(trim_within_strata=True))
    assert (plain["within_strata"], within["within_strata"]) == (False, True)
    assert plain["bounds"] != within["bounds"]


def test_an_arm_measured_nowhere_in_common_has_nothing_to_compare():
    table = money(stratum=codes(np.repeat([0, 1], 60)), strata=("x", "y"))
    facts = Facts(trim_within_strata=True)
    _, trimmed = lines(MONEY, table, [1, 0], lost_strata=codes([0, 1]), facts=facts)
    assert (trimmed["bounds"], trimmed["reason"]) == (None, "nothing_to_compare")
