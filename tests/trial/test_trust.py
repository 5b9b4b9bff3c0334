"""Hostile rows in an extract are named by their row and stopped before anybody is drawn (I1, I4)."""

from __future__ import annotations

import csv
import os
from typing import Final

import pytest

from nudge.base.errors import Refused
from nudge.records.tables import AllocationRow, BatchRow
from tests.trial.conftest import Office, tenancy

ROWS: Final = 24 if "NUDGE_TRUST" not in os.environ else 400
HOSTILE: Final = (
    {"Surname": "<b>Bob</b>"},
    {"Surname": "{{ 7 * 7 }}"},
    {"Surname": "{% include 'letters/base.html' %}"},
    {"Surname": "שרה כהן"},
    {"Surname": "Bob 😀"},
    {"Addr1": "<script>alert(1)</script>"},
    {"Addr1": "محمد علي"},
    {"Addr2": "{{ council }}"},
    {"Addr1": " / ".join(f"line {number} of a note" for number in range(40))},
    {"Addr1": "No fixed abode"},
    {"Postcode": "not known"},
    {"Arrears": "1e9"},
)


def rows() -> list[dict[str, str]]:
    """Every second row is hostile, each in its own way."""
    return [tenancy(n, **(HOSTILE[(n // 2) % len(HOSTILE)] if n % 2 else {})) for n in range(1, ROWS + 1)]


def test_i4_every_hostile_row_is_named_before_the_draw_and_the_rest_may_go_on(office: Office) -> None:
    evil = set(range(2, ROWS + 2, 2))  # rows of the spreadsheet: the heading is row 1
    with pytest.raises(Refused):
        office.enrol(rows())
    assert office.rows(AllocationRow) == []
    assert office.rows(BatchRow) == []
    made = office.enrol(rows(), accept_good_rows=True)
    assert {one.row for one in made.rejects} == evil
    assert made.flow["allocated"] == ROWS - len(evil)
    assert made.rejects_file is not None
    listed = list(csv.DictReader(made.rejects_file.read_text("utf-8-sig").splitlines()))
    assert {int(row["row"]) for row in listed if row["row"]} == evil
