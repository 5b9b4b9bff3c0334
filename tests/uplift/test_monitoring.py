"""Boundaries of declared looks and the confidence sequence under no effect; `test_oracles` holds them to rpact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.uplift.monitoring import Spending, error_spent, looks, sequence_critical, spent

FRACTIONS = st.lists(st.floats(0.05, 0.95), min_size=1, max_size=4, unique_by=lambda t: round(t, 2)).map(
    lambda inside: [*sorted(inside), 1.0]
)


def test_one_look_at_the_end_is_the_usual_test() -> None:
    [only] = looks([1.0])
    assert only.critical == pytest.approx(1.959963985, abs=1e-8)
    assert only.nominal == pytest.approx(0.05)


@settings(deadline=None)
@given(FRACTIONS, st.sampled_from(list(Spending)), st.sampled_from([0.01, 0.05, 0.1]))
def test_all_looks_together_spend_the_declared_error(fractions: list[float], spending: Spending, alpha: float) -> None:
    made = looks(fractions, alpha=alpha, spending=spending)
    assert 2 * error_spent(fractions, [look.critical for look in made])[-1] == pytest.approx(alpha, rel=1e-5)
    assert [look.spent for look in made] == sorted(look.spent for look in made)


@settings(deadline=None)
@given(FRACTIONS)
def test_a_later_look_does_not_change_an_earlier_one(fractions: list[float]) -> None:
    whole, part = looks(fractions), looks(fractions[:-1], last=False)
    assert [look.critical for look in part] == pytest.approx([look.critical for look in whole[:-1]])


def test_a_trial_that_ended_short_or_ran_over_spends_what_is_left() -> None:
    for end in (0.8, 1.3):
        made = looks([0.5, end])
        assert made[-1].spent == 0.05
        assert 2 * error_spent([0.5, end], [look.critical for look in made])[-1] == pytest.approx(0.05, rel=1e-6)


def test_without_effect_the_looks_are_wrong_as_often_as_declared() -> None:
    # increments of a score process, the sums divided by the root of the information so far
    fractions = np.array([0.25, 0.5, 0.75, 1.0])
    stream = np.random.Generator(np.random.Philox(20261125))
    steps = stream.standard_normal((200_000, 4)) * 0.5
    z = np.cumsum(steps, axis=1) / np.sqrt(fractions)
    bounds = np.array([look.critical for look in looks(fractions.tolist())])
    crossed = (np.abs(z) >= bounds).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 200_000))


def test_the_power_of_looks_is_that_of_simulated_trials() -> None:
    fractions, drift = np.array([0.5, 1.0]), 2.8
    stream = np.random.Generator(np.random.Philox(7))
    steps = stream.standard_normal((100_000, 2)) * math.sqrt(0.5) + drift * 0.5
    z = np.cumsum(steps, axis=1) / np.sqrt(fractions)
    bounds = [look.critical for look in looks(fractions.tolist())]
    power = error_spent(fractions.tolist(), bounds, drift=drift)
    seen = (z >= np.array(bounds)).cumsum(axis=1) > 0
    assert power == pytest.approx(seen.mean(axis=0), abs=0.007)


def test_a_sequence_looked_at_every_day_is_wrong_no_more_often_than_declared() -> None:
    stream = np.random.Generator(np.random.Philox(11))
    n = np.arange(1, 3_001)
    wide = np.array([sequence_critical(int(k), planned=500) for k in n])
    wrong = 0
    for _ in range(400):
        z = np.cumsum(stream.standard_normal(3_000)) / np.sqrt(n)
        wrong += bool((np.abs(z[49:]) > wide[49:]).any())  # from 50 on: it holds where a mean is nearly normal
    assert wrong <= 400 * 0.05 + 3 * math.sqrt(400 * 0.05 * 0.95)
    assert sequence_critical(500, planned=500) < sequence_critical(50, planned=500)


def test_little_is_spent_early_by_one_rule_and_much_by_the_other() -> None:
    early = {rule: spent(0.25, alpha=0.05, spending=rule) for rule in Spending}
    assert early[Spending.OBRIEN_FLEMING] < 1e-4 < 0.01 < early[Spending.POCOCK]
    assert spent(0.0, alpha=0.05, spending=Spending.POCOCK) == 0
    assert spent(2.0, alpha=0.05, spending=Spending.POCOCK) == pytest.approx(0.05)


@pytest.mark.parametrize("fractions", [[], [0.0, 1.0], [0.5, 0.5], [1.0, 0.5], [k / 11 for k in range(1, 12)]])
def test_looks_that_make_no_sense_are_refused(fractions: list[float]) -> None:
    with pytest.raises(ValueError, match="rising"):
        looks(fractions)


def test_a_sequence_without_units_is_refused() -> None:
    with pytest.raises(ValueError, match="units"):
        sequence_critical(0)
