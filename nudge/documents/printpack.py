"""The bundle for whoever prints and posts: merged files for paper and an address file, in an order that tells nobody
the arm (I8).

The files are for paper: they carry no tags, no outline and one neutral title. The tagged, accessible letters are the
single files. What a pack looks like is the council's to say, in `[print]` of nudge.toml:

- a mail room prints `print-001.pdf` as it is, each letter from a right-hand page where both sides are printed, with
  marks for its inserting machine where it has one;
- Docmail takes one merged file of letters of any lengths and an address file in the same order, whose `StreamPages1`
  counts the pages of each in that file. A blank back would be counted, and could be charged, as a page, and it is not
  needed: each letter there starts on a sheet of its own. So none is added, whichever sides are printed;
- any other house splits one merged file by words that stand in one place on first pages alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pikepdf

from nudge.base.errors import Place, Refused
from nudge.base.files import whole_file, write_whole
from nudge.base.postcodes import postcode
from nudge.documents.address import MOST_LINES, address_lines, check_address
from nudge.documents.batch import LetterFile
from nudge.documents.codes import LetterCode
from nudge.documents.letter import LetterSpec
from nudge.documents.marks import FIRST_PAGE, WORDS, Slot, mark_first_page, mark_sheet, marks_font
from nudge.documents.readback import texts_in
from nudge.workspace import PLAIN_PRINTING, PrintSettings

PER_FILE: Final = 100
MANIFEST: Final = "manifest.csv"
_TITLE: Final = "Letters for printing"
# What only a screen reader or a viewer uses. Pages taken from many files would point at trees left behind.
_SCREEN_ONLY: Final = ("/StructParents", "/Tabs", "/Annots", "/Metadata", "/Group")
ADDRESS_COLUMNS: Final = tuple(f"address_{number}" for number in range(1, MOST_LINES))
_HEADINGS: Final = (
    "seq", "letter_reference", "name", *ADDRESS_COLUMNS, "postcode",
    "pages", "sheets", "first_page", "StreamPages1", "sha256", "file", "format", "languages",
)  # fmt: skip
_DOCMAIL: Final = ("FullName", *(f"Address{number}" for number in range(1, MOST_LINES)), "StreamPages1", "Custom1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """What goes to the printer: the print files in order, the manifest beside them, and a house's address files."""

    print_files: tuple[Path, ...]
    manifest: Path
    letters: int
    sheets: int
    address_files: tuple[Path, ...] = ()


def print_order(
    letters: Sequence[LetterFile], specs: Sequence[LetterSpec], printing: PrintSettings = PLAIN_PRINTING
) -> tuple[LetterFile, ...]:
    """By postcode, then by letter reference, or by reference alone: the same order whatever the arm."""
    by_reference = {spec.reference: spec for spec in specs}

    def place(letter: LetterFile) -> tuple[str, str]:
        lines = by_reference[letter.reference].post_to
        by_postcode = printing.order == "postcode" and lines
        return (postcode(lines[-1]) or "" if by_postcode else ""), letter.reference

    return tuple(sorted(letters, key=place))


def make_print_pack(
    letters: Sequence[LetterFile],
    specs: Sequence[LetterSpec],
    out: Path,
    *,
    printing: PrintSettings = PLAIN_PRINTING,
    job: str = "",
    slots: Mapping[str, Slot] | None = None,
) -> Pack:
    """Write `print-001.pdf` … and `manifest.csv` into `out`, in print order, at most 100 letters a file.

    `job` is the code that the marks bear. `slots` are the places that letters had in the pack they are reprinted
    from: they keep their numbers, and with them their marks to the byte. Refused where a letter's address would not
    do on an envelope: the address file goes to a house that prints it.
    """
    ordered = print_order(letters, specs, printing)
    by_reference = {spec.reference: spec for spec in specs}
    Refused.when(
        problem
        for letter in ordered
        for spec in (by_reference[letter.reference],)
        for problem in check_address(address_lines(spec.name, spec.post_to), spec.place)
    )
    slots = slots or _slots(ordered)
    parts = [ordered[start : start + PER_FILE] for start in range(0, len(ordered), PER_FILE)]
    print_files: list[Path] = []
    address_files: list[Path] = []
    rows: list[Mapping[str, str | int]] = []
    for number, part in enumerate(parts, start=1):
        path = out / f"print-{number:03d}.pdf"
        title = f"{_TITLE}, file {number} of {len(parts)}"
        starts, length = _write_print_file(path, part, slots, printing, job=job, title=title)
        print_files.append(path)
        ends = (*starts[1:], length + 1)
        listed = [
            _row(slots[letter.reference].number, letter, by_reference[letter.reference], path, start, end - start)
            for letter, start, end in zip(part, starts, ends, strict=True)
        ]
        if printing.house == "docmail":
            address_files.append(_write_docmail(out / f"print-{number:03d}-addresses.csv", listed))
        rows += listed
    for stale in (*out.glob("print-*.pdf"), *out.glob("print-*-addresses.csv")):
        if stale not in {*print_files, *address_files}:
            stale.unlink()
    return Pack(
        print_files=tuple(print_files),
        manifest=_write_table(out / MANIFEST, _HEADINGS, rows),
        letters=len(ordered),
        sheets=sum(letter.sheets for letter in ordered),
        address_files=tuple(address_files),
    )


def slots_of(manifest: Path) -> dict[str, Slot]:
    """The place of each letter in a pack that stands, by letter reference; none where the manifest is gone."""
    slots: dict[str, Slot] = {}
    sheet = 1
    for row in manifest_rows(manifest):
        slots[row["letter_reference"]] = Slot(int(row["seq"]), sheet)
        sheet += int(row["sheets"])
    return slots


def manifest_rows(manifest: Path) -> list[dict[str, str]]:
    """The rows of a manifest, in print order; none where there is no such file."""
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _slots(ordered: Sequence[LetterFile]) -> dict[str, Slot]:
    slots: dict[str, Slot] = {}
    sheet = 1
    for number, letter in enumerate(ordered, start=1):
        slots[letter.reference] = Slot(number, sheet)
        sheet += letter.sheets
    return slots


def _write_print_file(
    path: Path,
    letters: Sequence[LetterFile],
    slots: Mapping[str, Slot],
    printing: PrintSettings,
    *,
    job: str,
    title: str,
) -> tuple[list[int], int]:
    """Merge letters; the page (from 1) on which each starts, and how many pages there are."""
    starts = []
    with pikepdf.new() as merged:
        font = marks_font(merged) if printing.marks == "omr" or printing.house == "fixed-zone" else None
        for letter in letters:
            before = len(merged.pages)
            starts.append(before + 1)
            with pikepdf.open(letter.path) as single:
                merged.pages.extend(single.pages)
            if printing.blank_versos and len(merged.pages) % 2:
                merged.add_blank_page(page_size=_size(merged.pages[-1]))
            if font is not None and printing.marks == "omr":
                for sheet, front in enumerate(printing.fronts(letter.pages), start=1):
                    page, slot = merged.pages[before + front], slots[letter.reference]
                    mark_sheet(page, font, job=job, slot=slot, sheet=sheet, sheets=letter.sheets)
            elif font is not None:
                mark_first_page(merged.pages[before], font)
        for page in merged.pages:
            for key in _SCREEN_ONLY:
                if key in page.obj:
                    del page.obj[key]
        merged.docinfo["/Title"] = title
        written = io.BytesIO()
        merged.save(
            written,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
            fix_metadata_version=False,
        )
        if printing.house == "fixed-zone":
            _prove_split(written.getvalue(), starts, path)
        with whole_file(path) as stream:
            stream.write(written.getvalue())
        return starts, len(merged.pages)


def _prove_split(pdf: bytes, starts: Sequence[int], path: Path) -> None:
    """Read the file back as the house will: the words in their place on first pages, and nowhere on any other."""
    for number, (text, inside) in enumerate(texts_in(pdf, WORDS), start=1):
        first = number in starts
        if (inside == FIRST_PAGE) is not first or text.count(FIRST_PAGE) != first:
            raise Refused(LetterCode.PACK_NOT_SPLIT.at(Place(str(path)), page=number))


def _size(page: pikepdf.Page) -> tuple[float, float]:
    left, bottom, right, top = (float(side) for side in page.mediabox)
    return right - left, top - bottom


def _row(
    number: int, letter: LetterFile, spec: LetterSpec, path: Path, start: int, printed: int
) -> Mapping[str, str | int]:
    name, *lines, code = address_lines(spec.name, spec.post_to)
    return {
        "seq": number,
        "letter_reference": letter.reference,
        "name": name,
        **dict.fromkeys(ADDRESS_COLUMNS, ""),
        **dict(zip(ADDRESS_COLUMNS, lines, strict=False)),
        "postcode": code,
        "pages": letter.pages,
        "sheets": letter.sheets,
        "first_page": start,
        "StreamPages1": printed,
        "sha256": letter.sha256,
        "file": path.name,
        "format": spec.format,
        "languages": " ".join(spec.languages),
    }


def _write_docmail(path: Path, rows: Sequence[Mapping[str, str | int]]) -> Path:
    """The address file beside a print file, in the order of its letters; the postcode is the last line there is."""
    listed: list[Mapping[str, str | int]] = []
    for row in rows:
        lines = [*(row[column] for column in ADDRESS_COLUMNS if row[column]), row["postcode"]]
        lines += [""] * (MOST_LINES - 1 - len(lines))
        values = (row["name"], *lines, row["StreamPages1"], row["letter_reference"])
        listed.append(dict(zip(_DOCMAIL, values, strict=True)))
    return _write_table(path, _DOCMAIL, listed)


def _write_table(path: Path, headings: Sequence[str], rows: Sequence[Mapping[str, str | int]]) -> Path:
    stream = io.StringIO()
    table = csv.DictWriter(stream, headings, lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return write_whole(path, "\ufeff" + stream.getvalue())  # Excel reads UTF-8 only behind this mark
