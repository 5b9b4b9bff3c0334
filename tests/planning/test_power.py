"""Sizes, power and what a significant result is worth, against R and by what must hold whatever the numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uplift_cases import named, oracles

from nudge.planning.power import (
    chances,
    control_share,
    critical_value,
    design_effect,
    freedman_events,
    power,
    schoenfeld_events,
    smallest_p,
    smallest_paired_p,
    units_each,
    units_each_pooled,
    wanted,
)
from nudge.planning.response import Amounts, Counted, Shares, Times, exponential

Z = critical_value(0.95)


@pytest.mark.parametrize("oracle", oracles("power", "events"), ids=named)
def test_i10_events_of_a_log_rank_test_are_those_of_schoenfeld_and_freedman(oracle: Any) -> None:
    ratio, near = oracle["ratio"], {"abs": oracle["tolerance"]}
    assert schoenfeld_events(oracle["hazard_ratio"], ratio=ratio) == pytest.approx(oracle["schoenfeld"], **near)
    assert freedman_events(oracle["hazard_ratio"], ratio=ratio) == pytest.approx(oracle["freedman"], **near)


@pytest.mark.parametrize("oracle", oracles("power", "schoenfeld"), ids=named)
def test_i10_total_contacts_for_a_hazard_ratio(oracle: Any) -> None:
    assert schoenfeld_events(oracle["hazard_ratio"]) == pytest.approx(oracle["events"], abs=oracle["tolerance"])


@pytest.mark.parametrize("oracle", oracles("power", "pooled_shares"), ids=named)
def test_i10_units_for_two_shares_by_the_pooled_score(oracle: Any) -> None:
    each = units_each_pooled(oracle["reference"], oracle["arm"], target=oracle["target"], ratio=oracle["ratio"])
    assert each == pytest.approx(oracle["each"], abs=oracle["tolerance"])


@pytest.mark.parametrize("oracle", oracles("power", "shares"), ids=named)
def test_i10_units_for_two_shares_with_their_own_variances(oracle: Any) -> None:
    response = Shares(reference=oracle["reference"], higher=True)
    each = units_each(oracle["effect"], response.variances(oracle["effect"]), Z)
    assert each == pytest.approx(oracle["each"], abs=oracle["tolerance"])


@pytest.mark.parametrize("oracle", oracles("power", "detectable_share"), ids=named)
def test_i10_the_share_that_a_number_of_units_detects_needs_just_that_number(oracle: Any) -> None:
    response, effect = Shares(reference=oracle["reference"], higher=True), oracle["effect"]
    assert 2 * units_each(effect, response.variances(effect), Z) == pytest.approx(oracle["units"], rel=1e-8)


@pytest.mark.parametrize("oracle", oracles("power", "means"), ids=named)
def test_i10_units_for_two_means(oracle: Any) -> None:
    ratio = oracle["ratio"]
    each = units_each(
        oracle["effect"], Amounts(sd=oracle["sd"], higher=True).variances(oracle["effect"]), Z, ratio=ratio
    )
    assert each * (1 + ratio) == pytest.approx(oracle["total"], abs=oracle["tolerance"])


@pytest.mark.parametrize("oracle", oracles("power", "t_power"), ids=named)
def test_i10_power_of_a_t_test_is_noncentral(oracle: Any) -> None:
    if "pairs" in oracle:
        df, se = oracle["pairs"] - 1, oracle["sd"] / math.sqrt(oracle["pairs"])
    else:
        df, se = sum(oracle["sizes"]) - 2, oracle["sd"] * math.sqrt(sum(1 / n for n in oracle["sizes"]))
    found = power(oracle["effect"], se, critical_value(0.95, df=df), df=df)
    assert found == pytest.approx(oracle["power"], abs=oracle["tolerance"])


@pytest.mark.parametrize("oracle", oracles("power", "dunnett"), ids=named)
def test_i10_the_bound_of_several_arms_is_dunnetts(oracle: Any) -> None:
    shares = [1 / (1 + oracle["controls"])] * oracle["arms"]
    assert critical_value(0.95, correlations=shares) == pytest.approx(oracle["critical"], abs=oracle["tolerance"])


@pytest.mark.parametrize("oracle", oracles("power", "chances"), ids=named)
def test_i10_exaggeration_and_wrong_sign_are_those_of_gelman_and_carlin(oracle: Any) -> None:
    found = chances(oracle["effect"], oracle["se"], Z)
    assert found.power == pytest.approx(oracle["power"], abs=oracle["tolerance"])
    assert found.wrong_sign == pytest.approx(oracle["wrong_sign"], abs=oracle["tolerance"])
    assert found.exaggeration == pytest.approx(oracle["exaggeration"], rel=oracle["monte_carlo"])


@pytest.mark.parametrize("oracle", oracles("power", "times"), ids=named)
def test_i10_the_price_of_the_restricted_mean(oracle: Any) -> None:
    fine = 200
    curve = exponential(oracle["horizon"], oracle["share"], steps=fine)
    times = Times(waiting=curve, last=1 - oracle["share"], higher=False, step=1 / fine)
    effect = times.gain(math.log(oracle["hazard_ratio"]))
    assert [times.reference, times.reference - effect] == pytest.approx(oracle["means"], rel=oracle["tolerance"])
    assert times.variances(effect) == pytest.approx(oracle["variances"], rel=oracle["tolerance"])
    each = units_each(effect, times.variances(effect), Z)
    assert each == pytest.approx(oracle["rmst_each"], rel=oracle["tolerance"])
    share = 1 - (1 - oracle["share"]) ** oracle["hazard_ratio"]
    events = schoenfeld_events(oracle["hazard_ratio"])
    assert events / (oracle["share"] + share) == pytest.approx(oracle["logrank_each"], rel=oracle["tolerance"])
    gained = share - oracle["share"]
    shares = units_each(gained, Shares(reference=oracle["share"], higher=True).variances(gained), Z)
    assert shares == pytest.approx(oracle["shares_each"], rel=oracle["tolerance"])


@pytest.mark.parametrize("oracle", oracles("power", "counts"), ids=named)
def test_i10_power_of_counts_at_sites(oracle: Any) -> None:
    response = Counted(
        reference=oracle["reference"],
        higher=False,
        variation=oracle["variation"],
        correlation=oracle["correlation"],
    )
    effect = -math.log(oracle["ratio"])
    se = math.sqrt(sum(response.variances(effect)) / oracle["sites"])
    assert power(effect, se, Z) == pytest.approx(oracle["power"], abs=oracle["tolerance"])


def test_the_design_effect_is_that_of_mean_size_and_variation() -> None:
    sizes = [1, 1, 1, 2, 2, 3, 5]
    mean, cv = np.mean(sizes), np.std(sizes) / np.mean(sizes)
    assert design_effect(0.4, sizes) == pytest.approx(1 + ((1 + cv**2) * mean - 1) * 0.4)
    assert design_effect(0.5, [1] * 9) == 1
    assert design_effect(1.0, [3] * 9) == 3


def test_three_sites_against_three_and_five_pairs_cannot_reach_five_per_cent() -> None:
    assert smallest_p((3, 3)) == pytest.approx(0.1)
    assert smallest_p((4, 4)) < 0.05 < smallest_p((3, 3))
    assert smallest_p((4, 3)) == pytest.approx(1 / 35)
    assert smallest_paired_p(5) == pytest.approx(0.0625)
    assert smallest_paired_p(6) == pytest.approx(0.03125)


@pytest.mark.parametrize("arms", [2, 3, 4, 6])
def test_no_other_share_of_control_serves_equal_arms_better(arms: int) -> None:
    best = control_share(arms)

    def variance(share: float) -> float:
        return 1 / share + (arms - 1) / (1 - share)

    assert all(variance(best) <= variance(best + step) for step in (-0.01, 0.01))


@given(effect=st.floats(0.01, 5), se=st.floats(0.05, 5))
def test_what_is_significant_is_exaggerated_and_less_so_with_more_power(effect: float, se: float) -> None:
    small, large = chances(effect, se, Z), chances(effect, se / 2, Z)
    assert small.exaggeration >= 1
    assert large.power >= small.power
    assert large.exaggeration <= small.exaggeration
    assert 0 <= large.wrong_sign <= small.wrong_sign <= 0.5


@given(effect=st.floats(0.1, 10), reference=st.floats(0.1, 50), arm=st.floats(0.1, 50), ratio=st.floats(0.2, 5))
def test_the_units_worked_out_have_the_power_asked_for(
    effect: float, reference: float, arm: float, ratio: float
) -> None:
    each = units_each(effect, (reference, arm), Z, ratio=ratio)
    se = math.sqrt(reference / each + arm / (ratio * each))
    assert power(effect, se, Z) == pytest.approx(0.8, abs=1e-4)
    assert effect / se == pytest.approx(wanted(Z))


@given(share=st.floats(0.05, 0.95), effect=st.floats(0.01, 0.99), unreached=st.floats(0, 0.5))
def test_a_hazard_ratio_brings_the_effect_it_was_worked_out_for(share: float, effect: float, unreached: float) -> None:
    for higher in (True, False):
        times = Times(waiting=exponential(56, share), last=1 - share, higher=higher, unreached=unreached)
        size = effect * times.most
        assert times.gain(times.log_ratio(size)) == pytest.approx(size, abs=1e-6)


def test_an_effect_beyond_the_horizon_is_no_effect() -> None:
    times = Times(waiting=exponential(56, 0.4), last=0.6, higher=False)
    with pytest.raises(ValueError, match="an effect from 0"):
        times.log_ratio(56)


def test_a_letter_that_reaches_fewer_must_do_more_for_them() -> None:
    curve = exponential(56, 0.4)
    all_reached = Times(waiting=curve, last=0.6, higher=False)
    some = Times(waiting=curve, last=0.6, higher=False, unreached=0.1)
    assert some.log_ratio(3) > all_reached.log_ratio(3)
    assert some.gain(0.3) == pytest.approx(0.9 * all_reached.gain(0.3))
