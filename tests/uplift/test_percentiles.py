"""A site's percentile over all its readings, from readings and from bands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.uplift.percentiles import banded_percentiles, overlapping, percentiles

READINGS = st.lists(st.tuples(st.integers(0, 3), st.integers(20, 60)), min_size=1, max_size=60)


def test_i10_a_percentile_is_that_of_r() -> None:
    # R 4.2.2: quantile(c(31, 28, 45, 38, 33, 40, 36), .85) is 40.5
    readings = np.array([31.0, 28, 45, 38, 33, 40, 36])
    assert percentiles(np.zeros(7, dtype=np.int64), readings, 1, 85) == pytest.approx([40.5])


@given(READINGS, st.floats(1, 99))
def test_each_site_has_the_percentile_of_its_own_readings(rows: list[tuple[int, int]], percent: float) -> None:
    site, reading = np.array(rows).T
    found = percentiles(site, reading.astype(float), 4, percent)
    for code in range(4):
        own = reading[site == code]
        if own.size:
            assert found[code] == pytest.approx(np.quantile(own, percent / 100))
        else:
            assert np.isnan(found[code])


def test_days_are_put_together_and_never_averaged() -> None:
    # a day of 10 fast cars and one of 990 slow ones: the mean of the days' percentiles would be 45
    site = np.zeros(1000, dtype=np.int64)
    reading = np.repeat([60.0, 30.0], [10, 990])
    assert percentiles(site, reading, 1, 85) == pytest.approx([30.0])


def test_i10_a_banded_percentile_lies_inside_its_band_by_the_count_below() -> None:
    # by hand: 100 cars; 85 of them below 40 + (85 - 60)/30 * 5
    lower, upper, counts = np.array([30.0, 35, 40, 45]), np.array([35.0, 40, 45, 50]), np.array([20.0, 40, 30, 10])
    site = np.zeros(4, dtype=np.int64)
    assert banded_percentiles(site, lower, upper, counts, 1, 85) == pytest.approx([40 + 25 / 30 * 5])


@given(READINGS, st.floats(1, 99), st.randoms(use_true_random=False))
def test_bands_of_several_days_add_up_in_any_order(rows: list[tuple[int, int]], percent: float, random) -> None:
    site, reading = np.array(rows).T
    lower = (reading // 5 * 5).astype(float)
    one = banded_percentiles(site, lower, lower + 5, np.ones(site.size), 4, percent)
    order = list(range(site.size))
    random.shuffle(order)
    turned = banded_percentiles(site[order], lower[order], lower[order] + 5, np.ones(site.size), 4, percent)
    assert one == pytest.approx(turned, nan_ok=True)
    for code in np.flatnonzero(~np.isnan(one)):
        own = lower[site == code]
        below, upto = (own + 5 <= one[code] - 1e-6).sum(), (own <= one[code] + 1e-6).sum()
        assert below <= own.size * percent / 100 + 1e-6
        assert upto >= own.size * percent / 100 - 1e-6


def test_bands_that_overlap_or_run_backwards_are_refused() -> None:
    site = np.zeros(2, dtype=np.int64)
    assert overlapping(site, np.array([30.0, 33]), np.array([35.0, 40])).tolist() == [False, True]
    assert not overlapping(np.array([0, 1]), np.array([30.0, 33]), np.array([35.0, 40])).any()
    with pytest.raises(ValueError, match="overlap"):
        banded_percentiles(site, np.array([30.0, 33]), np.array([35.0, 40]), np.ones(2), 1, 85)
    with pytest.raises(ValueError, match="upper edge"):
        banded_percentiles(site, np.array([30.0, 40]), np.array([30.0, 45]), np.ones(2), 1, 85)


def test_a_site_without_readings_has_no_percentile() -> None:
    empty = np.zeros(0)
    assert np.isnan(percentiles(empty.astype(np.int64), empty, 2, 85)).all()
    none = np.array([0])
    assert np.isnan(banded_percentiles(none, np.array([30.0]), np.array([35.0]), np.zeros(1), 2, 85)).all()
