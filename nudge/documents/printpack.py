"""The bundle for the printer: merged files for paper and an address file, in an order that tells nobody the arm (I8).

The files are for paper: they carry no tags, no outline and one neutral title, and each letter starts on a right-hand
page. The tagged, accessible letters are the single files.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pikepdf

from nudge.base.errors import Refused
from nudge.base.files import whole_file, write_whole
from nudge.base.values import postcode
from nudge.documents.address import MOST_LINES, address_lines, check_address
from nudge.documents.batch import LetterFile
from nudge.documents.letter import LetterSpec

PER_FILE: Final = 100
_TITLE: Final = "Letters for printing"
# What only a screen reader or a viewer uses. Pages taken from many files would point at trees left behind.
_SCREEN_ONLY: Final = ("/StructParents", "/Tabs", "/Annots", "/Metadata", "/Group")
ADDRESS_COLUMNS: Final = tuple(f"address_{number}" for number in range(1, MOST_LINES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """What goes to the printer: the print files in order, and the manifest beside them."""

    print_files: tuple[Path, ...]
    manifest: Path
    letters: int
    sheets: int


def print_order(letters: Sequence[LetterFile], specs: Sequence[LetterSpec]) -> tuple[LetterFile, ...]:
    """By postcode, then by letter reference: the same order whatever the arm."""
    by_reference = {spec.reference: spec for spec in specs}

    def place(letter: LetterFile) -> tuple[str, str]:
        lines = by_reference[letter.reference].post_to
        return (postcode(lines[-1]) or "" if lines else ""), letter.reference

    return tuple(sorted(letters, key=place))


def make_print_pack(letters: Sequence[LetterFile], specs: Sequence[LetterSpec], out: Path) -> Pack:
    """Write `print-001.pdf` … and `manifest.csv` into `out`, in print order, at most 100 letters a file.

    Refused where a letter's address would not do on an envelope: the address file goes to a house that prints it.
    """
    ordered = print_order(letters, specs)
    by_reference = {spec.reference: spec for spec in specs}
    Refused.when(
        problem
        for letter in ordered
        for spec in (by_reference[letter.reference],)
        for problem in check_address(address_lines(spec.name, spec.post_to), spec.place)
    )
    parts = [ordered[start : start + PER_FILE] for start in range(0, len(ordered), PER_FILE)]
    print_files: list[Path] = []
    rows: list[Mapping[str, str | int]] = []
    for number, part in enumerate(parts, start=1):
        path = out / f"print-{number:03d}.pdf"
        starts = _write_print_file(path, part, title=f"{_TITLE}, file {number} of {len(parts)}")
        print_files.append(path)
        rows += [
            _row(len(rows) + place, letter, by_reference[letter.reference], path, start)
            for place, (letter, start) in enumerate(zip(part, starts, strict=True), start=1)
        ]
    for stale in out.glob("print-*.pdf"):
        if stale not in print_files:
            stale.unlink()
    manifest = _write_manifest(out / "manifest.csv", rows)
    return Pack(
        print_files=tuple(print_files),
        manifest=manifest,
        letters=len(ordered),
        sheets=sum(letter.sheets for letter in ordered),
    )


def _write_print_file(path: Path, letters: Sequence[LetterFile], *, title: str) -> list[int]:
    """Merge letters for two-sided printing; the page (from 1) on which each starts, always odd."""
    starts = []
    with pikepdf.new() as merged:
        for letter in letters:
            starts.append(len(merged.pages) + 1)
            with pikepdf.open(letter.path) as single:
                merged.pages.extend(single.pages)
            if len(merged.pages) % 2:
                merged.add_blank_page(page_size=_size(merged.pages[-1]))
        for page in merged.pages:
            for key in _SCREEN_ONLY:
                if key in page.obj:
                    del page.obj[key]
        merged.docinfo["/Title"] = title
        with whole_file(path) as stream:
            merged.save(
                stream,
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
                deterministic_id=True,
                fix_metadata_version=False,
            )
    return starts


def _size(page: pikepdf.Page) -> tuple[float, float]:
    left, bottom, right, top = (float(side) for side in page.mediabox)
    return right - left, top - bottom


def _row(number: int, letter: LetterFile, spec: LetterSpec, path: Path, start: int) -> Mapping[str, str | int]:
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
        "StreamPages1": 2 * letter.sheets,
        "sha256": letter.sha256,
        "file": path.name,
    }


def _write_manifest(path: Path, rows: Sequence[Mapping[str, str | int]]) -> Path:
    stream = io.StringIO()
    headings = (
        "seq", "letter_reference", "name", *ADDRESS_COLUMNS, "postcode",
        "pages", "sheets", "first_page", "StreamPages1", "sha256", "file",
    )  # fmt: skip
    table = csv.DictWriter(stream, headings, lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return write_whole(path, "\ufeff" + stream.getvalue())  # Excel reads UTF-8 only behind this mark
