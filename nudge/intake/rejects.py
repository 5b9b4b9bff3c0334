"""Rows set aside: listed with row, column, reason and fix, on screen and in rejects.csv."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter, defaultdict
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
MISSING: Final = "missing"
LETTER: Final = "letter"
"""The heading of a fault that was found while the letters of a row were tried, in no cell of it."""
_BLANK: Final = frozenset(
    "reference-blank name-blank address-blank address-no-postcode date-blank amount-blank joint-name-missing".split()
)
_UNREACHED: Final = frozenset("address-no-fixed-abode address-abroad name-nobody name-organisation".split())
_FOLLOWS: Final = "tenancy-part-rejected"  # nothing to do in such a row: its neighbour is what is wrong
# By how a code begins, in the order in which to work: one row, and several.
_ASKS: Final = (
    ("missing", "enter missing data in 1 row", "enter missing data in {n} rows"),
    ("row", "look for a stray separator in 1 row", "look for stray separators in {n} rows"),
    ("reference", "fix 1 reference", "fix {n} references"),
    ("address", "fix 1 address", "fix {n} addresses"),
    ("name", "fix 1 name", "fix {n} names"),
    ("title", "correct or leave out the title in 1 row", "correct or leave out the title in {n} rows"),
    ("joint", "give both tenants of 1 row", "give both tenants of {n} rows"),
    ("uprn", "fix 1 UPRN", "fix {n} UPRNs"),
    ("tenancy", "make 1 row agree with the others of its tenancy", "make {n} rows agree with the others of a tenancy"),
    ("cell", "correct the values of 1 row", "correct the values of {n} rows"),
    ("unreached", "decide about 1 row that no letter can reach", "decide about {n} rows that no letter can reach"),
    ("letter", "see why no letter can be written for 1 row", "see why no letter can be written for {n} rows"),
)
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


def to_do(rejects: Iterable[Reject]) -> tuple[str, ...]:
    """What to do before the file is exported again: `fix 3 addresses`. A row with two faults counts in both."""
    rows: dict[str, set[int]] = defaultdict(set)
    for one in rejects:
        if one.code != _FOLLOWS:
            rows[_ask(one)].add(one.row)
    return tuple(
        (single if len(rows[name]) == 1 else several).format(n=f"{len(rows[name]):,}")
        for name, single, several in _ASKS
        if name in rows
    )


def label(one: Reject) -> str:
    """What to write beside a cell: `missing`, or what is wrong with it."""
    if one.heading == LETTER:
        return f"expected {one.reason}"
    return MISSING if one.code in _BLANK else one.reason


def _ask(one: Reject) -> str:
    if one.code in _BLANK:
        return "missing"
    if one.code in _UNREACHED:
        return "unreached"
    kind = one.code.partition("-")[0]
    if one.heading == LETTER:
        return "letter"
    return kind if any(kind == name for name, *_ in _ASKS) else "cell"


def write_rejects(path: Path, rejects: Iterable[Reject]) -> Path:
    """Write rejects.csv: private, whole or not at all, UTF-8 with a byte-order mark for Excel, no live formulas.

    First what to do, a line each that has no row number, then every fault.
    """
    rejects = tuple(rejects)
    with whole_file(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=True)
        sheet = csv.writer(text, quoting=csv.QUOTE_ALL)
        sheet.writerow(_HEADINGS)
        sheet.writerows(("", "to do", ask, "", "") for ask in to_do(rejects))
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
