"""The BCa interval against R's, against every resample of a tiny trial, and against what must be true of it."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from uplift_cases import KEY, MONEY, ORACLES, analysed, floats, household_trial

from nudge.uplift.bootstrap import MOST_CLUSTERS, bca
from nudge.uplift.estimate import CiMethod, Flag, Role
from nudge.uplift.units import UnitTable

MTCARS = json.loads((ORACLES / "statistics.json").read_text())["sets"]["mtcars"]["columns"]


def of_units(y, arm, key=KEY):
    y = floats(y)
    return bca(np.ones(y.size), y, np.asarray(arm), np.zeros(y.size, dtype=np.int64), key)


def test_i10_the_interval_is_that_of_r_within_monte_carlo_error():
    """R boot 1.3-28: boot.ci(boot(mtcars, difference, R = 200000, strata = am), type = "bca", L = empinf(jack))."""
    held = {name: values for name, values in MTCARS.items() if len(values) == 32}
    y = next(floats(values) for values in held.values() if abs(np.mean(values) - 20.090625) < 1e-6)
    arm = next(np.array(values) for values in held.values() if set(values) == {0, 1} and sum(values) == 13)
    ends = np.array([of_units(y, arm, bytes([code] * 16)).limits(1.959963984540054) for code in range(8)])
    assert ends.mean(axis=0) == pytest.approx((3.660, 10.917), abs=0.15)
    assert np.ptp(ends, axis=0).max() < 1.2


def test_resamples_of_a_tiny_trial_are_as_often_as_when_all_are_listed():
    one, other = floats([1, 4, 9]), floats([0, 2, 7])
    means = [np.mean(pick) for pick in itertools.product(one, repeat=3)]
    against = [np.mean(pick) for pick in itertools.product(other, repeat=3)]
    every = np.sort([a - b for a in means for b in against])
    found = of_units([*one, *other], [1, 1, 1, 0, 0, 0])
    assert found.estimate == pytest.approx(one.mean() - other.mean())
    for value in np.unique(every.round(9)):
        exact = np.mean(every <= value + 1e-6)
        assert np.mean(found.resampled <= value + 1e-6) == pytest.approx(exact, abs=0.04)
    left_out = [(np.delete(one, i).mean() - other.mean()) for i in range(3)]
    left_out += [(one.mean() - np.delete(other, i).mean()) for i in range(3)]
    share = 2 / 3 * (found.estimate - np.array(left_out))
    assert found.acceleration == pytest.approx((share**3).sum() / (6 * (share**2).sum() ** 1.5))


def money(seed=3, **changes):
    table, draw = household_trial(seed, clusters=60)
    rng = np.random.default_rng(seed)
    columns = {name: getattr(table, name) for name in ("arms", "arm", "stratum", "strata", "cluster")}
    return UnitTable(**{**columns, "y": np.round(rng.lognormal(8, 1.2, len(table))), **changes}), draw


def rows_of(table, **settings):
    return [row for row in analysed(MONEY, table, **settings).estimates if row.role is Role.SENSITIVITY]


def test_a_mean_has_the_interval_beside_it_without_a_test_and_leans_to_the_skewed_side():
    table, draw = money()
    result = analysed(MONEY, table, assignment=draw)
    row = next(row for row in result.estimates if row.ci_method is CiMethod.BCA)
    assert row.estimate == pytest.approx(result.headlines[0].estimate)
    assert (row.p_value, row.role) == (None, Role.SENSITIVITY)
    assert row.ci[0] < row.estimate < row.ci[1]
    assert row.ci == next(r for r in rows_of(table, assignment=draw) if r.ci_method is CiMethod.BCA).ci
    skewed = of_units([1] * 15 + [2] * 4 + [90] + [1] * 10 + [2] * 10, [1] * 20 + [0] * 20)
    low, high = skewed.limits(1.96)
    assert high - skewed.estimate > 1.5 * (skewed.estimate - low)


def test_pence_and_pounds_have_one_interval():
    table, draw = money()
    pence = next(r for r in rows_of(table, assignment=draw) if r.ci_method is CiMethod.BCA).ci
    pounds, _ = money(y=table.y / 100)
    assert next(r for r in rows_of(pounds, assignment=draw) if r.ci_method is CiMethod.BCA).ci == pytest.approx(
        (pence[0] / 100, pence[1] / 100)
    )


def test_one_great_debt_is_drawn_in_and_said_so():
    rng = np.random.default_rng(1)
    y = rng.normal(100, 10, 400)
    y[1] = 1e6
    rows = rows_of(UnitTable(arms=("a", "b"), arm=np.arange(400) % 2, y=y))
    drawn_in = next(row for row in rows if "drawn in" in row.method)
    assert abs(drawn_in.estimate) < 10
    assert drawn_in.se < 3


def test_an_interval_that_does_not_exist_is_none_with_a_flag():
    flat = UnitTable(arms=("a", "b"), arm=np.arange(20) % 2, y=np.full(20, 7.1))
    [row] = rows_of(flat)
    assert (row.ci, Flag.NO_VARIANCE in row.flags) == (None, True)
    alone = UnitTable(
        arms=("a", "b"), arm=np.array([0, 0, 0, 1, 1]), cluster=np.array([0, 1, 2, 3, 3]), y=np.arange(5.0)
    )
    [row] = rows_of(alone)
    assert (row.ci, Flag.ONE_CLUSTER_IN_ARM in row.flags) == (None, True)
    many = MOST_CLUSTERS + 2
    table = UnitTable(arms=("a", "b"), arm=np.arange(many) % 2, y=(np.arange(many) % 7).astype(float))
    assert not rows_of(table)
