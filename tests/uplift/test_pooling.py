"""Pooled trials against metafor's numbers for the BCG trials, and what must hold for any trials."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.uplift.pooling import PoolFlag, Spread, pool, q_profile, tau_squared
from nudge.uplift.proportions import Tables, mantel_haenszel_risk_ratio

ORACLES = json.loads((Path(__file__).parents[1] / "data" / "oracles" / "pooling.json").read_text("utf-8"))
RANDOM_EFFECTS = [case for case in ORACLES if "by_spread" in case]
TRIALS = st.lists(
    st.tuples(st.floats(-5, 5, allow_nan=False), st.floats(0.001, 4, allow_nan=False)), min_size=2, max_size=12
)


def arrays(trials: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    y, v = np.array(trials).T
    return y, v


@pytest.mark.parametrize("case", RANDOM_EFFECTS, ids=lambda case: case["case"])
@pytest.mark.parametrize("spread", list(Spread))
def test_i10_every_estimator_of_the_spread_gives_what_metafor_gives(case: dict, spread: Spread) -> None:
    wanted, near = case["by_spread"][spread], pytest.approx
    found = pool(np.array(case["y"]), np.array(case["v"]), spread=spread, hartung_knapp=False)
    size = {"rel": case["tolerance"], "abs": 1e-12}
    assert found.estimate == near(wanted["estimate"], **size)
    assert found.se == near(wanted["se"], **size)
    assert found.ci == near(wanted["ci95"], **size)
    assert found.tau2 == near(wanted["tau2"], **size)
    assert 100 * (found.i2 or 0) == near(wanted["I2"], **size)
    assert found.h2 == near(wanted["H2"], **size)
    assert found.q == near(wanted["Q"], **size)
    assert found.q_p_value == near(wanted["Qp"], rel=1e-6)
    if wanted["pi95"] is None:
        assert found.prediction is None
    else:
        assert found.prediction == near(wanted["pi95"], **size)


@pytest.mark.parametrize("case", RANDOM_EFFECTS, ids=lambda case: case["case"])
def test_i10_hartung_and_knapps_interval_and_the_profile_of_q_are_metafors(case: dict) -> None:
    y, v = np.array(case["y"]), np.array(case["v"])
    for spread, wanted in case["hartung_knapp"].items():
        found = pool(y, v, spread=Spread(spread))
        assert (found.estimate, found.se) == pytest.approx((wanted["estimate"], wanted["se"]), rel=1e-7)
        assert found.ci == pytest.approx(wanted["ci95"], rel=1e-7)
        if "pi95" in wanted:  # t on k - 1 = 12
            assert found.prediction == pytest.approx(wanted["pi95"], rel=1e-7)
    assert q_profile(y, v, 0.95) == pytest.approx(case["tau2_q_profile"], rel=1e-7)


def test_fewer_degrees_of_freedom_widen_the_prediction() -> None:
    y, v = (np.array(RANDOM_EFFECTS[0][key]) for key in ("y", "v"))
    usual, wider = pool(y, v).prediction, pool(y, v, prediction_df=11).prediction
    assert usual is not None
    assert wider is not None
    assert wider[0] < usual[0] < usual[1] < wider[1]
    assert pool(y[:2], v[:2], prediction_df=0).prediction is None


def test_i10_mantel_haenszel_pools_tables_as_metafor_does() -> None:
    case = ORACLES[-1]
    tables = Tables(*(np.array(case[key], dtype=float) for key in ("events", "n", "events_reference", "n_reference")))
    ratio, se = mantel_haenszel_risk_ratio(tables)
    assert ratio is not None
    assert se is not None
    assert math.log(ratio) == pytest.approx(case["estimate"], abs=case["tolerance"])
    half = 1.959963984540054 * se
    assert (math.log(ratio) - half, math.log(ratio) + half) == pytest.approx(case["ci95"], abs=case["tolerance"])


@given(TRIALS, st.randoms(use_true_random=False))
def test_the_order_of_trials_changes_nothing(trials: list[tuple[float, float]], random) -> None:
    turned = trials[:]
    random.shuffle(turned)
    for spread in Spread:
        one, other = (pool(*arrays(each), spread=spread) for each in (trials, turned))
        assert one.estimate == pytest.approx(other.estimate, rel=1e-6, abs=1e-9)
        assert one.tau2 == pytest.approx(other.tau2, rel=1e-6, abs=1e-9)


@given(TRIALS, st.floats(0.1, 50))
def test_another_unit_of_measurement_scales_everything(trials: list[tuple[float, float]], times: float) -> None:
    y, v = arrays(trials)
    for spread in Spread:
        one, other = pool(y, v, spread=spread), pool(times * y, times**2 * v, spread=spread)
        assert other.estimate == pytest.approx(times * one.estimate, rel=1e-6, abs=1e-9 * times)
        assert other.tau2 == pytest.approx(times**2 * one.tau2, rel=1e-6, abs=1e-9 * times**2)


@given(TRIALS)
def test_the_spread_is_never_below_nothing_and_the_estimate_lies_among_the_trials(
    trials: list[tuple[float, float]],
) -> None:
    y, v = arrays(trials)
    for spread in Spread:
        assert tau_squared(y, v, spread) >= 0
        assert y.min() - 1e-6 <= pool(y, v, spread=spread).estimate <= y.max() + 1e-6


@given(TRIALS)
def test_reml_is_where_no_other_spread_is_likelier_nearby(trials: list[tuple[float, float]]) -> None:
    y, v = arrays(trials)

    def restricted(tau2: float) -> float:
        w = 1 / (v + tau2)
        mean = (w * y).sum() / w.sum()
        return float(0.5 * (np.log(w).sum() - np.log(w.sum()) - (w * (y - mean) ** 2).sum()))

    best = tau_squared(y, v, Spread.REML)
    here, step = restricted(best), 1e-3 * (best + float(v.min()))
    assert restricted(best + step) <= here + 1e-9
    assert restricted(max(0.0, best - step)) <= here + 1e-9


def test_the_ad_hoc_correction_never_narrows() -> None:
    y, v = np.array([0.10, 0.11, 0.09, 0.10]), np.full(4, 0.04)
    narrow, wide = pool(y, v), pool(y, v, at_least_plain=True)
    assert narrow.se < wide.se == pytest.approx(0.1)


def test_few_trials_are_flagged_and_one_is_itself() -> None:
    two = pool(np.array([0.1, 0.3]), np.array([0.01, 0.02]))
    assert two.flags == (PoolFlag.FEW_TRIALS,)
    one = pool(np.array([0.1]), np.array([0.01]))
    assert (one.estimate, one.se, one.flags) == (0.1, pytest.approx(0.1), (PoolFlag.ONE_TRIAL,))
    assert (one.prediction, one.tau2_ci, one.q_p_value, one.i2) == (None, None, None, None)


@pytest.mark.parametrize(
    ("y", "v"), [([], []), ([1.0], [0.0]), ([1.0, 2.0], [1.0]), ([math.nan], [1.0]), ([[1.0]], [[1.0]])]
)
def test_what_cannot_be_pooled_is_refused(y: list, v: list) -> None:
    with pytest.raises(ValueError, match="variances above 0"):
        pool(np.array(y), np.array(v))


def test_trials_that_agree_to_the_last_digit_still_leave_room_for_doubt():
    found = pool(np.full(3, 0.1), np.array([0.01, 0.02, 0.03]))
    plain = pool(np.full(3, 0.1), np.array([0.01, 0.02, 0.03]), hartung_knapp=False)
    assert found.se == pytest.approx(plain.se)
    assert found.ci[0] < 0.1 < found.ci[1]
    assert np.isfinite(found.statistic)
    assert PoolFlag.NO_SCATTER in found.flags
    assert PoolFlag.NO_SCATTER not in plain.flags
