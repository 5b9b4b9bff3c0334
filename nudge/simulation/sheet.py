"""A table as a housing system writes it, in text cells, and the faults that were put into it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from nudge.base.values import EXCEL_EPOCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Every line of a file: title lines, headings, then rows with page headings, totals and blank lines among them.

    `encoding` is the one its bytes are in.
    """

    name: str
    preamble: tuple[tuple[str, ...], ...] = ()
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str = "cp1252"

    @property
    def heading_row(self) -> int:
        """The number of the heading row, counted from 1 as a spreadsheet shows it."""
        return len(self.preamble) + 1

    @property
    def lines(self) -> tuple[tuple[str, ...], ...]:
        """All lines, top to bottom."""
        return (*self.preamble, self.headings, *self.rows)

    def csv(self) -> bytes:
        """The file's bytes, as Excel on Windows would save it."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(self.lines)
        return text.getvalue().encode(self.encoding)


class Fault(StrEnum):
    """What goes wrong in real extracts. Those in SETS_ASIDE make intake set the row aside; the others it must read."""

    TITLE_LINES = "title lines above the headings"
    HEADINGS_REPEATED = "headings repeated on a new page"
    TOTALS_ROW = "a totals row"
    BLANK_ROW = "a blank row"
    DATE_OF_FOUR_DIGIT_YEAR = "dd/mm/yyyy"
    DATE_OF_TWO_DIGIT_YEAR = "dd/mm/yy"
    DATE_AS_SERIAL = "an Excel serial number for a date"
    DATE_FOR_NONE = "31/12/1899 for no date"
    MONEY_MARKED_CREDIT = "£1,234.50 CR"
    MONEY_IN_BRACKETS = "(12.00)"
    MONEY_WITH_POUND_SIGN = "£ and thousands commas"
    SURNAME_IN_CAPITALS = "surname in capitals"
    BEYOND_ASCII = "é, ’ and the like, single bytes in cp1252"
    TRAILING_SPACES = "spaces at the ends of cells"
    TITLE_BLANK = "no title"
    CARE_OF = "care of somebody"
    POST_ELSEWHERE = "a correspondence address"
    DUPLICATE_ROW = "the same row twice"
    JOINT_IN_TWO_ROWS = "joint tenants in two rows"
    JOINT_IN_ONE_ROW = "joint tenants in one row"
    SHARED_HOME = "two tenancies at one UPRN"
    ZEROS_LOST = "a reference without its leading zeros"
    PAYMENT_REFERENCE_SCIENTIFIC = "a payment reference in scientific form"
    UPRN_SCIENTIFIC = "a UPRN in scientific form"
    EXECUTORS = "Exors of"
    NO_FIXED_ABODE = "NFA for an address"
    OCCUPIER = "The Occupier for a name"
    POSTCODE_MISSING = "no postcode"
    ROWS_DISAGREE = "two rows of a tenancy that disagree"


SETS_ASIDE: Final = frozenset(
    {
        Fault.ZEROS_LOST,
        Fault.PAYMENT_REFERENCE_SCIENTIFIC,
        Fault.UPRN_SCIENTIFIC,
        Fault.NO_FIXED_ABODE,
        Fault.OCCUPIER,
        Fault.POSTCODE_MISSING,
        Fault.ROWS_DISAGREE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFault:
    """One fault: in which file, in which line (from 1), under which heading, of which tenancy (None: of none)."""

    kind: Fault
    sheet: str
    line: int
    heading: str | None = None
    reference: str | None = None


def uk(day: date) -> str:
    """dd/mm/yyyy."""
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def uk_short(day: date) -> str:
    """dd/mm/yy."""
    return f"{day.day:02d}/{day.month:02d}/{day.year % 100:02d}"


def serial(day: date) -> str:
    """The number that Excel shows for a day whose cell lost its format."""
    return str((day - EXCEL_EPOCH).days)


def plain_pounds(amount: int) -> str:
    """Pence as 1234.50, a credit as -12.00."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d}"
