"""Responses are dated, of one kind, and inside the days that their file is said to cover."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.intake.mapping import ColumnMapping
from nudge.intake.responses import KINDS, ResponseRow, Responses, read_responses

Write = Callable[..., Path]
CONTACTS = "Date Time,Direction,Channel,Tenancy Ref,Phone,Name,Reason Code,Notes,Officer,Date Logged\n"


def rows(found: Responses) -> list[ResponseRow]:
    assert found.rejects == ()
    return list(found.records())


def test_a_contact_is_who_when_which_way_and_why(write: Write) -> None:
    path = write(
        CONTACTS + "01/12/2026 09:30,Inbound,phone,000101,07700 900123,Mrs A Field,Rent,called,AB,02/12/2026\n"
    )
    found = read_responses(path)
    assert (found.kind, found.proposed_covers, found.covers) == ("contacts", (date(2026, 12, 1),) * 2, None)
    assert (
        rows(found)
        == rows(found)
        == [
            ResponseRow(
                row=2,
                kind="contacts",
                on=date(2026, 12, 1),
                tenancy_reference="000101",
                payment_reference=None,
                letter_reference=None,
                telephone="07700 900123",
                surname="Field",
                uprn=None,
                values={"direction": "in", "channel": "phone", "reason": "Rent"},
                logged_on=date(2026, 12, 2),
            )
        ]
    )


def test_a_contact_without_any_reference_stays_for_review(write: Write) -> None:
    (row,) = rows(read_responses(write(CONTACTS + "01/12/2026,in,phone,,,,rent,,,\n")))
    assert (row.tenancy_reference, row.telephone, row.surname) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "surname"),
    [
        ("Mrs A Field", "Field"),
        ("Mr & Mrs Field", "Field"),
        ("Mr A Field & Ms B Marsh", None),
        ("her daughter (Jo)", None),
    ],
)
def test_a_surname_is_taken_from_a_name_only_where_it_is_certain(write: Write, name: str, surname: str | None) -> None:
    (row,) = rows(read_responses(write(CONTACTS + f"01/12/2026,in,phone,,07700 900123,{name},rent,,,\n")))
    assert row.surname == surname


@pytest.mark.parametrize(
    ("word", "direction"), [("IN", "in"), ("Incoming", "in"), ("outbound", "out"), ("", None), ("Internal", "internal")]
)
def test_i9_directions_have_one_word_each_and_blank_is_not_in(write: Write, word: str, direction: str | None) -> None:
    (row,) = rows(read_responses(write(CONTACTS + f"01/12/2026,{word},phone,000101,,,rent,,,\n")))
    assert row.values["direction"] == direction


def test_a_payment_of_a_plain_ref_is_looked_up_as_either_reference(write: Write) -> None:
    (row,) = rows(read_responses(write("Ref,Post Date,Type Code,Amount\n000101,01/12/2026,card,50.00\n")))
    assert (row.tenancy_reference, row.payment_reference) == ("000101", "000101")
    assert row.values == {"amount": 5000, "code": "card"}


def test_payments_written_as_credits_are_money_received_and_that_is_told(write: Write) -> None:
    found = read_responses(
        write("Ref,Post Date,Type Code,Amount\n000101,01/12/2026,card,50.00 CR\n2,01/12/2026,card,(1)\n")
    )
    assert [row.values["amount"] for row in rows(found)] == [5000, 100]
    assert "money received" in found.notes[-1]


def test_a_reversal_among_payments_stays_negative(write: Write) -> None:
    text = "Ref,Post Date,Type Code,Amount\n1,01/12/2026,card,50\n2,02/12/2026,card,9\n2,03/12/2026,card,-9\n"
    assert [row.values["amount"] for row in rows(read_responses(write(text)))] == [5000, 900, -900]


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("Letter Ref,Date Returned,Reason\nNX7-4QF2,01/12/2026,gone away\n", "returned", {"reason": "gone away"}),
        ("Tenancy Ref,Complaint Date,Category\n000101,01/12/2026,letter\n", "complaints", {"reason": "letter"}),
        ("Tenancy Ref,Date,What\n000101,01/12/2026,Moved out\n", "moved", {"what": "vacated"}),
        ("Tenancy Ref,Date,What\n000101,01/12/2026,Died\n", "moved", {"what": "deceased"}),
        ("Tenancy Ref,Moratorium Start,End Date\n000101,01/12/2026,\n", "breathing_space", {"until": None}),
        ("Tenancy Ref,As At,Current Bal\n000101,01/12/2026,£20.00 CR\n", "rent_accounts", {"arrears": -2000}),
    ],
)
def test_the_kind_is_known_by_headings_that_no_other_kind_has(
    write: Write, text: str, kind: str, values: dict[str, object]
) -> None:
    found = read_responses(write(text))
    (row,) = rows(found)
    assert (found.kind, row.kind, row.values, row.on) == (kind, kind, values, date(2026, 12, 1))


def test_a_file_of_no_certain_kind_is_read_when_its_kind_is_said(write: Write) -> None:
    path = write("reference,start\n000101,01/12/2026\n")
    with pytest.raises(Refused, match="--kind"):
        read_responses(path)
    (row,) = rows(read_responses(path, kind="breathing_space"))
    assert row.tenancy_reference == "000101"


def test_a_kind_learnt_once_is_known_again(write: Write) -> None:
    path = write("Rhif,Dechrau\n000101,01/12/2026\n")
    learnt = {"breathing_space": ColumnMapping("breathing_space", {"tenancy_reference": "Rhif", "on": "Dechrau"})}
    assert read_responses(path, mapping=learnt).kind == "breathing_space"
    assert read_responses(path, kind="breathing_space", mapping=learnt["breathing_space"]).accepted == 1


def test_the_days_covered_are_proposed_from_the_rows_and_stated_by_the_officer(write: Write) -> None:
    path = write(CONTACTS + "03/12/2026,in,phone,1,,,rent,,,\n01/12/2026,in,phone,2,,,rent,,,\n")
    stated = (date(2026, 11, 30), date(2026, 12, 6))
    found = read_responses(path, covers=stated)
    assert found.covers == stated
    assert found.proposed_covers == (date(2026, 12, 1), date(2026, 12, 3))


def test_a_file_without_rows_covers_what_is_stated(write: Write) -> None:
    stated = (date(2026, 11, 30), date(2026, 12, 6))
    found = read_responses(write(CONTACTS), covers=stated)
    assert (found.rows, found.covers, found.proposed_covers) == (0, stated, None)


def test_rows_at_fault_are_set_aside_and_the_rest_is_kept(write: Write) -> None:
    path = write(CONTACTS + "01/12/2026,in,phone,1,,,rent,,,\nyesterday,in,phone,2,,,rent,,,\nTotal: 2,,,,,,,,,\n")
    found = read_responses(path)
    assert [row.row for row in found.records()] == [2]
    assert [(one.row, one.heading) for one in found.rejects] == [(3, "Date Time")]
    assert (found.rows, found.accepted, found.rejected, dict(found.dropped)) == (3, 1, 1, {"total": 1})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_said(write: Write, kind: str) -> None:
    headings = "Tenancy Ref,Letter Ref,Date,Direction,Amount,What,Balance\n"
    (row,) = rows(read_responses(write(headings + "000101,NX7-4QF2,01/12/2026,in,5.00,vacated,9.00\n"), kind=kind))
    assert row.kind == kind
