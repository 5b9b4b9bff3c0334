"""What `make calibrate` simulates is what is analysed, and what it counts is what it found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from uplift_cases import analysed

from benchmarks.calibration.__main__ import RESULTS
from benchmarks.calibration.attainable import attainable, largest
from benchmarks.calibration.cells import HORIZON, Cell, every_cell
from benchmarks.calibration.tables import BEGIN, END, Finding, finding, renewed
from benchmarks.calibration.tallies import Book, Tally, headlines, outcome_of, settings_of, tallied
from benchmarks.calibration.trials import PER_LAYOUT, simulated, truth
from nudge.experiment.definition import OutcomeType

CELLS = tuple(every_cell())
SHARES = Cell(kind=OutcomeType.PROPORTION, n=60, icc=0.5, strata=2)


def test_every_row_of_the_default_table_is_tried_under_no_effect_and_no_cell_twice():
    assert len({cell.name for cell in CELLS}) == len(CELLS)
    kinds = {kind.value.replace("_", " ") for kind in OutcomeType if kind in {cell.kind for cell in CELLS}}
    wanted = {kind + beside for kind in kinds for beside in ("", ": strata", ": clusters", ": clusters and strata")}
    wanted |= {f"pairs: {kind}" for kind in kinds - {"ratio"}}
    wanted |= {f"{method}: {kind}" for kind in kinds - {"ratio"} for method in ("rerandomised", "minimised")}
    assert {cell.row for cell in CELLS if not cell.effect} == wanted


@pytest.mark.parametrize(
    "cell",
    [
        SHARES,
        Cell(kind=OutcomeType.TIME_TO_EVENT, n=60, staggered=True, ratio=(1, 1, 1)),
        Cell(kind=OutcomeType.MEAN, n=60, icc=0.5, baseline=True),
        Cell(kind=OutcomeType.RATE, n=60, strata=2),
        Cell(kind=OutcomeType.RATE, n=20, pairs=True, level=3.0),
        Cell(kind=OutcomeType.MEAN, n=40, method="rerandomised"),
        Cell(kind=OutcomeType.TIME_TO_EVENT, n=40, method="minimised"),
        Cell(kind=OutcomeType.RATE, n=40, level=1.0, method="minimised"),
    ],
    ids=lambda cell: cell.name,
)
def test_what_is_counted_is_the_headline_of_the_whole_analysis(cell):
    outcome, settings = outcome_of(cell), settings_of(cell, 0)
    table, assignment = next(simulated(cell, 0))
    whole = analysed(
        outcome,
        table,
        assignment=None if cell.pairs else assignment,
        redraw_key=settings.redraw_key,
        redraws=settings.redraws,
        live=not cell.pairs,
        adjust="sensitivity" if cell.method == "blocked" else "headline",
    )
    assert headlines(outcome, table, assignment, settings) == list(whole.headlines)


def test_a_trial_is_the_same_whenever_it_is_made_and_its_parts_add_up():
    once = tallied((SHARES, 0, 2))
    parts = tallied((SHARES, 0, 1)), tallied((SHARES, 1, 2))
    assert once.trials == 2 * PER_LAYOUT
    assert [once.rejects, once.held] == [sum(part.rejects for part in parts), sum(part.held for part in parts)]


def test_members_of_a_household_agree_as_often_as_the_icc_says():
    cell = Cell(kind=OutcomeType.PROPORTION, n=2_000, icc=0.5, level=0.3)
    products, squares = [], []
    for table, _ in simulated(cell, 0):
        y = table.y - table.y.mean()
        _, first, size = np.unique(table.cluster, return_index=True, return_counts=True)
        pairs = first[size == 2]
        products.append((y[pairs] * y[pairs + 1]).mean())
        squares.append((y**2).mean())
    assert np.mean(products) / np.mean(squares) == pytest.approx(0.5, abs=0.02)


def test_arms_are_drawn_in_the_ratio_and_strata_of_the_cell():
    table, assignment = next(simulated(replace(SHARES, ratio=(2, 1), n=600), 0))
    assert set(table.stratum) == {0, 1}
    assert (assignment.arm == 1).mean() == pytest.approx(1 / 3, abs=0.03)


def test_staggered_units_are_followed_for_less_than_the_horizon():
    table, _ = next(simulated(Cell(kind=OutcomeType.TIME_TO_EVENT, n=200, staggered=True), 0))
    assert table.follow_up.min() < HORIZON < table.follow_up.max()
    assert not table.event[table.time > table.follow_up].any()


def test_the_truth_of_a_hazard_twice_as_high_is_the_difference_of_long_means():
    cell = Cell(kind=OutcomeType.TIME_TO_EVENT, n=2_000, effect=float(np.log(2.0)))
    means = [
        [np.minimum(table.time, HORIZON)[table.arm == code].mean() for code in (0, 1)]
        for table, _ in simulated(cell, 0)
    ]
    assert np.diff(np.mean(means, axis=0))[0] == pytest.approx(truth(cell)[0], abs=0.4)  # 50 trials of 2,000


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    book = Book(tmp_path / "calibration.json")
    book.add(SHARES, tallied((SHARES, 0, 1)))
    again = Book(tmp_path / "calibration.json")
    again.add(SHARES, tallied((SHARES, 1, 2)))
    again.limit(SHARES, 0.04)
    found = Book(tmp_path / "calibration.json")[SHARES]
    assert found == replace(tallied((SHARES, 0, 2)), attainable=0.04)


def test_too_many_rejections_are_above_the_limits_and_too_few_are_cautious_only_without_events():
    tally = Tally(trials=10_000, null=10_000, tested=10_000, rejects=700, intervals=10_000, held=9_500)
    enough, few = {"events": 200_000, "clusters": 200_000}, {"events": 20_000, "clusters": 200_000}
    assert finding(SHARES, replace(tally, **few)) is Finding.HIGH
    assert finding(SHARES, replace(tally, rejects=500, **few)) is Finding.SOUND
    assert finding(SHARES, replace(tally, rejects=300, **few)) is Finding.CONSERVATIVE
    assert finding(SHARES, replace(tally, rejects=300, **enough)) is Finding.LOW
    assert finding(SHARES, replace(tally, rejects=500, held=9_200, **enough)) is Finding.HIGH


def test_the_largest_size_of_a_test_counts_ties_whole():
    assert largest(np.arange(100.0)) == 0.05
    assert largest(np.repeat([0.0, 1.0, 2.0], [80, 17, 3])) == 0.03
    assert largest(np.ones(100)) == 0.0
    assert attainable(Cell(kind=OutcomeType.MEAN, n=12, pairs=True)) == pytest.approx(2 / 64)


def test_the_table_in_the_docs_is_that_of_the_results_kept():
    page = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text("utf-8")
    assert renewed(page, CELLS, Book(RESULTS)) == page


def test_the_page_is_written_anew_between_its_marks_alone(tmp_path):
    page = f"before\n\n{BEGIN}\n\nold\n\n{END}\n\nafter\n"
    found = renewed(page, [SHARES], Book(tmp_path / "none.json"))
    assert found == f"before\n\n{BEGIN}\n\nNothing has been run.\n\n{END}\n\nafter\n"
    with pytest.raises(ValueError, match="lacks"):
        renewed("no marks", [SHARES], Book(tmp_path / "none.json"))
