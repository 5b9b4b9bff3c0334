"""The suppression list: who must not be written to, why, and from when until when.

It is read whole or not at all: a row at fault could be somebody in Breathing Space (I4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

from nudge.base.columns import Kind
from nudge.base.errors import Place, Problem, Refused
from nudge.intake.cells import Cells, padded_length, reference_key
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.encoding import named_rows
from nudge.intake.headings import SUPPRESSION, words_of
from nudge.intake.mapping import ColumnMapping, suggest
from nudge.intake.reader import open_table

FILE_KIND: Final = "suppression"


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry, of row `row`. Both days are inside it; no `since` means always, no `until` means without end."""

    row: int
    reference: str
    reason: str
    since: date | None
    until: date | None

    def holds(self, on: date) -> bool:
        """Whether the entry is in force on a day."""
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionList:
    """A list as an officer dated it. References are compared without spaces and without regard to case."""

    name: str
    sha256: str
    dated: date
    entries: tuple[Suppression, ...]
    mapping: ColumnMapping
    notes: tuple[str, ...] = ()
    by_reference: Mapping[str, tuple[Suppression, ...]] = field(repr=False, compare=False)

    def reasons(self, reference: str, on: date) -> tuple[str, ...]:
        """The reasons in force for a tenancy on a day, in order of the alphabet; none where it may be written to."""
        entries = self.by_reference.get(reference_key(reference), ())
        return tuple(sorted({entry.reason for entry in entries if entry.holds(on)}))

    def check_zeros(self, references: Iterable[str]) -> None:
        """Refuse a list of which an entry is no tenancy of these, and would be one with zeros before it (I4).

        A list that was saved in Excel has lost them in every row, so that nothing inside it tells.
        """
        if not any(key.isdecimal() and not key.startswith("0") for key in self.by_reference):
            return  # before an extract of a million rows is gone through for it
        own: set[str] = set()
        lost: set[str] = set()
        for reference in references:
            key = reference_key(reference)
            if key in self.by_reference:
                own.add(key)
            elif key.isdecimal() and (bare := key.lstrip("0")) != key and bare in self.by_reference:
                lost.add(bare)
        rows = sorted(entry.row for bare in lost - own for entry in self.by_reference[bare])
        if rows:
            reason = RowCode.REFERENCE_ZEROS.reason
            place = Place(self.name)
            raise Refused(FileCode.SUPPRESSION_REFERENCE.at(place, rows=named_rows(rows), reason=reason))


def read_suppression(
    path: Path,
    *,
    dated: date,
    encoding: str | None = None,
    sheet: str | None = None,
    mapping: ColumnMapping | None = None,
) -> SuppressionList:
    """Read `reference, reason, from, until`; a list of headings alone is good and has no entries.

    Reasons are put in lower case with underscores: `Breathing Space` is `breathing_space`. Raises Refused with
    every fault.
    """
    said = tuple(filter(None, mapping.columns.values())) if mapping else ()
    table = open_table(path, encoding=encoding, sheet=sheet, words=(*said, *words_of(SUPPRESSION)))
    found = suggest(table.headings, SUPPRESSION, file_kind=FILE_KIND, learnt=mapping, source=table.name)
    cells, faults = Cells(table, found), _Faults(table.name)
    entries: list[Suppression] = []
    for number, line in table.rows():
        if not cells.take(number, line):
            faults.rows.setdefault("as many cells as headings", []).append(number)
            continue
        reference = cells.reference("reference", compulsory=True)
        reason = "_".join(cells.text("reason").lower().replace("-", " ").replace("_", " ").split())
        since, until = cells.value("from", Kind.DATE), cells.value("until", Kind.DATE)
        faults.note(cells, number, reason)
        entry = Suppression(number, reference, reason, _day(since), _day(until))
        if entry.since and entry.until and entry.until < entry.since:
            faults.reversed.append(number)
        entries.append(entry)
    faults.lost_zeros(entries)
    Refused.when(cells.order.problems(table.name) or faults.problems())
    by_reference: dict[str, tuple[Suppression, ...]] = {}
    for entry in entries:
        key = reference_key(entry.reference)
        by_reference[key] = (*by_reference.get(key, ()), entry)
    return SuppressionList(
        name=table.name,
        sha256=table.sha256,
        dated=dated,
        entries=tuple(entries),
        mapping=found,
        notes=table.notes,
        by_reference=MappingProxyType(by_reference),
    )


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None


@dataclass(slots=True)
class _Faults:
    """Rows at fault, by fault; the list is refused with all of them."""

    source: str
    references: dict[str, list[int]] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    blank: list[int] = field(default_factory=list)
    reversed: list[int] = field(default_factory=list)

    def note(self, cells: Cells, number: int, reason: str) -> None:
        for fault in cells.faults:
            if fault.code.startswith("reference"):
                self.references.setdefault(fault.reason, []).append(number)
            else:
                what = RowCode[fault.code.upper().replace("-", "_")].expected
                what = "a date as 2026-03-31 or 31/03/2026, or none" if "{" in what else what
                self.rows.setdefault(what, []).append(number)
        if not reason and not any(fault.heading == cells.headings["reason"] for fault in cells.faults):
            self.blank.append(number)

    def lost_zeros(self, entries: list[Suppression]) -> None:
        """The same rule as for an extract: a column that is padded with zeros, and references that are not."""
        lengths: dict[int, int] = {}
        padded: dict[int, int] = {}
        for entry in entries:
            if entry.reference.isdigit():
                length = len(entry.reference)
                lengths[length] = lengths.get(length, 0) + 1
                if entry.reference.startswith("0"):
                    padded[length] = padded.get(length, 0) + 1
        usual = padded_length(lengths, padded)
        short = [
            entry.row
            for entry in entries
            if usual and entry.reference.isdigit() and len(entry.reference) < usual and entry.reference[0] != "0"
        ]
        if short:
            self.references.setdefault(RowCode.REFERENCE_ZEROS.reason, []).extend(short)

    def problems(self) -> list[Problem]:
        place = Place(self.source)
        found = [
            FileCode.SUPPRESSION_REFERENCE.at(place, rows=named_rows(rows), reason=reason)
            for reason, rows in self.references.items()
        ]
        found += [
            FileCode.SUPPRESSION_ROW.at(place, what=what, rows=named_rows(rows)) for what, rows in self.rows.items()
        ]
        if self.blank:
            found.append(FileCode.REASON_BLANK.at(place, rows=named_rows(self.blank)))
        if self.reversed:
            found.append(FileCode.SUPPRESSION_ENDS_FIRST.at(place, rows=named_rows(self.reversed)))
        return found
