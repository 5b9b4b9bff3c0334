"""Rows set aside: listed with row, column, reason and fix, on screen and in rejects.csv."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nudge.base.errors import Place, Problem, Refused
from nudge.base.files import whole_file
from nudge.intake.codes import FileCode, RowCode

LIMIT: Final = 100_000
"""Rejected rows kept for one file; beyond it the file is refused, so that memory stays bounded."""

_HEADINGS: Final = ("row", "column", "reason", "fix", "cell")
_ACTIVE: Final = frozenset("=+-@\t\r\n|%")


@dataclass(frozen=True, slots=True)
class Reject:
    """One fault of one row. `cell` is personal: it goes to rejects.csv and is never printed (I12)."""

    row: int
    heading: str
    code: str
    reason: str
    fix: str
    cell: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        where = f"row {self.row}" + (f", {self.heading}" if self.heading else "")
        return f"{where}: {self.reason}. {self.fix}"


def reject(code: RowCode, row: int, heading: str = "", cell: str = "", /, **facts: object) -> Reject:
    """A fault of one row, worded; facts are headings and counts, never a cell."""
    return Reject(row, heading, code.slug, code.reason.format(**facts), code.fix.format(**facts), cell)


class RejectList:
    """The rejects of one file as they are found, up to the limit that keeps memory bounded."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._found: list[Reject] = []

    def add(self, faults: Iterable[Reject]) -> None:
        """Keep these too. Raises Refused beyond the limit."""
        self._found.extend(faults)
        if len(self._found) > LIMIT:
            most = Counter(one.heading or "the number of cells" for one in self._found).most_common(1)[0][0]
            raise Refused(FileCode.TOO_MANY_REJECTS.at(Place(self.source), limit=LIMIT, headings=most))

    def in_order(self) -> tuple[Reject, ...]:
        """All of them, by row."""
        return tuple(sorted(self._found, key=lambda one: one.row))


def problems(source: str, rejects: Iterable[Reject]) -> tuple[Problem, ...]:
    """The rejects as refusals, for a caller that does not go on without those rows."""
    return tuple(
        Problem(one.code, Place(source, row=one.row, heading=one.heading or None), _expected(one), one.fix)
        for one in rejects
    )


def _expected(one: Reject) -> str:
    words = RowCode[one.code.upper().replace("-", "_")].expected
    # A template that asks for facts of its row falls back to the reason, which has them filled in.
    return words if "{" not in words else f"a row without this fault: {one.reason}"


def write_rejects(path: Path, rejects: Iterable[Reject]) -> Path:
    """Write rejects.csv: private, whole or not at all, UTF-8 with a byte-order mark for Excel, no live formulas."""
    with whole_file(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=True)
        sheet = csv.writer(text, quoting=csv.QUOTE_ALL)
        sheet.writerow(_HEADINGS)
        for one in rejects:
            sheet.writerow((one.row, *map(inert, (one.heading, one.reason, one.fix, one.cell))))
        text.flush()
        text.detach()
    return path


def inert(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet could take it, or any line of it, for a formula."""
    for line in cell.splitlines() or [cell]:
        # NFKC folds full-width forms and no-break spaces; marks that cannot be seen are passed over as Excel does.
        seen = unicodedata.normalize("NFKC", line).lstrip("\u200b\u200c\u200d\u2060\ufeff ")
        if (line and line[0] in _ACTIVE) or (seen and seen[0] in _ACTIVE):
            return f"'{cell}"
    return f"'{cell}" if cell[:1] in _ACTIVE else cell
