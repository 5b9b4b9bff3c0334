"""Rate ratios, against a Poisson regression fitted the long way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit
from uplift_cases import CALLS, KEY, analysed, codes, floats, household_trial

from nudge.uplift.comparison import Comparison
from nudge.uplift.estimate import CiMethod, Flag, PMethod
from nudge.uplift.rates import fit_rate, rate_statistic
from nudge.uplift.units import UnitTable


def long_way(count, exposure, z, stratum, cluster):
    """Newton on the full design, then Mancl and DeRouen's sandwich and Satterthwaite's t, by full matrices."""
    sums = [np.bincount(cluster, weights=part)[np.unique(cluster)] for part in (count, exposure)]
    first = [np.flatnonzero(cluster == code)[0] for code in np.unique(cluster)]
    (count, exposure), z, stratum = sums, z[first], stratum[first]
    design = np.column_stack([z.astype(float), stratum[:, None] == np.unique(stratum)]).astype(float)
    beta = np.zeros(design.shape[1])
    beta[1:] = np.log(count.sum() / exposure.sum())
    for _ in range(100):
        mean = exposure * np.exp(design @ beta)
        beta = beta + np.linalg.solve(design.T * mean @ design, design.T @ (count - mean))
    mean = exposure * np.exp(design @ beta)
    bread = np.linalg.inv(design.T * mean @ design)
    hat = design @ bread @ design.T @ np.diag(mean)
    residual = np.linalg.solve(np.diag(1 - np.diag(hat)), count - mean)
    shares = bread[0] @ design.T * residual
    # the quadratic form with 1/(1 - h), unbiased for Poisson counts, and its first two moments
    covariance = np.diag(mean) - np.diag(mean) @ design @ bread @ design.T @ np.diag(mean)
    form = np.diag((bread[0] @ design.T) ** 2 / (1 - np.diag(hat)))
    product = form @ covariance
    return beta[0], np.sqrt((shares**2).sum()), np.trace(product) ** 2 / np.trace(product @ product)


def plain_se(log_ratio, count, exposure, z, stratum, cluster):
    """The sandwich without leverages, one stratum at a time."""
    scores, information = np.zeros(cluster.max() + 1), 0.0
    for code in np.unique(stratum):
        here = stratum == code
        relative = exposure * np.exp(log_ratio * z) * here
        mean = relative * count[here].sum() / relative.sum()
        share = mean[z == 1].sum() / mean.sum()
        scores += np.bincount(cluster, weights=here * (z - share) * (count - mean), minlength=scores.size)
        information += mean.sum() * share * (1 - share)
    return np.sqrt((scores**2).sum()) / information


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_the_profiled_fit_is_the_poisson_regression_fitted_the_long_way(seed, strata):
    table, assignment = household_trial(seed, clusters=30, strata=strata)
    rng = np.random.default_rng(seed)
    exposure = rng.uniform(0.5, 3, len(table))
    count = rng.poisson(1.5 * exposure * np.exp(0.3 * table.arm)).astype(float) + (np.arange(len(table)) % 7 == 0)
    fit = fit_rate(count, exposure, table.arm, table.stratum, table.cluster)
    se = float(np.sqrt((fit.influence**2).sum()))
    wanted = long_way(count, exposure, table.arm, table.stratum, table.cluster)
    assert (fit.log_ratio, se, fit.df) == pytest.approx(wanted, rel=1e-7)
    comparison = Comparison.of(table, "b", assignment)
    labels = next(iter(comparison.assignment.redraw(5, KEY)))
    statistic = rate_statistic(comparison, count, exposure)(labels)
    for value, row in zip(statistic, labels, strict=True):
        again = fit_rate(count, exposure, row[table.cluster].astype(np.int64), table.stratum, table.cluster)
        plain = plain_se(again.log_ratio, count, exposure, row[table.cluster], table.stratum, table.cluster)
        assert value == pytest.approx(again.log_ratio / plain, rel=1e-6, abs=1e-9)


def test_one_stratum_is_the_log_ratio_of_totals():
    fit = fit_rate(floats([3, 4, 5, 9]), floats([1, 2, 1, 2]), codes([0, 0, 1, 1]), codes([0] * 4), codes([0, 1, 2, 3]))
    assert fit.log_ratio == pytest.approx(np.log((14 / 3) / (7 / 3)))


def test_a_rate_has_its_ratio_its_interval_and_the_redraws_p():
    table, assignment = household_trial(2, clusters=40)
    rows = UnitTable(
        arms=table.arms,
        arm=table.arm,
        stratum=table.stratum,
        strata=table.strata,
        cluster=table.cluster,
        count=np.floor(table.time / 5),
    )
    result = analysed(CALLS, rows, assignment=assignment, smallest_worthwhile=0.2)
    [row] = result.headlines
    assert row.ci_method is CiMethod.SANDWICH_T
    assert row.p_method is PMethod.RANDOMISATION_DRAWN
    assert row.ci[0] < row.estimate < row.ci[1]
    assert result.arms[0].values["rate"]["estimate"] == pytest.approx(rows.count[rows.arm == 0].mean())


def test_an_arm_without_events_has_no_ratio_but_a_test():
    table = UnitTable(arms=("a", "b"), arm=codes([0, 1] * 6), count=floats([0, 3, 0, 2, 0, 4, 0, 1, 0, 5, 0, 2]))
    [row] = analysed(CALLS, table).headlines
    assert row.estimate is None
    assert Flag.NO_EVENTS in row.flags
    assert row.p_value == pytest.approx(2 / 924)


def test_an_arm_of_one_cluster_has_a_ratio_and_no_error():
    table = UnitTable(
        arms=("a", "b"),
        arm=codes([0, 0, 0, 0, 1, 1]),
        cluster=codes([0, 1, 2, 3, 4, 4]),
        count=floats([3, 5, 4, 8, 9, 2]),
    )
    [row] = analysed(CALLS, table).headlines
    assert row.estimate == pytest.approx(5.5 / 5)
    assert (row.se, row.ci) == (None, None)
    assert Flag.ONE_CLUSTER_IN_ARM in row.flags


def test_a_rate_in_unequal_sites_covers_its_truth():
    """4,000 trials of 10 sites an arm, exposures and rates both uneven: the plain sandwich held the truth in 90.3 %."""
    rng = np.random.default_rng(7)
    held, trials = 0, 4_000
    arm, cluster, stratum = np.repeat([0, 1], 10), np.arange(20), np.zeros(20, dtype=np.int64)
    for _ in range(trials):
        exposure = rng.gamma(1.5, 1 / 1.5, 20) + 0.05
        count = rng.poisson(5 * exposure * rng.gamma(1, 1, 20)).astype(float)
        fit = fit_rate(count, exposure, arm, stratum, cluster)
        held += abs(fit.log_ratio) <= stdtrit(fit.df, 0.975) * np.sqrt((fit.influence**2).sum())
    assert 0.94 <= held / trials <= 0.965
