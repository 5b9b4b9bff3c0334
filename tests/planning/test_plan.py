"""A planned trial: what it can find, what it needs, what would help, and the same by trying it out."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uplift_cases import named, oracles

from nudge.experiment.definition import Baseline, Outcome, OutcomeType
from nudge.experiment.fields import Period
from nudge.experiment.priors import PRIORS
from nudge.planning.alternatives import Change, alternatives, even_ratio
from nudge.planning.background import (
    HOUSEHOLD_ICC,
    Fact,
    Origin,
    curve_through,
    from_baseline,
    from_history,
)
from nudge.planning.feasibility import cannot_reach, feasibility, plan_of
from nudge.planning.past import PastLetters
from nudge.planning.plan import Plan
from nudge.planning.question import Question, brought
from nudge.planning.rehearsal import rehearse
from nudge.planning.response import Amounts, Counted, Response, Shares, Times, exponential

KEY = "5eed" * 16
YEAR = Period(date(2025, 4, 1), date(2026, 3, 31))
DAYS = Outcome(id="days", type=OutcomeType.TIME_TO_EVENT, event=("contact",), horizon=56, primary=True)
SHARE = Outcome(id="agreed", type=OutcomeType.PROPORTION, event=("contact",), within=28, primary=True)
MONEY = Outcome(id="arrears", type=OutcomeType.MEAN, column="arrears", at=56, primary=True)
CALLS = Outcome(id="calls", type=OutcomeType.RATE, event=("contact",), within=56, primary=True)


def question(outcome: Outcome = DAYS, worthwhile: float | None = 3.0, **changes: Any) -> Question:
    values: dict[str, Any] = {
        "outcome": outcome,
        "higher": outcome.type is OutcomeType.PROPORTION,
        "size": worthwhile,
        "worthwhile": worthwhile,
        "ratio": (1, 1),
        "outside": 0,
        "contrasts": 0,
        "paired": False,
        "confidence": 0.95,
        "unit": "tenancy",
        "cluster": "household",
        "posted": True,
        "money": False,
        "prior": PRIORS["redesign"],
    }
    return Question(**{**values, **changes})


def baseline(**figures: Any) -> Baseline:
    return Baseline(**{"outcome": "days", "units": 800, "period": YEAR, "source": "data/history.csv", **figures})


def plan(response: Response, **changes: Any) -> Plan:
    values: dict[str, Any] = {"ratio": (1, 1), "confidence": 0.95, "icc": 0.0, "sizes": (1,), "strata": 1}
    return Plan(response=response, **{**values, **changes})


def letters(n: int = 400, *, household: int = 2, share: float = 0.4, **changes: Any) -> PastLetters:
    """A year of letters, `household` tenancies in each home, the first `share` of homes in touch on day 10."""
    home = np.arange(n) // household
    answered = home < share * n / household
    values: dict[str, Any] = {
        "day": home * 364 // (n // household),
        "last_day": 363,
        "cut": 500,
        "cluster": home,
        "clusters_known": True,
        "stratum": home % 2,
        "strata": ("north", "south"),
        "first": {"contact": np.where(answered, 10.0, np.inf)},
    }
    return PastLetters(**{**values, **changes})


# What a plan can find, and what it needs.


def test_what_a_trial_can_find_is_what_needs_that_many_units() -> None:
    for response in (
        Times(waiting=exponential(56, 0.4), last=0.6, higher=False),
        Shares(reference=0.3, higher=True),
        Amounts(sd=40, higher=False),
        Counted(reference=2.0, higher=False, variation=0.4),
    ):
        some = plan(response, icc=0.5, sizes=(1, 1, 2))
        effect = some.detectable(1_000)
        assert effect is not None
        assert some.power(effect, 1_000) == pytest.approx(0.8, abs=1e-4)
        assert some.needed(effect) == pytest.approx(1_000, abs=3)


def test_a_difference_that_nobody_could_make_is_never_found() -> None:
    some = plan(Shares(reference=0.01, higher=False))
    assert some.detectable(50) is None
    assert some.needed(0.02) is None
    assert some.needed(0.0) is None


def test_no_arm_of_fewer_than_two_clusters_finds_anything() -> None:
    some = plan(Amounts(sd=1, higher=True), sizes=(20,), icc=0.05)
    assert some.power(100, 40) == 0
    assert some.power(100, 80) > 0


@settings(deadline=None, max_examples=30)
@given(effect=st.floats(0.5, 8), units=st.integers(50, 5_000), more=st.integers(1, 2_000))
def test_more_units_and_larger_differences_are_found_more_often(effect: float, units: int, more: int) -> None:
    some = plan(Times(waiting=exponential(56, 0.4), last=0.6, higher=False))
    assert some.power(effect, units + more) >= some.power(effect, units) - 1e-9
    assert some.power(effect + 0.5, units) >= some.power(effect, units) - 1e-9


def test_several_arms_households_and_an_uneven_ratio_each_cost_power() -> None:
    alone = plan(Shares(reference=0.3, higher=True))
    power = alone.power(0.1, 800)
    assert replace(alone, ratio=(1, 1, 1)).power(0.1, 1_200) < power
    assert replace(alone, sizes=(2,), icc=0.5).power(0.1, 800) < power
    assert replace(alone, ratio=(3, 1)).power(0.1, 800) < power


def test_days_or_weeks_make_no_difference_to_power() -> None:
    curve = exponential(56, 0.4)
    days, weeks = (Times(waiting=curve, last=0.6, higher=False, step=step) for step in (1.0, 1 / 7))
    assert plan(weeks).power(3 / 7, 500) == pytest.approx(plan(days).power(3, 500))


PAIRED = [oracle for oracle in oracles("power", "t_power") if "pairs" in oracle]


@pytest.mark.parametrize("oracle", PAIRED, ids=named)
def test_i10_pairs_have_the_power_of_a_paired_t_test(oracle: Any) -> None:
    for correlation in (0.0, 0.7):  # one standard deviation is that of the difference within a pair
        sd = oracle["sd"] / math.sqrt(2 * (1 - correlation))
        some = plan(Amounts(sd=sd, higher=True), paired=correlation)
        assert some.power(oracle["effect"], 2 * oracle["pairs"]) == pytest.approx(oracle["power"], abs=1e-6)


def test_an_arm_held_out_takes_units_and_a_factor_shares_them() -> None:
    alone = plan(Shares(reference=0.3, higher=True))
    assert replace(alone, outside=2).power(0.1, 1_600) == pytest.approx(alone.power(0.1, 800))
    factors = replace(alone, contrasts=2)
    assert alone.power(0.1, 600) < factors.power(0.1, 800) < alone.power(0.1, 800)
    assert factors.critical(10_000) == pytest.approx(2.2365, abs=1e-3)  # 95 % of two: each at the root of 0.95


def test_five_pairs_cannot_reach_five_per_cent_and_six_can() -> None:
    some = plan(Amounts(sd=1, higher=True), paired=0.5)
    assert cannot_reach(some, 10) == pytest.approx(0.0625)
    assert cannot_reach(some, 12) is None


@pytest.mark.parametrize(("clusters", "refused"), [(6, True), (7, False), (8, False), (3, True)])
def test_a_draw_too_small_to_reach_significance_is_told(clusters: int, refused: bool) -> None:
    assert (cannot_reach(plan(Amounts(sd=1, higher=True)), clusters) is not None) == refused


def test_the_control_of_several_arms_is_larger() -> None:
    assert even_ratio((2, 1)) == (1, 1)
    assert even_ratio((1, 1, 1)) == (3, 2, 2)
    control, *others = even_ratio((1, 1, 1, 1))
    assert control / others[0] == pytest.approx(math.sqrt(3), abs=0.15)


# The background: past letters, stated figures, assumptions.


def test_the_past_gives_inflow_curve_households_and_their_likeness() -> None:
    found = from_history(question(), letters(), pool=False)
    assert found is not None
    assert found.inflow == pytest.approx(400 / 52, abs=0.05)
    assert found.sizes == (2,) * 200
    assert found.icc == 1  # both of a home do the same
    assert len(found.strata) == 2
    assert isinstance(found.response, Times)
    assert found.response.reference == pytest.approx(0.4 * 10 + 0.6 * 56)
    origins = {figure.fact: figure.origin for figure in found.figures}
    assert origins[Fact.INFLOW] is origins[Fact.RESPONSE] is origins[Fact.ICC] is Origin.HISTORY
    assert origins[Fact.RETURNED] is Origin.ASSUMED


def test_the_likeness_of_households_is_that_of_the_analysis_of_variance() -> None:
    past = letters(80, share=1.0)
    y = np.arange(80) % 7 + np.arange(80) // 2 % 5 * 3.0
    means = y.reshape(40, 2).mean(axis=1)
    between = 2 * ((means - y.mean()) ** 2).sum() / 39
    within = ((y.reshape(40, 2) - means[:, None]) ** 2).sum() / 40
    assert past.alike(y, np.ones(80, dtype=bool)) == pytest.approx((between - within) / (between + within))


def test_few_shared_homes_say_nothing_and_the_default_is_named_as_such() -> None:
    past = letters(household=1, cluster=np.concatenate([np.arange(398), [396, 397]]))
    found = from_history(question(), past, pool=False)
    assert found is not None
    assert found.icc == HOUSEHOLD_ICC
    assert {figure.fact: figure.origin for figure in found.figures}[Fact.ICC] is Origin.ASSUMED


def test_who_joins_a_home_later_is_not_counted() -> None:
    past = letters(
        4, household=1, day=np.array([0, 3, 20, 30]), cluster=np.array([0, 0, 0, 1]), stratum=np.zeros(4, int)
    )
    assert past.drawn.tolist() == [True, True, False, True]
    assert past.sizes.tolist() == [2, 1]


def test_quiet_weeks_count() -> None:
    past = letters(6, household=1, day=np.array([0, 1, 14, 15, 16, 22]), last_day=27, stratum=np.zeros(6, int))
    assert past.weekly.tolist() == [2, 0, 3, 1]
    assert past.quietest(2) == 2
    assert past.quietest(5) is None


def test_returned_letters_make_the_rest_do_more() -> None:
    back = from_history(question(), letters(returned=np.arange(400) % 10 == 0), pool=False)
    none = from_history(question(), letters(), pool=False)
    assert back is not None
    assert none is not None
    assert isinstance(back.response, Times)
    assert isinstance(none.response, Times)
    assert back.response.unreached == pytest.approx(0.1)
    assert back.response.log_ratio(3) > none.response.log_ratio(3)


def test_a_past_that_is_too_short_or_silent_says_nothing() -> None:
    assert from_history(question(), letters(cut=30, day=np.zeros(400, int), last_day=13), pool=False) is None
    assert from_history(question(), letters(first={}), pool=False) is None
    assert from_history(question(), letters(last_day=3), pool=False) is None
    assert from_history(question(CALLS), letters(), pool=False) is None
    assert from_history(question(MONEY), letters(), pool=False) is None


def test_a_share_and_an_amount_come_from_the_past_too() -> None:
    agreed = from_history(question(SHARE, 0.05), letters(), pool=True)
    assert agreed is not None
    assert agreed.pool == 400
    assert isinstance(agreed.response, Shares)
    assert agreed.response.reference == pytest.approx(0.4)
    amounts = {"arrears": np.where(np.arange(400) == 7, np.nan, np.arange(400.0))}
    owed = from_history(question(MONEY, 10.0), letters(amounts=amounts), pool=False)
    assert owed is not None
    assert isinstance(owed.response, Amounts)
    assert owed.response.sd == pytest.approx(np.nanstd(amounts["arrears"], ddof=1))


def test_stated_figures_serve_where_there_is_no_past() -> None:
    found = from_baseline(question(), baseline(rmst=41.3, horizon=56, events=301, units=812), pool=False)
    assert found is not None
    assert isinstance(found.response, Times)
    assert found.response.reference == pytest.approx(41.3)
    assert 1 - found.response.last == pytest.approx(301 / 812)
    assert found.inflow == pytest.approx(812 * 7 / 365)
    shared = from_baseline(question(SHARE, 0.05), baseline(outcome="agreed", share=0.3), pool=True)
    assert shared is not None
    assert shared.pool == 800
    counted = from_baseline(question(CALLS, 0.2), baseline(outcome="calls", rate=2.0, sd=2.0), pool=False)
    assert counted is not None
    assert isinstance(counted.response, Counted)
    assert counted.response.variation == pytest.approx(math.sqrt((4 - 2) / 4))
    owed = from_baseline(question(MONEY, 10.0, money=True), baseline(outcome="arrears", mean=300, sd=40), pool=False)
    assert owed is not None
    assert isinstance(owed.response, Amounts)
    assert owed.response.sd == 4_000  # pence
    assert from_baseline(question(), baseline(outcome="agreed", share=0.3), pool=False) is None
    assert from_baseline(question(SHARE), baseline(outcome="agreed", rmst=3, horizon=28), pool=False) is None


@pytest.mark.parametrize("share", [None, 0.37, 0.9])
def test_a_curve_passes_through_the_mean_that_was_stated(share: float | None) -> None:
    curve = curve_through(41.3, 56, share)
    assert curve is not None
    assert curve[:-1].sum() == pytest.approx(41.3)
    assert (np.diff(curve) <= 0).all()
    assert curve_through(56, 56, share) is None
    assert curve_through(0.5, 56, share) is None


def test_what_other_letters_did_is_turned_into_this_outcomes_effect() -> None:
    assert brought(Shares(reference=0.175, higher=True), 0.094) == pytest.approx(0.0139, abs=2e-4)
    fewer, more = (brought(Shares(reference=0.5, higher=higher), 0.1) for higher in (False, True))
    assert fewer == pytest.approx(more)
    times = Times(waiting=exponential(56, 0.4), last=0.6, higher=False)
    assert brought(times, 0.1) == pytest.approx(times.gain(0.1))
    assert brought(Counted(reference=3, higher=False, variation=0.4), 0.15) == 0.15
    assert brought(Amounts(sd=3, higher=True), 0.1) is None


# The answer, and what would help.


def found(asked: Question, **figures: Any) -> Any:
    known = from_baseline(asked, baseline(outcome=asked.outcome.id, **figures), pool=False)
    assert known is not None
    return feasibility(asked, known, weeks=26)


def test_a_trial_large_enough_answers_and_one_too_small_is_told_what_would() -> None:
    large = found(question(worthwhile=9.0, cluster=None), rmst=41.3, horizon=56, events=301)
    assert large.answers
    assert not large.alternatives
    small = found(question(cluster=None, ratio=(2, 1)), rmst=41.3, horizon=56, events=301)
    assert not small.answers
    changes = {one.change: one for one in small.alternatives}
    assert changes[Change.EVEN_RATIO].ratio == (1, 1)
    assert changes[Change.EVEN_RATIO].power > small.power
    assert changes[Change.LARGER_DIFFERENCE].value == small.detectable
    assert changes[Change.LARGER_DIFFERENCE].reaches
    assert changes[Change.COUNCILS].reaches
    assert changes[Change.COUNCILS].value == math.ceil(small.needed / small.units)
    assert small.needed_weeks == math.ceil(small.needed / small.background.inflow)
    assert changes[Change.LONGER].value == min(104, small.needed_weeks)
    assert Change.FEWER_ARMS not in changes


def test_every_alternative_helps_and_is_what_replanning_gives() -> None:
    asked = question(cluster=None, ratio=(1, 1, 1))
    small = found(asked, rmst=41.3, horizon=56, events=301)
    assert all(one.power > small.power for one in small.alternatives)
    fewer = next(one for one in small.alternatives if one.change is Change.FEWER_ARMS)
    again = feasibility(replace(asked, ratio=(1, 1)), small.background, weeks=26)
    assert fewer.power == pytest.approx(again.power)
    assert fewer.needed_weeks == again.needed_weeks


def test_too_many_strata_for_a_small_trial_are_named() -> None:
    some = plan(Times(waiting=exponential(56, 0.4), last=0.6, higher=False), strata=20)
    changes = list(alternatives(some, 15.0, units=40, weeks=26, inflow=40 / 26, wider=1.5))
    fewer = next(one for one in changes if one.change is Change.FEWER_STRATA)
    assert fewer.value == 20
    assert next(one for one in changes if one.change is Change.WIDER).value == 1.5


def test_a_trial_that_enrols_once_is_planned_in_units() -> None:
    asked = question(SHARE, 0.05, cluster=None)
    known = from_baseline(asked, baseline(outcome="agreed", share=0.3), pool=True)
    assert known is not None
    once = feasibility(asked, known)
    assert once.weeks is None
    assert once.units == 800
    assert once.needed_weeks is None
    assert {one.change for one in once.alternatives} == {Change.LARGER_DIFFERENCE, Change.COUNCILS}
    assert [step.units for step in once.steps] == sorted({400, 800, 1600, once.needed})


def test_a_difference_beyond_what_could_be_is_said_to_be_so() -> None:
    asked = question(worthwhile=50.0)
    beyond = found(asked, rmst=41.3, horizon=56, events=301)
    assert beyond.beyond
    assert beyond.power is None
    assert not beyond.answers


# The trial tried out: the same power, by the analysis that will run.


@pytest.mark.parametrize(
    ("asked", "figures", "effect"),
    [
        (question(), {"rmst": 41.3, "horizon": 56, "events": 301}, 7.7),
        (question(cluster=None), {"rmst": 41.3, "horizon": 56, "events": 301}, 5.5),
        (question(SHARE, 0.12, cluster=None), {"outcome": "agreed", "share": 0.3}, 0.12),
        (question(MONEY, 10.0), {"outcome": "arrears", "mean": 300, "sd": 40}, 13.0),
        (question(CALLS, 0.3, cluster=None), {"outcome": "calls", "rate": 2.0}, 0.2),
    ],
    ids=["days in households", "days", "share", "money in households", "counts"],
)
def test_trying_it_out_gives_the_power_of_the_formula_within_monte_carlo_error(
    asked: Question, figures: dict[str, Any], effect: float
) -> None:
    known = from_baseline(asked, baseline(**{"outcome": asked.outcome.id, **figures}), pool=False)
    assert known is not None
    some = plan_of(asked, known)
    tried = rehearse(asked, known, some, effect=effect, units=400, weeks=26, trials=300, key=KEY)
    # 199 redraws, and an interval that must agree with the test, cost a point or two of power
    assert tried.share == pytest.approx(some.power(effect, 400), abs=3.5 * tried.error + 0.02)


def test_without_a_difference_a_trial_says_works_or_harms_as_rarely_as_it_should() -> None:
    asked = question()
    known = from_baseline(asked, baseline(rmst=41.3, horizon=56, events=301), pool=False)
    assert known is not None
    tried = rehearse(asked, known, plan_of(asked, known), effect=0.0, units=400, weeks=26, trials=300, key=KEY)
    assert (tried.works + tried.harms) / tried.trials < 0.05 + 3.5 * math.sqrt(0.05 * 0.95 / 300)
    assert tried.exaggeration is None
    assert sum(tried.verdicts.values()) == 300


def test_the_same_definition_tries_out_the_same_trials() -> None:
    asked = question(cluster=None)
    known = from_baseline(asked, baseline(rmst=41.3, horizon=56, events=301), pool=False)
    assert known is not None
    once, twice, other = (
        rehearse(asked, known, plan_of(asked, known), effect=6.0, units=200, weeks=13, trials=40, key=key)
        for key in (KEY, KEY, "a" * 64)
    )
    assert once == twice
    assert once.verdicts != other.verdicts


def test_what_an_underpowered_trial_finds_is_exaggerated_as_the_formula_says() -> None:
    asked = question(cluster=None)
    known = from_baseline(asked, baseline(rmst=41.3, horizon=56, events=301), pool=False)
    assert known is not None
    some = plan_of(asked, known)
    tried = rehearse(asked, known, some, effect=3.0, units=400, weeks=26, trials=400, key=KEY)
    assert tried.exaggeration == pytest.approx(some.chances(3.0, 400).exaggeration, rel=0.12)


def test_three_arms_strata_and_households_are_drawn_and_analysed() -> None:
    asked = question(ratio=(3, 2, 2))
    known = from_history(asked, letters(share=0.5), pool=False)
    assert known is not None
    some = plan_of(asked, known)
    tried = rehearse(asked, known, some, effect=10.0, units=300, weeks=None, trials=60, key=KEY)
    assert tried.share == pytest.approx(some.power(10.0, 300), abs=3.5 * tried.error + 0.05)
