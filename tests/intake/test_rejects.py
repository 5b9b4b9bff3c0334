"""rejects.csv: private, whole, fit for Excel and with no live formula in it."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.intake.codes import RowCode
from nudge.intake.rejects import inert, reject, write_rejects


def test_i12_the_list_is_private_and_opens_in_excel(tmp_path: Path) -> None:
    one = reject(RowCode.ADDRESS_NO_POSTCODE, 7, "Postcode", "BN27 é")
    path = write_rejects(tmp_path / "out" / "rejects.csv", [one])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["row", "column", "reason", "fix", "cell"],
            ["", "to do", "enter missing data in 1 row", "", ""],
            ["7", "Postcode", "the address does not end in a postcode", "Fill in the postcode.", "BN27 é"],
        ]


def test_i12_a_reject_shows_row_column_reason_and_fix_but_never_its_cell() -> None:
    one = reject(RowCode.NAME_UNCLEAR, 7, "Surname", "Canary & Sons & Co")
    assert str(one).startswith("row 7, Surname: the name cannot be read with certainty. Give title")
    assert "Canary" not in str(one)
    assert "Canary" not in repr(one)
    assert one.cell == "Canary & Sons & Co"


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+44",
        "-1",
        "@SUM(A1)",
        " =1+1",
        "\u00a0=1+1",
        "\t=1+1",
        "\r=1",
        "a\n=1+1",
        "a\r\n @x",
        "＝1+1",
        "＋1",
        "\u200b=1",
        "\n=1",
        "|cmd",
        "%0A",
    ],
)
def test_a_cell_that_a_spreadsheet_could_run_gets_an_apostrophe(cell: str) -> None:
    assert inert(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["", "Field", "1 Mill Lane", "BN27 1AA", "a=b", "O'Neill", "é", "12.00", "£12", "two\nlines"]
)
def test_a_harmless_cell_stays_as_it_is(cell: str) -> None:
    assert inert(cell) == cell


@given(st.text(max_size=20))
def test_no_line_of_a_cell_made_inert_begins_a_formula(cell: str) -> None:
    safe = inert(cell)
    assert safe.removeprefix("'") == cell.removeprefix("'")
    assert not safe.lstrip().startswith(("=", "+", "-", "@"))
