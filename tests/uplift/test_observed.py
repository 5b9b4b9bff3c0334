"""Figures where nothing was drawn: a series with a change, units before and after, two arms' changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.uplift.changes import difference_in_differences, mean_change
from nudge.uplift.series import newey_west, segmented, usual_lag

NUMBERS = st.floats(-1e3, 1e3, allow_nan=False).map(lambda value: round(value, 3))
SERIES = st.lists(NUMBERS, min_size=10, max_size=40).filter(lambda values: np.std(values) > 0.1)


def panel(values: list[float]) -> tuple[np.ndarray, ...]:
    """Four sites in four periods, two of them before; sites 1 and 3 change."""
    site, period = np.repeat(np.arange(4), 4), np.tile(np.arange(4), 4)
    return np.array(values), site % 2, period, (period < 2) * 1.0, site


@given(SERIES, st.floats(0.01, 100), st.booleans())
def test_i04_a_series_in_other_money_has_the_same_change_in_that_money(values, scale, slope):
    y = np.array(values)
    after = np.arange(y.size) >= y.size // 2
    one, other = (segmented(v, after, slope=slope, monthly=False, lag=3) for v in (y, 5 + scale * y))
    assert other.level.estimate == pytest.approx(scale * one.level.estimate, rel=1e-6, abs=1e-6)
    if one.level.se is not None and other.level.se is not None and one.level.se > 1e-3:
        assert other.level.se == pytest.approx(scale * one.level.se, rel=1e-4)


def test_without_lags_the_variance_is_whites():
    scores = np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 0.0]])
    assert newey_west(scores, 0) == pytest.approx(scores.T @ scores)


def test_errors_that_go_on_from_period_to_period_widen_the_interval():
    rng = np.random.default_rng(7)
    noise = np.zeros(120)
    for t in range(1, 120):
        noise[t] = 0.8 * noise[t - 1] + rng.normal()
    after = np.arange(120) >= 60
    alone, together = (segmented(noise, after, slope=False, monthly=False, lag=lag) for lag in (0, 12))
    assert together.level.se > 1.2 * alone.level.se


def test_a_line_that_steps_and_bends_is_found_as_it_was_drawn():
    time = np.arange(20.0)
    after = time >= 12
    y = 3 + 0.5 * time + after * (2 - 0.25 * (time - 11))
    found = segmented(y, after, slope=True, monthly=False)
    assert (found.level.estimate, found.slope.estimate) == (pytest.approx(2), pytest.approx(-0.25))
    assert found.level.se is None
    assert found.slope.se is None


@pytest.mark.parametrize("after", [[False], [False] * 30, [True] * 30, [False, True]])
def test_i12_a_series_that_cannot_tell_the_change_from_time_has_none(after):
    marked = np.array(after)
    found = segmented(np.arange(marked.size) ** 0.5, marked, slope=True, monthly=False)
    assert not found.fitted
    assert (found.level.estimate, found.level.se, found.slope.estimate) == (None, None, None)


def test_i12_months_need_more_than_a_year():
    after = np.arange(14) >= 7
    assert not segmented(np.arange(14) ** 0.5, after, slope=False, monthly=True).fitted
    assert (usual_lag(192, monthly=True), usual_lag(100, monthly=False)) == (12, 4)


@given(st.lists(NUMBERS, min_size=3, max_size=30), st.randoms(use_true_random=False))
def test_i04_units_before_and_after_may_stand_in_any_order(values, shuffle):
    change = np.array(values)
    order = np.array(shuffle.sample(range(change.size), change.size))
    cluster = np.arange(change.size) // 2
    one, other = mean_change(change, cluster), mean_change(change[order], 7 * cluster[order])
    assert other.estimate == pytest.approx(one.estimate, abs=1e-9)
    assert (other.se is None) == (one.se is None)
    if one.se is not None:
        assert (other.se, other.df) == (pytest.approx(one.se, rel=1e-6), pytest.approx(one.df, rel=1e-6))


def test_i12_no_unit_one_unit_and_units_that_change_alike_have_no_error():
    assert mean_change(np.zeros(0), np.zeros(0, dtype=np.int64)).estimate is None
    one = mean_change(np.array([2.0]), np.array([0]))
    assert (one.estimate, one.se, one.one_cluster) == (2.0, None, True)
    alike = mean_change(np.full(9, 0.1), np.arange(9))
    assert (alike.estimate, alike.se, alike.df) == (pytest.approx(0.1), None, None)


@given(st.lists(NUMBERS, min_size=16, max_size=16), st.permutations(range(16)), st.floats(0.1, 10))
def test_i04_two_arms_changes_differ_by_the_same_in_any_order_and_any_money(values, order, scale):
    y, arm, period, before, site = panel(values)
    one = difference_in_differences(y, arm, period, before, site, site)
    rows = np.array(order)
    other = difference_in_differences(
        3 + scale * y[rows], arm[rows], period[rows], before[rows], site[rows], 5 - site[rows]
    )
    assert other.estimate == pytest.approx(scale * one.estimate, rel=1e-6, abs=1e-6)
    after = before == 0
    change = [y[(arm == code) & after].mean() - y[(arm == code) & ~after].mean() for code in (0, 1)]
    assert one.estimate == pytest.approx(change[1] - change[0], rel=1e-9, abs=1e-9)


def test_i12_without_an_arm_a_time_or_a_site_on_both_sides_there_is_no_difference_of_changes():
    y, arm, period, before, site = panel([float(value**2 % 7) for value in range(16)])
    for rows in (arm == 1, arm == 0, before == 1, before == 0, arm == (before == 0)):
        fit = difference_in_differences(y[rows], arm[rows], period[rows], before[rows], site[rows], site[rows])
        assert (fit.estimate, fit.se) == (None, None)
    nobody = difference_in_differences(y[:0], arm[:0], period[:0], before[:0], site[:0], site[:0])
    assert nobody.estimate is None
    alike = difference_in_differences(np.ones(16), arm, period, before, site, site)
    assert (alike.estimate, alike.se) == (pytest.approx(0), None)


def test_i12_one_site_in_each_arm_has_a_difference_and_no_error():
    y, arm, period, before, site = panel([float(value**2 % 7) for value in range(16)])
    rows = site < 2
    fit = difference_in_differences(y[rows], arm[rows], period[rows], before[rows], site[rows], site[rows])
    assert fit.estimate is not None
    assert (fit.se, fit.one_cluster) == (None, True)
