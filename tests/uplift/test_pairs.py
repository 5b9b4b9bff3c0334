"""Matched pairs, against R on a council's own road signs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from uplift_cases import CALLS, KEY, MONEY, analysed, codes, floats

from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod
from nudge.uplift.pairs import pair_differences, sign_flip
from nudge.uplift.units import UnitTable


def signs(folder: Path, period: int) -> UnitTable:
    """Cars at 14 pairs of sites, the site's mean before as each car's baseline."""
    with (folder / "speeds.csv").open() as file:
        rows = [tuple(int(value) for value in row.values()) for row in csv.DictReader(file)]
    before = {}
    for pair, sign, when, speed in rows:
        if when == 1:
            before.setdefault((pair, sign), []).append(speed)
    mean = {key: float(np.mean(values)) for key, values in before.items()}
    after = [row for row in rows if row[2] == period]
    return UnitTable(
        arms=("none", "sign"),
        arm=codes([row[1] for row in after]),
        pair=codes([row[0] - 1 for row in after]),
        cluster=codes([2 * (row[0] - 1) + row[1] for row in after]),
        y=floats([row[3] for row in after]),
        baseline=floats([mean[row[0], row[1]] for row in after]),
    )


@pytest.mark.parametrize(("period", "key"), [(2, "mean_speed_p2"), (3, "mean_speed_p3")])
def test_i10_speed_signs_match_r_pair_by_pair(shared_data: Path, period, key):
    folder = shared_data / "cambridgeshire_speed_signs"
    wanted = json.loads((folder / "reference.json").read_text())["paired_difference_in_differences"][key]
    table = signs(folder, period)
    [row] = analysed(MONEY, table).headlines
    assert row.measure is Measure.MEAN_DIFFERENCE
    assert (row.estimate, row.se, row.df) == pytest.approx((wanted["estimate"], wanted["se"], wanted["df"]), abs=1e-9)
    assert row.ci == pytest.approx(wanted["ci95"], abs=1e-9)
    assert (row.ci_method, row.p_method) == (CiMethod.PAIRED_T, PMethod.SIGN_FLIP_EXACT)
    assert row.p_value == pytest.approx(wanted["exact_signflip_p"], abs=1e-12)
    differences, _, dropped = pair_differences(table.y - table.baseline, table.arm, table.pair)
    assert differences == pytest.approx(wanted["pair_differences"], abs=1e-9)
    assert dropped == 0


def test_five_pairs_can_never_reach_five_per_cent_and_the_row_says_so():
    table = UnitTable(
        arms=("a", "b"),
        arm=codes([0, 1] * 5),
        pair=np.repeat(np.arange(5), 2),
        y=floats([1, 2, 1, 3, 2, 4, 1, 5, 2, 7]),
    )
    [row] = analysed(MONEY, table).headlines
    assert row.p_value == 2 / 32
    assert Flag.CANNOT_REACH_SIGNIFICANCE in row.flags


def test_a_pair_that_lost_one_side_is_dropped_and_counted():
    table = UnitTable(
        arms=("a", "b"), arm=codes([0, 1, 0, 1, 0]), pair=codes([0, 0, 1, 1, 2]), y=floats([1, 2, 1, 4, 9])
    )
    [row] = analysed(MONEY, table).headlines
    assert (row.estimate, row.strata_dropped) == (2.0, 1)
    assert Flag.STRATA_DROPPED in row.flags


def test_paired_counts_give_a_ratio_of_rates_less_the_same_before():
    table = UnitTable(
        arms=("a", "b"),
        arm=codes([0, 1, 0, 1]),
        pair=codes([0, 0, 1, 1]),
        count=floats([10, 5, 20, 9]),
        exposure=floats([2, 2, 4, 3]),
        baseline=floats([8, 8, 15, 16]),
        baseline_exposure=floats([2, 2, 4, 4]),
    )
    [row] = analysed(CALLS, table).headlines
    first = np.log(5.5 / 2) - np.log(8.5 / 2) - np.log(10.5 / 2) + np.log(8.5 / 2)
    second = np.log(9.5 / 3) - np.log(16.5 / 4) - np.log(20.5 / 4) + np.log(15.5 / 4)
    assert np.log(row.estimate) == pytest.approx((first + second) / 2)
    assert tuple(row.covariates) == ("baseline",)
    assert "difference of logarithms, less the same before, t on pairs" in row.method


def test_beyond_20_pairs_signs_are_drawn_from_the_trials_own_stream():
    differences = np.linspace(-1, 2, 70)
    found = sign_flip(differences, KEY, 999)
    assert (found.exact, found.redraws) == (False, 999)
    assert found == sign_flip(differences, KEY, 999)
    t = differences.mean() / (differences.std(ddof=1) / np.sqrt(70))
    assert t > 4
    assert found.p_value == 1 / 1000
