"""A few pages of a pack as pictures, to look at before it goes: as they will be printed, the pack's own marks included.

Which letters are shown hangs on the form, the name and the address, never on the arm (I8).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import pypdfium2

from nudge.base.files import write_whole
from nudge.documents.address import address_lines
from nudge.documents.form import Form
from nudge.documents.letter import LetterSpec
from nudge.documents.printpack import MANIFEST, manifest_rows

FOLDER: Final = "previews"
DOTS: Final = 150  # to the inch


def make_previews(specs: Sequence[LetterSpec], folder: Path) -> tuple[Path, ...]:
    """Write `previews/REFERENCE-1.png` … of a pack in `folder`; what stood there of an earlier one goes.

    Shown are the first letter of each form in print order, and the letters with the longest name and the most and
    longest lines of address: where a layout would give way first.
    """
    by_reference = {spec.reference: spec for spec in specs}
    rows = manifest_rows(folder / MANIFEST)
    chosen = _chosen([by_reference[row["letter_reference"]] for row in rows])
    made = []
    for row in rows:
        if row["letter_reference"] in chosen:
            first = int(row["first_page"]) - 1
            pictures = page_pictures(folder / row["file"], range(first, first + int(row["pages"])))
            made += [
                write_whole(folder / FOLDER / f"{row['letter_reference']}-{number}.png", picture)
                for number, picture in enumerate(pictures, start=1)
            ]
    for stale in (folder / FOLDER).glob("*.png"):
        if stale not in made:
            stale.unlink()
    return tuple(made)


def page_pictures(pdf: Path | bytes, pages: Iterable[int], *, dots: int = DOTS) -> list[bytes]:
    """Pages of a PDF, from 0, as PNG."""
    document = pypdfium2.PdfDocument(pdf)
    pictures = []
    try:
        for number in pages:
            page = document[number]
            written = io.BytesIO()
            page.render(scale=dots / 72).to_pil().save(written, format="PNG", optimize=True)
            pictures.append(written.getvalue())
            page.close()
    finally:
        document.close()
    return pictures


def page_count(pdf: bytes) -> int:
    """How many pages a PDF has."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return len(document)
    finally:
        document.close()


def _chosen(ordered: Sequence[LetterSpec]) -> set[str]:
    first: dict[Form, str] = {}
    for spec in ordered:
        first.setdefault(spec.form, spec.reference)
    if not ordered:
        return set()
    name = max(ordered, key=lambda spec: (len(spec.name), spec.reference))
    lines = {spec.reference: address_lines(spec.name, spec.post_to) for spec in ordered}
    address = max(ordered, key=lambda spec: (len(lines[spec.reference]), max(map(len, lines[spec.reference]))))
    return {*first.values(), name.reference, address.reference}
