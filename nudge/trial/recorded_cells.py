"""Somebody else's data as columns of text: from a CSV or XLSX file, or from a pandas, polars or Arrow table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import narwhals.stable.v2 as nw

from nudge.base.errors import Place, Problem, Refused
from nudge.experiment.spelling import nearest
from nudge.intake.codes import FileCode
from nudge.intake.reader import Dropped, Table, open_table
from nudge.trial.recorded_codes import RecordedCode, counted

_SHOWN: Final = 12  # headings named in a refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The columns a plan names, as trimmed text with whole numbers without decimals; `rows` number them for people.

    In a file the heading line is row 1; in a frame the first row is 1. `dropped` counts lines that are no data.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    rows: tuple[int, ...]
    dropped: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.rows)

    def place(self, heading: str) -> Place:
        """The column of that heading."""
        return Place(self.name, heading=heading)


def read_cells(data: Any, wanted: Mapping[str, str]) -> Cells:
    """The wanted columns of a file or frame: heading to the key of the plan that names it.

    Raises Refused with every column that is not there.
    """
    cells = _of_file(Path(data), wanted) if isinstance(data, (str, Path)) else _of_frame(data, wanted)
    if not cells.rows:
        raise Refused(RecordedCode.NO_ROWS.at(Place(cells.name)))
    return cells


def _of_file(path: Path, wanted: Mapping[str, str]) -> Cells:
    table = _opened(path, wanted)
    place = {heading: index for index, heading in enumerate(table.headings)}
    Refused.when(_absent(table.name, wanted, place))
    columns = [place[heading] for heading in wanted]
    width = len(table.headings)
    rows: list[int] = []
    kept: list[tuple[str, ...]] = []
    dropped: dict[str, int] = {}
    wide: list[int] = []
    for number, cells, reason in table.lines():
        if reason is not None:
            if reason is not Dropped.BLANK:
                dropped[reason.value] = dropped.get(reason.value, 0) + 1
            continue
        if len(cells) > width:
            wide.append(number)
            continue
        if len(cells) < width:
            cells = (*cells, *("",) * (width - len(cells)))
        rows.append(number)
        kept.append(cells)
    if wide:
        raise Refused(
            RecordedCode.ROW_TOO_WIDE.at(Place(table.name, row=wide[0]), count=counted(len(wide)), row=wide[0])
        )
    return Cells(
        name=table.name,
        columns={
            heading: _plain([cells[column] for cells in kept]) for heading, column in zip(wanted, columns, strict=True)
        },
        rows=tuple(rows),
        dropped=dropped,
    )


def _opened(path: Path, wanted: Mapping[str, str]) -> Table:
    try:
        return open_table(path, words=tuple(wanted))
    except Refused as refusal:
        # A plan that misspells its columns should hear so, and not that there are no headings.
        if any(problem.code != FileCode.HEADINGS_NOT_FOUND.slug for problem in refusal.problems):
            raise
    return open_table(path)


def _of_frame(data: Any, wanted: Mapping[str, str]) -> Cells:
    try:
        native = nw.from_native(data)
    except TypeError:
        raise Refused(RecordedCode.FRAME_UNKNOWN.at(Place("data"), kind=type(data).__name__)) from None
    frame = native.collect() if isinstance(native, nw.LazyFrame) else native
    Refused.when(_absent("data", wanted, dict.fromkeys(frame.columns)))
    return Cells(
        name="data",
        columns={heading: _plain(frame[heading].to_list()) for heading in wanted},
        rows=tuple(range(1, frame.shape[0] + 1)),
        dropped={},
    )


def _absent(name: str, wanted: Mapping[str, str], there: Mapping[str, Any]) -> Iterable[Problem]:
    known = ", ".join(list(there)[:_SHOWN]) + (", …" if len(there) > _SHOWN else "")
    for heading, key in wanted.items():
        if heading not in there:
            near = nearest(heading, there) or "another"
            yield RecordedCode.COLUMN_ABSENT.at(Place(name), column=heading, key=key, nearest=near, known=known)


def _plain(values: Iterable[Any]) -> tuple[str, ...]:
    known: dict[Any, str] = {}
    found = []
    for value in values:
        key = (type(value), value)
        text = known.get(key)
        if text is None:
            text = known[key] = plain_text(value)
        found.append(text)
    return tuple(found)


def plain_text(value: Any) -> str:
    """A cell as it is compared: trimmed text, a whole number without decimals, a date as ISO, a missing one empty."""
    if _missing(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    text = str(value).strip()
    whole, point, decimals = text.partition(".")
    if point and decimals and not decimals.strip("0") and whole.lstrip("+-").isdecimal():
        return whole
    return text


def _missing(value: Any) -> bool:
    """None, NaN, NaT, and pandas' NA, which compares with nothing."""
    try:
        return value is None or bool(value != value)
    except TypeError:
        return True
