"""The weekly extract: one tenancy for each reference, whose rows are all good or all set aside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from nudge.base.columns import Kind
from nudge.base.errors import Place, Refused
from nudge.base.values import uk_date
from nudge.intake.cells import Cells, padded_length
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.headings import TENANCY, declared, words_of
from nudge.intake.mapping import ColumnMapping, suggest
from nudge.intake.people import Person
from nudge.intake.reader import Table, open_table
from nudge.intake.rejects import Reject, RejectList, reject
from nudge.intake.spool import Spool
from nudge.intake.tenancy import Layout, Tenancy, merged, tenancy_row

__all__ = ["Extract", "Person", "Tenancy", "read_extract"]

FILE_KIND: Final = "extract"
_RUN_DATE: Final = re.compile(
    r".*?\b(?:run|report|extract|export|print|as at|as of|at|date|dated|produced|generated|snapshot)\b[^0-9]*"
    r"(\d{4}-\d\d-\d\d|\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}|\d{1,2}(?:st|nd|rd|th)? [A-Za-z]+ \d{4})\b.*",
    re.IGNORECASE,
)
_NAME_DATE: Final = re.compile(r"(?<!\d)(20\d\d)[-_]?([01]\d)[-_]?([0-3]\d)(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What one extract held. Accepted rows + rejected rows + `dropped` = `rows`, always.

    `rows` counts every line below the headings. `as_of` is the day that the file itself states, in a title line or
    its name; None where it states none or several. Use as a context manager, or `close()`, to let the rows go.
    """

    name: str
    sha256: str
    encoding: str
    rows: int
    accepted: int
    count: int
    rejects: tuple[Reject, ...]
    dropped: Mapping[str, int]
    as_of: date | None
    mapping: ColumnMapping
    notes: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(repr=False)
    spool: Spool = field(repr=False, compare=False)

    @property
    def rejected(self) -> int:
        """How many rows were set aside."""
        return len({one.row for one in self.rejects})

    def tenancies(self) -> Iterator[Tenancy]:
        """Every good tenancy in order of reference, one in memory at a time; may be gone through again."""
        for reference, rows in self.spool.groups():
            found = merged(reference, rows, self.kinds)
            if isinstance(found, Tenancy):
                yield found

    def close(self) -> None:
        """Delete the rows waiting on disk."""
        self.spool.close()

    def __enter__(self) -> Extract:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_extract(
    path: Path,
    kinds: Mapping[str, Kind],
    mapping: ColumnMapping | None,
    *,
    encoding: str | None = None,
    sheet: str | None = None,
    spool: Path | None = None,
) -> Extract:
    """Read a housing system's extract.

    `kinds` are the experiment's declared columns; `mapping` what was learnt or said about this council's headings
    (missing columns are found by their words); `spool` a private folder with room for the rows. Raises Refused where
    the file as a whole cannot be trusted; single rows at fault are in `rejects`.
    """
    own = tuple(replace(one, compulsory=one.compulsory or one.name in kinds) for one in TENANCY)
    wanted = (*own, *declared({name: kind for name, kind in kinds.items() if name not in _OWN}))
    said = tuple(mapping.columns.values()) if mapping else ()
    table = open_table(path, encoding=encoding, sheet=sheet, words=(*filter(None, said), *words_of(wanted)))
    found = suggest(table.headings, wanted, file_kind=FILE_KIND, learnt=mapping, source=table.name)
    waiting = Spool(spool)
    try:
        return _read(table, found, kinds, waiting)
    except BaseException:
        waiting.close()
        raise


_OWN: Final = frozenset(one.name for one in TENANCY)


def _read(table: Table, mapping: ColumnMapping, kinds: Mapping[str, Kind], spool: Spool) -> Extract:
    cells, dropped, rejects = Cells(table, mapping), Counter[str](), RejectList(table.name)
    lengths, padded = Counter[int](), Counter[int]()
    rows, layout = 0, Layout.of(cells)

    def parsed() -> Iterator[tuple[str, int, Any]]:
        nonlocal rows
        for number, line, reason in table.lines():
            rows += 1
            if reason is not None:
                dropped[reason.value] += 1
                continue
            reference, body = _parsed(cells, kinds, layout, number, line)
            if reference.isdigit():
                lengths[len(reference)] += 1
                padded[len(reference)] += reference.startswith("0")
            rejects.add(cells.faults)
            if reference:
                yield reference, number, None if cells.faults else body

    spool.fill(parsed())
    Refused.when(cells.order.problems(table.name))
    if rows == sum(dropped.values()):
        raise Refused(FileCode.NO_ROWS.at(Place(table.name)))
    heading = cells.headings["reference"]
    length = padded_length(lengths, +padded)
    if length:
        short = spool.short_digits(length)
        rejects.add(reject(RowCode.REFERENCE_ZEROS, row, heading, ref, length=length) for ref, row in short)
        spool.remove({ref for ref, _ in short})
    dropped["duplicate"] += _settle_groups(spool, kinds, rejects, cells)
    accepted, count = spool.counts()
    notes = table.notes + _length_notes(lengths, heading, length)
    return Extract(
        name=table.name,
        sha256=table.sha256,
        encoding=table.encoding,
        rows=rows,
        accepted=accepted - dropped["duplicate"],
        count=count,
        rejects=rejects.in_order(),
        dropped=MappingProxyType(dict(+dropped)),
        as_of=stated_day(table),
        mapping=mapping,
        notes=notes,
        kinds=MappingProxyType(dict(kinds)),
        spool=spool,
    )


def _parsed(
    cells: Cells, kinds: Mapping[str, Kind], layout: Layout, number: int, line: tuple[str, ...]
) -> tuple[str, dict[str, Any]]:
    if cells.take(number, line):
        return tenancy_row(cells, kinds, layout)
    return cells.linked("reference"), {}


def _settle_groups(spool: Spool, kinds: Mapping[str, Kind], rejects: RejectList, cells: Cells) -> int:
    """Set aside whole tenancies of which a row is at fault or rows disagree; count the rows that say nothing new."""
    heading = cells.headings["reference"]
    beside = spool.beside_faulty()
    rejects.add(reject(RowCode.TENANCY_PART_REJECTED, row, heading, ref) for ref, row in beside)
    out, duplicates = {ref for ref, _ in beside}, 0
    spool.remove(out)
    out.clear()
    for reference, rows in spool.groups(shared=True):
        found = merged(reference, rows, kinds)
        if isinstance(found, Tenancy):
            duplicates += len(rows) - len({repr(body) for _, body in rows})
            continue
        code, name = found
        named = cells.headings.get(name, name)
        rejects.add(reject(code, row, named, reference, heading=named) for row, _ in rows)
        out.add(reference)
    lone = spool.lone_joint() if "name_2" in cells.at else []
    rejects.add(reject(RowCode.JOINT_NAME_MISSING, row, cells.headings["name_2"], ref) for ref, row in lone)
    spool.remove(out | {ref for ref, _ in lone})
    return duplicates


def _length_notes(lengths: Mapping[int, int], heading: str, settled: int | None) -> tuple[str, ...]:
    """Lengths that differ are shown, for zeros lost in every row leave no other trace."""
    if settled or len(lengths) < 2:
        return ()
    shown = ", ".join(f"{length} digits ×{count:,}" for length, count in sorted(lengths.items(), reverse=True))
    return (f"{heading} has numbers of different lengths ({shown}). If they should be padded with 0, export again.",)


def stated_day(table: Table) -> date | None:
    """The one day that the title lines, else the file's name, state; None where none or several do."""
    days = set()
    for cells in table.preamble:
        if match := _RUN_DATE.fullmatch(" ".join(cell.strip() for cell in cells if cell.strip())):
            days.add(uk_date(match[1]))
    if not days and (match := _NAME_DATE.search(table.name)):
        days.add(uk_date("-".join(match.groups())))
    days.discard(None)
    return days.pop() if len(days) == 1 else None
