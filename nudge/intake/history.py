"""Last year's first letters, from which claims and the power of a trial are worked out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Refused
from nudge.intake.cells import Cells
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.headings import HISTORY, HISTORY_EVENTS, declared, words_of
from nudge.intake.mapping import ColumnMapping, Wanted, suggest
from nudge.intake.reader import Table, open_table, plain_heading
from nudge.intake.rejects import Reject, RejectList, reject
from nudge.intake.spool import Spool

FILE_KIND: Final = "history"
_EVENT_HEADING: Final = re.compile(r"(?P<kind>[^\W\d]\w*?)[ _\-.]on", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One tenancy that got a first letter. `events` are first dates by kind; a kind that is not there did not happen
    by the cut."""

    reference: str
    household: str | None
    letter_on: date
    values: Mapping[str, Value]
    events: Mapping[str, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A history file. `cut` is the last day that it covers: as stated, else the latest date in it.

    Accepted rows + rejected rows + `dropped` = `rows`. Use as a context manager, or `close()`, to let the rows go.
    """

    name: str
    sha256: str
    encoding: str
    length: int
    accepted: int
    rejects: tuple[Reject, ...]
    dropped: Mapping[str, int]
    cut: date
    cut_stated: bool
    has_household: bool
    event_kinds: tuple[str, ...]
    mapping: ColumnMapping
    notes: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(repr=False)
    spool: Spool = field(repr=False, compare=False)

    @property
    def rejected(self) -> int:
        """How many rows were set aside."""
        return len({one.row for one in self.rejects})

    def rows(self) -> Iterator[HistoryRow]:
        """Every good row in order of reference; may be gone through again."""
        for reference, found in self.spool.groups():
            yield _row(reference, found[0][1], self.kinds)

    def close(self) -> None:
        """Delete the rows waiting on disk."""
        self.spool.close()

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_history(
    path: Path,
    kinds: Mapping[str, Kind],
    mapping: ColumnMapping | None,
    *,
    covers: tuple[date, date] | None = None,
    today: date | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    spool: Path | None = None,
) -> History:
    """Read one row for each tenancy that got a first letter.

    Besides `reference`, `letter_on` and perhaps `household` it holds the declared columns `kinds` that the file has,
    and a date column for each kind of event: `agreed_on`, `contact_on`, `payment_on`. With `covers`, letters outside
    those days refuse the file. A letter after `today` is at fault, and no later date says how far the file reaches.
    Raises Refused; rows at fault are in `rejects`.
    """
    own = {one.name for one in HISTORY}
    fixed = (
        *HISTORY,
        *(Wanted(one.name, one.kind, one.words) for one in declared(kinds) if one.name not in own),
        *(
            Wanted(f"{kind}_on", Kind.DATE, words)
            for kind, words in HISTORY_EVENTS.items()
            if f"{kind}_on" not in kinds
        ),
    )
    said = tuple(filter(None, mapping.columns.values())) if mapping else ()
    table = open_table(path, encoding=encoding, sheet=sheet, words=(*said, *words_of(fixed)))
    wanted = fixed + _further_events(table, fixed, kinds)
    found = suggest(table.headings, wanted, file_kind=FILE_KIND, learnt=mapping, source=table.name)
    waiting = Spool(spool)
    try:
        return _read(table, found, kinds, _Seen(covers, today), waiting)
    except BaseException:
        waiting.close()
        raise


def _further_events(table: Table, fixed: tuple[Wanted, ...], kinds: Mapping[str, Kind]) -> tuple[Wanted, ...]:
    """Other headings of the form `replied_on` are events too."""
    taken = {plain_heading(word) for word in words_of(fixed)} | {plain_heading(name) for name in kinds}
    further = []
    for heading in table.headings:
        match = _EVENT_HEADING.fullmatch(heading)
        if match and plain_heading(heading) not in taken:
            further.append(Wanted(f"{match['kind'].lower()}_on", Kind.DATE, (heading,)))
    return tuple(further)


def _event_names(cells: Cells, kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    return tuple(name for name in cells.at if name.endswith("_on") and name != "letter_on" and name not in kinds)


def _read(
    table: Table,
    mapping: ColumnMapping,
    kinds: Mapping[str, Kind],
    seen: _Seen,
    spool: Spool,
) -> History:
    cells, dropped, rejects = Cells(table, mapping), Counter[str](), RejectList(table.name)
    events = _event_names(cells, kinds)
    length, covers = 0, seen.covers

    def parsed() -> Iterator[tuple[str, int, Any]]:
        nonlocal length
        for number, line, reason in table.lines():
            length += 1
            if reason is not None:
                dropped[reason.value] += 1
                continue
            reference, body = (
                _body(cells, kinds, events, seen) if cells.take(number, line) else (cells.linked("reference"), None)
            )
            rejects.add(cells.faults)
            if reference:
                yield reference, number, None if cells.faults else body

    spool.fill(parsed())
    Refused.when(cells.order.problems(table.name))
    if length == sum(dropped.values()):
        raise Refused(FileCode.NO_ROWS.at(Place(table.name)))
    seen.refuse_outside(table.name, length - sum(dropped.values()))
    heading = cells.headings["reference"]
    beside = spool.beside_faulty()
    rejects.add(reject(RowCode.TENANCY_PART_REJECTED, row, heading, ref) for ref, row in beside)
    spool.remove({ref for ref, _ in beside})
    twice, duplicates = set(), 0
    for reference, rows in spool.groups(shared=True):
        if all(body == rows[0][1] for _, body in rows):
            duplicates += len(rows) - 1
        else:
            rejects.add(reject(RowCode.HISTORY_TWICE, row, heading, reference) for row, _ in rows)
            twice.add(reference)
    spool.remove(twice)
    dropped["duplicate"] += duplicates
    kept, _ = spool.counts()
    cut = covers[1] if covers else seen.latest
    notes = () if covers else (f"taken to cover letters and events up to {cut}, the latest date in it",)
    return History(
        name=table.name,
        sha256=table.sha256,
        encoding=table.encoding,
        length=length,
        accepted=kept - duplicates,
        rejects=rejects.in_order(),
        dropped=MappingProxyType(dict(+dropped)),
        cut=cut,
        cut_stated=covers is not None,
        has_household="household" in cells.at,
        event_kinds=tuple(name.removesuffix("_on") for name in events),
        mapping=mapping,
        notes=table.notes + notes,
        kinds=MappingProxyType(dict(kinds)),
        spool=spool,
    )


class _Seen:
    """The dates met: the latest of all, and letters outside the days that the file is said to cover."""

    def __init__(self, covers: tuple[date, date] | None, today: date | None) -> None:
        self.covers, self.today = covers, today
        self.latest = date.min
        self.outside = 0

    def letter(self, day: date) -> None:
        self.latest = max(self.latest, day)
        if self.covers and not self.covers[0] <= day <= self.covers[1]:
            self.outside += 1

    def refuse_outside(self, source: str, rows: int) -> None:
        if self.outside and self.covers:
            first, last = self.covers
            facts = {"first": first, "last": last, "count": self.outside, "rows": rows}
            raise Refused(FileCode.OUTSIDE_COVERAGE.at(Place(source), **facts))


def _body(
    cells: Cells, kinds: Mapping[str, Kind], events: tuple[str, ...], seen: _Seen
) -> tuple[str, dict[str, Any] | None]:
    reference = cells.reference("reference", compulsory=True)
    letter_on = cells.value("letter_on", Kind.DATE)
    happened: dict[str, str] = {}
    for name in events:
        day = cells.value(name, Kind.DATE)
        if isinstance(day, date):
            happened[name.removesuffix("_on")] = day.isoformat()
            if seen.covers and day > seen.covers[1]:
                cells.fault(RowCode.HISTORY_AFTER_COVER, name, cut=seen.covers[1])
            if seen.today is None or day <= seen.today:  # a hearing or review to come says nothing of the days covered
                seen.latest = max(seen.latest, day)
    values = [cells.value(name, kind) for name, kind in kinds.items()]
    if not isinstance(letter_on, date):
        if not any(fault.heading == cells.headings["letter_on"] for fault in cells.faults):
            cells.fault(RowCode.DATE_BLANK, "letter_on")
        return reference, None
    if seen.today and letter_on > seen.today:
        cells.fault(RowCode.HISTORY_FUTURE, "letter_on", today=seen.today)
        return reference, None
    seen.letter(letter_on)
    return reference, {
        "household": cells.text("household") or None,
        "letter_on": letter_on.isoformat(),
        "values": [value.isoformat() if isinstance(value, date) else value for value in values],
        "events": happened,
    }


def _row(reference: str, body: Mapping[str, Any], kinds: Mapping[str, Kind]) -> HistoryRow:
    values: dict[str, Value] = {
        name: date.fromisoformat(value) if kind is Kind.DATE and value is not None else value
        for (name, kind), value in zip(kinds.items(), body["values"], strict=True)
    }
    return HistoryRow(
        reference=reference,
        household=body["household"],
        letter_on=date.fromisoformat(body["letter_on"]),
        values=values,
        events={kind: date.fromisoformat(day) for kind, day in body["events"].items()},
    )
