"""Shares: score limits and tests against the published tables, and the effective number of units."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import ndtri
from uplift_cases import floats

from nudge.uplift.proportions import (
    Share,
    Tables,
    design_effect,
    effective,
    mantel_haenszel,
    miettinen_nurminen,
    restricted_shares,
    score,
)

Z = float(ndtri(0.975))
shares = st.tuples(st.integers(0, 40), st.integers(1, 40)).map(lambda pair: Share(min(pair), pair[1]))


def test_mantel_haenszel_weighs_strata_by_the_product_of_their_arms():
    tables = Tables(floats([8, 5]), floats([20, 30]), floats([4, 6]), floats([20, 60]))
    difference, se = mantel_haenszel(tables)
    weight = 10 + 20
    assert difference == pytest.approx((10 * (0.4 - 0.2) + 20 * (5 / 30 - 0.1)) / weight)
    plain = (
        math.sqrt(10**2 * (0.4 * 0.6 / 20 + 0.2 * 0.8 / 20) + 20**2 * (5 / 30 * 25 / 30 / 30 + 0.1 * 0.9 / 60)) / weight
    )
    assert se == pytest.approx(plain, rel=0.05)


@given(shares, shares, st.floats(-0.99, 0.99))
def test_restricted_shares_are_the_most_likely_pair_that_differs_so(arm, reference, difference):
    one, other = restricted_shares(arm, reference, difference)
    assert one - other == pytest.approx(difference, abs=1e-9)

    def likelihood(share_0):
        total = 0.0
        for share, p in ((reference, share_0), (arm, share_0 + difference)):
            for count, chance in ((share.events, p), (share.n - share.events, 1 - p)):
                if count:
                    total += count * math.log(chance) if chance > 0 else -math.inf
        return total

    grid = np.linspace(max(0.0, -difference), min(1.0, 1 - difference), 401)
    best = max(likelihood(float(point)) for point in grid)
    assert likelihood(other) >= best - 1e-6 or not math.isfinite(best)


@given(shares, shares)
def test_swapping_the_arms_mirrors_the_score_interval(arm, reference):
    low, high = miettinen_nurminen(arm, reference, Z)
    mirrored = miettinen_nurminen(reference, arm, Z)
    assert (low, high) == pytest.approx((-mirrored[1], -mirrored[0]), abs=1e-9)
    assert -1 <= low <= arm.value - reference.value <= high <= 1


@given(shares, shares)
def test_counting_no_shows_instead_of_events_mirrors_it_too(arm, reference):
    low, high = miettinen_nurminen(arm, reference, Z)
    other = miettinen_nurminen(Share(arm.n - arm.events, arm.n), Share(reference.n - reference.events, reference.n), Z)
    assert (low, high) == pytest.approx((-other[1], -other[0]), abs=1e-9)


@given(shares, shares)
def test_the_score_test_and_the_interval_never_disagree(arm, reference):
    statistic = score(arm, reference, 0.0)
    assume(abs(abs(statistic) - Z) > 1e-6)
    low, high = miettinen_nurminen(arm, reference, Z)
    assert (abs(statistic) > Z) == (not low - 1e-9 <= 0 <= high + 1e-9)


def test_fewer_effective_units_widen_the_interval():
    arm, reference = Share(40, 100), Share(30, 100)
    plain = miettinen_nurminen(arm, reference, Z)
    wide = miettinen_nurminen(effective(arm, 1.5), effective(reference, 1.5), Z)
    assert wide[0] < plain[0] < plain[1] < wide[1]


def test_the_design_effect_is_at_least_one_and_exists_where_nobody_responds():
    sizes = floats([1, 2, 3])
    assert design_effect(Share(3, 6), Share(2, 6), (0.001, 0.001), sizes, sizes) == 1.0
    assert design_effect(Share(0, 6), Share(0, 6), (0.0, 0.0), sizes, floats([2, 2, 2])) == pytest.approx(14 / 6)
    assert design_effect(Share(3, 6), Share(2, 6), (0.1, 0.1), sizes, sizes) == pytest.approx(
        0.2 / (0.25 / 6 + (1 / 3) * (2 / 3) / 6)
    )
