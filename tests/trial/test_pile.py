"""The printed pile: who comes out of it, where they lie, what went, and what is looked at before."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from nudge.base.errors import Refused
from nudge.documents.previews import page_count
from nudge.records.tables import PostingRow, RecipientRow
from nudge.trial.closing import erase
from nudge.trial.crib import make_crib
from nudge.trial.enrolment import enrol
from nudge.trial.gate import Listed
from nudge.trial.handle import open_trial
from nudge.trial.pile import pile_of
from nudge.trial.posting import correct_posting, undo_batch
from nudge.trial.reprints import reprint
from nudge.workspace import open_workspace
from tests.trial.conftest import (
    HEADINGS,
    HOUSEHOLDS,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    Office,
    as_csv,
    moment,
    tenancy,
)

BATCH = "out/wealden-arrears/batch-001"
IN_BREATHING_SPACE = "T000006,breathing_space,2026-12-08,\n"  # the joint tenancy: two letters


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def settings(office: Office, **values: str) -> Office:
    path = office.folder / "nudge.toml"
    text = path.read_text("utf-8")
    for key, value in values.items():
        line = next(line for line in text.splitlines() if line.lstrip("# ").startswith(f"{key} = "))
        text = text.replace(line, f"{key} = {value}")
    path.write_text(text, "utf-8")
    return office


def text_of(path: Path) -> str:
    pdf = pypdfium2.PdfDocument(path)
    return " ".join(page.get_textpage().get_text_range() for page in pdf).replace("\ufffe", "-").replace("\x02", "-")


def letters_of(office: Office, reference: str) -> set[str]:
    units = {unit for unit, name in _names(office).items() if name == reference}
    return {row.letter_reference for row in office.rows(PostingRow) if row.unit in units}


def _names(office: Office) -> Mapping[str, str]:
    return {row.unit: row.tenancy_reference for row in office.rows(RecipientRow)}


def test_i4_who_enters_breathing_space_between_print_and_post_is_named_where_their_letters_lie(
    lettered_office: Office,
) -> None:
    folder = lettered_office.folder / BATCH
    printed = {one.letter_reference: one for one in pile_of(folder)}
    assert [one.position for one in printed.values()] == list(range(1, HOUSEHOLDS + 2))
    wanted = letters_of(lettered_office, "T000006")
    dry = lettered_office.dispatch(on=WEDNESDAY, stop=IN_BREATHING_SPACE, dry_run=True)
    done = lettered_office.dispatch(on=WEDNESDAY, stop=IN_BREATHING_SPACE)
    assert set(done.pull) == wanted
    assert dry.lying == done.lying
    assert done.pull_list is not None
    for row in rows(done.pull_list):
        place = printed[row["letter_reference"]]
        assert row["file"] == "print-001.pdf"
        assert int(row["position"]) == place.position
        page = pypdfium2.PdfDocument(folder / row["file"])[int(row["first_page"]) - 1]
        said = page.get_textpage().get_text_range().replace("\ufffe", "-").replace("\x02", "-")
        assert row["letter_reference"] in said  # on the page that the list names
    assert "breathing" not in done.pull_list.read_text("utf-8").lower()  # whoever sorts the pile need not know why


def test_i4_print_files_made_again_leave_out_who_entered_breathing_space(lettered_office: Office) -> None:
    office, folder = lettered_office, lettered_office.folder / BATCH
    wanted = letters_of(office, "T000006")
    before = {one.letter_reference: str(one) for one in pile_of(folder)}
    listed = Listed(office.list(IN_BREATHING_SPACE, "fresh.csv"), TUESDAY)
    made = office.letters(on=TUESDAY, listed=listed)
    assert {one.letter_reference for one in made.taken_out} == wanted
    assert {str(one) for one in made.taken_out} == {before[reference] for reference in wanted}
    assert not wanted & {one.letter_reference for one in pile_of(folder)}
    assert not any(reference in text_of(folder / "print-001.pdf") for reference in wanted)
    assert not any((folder / "letters" / f"{reference}.pdf").exists() for reference in wanted)
    kept = {row["letter_reference"] for row in rows(folder / "taken-out.csv")}
    assert kept == wanted  # an earlier print file may lie in the tray already
    assert office.letters(on=TUESDAY, listed=listed).taken_out == ()
    assert {row["letter_reference"] for row in rows(folder / "taken-out.csv")} == wanted
    done = office.dispatch(on=WEDNESDAY, stop=IN_BREATHING_SPACE)
    assert (done.posted, done.pull) == (HOUSEHOLDS - 1, ())


def test_i4_a_letter_printed_again_is_named_there_too(lettered_office: Office) -> None:
    office, folder = lettered_office, lettered_office.folder / BATCH
    reprint(office.trial, 1, ["T000006"], today=TUESDAY, now=moment(TUESDAY))
    reprint(office.trial, 1, ["T000001"], today=TUESDAY, now=moment(TUESDAY))
    wanted = letters_of(office, "T000006")
    places = {"print-001.pdf", "again-2026-12-08-1/print-001.pdf"}
    dry = office.dispatch(on=WEDNESDAY, stop=IN_BREATHING_SPACE, dry_run=True)
    assert {(one.letter_reference, one.file) for one in dry.lying} == {(one, file) for one in wanted for file in places}
    for one in dry.lying:
        assert one.letter_reference in text_of(folder / one.file)
    # and print files made without them name both places, and leave no file of theirs to print
    made = office.letters(on=TUESDAY, listed=Listed(office.list(IN_BREATHING_SPACE, "fresh.csv"), TUESDAY))
    assert {(one.letter_reference, one.file) for one in made.taken_out} == {
        (one, file) for one in wanted for file in places
    }
    assert sorted(path.parent.name for path in folder.rglob("print-*.pdf")) == ["again-2026-12-08-2", "batch-001"]
    listed = Listed(office.list(IN_BREATHING_SPACE, "later.csv"), TUESDAY)
    assert office.letters(on=TUESDAY, listed=listed).taken_out == ()


def test_i4_a_print_house_gets_files_and_addresses_without_who_entered_breathing_space(drawn_office: Office) -> None:
    office, folder = settings(drawn_office, house='"docmail"'), drawn_office.folder / BATCH
    made = office.letters()
    assert [path.name for path in made.address_files] == ["print-001-addresses.csv"]
    wanted = letters_of(office, "T000006")
    again = office.letters(on=TUESDAY, listed=Listed(office.list(IN_BREATHING_SPACE, "fresh.csv"), TUESDAY))
    assert {one.letter_reference for one in again.taken_out} == wanted
    listed = rows(folder / "print-001-addresses.csv")
    assert [row["Custom1"] for row in listed] == [one.letter_reference for one in pile_of(folder)]
    assert not wanted & {row["Custom1"] for row in listed}
    assert page_count((folder / "print-001.pdf").read_bytes()) == sum(int(row["StreamPages1"]) for row in listed)
    undo_batch(office.trial, 1, now=moment(TUESDAY))
    assert not list(folder.glob("print-*"))


def test_a_letter_that_is_back_in_the_print_files_is_off_the_list_of_those_taken_out(lettered_office: Office) -> None:
    office = lettered_office
    listed = Listed(office.list(IN_BREATHING_SPACE, "fresh.csv"), TUESDAY)
    office.letters(on=TUESDAY, listed=listed)
    office.letters(on=TUESDAY, listed=Listed(office.list("", "corrected.csv"), TUESDAY))
    assert not (office.folder / BATCH / "taken-out.csv").exists()
    assert office.dispatch(on=WEDNESDAY).posted == HOUSEHOLDS + 1


def test_what_was_posted_is_listed_for_the_housing_system_without_the_arm(lettered_office: Office) -> None:
    office = settings(lettered_office, action_code='"LTR {wave}"')
    path = office.folder / BATCH / "actions.csv"
    assert office.dispatch(on=WEDNESDAY, stop=IN_BREATHING_SPACE, dry_run=True).actions is None
    assert not path.exists()
    done = office.dispatch(on=WEDNESDAY, stop=IN_BREATHING_SPACE, not_posted=("T000001",))
    assert done.actions == path
    listed = rows(path)
    assert [row["reference"] for row in listed] == ["T000002", "T000003", "T000004", "T000005"]
    assert {(row["date"], row["action"]) for row in listed} == {("09/12/2026", "LTR first")}
    assert {row["letter_reference"] for row in listed} == {
        row.letter_reference for row in office.rows(PostingRow, status="posted")
    }
    assert not [arm for arm in set(office.arms().values()) if arm in path.read_text("utf-8")]
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    path.unlink()  # a confirmation that was cut short
    office.dispatch(on=WEDNESDAY, stop=IN_BREATHING_SPACE, not_posted=("T000001",))
    assert path.read_bytes() == before
    assert correct_posting(
        office.trial, 1, on=WEDNESDAY + timedelta(days=1), because="the van came late",
        today=WEDNESDAY + timedelta(days=1), now=moment(WEDNESDAY + timedelta(days=1)),
    )  # fmt: skip
    assert {row["date"] for row in rows(path)} == {"10/12/2026"}


def test_without_an_action_code_there_is_no_list_of_actions(lettered_office: Office) -> None:
    assert lettered_office.dispatch(on=WEDNESDAY).actions is None
    assert not (lettered_office.folder / BATCH / "actions.csv").exists()


@pytest.mark.parametrize("marks", ["none", "omr"])
def test_i13_a_spoilt_letter_is_printed_again_to_the_byte_with_its_row_and_its_marks(
    drawn_office: Office, marks: str
) -> None:
    office = settings(drawn_office, marks=f'"{marks}"')
    office.letters()
    office.dispatch(on=TUESDAY)
    folder = office.folder / BATCH
    spoilt = pile_of(folder)[3]
    again = [
        reprint(office.trial, 1, [spoilt.letter_reference], today=WEDNESDAY, now=moment(WEDNESDAY))[0] for _ in range(2)
    ]
    assert again[0].read_bytes() == again[1].read_bytes()
    with pikepdf.open(folder / spoilt.file) as whole, pikepdf.open(again[0]) as single:
        drawn = []
        for page in (whole.pages[spoilt.first_page - 1], single.pages[0]):
            page.contents_coalesce()
            drawn.append(page.Contents.read_bytes())
    assert drawn[0] == drawn[1]
    assert (b"-0004  sheet 1/1" in drawn[1]) is (marks == "omr")
    before = next(r for r in rows(folder / "manifest.csv") if r["letter_reference"] == spoilt.letter_reference)
    after = rows(again[0].parent / "manifest.csv")[0]
    assert {key for key in before if before[key] != after[key]} <= {"first_page"}


def test_a_few_letters_are_pictured_whichever_their_arm_and_go_with_the_batch(drawn_office: Office) -> None:
    office = drawn_office
    made = office.letters(preview=True)
    assert made.previews
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in made.previews)
    pictured = {path.stem.rpartition("-")[0] for path in made.previews}
    first = pile_of(office.folder / BATCH)[0]
    assert first.letter_reference in pictured
    assert len(pictured) <= 3
    with Image.open(made.previews[0]) as picture:
        assert (round(picture.width / 10), round(picture.height / 10)) == (124, 175)  # A4 at 150 dots to the inch
    assert not [arm for arm in set(office.arms().values()) if any(arm in path.name for path in made.previews)]
    names = {row["letter_reference"] for row in rows(office.folder / BATCH / "manifest.csv")}
    assert pictured <= names
    held = next(name for unit, name in _names(office).items() if first.letter_reference in letters_of(office, name))
    listed = Listed(office.list(f"{held},deceased,,\n", "fresh.csv"), TUESDAY)
    office.letters(on=TUESDAY, listed=listed)
    assert not list((office.folder / BATCH / "previews").glob(f"{first.letter_reference}*"))
    undo_batch(office.trial, 1, now=moment(TUESDAY))
    left = [name for name in office.files(BATCH) if not name.endswith("rejects.csv")]
    assert left == []


def test_i12_an_erased_tenant_is_in_no_list_and_no_picture(drawn_office: Office) -> None:
    office = settings(drawn_office, action_code='"LTR1"')
    office.letters(preview=True)
    wanted = letters_of(office, "T000006")
    office.letters(on=TUESDAY, listed=Listed(office.list(IN_BREATHING_SPACE, "fresh.csv"), TUESDAY))
    office.dispatch(on=WEDNESDAY, stop="T000001,deceased,,\n" + IN_BREATHING_SPACE)
    erase(office.trial, reference="T000006", now=moment(WEDNESDAY))
    for name, content in office.files("out").items():
        if name.endswith(".jsonl"):  # what was made from what: a reference and hashes, nothing of the tenant
            continue
        assert not any(reference.encode() in content or reference in name for reference in wanted), name
        assert b"Jointly" not in content, name


def test_i8_the_crib_shows_every_letter_on_one_page_and_nobodys_arm(sealed: Path, office: Office) -> None:
    path = make_crib(office.trial)
    assert page_count(path.read_bytes()) == 1
    said = " ".join(text_of(path).split())
    for words in (
        "Letter A", "Letter B", "There are two letters", "Your rent account is in arrears",
        "Let us help you put your rent account right", "Each asks the same", "Log the call the same day",
        "Free, confidential debt advice", "drawn by lot", "It says: “", "whether the figure is true",
    ):  # fmt: skip
        assert words in said
    for word in ("current", "personal-norm", "control", "arm "):
        assert word not in said
    before = path.read_bytes()
    assert make_crib(office.trial, dry_run=True) == path
    assert make_crib(office.trial).read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600


def test_i4_a_letter_that_no_envelope_takes_is_found_before_the_draw_by_its_row(office: Office) -> None:
    """Large print runs to several sheets where one side is printed: more than an envelope of one sheet."""
    settings(office, most_sheets="1", sides='"one"')
    headings = (*HEADINGS, "Format")
    tenants = [tenancy(number) | {"Format": "Large print" if number == 2 else ""} for number in (1, 2, 3)]
    extract = office.file("week.csv", as_csv(tenants, headings))
    given = {"dated": MONDAY, "today": MONDAY, "now": moment(MONDAY)}
    with pytest.raises(Refused) as refusal:
        enrol(office.trial, extract, office.list(), **given)
    problems = refusal.value.problems
    assert {problem.code for problem in problems} == {"letters-unwritable", "too-many-sheets"}
    assert {problem.place.row for problem in problems} == {None, 3}
    found = enrol(office.trial, extract, office.list(), accept_good_rows=True, **given)
    assert found.flow["excluded"] == {"letter_cannot_be_written": 1}
    assert found.flow["allocated"] == 2
    assert found.rejects_file is not None
    [asked, listed] = rows(found.rejects_file)
    assert asked["reason"] == "see why no letter can be written for 1 row"
    assert (listed["row"], listed["cell"]) == ("3", "T000002")  # whose row it is, in the private list alone


def test_letters_of_one_heading_are_told_apart_on_the_crib_by_a_sentence_of_their_own(office: Office) -> None:
    for name in ("street-champions", "arrears-factorial"):
        path = make_crib(open_trial(open_workspace(office.folder), name))
        said = " ".join(text_of(path).split())
        assert page_count(path.read_bytes()) == 1
        assert "There are four letters" in said
        assert "The experiment is not sealed yet" in said
        assert ("whether the figure is true" in said) is (name == "arrears-factorial")
        if name == "street-champions":
            own = re.findall(r"It says: “([^”]+)”", said)
            assert len(own) == len(set(own)) == 4
