"""Columns are found by their words, asked for where unclear, and learnt once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nudge.base.columns import Kind
from nudge.base.errors import Refused
from nudge.intake.codes import FileCode
from nudge.intake.headings import DECLARED, HISTORY, RESPONSES, SUPPRESSION, TENANCY, declared, words_of
from nudge.intake.mapping import ColumnMapping, Wanted, column_option, load_mappings, save_mappings, suggest
from nudge.intake.reader import plain_heading

# A housing system's own headings, and those of an open data set of the same kind.
EXPORT = (
    *("Tenancy Ref", "Pay Ref", "UPRN", "Title", "Forename", "Surname", "Joint Tenant", "Addr1", "Addr2", "Addr3"),
    *("Addr4", "Postcode", "Current Bal", "Weekly Rent", "Wks In Arrs", "Last Pay Dt", "Last Pay Amt", "HB/UC", "APA"),
    *("DD", "Patch", "Ward", "Stage", "NOSP Served", "Agreement", "Court Date", "Vacated", "Vuln Flag", "DNC"),
    *("Telephone", "Mobile", "Preferred Lang", "Pref Format", "Corr Addr1", "Corr Addr2", "Corr Postcode"),
)
KINDS = {
    "arrears": Kind.MONEY,
    "weeks_in_arrears": Kind.NUMBER,
    "stage": Kind.TEXT,
    "patch": Kind.TEXT,
    "agreement": Kind.FLAG,
    "nosp_served": Kind.FLAG,
    "court_date": Kind.DATE,
    "vacated": Kind.FLAG,
}


def problems_of(headings: tuple[str, ...], *wanted: Wanted, learnt: ColumnMapping | None = None) -> list[str]:
    with pytest.raises(Refused) as refusal:
        suggest(headings, wanted, file_kind="extract", learnt=learnt)
    return [problem.code for problem in refusal.value.problems]


def test_the_headings_of_housing_systems_are_known() -> None:
    found = suggest(EXPORT, (*TENANCY, *declared(KINDS)), file_kind="extract").columns
    assert found["reference"] == "Tenancy Ref"
    assert found["payment_reference"] == "Pay Ref"
    assert [found[f"address_{number}"] for number in (1, 4)] == ["Addr1", "Addr4"]
    assert (found["post_address_1"], found["post_postcode"]) == ("Corr Addr1", "Corr Postcode")
    assert found["name_2"] == "Joint Tenant"
    assert (found["arrears"], found["weeks_in_arrears"], found["court_date"]) == (
        *("Current Bal", "Wks In Arrs", "Court Date"),
    )
    assert set(KINDS) < set(found)


@pytest.mark.parametrize(
    "headings",
    [
        ("Title 2", "Forename 2", "Surname 2"),
        ("Joint Title", "Joint Forename", "Joint Surname"),
        ("JT Title", "JT Initials", "JT Surname"),
    ],
)
def test_a_second_set_of_names_is_a_joint_tenant(headings: tuple[str, ...]) -> None:
    found = suggest((*EXPORT[:6], *headings), TENANCY, file_kind="extract").columns
    assert [found[f"{part}_2"] for part in ("title", "forename", "surname")] == list(headings)


def test_no_heading_stands_for_two_things_of_one_file() -> None:
    for file, weaker in ((TENANCY, False), (SUPPRESSION, True), (HISTORY, True)):
        words = [
            plain_heading(word)
            for one in file
            for word in {*map(plain_heading, (*one.words, *(one.weaker if weaker else ()), one.name))}
        ]
        assert len(words) == len(set(words)), sorted(word for word in words if words.count(word) > 1)


def test_every_kind_of_response_says_when_it_happened() -> None:
    for wanted in RESPONSES.values():
        assert next(one for one in wanted if one.name == "on").compulsory


def test_a_column_that_bears_our_own_name_is_taken_before_others() -> None:
    wanted = Wanted("arrears", Kind.MONEY, DECLARED["arrears"], compulsory=True)
    found = suggest(("Current Bal", "ARREARS"), [wanted], file_kind="extract")
    assert found.columns == {"arrears": "ARREARS"}


def test_between_two_that_fit_a_person_decides() -> None:
    wanted = Wanted("arrears", Kind.MONEY, DECLARED["arrears"], compulsory=True)
    headings = ("Current Bal", "Rent Arrears")
    assert problems_of(headings, wanted) == [FileCode.HEADING_UNCLEAR.slug]
    said = ColumnMapping("extract", {"arrears": "rent_arrears"})
    assert suggest(headings, [wanted], file_kind="extract", learnt=said).columns == {"arrears": "Rent Arrears"}


def test_a_plain_ref_is_the_reference_only_where_no_better_word_is_there() -> None:
    reference = next(one for one in TENANCY if one.name == "reference")
    assert suggest(("Ref", "Tenancy Ref"), [reference], file_kind="extract").columns["reference"] == "Tenancy Ref"
    assert suggest(("Ref", "Surname"), [reference], file_kind="extract").columns["reference"] == "Ref"


def test_all_columns_at_fault_are_named_at_once() -> None:
    wanted = (Wanted("arrears", compulsory=True), Wanted("stage", compulsory=True), Wanted("patch"))
    learnt = ColumnMapping("extract", {"patch": "Area"})
    assert problems_of(("Surname",), *wanted, learnt=learnt) == [
        *(FileCode.HEADING_ABSENT.slug, FileCode.HEADING_ABSENT.slug, FileCode.HEADING_GONE.slug),
    ]


def test_a_column_may_be_said_to_be_absent() -> None:
    said = ColumnMapping("extract", {"telephone": ""})
    found = suggest(("Telephone",), [Wanted("telephone", words=("Telephone",))], file_kind="extract", learnt=said)
    assert found.columns == {"telephone": ""}
    assert suggest(("Surname",), [Wanted("telephone", words=("Telephone",))], learnt=said).columns == {}


def test_a_learnt_column_that_is_gone_is_said_to_be_absent_once_and_found_when_it_is_back() -> None:
    wanted, learnt = Wanted("format", words=("Pref Format",)), ColumnMapping("extract", {"format": "Pref Format"})
    with pytest.raises(Refused) as refusal:
        suggest(("Surname",), [wanted], file_kind="extract", learnt=learnt)
    assert "--column format=." in str(refusal.value)
    gone = suggest(("Surname",), [wanted], file_kind="extract", learnt=ColumnMapping("extract", {"format": ""}))
    assert suggest(("Pref Format",), [wanted], learnt=gone).columns == {"format": "Pref Format"}


def test_what_another_experiment_learnt_stays_learnt() -> None:
    learnt = ColumnMapping("extract", {"rent": "Weekly Rent", "stage": "Stage"})
    found = suggest(("Stage",), [Wanted("stage", compulsory=True)], file_kind="extract", learnt=learnt)
    assert found.columns == {"rent": "Weekly Rent", "stage": "Stage"}


def test_learnt_columns_are_kept_in_a_private_file_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "columns.json"
    assert load_mappings(path) == {}
    learnt = {
        "extract": ColumnMapping("extract", {"reference": "Tenancy Ref", "surname": "Cyfenw"}),
        "payments": ColumnMapping("payments", {"on": "Dyddiad"}),
    }
    save_mappings(path, learnt)
    assert load_mappings(path) == learnt
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["[]", "{", '{"extract": 3}', '"x"'])
def test_a_spoilt_file_of_columns_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "columns.json"
    path.write_text(text)
    with pytest.raises(Refused) as refusal:
        load_mappings(path)
    assert refusal.value.problems[0].code == FileCode.MAPPING_UNREADABLE.slug


def test_a_column_option_is_a_name_and_a_heading() -> None:
    assert column_option('reference="Tenancy Ref"') == ("reference", "Tenancy Ref")
    assert column_option("reference=Ref = old") == ("reference", "Ref = old")
    assert column_option("telephone=") == ("telephone", "")
    with pytest.raises(Refused) as refusal:
        column_option("Tenancy Ref")
    assert refusal.value.problems[0].code == FileCode.COLUMN_OPTION_SHAPE.slug


def test_a_mapping_can_be_said_anew() -> None:
    learnt = ColumnMapping("extract", {"reference": "Ref"})
    assert learnt.with_columns({"reference": "Tenancy Ref"}).columns == {"reference": "Tenancy Ref"}
    assert learnt.columns == {"reference": "Ref"}


def test_words_begin_with_the_usual_one_of_each() -> None:
    assert words_of(SUPPRESSION)[:4] == ("Tenancy Ref", "Reason", "From", "Until")
