"""HC2 and CR2 against R, and against the dense matrices that the fast ones stand for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uplift_cases import codes, dense_cr2, floats, household_trial

from nudge.uplift.clusters import arm_effect, general_fit
from nudge.uplift.comparison import two_sided
from nudge.uplift.means import arm_blind_residual, arm_mean, covariate_columns

seeds = st.integers(0, 10_000)


def dummies(stratum):
    return (stratum[:, None] == np.unique(stratum)).astype(float)


def test_i10_welch_matches_r_on_50_083_letters(shared_data: Path):
    import csv
    import gzip

    folder = shared_data / "karlan_list2007_match_letters"
    known = json.loads((folder / "reference.json").read_text())["dollars_treatment_vs_control"]["estimate"]
    with gzip.open(folder / "karlan_list.csv.gz", "rt") as file:
        rows = [(row["treatment"], row["amount"]) for row in csv.DictReader(file)]
    arm, y = codes([row[0] for row in rows]), floats([row[1] for row in rows])
    fit = arm_effect(y, arm, np.zeros_like(arm), np.arange(arm.size))
    statistic = fit.estimate / fit.se
    assert fit.estimate == pytest.approx(known["diff"], abs=1e-12)
    found = (fit.se, fit.df, statistic, two_sided(statistic, fit.df))
    assert found == pytest.approx(tuple(known["welch"][key] for key in ("se", "df", "t", "p")), rel=1e-9)


@settings(max_examples=40)
@given(seeds, st.integers(1, 4), st.integers(2, 5))
def test_sums_by_cluster_give_the_dense_matrices_cr2_and_degrees_of_freedom(seed, strata, most):
    table, _ = household_trial(seed, clusters=30, strata=strata, most=most)
    y = table.time
    fit = arm_effect(y, table.arm, table.stratum, table.cluster)
    design = np.column_stack([table.arm.astype(float), dummies(table.stratum)])
    assert (fit.estimate, fit.se) == pytest.approx(dense_cr2(y, design, table.cluster)[:2], rel=1e-9)
    if np.unique(table.cluster).size < y.size or strata > 1:
        assert fit.df == pytest.approx(dense_cr2(y, design, table.cluster)[2], rel=1e-9)


@settings(max_examples=40)
@given(seeds, st.integers(2, 6), st.booleans())
def test_units_of_their_own_give_the_dense_matrices_hc2_whatever_their_codes(seed, strata, turned):
    """Some strata hold one arm only; the codes rise, or they do not."""
    rng = np.random.default_rng(seed)
    n = 50
    arm, stratum = rng.integers(0, 2, n), rng.integers(0, strata, n)
    arm[stratum == strata - 1] = 1
    y = 1e6 + arm + rng.normal(size=n)
    cluster = rng.permutation(2 * n)[:n] if turned else 3 * np.arange(n)
    fit = arm_effect(y, arm, stratum, cluster)
    used = np.array([0 < arm[stratum == code].mean() < 1 for code in stratum])
    design = np.column_stack([arm[used].astype(float), dummies(stratum[used])])
    wanted = dense_cr2(y[used] - 1e6, design, np.arange(int(used.sum())))
    assert (fit.estimate, fit.se) == pytest.approx(wanted[:2], rel=1e-6)
    assert np.sqrt((fit.influence[cluster[used]] ** 2).sum()) == pytest.approx(fit.se)
    assert not np.delete(fit.influence, cluster[used]).any()
    if np.unique(stratum[used]).size > 1:
        assert fit.df == pytest.approx(wanted[2], rel=1e-6)


@settings(max_examples=40)
@given(seeds, st.integers(1, 4), st.booleans(), st.booleans())
def test_general_cr2_equals_the_dense_matrices_with_covariates_in_any_layout(seed, strata, spanning, large):
    rng = np.random.default_rng(seed)
    n = 60
    cluster = rng.integers(0, 6 if large else 25, n)
    arm = rng.integers(0, 2, n) if spanning else (cluster % 2)
    stratum = rng.integers(0, strata, n) if spanning else (cluster // 2) % strata
    x = rng.normal(size=(n, 2))
    y = arm + x[:, 0] + rng.normal(size=n)
    columns = np.column_stack([arm, x, x * arm[:, None]]).astype(float)
    fit = general_fit(y, columns, stratum, cluster)
    wanted = dense_cr2(y, np.column_stack([columns, dummies(stratum)]), cluster)
    assert (fit.estimate, fit.se, fit.df) == pytest.approx(wanted, rel=1e-7)


@settings(max_examples=30)
@given(seeds)
def test_hc2_with_covariates_equals_the_dense_matrices(seed):
    rng = np.random.default_rng(seed)
    n = 40
    arm, stratum, x = rng.integers(0, 2, n), rng.integers(0, 3, n), rng.normal(size=(n, 2))
    y = arm + x[:, 0] + rng.normal(size=n)
    columns = np.column_stack([arm, x]).astype(float)
    fit = general_fit(y, columns, stratum, np.arange(n))
    wanted = dense_cr2(y, np.column_stack([columns, dummies(stratum)]), np.arange(n))
    assert (fit.estimate, fit.se, fit.df) == pytest.approx(wanted, rel=1e-8)


@given(seeds, st.floats(-5, 5), st.floats(0.1, 10))
def test_the_effect_follows_shift_and_scale_and_swaps_its_sign_with_the_arms(seed, shift, scale):
    table, _ = household_trial(seed, clusters=20, strata=2)
    y = table.time
    fit = arm_effect(y, table.arm, table.stratum, table.cluster)
    moved = arm_effect(shift + scale * y, table.arm, table.stratum, table.cluster)
    swapped = arm_effect(y, 1 - table.arm, table.stratum, table.cluster)
    assert moved.estimate == pytest.approx(scale * fit.estimate, abs=1e-8)
    assert moved.se == pytest.approx(scale * fit.se, rel=1e-6)
    assert (swapped.estimate, swapped.se, swapped.df) == pytest.approx((-fit.estimate, fit.se, fit.df), rel=1e-9)


def test_a_stratum_without_both_arms_has_no_weight_and_is_counted():
    y = floats([1, 2, 3, 4, 100, 200])
    arm, stratum = codes([0, 1, 0, 1, 1, 1]), codes([0, 0, 0, 0, 1, 1])
    fit = arm_effect(y, arm, stratum, np.arange(6))
    assert fit.strata_dropped == 1
    assert fit.estimate == pytest.approx(1.0)
    assert fit.influence[4:].tolist() == [0.0, 0.0]


def test_an_arm_of_one_cluster_has_no_standard_error():
    fit = arm_effect(floats([1, 2, 3, 4]), codes([1, 1, 0, 0]), codes([0, 0, 0, 0]), codes([0, 0, 1, 2]))
    assert fit.estimate is not None
    assert fit.se is None
    assert fit.one_cluster


def test_an_arms_mean_has_the_closed_form_of_cr2():
    y, cluster = floats([1, 2, 4, 8, 16]), codes([0, 0, 1, 1, 2])
    mean = arm_mean(y, cluster)
    _, se, _ = dense_cr2(y, np.ones((5, 1)), cluster)
    assert (mean.value, mean.se) == pytest.approx((6.2, se))


def test_a_missing_covariate_takes_the_arm_blind_mean_and_an_indicator():
    columns = covariate_columns({"age": floats([20, np.nan, 40, 60])}, np.ones(4, dtype=bool))
    assert columns[:, 0].tolist() == [-20, 0, 0, 20]
    assert columns[:, 1].tolist() == [-0.25, 0.75, -0.25, -0.25]


def test_arm_blind_residuals_do_not_know_the_arms():
    rng = np.random.default_rng(4)
    x, stratum = rng.normal(size=(30, 1)), rng.integers(0, 2, 30)
    y = 3 * x[:, 0] + stratum + rng.normal(size=30)
    left = arm_blind_residual(y, x, stratum)
    assert abs(np.corrcoef(left - np.array([left[stratum == s].mean() for s in (0, 1)])[stratum], x[:, 0])[0, 1]) < 0.1


def test_twenty_thousand_clusters_with_covariates_need_no_large_matrix():
    table, _ = household_trial(1, clusters=20_000, strata=6)
    x = np.sin(np.arange(len(table)))[:, None]
    columns = np.column_stack([table.arm.astype(float), x])
    fit = general_fit(table.time, columns, table.stratum, table.cluster)
    assert fit.se is not None
    assert fit.df > 9_000
