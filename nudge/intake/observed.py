"""People somebody watched: on which day, where, and whether they did what a sign speaks of. No name is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from nudge.base.columns import EXPECTED, Kind
from nudge.base.errors import Place, Problem, Refused
from nudge.intake.cells import Cells
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.headings import words_of
from nudge.intake.mapping import ColumnMapping, Wanted, suggest
from nudge.intake.reader import open_table
from nudge.intake.rejects import RejectList, problems

FILE_KIND: Final = "observed"
_DATES: Final = ("Date", "On", "Day", "Seen On", "Date Observed", "Observed On", "Survey Date")
_PLACES: Final = ("Place", "Site", "Site ID", "Site Ref", "Location", "Path", "Park", "Street", "Where")


@dataclass(frozen=True, slots=True)
class Observed:
    """One person who came past. `place` is blank where the file has none."""

    on: date
    place: str
    did: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A file of people watched, every row of it readable."""

    name: str
    sha256: str
    rows: tuple[Observed, ...]
    mapping: ColumnMapping
    notes: tuple[str, ...] = ()


def read_observed(path: Path, did: str, mapping: ColumnMapping | None = None) -> Survey:
    """Read one row for each person watched: `date`, the yes-or-no column `did`, and `place` where there is one.

    Refused with every row that has no date, and no yes or no: the share must be of everybody who was watched.
    """
    wanted = (
        Wanted("date", Kind.DATE, _DATES, compulsory=True),
        Wanted(did, Kind.FLAG, (did.replace("_", " "),), compulsory=True),
        Wanted("place", words=_PLACES),
    )
    said = tuple(filter(None, mapping.columns.values())) if mapping else ()
    table = open_table(path, words=(*said, *words_of(wanted)))
    found = suggest(table.headings, wanted, file_kind=FILE_KIND, learnt=mapping, source=table.name)
    cells, rejects = Cells(table, found), RejectList(table.name)
    rows = []
    for number, line in table.rows():
        if not cells.take(number, line):
            rejects.add(cells.faults)
            continue
        on, seen, place = cells.value("date", Kind.DATE), cells.value(did, Kind.FLAG), cells.text("place")
        if on is None and not cells.faults:
            cells.fault(RowCode.DATE_BLANK, "date")
        if seen is None and not cells.faults:
            cells.fault(RowCode.CELL_UNREADABLE, did, expected=EXPECTED[Kind.FLAG])
        rejects.add(cells.faults)
        if isinstance(on, date) and isinstance(seen, bool):
            rows.append(Observed(on, place.casefold(), seen))
    faults: list[Problem] = [*cells.order.problems(table.name), *problems(table.name, rejects.in_order())]
    Refused.when(faults)
    if not rows:
        raise Refused(FileCode.NO_ROWS.at(Place(table.name)))
    return Survey(
        name=table.name,
        sha256=table.sha256,
        rows=tuple(rows),
        mapping=found,
        notes=table.notes,
    )
