"""Last year's letters: one row for each tenancy, to a cut that is stated or shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from nudge.base.columns import Kind
from nudge.base.errors import Refused
from nudge.intake.history import History, HistoryRow, read_history
from nudge.intake.mapping import ColumnMapping

Write = Callable[..., Path]
HEADINGS = "Tenancy Ref,Household,Letter Date,Current Bal,Agreed On,contact_on,Payment Date,replied_on\n"
KINDS = {"arrears": Kind.MONEY}


def read(path: Path, **options: object) -> History:
    return read_history(path, KINDS, None, **options)


def test_a_row_is_a_tenancy_its_letter_its_values_and_its_first_events(write: Write) -> None:
    with read(
        write(HEADINGS + "000102,H1,02/02/2026,£20.00,,,,\n000101,H1,01/02/2026,,03/02/2026,,05/02/2026,\n")
    ) as history:
        assert list(history.rows()) == [
            HistoryRow(
                reference="000101",
                household="H1",
                letter_on=date(2026, 2, 1),
                values={"arrears": None},
                events={"agreed": date(2026, 2, 3), "payment": date(2026, 2, 5)},
            ),
            HistoryRow("000102", "H1", date(2026, 2, 2), {"arrears": 2000}, {}),
        ]
        assert list(history.rows()) == list(history.rows())
        assert history.event_kinds == ("agreed", "contact", "payment", "replied")
        assert history.has_household


def test_the_cut_is_the_latest_date_and_is_told_unless_the_cover_is_stated(write: Write) -> None:
    path = write(HEADINGS + "000101,H1,01/02/2026,1,03/02/2026,,,\n")
    with read(path) as history:
        assert (history.cut, history.cut_stated) == (date(2026, 2, 3), False)
        assert "2026-02-03" in history.notes[-1]
    with read(path, covers=(date(2026, 1, 1), date(2026, 6, 30))) as history:
        assert (history.cut, history.cut_stated, history.notes) == (date(2026, 6, 30), True, ())


def test_a_letter_outside_the_cover_refuses_the_file_with_the_count(write: Write) -> None:
    path = write(HEADINGS + "000101,H1,01/02/2026,1,,,,\n000102,H1,01/02/2025,1,,,,\n")
    with pytest.raises(Refused, match="outside: 1 of 2 rows"):
        read(path, covers=(date(2026, 1, 1), date(2026, 6, 30)))


def test_without_a_household_column_there_are_no_households(write: Write) -> None:
    with read(write("Tenancy Ref,Letter Date\n000101,01/02/2026\n")) as history:
        assert not history.has_household
        assert [row.household for row in history.rows()] == [None]


def test_a_declared_column_that_the_history_lacks_is_missing_and_not_refused(write: Write) -> None:
    with read(write("Tenancy Ref,Letter Date\n000101,01/02/2026\n")) as history:
        assert [row.values for row in history.rows()] == [{"arrears": None}]


def test_the_same_row_twice_is_one_tenancy(write: Write) -> None:
    row = "000101,H1,01/02/2026,1,,,,\n"
    with read(write(HEADINGS + row + row + "Total,,,1,,,,\n\n")) as history:
        assert (history.length, history.accepted, history.rejected) == (4, 1, 0)
        assert dict(history.dropped) == {"duplicate": 1, "total": 1, "blank": 1}


def test_columns_may_be_said(write: Write) -> None:
    mapping = ColumnMapping("history", {"letter_on": "Llythyr", "contact_on": "Cysylltu"})
    path = write("Tenancy Ref,Llythyr,Cysylltu\n000101,01/02/2026,02/02/2026\n")
    with read_history(path, KINDS, mapping) as history:
        assert [row.events for row in history.rows()] == [{"contact": date(2026, 2, 2)}]


def test_i12_the_waiting_rows_go_when_closed(write: Write, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with read(write("Tenancy Ref,Letter Date\n000101,01/02/2026\n"), spool=spool):
        assert len(list(spool.iterdir())) == 1
    assert list(spool.iterdir()) == []
