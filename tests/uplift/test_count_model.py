"""Regressions of counts against R, and the rows that they make beside a ratio of rates."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uplift_cases import CALLS, ORACLES, analysed, codes, floats, named

from nudge.uplift.count_model import fit_counts
from nudge.uplift.estimate import Flag, PMethod, Role
from nudge.uplift.rates import fit_rate
from nudge.uplift.units import UnitTable

QUINE = json.loads((ORACLES / "statistics.json").read_text())["sets"]["quine"]["columns"]


@pytest.mark.parametrize("oracle", json.loads((ORACLES / "counts.json").read_text()), ids=named)
def test_i10_regressions_of_counts_are_those_of_r(oracle):
    row = np.arange(1, 147)
    held = {"arm": floats(QUINE["arm"]), "stratum": floats(QUINE["stratum"]), "x": np.log(row + 0.5)}
    exposure = 1 + row % 5.0 if "x" in oracle["columns"] else np.ones(146)
    columns = np.stack([*(held[name] for name in oracle["columns"]), np.ones(146)], axis=1)
    fit = fit_counts(columns, floats(QUINE["count"]), exposure, spread=oracle["spread"])
    tolerance = oracle["tolerance"]
    assert fit.coefficients == pytest.approx(oracle["coefficients"], abs=tolerance)
    assert np.sqrt(np.diag(fit.robust(row))) == pytest.approx(oracle["robust"], abs=tolerance)
    if oracle["spread"]:
        assert fit.theta == pytest.approx(oracle["theta"], abs=tolerance)
        assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(oracle["se"], abs=tolerance)
        assert fit.log_likelihood == pytest.approx(oracle["log_likelihood"], abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 5))
def test_no_other_spread_or_ratio_is_likelier_than_the_one_found(seed, theta):
    rng = np.random.default_rng(seed)
    arm = np.arange(60) % 2.0
    count = rng.poisson(4 * rng.gamma(theta, 1 / theta, 60) * np.exp(0.4 * arm)).astype(float)
    columns = np.stack([arm, np.ones(60)], axis=1)
    poisson = fit_counts(columns, count, np.ones(60))
    fit = fit_counts(columns, count, np.ones(60), spread=True)
    assert fit.log_likelihood >= poisson.log_likelihood - 1e-9
    if math.isfinite(fit.theta):
        scores = columns.T @ ((count - fit.mean) / (1 + fit.mean / fit.theta))
        assert scores == pytest.approx([0, 0], abs=1e-7)
        for other in (fit.theta * 1.01, fit.theta / 1.01):
            moved = type(fit)(**{name: getattr(fit, name) for name in ("columns", "coefficients", "covariance", "count", "mean")}, theta=other)  # fmt: skip # noqa: E501
            assert moved.log_likelihood <= fit.log_likelihood + 1e-9


def test_counts_without_extra_spread_have_a_poissons():
    arm = np.arange(20) % 2.0
    fit = fit_counts(np.stack([arm, np.ones(20)], axis=1), np.full(20, 3.0), np.ones(20), spread=True)
    assert fit.theta == math.inf
    assert fit.coefficients == pytest.approx([0, math.log(3)], abs=1e-9)


def test_columns_that_follow_from_others_and_counts_of_nothing_have_no_model():
    x = np.arange(10.0)
    assert fit_counts(np.stack([x, 2 * x], axis=1), x, np.ones(10)) is None
    assert fit_counts(np.ones((10, 1)), np.zeros(10), np.ones(10)) is None


def sites(seed, **changes):
    """80 sites whose counts before and after share a rate of their own; the arm takes a fifth away."""
    rng = np.random.default_rng(seed)
    arm, own = np.arange(80) % 2, rng.gamma(1.5, 1 / 1.5, 80)
    count = rng.poisson(20 * own * np.where(arm == 1, 0.8, 1.0)).astype(float)
    columns = {"baseline": rng.poisson(20 * own).astype(float), "count": count, **changes}
    return UnitTable(arms=("a", "b"), arm=arm, **columns)


def test_counts_before_narrow_the_ratio_beside_the_headline_and_leave_the_headline_alone():
    result = analysed(CALLS, sites(3))
    [headline] = result.headlines
    adjusted, spread = [row for row in result.estimates if row.role is Role.SENSITIVITY]
    assert adjusted.covariates == ("baseline",)
    assert adjusted.se < 0.6 * headline.se
    assert "negative binomial" in spread.method
    assert "theta" in spread.method
    bare = analysed(CALLS, sites(3, baseline=None))
    assert bare.headlines[0].estimate == headline.estimate
    assert not any("counts before" in note for note in result.notes)


def test_counts_before_lead_where_that_was_sealed_and_redraws_test_them():
    result = analysed(CALLS, sites(3), adjust="headline")
    [headline] = result.headlines
    assert headline.covariates == ("baseline",)
    assert headline.p_method is PMethod.RANDOMISATION_DRAWN
    assert headline.p_value < 0.05
    plain = next(row for row in result.estimates if row.method.endswith("not adjusted"))
    assert plain.estimate == analysed(CALLS, sites(3)).headlines[0].estimate


def test_the_adjusted_test_rejects_no_more_than_it_says():
    """200 trials without effect, 199 redraws each."""
    low = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        own = rng.gamma(1.0, 1.0, 24)
        table = UnitTable(
            arms=("a", "b"),
            arm=np.arange(24) % 2,
            count=rng.poisson(6 * own).astype(float),
            baseline=rng.poisson(6 * own).astype(float),
        )
        low += analysed(CALLS, table, adjust="headline").headlines[0].p_value <= 0.05
    assert 2 <= low <= 19


def test_rows_beside_a_rate_that_cannot_be_made_are_none_with_a_flag():
    table = UnitTable(arms=("a", "b"), arm=codes([0, 1] * 6), count=floats([0, 3, 0, 2, 0, 4, 0, 1, 0, 5, 0, 2]))
    [row] = [row for row in analysed(CALLS, table).estimates if row.role is Role.SENSITIVITY]
    assert (row.estimate, Flag.NO_EVENTS in row.flags) == (None, True)
    table = UnitTable(
        arms=("a", "b"),
        arm=codes([0, 0, 0, 0, 1, 1]),
        cluster=codes([0, 1, 2, 3, 4, 4]),
        count=floats([3, 5, 4, 8, 9, 2]),
        covariates={"nothing": np.ones(6)},
    )
    for row in (row for row in analysed(CALLS, table).estimates if row.role is Role.SENSITIVITY):
        assert (row.se, Flag.ONE_CLUSTER_IN_ARM in row.flags) == (None, True)


def test_poisson_with_dummies_is_the_ratio_of_the_headline():
    rng = np.random.default_rng(1)
    arm, stratum = np.arange(60) % 2, np.arange(60) // 20
    count, exposure = rng.poisson(3, 60).astype(float), rng.uniform(1, 2, 60)
    dummies = (stratum[:, None] == np.arange(3)).astype(float)
    fit = fit_counts(np.concatenate([arm[:, None], dummies], axis=1), count, exposure)
    plain = fit_rate(count, exposure, arm, stratum, np.arange(60))
    assert fit.coefficients[0] == pytest.approx(plain.log_ratio, abs=1e-9)
    assert fit.robust(np.arange(60))[0, 0] == pytest.approx((plain.influence**2).sum(), rel=1e-9)
