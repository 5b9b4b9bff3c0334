"""How likely an arm is to be better: against closed forms, and what may not matter."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from uplift_cases import CALLS, CONTACT, MONEY, SHARE, analysed, codes, household_trial, named, oracles, shares

from nudge.experiment.definition import Outcome
from nudge.experiment.priors import PRIORS, STATED, PriorBelief
from nudge.uplift.bayes import Normal, TwoShares, by_curve
from nudge.uplift.facts import Facts
from nudge.uplift.proportions import Share
from nudge.uplift.survival import kaplan_meier
from nudge.uplift.units import UnitTable


def lines(outcome: Outcome, table: UnitTable, prior: str | None = None, **changes: Any) -> list[Any]:
    facts = Facts(priors={} if prior is None else dict.fromkeys(table.arms[1:], PRIORS[prior]))
    return list(analysed(outcome, table, facts=facts, **changes).panels.get("bayes", []))


@pytest.mark.parametrize("case", oracles("bayes", "two_shares"), ids=named)
def test_i10_two_shares_with_uniform_priors_agree_with_the_closed_form(case):
    found = TwoShares(Share(*case["arm"]), Share(*case["reference"]))
    assert found.at_least(0.0) == pytest.approx(case["probability_better"], abs=case["tolerance"])
    assert found.loss_if_chosen == pytest.approx(case["loss_if_chosen"], abs=1e-11)
    assert found.loss_if_kept == pytest.approx(case["loss_if_kept"], abs=case["tolerance"])


@pytest.mark.parametrize("case", oracles("bayes", "log_odds"), ids=named)
def test_i10_a_prior_on_the_log_odds_gives_the_posterior_worked_by_hand(case):
    table = shares([case["reference"], case["arm"]])
    line, flat = lines(SHARE, table, case["prior"])
    assert (line["prior"], line["prior_mean"], line["prior_sd"], line["method"]) == ("redesign", 0.10, 0.20, "log_odds")
    assert line["probability_better"] == pytest.approx(case["probability_better"], abs=case["tolerance"])
    assert line["gain"] == pytest.approx(case["gain"], abs=0.0005)
    assert line["interval"] == pytest.approx(case["interval"], abs=0.0005)
    assert (flat["prior"], flat["method"]) == ("flat", "beta")


def test_the_flat_line_of_a_household_trial_is_the_normal_with_the_headlines_own_error():
    table, assignment = household_trial(1)
    result = analysed(CONTACT, table, assignment=assignment, smallest_worthwhile=3.0)
    [row], [line] = result.headlines, result.panels["bayes"]
    assert (row.estimate, row.se, row.df) != (None, None, None)
    se = row.se * (row.ci[1] - row.ci[0]) / (2 * 1.959963984540054 * row.se)
    assert line["method"] == "normal"
    assert line["probability_better"] == pytest.approx(float(ndtr(-row.estimate / se)), abs=1e-6)
    assert line["probability_worthwhile"] == pytest.approx(float(ndtr((-row.estimate - 3) / se)), abs=1e-6)
    z = -row.estimate / se
    kept = se * (math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) + z * float(ndtr(z)))
    assert line["loss_if_kept"] == pytest.approx(kept, abs=1e-6)
    assert line["loss_if_kept"] - line["loss_if_chosen"] == pytest.approx(-row.estimate, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 39), st.integers(1, 39), st.sampled_from(["lower", "higher"]))
def test_with_nothing_believed_naming_the_arms_the_other_way_about_turns_every_chance(x, y, better):
    outcome = SHARE.model_copy(update={"better": better})
    [first] = lines(outcome, shares([(x, 40), (y, 40)]))
    [second] = lines(outcome, shares([(y, 40), (x, 40)]))
    assert first["probability_better"] == pytest.approx(1 - second["probability_better"], abs=1e-9)
    assert first["loss_if_chosen"] == pytest.approx(second["loss_if_kept"], abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 39), st.integers(1, 39))
def test_an_event_that_is_better_missed_is_the_same_as_its_absence_being_better(x, y):
    higher = lines(SHARE, shares([(x, 40), (y, 40)]), "norm")
    missed = lines(SHARE.model_copy(update={"better": "lower"}), shares([(40 - x, 40), (40 - y, 40)]), "norm")
    for one, other in zip(higher, missed, strict=True):
        for key in ("probability_better", "loss_if_chosen", "loss_if_kept", "gain"):
            assert one[key] == pytest.approx(other[key], abs=1e-6)  # the grid's own error


def test_a_prior_on_the_hazard_bends_the_references_curve():
    time = np.arange(1.0, 57.0)
    curve = kaplan_meier(time, np.ones(56, dtype=np.bool_), 56.0)
    wide = by_curve(curve, PriorBelief(STATED, 0.0, 5.0), 4.0, 0.001, later=False)
    assert wide.quantile(0.5) == pytest.approx(4.0, abs=0.001)  # a prior that says nothing leaves the likelihood
    narrow = by_curve(curve, PriorBelief(STATED, 0.3, 1e-4), 4.0, 100.0, later=False)
    bent = curve.rmst - (1 + float((curve.survival ** math.exp(0.3))[:-1].sum()))
    assert narrow.quantile(0.5) == pytest.approx(bent, abs=1e-3)  # and data that say nothing leave the prior
    assert by_curve(curve, PriorBelief(STATED, 0.3, 0.2), 0.0, 1.0, later=True).quantile(0.5) > 0


def test_a_curve_of_very_many_times_is_thinned_without_a_change_that_shows():
    rng = np.random.default_rng(5)
    time = rng.exponential(60.0, 20_000)
    curve = kaplan_meier(time, np.ones(time.size, dtype=np.bool_), 56.0)
    found = by_curve(curve, PriorBelief(STATED, 0.1, 0.2), 2.0, 1.0, later=False)
    coarse = kaplan_meier(np.ceil(time * 4) / 4, np.ones(time.size, dtype=np.bool_), 56.0)
    other = by_curve(coarse, PriorBelief(STATED, 0.1, 0.2), 2.0, 1.0, later=False)
    assert found.at_least(0.0) == pytest.approx(other.at_least(0.0), abs=2e-3)


def test_a_rate_is_believed_on_its_logarithm_and_told_as_a_fraction_better():
    rng = np.random.default_rng(3)
    arm = codes(np.repeat([0, 1], 40))
    table = UnitTable(arms=("a", "b"), arm=arm, count=rng.poisson(np.where(arm == 1, 8.0, 10.0)).astype(float))
    line, flat = lines(CALLS, table, "eyes", smallest_worthwhile=0.1)
    [row] = analysed(CALLS, table).headlines
    assert (line["method"], flat["method"]) == ("log_rate", "log_rate")
    assert flat["gain"] == pytest.approx(1 - row.estimate, abs=1e-5)
    assert 0 < line["probability_worthwhile"] < line["probability_better"] < 1
    assert line["probability_better"] > flat["probability_better"]


def test_a_mean_has_a_flat_line_and_says_why_no_other():
    rng = np.random.default_rng(4)
    table = UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 60)), y=rng.normal(0.0, 1.0, 120))
    line, flat = lines(MONEY, table, "redesign")
    assert (line["reason"], line["probability_better"], line["method"]) == ("prior_is_of_a_ratio", None, None)
    assert (flat["reason"], flat["method"]) == (None, "normal")


@pytest.mark.parametrize("counts", [[(0, 30), (4, 30)], [(0, 30), (0, 30)], [(30, 30), (30, 30)]])
def test_a_share_of_nothing_or_all_has_chances_all_the_same(counts):
    line, flat = lines(SHARE, shares(counts), "redesign")
    assert (line["method"], flat["method"]) == ("log_odds", "beta")
    assert 0 < line["probability_better"] < 1
    assert 0 < flat["probability_better"] < 1


def test_where_nobody_in_the_reference_had_the_event_there_is_no_curve_to_bend():
    time = np.full(120, 56.0)
    event = np.zeros(120, dtype=np.bool_)
    event[60:80], time[60:80] = True, np.arange(1.0, 21.0)
    table = UnitTable(arms=("a", "b"), arm=codes(np.repeat([0, 1], 60)), time=time, event=event)
    line, flat = lines(CONTACT, table, "redesign")
    assert (line["reason"], flat["reason"]) == ("no_reference_event", None)


def test_an_arm_of_one_cluster_has_a_reason_instead_of_a_chance():
    table = replace(shares([(4, 10), (6, 10)]), cluster=codes(np.repeat([0, 1], 10)))
    [line] = lines(SHARE, table)
    assert (line["reason"], line["probability_better"], line["interval"]) == ("no_standard_error", None, None)


@pytest.mark.parametrize("changes", [{"randomised": "no"}, {"randomised": "unknown"}])
def test_without_a_draw_by_chance_there_are_no_chances(changes):
    assert lines(SHARE, shares([(48, 80), (56, 70)]), **changes) == []


def test_without_a_better_direction_there_are_no_chances():
    assert lines(SHARE.model_copy(update={"better": None}), shares([(48, 80), (56, 70)])) == []


def test_what_was_believed_serves_the_primary_outcome_only():
    secondary = SHARE.model_copy(update={"primary": False})
    assert [line["prior"] for line in lines(secondary, shares([(48, 80), (56, 70)]), "norm")] == ["flat"]


@settings(deadline=None)
@given(st.floats(-2, 2), st.floats(0.01, 2), st.floats(-1, 1), st.floats(0.01, 2))
def test_a_belief_updated_lies_between_what_was_believed_and_what_was_seen(mean, sd, before, spread):
    found = Normal(mean, sd).updated(PriorBelief(STATED, before, spread))
    assert min(mean, before) - 1e-9 <= found.mean <= max(mean, before) + 1e-9
    assert found.sd < min(sd, spread)


def test_priors_are_those_of_the_published_trials():
    assert {name: (belief.mean, belief.sd) for name, belief in PRIORS.items()} == {
        "redesign": (0.10, 0.20),
        "norm": (0.05, 0.15),
        "reminder": (0.15, 0.20),
        "eyes": (0.15, 0.35),
    }


def test_the_panel_changes_no_estimate_and_no_verdict():
    table, assignment = household_trial(2, arms=3)
    changes: dict[str, Any] = {"assignment": assignment, "smallest_worthwhile": 3.0}
    with_prior = analysed(CONTACT, table, facts=Facts(priors={"b": PRIORS["redesign"]}), **changes)
    without = analysed(CONTACT, table, **changes)
    assert with_prior.estimates == without.estimates
    assert with_prior.verdict == without.verdict
    assert [line["arm"] for line in with_prior.panels["bayes"]] == ["b", "b", "c"]
