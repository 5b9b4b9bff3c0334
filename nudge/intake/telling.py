"""Rows set aside, told as GOV.UK Notify tells them: first what to do, then the bad rows alone, cell by cell.

Never a cell's content: row numbers as the spreadsheet shows them, headings, and labels (I12).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from nudge.base.errors import Problem, Refused
from nudge.intake.rejects import Reject, label, problems, to_do

MOST_ROWS: Final = 20


def bad_rows(rejects: Iterable[Reject], *, most: int = MOST_ROWS) -> tuple[str, ...]:
    """A line for each of the first bad rows: `row 22  Postcode: missing`."""
    cells: dict[int, list[str]] = {}
    for one in sorted(rejects, key=lambda one: one.row):
        said = f"{one.heading}: {label(one)}" if one.heading else label(one)
        cells.setdefault(one.row, [])
        if said not in cells[one.row]:
            cells[one.row].append(said)
    width = max((len(str(row)) for row in list(cells)[:most]), default=0)
    return tuple(f"row {row:>{width}}  {'; '.join(said)}" for row, said in list(cells.items())[:most])


def told(rejects: Sequence[Reject], *, most: int = MOST_ROWS) -> tuple[str, ...]:
    """The list of what to do, then the bad rows, as a terminal shows them."""
    count = len({one.row for one in rejects})
    shown = bad_rows(rejects, most=most)
    rest = (f"… and {count - len(shown):,} rows more",) if count > len(shown) else ()
    return ("To do, where the file comes from:", *(f"  - {ask}" for ask in to_do(rejects)), *shown, *rest)


def rows_refused(why: Problem, source: str, rejects: Sequence[Reject]) -> Refused:
    """The refusal of a file for its bad rows: every fault a problem, told as a list of what to do and the rows."""
    refusal = Refused(why, *problems(source, rejects))
    refusal.told = (str(why), *told(rejects))
    return refusal
