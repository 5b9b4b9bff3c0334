"""Postal addresses: with the name above them 3 to 7 lines that end in a postcode, tidied where nothing can be lost.

Rules of the GOV.UK Notify recipient file, which councils' addresses already meet (reference: notifications-utils,
`postal_address.py`): lines 1 and 2 hold a letter or digit, no line starts with a mark, no fixed abode is no address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nudge.base.postcodes import postcode
from nudge.intake.codes import RowCode

FEWEST: Final = 2  # below the name, which Notify counts among its 3 lines: house and street, postcode
MOST: Final = 7  # below the name: neighbours that fit on one line are joined when the letter is made

_STARTS: Final = frozenset('@()=[]"\\/,<>~')
_NO_ABODE: Final = re.compile(r"n\.?f\.?a\.?|.*\bno[ -]fixed[ -](?:abode|address|residence)\b.*", re.IGNORECASE)
_CARE_OF: Final = re.compile(r"c/[o0]\b.*|c\.o\.? .*|care of\b.*|℅.*", re.IGNORECASE)
_BFPO: Final = re.compile(r"b\.?f\.?p\.?o\.?(?: (?:no\.? ?)?|)(?:c/o )?(\d{1,4})?", re.IGNORECASE)
# The number among other words of its line: `BFPO 57, Germany`, `1 Signals BFPO 57`.
_BFPO_WITHIN: Final = re.compile(r"\bb\.?f\.?p\.?o\.? ?(?:no\.? ?)?(?:c/o )?(\d{1,4})\b", re.IGNORECASE)
_COMMAS: Final = re.compile(r" ?,(?: ?,)*")
_HOME_NATIONS: Final = frozenset(
    "england scotland wales cymru northernireland uk unitedkingdom greatbritain gb britain gbr lloegr yralban "
    "gogleddiwerddon ydeyrnasunedig".split()
)
_ABROAD: Final = frozenset(
    "france germany spain portugal italy ireland republicofireland eire poland netherlands belgium usa unitedstates "
    "unitedstatesofamerica canada australia newzealand india pakistan bangladesh nigeria romania bulgaria greece "
    "turkey cyprus malta gibraltar".split()
)
_POSTCODE_AT_END: Final = re.compile(r"(.*\S)[\s,]+([A-Za-z]{1,2}\d[A-Za-z\d]?\s*\d[A-Za-z]{2})")
_NOT_LETTERS: Final = re.compile(r"[\W\d_]+")
_LETTER_OR_DIGIT: Final = re.compile(r"[^\W_]")
_LIKE_POSTCODE: Final = re.compile(r"[A-Z]{1,3}\d[A-Z\d]?\s*[\dOI][A-Z]{2}", re.IGNORECASE)


class AddressUnread(ValueError):
    """An address that is set aside: carries why, how many lines it has and which cell is at fault; never the address
    (I12)."""

    def __init__(self, code: RowCode, found: int = 0, at: int | None = None) -> None:
        super().__init__(code.slug)
        self.code = code
        self.found = found
        self.at = at


@dataclass(frozen=True, slots=True)
class Address:
    """Lines of which the last is the postcode (or a BFPO number, where that is all there is).

    `care_of` is the line that a letter carries before them.
    """

    lines: tuple[str, ...]
    care_of: str | None = None

    @property
    def for_post(self) -> tuple[str, ...]:
        """The lines to print below the name."""
        return (self.care_of, *self.lines) if self.care_of else self.lines


def _postcode(text: str) -> str | None:
    """The postcode that a whole line is, if it is one."""
    return (
        _known_postcode(text)
        if len(text) < 13 and text[-1:].isalpha() and "0" <= text.replace(" ", "")[-3:-2] <= "9"
        else None
    )


@lru_cache(maxsize=4_096)
def _known_postcode(text: str) -> str | None:
    return postcode(text)


def one_cell(cell: str) -> list[str]:
    """The lines of an address that stands in one cell, parted by line breaks or else by commas."""
    return re.split(r"[\r\n]+", cell) if "\n" in cell or "\r" in cell else cell.split(",")


def address_of(cells: Sequence[str], code: str = "", care_of: str = "") -> Address:
    """The address in these cells, with the postcode's own cell where it has one. Raises AddressUnread."""
    tidied = [_tidy(cell) for cell in cells]
    code, care_of = _tidy(code), _tidy(care_of)
    for at, line in enumerate(tidied):
        if line and (fault := _line_fault(line)):
            raise AddressUnread(fault, at=at)
    lines = [line for line in tidied if line]
    if not lines:
        raise AddressUnread(RowCode.ADDRESS_BLANK)
    lines, code = _with_postcode(lines, code)
    lines, forces = _forces_last(lines)
    if forces and any(_country(line) in _HOME_NATIONS | _ABROAD for line in lines):
        raise AddressUnread(RowCode.ADDRESS_ABROAD)
    while lines and _country(lines[-1]) in _HOME_NATIONS:
        lines.pop()
    if lines and _country(lines[-1]) in _ABROAD:
        raise AddressUnread(RowCode.ADDRESS_ABROAD)
    if forces:
        lines.append(forces)
    carer, lines = _care_of(lines, care_of)
    return _checked(Address((*lines, code) if code else tuple(lines), carer), forces=bool(forces))


def _line_fault(line: str) -> RowCode | None:
    if line[0] in _STARTS:
        return RowCode.ADDRESS_LINE_START
    if not _LETTER_OR_DIGIT.search(line):
        return RowCode.ADDRESS_LINE_EMPTY
    if (len(line) <= 6 or "ixed" in line.lower()) and _NO_ABODE.fullmatch(line):
        return RowCode.ADDRESS_NO_FIXED_ABODE
    return None


def _tidy(cell: str) -> str:
    tidied = " ".join(cell.split()).rstrip(" ,")
    return _COMMAS.sub(",", tidied) if ",," in tidied or " ," in tidied or ", ," in tidied else tidied


def _country(line: str) -> str:
    return _NOT_LETTERS.sub("", line.casefold())


def _with_postcode(lines: list[str], code: str) -> tuple[list[str], str]:
    """The lines without their postcode, and the postcode. The same one twice is once."""
    own = _postcode(code) if code else None
    if code and own is None:
        raise AddressUnread(RowCode.ADDRESS_POSTCODE_WRONG)
    kept: list[str] = []
    for index, line in enumerate(lines):
        whole = _postcode(line)
        if whole is not None and own is None and all(_country(later) in _HOME_NATIONS for later in lines[index + 1 :]):
            own = whole
        elif whole is not None and whole != own:
            raise AddressUnread(RowCode.ADDRESS_TWO_POSTCODES if own else RowCode.ADDRESS_NO_POSTCODE)
        elif whole is None:
            kept.append(line)
    at = next((i for i in reversed(range(len(kept))) if _country(kept[i]) not in _HOME_NATIONS), None)
    if (
        at is not None
        and "0" <= kept[at][-3:-2] <= "9"
        and (match := _POSTCODE_AT_END.fullmatch(kept[at]))
        and (end := _postcode(match[2]))
    ):
        if own not in {None, end}:
            raise AddressUnread(RowCode.ADDRESS_TWO_POSTCODES)
        own, kept[at] = end, match[1].rstrip(" ,")
    return kept, own or ""


def _forces_last(lines: list[str]) -> tuple[list[str], str | None]:
    """British Forces Post Office lines go last, whatever their place."""
    lines = [part for line in lines for part in _parted(line)]
    forces = [line for line in lines if line[0] in "Bb" and _BFPO.fullmatch(line)]
    numbered = {match[1] for line in forces if (match := _BFPO.fullmatch(line)) and match[1]}
    if not forces:
        return lines, None
    if len(numbered) > 1:
        raise AddressUnread(RowCode.ADDRESS_TWO_POSTCODES)
    rest = [line for line in lines if line not in forces]
    return rest, f"BFPO {numbered.pop()}" if numbered else "BFPO"


def _parted(line: str) -> list[str]:
    """A forces number within a line as a line of its own, after what stands around it."""
    if "bf" not in line.casefold().replace(".", "") or _BFPO.fullmatch(line):
        return [line]
    match = _BFPO_WITHIN.search(line)
    if match is None:
        return [line]
    around = (line[: match.start()].strip(" ,"), line[match.end() :].strip(" ,"))
    return [*filter(None, around), f"BFPO {match[1]}"]


def _care_of(lines: list[str], care_of: str) -> tuple[str | None, list[str]]:
    """The c/o line, from its own cell or from among the lines, and the lines without it."""
    found = [line for line in lines if line[0] in "Cc℅" and _CARE_OF.fullmatch(line)]
    if not found and not care_of:
        return None, lines
    rest = [line for line in lines if line not in found]
    if care_of:
        found.append(care_of if _CARE_OF.fullmatch(care_of) else f"c/o {care_of}")
    if len(set(found)) > 1:
        raise AddressUnread(RowCode.ADDRESS_TWO_CARERS)
    return (found[0] if found else None), rest


def _checked(address: Address, *, forces: bool) -> Address:
    lines = address.for_post
    last = lines[-1]
    if _postcode(last) is None and not (forces and last.startswith("BFPO ")):
        wrong = bool(_LIKE_POSTCODE.fullmatch(last))
        raise AddressUnread(RowCode.ADDRESS_POSTCODE_WRONG if wrong else RowCode.ADDRESS_NO_POSTCODE)
    if len(lines) < FEWEST:
        raise AddressUnread(RowCode.ADDRESS_TOO_SHORT, len(lines))
    if len(lines) > MOST:
        raise AddressUnread(RowCode.ADDRESS_TOO_LONG, len(lines))
    return address
