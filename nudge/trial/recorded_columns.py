"""Columns of text read as what the plan says they hold: codes, numbers, dates, yes or no; blanks stay blanks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from nudge.base.columns import CellUnreadable, Kind, read_cell
from nudge.base.errors import Problem
from nudge.base.values import pence
from nudge.trial.recorded_cells import Cells
from nudge.trial.recorded_codes import RecordedCode, counted
from nudge.uplift.units import BoolArray, FloatArray, IntArray

_NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:,\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_YES: Final = frozenset({"yes", "y", "true", "t", "1"})
_NO: Final = frozenset({"no", "n", "false", "f", "0"})

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as codes into its different words, in alphabetical order; -1 where blank."""

    codes: IntArray
    words: tuple[str, ...]

    @property
    def blank(self) -> BoolArray:
        """Where there is no word."""
        return self.codes < 0


def coded(values: Sequence[str], missing: Collection[str]) -> Coded:
    """The column as codes; a cell that is empty or one of `missing` is blank."""
    words = tuple(sorted(set(values) - set(missing) - {""}))
    place: Mapping[str, int] = {word: number for number, word in enumerate(words)}
    return Coded(np.fromiter((place.get(value, -1) for value in values), dtype=np.int64, count=len(values)), words)


class Columns:
    """A data set read column by column; what cannot be read is kept as problems, all of them to be told at once."""

    def __init__(self, cells: Cells, missing: Collection[str]) -> None:
        self.cells = cells
        self.missing = frozenset(missing) | {""}
        self.problems: list[Problem] = []

    def codes(self, heading: str) -> Coded:
        """The column as words."""
        return coded(self.cells.columns[heading], self.missing)

    def numbers(self, heading: str, missing: Collection[str] | None = None) -> FloatArray:
        """The column as numbers, NaN where blank; pounds signs, commas and CR are understood."""
        return self._read(heading, missing, _number, np.nan, RecordedCode.NUMBER_UNREADABLE)

    def days(self, heading: str, missing: Collection[str] | None = None) -> FloatArray:
        """The column as day numbers (`date.toordinal`), NaN where blank."""
        return self._read(heading, missing, _day, np.nan, RecordedCode.DATE_UNREADABLE)

    def truths(self, heading: str, success: Collection[str], missing: Collection[str] | None = None) -> FloatArray:
        """1 for yes, 0 for no, NaN where blank. With `success`, yes is one of its words and no is any other."""

        def one_of(text: str) -> float:
            return float(text in success)

        reader = one_of if success else _truth
        return self._read(heading, missing, reader, np.nan, RecordedCode.WORD_UNREADABLE)

    def refuse(self, code: RecordedCode, heading: str, where: BoolArray, **facts: object) -> None:
        """Keep a problem about the rows marked, if any are."""
        if where.any():
            row = self.cells.rows[int(np.flatnonzero(where)[0])]
            self.problems.append(code.at(self.cells.place(heading), count=counted(int(where.sum())), row=row, **facts))

    def not_negative(self, heading: str, values: FloatArray) -> FloatArray:
        """The values; those below 0 are refused."""
        self.refuse(RecordedCode.NUMBER_NEGATIVE, heading, values < 0)
        return values

    def above_zero(self, heading: str, values: FloatArray) -> FloatArray:
        """The values; those of 0 or below are refused."""
        self.refuse(RecordedCode.EXPOSURE_NOT_POSITIVE, heading, values <= 0)
        return values

    def _read(
        self,
        heading: str,
        missing: Collection[str] | None,
        reader: Callable[[str], float],
        blank: float,
        code: RecordedCode,
    ) -> FloatArray:
        values = self.cells.columns[heading]
        known: dict[str, float] = dict.fromkeys(self.missing if missing is None else {*missing, ""}, blank)
        unreadable: set[str] = set()
        for text in set(values) - known.keys():
            try:
                known[text] = reader(text)
            except ValueError:
                unreadable.add(text)
                known[text] = blank
        if unreadable:
            bad = np.fromiter((text in unreadable for text in values), dtype=np.bool_, count=len(values))
            self.refuse(code, heading, bad)
        return np.fromiter(map(known.__getitem__, values), dtype=np.float64, count=len(values))


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text):
        return float(text.replace(",", ""))
    if (amount := pence(text)) is not None:
        return amount / 100
    raise ValueError


def _day(text: str) -> float:
    try:
        day = read_cell(text, Kind.DATE)
    except CellUnreadable:
        raise ValueError from None
    return np.nan if day is None else float(day.toordinal())  # type: ignore[union-attr]


def _truth(text: str) -> float:
    word = text.casefold()
    if word in _YES:
        return 1.0
    if word in _NO:
        return 0.0
    raise ValueError
