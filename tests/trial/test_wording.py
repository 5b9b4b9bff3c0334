"""Wording that may not go out is found before anybody is drawn, in every arm; what is held waits for a name (I4)."""

from __future__ import annotations

import csv

import pytest

from nudge.base.errors import Refused
from nudge.documents.remark_codes import RemarkCode, Weight
from nudge.experiment.definition import Governance
from nudge.records.tables import AllocationRow, SealRow
from nudge.reports.certificate import tell_certificate
from nudge.reports.overrides import overrides
from nudge.trial.checking import check_file
from nudge.trial.closing import build_certificate
from nudge.trial.sealing import Sealed, amend_trial, seal_trial
from tests.trial.conftest import SEALED_ON, SECRET, TUESDAY, Office, moment, week_one
from tests.trial.test_letters import codes
from tests.trial.test_sealing import edit, experiment_file, unsealed

__all__ = ["unsealed"]
LET_THROUGH = "AB 2026-11-20: because the protocol asks for it"
FIRST, SECOND = "base-rent.html", "arrears-second.html"


def say(office: Office, words: str, template: str = FIRST) -> None:
    """Put a paragraph of its own above the ask of a letter, with where to get help beside it."""
    path = office.folder / "templates" / "letters" / template
    text = path.read_text("utf-8")
    assert '<p class="ask"' in text
    path.write_text(
        text.replace('<p class="ask"', f'<p>{words} StepChange gives free debt advice.</p>\n<p class="ask"', 1), "utf-8"
    )


def override(office: Office, *names: str) -> None:
    listed = ", ".join(f'{name}: "{LET_THROUGH}"' for name in names)
    edit(office, "dpia: DPIA-2026-041", f"dpia: DPIA-2026-041\n  overrides: {{{listed}}}")


def seal(office: Office) -> Sealed:
    return seal_trial(office.trial, secret=SECRET, now=moment(SEALED_ON))


@pytest.mark.parametrize(
    ("words", "template", "code", "places"),
    [
        ("You could be evicted.", FIRST, RemarkCode.STAGE_FORBIDS,
         {"letters/arrears-current.html", "letters/arrears-personal-norm.html"}),
        ("A bailiff may call.", SECOND, RemarkCode.STAGE_FORBIDS, {"letters/arrears-second.html"}),
        ("Most tenants pay.", FIRST, RemarkCode.FIGURE_OUTSIDE_CLAIM,
         {"letters/arrears-current.html", "letters/arrears-personal-norm.html"}),
        ("This is your final warning.", FIRST, RemarkCode.FEAR_WORDING,
         {"letters/arrears-current.html", "letters/arrears-personal-norm.html"}),
        ("We will take you to court.", SECOND, RemarkCode.CONSEQUENCE_CERTAIN, {"letters/arrears-second.html"}),
    ],
)  # fmt: skip
def test_i4_wording_that_is_refused_or_held_stops_the_seal_in_every_arm_and_wave(
    words: str, template: str, code: RemarkCode, places: set[str], unsealed: Office
) -> None:
    say(unsealed, words, template)
    told = {problem.code for problem in check_file(experiment_file(unsealed)).before_seal}
    with pytest.raises(Refused) as refusal:
        seal(unsealed)
    assert codes(refusal) == told == {code.slug}
    assert {problem.place.source for problem in refusal.value.problems} == places
    assert not unsealed.rows(SealRow)
    assert ("overrides" in str(refusal.value)) is (code.weight is Weight.HOLD)


def test_what_is_held_goes_out_once_a_person_lets_it_through_by_name_and_is_printed(unsealed: Office) -> None:
    say(unsealed, "This is your final warning.")
    override(unsealed, "fear_wording")
    done = seal(unsealed)
    assert {(remark.code, remark.weight) for remark in done.remarks} == {("fear-wording", Weight.HOLD)}
    named = {str(name): said for name, said in unsealed.trial.experiment.governance.overrides.items()}
    tables = tell_certificate(build_certificate(unsealed.trial, open_secret=False), named).tables
    assert LET_THROUGH in tables[-1].rows[0]
    section = overrides({"overrides": named})
    assert section is not None
    assert section.parts[-1].rows == (("Wording that works by fear", LET_THROUGH),)
    assert overrides({}) is None


def test_an_override_lets_nothing_else_through_and_one_that_is_not_needed_is_told(unsealed: Office) -> None:
    override(unsealed, "fear_wording")
    [idle] = seal(unsealed).remarks
    assert (idle.code, idle.place.line is not None) == ("override-idle", True)
    say(unsealed, "You could be evicted. This is your final warning.")
    with pytest.raises(Refused) as refusal:
        seal(unsealed)
    assert codes(refusal) == {"stage-forbids"}


def test_a_warning_stops_nothing_and_is_told(unsealed: Office) -> None:
    say(unsealed, "Thank you!")
    assert any("exclamation" in warning for warning in check_file(experiment_file(unsealed)).warnings)
    assert {remark.code for remark in seal(unsealed).remarks} == {"exclamation"}


def test_i7_an_amendment_meets_the_same_checks(office: Office) -> None:
    say(office, "You could be evicted.")
    with pytest.raises(Refused) as refusal:
        amend_trial(office.trial, because="sterner", by="JP", now=moment(TUESDAY))
    assert codes(refusal) == {"stage-forbids"}


def test_i4_a_cell_with_wording_that_may_not_go_out_stops_its_own_row_before_the_draw(unsealed: Office) -> None:
    say(unsealed, "Your account is at this stage: {{ patch }}.")
    edit(unsealed, "beacon: national lottery 2026-12-05", "beacon: none")
    seal(unsealed)
    rows = week_one()
    rows[2] |= {"Patch": "eviction by bailiffs"}
    rows[4] |= {"Patch": "Bailiff Lane"}  # a name
    with pytest.raises(Refused):
        unsealed.enrol(rows)
    assert unsealed.rows(AllocationRow) == []
    made = unsealed.enrol(rows, accept_good_rows=True)
    assert {one.row for one in made.rejects} == {4}
    assert made.rejects_file is not None
    listed = list(csv.DictReader(made.rejects_file.read_text("utf-8-sig").splitlines()))
    assert {row["row"] for row in listed} - {""} == {"4"}
    assert "before the stage" in str(listed)


def test_every_hold_can_be_let_through_by_its_name_and_nothing_else_can() -> None:
    names = {code.name.lower() for code in RemarkCode if code.weight is Weight.HOLD}
    given = Governance.model_validate({"overrides": dict.fromkeys(names, LET_THROUGH)})
    assert set(given.overrides) == names
    assert set(Governance.model_json_schema()["properties"]["overrides"]["propertyNames"]["enum"]) == names


def test_i4_a_letter_that_a_screen_reader_cannot_follow_stops_the_seal(unsealed: Office) -> None:
    path = unsealed.folder / "templates" / "letters" / SECOND
    path.write_text(path.read_text("utf-8").replace('<p class="ask"', '<p></p>\n<p class="ask"', 1), "utf-8")
    with pytest.raises(Refused) as refusal:
        seal(unsealed)
    assert codes(refusal) == {"not-accessible"}
    assert [problem.code for problem in check_file(experiment_file(unsealed)).before_seal] == ["not-accessible"]


def put(office: Office, template: str, old: str, new: str) -> None:
    path = office.folder / "templates" / "letters" / template
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


ASKS = '<p class="ask"'


@pytest.mark.parametrize(
    ("template", "old", "new", "code"),
    [
        (FIRST, ASKS, f'<p style="font-size: 4pt">Read the small print.</p>{ASKS}', "type-too-small"),
        (FIRST, ASKS, f'<p style="white-space: nowrap">{"These words go on. " * 9}</p>{ASKS}', "margin-breached"),
        (FIRST, ASKS, f"<p>{{{{ arm }}}}</p>{ASKS}", "name-undefined"),
        ("arrears-personal-norm.html", "{{ claims.contact_norm }}", "Nine in ten got in touch", "claim-differs"),
    ],
)
def test_i4_a_template_that_refuses_everybodys_letter_stops_the_check_and_the_seal(
    template: str, old: str, new: str, code: str, unsealed: Office
) -> None:
    put(unsealed, template, old, new)
    told = check_file(experiment_file(unsealed)).before_seal
    with pytest.raises(Refused) as refusal:
        seal(unsealed)
    assert codes(refusal) == {problem.code for problem in told} == {code}
    assert all(problem.place.source.endswith(".html") for problem in (*told, *refusal.value.problems))


def test_i4_a_line_that_the_council_has_not_given_stops_the_seal(unsealed: Office) -> None:
    put(unsealed, FIRST, ASKS, f"<p>{{{{ council.opening }}}}</p>{ASKS}")
    assert not check_file(experiment_file(unsealed)).before_seal  # an invented council has every line
    with pytest.raises(Refused) as refusal:
        seal(unsealed)
    assert codes(refusal) == {"name-undefined"}
    assert "[council] in nudge.toml" in str(refusal.value)
