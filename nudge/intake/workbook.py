"""Records of a workbook's sheet: cells as text, numbers without scientific form, dates as ISO text."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final
from xml.sax.saxutils import unescape

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    WorksheetNotFound,
    XmlError,
    ZipError,
)

from nudge.base.errors import Place, Refused
from nudge.intake.codes import FileCode

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP: Final = b"PK\x03\x04"
LARGEST: Final = 400
"""Megabytes of one unpacked workbook: a sheet is held in memory whole, and a small zip can unpack to anything."""

_DAMAGE: Final = (
    *(CalamineError, XmlError, ZipError, WorksheetNotFound),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, KeyError, UnicodeError),
)
_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")
_HIDDEN_ROW: Final = re.compile(rb"<row [^>]*?hidden=\"(?:1|true)\"[^>]*>")
_ERROR_CELL: Final = re.compile(rb"<c [^>]*?t=\"e\"[^>]*>")
_ATTRIBUTE: Final = re.compile(rb"\br=\"([A-Z]*\d+)\"")
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet [^>]*?name=\"([^\"]*)\"[^>]*?r:id=\"([^\"]*)\"")
_RELATION: Final = re.compile(r"<Relationship [^>]*?>")
_EXACT: Final = 10**15  # Excel keeps 15 digits; a longer whole number has lost its last ones


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook, held in memory."""

    title: str
    cells: CalamineSheet = field(repr=False)

    def records(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Every row from the first used one, with the number that Excel shows; all are of one width."""
        start = self.cells.start
        if start is None:
            return
        left = ("",) * start[1]
        for number, row in enumerate(self.cells.iter_rows(), start=1):
            yield number, left + tuple(map(cell_text, row))

    def merged_across(self, row: int) -> bool:
        """Whether cells of this row (numbered from 1) are merged with others beside them."""
        ranges = self.cells.merged_cell_ranges or ()
        return any(first[0] <= row - 1 <= last[0] and last[1] > first[1] for first, last in ranges)


def is_workbook(head: bytes) -> bool:
    """Whether the first bytes are those of a zip or of an old Excel file."""
    return head.startswith((ZIP, OLE))


@contextmanager
def _damage_named(place: Place, head: bytes) -> Iterator[None]:
    """Whatever the libraries say of a spoilt workbook, as one refusal; their messages may hold cells (I12)."""
    try:
        yield
    except PasswordError:
        raise Refused(FileCode.WORKBOOK_LOCKED.at(place)) from None
    except _DAMAGE:
        raise Refused((FileCode.WORKBOOK_LOCKED if _LOCKED in head else FileCode.WORKBOOK_DAMAGED).at(place)) from None


def sheet_of(path: Path, wanted: str | None) -> Sheet:
    """The sheet named, else the only visible one with rows. Raises Refused where that is not clear."""
    place = Place(path.name)
    with path.open("rb") as stream:
        head = stream.read(1 << 20)
    with _damage_named(place, head):
        zipped = head.startswith(ZIP) and _checked_zip(path)
        book = CalamineWorkbook.from_path(str(path))
        visible = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
        ]
        if wanted is not None and wanted not in visible:
            raise Refused(FileCode.SHEET_ABSENT.at(place, sheets=_quoted(visible)))
        sheets = [Sheet(name, book.get_sheet_by_name(name)) for name in ([wanted] if wanted else visible)]
        filled = [sheet for sheet in sheets if sheet.cells.start is not None]
        if not filled:
            raise Refused(FileCode.FILE_EMPTY.at(place))
        first = filled[0]
        if len(filled) > 1:
            names = _quoted([sheet.title for sheet in filled])
            raise Refused(FileCode.SHEET_UNCLEAR.at(place, count=len(filled), sheets=names, first=first.title))
        if zipped:
            _refuse_unseen(path, first.title)
        return first


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _checked_zip(path: Path) -> bool:
    """True for an XLSX, False for an OpenDocument sheet; any other zip is refused, and one too large to hold."""
    place = Place(path.name)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        size = sum(item.file_size for item in archive.infolist()) >> 20
    if not names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}:
        what = "a Word document" if "word/document.xml" in names else "a zip archive"
        raise Refused(FileCode.FILE_NOT_A_TABLE.at(place, what=what))
    if size > LARGEST:
        raise Refused(FileCode.WORKBOOK_TOO_LARGE.at(place, limit=LARGEST, size=size))
    return "xl/workbook.xml" in names


def _refuse_unseen(path: Path, title: str) -> None:
    """Rows that a filter hides would get letters, and error cells would read as blank: both are refused."""
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, title)
        if part is None:
            return
        content = archive.read(part)
    problems = []
    for pattern, code in ((_HIDDEN_ROW, FileCode.ROWS_HIDDEN), (_ERROR_CELL, FileCode.FORMULA_ERRORS)):
        if found := pattern.findall(content):
            first = _ATTRIBUTE.search(found[0])
            problems.append(code.at(Place(path.name), count=len(found), first=first[1].decode() if first else "?"))
    Refused.when(problems)


def _part_of(archive: zipfile.ZipFile, title: str) -> str | None:
    """The name inside the zip of the sheet with this title."""
    named = _SHEET.findall(archive.read("xl/workbook.xml").decode("utf-8", "replace"))
    key = next((key for name, key in named if unescape(name, {"&quot;": '"', "&apos;": "'"}) == title), None)
    for relation in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")):
        if key is not None and f'Id="{key}"' in relation and (target := re.search(r'Target="([^"]*)"', relation)):
            part = target[1].removeprefix("/")
            return part if part.startswith("xl/") else f"xl/{part}"
    return None


def cell_text(cell: object) -> str:
    """A cell as text: whole numbers without decimals, others in full; a whole number too long for Excel shows as
    scientific form, so that it is caught as damaged; TRUE and FALSE; ISO dates."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (int, float)):
        if abs(cell) >= _EXACT:
            return f"{cell:.14E}"
        return str(int(cell)) if cell == int(cell) else format(Decimal(f"{cell:.15g}"), "f")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(timespec="seconds")
    if isinstance(cell, (date, time)):
        # The time of day nought is Excel's serial 0, its "no date".
        return "" if cell == time() else cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else ""
