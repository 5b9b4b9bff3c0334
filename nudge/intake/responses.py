"""What came back: contacts, payments, returned letters, complaints, moves, Breathing Space, balances.

Each file states the days that it covers, so that silence inside them can be told from silence outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Refused
from nudge.intake.cells import Cells
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.headings import RESPONSES, TELLS, words_of
from nudge.intake.mapping import ColumnMapping, fitting, suggest
from nudge.intake.people import NameUnread, named_in_full
from nudge.intake.reader import Table, open_table, plain_heading
from nudge.intake.rejects import Reject, RejectList

KINDS: Final = tuple(RESPONSES)
_IDENTIFIERS: Final = ("tenancy_reference", "payment_reference", "letter_reference", "telephone", "uprn")
_FIXED: Final = frozenset((*_IDENTIFIERS, "on", "logged_on", "surname", "name"))
_DIRECTIONS: Final = {
    **dict.fromkeys(("in", "inbound", "incoming", "received", "i"), "in"),
    **dict.fromkeys(("out", "outbound", "outgoing", "sent", "made", "o"), "out"),
    **dict.fromkeys(("internal", "note"), "internal"),
}
_MOVES: Final = {
    **dict.fromkeys(
        ("vacated", "moved", "moved out", "left", "ended", "terminated", "tenancy ended", "void"), "vacated"
    ),
    **dict.fromkeys(("evicted", "abandoned", "transferred", "transfer", "surrendered"), "vacated"),
    **dict.fromkeys(("deceased", "died", "death", "tenant died", "dead"), "deceased"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRow:
    """One response as the file has it; identifiers that it lacks are None. `on` is the day it happened or was posted,
    `logged_on` the day somebody wrote it down, where the file has both."""

    row: int
    kind: str
    on: date
    tenancy_reference: str | None
    payment_reference: str | None
    letter_reference: str | None
    telephone: str | None
    surname: str | None
    uprn: str | None
    values: Mapping[str, Value]
    logged_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """A file of responses of one kind. Accepted rows + rejected rows + `dropped` = `rows`.

    `covers` is what the officer stated, `proposed_covers` the first and last day in the rows (None without rows).
    """

    name: str
    sha256: str
    encoding: str
    kind: str
    covers: tuple[date, date] | None
    proposed_covers: tuple[date, date] | None
    rows: int
    accepted: int
    rejects: tuple[Reject, ...]
    dropped: Mapping[str, int]
    mapping: ColumnMapping
    notes: tuple[str, ...] = ()
    credits_negative: bool = False
    table: Table = field(repr=False, compare=False)

    @property
    def rejected(self) -> int:
        """How many rows were set aside."""
        return len({one.row for one in self.rejects})

    def records(self) -> Iterator[ResponseRow]:
        """Every good row in the order of the file, one in memory at a time; may be gone through again."""
        cells = Cells(self.table, self.mapping)
        for number, line in self.table.rows():
            if cells.take(number, line) and (row := _record(cells, self.kind)) is not None:
                yield _as_received(row) if self.credits_negative else row


def read_responses(
    path: Path,
    *,
    kind: str | None = None,
    covers: tuple[date, date] | None = None,
    mapping: ColumnMapping | Mapping[str, ColumnMapping] | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Responses:
    """Read a file of responses.

    `kind` is one of KINDS; without it the headings must leave only one. `mapping` is what was learnt for that kind,
    or for all kinds by name. Raises Refused where the kind is unclear, a column is missing, dates are month first,
    or rows lie outside the days stated; single rows at fault are in `rejects`.
    """
    place = Place(path.name)
    if kind is not None and kind not in RESPONSES:
        raise Refused(FileCode.KIND_UNKNOWN.at(place, kind=kind, valid=", ".join(KINDS)))
    if covers and covers[0] > covers[1]:
        raise Refused(FileCode.COVERAGE_REVERSED.at(place, first=covers[0], last=covers[1]))
    learnt = _learnt(mapping)
    said = {heading for one in learnt.values() for heading in one.columns.values() if heading}
    kinds = [kind] if kind else list(KINDS)
    words = (*said, *(word for one in kinds for word in words_of(RESPONSES[one])))
    table = open_table(path, encoding=encoding, sheet=sheet, words=words)
    kind = kind or _kind_of(table, learnt)
    found = suggest(table.headings, RESPONSES[kind], file_kind=kind, learnt=learnt.get(kind), source=table.name)
    return _read(table, kind, found, covers)


def _learnt(mapping: ColumnMapping | Mapping[str, ColumnMapping] | None) -> Mapping[str, ColumnMapping]:
    if mapping is None:
        return {}
    return {mapping.file_kind: mapping} if isinstance(mapping, ColumnMapping) else mapping


def _kind_of(table: Table, learnt: Mapping[str, ColumnMapping]) -> str:
    """The only kind whose compulsory columns all stand in the file and whose own headings, or learnt ones, do."""
    plain = {plain_heading(heading) for heading in table.headings}
    fits = []
    for kind, wanted in RESPONSES.items():
        found, problems = fitting(table.headings, wanted, file_kind=kind, learnt=learnt.get(kind))
        known = {heading for heading in learnt[kind].columns.values() if heading} if kind in learnt else set()
        told = plain & set(map(plain_heading, TELLS[kind])) or (
            known and {plain_heading(one) for one in known} <= plain
        )
        if told and not problems and any(name in found.columns for name in _IDENTIFIERS):
            fits.append(kind)
    if len(fits) != 1:
        choices = " and ".join(fits) if fits else "none of " + ", ".join(KINDS)
        raise Refused(FileCode.KIND_UNCLEAR.at(Place(table.name), choices=choices, example=(fits or KINDS)[0]))
    return fits[0]


def _read(table: Table, kind: str, mapping: ColumnMapping, covers: tuple[date, date] | None) -> Responses:
    cells, dropped, rejects = Cells(table, mapping), Counter[str](), RejectList(table.name)
    first, last, signs = date.max, date.min, Counter[int]()
    rows = accepted = outside = 0
    for number, line, reason in table.lines():
        rows += 1
        if reason is not None:
            dropped[reason.value] += 1
            continue
        record = _record(cells, kind) if cells.take(number, line) else None
        rejects.add(cells.faults)
        if record is None:
            continue
        accepted += 1
        first, last = min(first, record.on), max(last, record.on)
        outside += bool(covers and not covers[0] <= record.on <= covers[1])
        if isinstance(amount := record.values.get("amount"), int) and kind == "payments":
            signs[(amount > 0) - (amount < 0)] += 1
    place = Place(table.name)
    Refused.when(cells.order.problems(table.name))
    if outside and covers:
        facts = {"first": covers[0], "last": covers[1], "count": outside, "rows": accepted}
        raise Refused(FileCode.OUTSIDE_COVERAGE.at(place, **facts))
    if signs[-1] >= signs[1] > 0:
        facts = {"negative": signs[-1], "rows": signs[-1] + signs[1]}
        raise Refused(FileCode.PAYMENT_SIGNS_UNCLEAR.at(place, **facts))
    credits_negative = bool(signs[-1]) and not signs[1]
    notes = table.notes
    if credits_negative:
        notes += ("every amount is a credit to the rent account, so each is read as money received",)
    return Responses(
        name=table.name,
        sha256=table.sha256,
        encoding=table.encoding,
        kind=kind,
        covers=covers,
        proposed_covers=(first, last) if accepted else None,
        rows=rows,
        accepted=accepted,
        rejects=rejects.in_order(),
        dropped=MappingProxyType(dict(dropped)),
        mapping=mapping,
        notes=notes,
        credits_negative=credits_negative,
        table=table,
    )


def _record(cells: Cells, kind: str) -> ResponseRow | None:
    """The row in hand as a response; None, with its faults in `cells`, where it is set aside."""
    on = cells.value("on", Kind.DATE)
    if on is None and not cells.faults:
        cells.fault(RowCode.DATE_BLANK, "on")
    logged_on = cells.value("logged_on", Kind.DATE)
    references = {
        name: cells.reference(name, compulsory=False) or None
        for name in ("tenancy_reference", "payment_reference", "letter_reference")
    }
    values = {one.name: cells.value(one.name, one.kind) for one in RESPONSES[kind] if one.name not in _FIXED}
    if isinstance(direction := values.get("direction"), str):
        values["direction"] = _DIRECTIONS.get(direction.casefold())
        if values["direction"] is None:
            cells.fault(RowCode.DIRECTION_UNKNOWN, "direction")
    if kind == "moved":
        values["what"] = _MOVES.get(str(values["what"]).casefold())
        if values["what"] is None:
            cells.fault(RowCode.MOVE_UNKNOWN, "what")
    if kind in {"payments", "rent_accounts"}:
        needed = "amount" if kind == "payments" else "arrears"
        if values[needed] is None and not cells.faults:
            cells.fault(RowCode.AMOUNT_BLANK, needed)
    record = ResponseRow(
        row=cells.row,
        kind=kind,
        on=on if isinstance(on, date) else date.min,
        **references,
        telephone=cells.text("telephone") or None,
        surname=_surname(cells),
        uprn=cells.text("uprn") or None,
        values=values,
        logged_on=logged_on if isinstance(logged_on, date) else None,
    )
    return None if cells.faults else record


def _surname(cells: Cells) -> str | None:
    """The surname from its own column, else from a whole name that can be read with certainty."""
    if surname := cells.text("surname"):
        return surname
    if name := cells.text("name"):
        try:
            people = named_in_full(name)
        except NameUnread:
            return None
        return people[0].surname if len({one.surname for one in people}) == 1 else None
    return None


def _as_received(row: ResponseRow) -> ResponseRow:
    amount = row.values.get("amount")
    return replace(row, values={**row.values, "amount": -amount if isinstance(amount, int) else amount})
