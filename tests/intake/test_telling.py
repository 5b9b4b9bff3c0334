"""Rows set aside are told as a list of what to do, then row by row, and never with what stands in a cell."""

from __future__ import annotations

from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.base.errors import Place
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.rejects import LETTER, Reject, reject, to_do
from nudge.intake.telling import bad_rows, rows_refused, told

FACTS = {"found": 2, "expected": "a date", "heading": "Arrears"}


def one(code: RowCode, row: int, heading: str = "Addr1") -> Reject:
    wanted = {name for words in (code.reason, code.fix) for _, name, _, _ in Formatter().parse(words) if name}
    return reject(code, row, heading, "Canary", **dict.fromkeys(wanted, 8) | FACTS)


def test_what_to_do_comes_first_counted_by_row() -> None:
    rejects = [
        one(RowCode.ADDRESS_TOO_SHORT, 9),
        one(RowCode.ADDRESS_LINE_START, 4),
        one(RowCode.ADDRESS_POSTCODE_WRONG, 7, "Postcode"),
        one(RowCode.ADDRESS_NO_POSTCODE, 22, "Postcode"),
        one(RowCode.NAME_BLANK, 22, "Surname"),
        one(RowCode.REFERENCE_BLANK, 30, "Ref"),
        one(RowCode.NAME_NOBODY, 31, "Surname"),
        one(RowCode.TENANCY_PART_REJECTED, 32, "Ref"),
    ]
    assert to_do(rejects) == (
        "enter missing data in 2 rows",
        "fix 3 addresses",
        "decide about 1 row that no letter can reach",
    )
    assert told(rejects) == (
        "To do, where the file comes from:",
        "  - enter missing data in 2 rows",
        "  - fix 3 addresses",
        "  - decide about 1 row that no letter can reach",
        "row  4  Addr1: an address line starts with a mark",
        "row  7  Postcode: the postcode is not one that Royal Mail could have given",
        "row  9  Addr1: the address is a postcode alone",
        "row 22  Postcode: missing; Surname: missing",
        "row 30  Ref: missing",
        "row 31  Surname: the name is not a person's",
        "row 32  Ref: another row of this tenancy is rejected",
    )


def test_at_most_twenty_rows_are_shown_and_the_rest_counted() -> None:
    rejects = [one(RowCode.ADDRESS_BLANK, row) for row in range(2, 40)] * 2
    lines = told(rejects)
    assert sum(line.startswith("row") for line in lines) == 20
    assert lines[-1] == "… and 18 rows more"
    assert lines[1] == "  - enter missing data in 38 rows"


def test_a_fault_of_the_letter_says_what_was_expected() -> None:
    found = Reject(3, LETTER, "too-many-sheets", "at most 1 sheet(s), and the letter takes 3", "Shorten it.", "T1")
    assert to_do([found]) == ("see why no letter can be written for 1 row",)
    assert bad_rows([found]) == ("row 3  letter: expected at most 1 sheet(s), and the letter takes 3",)


@pytest.mark.parametrize("code", list(RowCode))
def test_every_fault_asks_for_something_but_the_row_that_waits_for_another(code: RowCode) -> None:
    asked = to_do([one(code, 5)])
    assert len(asked) == (code is not RowCode.TENANCY_PART_REJECTED)
    assert all("{" not in ask and "1" in ask for ask in asked)


def test_i12_the_refusal_keeps_every_problem_and_tells_no_cell() -> None:
    rejects = [one(code, row) for row, code in enumerate(RowCode, start=2)]
    why = FileCode.NO_ROWS.at(Place("week.csv"))
    refusal = rows_refused(why, "week.csv", rejects)
    assert len(refusal.problems) == 1 + len(rejects)
    assert refusal.told[0] == str(why)
    assert "Canary" not in "".join(refusal.told)


@given(st.lists(st.tuples(st.sampled_from(list(RowCode)), st.integers(2, 60)), max_size=80))
def test_every_bad_row_is_shown_or_counted_once(faults: list[tuple[RowCode, int]]) -> None:
    rejects = [one(code, row) for code, row in faults]
    shown = bad_rows(rejects)
    rows = sorted({row for _, row in faults})
    assert [int(line.split()[1]) for line in shown] == rows[:20]
    more = [line for line in told(rejects) if line.startswith("…")]
    assert more == ([f"… and {len(rows) - 20} rows more"] if len(rows) > 20 else [])
