"""Letters that nobody prints: what has to be done with each, as a list for the office. It shows no arm (I8)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from nudge.base.files import write_whole
from nudge.base.languages import LANGUAGES
from nudge.documents.batch import LetterFile
from nudge.documents.form import Format
from nudge.documents.letter import LetterSpec

TASK_LIST: Final = "tasks.csv"
_HEADINGS: Final = ("letter_reference", "tenancy_reference", "format", "languages", "what_to_do", "due", "file")
_TO_DO: Final = {
    Format.EMAIL: "Send the text from the council's own mail system, on the day the batch is posted.",
    Format.BRAILLE: "Have the text put into braille, and post it with the batch.",
    Format.BSL: "Give the text to a British Sign Language interpreter, for a video or a visit.",
}


def write_tasks(folder: Path, letters: Sequence[LetterFile], specs: Sequence[LetterSpec]) -> Path | None:
    """Write `tasks.csv` of the letters that are not printed, by reference; without any, take an earlier one away.

    Due is the day the letters are dated: the letter counts from the batch's day 0 in whatever form it goes.
    """
    by_reference = {spec.reference: spec for spec in specs}
    rows = [
        {
            "letter_reference": letter.reference,
            "tenancy_reference": spec.tenancy_reference,
            "format": letter.format.words,
            "languages": ", ".join(LANGUAGES[code].name for code in spec.languages),
            "what_to_do": _TO_DO[letter.format],
            "due": spec.letter_date.isoformat(),
            "file": letter.path.relative_to(letter.path.parent.parent).as_posix(),
        }
        for letter in sorted(letters, key=lambda letter: letter.reference)
        if not letter.on_paper
        for spec in (by_reference[letter.reference],)
    ]
    return _write(folder / TASK_LIST, rows)


def strike_off(folder: Path, references: set[str]) -> Path | None:
    """Take letters out of a list of tasks that stands; what is left of it."""
    path = folder / TASK_LIST
    if not path.is_file():
        return None
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["letter_reference"] not in references]
    return _write(path, rows)


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> Path | None:
    if not rows:
        path.unlink(missing_ok=True)
        return None
    stream = io.StringIO()
    table = csv.DictWriter(stream, _HEADINGS, lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return write_whole(path, "\ufeff" + stream.getvalue())
