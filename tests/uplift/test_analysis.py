"""One outcome from units to verdict: which row a design gets, what is refused, what may not matter."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uplift_cases import CONTACT, KEY, MONEY, SHARE, analysed, codes, floats, household_trial, shares

from nudge.allocation.assignment import Assignment
from nudge.base.errors import Refused
from nudge.experiment.definition import Outcome, OutcomeType
from nudge.uplift.codes import UpliftCode
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod, Role
from nudge.uplift.finishing import across_outcomes
from nudge.uplift.units import UnitTable
from nudge.uplift.verdict import VerdictCode

OUTCOME_KEYS = (  # TRIAL-RULES §9
    "id type primary better population estimand unit time_unit horizon day0 data_cut followed_to_horizon competing "
    "smallest_worthwhile verdict arms estimates panels"
)
ARM_KEYS = "arm n_assigned n clusters missing missing_by events values"
ESTIMATE_KEYS = (
    "arm reference measure scale estimate se ci ci_method confidence simultaneous df statistic p_value p_method "
    "redraws p_adjusted adjustment strata strata_dropped covariates clusters design_effect role method n events flags "
    "contrast"
)


# which row of the default table


def test_a_plain_proportion_has_the_score_interval_and_the_score_test():
    [row] = analysed(SHARE, shares([(48, 80), (56, 70)])).headlines
    assert row.estimate == pytest.approx(56 / 70 - 48 / 80)
    assert (row.ci_method, row.p_method) == (CiMethod.MIETTINEN_NURMINEN, PMethod.SCORE)
    assert row.ci == pytest.approx((0.05282971, 0.33817294), abs=1e-8)
    assert row.p_value == pytest.approx(0.00804508 * 1.02, rel=0.02)
    assert (row.n, row.events, row.clusters, row.df, row.redraws) == (150, 104, 150, None, None)


@pytest.mark.parametrize("counts", [[(1, 60), (4, 60)], [(20, 40), (30, 60)]])
def test_few_expected_or_a_small_arm_turns_to_the_redraws(counts):
    [row] = analysed(SHARE, shares(counts)).headlines
    assert row.ci_method is CiMethod.MIETTINEN_NURMINEN
    assert row.p_method is PMethod.RANDOMISATION_DRAWN
    assert row.redraws == 199


def test_strata_without_clusters_have_mantel_haenszel_sato_and_cochran():
    table = shares([(40, 100), (55, 100)], stratum=np.arange(200) % 4, strata=tuple("wxyz"))
    [row] = analysed(SHARE, table).headlines
    assert (row.ci_method, row.p_method) == (CiMethod.SATO, PMethod.COCHRAN_MANTEL_HAENSZEL)
    assert row.strata == ("w", "x", "y", "z")
    [few] = analysed(SHARE, shares([(4, 100), (15, 100)], stratum=np.arange(200) % 4)).headlines
    assert few.p_method is PMethod.RANDOMISATION_DRAWN


def test_households_in_one_stratum_have_the_score_interval_on_effective_units():
    table, assignment = household_trial(1, clusters=80, strata=1)
    [row] = analysed(SHARE, replace(table, stratum=None), assignment=assignment).headlines
    assert row.ci_method is CiMethod.MIETTINEN_NURMINEN_EFFECTIVE_T
    assert row.p_method is PMethod.RANDOMISATION_DRAWN
    assert row.design_effect >= 1
    assert (row.df, row.clusters) == (78, 80)


def test_households_in_strata_have_cr2_unless_events_or_clusters_are_few():
    table, assignment = household_trial(1, clusters=80)
    [row] = analysed(SHARE, table, assignment=assignment).headlines
    assert (row.ci_method, row.p_method) == (CiMethod.CR2_T, PMethod.RANDOMISATION_DRAWN)
    few = replace(table, y=(np.arange(len(table)) % 20 == 0).astype(float))
    [row] = analysed(SHARE, few, assignment=assignment).headlines
    assert row.ci_method is CiMethod.MIETTINEN_NURMINEN_EFFECTIVE_T
    assert Flag.STRATA_NOT_USED in row.flags


def test_time_to_event_without_clusters_or_strata_is_greenwood_and_z():
    table, _ = household_trial(1, clusters=160, most=1, strata=1)
    [row] = analysed(CONTACT, replace(table, stratum=None)).headlines
    assert (row.measure, row.ci_method, row.p_method) == (
        Measure.RMST_DIFFERENCE,
        CiMethod.GREENWOOD_Z,
        PMethod.WALD_Z,
    )
    small, _ = household_trial(1, clusters=80, most=1, strata=1)
    [row] = analysed(CONTACT, replace(small, stratum=None)).headlines
    assert (row.ci_method, row.p_method) == (CiMethod.HC2_T, PMethod.RANDOMISATION_DRAWN)


def test_time_to_event_in_strata_is_hc2_and_with_households_cr2_and_redraws():
    table, _ = household_trial(1, clusters=160, most=1)
    [row] = analysed(CONTACT, table).headlines
    assert (row.ci_method, row.p_method) == (CiMethod.HC2_T, PMethod.WALD_T)
    table, assignment = household_trial(1, clusters=160)
    [row] = analysed(CONTACT, table, assignment=assignment).headlines
    assert (row.ci_method, row.p_method) == (CiMethod.CR2_T, PMethod.RANDOMISATION_DRAWN)


def test_a_mean_with_a_baseline_leads_with_lins_adjustment_and_shows_the_plain_one():
    table, assignment = household_trial(1, clusters=120)
    rng = np.random.default_rng(3)
    before = rng.normal(100, 20, len(table))
    table = replace(table, y=before - 5 * table.arm + rng.normal(0, 5, len(table)), baseline=before)
    result = analysed(MONEY, table, assignment=assignment)
    [row] = result.headlines
    plain = next(item for item in result.estimates if "not adjusted for the baseline" in item.method)
    assert row.covariates == ("baseline",)
    assert row.se < plain.se
    assert row.estimate == pytest.approx(-5, abs=4 * row.se)
    assert row.p_method is PMethod.RANDOMISATION_DRAWN


def test_above_20_000_clusters_the_wald_p_stands_and_says_so():
    table, _ = household_trial(1, clusters=20_400, strata=2)
    [row] = analysed(CONTACT, table).headlines
    assert row.p_method is PMethod.WALD_T
    assert Flag.RANDOMISATION_TEST_NOT_RUN in row.flags


def test_a_live_trial_without_its_draw_keeps_the_wald_p_flagged():
    table, _ = household_trial(1)
    [row] = analysed(CONTACT, table, live=True).headlines
    assert Flag.RANDOMISATION_TEST_NOT_RUN in row.flags


# several arms


def test_three_letters_against_one_are_adjusted_together():
    table, assignment = household_trial(1, clusters=240, arms=3)
    redrawn = analysed(CONTACT, table, assignment=assignment).headlines
    assert [row.adjustment for row in redrawn] == ["holm", "holm"]
    table, _ = household_trial(1, clusters=240, arms=3, most=1)
    wald = analysed(CONTACT, table).headlines
    assert [row.adjustment for row in wald] == ["dunnett", "dunnett"]
    for row in (*redrawn, *wald):
        assert row.p_adjusted >= row.p_value
        assert row.simultaneous[0] < row.ci[0] < row.ci[1] < row.simultaneous[1]


def test_estimates_come_in_the_order_headline_secondary_sensitivity_descriptive():
    table, assignment = household_trial(1, clusters=120, arms=3)
    table = replace(table, covariates={"weeks": np.sin(np.arange(len(table)))})
    rows = analysed(CONTACT, table, assignment=assignment).estimates
    assert [(row.role, row.arm) for row in rows[:2]] == [(Role.HEADLINE, "b"), (Role.HEADLINE, "c")]
    roles = [list(Role).index(row.role) for row in rows]
    assert roles == sorted(roles)
    last = rows[-1]
    assert last.role is Role.DESCRIPTIVE
    assert (last.se, last.ci, last.p_value) == (None, None, None)
    assert Flag.RESPONDERS_ONLY in last.flags


def test_several_primary_outcomes_share_the_error_by_holm():
    table, assignment = household_trial(1, clusters=240)
    results = [
        analysed(outcome, table, assignment=assignment, multiplicity="holm", primaries=2)
        for outcome in (CONTACT, SHARE)
    ]
    together = across_outcomes(results)
    raw = sorted(result.headlines[0].p_value for result in results)
    assert sorted(result.headlines[0].p_adjusted for result in together) == pytest.approx(
        [min(2 * raw[0], 1), max(raw[1], min(2 * raw[0], 1))]
    )
    alone = analysed(CONTACT, table, assignment=assignment).headlines[0]
    assert together[0].headlines[0].simultaneous[0] < alone.ci[0]
    assert analysed(CONTACT, table, assignment=assignment, primaries=2).verdict == ()


# refusals


def test_a_horizon_beyond_the_follow_up_of_an_arm_is_refused_with_the_largest_that_would_do():
    table, _ = household_trial(1)
    short = replace(table, follow_up=np.where(table.arm == 1, 40.0, 56.0), time=np.minimum(table.time, 40.0))
    with pytest.raises(Refused) as refusal:
        analysed(CONTACT, short)
    [problem] = refusal.value.problems
    assert problem.code == UpliftCode.HORIZON_BEYOND_FOLLOW_UP.slug
    assert "40" in problem.fix


def test_a_time_to_event_without_a_horizon_is_refused():
    table, _ = household_trial(1)
    with pytest.raises(Refused) as refusal:
        analysed(Outcome(id="reply", type=OutcomeType.TIME_TO_EVENT), table)
    assert [problem.code for problem in refusal.value.problems] == [UpliftCode.HORIZON_NOT_SET.slug]


def test_an_outcome_that_nobody_has_is_refused():
    table, _ = household_trial(1)
    with pytest.raises(Refused) as refusal:
        analysed(CONTACT, table.take(table.arm > 9))
    assert [problem.code for problem in refusal.value.problems] == [UpliftCode.NO_UNITS.slug]


# what may not matter


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed):
    table, assignment = household_trial(seed, clusters=40)
    order = np.random.default_rng(seed).permutation(len(table))
    turned = replace(
        table,
        **{
            name: getattr(table, name)[order]
            for name in ("arm", "stratum", "cluster", "time", "event", "follow_up", "y")
        },
    )
    [one], [other] = (analysed(CONTACT, rows, assignment=assignment).headlines for rows in (table, turned))
    assert (one.estimate, one.se, one.df) == pytest.approx((other.estimate, other.se, other.df), rel=1e-10)
    assert one.p_value == other.p_value


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_swapping_the_arms_mirrors_the_estimate_and_keeps_the_p(seed):
    table, assignment = household_trial(seed, clusters=12)
    swapped = replace(table, arm=1 - table.arm)
    back = Assignment.of_recorded(1 - assignment.arm, assignment.stratum, "clusters", table.arms)
    [one] = analysed(CONTACT, table, assignment=assignment).headlines
    [other] = analysed(CONTACT, swapped, assignment=back).headlines
    assert one.estimate == pytest.approx(-other.estimate, abs=1e-9)
    assert one.ci == pytest.approx((-other.ci[1], -other.ci[0]), abs=1e-9)
    assert one.p_value == other.p_value  # exact: few allocations


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.permutations(range(3)))
def test_the_names_of_strata_and_clusters_do_not_matter(seed, names):
    table, assignment = household_trial(seed, clusters=36)
    renamed = replace(table, stratum=codes(names)[table.stratum])
    [one], [other] = (analysed(CONTACT, rows, assignment=assignment).headlines for rows in (table, renamed))
    assert (one.estimate, one.se, one.df) == pytest.approx((other.estimate, other.se, other.df), rel=1e-9)
    assert one.p_value == other.p_value


def test_weeks_or_days_give_the_same_answer_in_their_own_unit():
    table, assignment = household_trial(1, clusters=60)
    weeks = replace(table, time=table.time / 7, follow_up=table.follow_up / 7)
    outcome = CONTACT.model_copy(update={"horizon": 8, "time_unit": "week"})
    [one] = analysed(CONTACT, table, assignment=assignment).headlines
    [other] = analysed(outcome, weeks, assignment=assignment).headlines
    assert one.estimate == pytest.approx(7 * other.estimate)
    assert one.ci == pytest.approx(tuple(7 * bound for bound in other.ci))
    assert one.p_value == other.p_value


# who is in


def test_late_members_stand_outside_the_headline_and_inside_a_sensitivity_row():
    table, assignment = household_trial(1, clusters=60)
    late = np.arange(len(table)) % 9 != 0
    result = analysed(CONTACT, replace(table, primary=late), assignment=assignment)
    [row] = result.headlines
    [beside] = [item for item in result.estimates if "late members" in item.method]
    assert (row.n, beside.n) == (int(late.sum()), len(table))
    assert beside.role is Role.SENSITIVITY
    assert sum(arm.n for arm in result.arms) == int(late.sum())


def test_units_that_are_missing_are_counted_by_arm_and_reason():
    table, assignment = household_trial(1, clusters=60)
    table = replace(table, missing_by={"b": {"before_day_0": 2, "missing": 1}}, assigned={"a": 70, "b": 80})
    arms = analysed(CONTACT, table, assignment=assignment).arms
    assert [(arm.n_assigned, arm.missing) for arm in arms] == [(70, 0), (80, 3)]
    assert arms[1].document()["missing_by"] == {"before_day_0": 2, "missing": 1}


def test_moving_out_ends_follow_up_in_a_sensitivity_row_only():
    table, assignment = household_trial(1, clusters=60)
    moved = np.where(np.arange(len(table)) % 5 == 0, 10.0, np.inf)
    plain = analysed(CONTACT, table, assignment=assignment)
    result = analysed(CONTACT, replace(table, competing=moved), assignment=assignment)
    assert result.headlines == plain.headlines
    [row] = [item for item in result.estimates if "competing" in item.method]
    assert row.role is Role.SENSITIVITY
    assert row.events < result.headlines[0].events


def test_clusters_weighed_alike_are_compared_by_their_means():
    table, assignment = household_trial(1, clusters=60)
    result = analysed(SHARE, table, assignment=assignment, weigh="cluster")
    [row] = result.headlines
    mean = np.array([table.y[table.cluster == code].mean() for code in range(60)])
    from nudge.uplift.clusters import arm_effect

    fit = arm_effect(mean, assignment.arm.astype(np.int64), assignment.stratum.astype(np.int64), np.arange(60))
    assert (row.estimate, row.se) == pytest.approx((fit.estimate, fit.se))
    assert row.p_method is PMethod.RANDOMISATION_DRAWN


def test_clusters_that_span_arms_are_weighed_in_each_arm():
    table, _ = household_trial(1, clusters=60)
    table = replace(table, arm=np.arange(len(table)) % 2, stratum=None)
    [row] = analysed(SHARE, table, weigh="cluster").headlines
    means = []
    for arm in (1, 0):
        here = table.arm == arm
        means.append(np.mean([table.y[here & (table.cluster == code)].mean() for code in set(table.cluster[here])]))
    assert row.estimate == pytest.approx(means[0] - means[1])


def test_covariates_lead_where_that_was_sealed_and_the_design_is_redrawn_all_the_same():
    table, assignment = household_trial(1, clusters=90)
    table = replace(table, covariates={"before": table.time + np.sin(np.arange(len(table)))})
    result = analysed(CONTACT, table, assignment=assignment, adjust="headline")
    [row] = result.headlines
    sensitive = [item for item in result.estimates if item.role is Role.SENSITIVITY]
    [plain] = [item for item in sensitive if item.measure is Measure.RMST_DIFFERENCE]
    assert row.covariates == ("before",)
    assert row.p_method is PMethod.RANDOMISATION_DRAWN
    assert row.se < plain.se / 2
    assert "not adjusted" in plain.method


def test_an_arm_that_lost_everybody_has_nulls_and_a_flag():
    table, _ = household_trial(1, arms=3)
    rows = analysed(CONTACT, table.take(table.arm != 2)).headlines
    assert rows[1].estimate is None
    assert rows[1].flags == (Flag.EMPTY_ARM,)
    assert rows[0].estimate is not None


def test_a_cluster_in_both_arms_has_general_cr2_and_no_redraws():
    table, _ = household_trial(1, clusters=60)
    table = replace(table, arm=np.arange(len(table)) % 2)
    [row] = analysed(CONTACT, table).headlines
    assert row.ci_method is CiMethod.CR2_T
    assert Flag.CLUSTERS_SPAN_ARMS in row.flags
    assert row.p_method is PMethod.WALD_T


def test_ratios_where_clusters_span_arms_take_the_pairing_into_account():
    """Twins, one in each arm, who answer alike: the difference of their logarithms has less spread than two samples."""
    rng = np.random.default_rng(4)
    pairs = 400
    twin = rng.random((pairs, 1)) < 0.35
    y = np.where(rng.random((pairs, 2)) < 0.8, twin, rng.random((pairs, 2)) < 0.4).astype(float)
    table = UnitTable(
        arms=("a", "b"), arm=np.tile([0, 1], pairs), y=y.reshape(-1), cluster=np.repeat(np.arange(pairs), 2)
    )
    q, p = y.mean(axis=0)
    apart = (y[:, 1] - p) / p - (y[:, 0] - q) / q
    odds_apart = (y[:, 1] - p) / (p * (1 - p)) - (y[:, 0] - q) / (q * (1 - q))
    rows = analysed(SHARE, table).estimates
    for measure, wanted in ((Measure.RISK_RATIO, apart), (Measure.ODDS_RATIO, odds_apart)):
        [row] = [row for row in rows if row.measure is measure]
        assert row.se == pytest.approx(wanted.std() / np.sqrt(pairs), rel=0.01)
        assert row.df == pairs - 2


# what is said


def test_without_random_arms_there_is_no_verdict_and_the_p_says_as_if():
    table, assignment = household_trial(1)
    result = analysed(CONTACT, table, assignment=assignment, randomised="unknown")
    assert result.verdict == ()
    assert all(row.p_method.value.startswith("as_if_randomised_") for row in result.estimates if row.p_method)
    assert any("no verdict" in note for note in result.notes)


def test_a_large_effect_works_and_is_worthwhile():
    table, assignment = household_trial(1, clusters=300)
    table = replace(
        table,
        time=np.where(table.arm == 1, np.minimum(table.time, 5.0), table.time),
        event=table.event | (table.arm == 1),
    )
    [verdict] = analysed(CONTACT, table, assignment=assignment, smallest_worthwhile=3.0).verdict
    assert verdict.code is VerdictCode.WORTHWHILE
    assert "days earlier, on average over the first 56 days" in verdict.text


def test_contact_is_better_sooner_in_a_live_trial_that_does_not_say():
    table, assignment = household_trial(1)
    unsaid = CONTACT.model_copy(update={"better": None})
    assert analysed(unsaid, table, assignment=assignment, live=True).better == "lower"
    result = analysed(unsaid, table, assignment=assignment)
    assert (result.better, result.verdict) == (None, ())
    assert any("lower or higher" in note for note in result.notes)


def test_the_document_is_plain_json_with_every_key():
    table, assignment = household_trial(1, clusters=40, arms=3)
    for outcome in (CONTACT, SHARE, MONEY):
        document = analysed(outcome, table, assignment=assignment).document()
        json.dumps(document, allow_nan=False)
        assert list(document)[:5] == ["id", "type", "primary", "better", "population"]
        assert set(document) == set(OUTCOME_KEYS.split())
        assert set(document["arms"][0]) == set(ARM_KEYS.split())
        assert all(set(row) == set(ESTIMATE_KEYS.split()) for row in document["estimates"])


def test_i10_gifts_after_50_083_letters_match_r(shared_data: Path):
    folder = shared_data / "karlan_list2007_match_letters"
    known = json.loads((folder / "reference.json").read_text())
    with gzip.open(folder / "karlan_list.csv.gz", "rt") as file:
        rows = [(row["ratio"], row["gave"], row["amount"]) for row in csv.DictReader(file)]
    table = UnitTable(
        arms=("control", "match_1to1", "match_2to1", "match_3to1"),
        arm=codes([int(float(row[0])) for row in rows]),
        y=floats([row[1] for row in rows]),
    )
    result = analysed(SHARE, table)
    for row, arm in zip(result.headlines, result.arms[1:], strict=True):
        wanted = known["response_each_ratio_vs_control"]["estimates"][row.arm]
        assert row.estimate == pytest.approx(wanted["diff"], abs=1e-12)
        assert row.se == pytest.approx(wanted["se_wald_unpooled"], abs=1e-12)
        n = row.n
        assert row.statistic**2 * n / (n - 1) == pytest.approx(wanted["chi2_pearson"], rel=1e-9)
        assert row.ci == pytest.approx(wanted["ci95_newcombe_hybrid_score"], abs=1e-4)
        assert arm.values["proportion"]["ci"] == pytest.approx(wanted["wilson95_p1"], abs=1e-12)
        [risk] = [item for item in result.estimates if item.measure is Measure.RISK_RATIO and item.arm == row.arm]
        assert risk.ci == pytest.approx(wanted["ci95_risk_ratio_log_wald"], rel=1e-9)
    money = analysed(MONEY, replace(table, y=floats([row[2] for row in rows])))
    for row in money.headlines:
        wanted = known["dollars_by_ratio"]["estimates"][row.arm]
        assert (row.estimate, row.p_value) == pytest.approx((wanted["diff"], wanted["p_welch"]), rel=1e-9)


def test_the_redraw_key_has_16_bytes():
    table, assignment = household_trial(1)
    with pytest.raises(ValueError, match="16 bytes"):
        analysed(CONTACT, table, assignment=assignment, redraw_key=KEY[:4])


def test_clusters_found_to_be_one_have_a_row_in_which_they_are_one_in_one_arm():
    table, assignment = household_trial(8, clusters=60)
    one, other = (int(table.cluster_codes[(table.arm == code) & (table.stratum == 0)][0]) for code in (0, 1))
    joined = np.where(table.cluster_codes == other, one, table.cluster_codes)
    found = replace(table, cluster=joined, drawn=table.cluster_codes, joined=joined)
    result = analysed(MONEY, found, assignment=assignment)
    [row] = [line for line in result.estimates if "found to be one" in line.method]
    assert row.role is Role.SENSITIVITY
    moved = replace(table, cluster=joined, arm=np.where(table.cluster_codes == other, 0, table.arm))
    [alone] = analysed(MONEY, moved).headlines
    assert (row.estimate, row.se) == (alone.estimate, alone.se)
    [plain] = analysed(MONEY, replace(found, joined=None), assignment=assignment).headlines
    assert result.headlines[0] == plain  # every household keeps its arm, and the headline is as it was
    nobody = replace(table, drawn=table.cluster_codes, joined=table.cluster_codes)
    assert not any("found to be one" in line.method for line in analysed(MONEY, nobody).estimates)
