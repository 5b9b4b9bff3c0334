"""The printed pile of a batch: where a letter lies in it, what must come out, and what went, for the housing system.

None of its lists shows an arm (I8). All lie in the batch's folder: `undo` and `erase` delete them (I12).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from nudge.base.files import write_whole
from nudge.documents.printpack import MANIFEST, manifest_rows
from nudge.intake.rejects import inert
from nudge.records.tables import PostingRow
from nudge.workspace import PrintSettings

PULL_LIST: Final = "pull-list.csv"
TAKEN_OUT: Final = "taken-out.csv"
AGAIN: Final = "again-"
"""How the folders of letters made again begin, each beneath their batch's."""
ACTIONS: Final = "actions.csv"
_PLACE: Final = ("file", "position", "first_page", "last_page", "sheets", "letter_reference", "name", "postcode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """Where a letter lies: which print file, the how-manieth letter of it, and its pages there; from 1."""

    letter_reference: str
    file: str
    position: int
    first_page: int
    last_page: int
    sheets: int
    name: str
    postcode: str

    def __str__(self) -> str:
        pages = (
            f"page {self.first_page}"
            if self.last_page == self.first_page
            else (f"pages {self.first_page} to {self.last_page}")
        )
        return f"{self.letter_reference}: {self.file}, letter {self.position}, {pages}"


def pile_of(folder: Path) -> tuple[Lying, ...]:
    """Every letter of the print files that stand in a folder, in their order; none where there is no manifest."""
    found: list[Lying] = []
    counted: dict[str, int] = {}
    for row in manifest_rows(folder / MANIFEST):
        position = counted[row["file"]] = counted.get(row["file"], 0) + 1
        first = int(row["first_page"])
        found.append(
            Lying(
                letter_reference=row["letter_reference"],
                file=row["file"],
                position=position,
                first_page=first,
                last_page=first + int(row["pages"]) - 1,
                sheets=int(row["sheets"]),
                name=row["name"],
                postcode=row["postcode"],
            )
        )
    return tuple(found)


def piles_of(folder: Path) -> tuple[Lying, ...]:
    """The same of all that was printed of a batch: its print files, and those of letters made again, each beneath."""
    again = sorted(folder.glob(f"{AGAIN}*"))
    return (
        *pile_of(folder),
        *(replace(one, file=f"{home.name}/{one.file}") for home in again for one in pile_of(home)),
    )


def withdraw_prints(folder: Path, gone: Iterable[Lying]) -> None:
    """Delete print files of letters made again that hold one of these; what lay where stays in their manifest."""
    for home in {(folder / one.file).parent for one in gone} - {folder}:
        for path in home.glob("print-*"):
            path.unlink()


def write_pull_list(folder: Path, pull: Sequence[Lying]) -> Path | None:
    """The letters that must come out of a pile, with their places in it; None where there are none."""
    return _write(folder / PULL_LIST, _PLACE, map(_cells, pull)) if pull else None


def write_taken_out(folder: Path, before: Sequence[Lying], kept: Iterable[str]) -> tuple[Lying, ...]:
    """What a pack that is made again leaves out of the one before, and where it lay in that one.

    The list is kept beside the new pack, and grows: the earlier one may be printed already. A letter that is back in
    is off the list.
    """
    standing = set(kept)
    gone = tuple(
        one for one in before if one.letter_reference not in standing and (folder / one.file).is_file()
    )  # a file that was deleted was told before
    path = folder / TAKEN_OUT
    named = {one.letter_reference for one in gone}
    earlier = [row for row in manifest_rows(path) if row["letter_reference"] not in standing | named]
    rows: list[Mapping[str, object]] = [*earlier, *map(_cells, gone)]
    if rows:
        _write(path, _PLACE, rows)
    else:
        path.unlink(missing_ok=True)
    return gone


def write_actions(
    folder: Path,
    postings: Iterable[PostingRow],
    tenancies: Mapping[str, str],
    printing: PrintSettings,
    *,
    on: date,
    wave: str,
) -> Path | None:
    """What was posted, to paste into the housing system: tenancy reference, date, action code, letter reference.

    In order of the tenancy reference; `tenancies` names them by unit. None where the council has no action code.
    """
    if printing.action_code is None:
        return None
    code = printing.action_code.replace("{wave}", wave)
    rows = sorted(
        (tenancies[posting.unit], posting.letter_reference) for posting in postings if posting.unit in tenancies
    )
    listed = [
        {"reference": inert(tenancy), "date": on.strftime("%d/%m/%Y"), "action": code, "letter_reference": letter}
        for tenancy, letter in rows
    ]
    return _write(folder / ACTIONS, ("reference", "date", "action", "letter_reference"), listed)


def _cells(one: Lying) -> dict[str, object]:
    return {name: getattr(one, name) for name in _PLACE}


def _write(path: Path, headings: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Path:
    stream = io.StringIO()
    table = csv.DictWriter(stream, headings, lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return write_whole(path, "\ufeff" + stream.getvalue())  # Excel reads UTF-8 only behind this mark
