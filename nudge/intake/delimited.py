"""Records of a delimited text file, streamed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nudge.base.errors import Place, Refused
from nudge.intake.codes import FileCode
from nudge.intake.encoding import Text

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True, slots=True)
class Delimited:
    """A text file and what parts its columns. It may be gone through again and again."""

    text: Text
    delimiter: str

    def records(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Every record with the row number that a spreadsheet shows; blank lines are empty records.

        Raises Refused, naming the row, where a quotation mark is not closed.
        """
        number = 0
        with io.TextIOWrapper(self.text.open(), encoding=self.text.encoding, newline="") as lines:
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            while True:
                number += 1
                try:
                    cells = next(reader, None)
                except csv.Error:
                    place = Place(self.text.path.name, row=number)
                    raise Refused(FileCode.QUOTE_UNCLOSED.at(place, row=number)) from None
                if cells is None:
                    return
                yield number, tuple(cells)
