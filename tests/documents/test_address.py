"""The lines of the window."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.base.errors import Place
from nudge.documents.address import MOST_LINES, address_lines, check_address
from nudge.documents.codes import LetterCode

HERE = Place("letter")
word = st.text("abcdefgh ", min_size=1, max_size=30).filter(str.strip)


def test_blank_lines_and_stray_commas_go_and_the_postcode_is_set_as_royal_mail_does():
    lines = address_lines("Mrs A Jones", ("Flat 4,", "", " 12  Mill Lane ,", "tn74ab"))
    assert lines == ("Mrs A Jones", "Flat 4", "12 Mill Lane", "TN7 4AB")


def test_nine_lines_become_seven_and_nothing_is_left_out():
    lines = address_lines(
        "Ms S O'Brien", ("Flat 4", "Rosewood", "Mill House", "12 Mill Lane", "Upper", "Town", "County", "TN7 4AB")
    )
    assert lines[:3] == ("Ms S O'Brien", "Flat 4, Rosewood, Mill House", "12 Mill Lane")
    assert len(lines) == MOST_LINES


@settings(deadline=None)
@given(st.lists(word, min_size=2, max_size=9))
def test_joining_lines_never_drops_or_changes_a_word(lines):
    made = address_lines("Mrs A Jones", (*lines, "TN7 4AB"))
    assert " ".join(made).replace(",", "").split() == " ".join(("Mrs A Jones", *lines, "TN7 4AB")).split()
    assert made[0] == "Mrs A Jones"
    assert made[-1] == "TN7 4AB"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("Mrs A Jones", "TN7 4AB"), LetterCode.ADDRESS_TOO_SHORT),
        (("Mrs A Jones", *("x" * 40 for _ in range(7)), "TN7 4AB"), LetterCode.ADDRESS_TOO_LONG),
        (("Mrs A Jones", "1 High Street", "Town"), LetterCode.ADDRESS_NO_POSTCODE),
        (("Mrs A Jones", "1 High Street", "GX11 1AA"), LetterCode.ADDRESS_NO_POSTCODE),
        (("Mrs A Jones", "=1+1", "TN7 4AB"), LetterCode.ADDRESS_LINE_STARTS_BADLY),
        (("@SUM(A1)", "1 High Street", "TN7 4AB"), LetterCode.ADDRESS_LINE_STARTS_BADLY),
        (("Mrs A Jones", "No Fixed Abode", "TN7 4AB"), LetterCode.ADDRESS_NOT_FIXED),
        (("Mrs A Jones", "NFA", "TN7 4AB"), LetterCode.ADDRESS_NOT_FIXED),
        (("Mr <b>Bold</b>", "1 High Street", "TN7 4AB"), LetterCode.ADDRESS_HOLDS_CODE),
        (("{{ 7*7 }}", "1 High Street", "TN7 4AB"), LetterCode.ADDRESS_HOLDS_CODE),
    ],
)
def test_what_would_not_reach_a_door_is_refused(lines, code):
    assert code.slug in {problem.code for problem in check_address(lines, HERE)}


def test_a_forces_number_is_as_good_as_a_postcode():
    assert check_address(address_lines("Pte B Marsh", ("1 Signals", "BFPO 57")), HERE) == ()
    assert [one.code for one in check_address(("Pte B Marsh", "1 Signals", "BFPO"), HERE)] == ["address-no-postcode"]


@pytest.mark.parametrize(
    "lines", [("Mrs A Jones", "1 High Street", "TN7 4AB"), ("Mr P NFA-Smith", "The Nfald", "TN7 4AB")]
)
def test_an_ordinary_address_is_not_refused(lines):
    assert check_address(lines, HERE) == ()
