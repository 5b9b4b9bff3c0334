"""The randomisation test, against published counts of allocations and against fits made afresh for every redraw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uplift_cases import KEY, SHARE, analysed, codes, floats, household_trial

from nudge.allocation.assignment import Assignment
from nudge.allocation.design import Design
from nudge.allocation.schemes import draw
from nudge.uplift.clusters import arm_effect
from nudge.uplift.estimate import Flag
from nudge.uplift.proportions import Tables, cochran_mantel_haenszel
from nudge.uplift.rerandomisation import ClusterSums, columns_of, mantel_haenszel, redraw_test, studentised
from nudge.uplift.units import UnitTable

seeds = st.integers(0, 10_000)


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_the_statistic_from_sums_is_that_of_a_fit_made_afresh(seed, strata, most, whole):
    table, assignment = household_trial(seed, clusters=24, strata=strata, most=most)
    y = table.time if whole else table.time * np.pi
    column = columns_of(assignment, table.drawn_codes)
    statistic = studentised(ClusterSums.of(y, table.stratum, column, len(assignment)))
    labels = next(iter(assignment.redraw(20, KEY)))
    for value, row in zip(statistic(labels), labels, strict=True):
        fit = arm_effect(y, row[column].astype(np.int64), table.stratum, table.cluster)
        assert value == pytest.approx(fit.estimate / fit.se, rel=1e-8, abs=1e-9)


def test_the_statistic_of_many_clusters_of_one_size_is_that_of_a_fit_made_afresh():
    table, assignment = household_trial(11, clusters=1_500, strata=1, most=3)
    statistic = studentised(ClusterSums.of(table.time, table.stratum, table.cluster, 1_500))
    labels = next(iter(assignment.redraw(3, KEY)))
    for value, row in zip(statistic(labels), labels, strict=True):
        fit = arm_effect(table.time, row[table.cluster].astype(np.int64), table.stratum, table.cluster)
        assert value == pytest.approx(fit.estimate / fit.se, rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_clusters_of_many_sizes_take_the_same_path_to_the_same_statistic(seed):
    rng = np.random.default_rng(seed)
    size = rng.permutation(np.arange(3, 15))
    cluster = np.repeat(np.arange(12), size)
    drawn = rng.permutation(np.repeat([0, 1], 6))
    y = rng.normal(size=cluster.size)
    assignment = Assignment.of_recorded(drawn, None, "complete", ("a", "b"))
    statistic = studentised(ClusterSums.of(y, np.zeros_like(cluster), cluster, 12))
    fit = arm_effect(y, drawn[cluster], np.zeros_like(cluster), cluster)
    assert statistic(assignment.arm[None, :])[0] == pytest.approx(fit.estimate / fit.se, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 4))
def test_the_mantel_haenszel_statistic_is_that_of_the_tables(seed, strata):
    table, assignment = household_trial(seed, clusters=30, strata=strata, most=1)
    column = columns_of(assignment, table.drawn_codes)
    statistic = mantel_haenszel(ClusterSums.of(table.y, table.stratum, column, len(assignment), shifted=False))
    labels = next(iter(assignment.redraw(10, KEY)))
    for value, row in zip(statistic(labels), labels, strict=True):
        wanted = cochran_mantel_haenszel(Tables.of(table.y, row[column].astype(np.int64), table.stratum))
        assert value == pytest.approx(wanted or 0.0, abs=1e-10)


def test_a_redraw_without_variance_is_infinite_and_nothing_over_nothing_is_nothing():
    y, drawn = floats([0, 0, 1, 1]), codes([1, 1, 0, 0])
    assignment = Assignment.of_recorded(drawn, None, "complete", ("a", "b"))
    statistic = studentised(ClusterSums.of(y, np.zeros(4, dtype=np.int64), np.arange(4), 4))
    assert statistic(assignment.arm[None, :]).tolist() == [-np.inf]
    [found] = redraw_test(assignment, [statistic], KEY, 99)
    assert (found.p_value, found.statistic) == (2 / 6, None)
    flat = studentised(ClusterSums.of(np.ones(4), np.zeros(4, dtype=np.int64), np.arange(4), 4))
    [found] = redraw_test(assignment, [flat], KEY, 99)
    assert (found.p_value, found.degenerate) == (1.0, True)


def test_more_allocations_than_9999_are_drawn_and_the_one_seen_counts_among_them():
    table, assignment = household_trial(3, clusters=60)
    sums = ClusterSums.of(table.time, table.stratum, columns_of(assignment, table.cluster), len(assignment))
    [found] = redraw_test(assignment, [studentised(sums)], KEY, 199)
    assert not found.exact
    assert found.redraws == 199
    assert found.p_value * 200 == pytest.approx(round(found.p_value * 200))
    assert found.p_value >= 1 / 200
    assert redraw_test(assignment, [studentised(sums)], KEY, 199)[0] == found


def test_a_household_whose_units_are_all_missing_still_has_its_place_in_the_draw():
    table, assignment = household_trial(5, clusters=30)
    known = table.take(table.cluster != 7)
    column = columns_of(assignment, known.drawn_codes)
    statistic = studentised(ClusterSums.of(known.time, known.stratum, column, len(assignment)))
    fit = arm_effect(known.time, known.arm, known.stratum, known.cluster)
    assert statistic(assignment.arm[None, :])[0] == pytest.approx(fit.estimate / fit.se, rel=1e-9)


def test_a_unit_whose_cluster_was_not_drawn_to_either_arm_is_our_mistake():
    _, assignment = household_trial(5, clusters=30, arms=3)
    between = assignment.between("b", "a")
    with pytest.raises(ValueError, match="not among those drawn"):
        columns_of(between, np.flatnonzero(assignment.arm == 2))


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 3), st.sampled_from(["whole", "broken"]))
def test_the_test_is_the_same_from_tables_as_from_redraws_written_out(seed, most, numbers):
    """Live blocks of households, open ones too: the same p, the same count of redraws as extreme, to the last."""
    rng = np.random.default_rng(seed)
    design = Design(trial="demo", arms=("a", "b", "c"), ratio=(1, 1, 1), strata=("s",))
    clusters = {f"c{number}": f"s{number % 3}" for number in range(60)}
    rows = draw(design, seed=bytes(32), batch=1, clusters=clusters, drawn=())
    assignment = Assignment.of_blocks(rows, design).between("c", "a")
    column = np.repeat(np.arange(len(assignment)), rng.integers(1, most + 1, len(assignment)))
    stratum = assignment.stratum[column].astype(np.int64)
    y = rng.integers(0, 9, column.size) * (1.0 if numbers == "whole" else np.pi)
    sums = ClusterSums.of(y, stratum, column, len(assignment))
    made = [studentised(sums), mantel_haenszel(sums)]

    def plainly(statistic):  # an ordinary function is given redraws written out
        return lambda labels: statistic(labels)

    fast = redraw_test(assignment, made, KEY, 199)
    assert fast == redraw_test(assignment, [made[0], plainly(made[1])], KEY, 199)
    for one, other in zip(fast, redraw_test(assignment, list(map(plainly, made)), KEY, 199), strict=True):
        assert (one.p_value, one.redraws, one.degenerate) == (other.p_value, other.redraws, other.degenerate)
        assert one.statistic == other.statistic


def test_many_redraws_of_many_strata_are_finished_in_parts_and_all_of_them_counted():
    table, _ = household_trial(9, clusters=80, strata=10, most=3)
    drawn = np.zeros(80, dtype=np.int64)
    drawn[table.cluster] = table.arm
    assignment = Assignment.of_recorded(drawn, np.arange(80) % 10, "clusters", ("a", "b"))  # ten strata of eight
    statistic = studentised(ClusterSums.of(table.time, table.stratum, table.cluster, 80))
    fast = redraw_test(assignment, [statistic], KEY, 8_000)
    assert fast == redraw_test(assignment, [lambda labels: statistic(labels)], KEY, 8_000)
    assert fast[0].redraws == 8_000


def test_redraws_that_all_give_one_value_give_no_p():
    arm = np.arange(120) % 2
    nobody = UnitTable(arms=("a", "b"), arm=arm, y=np.zeros(120))
    [row, *_] = analysed(SHARE, nobody).headlines
    assert (row.p_value, row.p_method, row.redraws) == (None, None, 199)
    assert Flag.REDRAWS_DEGENERATE in row.flags
    assert row.ci is not None
