"""Where there is no spread to measure: no interval of no width, no error made of rounding, no verdict from either."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from uplift_cases import CONTACT, MONEY, SHARE, analysed, household_trial, shares

from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod
from nudge.uplift.proportions import Share, wilson
from nudge.uplift.units import UnitTable
from nudge.uplift.verdict import VerdictCode


@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("households", [False, True])
def test_i10_nobody_or_everybody_in_every_stratum_is_no_proof_of_no_difference(y, households):
    """An interval of no width made `no worthwhile difference` of a trial without one event."""
    n = 240
    cluster = np.arange(n) // 2 if households else np.arange(n)
    table = UnitTable(
        arms=("a", "b"),
        arm=cluster % 2,
        y=np.full(n, y),
        stratum=(cluster // 2) % 3,
        strata=("x", "y", "z"),
        cluster=cluster if households else None,
    )
    result = analysed(SHARE, table, smallest_worthwhile=0.05)
    [row] = result.headlines
    if not households or y == 1.0:
        assert (row.estimate, row.se, row.ci, row.ci_method) == (0.0, None, None, None)
        assert Flag.NO_VARIANCE in row.flags
        assert result.verdict[0].code is VerdictCode.TOO_SMALL_TO_TELL
    else:
        assert row.ci_method is CiMethod.MIETTINEN_NURMINEN_EFFECTIVE_T
        assert row.ci[0] < 0 < row.ci[1]


@pytest.mark.parametrize("values", [(0.1, 0.1), (0.1, 0.3), (1e6 + 0.1, 1e6 + 0.2)])
@pytest.mark.parametrize("columns", [{}, {"stratum": 3}, {"cluster": 4}, {"baseline": 1}])
def test_what_rounding_leaves_of_no_spread_is_no_standard_error(values, columns):
    """0.1 has no exact double: 120 equal values had an error of 4e-17, an interval, and a verdict."""
    n = 120
    arm = np.arange(n) // 4 % 2
    table = UnitTable(
        arms=("a", "b"),
        arm=arm,
        y=np.where(arm == 1, values[1], values[0]),
        stratum=np.arange(n) // 8 % 3 if "stratum" in columns else None,
        cluster=np.arange(n) // 4 if "cluster" in columns else None,
        baseline=np.sin(np.arange(n)) if "baseline" in columns else None,
    )
    result = analysed(MONEY, table, smallest_worthwhile=0.05)
    [row] = result.headlines
    assert (row.se, row.ci, row.df) == (None, None, None)
    assert Flag.NO_VARIANCE in row.flags
    assert result.verdict[0].code is VerdictCode.TOO_SMALL_TO_TELL


def test_a_small_spread_on_a_large_number_is_still_one():
    y = 1e6 + np.sin(np.arange(120)) * 1e-3
    table = UnitTable(arms=("a", "b"), arm=np.arange(120) % 2, y=y)
    [row] = analysed(MONEY, table).headlines
    assert row.se == pytest.approx(np.sqrt(sum(y[code::2].var(ddof=1) / 60 for code in (0, 1))), rel=1e-4)


def test_strata_that_never_hold_both_arms_leave_nothing_to_test():
    table = UnitTable(
        arms=("a", "b"), arm=np.repeat([0, 1], 20), y=np.arange(40.0), stratum=np.repeat([0, 1], 20), strata=("x", "y")
    )
    [row] = analysed(MONEY, table).headlines
    assert (row.estimate, row.se, row.p_value, row.p_method, row.redraws) == (None,) * 5


def test_nobody_in_touch_has_no_standard_error():
    n = 240
    table = UnitTable(arms=("a", "b"), arm=np.arange(n) % 2, time=np.full(n, 56.0), event=np.zeros(n, dtype=bool))
    [row] = analysed(CONTACT, table).headlines
    assert (row.estimate, row.se, row.ci) == (0.0, None, None)


def test_odds_where_everybody_responded_are_not_said_to_lack_events():
    rows = analysed(SHARE, shares([(60, 60), (60, 60)])).estimates
    [odds] = [row for row in rows if row.measure is Measure.ODDS_RATIO]
    assert (odds.estimate, Flag.NO_EVENTS in odds.flags, Flag.NO_VARIANCE in odds.flags) == (None, False, True)
    table = shares([(40, 80), (80, 80)], cluster=np.arange(160) // 2)
    table = replace(table, y=np.where(table.arm == 0, np.arange(160) % 3 == 0, 1.0))
    [risk] = [row for row in analysed(SHARE, table).estimates if row.measure is Measure.RISK_RATIO]
    assert risk.estimate == pytest.approx(1 / table.y[table.arm == 0].mean())
    assert risk.se > 0


def test_households_found_to_be_one_across_arms_are_flagged_and_redrawn():
    table, assignment = household_trial(1, clusters=60, strata=1)
    joined = np.where(table.cluster == np.flatnonzero(assignment.arm == 1)[0], 0, table.cluster)
    joined[table.cluster == np.flatnonzero(assignment.arm == 0)[0]] = 0
    merged = replace(table, cluster=joined, drawn=table.cluster)
    [row] = analysed(CONTACT, merged, assignment=assignment).headlines
    assert Flag.CLUSTERS_SPAN_ARMS in row.flags
    assert row.p_method is PMethod.RANDOMISATION_DRAWN


def test_an_arm_of_households_in_which_nobody_responded_is_as_uncertain_as_its_households():
    table = shares([(0, 60), (20, 60)], cluster=np.arange(120) // 2)
    nobody, _ = analysed(SHARE, table).arms
    assert nobody.values["proportion"]["ci"] == pytest.approx(wilson(Share(0.0, 30.0), 0.95))


@pytest.mark.parametrize("sizes", [(12, 1), (12, 4)])
def test_an_arm_of_one_cluster_has_no_standard_error_with_a_baseline_either(sizes):
    arm = np.repeat([0, 1], sizes)
    cluster = np.where(arm == 1, 100, np.arange(arm.size) // 2)
    rng = np.random.default_rng(2)
    table = UnitTable(
        arms=("a", "b"),
        arm=arm,
        cluster=np.unique(cluster, return_inverse=True)[1],
        y=rng.normal(size=arm.size),
        baseline=rng.normal(size=arm.size),
    )
    [row] = analysed(MONEY, table).headlines
    assert (row.se, row.ci, row.df) == (None, None, None)
    assert Flag.ONE_CLUSTER_IN_ARM in row.flags
