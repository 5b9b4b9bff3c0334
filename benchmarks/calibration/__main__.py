"""Run the calibration, or show what has been run.

    python -m benchmarks.calibration [--trials N] [--processes N] [--only TEXT] [--results FILE] [--docs FILE] [--list]

A stopped run goes on where it stopped: each part of a cell is kept in the results file as soon as it is done.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.calibration.attainable import attainable
from benchmarks.calibration.cells import Cell, every_cell
from benchmarks.calibration.tables import LEAST, Finding, finding, renewed, shown, type_one
from benchmarks.calibration.tallies import Book, tallied
from benchmarks.calibration.trials import PER_LAYOUT

TRIALS = 10_000
RESULTS = Path(__file__).with_name("results.json")
PART = 10  # layouts at once: 500 trials


def main() -> None:
    """Read the arguments, run what is missing, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration")
    parser.add_argument("--trials", type=int, default=TRIALS, help="trials of each cell, in parts of 500")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="cells whose name holds this text")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--docs", type=Path, help="a page whose table is written anew, such as docs/statistics.md")
    parser.add_argument("--list", action="store_true", help="name the cells and stop")
    options = parser.parse_args()
    cells = [cell for cell in every_cell() if options.only in cell.name]
    if options.list:
        print("\n".join(f"{cell.row:40} {cell.name}" for cell in cells))
        return
    book = Book(options.results)
    run(cells, book, options.trials, options.processes)
    for cell in cells:
        tally = book[cell]
        rejects = type_one(tally)
        low = rejects is not None and rejects < LEAST and finding(cell, tally) is not Finding.SOUND
        if low and tally.attainable is None:
            book.limit(cell, attainable(cell))
    print(shown(cells, book))
    if options.docs is not None:
        options.docs.write_text(renewed(options.docs.read_text("utf-8"), cells, book), "utf-8")


def run(cells: list[Cell], book: Book, trials: int, processes: int) -> None:
    """Every cell to the number of trials, a line each as it is done."""
    wanted = -(-trials // PER_LAYOUT)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for place, cell in enumerate(cells):
            done = book[cell].trials // PER_LAYOUT
            if done >= wanted:
                continue
            start = time.perf_counter()
            parts = [(cell, first, min(first + PART, wanted)) for first in range(done, wanted, PART)]
            for part in pool.map(tallied, parts):
                book.add(cell, part)
            print(f"{place + 1}/{len(cells)} {cell.name}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
