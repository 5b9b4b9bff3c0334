"""Counts and unit tables: adding up, leaving out, refusing what would mislead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uplift_cases import CONTACT, analysed, household_trial

from nudge.uplift.units import Counts, UnitTable


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 3))
def test_counts_and_units_give_the_same_result(seed, strata, arms):
    table, _ = household_trial(seed, clusters=400, most=1, strata=strata, arms=arms, hazard=0.05)
    table = replace(table, cluster=None, follow_up=None, y=None)
    units, counts = analysed(CONTACT, table), analysed(CONTACT, Counts.of(table, 60))
    one, other = units.document(), counts.document()
    assert one["arms"] == other["arms"]
    assert len(one["estimates"]) == len(other["estimates"])
    for a, b in zip(one["estimates"], other["estimates"], strict=True):
        for key, value in a.items():
            if isinstance(value, (float, list)) and key not in ("strata", "covariates", "flags"):
                assert b[key] == pytest.approx(value, rel=1e-9)
            else:
                assert b[key] == value


@given(st.integers(0, 10_000))
def test_counts_of_two_batches_added_are_the_counts_of_their_rows_together(seed):
    one, _ = household_trial(seed, clusters=30, most=1)
    other, _ = household_trial(seed + 1, clusters=20, most=1)
    both = UnitTable(
        arms=one.arms,
        strata=one.strata,
        **{name: np.concatenate([getattr(part, name) for part in (one, other)]) for name in ("arm", "stratum", "time")},
        event=np.concatenate([one.event, other.event]),
        assigned={arm: one.assigned[arm] + other.assigned[arm] for arm in one.arms},
    )
    added, together = Counts.of(one, 56) + Counts.of(other, 56), Counts.of(both, 56)
    assert np.array_equal(added.table, together.table)
    assert added.assigned == together.assigned


def test_counts_of_other_arms_days_or_strata_do_not_add_up():
    table, _ = household_trial(1, most=1)
    counts = Counts.of(table, 56)
    for other in (
        Counts.of(table, 30),
        replace(counts, arms=("x", "y")),
    ):
        with pytest.raises(ValueError, match="same arms, strata and days"):
            _ = counts + other


@pytest.mark.parametrize("horizon", [40, 20_000])
def test_many_rows_are_counted_one_by_one(horizon):
    """More rows than are counted at once, with a small table and with one larger than that; one time past counting."""
    rng = np.random.default_rng(3)
    size = 70_000
    arm, stratum = rng.integers(0, 3, size), rng.integers(0, 2, size)
    time, event = rng.integers(0, 60, size).astype(np.float64), rng.random(size) < 0.5
    time[5] = 1e300
    table = UnitTable(arms=("a", "b", "c"), arm=arm, stratum=stratum, strata=("x", "y"), time=time, event=event)
    wanted = np.zeros((3, 2, horizon + 1, 2), dtype=np.int64)
    day = np.minimum(time, horizon).astype(np.int64)
    np.add.at(wanted, (arm, stratum, day, (event & (time <= horizon)).astype(int)), 1)
    assert np.array_equal(Counts.of(table, horizon).table, wanted)


def test_counting_refuses_clusters_and_part_days():
    table, _ = household_trial(1)
    with pytest.raises(ValueError, match="lose the clusters"):
        Counts.of(table, 56)
    with pytest.raises(ValueError, match="whole days"):
        Counts.of(replace(table, cluster=None, time=table.time + 0.5), 70)


def test_a_missing_value_belongs_in_missing_by_and_not_in_the_rows():
    table, _ = household_trial(1)
    with pytest.raises(ValueError, match="belongs in missing_by"):
        replace(table, time=np.where(np.arange(len(table)) == 3, np.nan, table.time))


def test_columns_of_another_length_are_our_mistake():
    table, _ = household_trial(1)
    with pytest.raises(ValueError, match="shape"):
        replace(table, y=np.zeros(3))


def test_rows_taken_keep_their_place_in_the_draw():
    table, _ = household_trial(1)
    some = replace(table, cluster=None).take(table.arm == 1)
    assert np.array_equal(some.drawn_codes, np.flatnonzero(table.arm == 1))
