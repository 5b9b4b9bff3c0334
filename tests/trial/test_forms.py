"""Formats and languages: each letter in the form its reader asked for, the same in every arm, and nobody left out."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.base.files import sha256_file
from nudge.documents.sample import COUNCIL
from nudge.records.tables import AllocationRow, AuditRow, PostingRow, RecipientRow
from nudge.trial.checking import check_file
from nudge.trial.closing import erase
from nudge.trial.delivery import form_notes
from nudge.trial.letters import LettersMade
from nudge.trial.population import population_of, read_recorded
from nudge.trial.posting import undo_batch
from nudge.trial.reprints import reprint
from nudge.trial.standing import standing
from nudge.trial.story import tell
from nudge.workspace import open_workspace
from tests.trial.conftest import MONDAY, TUESDAY, WEDNESDAY, Office, make_sealed, moment, tenancy
from tests.trial.test_letters import codes, second

SAYS_CY = (
    "    says_cy: >-\n"
    "      Cytunodd {share} o'r tenantiaid yr ysgrifennom atynt am ôl-ddyledion, yn y flwyddyn hyd at ddiwedd\n"
    "      {period_end}, ar ffordd ymlaen gyda ni o fewn wyth wythnos\n"
)


def wishing(number: int, language: str = "", form: str = "", **changes: str) -> dict[str, str]:
    return tenancy(number, **changes) | {"Preferred Language": language, "Preferred Format": form}


def mixed() -> list[dict[str, str]]:
    """Every form once, and two that no letter is in."""
    rows = [wishing(1), wishing(2, form="LP"), wishing(3, form="Large print 18pt"), wishing(4, form="Easy read")]
    rows += [wishing(5, form="e-mail"), wishing(6, form="Braille"), wishing(7, form="BSL")]
    rows += [wishing(8, language="Klingon"), wishing(9, form="audio CD"), wishing(10, language="English")]
    return rows


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A batch of every form, drawn and lettered. Tests of this module only look at it."""
    office = Office(make_sealed(tmp_path_factory.mktemp("forms") / "office"))
    office.enrol(mixed())
    office.letters()
    return office


def postings(office: Office) -> Mapping[str, PostingRow]:
    """By tenancy reference."""
    named = {row.unit: row.tenancy_reference for row in office.rows(RecipientRow)}
    return {named[row.unit]: row for row in office.rows(PostingRow)}


def batch(office: Office) -> Path:
    return office.folder / "out" / "wealden-arrears" / "batch-001"


def replace_row(row: AuditRow, **to: object) -> AuditRow:
    return AuditRow(**(row.model_dump() | to))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_i9_nobody_is_left_out_who_could_be_written_to_and_who_could_not_is_counted(sent: Office) -> None:
    [row] = sent.trial.batches
    flow = json.loads(row.flow_json)
    assert flow["excluded"] == {"needs_another_language": 1, "needs_another_format": 1}
    assert flow["allocated"] == 8
    assert flow["forms"] == {
        "standard print": 2, "large print 16 pt": 1, "large print 18 pt": 1, "Easy Read": 1, "e-mail": 1, "braille": 1,
        "British Sign Language": 1,
    }  # fmt: skip


def test_each_letter_is_made_in_its_own_form_and_recorded_so(sent: Office) -> None:
    rows = postings(sent)
    assert {name: row.format for name, row in rows.items()} == {
        "T000001": "standard", "T000002": "large_print", "T000003": "large_print", "T000004": "easy_read",
        "T000005": "email", "T000006": "braille", "T000007": "bsl", "T000010": "standard",
    }  # fmt: skip
    assert [rows[f"T{number:06d}"].pages > 1 for number in (1, 2, 3, 4)] == [False, True, True, True]
    assert {row.status for row in rows.values()} == {"made"}


def test_the_print_pack_holds_the_paper_and_the_list_of_tasks_the_rest(sent: Office) -> None:
    rows, folder = postings(sent), batch(sent)
    paper = {row.letter_reference for row in rows.values() if row.pages}
    assert {line["letter_reference"] for line in table(folder / "manifest.csv")} == paper
    assert {line["format"] for line in table(folder / "manifest.csv")} == {"standard", "large_print", "easy_read"}
    tasks = table(folder / "tasks.csv")
    assert {line["tenancy_reference"]: line["format"] for line in tasks} == {
        "T000005": "e-mail", "T000006": "braille", "T000007": "British Sign Language",
    }  # fmt: skip
    assert {line["due"] for line in tasks} == {MONDAY.isoformat()}
    for line in tasks:
        file = folder / line["file"]
        assert sha256_file(file) == rows[line["tenancy_reference"]].sha256
        assert file.stat().st_mode & 0o777 == 0o600
    assert {Path(line["file"]).parts[0] for line in tasks} == {"email", "tasks"}


def test_an_e_mail_has_a_subject_a_body_and_no_postal_address(sent: Office) -> None:
    row = postings(sent)["T000005"]
    text = (batch(sent) / "email" / f"{row.letter_reference}.txt").read_text("utf-8")
    assert text.startswith(f"Subject: Your rent account: letter {row.letter_reference}\n\n")
    assert re.search(r"^Dear .+$", text, re.MULTILINE)
    assert "Invented Row" not in text
    assert "Scan the code" not in text
    assert f"?letter={row.letter_reference}" in text
    assert "- Tell us what you can afford." in text


def test_i8_neither_the_list_of_tasks_nor_status_nor_why_tells_an_arm(sent: Office) -> None:
    found = standing(open_workspace(sent.folder), "wealden-arrears", today=MONDAY)
    assert found is not None
    assert found.counts["batch 1, letters as large print"] == 2
    assert found.counts["batch 1, letters as e-mail"] == 1
    story = tell(sent.trial, "T000006", now=moment(MONDAY))
    assert any("(first, braille) made" in line for line in story.lines)
    shown = str(found.figures()) + str(story.lines) + (batch(sent) / "tasks.csv").read_text("utf-8-sig")
    assert not any(arm in shown for arm in ("personal-norm", "current"))


def test_i2_the_arm_never_depends_on_the_form(sent: Office, office: Office) -> None:
    written = [row for row in mixed() if row["Tenancy Ref"][-1] not in "89"]
    office.enrol([row | {"Preferred Language": "", "Preferred Format": ""} for row in written])
    assert office.arms() == sent.arms()


def test_i11_letters_of_every_form_twice_is_no_change(sent: Office) -> None:
    before = sent.snapshot(), sent.files()
    assert sent.letters().kept == 8
    assert (sent.snapshot(), sent.files()) == before


def test_joint_tenants_each_get_the_form_they_asked_for(office: Office) -> None:
    one = wishing(1, form="Large print")
    other = one | {"Title": "Mr", "Forename": "Bob", "Surname": "Other", "Preferred Format": "BSL"}
    blank = one | {"Title": "Dr", "Forename": "Cat", "Surname": "Third", "Preferred Format": ""}
    found = office.enrol([one, other, blank])
    assert found.flow["allocated"] == 1
    office.letters()
    assert sorted(row.format for row in office.rows(PostingRow)) == ["bsl", "large_print", "standard"]


def test_i4_a_withheld_text_is_struck_off_the_list_before_it_could_be_sent(
    office: Office,
) -> None:
    office.enrol(mixed())
    office.letters()
    row = postings(office)["T000005"]
    assert reprint(office.trial, 1, ["T000005", "T000006"], today=MONDAY, now=moment(MONDAY))
    assert len(list(batch(office).rglob(f"{row.letter_reference}.txt"))) == 2
    posted = office.dispatch(on=TUESDAY, stop="T000005,do_not_contact,,\n")
    assert (posted.posted, posted.pull) == (7, ())
    assert posted.call_off == {row.letter_reference: "e-mail"}
    assert not list(batch(office).rglob(f"{row.letter_reference}.txt"))
    lists = [line["tenancy_reference"] for path in batch(office).glob("again-*/tasks.csv") for line in table(path)]
    assert "T000005" not in lists
    assert {line["tenancy_reference"] for line in table(batch(office) / "tasks.csv")} == {"T000006", "T000007"}
    recorded = read_recorded(office.trial)
    population = population_of(office.trial, recorded)
    told = form_notes(office.trial.experiment, population, recorded)
    assert "Batch 1: 2 letters went as large print." in told
    assert not any(arm in line for line in told for arm in population.arms)
    closed = replace(recorded, ledger=[*recorded.ledger, replace_row(recorded.ledger[-1], what="closed")])
    assert sum(" by arm: " in line for line in form_notes(office.trial.experiment, population, closed)) == 4
    again = postings(office)["T000006"]
    files = reprint(office.trial, 1, ["T000006", "T000002"], today=TUESDAY, now=moment(TUESDAY))
    assert {file.name for file in files} == {"print-001.pdf", f"{again.letter_reference}.txt"}
    assert sha256_file(next(file for file in files if file.suffix == ".txt")) == again.sha256
    erase(office.trial, reference="T000006", now=moment(TUESDAY))
    assert not list(batch(office).rglob(f"{again.letter_reference}.txt"))


def test_an_undone_batch_leaves_no_text_behind(office: Office) -> None:
    office.enrol(mixed())
    office.letters()
    undo_batch(office.trial, 1, now=moment(MONDAY, 12))
    left = [path for path in batch(office).rglob("*") if path.suffix in {".txt", ".pdf", ".csv"}]
    assert left == []


def test_i4_who_asks_since_the_draw_for_what_no_letter_is_in_is_withheld_and_stays(office: Office) -> None:
    office.enrol([wishing(number) for number in range(1, 5)])
    office.letters()
    office.dispatch(on=WEDNESDAY)
    rows = [wishing(1, form="audio CD"), wishing(2, form="large print"), wishing(3), wishing(4)]
    made = second(office, rows)
    assert isinstance(made, LettersMade)
    assert made.withheld == {"needs_another_format": 1}
    assert made.forms == {"standard print": 2, "large print 16 pt": 1}
    assert len(office.rows(AllocationRow)) == 4


def welsh(folder: Path, *, every: bool) -> Path:
    """A workspace with its claim and its council's lines in Welsh; `every`: all letters are Welsh with English."""

    def edit(text: str) -> str:
        text = text.replace("    numerator: agreed\n", f"{SAYS_CY}    numerator: agreed\n")
        return text.replace("suppress:", "languages: [cy, en]\nsuppress:") if every else text

    lines = "".join(f'{key} = "{line}"\n' for key, line in COUNCIL.items() if key.endswith("_cy"))
    return make_sealed(folder, edit=edit, settings=lambda text: text.replace("[records]", f"{lines}\n[records]"))


def test_who_asks_for_welsh_gets_welsh_with_english_and_the_others_english(tmp_path: Path) -> None:
    office = Office(welsh(tmp_path / "office", every=False))
    found = office.enrol([wishing(1, language="Cymraeg"), wishing(2), wishing(3, language="Polish")])
    assert found.flow["excluded"] == {"needs_another_language": 1}
    office.letters()
    assert {name: (row.languages, row.pages) for name, row in postings(office).items()} == {
        "T000001": ("cy en", 2),
        "T000002": ("en", 1),
    }


def test_what_a_language_still_lacks_is_told_where_somebody_is_left_out_for_it(office: Office) -> None:
    found = office.enrol([wishing(1, language="Welsh"), wishing(2)])
    assert found.flow["excluded"] == {"needs_another_language": 1}
    assert set(found.nearly_ready) == {"Welsh"}
    assert {"claims.contact_norm.says_cy", "nudge.toml hours_cy"} <= set(found.nearly_ready["Welsh"])


def test_in_wales_every_letter_has_both_languages_whatever_its_reader_prefers(tmp_path: Path) -> None:
    office = Office(welsh(tmp_path / "office", every=True))
    office.enrol([wishing(1, language="English"), wishing(2, form="e-mail")])
    office.letters()
    rows = postings(office)
    assert {row.languages for row in rows.values()} == {"cy en"}
    text = (batch(office) / "email" / f"{rows['T000002'].letter_reference}.txt").read_text("utf-8")
    assert text.index("Annwyl") < text.index("Dear")


def test_i7_the_seal_is_refused_where_a_language_of_every_letter_is_not_there(tmp_path: Path) -> None:
    def edit(text: str) -> str:
        text = text.replace("    numerator: agreed\n", f"{SAYS_CY}    numerator: agreed\n")
        return text.replace("suppress:", "languages: [cy, en]\nsuppress:")

    with pytest.raises(Refused) as refusal:
        make_sealed(tmp_path / "office", edit=edit)
    assert codes(refusal) == {"council-not-in-language"}
    assert "hours_cy" in str(refusal.value)


def test_check_names_the_template_that_a_language_lacks(tmp_path: Path) -> None:
    folder = welsh(tmp_path / "office", every=True)
    path = folder / "experiments" / "wealden-arrears.yaml"
    assert check_file(path).before_seal == ()
    path.write_text(path.read_text("utf-8").replace("arrears-current.html", "arrears-supportive.html"), "utf-8")
    assert check_file(path).before_seal == ()
    (folder / "templates/letters/arrears-supportive.cy.html").unlink()
    assert [problem.code for problem in check_file(path).before_seal] == ["source-missing"]
    assert "templates/letters/arrears-supportive.cy.html" in str(check_file(path).before_seal[0])


def test_i4_a_form_that_one_letter_lacks_is_sent_to_nobody_in_any_arm(tmp_path: Path) -> None:
    folder = tmp_path / "office"

    def without_one(text: str) -> str:
        (folder / "templates/letters/arrears-second.easy-read.html").unlink()
        return text

    office = Office(make_sealed(folder, edit=without_one))
    found = office.enrol([wishing(number, form="Easy read") for number in (1, 2, 3)] + [wishing(4)])
    assert found.flow["excluded"] == {"needs_another_format": 3}
    assert found.flow["allocated"] == 1
    office.close()


def test_i12_a_text_made_again_is_erased_after_another_tenancy_was(office: Office) -> None:
    office.enrol([wishing(1, form="e-mail"), wishing(2, form="e-mail"), wishing(3)])
    office.letters()
    sent = {reference: row.letter_reference for reference, row in postings(office).items()}
    reprint(office.trial, 1, ["T000001", "T000002"], today=MONDAY, now=moment(MONDAY))
    for reference in ("T000001", "T000002"):
        assert erase(office.trial, reference=reference, now=moment(TUESDAY))["files"] >= 2
        assert not list(batch(office).rglob(f"{sent[reference]}.*"))


def test_i5_an_e_mail_that_was_not_sent_is_withheld_and_its_tenancy_stays(office: Office) -> None:
    office.enrol([wishing(1, form="e-mail"), wishing(2)])
    office.letters()
    posted = office.dispatch(on=TUESDAY, not_posted=["T000001"])
    assert (posted.posted, posted.withheld) == (1, {"not_posted": 1})
    assert len(office.rows(AllocationRow)) == 2
