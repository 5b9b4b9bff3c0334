"""What people were seen to do at sites before a trial of signs: the ground of a norm that a sign may state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Problem, Refused
from nudge.intake.cells import Cells
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.headings import words_of
from nudge.intake.mapping import Wanted, suggest
from nudge.intake.reader import open_table
from nudge.intake.rejects import problems

FILE_KIND: Final = "observations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One person seen once, in the shape in which claims are worked out: `letter_on` is the day they were seen.

    `household` is the site, whose people are alike; `events` has the day after for what they were seen to do, because a
    claim counts nothing on the day itself.
    """

    reference: str
    household: str
    letter_on: date
    values: Mapping[str, Value]
    events: Mapping[str, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """A file of observations whose every row could be read. `cut`: everybody's day is over."""

    sha256: str
    rows: tuple[Observed, ...]
    cut: date


def read_observations(path: Path, did: str) -> Observations:
    """Read a file of observations: the day, the site, and yes or no in the column that is headed `did`.

    Raises Refused with every row at fault: a blank is neither yes nor no, and the share must be of everybody seen.
    """
    wanted = (
        Wanted("on", Kind.DATE, ("Seen On", "Observed On", "Day"), compulsory=True, weaker=("Date",)),
        Wanted("site", words=("Site ID", "Site Ref", "Site Reference", "Place", "Path"), compulsory=True),
        Wanted(did, Kind.FLAG, (did.replace("_", " "),), compulsory=True),
    )
    table = open_table(path, words=words_of(wanted))
    mapping = suggest(table.headings, wanted, file_kind=FILE_KIND, source=table.name)
    cells = Cells(table, mapping)
    rows: list[Observed] = []
    faults: list[Problem] = []
    for number, line in table.rows():
        if cells.take(number, line):
            on, yes = cells.value("on", Kind.DATE), cells.value(did, Kind.FLAG)
            site = cells.reference("site", compulsory=True)
            if not cells.faults and not isinstance(on, date):
                cells.fault(RowCode.DATE_BLANK, "on")
            if not cells.faults and yes is None:
                cells.fault(RowCode.CELL_UNREADABLE, did, expected="yes or no")
            if not cells.faults and isinstance(on, date):
                events = {did: on + timedelta(days=1)} if yes else {}
                rows.append(
                    Observed(
                        reference=str(number),
                        household=site,
                        letter_on=on,
                        values=MappingProxyType({}),
                        events=MappingProxyType(events),
                    )
                )
        faults += problems(table.name, cells.faults)
    Refused.when(cells.order.problems(table.name) or faults)
    if not rows:
        raise Refused(FileCode.NO_ROWS.at(Place(table.name)))
    return Observations(
        sha256=table.sha256, rows=tuple(rows), cut=max(row.letter_on for row in rows) + timedelta(days=1)
    )
