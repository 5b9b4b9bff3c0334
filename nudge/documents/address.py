"""A postal address in the window: how many lines, in what form (rules as GOV.UK Notify's, in our own words)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from nudge.base.errors import Place, Problem
from nudge.base.postcodes import postcode
from nudge.documents.codes import LetterCode

FEWEST_LINES, MOST_LINES = 3, 7  # the name counted
_FITS: Final = 36  # letters of 10 pt that surely go on one line of every window
_NO_ADDRESS: Final = re.compile(r"\b(?:no fixed (?:abode|address)|nfa)\b", re.IGNORECASE)
# A sign at the start of a line is a slip of the keyboard, and a spreadsheet would take some of them for a formula.
_BAD_STARTS: Final = tuple("@()=[]\"\\/,<>~+-*{}'’&;:.!?%")

_FORCES: Final = re.compile(r"BFPO \d{1,4}")  # as the intake room writes a forces number that has no postcode
_CODE: Final = frozenset("<>{}[]|")


def address_lines(name: str, post_to: Sequence[str]) -> tuple[str, ...]:
    """The lines of the window: the name, then the address without blank lines and stray commas, postcode last.

    More than seven lines become seven by joining neighbours that fit on one line with a comma, first those nearest
    the house; nothing is left out. The postcode is printed as `AA9 9AA`.
    """
    lines = [line.strip().strip(",").strip() for line in (name, *post_to)]
    lines = [" ".join(line.split()) for line in lines if line]
    if lines and (code := postcode(lines[-1])):
        lines[-1] = code
    while len(lines) > MOST_LINES:
        pairs = [i for i in range(1, len(lines) - 2) if len(lines[i]) + len(lines[i + 1]) + 2 <= _FITS]
        if not pairs:
            break
        first = pairs[0]
        lines[first : first + 2] = [f"{lines[first]}, {lines[first + 1]}"]
    return tuple(lines)


def check_address(lines: Sequence[str], place: Place) -> tuple[Problem, ...]:
    """What would stop these lines from reaching a door: all of it at once."""
    found = []
    if len(lines) < FEWEST_LINES:
        found.append(LetterCode.ADDRESS_TOO_SHORT.at(place))
    if len(lines) > MOST_LINES:
        found.append(LetterCode.ADDRESS_TOO_LONG.at(place, most=MOST_LINES))
    if not lines or (postcode(lines[-1]) is None and not _FORCES.fullmatch(lines[-1])):
        found.append(LetterCode.ADDRESS_NO_POSTCODE.at(place))
    if any(line.startswith(_BAD_STARTS) for line in lines):
        found.append(LetterCode.ADDRESS_LINE_STARTS_BADLY.at(place))
    if any(_CODE.intersection(line) for line in lines):
        found.append(LetterCode.ADDRESS_HOLDS_CODE.at(place))
    if any(_NO_ADDRESS.search(line) for line in lines[1:]):
        found.append(LetterCode.ADDRESS_NOT_FIXED.at(place))
    return tuple(found)
