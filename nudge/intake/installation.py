"""An installation log: which sign went up where and when, as the installers filled in the form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from nudge.base.columns import Kind
from nudge.base.errors import Problem, Refused
from nudge.intake.cells import Cells
from nudge.intake.headings import words_of
from nudge.intake.mapping import ColumnMapping, Wanted, suggest
from nudge.intake.reader import open_table
from nudge.intake.rejects import problems

FILE_KIND: Final = "installation"
COLUMNS: Final[tuple[Wanted, ...]] = (
    Wanted("sign_reference", words=("Sign Reference", "Sign Ref", "Reference", "Ref"), compulsory=True),
    Wanted("site", words=("Site", "Site ID", "Site Ref")),
    Wanted("put_up_on", Kind.DATE, ("Put Up On", "Put Up", "Installed On", "Date Put Up"), compulsory=True),
    Wanted("taken_down_on", Kind.DATE, ("Taken Down On", "Taken Down", "Removed On", "Date Taken Down")),
    Wanted("by", words=("By", "Initials", "Installed By")),
    Wanted("photo", words=("Photo", "Photo File", "Picture")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One sign; a day is None where the form was left blank there. `photo` is the name of a file."""

    row: int
    sign_reference: str
    site: str
    put_up_on: date | None
    taken_down_on: date | None
    by: str
    photo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationLog:
    """A log whose every row could be read; `headings` are the file's own, by our name."""

    name: str
    sha256: str
    rows: tuple[LogRow, ...]
    headings: dict[str, str]
    mapping: ColumnMapping


def read_log(path: Path, *, learnt: ColumnMapping | None = None, encoding: str | None = None) -> InstallationLog:
    """Read an installation log. Raises Refused with every row that cannot be read."""
    said = tuple(filter(None, learnt.columns.values())) if learnt else ()
    table = open_table(path, encoding=encoding, words=(*said, *words_of(COLUMNS)))
    mapping = suggest(table.headings, COLUMNS, file_kind=FILE_KIND, learnt=learnt, source=table.name)
    cells = Cells(table, mapping)
    rows: list[LogRow] = []
    faults: list[Problem] = []
    for number, line in table.rows():
        if cells.take(number, line):
            up, down = cells.value("put_up_on", Kind.DATE), cells.value("taken_down_on", Kind.DATE)
            rows.append(
                LogRow(
                    row=number,
                    sign_reference=cells.reference("sign_reference", compulsory=True),
                    site=cells.text("site"),
                    put_up_on=up if isinstance(up, date) else None,
                    taken_down_on=down if isinstance(down, date) else None,
                    by=cells.text("by"),
                    photo=cells.text("photo"),
                )
            )
        faults += problems(table.name, cells.faults)
    Refused.when(cells.order.problems(table.name) or tuple(faults))
    return InstallationLog(
        name=table.name, sha256=table.sha256, rows=tuple(rows), headings=dict(cells.headings), mapping=mapping
    )
