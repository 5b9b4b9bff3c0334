"""The five kinds of cell that an experiment may ask an extract for, and how each is read.

A blank cell is None whatever its kind: missing, never failure (I9).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

from nudge.base.values import excel_date, pence, uk_date

Value: TypeAlias = int | float | str | bool | date | None
"""A typed cell: money as pence (int), number (float), text, flag (bool), date; None where blank."""


class Kind(StrEnum):
    """What a declared column holds."""

    MONEY = "money"
    NUMBER = "number"
    TEXT = "text"
    FLAG = "flag"
    DATE = "date"


class CellUnreadable(ValueError):
    """A cell that is not of its kind. Carries the kind only, never the cell (I12)."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(EXPECTED[kind])
        self.kind = kind


EXPECTED: Final[dict[Kind, str]] = {
    Kind.MONEY: "an amount such as 1234.50, £1,234.50 or £12.00 CR",
    Kind.NUMBER: "a number such as 7 or 2.5",
    Kind.TEXT: "text",
    Kind.FLAG: "yes or no (also Y, N, true, false, 1, 0)",
    Kind.DATE: "a date as 2026-03-31 or 31/03/2026",
}
_FLAGS: Final = {
    **dict.fromkeys(("yes", "y", "true", "t", "1"), True),
    **dict.fromkeys(("no", "n", "false", "f", "0"), False),
}
# What housing systems and Excel write where they mean "no date".
_NO_DATE: Final = {"31/12/1899", "30/12/1899", "01/01/1900", "00/00/0000", "1899-12-31", "1899-12-30", "1900-01-01"}
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000  # 1954 to 2119: a serial outside it is no date anybody exports


def _number(text: str) -> float:
    plain = text.replace(",", "")
    if not all(ch.isdigit() or ch in ".-+" for ch in plain):  # float() would take nan, inf, 1_000 and 1e5
        raise ValueError
    return float(plain)


def _money(text: str) -> int:
    if (amount := pence(text)) is None:
        raise ValueError
    return amount


def _flag(text: str) -> bool:
    return _FLAGS[text.lower()]


def _date(text: str) -> date | None:
    if text.split(" ")[0] in _NO_DATE:
        return None
    if (day := uk_date(text)) is not None:
        return day
    serial = float(text) if text.replace(".", "", 1).isdigit() else 0.0
    if not _FIRST_SERIAL <= serial <= _LAST_SERIAL:
        raise ValueError
    return excel_date(serial)


_READERS: Final[dict[Kind, Callable[[str], Value]]] = {
    Kind.MONEY: _money,
    Kind.NUMBER: _number,
    Kind.TEXT: str,
    Kind.FLAG: _flag,
    Kind.DATE: _date,
}


def read_cell(text: str, kind: Kind) -> Value:
    """The value of one cell, or None where it is blank. Raises CellUnreadable where it is not of its kind."""
    text = text.replace("\u00a0", " ").strip()
    if not text:
        return None
    try:
        return _READERS[kind](text)
    except (ValueError, KeyError):
        raise CellUnreadable(kind) from None
