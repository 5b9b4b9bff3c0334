"""I4: the suppression list is read whole or not at all, and holds whom it names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.intake.codes import FileCode
from nudge.intake.mapping import ColumnMapping
from nudge.intake.suppression import SuppressionList, read_suppression

Write = Callable[..., Path]
DATED = date(2026, 11, 20)
ON = date(2026, 11, 23)


def read(path: Path) -> SuppressionList:
    return read_suppression(path, dated=DATED)


def test_i4_an_entry_holds_from_its_first_day_to_its_last(write: Write) -> None:
    found = read(write("reference,reason,from,until\n000101,breathing_space,01/11/2026,30/11/2026\n"))
    assert (found.dated, len(found.entries)) == (DATED, 1)
    days = (date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1))
    assert [found.reasons("000101", day) for day in days] == [(), ("breathing_space",), ("breathing_space",), ()]


def test_a_blank_from_is_always_and_a_blank_until_has_no_end(write: Write) -> None:
    found = read(write("reference,reason,from,until\n000101,deceased,,\n"))
    assert found.reasons("000101", date.min) == found.reasons("000101", date.max) == ("deceased",)


@pytest.mark.parametrize("reason", ["Breathing Space", "breathing-space", " BREATHING  SPACE ", "breathing_space"])
def test_reasons_are_one_however_they_are_written(write: Write, reason: str) -> None:
    assert read(write(f"reference,reason\n000101,{reason}\n")).reasons("000101", ON) == ("breathing_space",)


def test_all_reasons_in_force_are_given_once_each(write: Write) -> None:
    rows = "000101,do_not_contact,,\n000101,breathing_space,,\n000101,breathing_space,01/11/2026,\n000102,deceased,,\n"
    found = read(write("reference,reason,from,until\n" + rows))
    assert found.reasons("000101", ON) == ("breathing_space", "do_not_contact")
    assert found.reasons("000103", ON) == ()


@pytest.mark.parametrize("asked", ["T 101", "t101", "T101 "])
def test_i4_a_reference_is_held_whatever_its_case_and_spaces(write: Write, asked: str) -> None:
    assert read(write("reference,reason\nt 101,deceased\n")).reasons(asked, ON) == ("deceased",)


def test_references_of_an_unknown_form_are_kept_as_text(write: Write) -> None:
    found = read(write("reference,reason\nHSG/0001/é,deceased\n12E4,deceased\n"))
    assert [entry.reference for entry in found.entries] == ["HSG/0001/é", "12E4"]


def test_a_list_of_headings_alone_is_good_and_has_no_entries(write: Write) -> None:
    found = read(write("reference,reason,from,until\n"))
    assert found.entries == ()


def test_a_list_that_is_no_list_is_refused(write: Write) -> None:
    with pytest.raises(Refused) as refusal:
        read(write(""))
    assert refusal.value.problems[0].code == FileCode.FILE_EMPTY.slug


def test_i4_one_row_at_fault_refuses_the_list_with_every_fault_at_once(write: Write) -> None:
    rows = "1.00E+11,deceased,,\n000102,,,\n000103,deceased,soon,\n000104,deceased,02/02/2026,01/02/2026\n000105\n"
    with pytest.raises(Refused) as refusal:
        read(write("reference,reason,from,until\n" + rows))
    assert {problem.code for problem in refusal.value.problems} == {
        FileCode.SUPPRESSION_REFERENCE.slug,
        FileCode.REASON_BLANK.slug,
        FileCode.SUPPRESSION_ROW.slug,
        FileCode.SUPPRESSION_ENDS_FIRST.slug,
    }


def test_i4_a_reference_that_lost_its_zeros_refuses_the_list(write: Write) -> None:
    with pytest.raises(Refused, match="row 4: reference has lost its leading zeros"):
        read(write("reference,reason\n000101,deceased\n000102,deceased\n103,deceased\n"))


def test_the_insolvency_portals_headings_and_a_learnt_mapping_serve(write: Write) -> None:
    path = write("Tenancy Ref,Case,Moratorium,Ends\n000101,Breathing Space,01/11/2026,30/12/2026\n")
    mapping = ColumnMapping("suppression", {"reason": "Case", "from": "Moratorium", "until": "Ends"})
    found = read_suppression(path, dated=DATED, mapping=mapping)
    assert found.reasons("000101", ON) == ("breathing_space",)
    assert found.mapping.columns["until"] == "Ends"


def test_i4_a_list_that_lost_the_zeros_of_every_reference_is_refused_at_its_rows(write: Write) -> None:
    found = read(write("reference,reason\n1016,deceased\n00001017,deceased\n1018,deceased\nX1,deceased\n"))
    with pytest.raises(Refused) as refusal:
        found.check_zeros(["00001016", "00001017", "00001018", "00001019"])
    [problem] = refusal.value.problems
    assert problem.code == FileCode.SUPPRESSION_REFERENCE.slug
    assert "rows 2 and 4" in problem.expected
    found.check_zeros(["00001017", "00001019", "1016", "00001016", "T1018"])  # nobody's but its own


def test_totals_and_blank_lines_are_no_entries(write: Write) -> None:
    found = read(write("Suppression list,,\nreference,reason,from\n000101,deceased,\n\n,,\nTotal: 1,,\n"))
    assert len(found.entries) == 1
