"""Several comparisons at once: Holm's and Dunnett's published figures."""

from __future__ import annotations

import numpy as np
import pytest

from nudge.uplift.comparison import two_sided
from nudge.uplift.multiplicity import all_within, correlation, dunnett_critical, dunnett_p


def equal(k):
    return np.full((k, k), 0.5) + 0.5 * np.eye(k)


def test_one_comparison_needs_no_adjustment():
    assert dunnett_critical(0.95, np.eye(1), None) == pytest.approx(1.959963984540054, abs=1e-6)
    assert dunnett_p(1.959963984540054, 0.05, np.eye(1), None) == pytest.approx(0.05, abs=1e-9)


def test_far_in_the_tail_the_adjusted_p_keeps_its_digits():
    assert dunnett_p(9.0, two_sided(9.0, None), equal(3), None) == pytest.approx(3 * two_sided(9.0, None))


def test_comparisons_that_are_the_same_count_once():
    same = np.ones((2, 2))
    assert all_within(1.959963984540054, same, None) == pytest.approx(0.95, abs=1e-6)
    assert dunnett_critical(0.95, same, None) == pytest.approx(1.959963984540054, abs=1e-4)


def test_independent_comparisons_multiply():
    assert all_within(2.0, np.eye(3), None) == pytest.approx(0.954499736103642**3, abs=1e-6)


def test_estimates_that_share_a_reference_correlate_by_one_half():
    rng = np.random.default_rng(7)
    shared = rng.normal(size=4000)
    one, other = rng.normal(size=4000), rng.normal(size=4000)
    zero = np.zeros(4000)
    influences = [np.concatenate([shared, one, zero]), np.concatenate([shared, zero, other])]
    assert correlation(influences)[0, 1] == pytest.approx(0.5, abs=0.02)
