"""The tables of what was found: a line for each row of the default table, and every cell that is not plainly sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Final

from benchmarks.calibration.cells import Cell
from benchmarks.calibration.tallies import REDRAWS, Book, Tally

BEGIN: Final = "<!-- calibration: written by `make calibrate` -->"
END: Final = "<!-- calibration: end -->"
MOST, LEAST, COVERS, OVERCOVERS = 6.0, 4.0, 94.0, 96.0
ENOUGH: Final = 10


class Finding(StrEnum):
    """What a cell shows. Limits are read with twice the binomial error in the cell's favour, and that is said."""

    SOUND = "within 4 to 6, covers 94 to 96"
    CONSERVATIVE = "cautious: few events or clusters"
    LOW = "cautious though events and clusters are enough"
    HIGH = "above the limits"


def error(share: float, trials: int) -> float:
    """Twice the binomial error of a percentage."""
    return 200 * (max(share * (100 - share), 0.0) / 10_000 / max(trials, 1)) ** 0.5


def type_one(tally: Tally) -> float | None:
    """Rejections per 100 comparisons under no effect; one without a p does not reject."""
    return 100 * tally.rejects / tally.null if tally.null else None


def coverage(tally: Tally) -> float | None:
    """Intervals that hold the truth, per 100 that exist."""
    return 100 * tally.held / tally.intervals if tally.intervals else None


def enough(cell: Cell, tally: Tally) -> bool:
    """Whether each arm has 10 expected events and 10 clusters."""
    return min(tally.events, tally.clusters) >= ENOUGH * max(tally.trials, 1)


def finding(cell: Cell, tally: Tally) -> Finding:
    """By the limits of rules §10."""
    rejects, covers = type_one(tally), coverage(tally)
    margin = error(5.0, tally.null or tally.intervals)
    if (rejects or 0.0) > MOST + margin or (covers is not None and enough(cell, tally) and covers < COVERS - margin):
        return Finding.HIGH
    low = rejects is not None and rejects < LEAST - margin
    wide = covers is not None and covers > OVERCOVERS + margin
    if not (low or wide):
        return Finding.SOUND
    return Finding.LOW if enough(cell, tally) else Finding.CONSERVATIVE


def shown(cells: Sequence[Cell], book: Book) -> str:
    """The tables, as they stand in the page."""
    run = [(cell, book[cell]) for cell in cells if book[cell].trials]
    if not run:
        return "Nothing has been run."
    least, most = min(tally.trials for _, tally in run), max(tally.trials for _, tally in run)
    trials = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return "\n".join(
        [
            f"{len(run)} kinds of trial, {trials} trials of each (twice the binomial error at 5 %: "
            f"±{error(5, least):.2f}); {REDRAWS} redraws where the default table asks for them.",
            "",
            *_by_row(run),
            "",
            *_several(run),
            "",
            *_beyond(run),
        ]
    )


def _by_row(run: Sequence[tuple[Cell, Tally]]) -> Iterator[str]:
    yield (
        "| row of the table | kinds | rejects %, least to most | interval holds the truth %, least to most | "
        "at odds %, most |"
    )
    yield "|---|---|---|---|---|"
    ordered = sorted(run, key=lambda one: _title(one[0]))
    for title, group in groupby(ordered, key=lambda one: _title(one[0])):
        tallies = [tally for _, tally in group]
        rejects = [value for tally in tallies if (value := type_one(tally)) is not None]
        covers = [value for tally in tallies if (value := coverage(tally)) is not None]
        odds = max(100 * tally.odds / tally.null for tally in tallies if tally.null)
        yield f"| {title} | {len(tallies)} | {_span(rejects)} | {_span(covers)} | {odds:.2f} |"


def _title(cell: Cell) -> str:
    return f"{cell.row}, three arms" if len(cell.ratio) > 2 else cell.row


def _several(run: Sequence[tuple[Cell, Tally]]) -> Iterator[str]:
    """Three arms: the two comparisons together, the adjusted p and the simultaneous intervals."""
    found = [(cell, tally) for cell, tally in run if len(cell.ratio) > 2 and tally.wide]
    if not found:
        return
    yield "| three arms | trials | an arm without effect found by adjusted p % | both simultaneous intervals hold % |"
    yield "|---|---|---|---|"
    for cell, tally in found:
        family, inside = 100 * tally.family / tally.trials, 100 * tally.inside / tally.wide
        yield f"| {cell.name} | {tally.trials:,} | {family:.2f} | {inside:.2f} |"


def _beyond(run: Sequence[tuple[Cell, Tally]]) -> Iterator[str]:
    others = [(cell, tally, finding(cell, tally)) for cell, tally in run]
    others = [one for one in others if one[2] is not Finding.SOUND]
    if not others:
        yield "Every kind is within the limits."
        return
    yield f"{len(run) - len(others)} kinds are within the limits, twice the binomial error allowed. The others:"
    yield ""
    yield "| kind of trial | fewest events, clusters | rejects % | can at most % | holds the truth % | finding |"
    yield "|---|---|---|---|---|---|"
    for cell, tally, found in sorted(others, key=lambda one: list(Finding).index(one[2]), reverse=True):
        rejects, covers = type_one(tally), coverage(tally)
        best = tally.attainable
        yield (
            f"| {cell.name} | {tally.events / tally.trials:.0f}, {tally.clusters / tally.trials:.0f} "
            f"| {_number(rejects)} | {_number(None if best is None else 100 * best)} | {_number(covers)} | {found} |"
        )


def _span(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}" if values else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def renewed(page: str, cells: Sequence[Cell], book: Book) -> str:
    """The page with its table written anew between its two marks. ValueError where it has none."""
    before, mark, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        msg = f"the page lacks the lines {BEGIN} and {END}"
        raise ValueError(msg)
    return f"{before}{BEGIN}\n\n{shown(cells, book)}\n\n{END}{after}"
