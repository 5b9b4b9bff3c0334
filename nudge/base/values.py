"""Money and dates as British councils write them, read without guessing.

Money is integer pence inside nudge; pounds exist only at the edge.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

MONTHS: Final = "January February March April May June July August September October November December".split()
_MONTH_NUMBER: Final = {name[:3].lower(): number for number, name in enumerate(MONTHS, start=1)}
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_SLASHED: Final = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(?:[ ,]+\d{1,2}:\d{2}(?::\d{2})?)?")
_WORDED: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ \-]([A-Za-z]{3,9})\.?[ \-](\d{4}|\d{2})")
_MONEY: Final = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[-+−])?\s*£?\s*(?P<sign2>[-+−])?(?P<pounds>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<pence>\d{1,2}))?\s*"
    r"(?P<trail>-)?\s*(?P<close>\))?\s*(?P<mark>CR|DR|cr|dr|Cr|Dr)?"
)
EXCEL_EPOCH: Final = date(1899, 12, 30)  # serial 1 is 1900-01-01 only because Excel counts a 29 February 1900


def pence(text: str) -> int | None:
    """Pence in `£1,234.50`, `(12.00)`, `12.00 CR`, `-3.5`; credit is negative. None if it is not money."""
    match = _MONEY.fullmatch(text.replace("\u00a0", " ").strip())
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    whole = int(match["pounds"].replace(",", "")) * 100 + int((match["pence"] or "0").ljust(2, "0"))
    minus = match["sign"] in {"-", "−"} or match["sign2"] in {"-", "−"} or bool(match["trail"])
    credit = bool(match["open"]) or (match["mark"] or "").upper() == "CR"
    return -whole if minus or credit else whole


def pounds(amount: int, *, show_pence: bool = True) -> str:
    """Pence as `£1,234.50`; a negative amount as `-£12.00`."""
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), 100)
    return f"{sign}£{whole:,}.{rest:02d}" if show_pence or rest else f"{sign}£{whole:,}"


def uk_date(text: str) -> date | None:
    """A date written ISO, day first with slashes, dots or hyphens, or with the month in words; else None.

    Never month first. A time after the date is dropped. A year of two digits is 2000 to 2068, then 1969 to 1999.
    """
    text = text.strip()
    if match := _ISO.fullmatch(text):
        year, month, day = (int(part) for part in match.group(1, 2, 3))
    elif match := _SLASHED.fullmatch(text):
        day, month, year = int(match[1]), int(match[2]), _full_year(match[3])
    elif (match := _WORDED.fullmatch(text)) and match[2][:3].lower() in _MONTH_NUMBER:
        named = _MONTH_NUMBER[match[2][:3].lower()]
        if not MONTHS[named - 1].lower().startswith(match[2].lower()) and match[2].lower() != "sept":
            return None
        day, month, year = int(match[1]), named, _full_year(match[3])
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _full_year(digits: str) -> int:
    if len(digits) == 4:
        return int(digits)
    return int(digits) + (2000 if int(digits) < 69 else 1900)


def excel_date(serial: float) -> date:
    """The day of an Excel serial number (1900 system); the time of day is dropped."""
    return EXCEL_EPOCH + timedelta(days=int(serial))


def day_in_words(day: date) -> str:
    """`3 December 2026`: no leading zero, no abbreviation."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def utc_text(moment: datetime) -> str:
    """An aware moment as `2026-11-23T09:30:00Z`. A naive one is a ValueError: nobody could say when it was."""
    if moment.tzinfo is None:
        msg = "a moment needs its time zone"
        raise ValueError(msg)
    return f"{(moment - moment.utcoffset()).replace(tzinfo=None).isoformat(timespec='seconds')}Z"  # type: ignore[operator]
