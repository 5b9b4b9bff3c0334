"""An extract gives whole tenancies or none, and every row of it is accounted for."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from intake_files import FIELD, HEADINGS, MARSH

from nudge.base.columns import Kind
from nudge.base.errors import Refused
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.extract import Extract, Person, Tenancy, read_extract
from nudge.intake.mapping import ColumnMapping
from nudge.intake.rejects import LIMIT
from nudge.intake.responses import read_responses
from nudge.intake.suppression import read_suppression

Write = Callable[..., Path]
MONEY = {"arrears": Kind.MONEY}


def read(path: Path, kinds: dict[str, Kind] | None = None, **options: object) -> Extract:
    return read_extract(path, MONEY if kinds is None else kinds, None, **options)


def tenancies(path: Path, kinds: dict[str, Kind] | None = None) -> list[Tenancy]:
    with read(path, kinds) as extract:
        assert extract.rejects == ()
        return list(extract.tenancies())


def rejected(path: Path, kinds: dict[str, Kind] | None = None) -> list[tuple[int, str, str]]:
    with read(path, kinds) as extract:
        return [(one.row, one.heading, one.code) for one in extract.rejects]


def test_a_tenancy_is_all_that_its_row_says(write: Write) -> None:
    headings = (
        *HEADINGS,
        "UPRN",
        "Pay Ref",
        "Telephone",
        "Mobile",
        "Preferred Lang",
        "Pref Format",
        "Stage",
        "Court Date",
    )
    row = (
        *FIELD,
        "100061234567",
        "900101",
        "01323 496000",
        "07700 900123",
        "Welsh",
        "large print",
        "first letter",
        "46349",
    )
    kinds = {"arrears": Kind.MONEY, "stage": Kind.TEXT, "court_date": Kind.DATE}
    (tenancy,) = tenancies(write([headings, row]), kinds)
    assert tenancy == Tenancy(
        reference="000101",
        rows=(2,),
        people=(Person("Mrs", "Ann", "Field"),),
        address=("1 Mill Lane", "Hailsham", "BN27 1AA"),
        post_to=("1 Mill Lane", "Hailsham", "BN27 1AA"),
        uprn="100061234567",
        payment_reference="900101",
        telephones=("01323 496000", "07700 900123"),
        language="Welsh",
        format="large print",
        values={"arrears": 15000, "stage": "first letter", "court_date": date(2026, 11, 23)},
        wishes=(("Welsh", "large print"),),
    )


def test_i9_a_blank_cell_is_missing_and_never_no_or_nought(write: Write) -> None:
    headings = (*HEADINGS, "Agreement", "Court Date", "Wks In Arrs", "Stage")
    kinds = {
        **MONEY,
        "agreement": Kind.FLAG,
        "court_date": Kind.DATE,
        "weeks_in_arrears": Kind.NUMBER,
        "stage": Kind.TEXT,
    }
    (tenancy,) = tenancies(write([headings, (*FIELD[:-1], "", "", "", " ", "")]), kinds)
    assert set(tenancy.values) == set(kinds)
    assert set(tenancy.values.values()) == {None}


@pytest.mark.parametrize(
    ("text", "pence"),
    [
        ("£1,234.50 CR", -123450),
        ("(12.00)", -1200),
        ("-12", -1200),
        ("1,234.5", 123450),
        ("£0.00", 0),
        ("12.00-", -1200),
    ],
)
def test_credit_is_negative_however_it_is_written(write: Write, text: str, pence: int) -> None:
    (tenancy,) = tenancies(write([HEADINGS, (*FIELD[:-1], text)]))
    assert tenancy.values == {"arrears": pence}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("23/11/2026", date(2026, 11, 23)),
        ("23/11/26", date(2026, 11, 23)),
        ("2026-11-23", date(2026, 11, 23)),
        ("23 Nov 2026", date(2026, 11, 23)),
        ("23-Nov-26", date(2026, 11, 23)),
        ("23.11.2026 09:30", date(2026, 11, 23)),
        ("46349", date(2026, 11, 23)),
        ("04/03/2026", date(2026, 3, 4)),
        ("31/12/1899", None),
    ],
)
def test_dates_are_read_day_first_and_as_serial_numbers(write: Write, text: str, day: date | None) -> None:
    (tenancy,) = tenancies(write([(*HEADINGS, "Court Date"), (*FIELD, text)]), {"court_date": Kind.DATE})
    assert tenancy.values == {"court_date": day}


def test_two_rows_of_one_reference_are_joint_tenants(write: Write) -> None:
    joint = (FIELD[0], "Mr", "Tom", "Reed", *FIELD[4:])
    (tenancy,) = tenancies(write([HEADINGS, FIELD, joint]))
    assert [person.name for person in tenancy.people] == ["Mrs Ann Field", "Mr Tom Reed"]
    assert tenancy.rows == (2, 3)


def test_each_joint_tenant_has_the_language_and_format_of_their_own_row(write: Write) -> None:
    headings = (*HEADINGS, "Preferred Language", "Preferred Format")
    joint = (FIELD[0], "Mr", "Tom", "Reed", *FIELD[4:])
    rows = [(*FIELD, "Welsh", ""), (*joint, "", "Braille"), (*FIELD, "", "LP")]
    (tenancy,) = tenancies(write([headings, *rows]))
    assert [person.surname for person in tenancy.people] == ["Field", "Reed"]
    assert tenancy.wishes == (("Welsh", "LP"), (None, "Braille"))


@pytest.mark.parametrize(
    ("wishes", "heading"), [(("Welsh", "LP"), "Preferred Format"), (("Polish", "Braille"), "Preferred Language")]
)
def test_one_person_with_two_different_wishes_is_set_aside(write: Write, wishes: tuple[str, str], heading: str) -> None:
    headings = (*HEADINGS, "Preferred Language", "Preferred Format")
    conflict = RowCode.TENANCY_CONFLICT.slug
    path = write([headings, (*FIELD, "Welsh", "Braille"), (*FIELD, *wishes)])
    assert rejected(path) == [(2, heading, conflict), (3, heading, conflict)]


def test_two_people_in_one_cell_are_joint_tenants(write: Write) -> None:
    headings = ("Tenancy Ref", "Tenant Name", *HEADINGS[4:])
    (tenancy,) = tenancies(write([headings, ("000101", "Mr A & Mrs B Field", *FIELD[4:])]))
    assert [person.salutation for person in tenancy.people] == ["Mr Field", "Mrs Field"]


def test_a_second_set_of_name_columns_is_a_joint_tenant(write: Write) -> None:
    headings = (*HEADINGS, "Title 2", "Forename 2", "Surname 2")
    one, two = tenancies(write([headings, (*FIELD, "Mr", "Tom", "Reed"), (*MARSH, "", "", "")]))
    assert [person.name for person in one.people] == ["Mrs Ann Field", "Mr Tom Reed"]
    assert len(two.people) == 1


def test_a_joint_tenant_named_in_both_rows_is_one_person(write: Write) -> None:
    headings = (*HEADINGS, "Joint Tenant")
    rows = [(*FIELD, "Mr Tom Reed"), (FIELD[0], "Mr", "Tom", "Reed", *FIELD[4:], "Mrs Ann Field")]
    (tenancy,) = tenancies(write([headings, *rows]))
    assert [person.name for person in tenancy.people] == ["Mrs Ann Field", "Mr Tom Reed"]


def test_a_flag_for_joint_tenants_is_met_by_a_second_row(write: Write) -> None:
    headings = (*HEADINGS, "Joint Tenant")
    rows = [(*FIELD, "Y"), (FIELD[0], "Mr", "Tom", "Reed", *FIELD[4:], "Y"), (*MARSH, "N")]
    one, two = tenancies(write([headings, *rows]))
    assert (len(one.people), len(two.people)) == (2, 1)


def test_a_row_that_says_the_same_again_is_counted_once(write: Write) -> None:
    with read(write([HEADINGS, FIELD, MARSH, FIELD, FIELD])) as extract:
        assert (extract.rows, extract.accepted, extract.rejected) == (4, 2, 0)
        assert (dict(extract.dropped), extract.count) == ({"duplicate": 2}, 2)
        assert [tenancy.rows for tenancy in extract.tenancies()] == [(2, 4, 5), (3,)]


def test_one_tenant_may_hold_two_tenancies(write: Write) -> None:
    assert len(tenancies(write([HEADINGS, FIELD, ("000102", *FIELD[1:])]))) == 2


def test_a_blank_beside_a_filled_cell_is_no_contradiction(write: Write) -> None:
    joint = (FIELD[0], "Mr", "Tom", "Reed", *FIELD[4:7], "")
    (tenancy,) = tenancies(write([HEADINGS, joint, FIELD]))
    assert tenancy.values == {"arrears": 15000}


@pytest.mark.parametrize(
    ("change", "heading"),
    [({7: "151.00"}, "Current Bal"), ({4: "3 Mill Lane"}, "Addr1"), ({6: "BN27 1AB"}, "Addr1")],
)
def test_rows_of_one_tenancy_that_disagree_are_all_set_aside(
    write: Write, change: dict[int, str], heading: str
) -> None:
    other = [change.get(index, cell) for index, cell in enumerate((FIELD[0], "Mr", "Tom", "Reed", *FIELD[4:]))]
    path = write([HEADINGS, FIELD, other, MARSH])
    conflict = RowCode.TENANCY_CONFLICT.slug
    assert rejected(path) == [(2, heading, conflict), (3, heading, conflict)]


@pytest.mark.parametrize("bad", [("", "", "", ""), ("2 Mill Lane",)])
def test_i1_a_joint_tenancy_is_never_written_to_in_part(write: Write, bad: tuple[str, ...]) -> None:
    """A row without an address, or a ragged one, takes the other row of its tenancy with it."""
    path = write([HEADINGS, FIELD, (FIELD[0], "Mr", "Tom", "Reed", *bad), MARSH])
    with read(path) as extract:
        assert [one.row for one in extract.rejects][:1] == [2]
        assert extract.rejects[0].code == RowCode.TENANCY_PART_REJECTED.slug
        assert [tenancy.reference for tenancy in extract.tenancies()] == ["000102"]


def test_letters_go_to_a_correspondence_address(write: Write) -> None:
    headings = (*HEADINGS, "Corr Addr1", "Corr Addr2", "Corr Addr3", "Corr Postcode")
    rows = [(*FIELD, "c/o Mrs Reed", "9 Dyke Road", "Lewes", "BN7 1AA"), (*MARSH, "", "", "", "")]
    one, two = tenancies(write([headings, *rows]))
    assert one.address == ("1 Mill Lane", "Hailsham", "BN27 1AA")
    assert one.post_to == ("c/o Mrs Reed", "9 Dyke Road", "Lewes", "BN7 1AA")
    assert two.post_to == two.address


def test_a_spoilt_correspondence_address_is_never_passed_over(write: Write) -> None:
    headings = (*HEADINGS, "Corr Addr1", "Corr Addr2", "Corr Postcode")
    path = write([headings, (*FIELD, "9 Dyke Road", "Lewes", "")])
    assert rejected(path) == [(2, "Corr Postcode", RowCode.ADDRESS_NO_POSTCODE.slug)]


def test_an_address_may_stand_in_one_cell(write: Write) -> None:
    headings = (*HEADINGS[:4], "Address", "Current Bal")
    (tenancy,) = tenancies(write([headings, (*FIELD[:4], "1 Mill Lane, Hailsham, BN27 1AA", "1")]))
    assert tenancy.address == ("1 Mill Lane", "Hailsham", "BN27 1AA")


@pytest.mark.parametrize(
    ("references", "lost"),
    [
        (["000101", "000102", "103"], ["103"]),
        (["000101", "000102", "000103", "104", "1045"], ["104", "1045"]),
        (["000101", "123456", "000102", "1234"], ["1234"]),
        (["101", "1022", "10333"], []),
        (["T101", "T1022", "000103"], []),
        (["000101", "102", "103"], []),
        (["000101", "000102", "0103"], []),
        (["000101", "000102", "1234567"], []),
    ],
)
def test_references_shorter_than_a_padded_column_have_lost_their_zeros(
    write: Write, references: list[str], lost: list[str]
) -> None:
    path = write([HEADINGS, *((reference, *FIELD[1:]) for reference in references)])
    with read(path) as extract:
        assert [one.cell for one in extract.rejects] == lost
        assert {one.code for one in extract.rejects} <= {RowCode.REFERENCE_ZEROS.slug}
        assert {tenancy.reference for tenancy in extract.tenancies()} == set(references) - set(lost)


def test_numbers_of_several_lengths_are_told_for_zeros_may_be_lost_everywhere(write: Write) -> None:
    with read(write([HEADINGS, ("101", *FIELD[1:]), ("1022", *MARSH[1:])])) as extract:
        (note,) = extract.notes
    assert "4 digits ×1, 3 digits ×1" in note


@pytest.mark.parametrize("reference", ["12E4", "T/0001", "0001-A", "ÉÉ1", "HSG 0001 2"])
def test_a_reference_is_text_and_stays_as_written(write: Write, reference: str) -> None:
    (tenancy,) = tenancies(write([HEADINGS, (reference, *FIELD[1:])]))
    assert tenancy.reference == reference


def test_a_reference_wrapped_against_excel_is_unwrapped(write: Write) -> None:
    (tenancy,) = tenancies(write([HEADINGS, ('="000101"', *FIELD[1:])]))
    assert tenancy.reference == "000101"


def test_a_numeric_cell_of_a_workbook_is_a_reference_only_if_whole(workbook: Write) -> None:
    rows = [[101, *FIELD[1:]], [102.5, *MARSH[1:]], [1.0e18, *MARSH[1:]]]
    with read(workbook({"List": [HEADINGS, *rows]})) as extract:
        assert [tenancy.reference for tenancy in extract.tenancies()] == ["101"]
        assert [one.code for one in extract.rejects] == [
            *(RowCode.REFERENCE_DECIMAL.slug, RowCode.REFERENCE_SCIENTIFIC.slug),
        ]


def test_tenancies_come_in_order_of_reference_as_often_as_asked(write: Write) -> None:
    rows = [(reference, *FIELD[1:]) for reference in ("b", "A", "10", "9", "é")]
    with read(write([HEADINGS, *rows])) as extract:
        first = [tenancy.reference for tenancy in extract.tenancies()]
        assert first == [tenancy.reference for tenancy in extract.tenancies()] == sorted(first)


@pytest.mark.parametrize(
    ("name", "above", "day"),
    [
        ("week.csv", "Run date: 23/11/2026 09:31", date(2026, 11, 23)),
        ("week.csv", "Arrears as at 23 November 2026", date(2026, 11, 23)),
        ("arrears_2026-11-23.csv", "Arrears report", date(2026, 11, 23)),
        ("arrears_20261123.csv", "Arrears report", date(2026, 11, 23)),
        ("arrears_2026-11-16.csv", "Run date: 23/11/2026", date(2026, 11, 23)),
        ("week.csv", "Arrears report", None),
        ("week48_2026.csv", "Page 1", None),
    ],
)
def test_the_day_of_an_extract_is_what_it_says_itself(write: Write, name: str, above: str, day: date | None) -> None:
    with read(write([(above,), HEADINGS, FIELD], name=name)) as extract:
        assert extract.as_of == day


def test_two_days_in_the_title_lines_are_none(write: Write) -> None:
    with read(write([("Run date: 23/11/2026",), ("Balance as at 22/11/2026",), HEADINGS, FIELD])) as extract:
        assert extract.as_of is None


def test_columns_learnt_once_are_used_again(write: Write) -> None:
    headings = ("Cyf", "Title", "Forename", "Surname", "Addr1", "Addr2", "Postcode", "Dyled")
    path = write([headings, FIELD])
    with pytest.raises(Refused) as refusal:
        read(path)
    assert [problem.code for problem in refusal.value.problems] == [FileCode.HEADING_ABSENT.slug] * 2
    said = ColumnMapping("extract", {"reference": "Cyf", "arrears": "dyled"})
    with read_extract(path, MONEY, said) as extract:
        learnt = extract.mapping
        assert learnt.columns["arrears"] == "Dyled"
    with read_extract(path, MONEY, learnt) as extract:
        assert extract.count == 1


def test_a_declared_column_that_is_ours_too_must_be_there(write: Write) -> None:
    with pytest.raises(Refused, match="a column for uprn"):
        read(write([HEADINGS, FIELD]), {"uprn": Kind.TEXT})
    (tenancy,) = tenancies(write([(*HEADINGS, "UPRN"), (*FIELD, "123")]), {"uprn": Kind.TEXT})
    assert (tenancy.uprn, tenancy.values) == ("123", {"uprn": "123"})


def test_one_month_first_date_refuses_the_whole_file(write: Write) -> None:
    path = write([(*HEADINGS, "Court Date"), (*FIELD, "04/03/2026"), (*MARSH, "03/25/2026")])
    with pytest.raises(Refused) as refusal:
        read(path, {"court_date": Kind.DATE})
    assert [problem.code for problem in refusal.value.problems] == [FileCode.DATES_MONTH_FIRST.slug]


def test_too_many_rejects_are_one_fault(write: Write) -> None:
    with pytest.raises(Refused) as refusal:
        read(write(",".join(HEADINGS) + "\n" + "x\n" * (LIMIT + 1)))
    assert [problem.code for problem in refusal.value.problems] == [FileCode.TOO_MANY_REJECTS.slug]
    assert "the number of cells most often" in str(refusal.value)


# The waiting place


def test_i12_rows_wait_in_a_private_folder_that_goes_when_closed(write: Write, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    extract = read(write([HEADINGS, FIELD]), spool=spool)
    (folder,) = spool.iterdir()
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    extract.close()
    extract.close()
    assert list(spool.iterdir()) == []
    with pytest.raises(ValueError, match="read it again"):
        list(extract.tenancies())


def test_i12_rows_go_when_nobody_holds_them_any_more(write: Write, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    extract = read(write([HEADINGS, FIELD]), spool=spool)
    del extract
    assert list(spool.iterdir()) == []


def test_i12_rows_go_when_the_file_is_refused_half_way(write: Write, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with pytest.raises(Refused):
        read(write(",".join(HEADINGS) + '\n000101,"Mrs'), spool=spool)
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize(
    "heading", ["Person Ref", "Staff No", "Enquiry Ref", "Member No", "Appointment Ref", "Customer Ref", "Volunteer No"]
)
def test_a_unit_that_is_no_tenancy_goes_by_the_reference_of_its_own_list(write: Write, heading: str) -> None:
    """In the extract, on the suppression list and in the log of what came back."""
    people = write(((heading, *HEADINGS[1:-1], "Street"), (*FIELD[:-1], "Mill Lane"), (*MARSH[:-1], "Mill Lane")))
    assert [one.reference for one in tenancies(people, {"street": Kind.TEXT})] == ["000101", "000102"]
    stop = write(((heading, "Reason"), ("000102", "Do not contact")), "stop.csv")
    assert read_suppression(stop, dated=date(2026, 12, 7)).reasons("000102", date(2026, 12, 7)) == ("do_not_contact",)
    log = write((("Date", "Direction", "Reason", heading), ("2026-12-14", "in", "interest", "000101")), "log.csv")
    [row] = read_responses(log, kind="contacts").records()
    assert row.tenancy_reference == "000101"
