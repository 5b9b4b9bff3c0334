"""The end of a trial: verified, closed, its certificate, and the names gone for good (I8, I12)."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta

import pytest

from nudge.base.errors import Refused
from nudge.records.tables import AllocationRow, PostingRow, RecipientRow, ReviewRow, UnitRow
from nudge.trial.analysis import estimate
from nudge.trial.closing import close_trial, erase, verify_trial
from nudge.trial.posting import undo_batch
from nudge.trial.responses import add_responses
from tests.trial.conftest import HOUSEHOLDS, MONDAY, TUESDAY, WEDNESDAY, Office, moment, tenancy, week_one
from tests.trial.test_letters import codes

OPENS = WEDNESDAY + timedelta(days=66 + 7)  # the last reading of arrears may be 10 days after day 56; then the lag


def close(office: Office, **more: object) -> object:
    return close_trial(office.trial, now=moment(OPENS), **{"today": OPENS} | more)


def tamper(office: Office, *statements: str) -> None:
    """Change records behind nudge's back, as somebody with the file could."""
    with sqlite3.connect(office.folder / "nudge.db") as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            connection.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_i8_every_arm_is_drawn_again_and_agrees(posted_office: Office) -> None:
    found = verify_trial(posted_office.trial)
    assert (found.problems, found.batches, found.clusters, found.redrawn) == ((), 1, HOUSEHOLDS, True)
    assert not [arm for arm in set(posted_office.arms().values()) if arm in repr(found)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE allocation SET arm = CASE arm WHEN 'current' THEN 'personal-norm' ELSE 'current' END WHERE slot = 1",
        "DELETE FROM allocation WHERE slot = 1",
        "UPDATE audit SET facts_json = '{\"batch\":9}' WHERE what = 'drawn'",
        "UPDATE audit SET what = 'nothing' WHERE what = 'posted'",
        "DELETE FROM audit WHERE number = 2",
        "UPDATE batch SET list_hash = 'x'",
    ],
)
def test_i8_verify_finds_what_was_changed_behind_its_back(posted_office: Office, statement: str) -> None:
    tamper(posted_office, statement)
    assert verify_trial(posted_office.trial).problems


def test_a_trial_is_not_closed_before_its_results_open(posted_office: Office) -> None:
    before = posted_office.snapshot()
    with pytest.raises(Refused) as refusal:
        close(posted_office, today=OPENS - timedelta(days=1))
    assert codes(refusal) == {"not-closable"}
    assert OPENS.isoformat() in str(refusal.value)
    with pytest.raises(Refused) as refusal:
        close(posted_office, today=TUESDAY, abandon=True)
    assert codes(refusal) == {"because-missing"}
    assert posted_office.snapshot() == before


def test_i8_the_certificate_opens_the_arms_only_after_the_close(posted_office: Office) -> None:
    done = close(posted_office)
    first = posted_office.files()
    assert not close(posted_office).made
    assert posted_office.files() == first
    document = json.loads(first["wealden-arrears/certificate.json"])
    assert bytes(range(32)).hex() in json.dumps(document)
    assert done.made
    assert not [name for name in ("Ashdown", "Birch", "T000001") if name in json.dumps(document)]


def test_i5_results_stay_closed_until_the_horizon_and_the_lag(posted_office: Office) -> None:
    for day in (WEDNESDAY, OPENS - timedelta(days=1)):
        with pytest.raises(Refused) as refusal:
            estimate(posted_office.trial, today=day)
        assert codes(refusal) == {"results-closed"}


def test_results_are_refused_where_a_file_does_not_cover_the_days(posted_office: Office) -> None:
    contacts = posted_office.file("contacts.csv", "Date,Direction,Reason,Tenancy Ref\n2026-12-10,in,rent,T000001\n")
    add_responses(
        posted_office.trial,
        [contacts],
        kind="contacts",
        covers=(MONDAY, MONDAY + timedelta(days=20)),
        today=OPENS,
        now=moment(OPENS),
    )
    with pytest.raises(Refused) as refusal:
        estimate(posted_office.trial, today=OPENS)
    assert codes(refusal) == {"coverage-short"}
    text = str(refusal.value)
    assert "contacts" in text
    assert "payments" in text
    assert "2026-12-27" in text  # how far contacts go


CANARY = "Zephyrine"


def with_canary(office: Office) -> None:
    """A tenant whose name would be seen anywhere, in the records, letters, rejects and the review queue."""
    rows = [*week_one(), tenancy(90, Surname=CANARY, Forename=CANARY + "a"), tenancy(91, Arrears=CANARY)]
    rows[-1]["Surname"] = CANARY
    office.enrol(rows, accept_good_rows=True)
    office.letters()
    office.dispatch(on=WEDNESDAY)
    doubtful = (
        "Date,Direction,Reason,Tenancy Ref,Phone,Surname,UPRN\n"
        f"2026-12-10,in,rent,T000001,07700 900090,{CANARY},\n"
        f"soonish,in,rent,T000001,,{CANARY},\n"
    )
    contacts = office.file("contacts.csv", doubtful)
    add_responses(
        office.trial,
        [contacts],
        kind="contacts",
        covers=(WEDNESDAY, WEDNESDAY + timedelta(days=5)),
        today=WEDNESDAY + timedelta(days=6),
        now=moment(WEDNESDAY + timedelta(days=6)),
        accept_good_rows=True,
    )
    office.close()


def places_of(office: Office, word: str) -> set[str]:
    """Files of the workspace, but the council's own in data/, that hold a word in the clear."""
    office.close()
    wanted = word.encode()
    return {
        name
        for name, content in office.files(".").items()
        if not name.startswith("data/") and (wanted in content or word.encode("utf-16-le") in content)
    }


def test_i12_erasing_one_tenancy_leaves_no_byte_of_its_name(office: Office) -> None:
    with_canary(office)
    assert places_of(office, CANARY)
    others = {row.unit for row in office.rows(RecipientRow) if row.surname != CANARY}
    before = office.snapshot()
    counted = erase(office.trial, reference="T000090", now=moment(TUESDAY), dry_run=True)
    assert office.snapshot() == before
    assert erase(office.trial, reference="T000090", now=moment(TUESDAY)) == counted
    assert counted["recipients"] == 1
    assert places_of(office, CANARY) == set()
    assert {row.unit for row in office.rows(RecipientRow)} == others
    assert len(office.rows(UnitRow)) == HOUSEHOLDS + 1  # the unit stays, by its code (I5)
    after = office.snapshot()
    assert erase(office.trial, reference="T000090", now=moment(TUESDAY)) == {
        "recipients": 0, "review rows": 0, "files": 0,
    }  # fmt: skip
    assert office.snapshot() == after


def test_i12_erasing_one_tenancy_or_all_removes_the_lists_that_lie_beside_the_opened_secret(office: Office) -> None:
    with_canary(office)
    lists = close(office).lists
    assert lists is not None
    codes_listed = json.loads(lists.read_text("utf-8"))["1"]
    assert set(codes_listed) == {row.cluster for row in office.rows(AllocationRow) if row.batch == 1}
    counted = erase(office.trial, reference="T000001", now=moment(OPENS), dry_run=True)
    assert lists.exists()
    assert erase(office.trial, reference="T000001", now=moment(OPENS)) == counted
    assert not lists.exists()
    assert close(office).lists == lists  # for the auditor, who cannot check a hash without every code
    assert lists.exists()
    erase(office.trial, reference=None, now=moment(OPENS))
    assert not lists.exists()
    assert close(office).lists is None
    assert not lists.exists()
    text = (lists.parent / "certificate.json").read_text("utf-8")
    assert not any(code in text for code in codes_listed)


def test_i12_erasing_a_whole_trial_wants_it_closed_and_leaves_no_name(office: Office) -> None:
    with_canary(office)
    with pytest.raises(Refused) as refusal:
        erase(office.trial, reference=None, now=moment(TUESDAY))
    assert codes(refusal) == {"erase-open"}
    close(office)
    lists = office.trial.workspace.out("wealden-arrears") / "lists.json"
    assert lists.is_file()  # codes, against which addresses could be tried with the secret now opened
    erase(office.trial, reference=None, now=moment(OPENS))
    assert not lists.exists()
    for name in (CANARY, "Birch", "Invented Row", "T000001", "07700"):
        assert places_of(office, name) == set(), name
    assert not office.rows(RecipientRow)
    assert {row.row_json for row in office.rows(ReviewRow)} <= {"{}"}
    assert verify_trial(office.trial).problems == ()


def test_i4_an_erased_tenant_whose_letter_is_not_posted_gets_none(lettered_office: Office) -> None:
    erase(lettered_office.trial, reference="T000006", now=moment(TUESDAY))
    made = lettered_office.letters(on=TUESDAY)
    assert made.withheld == {"erased": 1}
    done = lettered_office.dispatch(on=WEDNESDAY)
    assert (done.posted, done.withheld) == (HOUSEHOLDS - 1, {"erased": 2})
    assert {row.reason for row in lettered_office.rows(PostingRow, status="withheld")} == {"erased"}
    again = lettered_office.enrol([*week_one(), tenancy(60)], on=MONDAY + timedelta(days=7))
    assert (again.flow["enrolled_before"], again.flow["allocated"]) == (HOUSEHOLDS, 1)  # known by its code


def test_i12_an_erased_tenant_of_an_undone_batch_does_not_come_back(lettered_office: Office) -> None:
    erase(lettered_office.trial, reference="T000006", now=moment(MONDAY, 12))
    undo_batch(lettered_office.trial, 1, now=moment(MONDAY, 13))
    again = lettered_office.enrol(week_one(), on=TUESDAY)
    assert again.flow["excluded"] == {"erased": 1}
    assert not lettered_office.rows(RecipientRow, tenancy_reference="T000006")
