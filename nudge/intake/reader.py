"""A table as housing systems export it: CSV, gzipped CSV or a workbook, streamed row by row.

Title lines above the headings, repeated headings, totals and blank rows are recognised and counted; nothing else
is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from nudge.base.errors import EnvironmentFault, Place, Problem, Refused
from nudge.base.files import sha256_file
from nudge.intake.codes import FileCode
from nudge.intake.delimited import DELIMITERS, Delimited
from nudge.intake.encoding import text_of
from nudge.intake.workbook import Sheet, is_workbook, sheet_of

SEARCHED: Final = 60
"""Rows in which the headings are looked for."""

_TOTAL: Final = re.compile(
    r"(?:grand |overall |page |report |column |sub)?[- ]?totals?\b[^|]*"
    r"|page:? \d+(?: (?:of|/) ?\d+)?|[*\-= ]*(?:end of (?:report|file|extract)|report end|end)[*\-=. ]*"
    r"|(?:number|no\.?|count) of \w+:?.*|\(?\d+ (?:rows?|records?)\b.*"
    r"|(?:run|printed|produced|generated|extracted) (?:on|by|date|at)\b.*",
    re.IGNORECASE,
)
_FIGURE: Final = re.compile(r"[-+(]?\s*£?\s*[\d,./:\- ]*\d%?\)?\s*(?:CR|DR)?|of", re.IGNORECASE)
_NUMERIC: Final = re.compile(r"[-+(£]*[\d,.:/\-\s]+\)?(?:CR|DR)?", re.IGNORECASE)


class Dropped(StrEnum):
    """Why a line below the headings is no row."""

    BLANK = "blank"
    TOTAL = "total"
    HEADING = "repeated heading"


class Line(NamedTuple):
    """One line below the headings, with the number that a spreadsheet shows."""

    number: int
    cells: tuple[str, ...]
    dropped: Dropped | None


class Records(Protocol):
    """Anything that yields numbered records, again and again."""

    def records(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Every record with its row number."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An opened table. `encoding` is `xlsx` for a workbook; `notes` are what a person should be told."""

    name: str
    sha256: str
    encoding: str
    headings: tuple[str, ...]
    heading_row: int
    notes: tuple[str, ...] = ()
    preamble: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    source: Records = field(repr=False, compare=False)

    def rows(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Row number and cells of every row, as wide as it stands in the file; may be gone through again."""
        return ((number, cells) for number, cells, dropped in self.lines() if dropped is None)

    def lines(self) -> Iterator[Line]:
        """Every line below the headings, with the reason where it is no row."""
        width = len(self.headings)
        plain = tuple(map(plain_heading, self.headings))
        first = next((heading for heading in plain if heading), "")
        above = frozenset(map(_trimmed, self.preamble))
        for number, cells in islice(self.source.records(), self.heading_row, None):
            if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
                cells = cells[:width]
            opening = next((cell for cell in cells if cell and not cell.isspace()), None)
            dropped = None
            if opening is None:
                dropped = Dropped.BLANK
            elif (plain_heading(opening) == first and tuple(map(plain_heading, cells)) == plain[: len(cells)]) or (
                above and _trimmed(cells) in above
            ):
                dropped = Dropped.HEADING
            elif _TOTAL.fullmatch(opening.strip()) and _only_figures(cells, opening):
                dropped = Dropped.TOTAL
            yield Line(number, cells, dropped)


def plain_heading(heading: str) -> str:
    """A heading as it is compared: lower case, letters and digits only (and %, which changes the meaning)."""
    return "".join(ch for ch in heading.casefold() if ch.isalnum() or ch == "%")


def open_table(
    path: Path, *, encoding: str | None = None, sheet: str | None = None, words: Collection[str] = ()
) -> Table:
    """Open a table and find its headings.

    `words` are headings to look for below title lines; without them the first row with three text cells and the
    width of the rows below is taken. Raises Refused, or EnvironmentFault where the file may not be read.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except (FileNotFoundError, IsADirectoryError):
        raise Refused(FileCode.FILE_ABSENT.at(Place(path.name))) from None
    except PermissionError:
        message = f"{path.name}: may not be read. Close it in other programs, or ask for access to it."
        raise EnvironmentFault(message=message) from None
    if is_workbook(head):
        return _table_of_sheet(path, sheet_of(path, sheet), words)
    text = text_of(path, encoding)
    notes: tuple[str, ...] = (text.note,) if text.note else ()
    found = _delimited(path.name, [Delimited(text, mark) for mark in DELIMITERS], words)
    source, row, preamble, headings = found
    if source.delimiter != ",":
        notes += (f"columns are parted by a {DELIMITERS[source.delimiter]}",)
    _refuse_twice(path.name, headings)
    return Table(
        name=path.name,
        sha256=text.sha256,
        encoding=text.encoding.replace("utf-8-sig", "utf-8"),
        headings=headings,
        heading_row=row,
        notes=notes,
        preamble=preamble,
        source=source,
    )


def _table_of_sheet(path: Path, sheet: Sheet, words: Collection[str]) -> Table:
    top = [cells for _, cells in islice(sheet.records(), SEARCHED)]
    row = _heading_row(top, words)
    if row is None:
        raise Refused(_not_found(path.name, words))
    if sheet.merged_across(row):
        raise Refused(FileCode.HEADINGS_MERGED.at(Place(path.name), row=row))
    headings = tuple(cell.strip() for cell in _trimmed(top[row - 1]))
    _refuse_twice(path.name, headings)
    return Table(
        name=path.name,
        sha256=sha256_file(path),
        encoding="xlsx",
        headings=headings,
        heading_row=row,
        notes=(f'read from the sheet "{sheet.title}"',),
        preamble=tuple(cells for cells in top[: row - 1] if any(cells)),
        source=sheet,
    )


def _delimited(
    name: str, choices: list[Delimited], words: Collection[str]
) -> tuple[Delimited, int, tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The delimiter under which the heading row has most headings, with that row and what stands above it."""
    found = []
    for choice in choices:
        top = _top(choice)
        row = _heading_row(top, words)
        if row is not None:
            headings = tuple(cell.strip() for cell in _trimmed(top[row - 1]))
            matched = len(set(map(plain_heading, headings)) & set(map(plain_heading, words)))
            found.append(((matched, len(headings)), choice, row, tuple(c for c in top[: row - 1] if any(c)), headings))
    if not found:
        raise Refused(_not_found(name, words))
    best = max(score for score, *_ in found)
    leaders = [one for one in found if one[0] == best]
    if len(leaders) > 1:
        marks = " and ".join(DELIMITERS[choice.delimiter] for _, choice, *_ in leaders)
        raise Refused(FileCode.DELIMITER_UNCLEAR.at(Place(name), choices=marks))
    _, choice, row, preamble, headings = leaders[0]
    return choice, row, preamble, headings


def _top(choice: Delimited) -> list[tuple[str, ...]]:
    """The first records; a broken quotation mark ends them early, and is refused when the rows are read."""
    top: list[tuple[str, ...]] = []
    with suppress(Refused):
        top.extend(cells for _, cells in islice(choice.records(), SEARCHED))
    return top


def _heading_row(top: list[tuple[str, ...]], words: Collection[str]) -> int | None:
    """The number of the heading row, from 1, or None."""
    if words:
        known = set(map(plain_heading, words))
        hits = [len({plain_heading(cell) for cell in cells} & known) for cells in top]
        best = max(hits, default=0)
        return hits.index(best) + 1 if best >= min(2, len(known)) else None
    widths = Counter(len(_trimmed(cells)) for cells in top if len(_trimmed(cells)) > 1)
    if not widths:
        return None
    usual = max(widths, key=lambda width: (widths[width], width))
    for number, cells in enumerate(top, start=1):
        said = [cell.strip() for cell in _trimmed(cells)]
        named = {cell for cell in said if cell and not _NUMERIC.fullmatch(cell)}
        if len(named) >= min(3, usual) and len(said) >= usual:
            return number
    return None


def _not_found(name: str, words: Collection[str]) -> Problem:
    if not words:
        return FileCode.HEADINGS_NONE.at(Place(name), limit=SEARCHED)
    examples = ", ".join(list(dict.fromkeys(words))[:4])
    return FileCode.HEADINGS_NOT_FOUND.at(Place(name), examples=examples, limit=SEARCHED, example="reference")


def _trimmed(cells: tuple[str, ...]) -> tuple[str, ...]:
    """The cells without blank ones at the end."""
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _only_figures(cells: tuple[str, ...], opening: str) -> bool:
    rest = list(cells)
    rest.remove(opening)
    return all(not cell.strip() or _FIGURE.fullmatch(cell.strip()) for cell in rest)


def _refuse_twice(name: str, headings: tuple[str, ...]) -> None:
    places: dict[str, list[int]] = {}
    for index, heading in enumerate(headings):
        places.setdefault(plain_heading(heading), []).append(index)
    Refused.when(
        FileCode.HEADING_TWICE.at(
            Place(name, heading=headings[found[0]]),
            heading=headings[found[0]],
            columns=" and ".join(column_letters(index) for index in found),
        )
        for plain, found in places.items()
        if plain and len(found) > 1
    )


def column_letters(index: int) -> str:
    """The letters that a spreadsheet shows above a column, counted from 0: A, B, … Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
