"""Cells of one table by wanted name: references kept as text, values by kind, damage by spreadsheets recognised."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from nudge.base.columns import EXPECTED, CellUnreadable, Kind, Value, read_cell
from nudge.base.errors import Place, Problem
from nudge.base.values import uk_date
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.encoding import GARBLED, named_rows
from nudge.intake.mapping import ColumnMapping
from nudge.intake.reader import Table
from nudge.intake.rejects import Reject, reject

_AS_FORMULA: Final = re.compile(r'="([^"]*)"')  # how some systems keep a reference's zeros safe from Excel
_SCIENTIFIC: Final = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{2,3}|\d+\.\d+[eE][+-]?\d+|\d+[eE][+-]\d+")
_DECIMAL: Final = re.compile(r"\d+[.,]0*|\d+\.\d+")
_AS_DATE: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ].*)?|(?:\d{1,2}-)?(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*-\d{2,4}"
    r"|\d{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    re.IGNORECASE,
)
_ERROR: Final = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!)|#{3,}")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs"})
_SEEN_JOINERS: Final = "\u200c\u200d\n\r\t"  # joiners are letters' parts in some scripts; line ends part address lines
_MONTH_FIRST: Final = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](?:\d{4}|\d{2})\b.*")
CUT_SHORT: Final = (255, 32_767)
"""Lengths at which spreadsheets and old exports cut text."""


def clean(cell: str) -> str:
    """The cell without spaces (no-break ones too) at its ends; `="0012"` is the text 0012."""
    cell = cell.strip()
    if cell.startswith('="') and (match := _AS_FORMULA.fullmatch(cell)):
        return match[1].strip()
    return cell


def text_fault(cell: str) -> RowCode | None:
    """Why a cell of text cannot be used, if it cannot."""
    if cell.startswith("#") and _ERROR.fullmatch(cell):
        return RowCode.CELL_ERROR
    if len(cell) in CUT_SHORT:
        return RowCode.CELL_CUT_SHORT
    if GARBLED.search(cell):
        return RowCode.CELL_GARBLED
    if not cell.isprintable() and any(unicodedata.category(ch) in _UNSEEN and ch not in _SEEN_JOINERS for ch in cell):
        return RowCode.CELL_INVISIBLE
    return None


def reference_fault(cell: str) -> RowCode | None:
    """Why a reference cannot be trusted, if it cannot; a damaged one is never repaired."""
    if not cell:
        return RowCode.REFERENCE_BLANK
    if cell.isdigit():
        return None
    if fault := text_fault(cell):
        return fault
    if _SCIENTIFIC.fullmatch(cell):
        return RowCode.REFERENCE_SCIENTIFIC
    if _DECIMAL.fullmatch(cell):
        return RowCode.REFERENCE_DECIMAL
    if _AS_DATE.fullmatch(cell):
        return RowCode.REFERENCE_DATE
    if cell[0] in "'=" or not any(map(str.isalnum, cell)):
        return RowCode.REFERENCE_SHAPE
    return None


def reference_key(reference: str) -> str:
    """A reference as two files are compared by it: without spaces, in lower case."""
    return "".join(reference.split()).casefold()


@lru_cache(maxsize=8_192)
def _read_cell(cell: str, kind: Kind) -> Value:
    """Amounts, dates and flags repeat from row to row; no names or references come here."""
    return read_cell(cell, kind)


@dataclass(slots=True)
class DateOrder:
    """Watches date columns for a number above 12 in second place: one is enough to show the month stands first."""

    rows: dict[str, list[int]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def watch(self, heading: str, row: int, cell: str) -> None:
        """Look at one cell of a date column."""
        match = _MONTH_FIRST.fullmatch(cell)
        if match and int(match[2]) > 12:
            self.counts[heading] += 1
            if len(rows := self.rows.setdefault(heading, [])) < 5:
                rows.append(row)

    def problems(self, source: str) -> tuple[Problem, ...]:
        """A refusal for each column that is month first."""
        return tuple(
            FileCode.DATES_MONTH_FIRST.at(
                Place(source, heading=heading), heading=heading, rows=named_rows(rows, self.counts[heading])
            )
            for heading, rows in self.rows.items()
        )


class Cells:
    """Reads the rows of one table by wanted name, and collects the faults of the row in hand."""

    def __init__(self, table: Table, mapping: ColumnMapping) -> None:
        index = {heading: number for number, heading in enumerate(table.headings)}
        self.table = table
        self.headings = {name: heading for name, heading in mapping.columns.items() if heading in index and heading}
        self.at = {name: index[heading] for name, heading in self.headings.items()}
        self.order = DateOrder()
        self.row = 0
        self.plain = False  # one look at the row has shown that text_fault finds nothing in its cells
        self.cells: tuple[str, ...] = ()
        self.faults: list[Reject] = []

    def take(self, row: int, cells: tuple[str, ...]) -> bool:
        """Go on to a row; False, with a fault, where it is ragged."""
        self.row, self.cells, self.faults = row, cells, []
        if len(cells) != len(self.table.headings):
            facts = {"found": len(cells), "wanted": len(self.table.headings)}
            self.faults.append(reject(RowCode.ROW_RAGGED, row, **facts))
        together = "".join(cells)
        self.plain = (
            together.isprintable()
            and "#" not in together
            and (len(together) < CUT_SHORT[0] or max(map(len, cells)) < CUT_SHORT[0])
            and (together.isascii() or not GARBLED.search(together))
        )
        return not self.faults

    def linked(self, name: str) -> str:
        """A cell of a ragged row, by which its neighbours are found; it is good for nothing else."""
        at = self.at[name]
        return clean(self.cells[at]) if at < len(self.cells) else ""

    def text(self, name: str) -> str:
        """The cell under a wanted name, cleaned; blank where the file has no such column."""
        at = self.at.get(name)
        if at is None:
            return ""
        cell = clean(self.cells[at])
        if cell and not self.plain and (fault := text_fault(cell)):
            self.fault(fault, name, length=len(cell))
            return ""
        return cell

    def reference(self, name: str, *, compulsory: bool) -> str:
        """A reference as text; blank, with a fault, where it is damaged or a compulsory one is missing."""
        at = self.at.get(name)
        cell = clean(self.cells[at]) if at is not None else ""
        if not cell and not compulsory:
            return ""
        if fault := reference_fault(cell):
            self.fault(fault, name, length=len(cell))
            return ""
        return cell

    def value(self, name: str, kind: Kind) -> Value:
        """A cell by its kind; None where blank, or, with a fault, where it is not of its kind."""
        if kind is Kind.TEXT:
            return self.text(name) or None
        at = self.at.get(name)
        cell = clean(self.cells[at]) if at is not None else ""
        if not cell:
            return None
        try:
            value = _read_cell(cell, kind)
        except CellUnreadable:
            value = None
            code = RowCode.CELL_ERROR if _ERROR.fullmatch(cell) else RowCode.CELL_UNREADABLE
            self.fault(code, name, expected=EXPECTED[kind])
        if kind is Kind.DATE:
            self.order.watch(self.headings[name], self.row, cell)
        return value

    def fault(self, code: RowCode, name: str, /, *, cell: str | None = None, **facts: object) -> None:
        """Note a fault of the row in hand under a wanted name; `cell` where it lies in several cells together."""
        at = self.at.get(name)
        if cell is None:
            cell = self.cells[at] if at is not None and at < len(self.cells) else ""
        self.faults.append(reject(code, self.row, self.headings.get(name, ""), cell, **facts))


def padded_length(lengths: Mapping[int, int], padded: Mapping[int, int]) -> int | None:
    """The length that zeros pad all-digit references to, where the column shows that they do.

    `lengths` counts all-digit references by length, `padded` those of them that begin with 0. Shorter references
    that begin with another digit have lost their zeros if the padded ones outnumber them.
    """
    if not padded:
        return None
    length = max(padded, key=lambda one: (padded[one], one))
    shorter = sum(count - padded.get(one, 0) for one, count in lengths.items() if one < length)
    return length if 0 < shorter < padded[length] else None


def date_in(cells: Iterable[str]) -> str | None:
    """The first cell that is a date, as ISO text."""
    return next((day.isoformat() for cell in cells if (day := uk_date(cell.strip())) is not None), None)
