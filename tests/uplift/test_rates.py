"""Rate ratios, against a Poisson regression fitted the long way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uplift_cases import CALLS, KEY, analysed, codes, floats, household_trial

from nudge.uplift.comparison import Comparison
from nudge.uplift.estimate import CiMethod, Flag, PMethod
from nudge.uplift.rates import fit_rate, rate_statistic
from nudge.uplift.units import UnitTable


def long_way(count, exposure, z, stratum, cluster):
    """Newton on the full design, then the score sandwich by cluster × G/(G - k)."""
    design = np.column_stack([z.astype(float), stratum[:, None] == np.unique(stratum)]).astype(float)
    beta = np.zeros(design.shape[1])
    beta[1:] = np.log(count.sum() / exposure.sum())
    for _ in range(100):
        mean = exposure * np.exp(design @ beta)
        beta = beta + np.linalg.solve(design.T * mean @ design, design.T @ (count - mean))
    mean = exposure * np.exp(design @ beta)
    bread = np.linalg.inv(design.T * mean @ design)
    scores = np.array([design[cluster == code].T @ (count - mean)[cluster == code] for code in np.unique(cluster)])
    groups, k = scores.shape
    return beta[0], np.sqrt((bread @ scores.T @ scores @ bread)[0, 0] * groups / (groups - k)), groups - k


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
        groups = np.unique(table.cluster).size
        factor = np.sqrt(groups / (groups - 1 - strata))  # the same constant for every redraw
        assert value == pytest.approx(
            again.log_ratio / np.sqrt((again.influence**2).sum()) * factor, rel=1e-6, abs=1e-9
        )


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
