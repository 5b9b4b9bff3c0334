"""Posting, and the officer's ways back: wrong date, spoilt letters, nothing sent, a fresh suppression list."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta

import pytest

from nudge.base.errors import Refused
from nudge.records.tables import AuditRow, BatchRow, PostingRow
from nudge.trial.gate import Listed
from nudge.trial.posting import confirm_posting, correct_posting, hold, release
from nudge.trial.reprints import reprint
from nudge.trial.standing import standing
from nudge.trial.story import tell
from nudge.workspace import open_workspace
from tests.trial.conftest import HOUSEHOLDS, MONDAY, TUESDAY, WEDNESDAY, Office, moment, tenancy, week_one
from tests.trial.test_letters import codes, event, statuses

THURSDAY = WEDNESDAY + timedelta(days=1)


def correct(office: Office, on: date, because: str = "typed the wrong day", today: date = THURSDAY) -> bool:
    return correct_posting(office.trial, 1, on=on, because=because, today=today, now=moment(today))


def test_posting_fixes_day_0_of_the_whole_batch(lettered_office: Office) -> None:
    done = lettered_office.dispatch(on=WEDNESDAY)
    assert (done.posted, done.made, done.abandoned) == (HOUSEHOLDS + 1, True, False)
    [batch] = lettered_office.rows(BatchRow)
    assert (batch.status, batch.day0) == ("posted", WEDNESDAY.toordinal())


def test_i11_dispatch_twice_is_no_change_and_another_date_is_refused(posted_office: Office) -> None:
    before = posted_office.snapshot()
    assert not posted_office.dispatch(on=WEDNESDAY).made
    with pytest.raises(Refused) as refusal:
        posted_office.dispatch(on=THURSDAY)
    assert codes(refusal) == {"date-differs"}
    assert posted_office.snapshot() == before


def test_a_dry_run_of_dispatch_posts_nothing(lettered_office: Office) -> None:
    before, files = lettered_office.snapshot(), lettered_office.files()
    shown = lettered_office.dispatch(on=WEDNESDAY, stop="T000001,deceased,,\n", dry_run=True)
    assert (shown.posted, shown.withheld, shown.made) == (HOUSEHOLDS, {"deceased": 1}, False)
    assert (lettered_office.snapshot(), lettered_office.files()) == (before, files)


def test_a_posting_date_in_the_future_or_before_the_letters_is_refused(lettered_office: Office) -> None:
    before = lettered_office.snapshot()
    for on, code in ((TUESDAY, "date-future"), (MONDAY - timedelta(days=1), "date-before-letters")):
        with pytest.raises(Refused) as refusal:
            lettered_office.dispatch(on=on, today=MONDAY)
        assert "suppression-future" in codes(refusal) or codes(refusal) == {code}
    assert lettered_office.snapshot() == before


def test_a_batch_without_letters_cannot_be_posted(drawn_office: Office) -> None:
    with pytest.raises(Refused) as refusal:
        drawn_office.dispatch(on=WEDNESDAY)
    assert codes(refusal) == {"batch-not-lettered"}
    with pytest.raises(Refused) as refusal:
        drawn_office.dispatch(7, on=WEDNESDAY)
    assert codes(refusal) == {"no-such-batch"}


def test_a_wrong_date_is_corrected_with_a_reason(posted_office: Office) -> None:
    assert correct(posted_office, TUESDAY)
    assert not correct(posted_office, TUESDAY)
    [batch] = posted_office.rows(BatchRow)
    assert batch.day0 == TUESDAY.toordinal()
    assert {row.posted_on for row in posted_office.rows(PostingRow)} == {TUESDAY.toordinal()}
    assert Counter(row.what for row in posted_office.rows(AuditRow))["posting_corrected"] == 1


def test_a_correction_needs_a_reason_a_day_that_can_be_and_a_posting(posted_office: Office) -> None:
    before = posted_office.snapshot()
    for on, because, code in (
        (TUESDAY, " ", "because-missing"),
        (THURSDAY + timedelta(days=1), "later", "date-future"),
        (MONDAY - timedelta(days=1), "earlier", "date-before-letters"),
    ):
        with pytest.raises(Refused) as refusal:
            correct(posted_office, on, because)
        assert codes(refusal) == {code}
    assert posted_office.snapshot() == before


def test_a_batch_not_posted_has_no_date_to_correct(lettered_office: Office) -> None:
    with pytest.raises(Refused) as refusal:
        correct(lettered_office, TUESDAY)
    assert codes(refusal) == {"not-posted-yet"}


def test_i4_a_fresh_list_pulls_letters_out_of_the_pile(lettered_office: Office) -> None:
    done = lettered_office.dispatch(on=WEDNESDAY, stop="T000006,breathing_space,,\nT999999,deceased,,\n")
    assert done.withheld == {"breathing_space": 2}
    assert done.pull_list is not None
    with done.pull_list.open(encoding="utf-8-sig") as stream:
        lines = list(csv.DictReader(stream))
    assert {line["letter_reference"] for line in lines} == set(done.pull)
    assert len(lines) == 2
    assert all(line["file"] == "print-001.pdf" and line["first_page"] for line in lines)
    assert statuses(lettered_office, "T000006") == [("withheld", "breathing_space")] * 2


def test_i4_posting_needs_a_list_not_older_than_a_week(lettered_office: Office) -> None:
    for dated, code in ((WEDNESDAY - timedelta(days=8), "suppression-old"), (THURSDAY, "suppression-future")):
        with pytest.raises(Refused) as refusal:
            confirm_posting(
                lettered_office.trial,
                1,
                on=WEDNESDAY,
                listed=Listed(lettered_office.list(), dated),
                today=WEDNESDAY,
                now=moment(WEDNESDAY, 16),
            )
        assert codes(refusal) == {code}


def test_i5_letters_that_did_not_go_are_withheld_and_their_units_stay(lettered_office: Office) -> None:
    with pytest.raises(Refused) as refusal:
        lettered_office.dispatch(on=WEDNESDAY, not_posted=("T000006", "T777777"))
    assert codes(refusal) == {"unknown-letters"}
    done = lettered_office.dispatch(on=WEDNESDAY, not_posted=("T000006",))
    assert (done.posted, done.not_posted, done.withheld) == (HOUSEHOLDS - 1, 2, {"not_posted": 2})
    assert [row.status for row in lettered_office.rows(BatchRow)] == ["posted"]


def test_i3_a_batch_of_which_nothing_went_is_abandoned_and_comes_back(lettered_office: Office) -> None:
    arms = lettered_office.arms()
    nobody = tuple(row["Tenancy Ref"] for row in week_one())
    done = lettered_office.dispatch(on=WEDNESDAY, not_posted=nobody)
    assert (done.posted, done.abandoned) == (0, True)
    assert [(row.status, row.day0) for row in lettered_office.rows(BatchRow)] == [("abandoned", None)]
    again = lettered_office.enrol(week_one(), on=WEDNESDAY)
    assert (again.batch, again.flow["rejoined"], again.flow["allocated"]) == (2, HOUSEHOLDS, 0)
    lettered_office.letters(2, on=WEDNESDAY)
    assert lettered_office.dispatch(2, on=THURSDAY).posted == HOUSEHOLDS + 1
    assert lettered_office.arms() == arms


def test_a_tenant_held_with_the_letter_made_is_not_posted(lettered_office: Office) -> None:
    hold(lettered_office.trial, "T000006", because="safeguarding", today=TUESDAY, now=moment(TUESDAY))
    done = lettered_office.dispatch(on=WEDNESDAY)
    assert (done.posted, done.withheld) == (HOUSEHOLDS - 1, {"safeguarding": 2})
    assert len(done.pull) == 2  # their letters were printed: out of the pile with them
    assert done.pull_list is not None
    assert lettered_office.dispatch(on=WEDNESDAY).pull == done.pull


def test_a_hold_on_the_wrong_tenancy_is_taken_back(lettered_office: Office) -> None:
    office = lettered_office
    assert not release(office.trial, "T000006", because="mistake", now=moment(TUESDAY))
    hold(office.trial, "T000006", because="crisis", today=TUESDAY, now=moment(TUESDAY))
    assert release(office.trial, "T000006", because="wrong tenancy", now=moment(TUESDAY))
    assert statuses(office, "T000006") == [("made", None)] * 2
    hold(office.trial, "T000001", because="crisis", today=TUESDAY, now=moment(TUESDAY))
    office.letters(on=TUESDAY)  # the letter is taken out of the pack
    release(office.trial, "T000001", because="wrong tenancy", now=moment(TUESDAY))
    assert statuses(office, "T000001") == [("withheld", "crisis")]
    office.letters(on=TUESDAY)
    assert statuses(office, "T000001") == [("made", None)]
    assert office.dispatch(on=WEDNESDAY).posted == HOUSEHOLDS + 1
    assert Counter(row.what for row in office.rows(AuditRow))["released"] == 2


def test_what_was_withheld_from_a_posted_batch_stays_withheld(lettered_office: Office) -> None:
    hold(lettered_office.trial, "T000001", because="crisis", today=TUESDAY, now=moment(TUESDAY))
    lettered_office.dispatch(on=WEDNESDAY)
    assert release(lettered_office.trial, "T000001", because="over", now=moment(THURSDAY))
    assert statuses(lettered_office, "T000001") == [("withheld", "crisis")]


# Spoilt or lost letters.


def again(office: Office, *references: str, on: date = THURSDAY, **more: object) -> tuple[object, ...]:
    return reprint(office.trial, 1, references, today=on, now=moment(on), **more)


def test_i13_a_spoilt_letter_is_printed_again_from_the_same_bytes(posted_office: Office) -> None:
    letters = {name: data for name, data in posted_office.files().items() if "/letters/" in name}
    [first] = again(posted_office, "T000001")
    [second] = again(posted_office, "T000002")
    assert first != second  # never over a file that may be at the printer
    assert {name: data for name, data in posted_office.files().items() if "/letters/" in name} == letters
    assert Counter(row.reprints for row in posted_office.rows(PostingRow)) == {0: HOUSEHOLDS - 1, 1: 2}


def test_a_reprint_is_refused_later_or_when_the_file_changed(posted_office: Office) -> None:
    late = WEDNESDAY + timedelta(days=4)
    with pytest.raises(Refused) as refusal:
        again(posted_office, "T000001", on=late)
    assert codes(refusal) == {"reprint-late"}
    with pytest.raises(Refused) as refusal:
        again(posted_office, "T000777")
    assert codes(refusal) == {"unknown-letters"}
    for path in posted_office.folder.glob("out/wealden-arrears/batch-001/letters/*.pdf"):
        path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Refused) as refusal:
        again(posted_office, "T000001")
    assert codes(refusal) == {"reprint-changed"}


def test_i4_a_reprint_reads_the_list_again(lettered_office: Office) -> None:
    lettered_office.dispatch(on=WEDNESDAY, stop="T000001,deceased,,\n")
    hold(lettered_office.trial, "T000002", because="crisis", today=THURSDAY, now=moment(THURSDAY))
    listed = Listed(lettered_office.list("T000003,do_not_contact,,\n", "thursday.csv"), THURSDAY)
    for reference in ("T000001", "T000002", "T000003"):
        with pytest.raises(Refused) as refusal:
            again(lettered_office, reference, listed=listed)
        assert codes(refusal) == {"reprint-withheld"}
    assert again(lettered_office, "T000004", listed=listed)


# Why, and status.


def test_why_tells_a_tenants_story_without_the_arm(posted_office: Office) -> None:
    event(posted_office, "T000001", "contact", THURSDAY)
    hold(posted_office.trial, "T000001", because="promise", today=THURSDAY, now=moment(THURSDAY))
    before = posted_office.snapshot()
    story = tell(posted_office.trial, "T000001", now=moment(THURSDAY))
    assert story.in_trial
    assert story.arm is None
    assert [line.split()[0] for line in story.lines] == ["2026-12-07", "2026-12-07", "2026-12-10", "2026-12-10"]
    assert not [arm for arm in set(posted_office.arms().values()) if arm in " ".join(story.lines)]
    assert posted_office.snapshot() == before


def test_i8_looking_at_an_arm_is_logged(posted_office: Office) -> None:
    story = tell(posted_office.trial, "T000001", show_arm=True, now=moment(THURSDAY))
    assert story.arm == posted_office.arms()["T000001"]
    assert posted_office.rows(AuditRow)[-1].what == "arm_shown"


def test_why_answers_for_who_was_left_out_and_says_whom_it_does_not_know(office: Office) -> None:
    office.enrol([tenancy(1), tenancy(2, Agreement="Y")], stop="T000003,deceased,,\n")
    story = tell(office.trial, "T000002", now=moment(MONDAY))
    assert (story.in_trial, story.lines) == (False, ("batch 1: left out before the draw, because: active agreement",))
    with pytest.raises(Refused) as refusal:
        tell(office.trial, "T000099", now=moment(MONDAY))
    assert codes(refusal) == {"unknown-reference"}


def test_i8_status_shows_what_to_do_and_never_an_arm(posted_office: Office) -> None:
    event(posted_office, "T000001", "contact", THURSDAY)
    workspace = open_workspace(posted_office.folder)
    shown = standing(workspace, "wealden-arrears", today=WEDNESDAY + timedelta(days=14))
    assert shown is not None
    text = repr(shown)
    assert "tenancies with contact" in text
    assert "--wave second" in text
    assert not [arm for arm in set(posted_office.arms().values()) if arm in text]
