"""The hazard ratio, against R, against Cox's likelihood written out, and against what must be true of any ratio."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from uplift_cases import CONTACT, analysed, codes, floats, household_trial, named, oracles, samples

from nudge.uplift.cox import RiskSets, cluster_variance, fit_cox, km_times, proportional, proportional_by_cluster
from nudge.uplift.cox_model import fit_cox_model
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod, Role
from nudge.uplift.units import Counts, UnitTable

ROSSI = Path(__file__).parent.parent / "data" / "recorded" / "rossi.csv"


@pytest.fixture(scope="module")
def rossi():
    with ROSSI.open() as file:
        rows = list(csv.DictReader(file))
    return {name: floats([row[name] for row in rows]) for name in rows[0]}


def clusters_of(oracle, n):
    return np.arange(n) // oracle["cluster_of"]


@pytest.mark.parametrize("oracle", oracles("cox", "rossi"), ids=named)
def test_i10_cox_with_columns_is_that_of_r(oracle, rossi):
    columns = np.stack([rossi[name] for name in oracle["columns"]], axis=1)
    n = len(columns)
    stratum = codes(rossi[oracle["strata"]]) if oracle["strata"] else np.zeros(n, dtype=np.int64)
    tolerance = oracle["tolerance"]
    fit = fit_cox_model(columns, rossi["week"], rossi["arrest"] > 0, stratum, oracle["horizon"])
    assert fit.coefficients == pytest.approx(oracle["coefficients"], abs=tolerance)
    covariance = fit.covariance
    if oracle["cluster_of"]:
        cluster = clusters_of(oracle, n)
        groups = len(set(cluster))
        covariance = fit.robust(cluster) * (groups - 1) / groups
    assert np.sqrt(np.diag(covariance)) == pytest.approx(oracle["se"], abs=tolerance)
    for name, g in (("zph_km", km_times(fit.sets)), ("zph_identity", fit.sets.time)):
        if oracle[name]:
            found = [fit.proportional(column, g).p_value for column in range(columns.shape[1])]
            assert found == pytest.approx(oracle[name], abs=tolerance)


@pytest.mark.parametrize("oracle", [o for o in oracles("cox", "rossi") if o["columns"] == ["fin"]], ids=named)
def test_i10_cox_of_the_arm_alone_is_that_of_r(oracle, rossi):
    arm, event = codes(rossi["fin"]), rossi["arrest"] > 0
    stratum = codes(rossi[oracle["strata"]]) if oracle["strata"] else np.zeros_like(arm)
    fit = fit_cox(RiskSets.of(rossi["week"], event, arm, stratum, oracle["horizon"]))
    assert [fit.log_ratio] == pytest.approx(oracle["coefficients"], abs=oracle["tolerance"])
    se = fit.se
    if oracle["cluster_of"]:
        cluster = clusters_of(oracle, arm.size)
        groups = len(set(cluster))
        se = np.sqrt(cluster_variance(fit.scores(arm, event), cluster) * (groups - 1) / groups) / fit.information
    assert [se] == pytest.approx(oracle["se"], abs=oracle["tolerance"])
    for name, g in (("zph_km", km_times(fit.sets)), ("zph_identity", fit.sets.time)):
        if oracle[name]:
            assert [proportional(fit, g).p_value] == pytest.approx(oracle[name], abs=oracle["tolerance"])


@pytest.mark.parametrize("oracle", oracles("cox", "two_arms"), ids=named)
def test_i10_cox_of_small_famous_trials_is_that_of_r(oracle):
    data = oracle["data"]
    time, event, tolerance = floats(data["time"]), np.array(data["event"], dtype=bool), oracle["tolerance"]
    arm = codes(data["arm"])
    stratum = np.zeros_like(arm)
    efron = oracle["ties"] == "efron"
    fit = fit_cox_model(arm[:, None].astype(float), time, event, stratum, time.max(), efron=efron)
    assert abs(fit.coefficients[0]) == pytest.approx(oracle["log_ratio"], abs=tolerance)
    assert np.sqrt(fit.covariance[0, 0]) == pytest.approx(oracle["se"], abs=tolerance)
    if efron:
        short = fit_cox(RiskSets.of(time, event, arm, stratum, time.max()))
        assert (abs(short.log_ratio), short.se) == pytest.approx((oracle["log_ratio"], oracle["se"]), abs=tolerance)
        found = [proportional(short, g).p_value for g in (km_times(short.sets), short.sets.time)]
        assert found == pytest.approx([oracle["zph_km"], oracle["zph_identity"]], abs=tolerance)


def test_i10_pbc_matches_r(shared_data):
    with (shared_data / "survival_reference_sets" / "pbc312.csv").open() as file:
        rows = list(csv.DictReader(file))
    time, event = floats([row["years"] for row in rows]), np.array([row["dead"] == "1" for row in rows])
    arm = codes([row["arm"] for row in rows])
    fit = fit_cox(RiskSets.of(time, event, arm, np.zeros_like(arm), time.max()))
    assert (fit.log_ratio, fit.se) == pytest.approx((0.057223770677, 0.179164787581), abs=1e-9)  # R 4.2.2 coxph
    ten = fit_cox(RiskSets.of(time, event, arm, np.zeros_like(arm), 10.0))
    assert (ten.log_ratio, ten.se) == pytest.approx((0.0779251810451, 0.182939397101), abs=1e-9)
    assert proportional(ten, km_times(ten.sets)).p_value == pytest.approx(0.259795104364, abs=1e-9)


def written_out(value, time, event, arm, stratum):
    """Efron's log partial likelihood, one event at a time."""
    total = 0.0
    for s in set(stratum):
        for t in sorted(set(time[event & (stratum == s)])):
            risk = np.exp(value * arm[(time >= t) & (stratum == s)]).sum()
            own = np.exp(value * arm[(time == t) & event & (stratum == s)])
            total += np.log(own).sum() - sum(np.log(risk - k / own.size * own.sum()) for k in range(own.size))
    return total


@given(samples(whole=True), st.integers(0, 2**31), st.integers(1, 3))
def test_cox_is_at_the_top_of_its_likelihood_written_out(sample, seed, strata):
    time, event = sample
    rng = np.random.default_rng(seed)
    arm, stratum = rng.integers(0, 2, time.size), rng.integers(0, strata, time.size)
    fit = fit_cox(RiskSets.of(time, event, arm, stratum, 70.0))
    assume(fit is not None)
    top = written_out(fit.log_ratio, time, event, arm, stratum)
    for step in (-1e-3, 1e-3):
        assert written_out(fit.log_ratio + step, time, event, arm, stratum) <= top + 1e-10
    step = 1e-3
    around = [written_out(fit.log_ratio + move, time, event, arm, stratum) for move in (-step, step)]
    assert -(sum(around) - 2 * top) / step**2 == pytest.approx(fit.information, rel=1e-3, abs=1e-5)


@given(samples(), st.integers(0, 2**31), st.integers(1, 3))
def test_cox_of_the_arm_alone_equals_cox_of_one_column(sample, seed, strata):
    time, event = sample
    rng = np.random.default_rng(seed)
    arm, stratum = rng.integers(0, 2, time.size), rng.integers(0, strata, time.size)
    short = fit_cox(RiskSets.of(time, event, arm, stratum, 55.0))
    long = fit_cox_model(arm[:, None].astype(float), time, event, stratum, 55.0)
    assume(short is not None and long is not None)
    assert short.log_ratio == pytest.approx(long.coefficients[0], abs=1e-7)
    assert short.information == pytest.approx(long.information[0, 0], rel=1e-6)
    scores = short.scores(arm, event & (time <= 55))
    assert scores == pytest.approx(long.scores()[:, 0], abs=1e-7)
    assert scores.sum() == pytest.approx(0, abs=1e-9)


@given(samples(whole=True), st.integers(0, 2**31))
def test_cox_knows_no_order_of_rows_and_no_unit_of_time_and_turns_with_the_labels(sample, seed):
    time, event = sample
    rng = np.random.default_rng(seed)
    arm, stratum, order = rng.integers(0, 2, time.size), rng.integers(0, 2, time.size), rng.permutation(time.size)
    fit = fit_cox(RiskSets.of(time, event, arm, stratum, 60.0))
    assume(fit is not None)
    moved = fit_cox(RiskSets.of(time[order] / 7, event[order], arm[order], 1 - stratum[order], 60.0 / 7))
    turned = fit_cox(RiskSets.of(time, event, 1 - arm, stratum, 60.0))
    assert moved.log_ratio == pytest.approx(fit.log_ratio, abs=1e-9)
    assert turned.log_ratio == pytest.approx(-fit.log_ratio, abs=1e-9)
    assert turned.se == pytest.approx(fit.se, rel=1e-9)


def test_counts_by_day_and_units_give_one_hazard_ratio_also_with_thousands_of_ties():
    rng = np.random.default_rng(5)
    n = 40_000
    arm, stratum = rng.integers(0, 2, n), rng.integers(0, 3, n)
    day = np.ceil(rng.exponential(30 - 5 * arm))
    time, event = np.minimum(day, 70.0), day <= 70
    table = UnitTable(arms=("a", "b"), arm=arm, stratum=stratum, strata=("x", "y", "z"), time=time, event=event)
    from_units = fit_cox(RiskSets.of(time, event, arm, stratum, 56.0))
    from_days = fit_cox(RiskSets.of_days(Counts.of(table, 70).table, 56))
    assert from_days.log_ratio == pytest.approx(from_units.log_ratio, abs=1e-12)
    assert from_days.se == pytest.approx(from_units.se, rel=1e-12)
    whole = fit_cox_model(arm[:, None].astype(float), time, event, stratum, 56.0)  # every step added by itself
    assert from_units.log_ratio == pytest.approx(whole.coefficients[0], abs=1e-9)
    assert from_units.information == pytest.approx(whole.information[0, 0], rel=1e-9)
    found = [proportional(fit, km_times(fit.sets)).chi2 for fit in (from_units, from_days)]
    assert found == pytest.approx([whole.proportional(0, km_times(whole.sets)).chi2] * 2, rel=1e-6)
    with pytest.raises(ValueError, match="unit rows"):
        from_days.scores(arm, event)


def test_many_strata_of_many_times_need_no_table_of_all_of_them():
    rng = np.random.default_rng(6)
    n = 2_000
    time, arm, stratum = rng.exponential(10, n), np.arange(n) % 2, np.arange(n) // 4
    event = rng.random(n) < 0.8
    fit = fit_cox(RiskSets.of(time, event, arm, stratum, 30.0))
    whole = fit_cox_model(arm[:, None].astype(float), time, event, stratum, 30.0)
    assert fit.log_ratio == pytest.approx(whole.coefficients[0], abs=1e-9)


def test_units_that_are_their_own_clusters_have_the_same_drift_but_for_its_variance():
    table, _ = household_trial(3, clusters=400, strata=1, most=1)
    inside = table.event & (table.time <= 56)
    sets = RiskSets.of(table.time, table.event, table.arm, table.stratum_codes, 56.0)
    fit = fit_cox(sets)
    plain = proportional(fit, km_times(sets))
    robust = proportional_by_cluster(fit, km_times(sets), table.arm, inside, np.arange(len(table)))
    assert robust.p_value == pytest.approx(plain.p_value, abs=0.1)


def hazard(result, role=Role.SECONDARY):
    return next(row for row in result.estimates if row.measure is Measure.HAZARD_RATIO and row.role is role)


def test_the_hazard_ratio_stands_beside_the_headline_with_a_p_of_its_own():
    table, _ = household_trial(8, clusters=300, most=1)
    result = analysed(CONTACT, table)
    row = hazard(result)
    assert (row.ci_method, row.p_method, row.df) == (CiMethod.LOG_Z, PMethod.WALD_Z, None)
    assert row.ci[0] < row.estimate < row.ci[1]
    assert row.p_value != result.headlines[0].p_value
    assert "proportional hazards: p = " in row.method


def test_households_make_the_hazard_ratio_robust_by_cluster():
    table, draw = household_trial(9, clusters=80)
    row = hazard(analysed(CONTACT, table, assignment=draw))
    assert (row.ci_method, row.p_method, row.df) == (CiMethod.LOG_T, PMethod.WALD_T, 78.0)
    fit = fit_cox(RiskSets.of(table.time, table.event, table.arm, table.stratum_codes, 56.0))
    scores = fit.scores(table.arm, table.event)
    assert row.se == pytest.approx(np.sqrt(cluster_variance(scores, table.cluster_codes)) / fit.information)
    assert row.estimate == pytest.approx(np.exp(fit.log_ratio))


def test_a_ratio_that_drifts_is_flagged_and_the_headline_is_not():
    n = 400
    early, late = np.full(n // 2, 5.0), np.full(n // 2, 50.0)
    rng = np.random.default_rng(2)
    time = np.concatenate([early, late, rng.integers(20, 40, n).astype(float)])
    table = UnitTable(arms=("a", "b"), arm=np.repeat([1, 0], n), time=time, event=np.ones(2 * n, dtype=bool))
    result = analysed(CONTACT, table)
    assert Flag.HAZARDS_NOT_PROPORTIONAL in hazard(result).flags
    assert Flag.HAZARDS_NOT_PROPORTIONAL not in result.headlines[0].flags


def test_covariates_give_a_second_hazard_ratio_as_sensitivity(rossi):
    table = UnitTable(
        arms=("none", "aid"),
        arm=codes(rossi["fin"]),
        time=rossi["week"],
        event=rossi["arrest"] > 0,
        covariates={"age": rossi["age"], "prio": rossi["prio"]},
    )
    outcome = CONTACT.model_copy(update={"horizon": 52, "time_unit": "week"})
    row = hazard(analysed(outcome, table), Role.SENSITIVITY)
    assert np.log(row.estimate) == pytest.approx(-0.346954462442, abs=1e-9)
    assert row.se == pytest.approx(0.190247265483, abs=1e-9)
    assert row.covariates == ("age", "prio")


def test_a_hazard_ratio_that_does_not_exist_is_none_with_a_flag():
    everything = {"arms": ("a", "b"), "follow_up": np.full(8, 56.0)}
    arm = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    one_sided = np.array([False] * 4 + [True] * 4)
    row = hazard(analysed(CONTACT, UnitTable(arm=arm, time=np.full(8, 56.0), event=one_sided, **everything)))
    assert row.estimate is None
    assert Flag.NO_EVENTS in row.flags
    apart = np.array([10.0, 11, 12, 13, 1, 2, 3, 4])
    row = hazard(analysed(CONTACT, UnitTable(arm=arm, time=apart, event=np.ones(8, dtype=bool), **everything)))
    assert row.estimate is None
    assert Flag.RATIO_UNBOUNDED in row.flags
    table = UnitTable(
        arm=arm,
        time=np.array([3.0, 9, 5, 6, 4, 2, 8, 1]),
        event=np.ones(8, dtype=bool),
        cluster=np.array([0, 0, 1, 1, 2, 2, 2, 2]),
        **everything,
    )
    row = hazard(analysed(CONTACT, table))
    assert (row.estimate is None, row.se) == (False, None)
    assert Flag.ONE_CLUSTER_IN_ARM in row.flags


def test_columns_that_say_the_same_or_nothing_have_no_model():
    rng = np.random.default_rng(1)
    time, event, x = rng.exponential(5, 50), np.ones(50, dtype=bool), rng.normal(size=50)
    stratum = np.zeros(50, dtype=np.int64)
    assert fit_cox_model(np.stack([x, 2 * x], axis=1), time, event, stratum, 60.0) is None
    assert fit_cox_model(np.ones((50, 1)), time, event, stratum, 60.0) is None
    assert fit_cox_model(x[:, None], time, ~event, stratum, 60.0) is None
