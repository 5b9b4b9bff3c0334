"""Files of responses: whole or not at all, once, matched exactly, the doubtful ones for a person. People invented."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from nudge.base.errors import Refused
from nudge.records.codes import ResponseCode
from nudge.records.events import coverage, first_events
from nudge.records.store import Store, append, append_allocation, audit, broken_link, change, open_store, rows_of
from nudge.records.tables import (
    AllocationRow,
    AuditRow,
    BatchRow,
    EventRow,
    HouseholdRow,
    ImportRow,
    MeasurementRow,
    PostingRow,
    RecipientRow,
    ReviewRow,
    SealRow,
    UnitRow,
)
from nudge.trial import review
from nudge.trial.codes import TrialCode
from nudge.trial.handle import Trial, open_trial
from nudge.trial.imports import Imported
from nudge.trial.responses import FILE_OF, add_responses, withdraw_responses
from nudge.workspace import open_workspace
from tests.postgres import new_database

__all__ = ["new_database"]

DAY0 = date(2026, 12, 8)
TODAY = date(2027, 1, 15)
NOW = datetime(2027, 1, 15, 10, tzinfo=UTC)
COVERS = (date(2026, 12, 8), date(2027, 1, 14))
PEOPLE = {
    # unit: (arm, title, forename, surname, telephone, UPRN, letter reference)
    "u1": ("current", "Ms", "Ada", "Ó Dubhthaigh", "07700 900101", "100060000001", "NX7-4QF2"),
    "u2": ("personal-norm", "Mr", "Ben", "Quixworth", "07700 900102", "100060000002", "BC9-8TRK"),
    # one tenant of two tenancies
    "u3": ("current", "Mrs", "Cai", "Castellan", "07700 900103", "100060000003", "DD4-7XYZ"),
    "u4": ("personal-norm", "Mrs", "Cai", "Castellan", "07700 900103", "100060000004", "FF2-9PQR"),
}
CONTACTS = """\
Date Time,Direction,Channel,Tenancy Ref,Phone,Name,Reason Code
09/12/2026 10:15,In,Phone,T-u1,,,rent
10/12/2026 09:00,In,Phone,,+44 7700 900102,Mr Ben QUIXWORTH,arrears
11/12/2026 11:30,Out,Phone,T-u1,,,rent
12/12/2026 16:45,In,Email,T-elsewhere,,,rent
13/12/2026 12:00,In,Phone,,07700900103,Mrs Cai Castellan,rent
14/12/2026 12:05,In,Phone,T-u2,,,repairs
15/12/2026 12:06,In,Phone,T-u2,,,
"""


@dataclass(frozen=True)
class Desk:
    """A sealed trial with one posted batch, and a place to put files."""

    trial: Trial
    folder: Path

    def file(self, content: str, name: str = "log.csv") -> Path:
        path = self.folder / name
        path.write_text(content, "utf-8")
        return path

    def add(self, *contents: str, **more: object) -> tuple[Imported, ...]:
        files = [self.file(content, f"file-{n}.csv") for n, content in enumerate(contents)]
        settings = {"covers": COVERS, "today": TODAY, "now": NOW, **more}
        return add_responses(self.trial, files, **settings)

    def rows(self, table: type[Any], **equal: object) -> list[Any]:
        with self.trial.store.snapshot() as connection:
            return rows_of(connection, table, trial=self.trial.id, **equal)

    def first(self, *kinds: str) -> dict[str, int]:
        """Days after day 0 to the first of these events, by unit."""
        with self.trial.store.snapshot() as connection:
            found = first_events(connection, self.trial.id, kinds)
        return {unit: day - DAY0.toordinal() for unit, day in found.items()}

    def everything(self) -> list[dict[str, object]]:
        tables = (ImportRow, EventRow, MeasurementRow, ReviewRow, AuditRow)
        return [row.model_dump() for table in tables for row in self.rows(table)]


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, sealed: Path, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "rents"
    shutil.copytree(sealed, folder)
    trial = open_trial(open_workspace(folder), "wealden-arrears")
    if request.param == "postgresql":
        with trial.store.snapshot() as connection:
            seals = rows_of(connection, SealRow, trial=trial.id)
        trial.store.close()
        server = open_store(request.getfixturevalue("new_database")(ready=True))
        trial = replace(trial, store=server)
        with server.transaction() as connection:
            append(connection, [SealRow(**row.model_dump()) for row in seals])
    _enrol(trial.store, trial.id)
    yield Desk(trial, tmp_path)
    trial.store.close()


def _enrol(store: Store, trial: str) -> None:
    day = DAY0.toordinal()
    batch = BatchRow(
        trial=trial, number=1, epoch=1, extract_name="week.csv", extract_sha256="e" * 64, as_of=day - 1,
        suppression_sha256="f" * 64, suppression_dated=day - 1, list_hash="a" * 64, previous_hash="0" * 64,
        frozen_at="2026-12-07T09:00:00Z", drawn_at="2026-12-07T09:00:00Z", status="posted", day0=day, flow_json="{}",
    )  # fmt: skip
    households = [HouseholdRow(trial=trial, cluster=f"c-{u}", stratum="all", batch=1) for u in PEOPLE]
    units = [
        UnitRow(trial=trial, unit=u, cluster=f"c-{u}", batch=1, first_batch=1, late=False, values_json="{}")
        for u in PEOPLE
    ]
    drawn = [
        AllocationRow(
            trial=trial, cluster=f"c-{u}", batch=1, stratum="all", epoch=1, block=1, slot=n, block_size=4, arm=one[0]
        )
        for n, (u, one) in enumerate(PEOPLE.items(), start=1)
    ]
    people = [
        RecipientRow(
            trial=trial, unit=u, number=1, tenancy_reference=f"T-{u}", payment_reference=f"P-{u}", title=one[1],
            forename=one[2], surname=one[3], telephones_json=json.dumps([one[4]]), uprn=one[5],
            address_json=json.dumps([f"{u} Invented Row", "TN22 1AA"]),
        )
        for u, one in PEOPLE.items()
    ]  # fmt: skip
    letters = [
        PostingRow(
            trial=trial, letter_reference=one[6], unit=u, number=1, batch=1, wave="first", status="posted",
            made_at="2026-12-07T11:00:00Z", sha256="1" * 64, pages=1, sheets=1, posted_on=day,
        )
        for u, one in PEOPLE.items()
    ]  # fmt: skip
    with store.transaction() as connection:
        append(connection, [batch, *households, *units])
        append_allocation(connection, drawn)
        append(connection, [*people, *letters])


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [problem.code for problem in refusal.value.problems]


def test_contacts_become_events_by_the_rule_of_the_experiment(desk: Desk) -> None:
    [found] = desk.add(CONTACTS)
    assert (found.kind, found.rows, found.made) == ("contacts", 7, True)
    assert (found.matched, found.not_in_trial, found.conflicts) == (2, 1, 1)
    assert (found.not_counted, found.undecided, found.rejected) == (2, 1, 0)  # outbound and repairs; reason blank
    assert found.events == {"contact": 2}
    assert desk.first("contact") == {"u1": 1, "u2": 2}
    matched_by = {row.unit: row.matched_by for row in desk.rows(EventRow)}
    assert matched_by == {"u1": "tenancy reference", "u2": "telephone and surname"}


def test_payments_become_events_of_the_declared_codes_with_their_pence(desk: Desk) -> None:
    [found] = desk.add(
        "Pay Ref,Post Date,Trans Type,Amount\n"
        "P-u1,09/12/2026,card,25.50\nP-u2,10/12/2026,housing benefit,80.00\nP-9,10/12/2026,cash,5.00\n"
    )
    assert (found.kind, found.matched, found.not_in_trial, found.not_counted) == ("payments", 1, 1, 1)
    [row] = desk.rows(EventRow)
    assert (row.unit, row.kind, row.amount) == ("u1", "payment", 2550)


def test_files_of_the_kinds_without_a_rule_are_events_of_that_kind(desk: Desk) -> None:
    found = desk.add(
        "Date Returned,Letter Ref,Return Reason\n20/12/2026,nx7 4qf2,gone away\n",
        "Complaint Date,Tenancy Ref,Complaint Type\n21/12/2026,T-u2,letter\n",
        "Moved On,Tenancy Ref,What\n22/12/2026,T-u3,vacated\n23/12/2026,T-u4,deceased\n",
        "Breathing Space Start,Tenancy Ref,Until\n24/12/2026,T-u1,22/02/2027\n",
    )
    assert [one.kind for one in found] == ["returned", "complaints", "moved", "breathing_space"]
    assert {(row.unit, row.kind) for row in desk.rows(EventRow)} == {
        ("u1", "returned"),
        ("u2", "complaint"),
        ("u3", "vacated"),
        ("u4", "deceased"),
        ("u1", "breathing_space"),
    }
    assert set(FILE_OF) == {"returned", "complaint", "vacated", "deceased", "breathing_space"}


def test_balances_become_measurements_in_pence(desk: Desk) -> None:
    [found] = desk.add("Balance Date,Tenancy Ref,Current Balance\n02/01/2027,T-u1,120.05\n02/01/2027,T-x,1.00\n")
    assert (found.kind, found.matched, found.not_in_trial, found.events) == ("rent_accounts", 1, 1, {})
    [row] = desk.rows(MeasurementRow)
    assert (row.unit, row.name, row.number) == ("u1", "arrears", 12005)


def test_the_same_file_twice_changes_nothing_and_says_so(desk: Desk) -> None:
    [first] = desk.add(CONTACTS)
    before = desk.everything()
    for covers in (COVERS, None):
        [again] = desk.add(CONTACTS, covers=covers)
        assert not again.made
        assert again.covers == COVERS
        assert (again.rows, again.matched, again.events) == (first.rows, first.matched, first.events)
        assert "no change" in again.notes[0]
    assert desk.everything() == before


def test_the_same_file_under_two_names_is_one(desk: Desk) -> None:
    assert [one.made for one in desk.add(CONTACTS, CONTACTS)] == [True, False]


def test_days_covered_that_were_stated_wrongly_are_corrected_by_the_same_file(desk: Desk) -> None:
    desk.add(CONTACTS, covers=(DAY0, date(2026, 12, 31)))
    [again] = desk.add(CONTACTS, covers=COVERS)
    assert again.made
    with desk.trial.store.snapshot() as connection:
        found = coverage(connection, desk.trial.id, "contacts")
        assert broken_link(connection, desk.trial.id) is None
    assert found == (COVERS[0].toordinal(), COVERS[1].toordinal(), ())
    assert [row.what for row in desk.rows(AuditRow)][-2:] == ["responses_added", "coverage_corrected"]


def test_a_file_must_say_which_days_it_covers_and_its_rows_propose_them(desk: Desk) -> None:
    with pytest.raises(Refused) as refusal:
        desk.add(CONTACTS, covers=None)
    assert codes(refusal) == [ResponseCode.COVERS_NEEDED.slug]
    assert "--covers 2026-12-09 2026-12-15" in str(refusal.value)
    assert desk.rows(ImportRow) == []


def test_a_row_after_today_refuses_the_file(desk: Desk) -> None:
    with pytest.raises(Refused) as refusal:
        desk.add(CONTACTS, today=date(2026, 12, 13), covers=(DAY0, date(2026, 12, 15)))
    assert codes(refusal) == [ResponseCode.COVERS_FUTURE.slug, ResponseCode.ROWS_FUTURE.slug]
    assert "2 are" in str(refusal.value)
    assert desk.rows(ImportRow) == []


def test_one_bad_file_keeps_the_others_out_and_every_problem_is_told(desk: Desk) -> None:
    bad = "Pay Ref,Post Date,Trans Type,Amount\nP-u1,09/12/2026,card,twelve\nP-u2,soon,card,3.00\n"
    before = desk.everything()
    with pytest.raises(Refused) as refusal:
        desk.add(CONTACTS, bad)
    assert codes(refusal)[0] == ResponseCode.ROWS_UNREADABLE.slug
    assert {(problem.place.row, problem.place.heading) for problem in refusal.value.problems[1:]} == {
        (2, "Amount"),
        (3, "Post Date"),
    }
    assert "twelve" not in str(refusal.value)
    assert desk.everything() == before
    [listed] = (desk.trial.workspace.out(desk.trial.id) / "responses").iterdir()
    assert "twelve" in listed.read_text("utf-8-sig")


def test_the_good_rows_of_a_file_go_in_when_asked(desk: Desk) -> None:
    bad = "Pay Ref,Post Date,Trans Type,Amount\nP-u1,09/12/2026,card,twelve\nP-u2,10/12/2026,card,3.00\n"
    [found] = desk.add(bad, accept_good_rows=True)
    assert (found.rows, found.rejected, found.matched) == (2, 1, 1)
    assert found.rejects_file is not None
    assert found.rejects_file.exists()


def test_a_dry_run_counts_and_keeps_nothing(desk: Desk) -> None:
    before = desk.everything()
    [found] = desk.add(CONTACTS, dry_run=True)
    assert (found.made, found.matched, found.conflicts) == (False, 2, 1)
    assert desk.everything() == before
    assert not (desk.trial.workspace.folder / "columns.json").exists()


def test_columns_said_once_are_remembered_for_that_kind(desk: Desk) -> None:
    desk.add(CONTACTS)
    assert "contacts" in json.loads((desk.trial.workspace.folder / "columns.json").read_text())


def test_every_good_row_is_in_exactly_one_count(desk: Desk) -> None:
    [found] = desk.add(CONTACTS)
    parts = (found.matched, found.not_in_trial, found.conflicts, found.not_counted, found.undecided, found.rejected)
    assert sum(parts) == found.rows
    json.dumps(found.figures())


def test_a_file_that_fits_nobody_says_so(desk: Desk) -> None:
    [found] = desk.add("Date Time,Direction,Tenancy Ref,Reason Code\n09/12/2026,In,00u1,rent\n")
    assert any("not one row" in note for note in found.notes)


def test_contacts_written_down_late_are_remarked_on(desk: Desk) -> None:
    [found] = desk.add(
        "Date Time,Direction,Tenancy Ref,Reason Code,Logged On\n"
        "09/12/2026,In,T-u1,rent,12/12/2026\n09/12/2026,In,T-u2,rent,13/12/2026\n"
    )
    assert found.logged_late == 1


def test_a_trial_that_is_not_sealed_or_was_changed_or_is_closed_takes_no_responses(desk: Desk) -> None:
    path = desk.trial.workspace.experiments / "wealden-arrears.yaml"
    sealed_text = path.read_text("utf-8")
    path.write_text(sealed_text.replace('"money advice"', '"repairs"'), "utf-8")
    changed = replace(open_trial(desk.trial.workspace, "wealden-arrears"), store=desk.trial.store)
    with pytest.raises(Refused) as refusal:
        Desk(changed, desk.folder).add(CONTACTS)
    assert codes(refusal) == [TrialCode.CHANGED_SINCE_SEAL.slug]
    path.write_text(sealed_text, "utf-8")
    with desk.trial.store.transaction() as connection:
        audit(connection, trial=desk.trial.id, what="closed", facts={}, at=NOW)
    with pytest.raises(Refused) as refusal:
        desk.add(CONTACTS)
    assert codes(refusal) == [TrialCode.CLOSED.slug]


def test_a_wrong_file_is_taken_back_with_all_that_came_of_it(desk: Desk) -> None:
    [wrong] = desk.add(CONTACTS)
    [kept] = desk.add("Pay Ref,Post Date,Trans Type,Amount\nP-u1,09/12/2026,card,25.50\n")
    with pytest.raises(Refused) as refusal:
        withdraw_responses(desk.trial, wrong.sha256, because=" ", now=NOW)
    assert codes(refusal) == [TrialCode.BECAUSE_MISSING.slug]
    assert withdraw_responses(desk.trial, wrong.sha256, because="last year's log", now=NOW) == 2
    assert [row.sha256 for row in desk.rows(ImportRow)] == [kept.sha256]
    assert [row.kind for row in desk.rows(EventRow)] == ["payment"]
    assert desk.rows(ReviewRow) == []
    with pytest.raises(Refused) as refusal:
        withdraw_responses(desk.trial, wrong.sha256, because="again", now=NOW)
    assert codes(refusal) == [ResponseCode.FILE_NOT_ON_RECORD.slug]
    [again] = desk.add(CONTACTS)
    assert (again.made, again.matched) == (True, 2)


def test_i12_no_name_number_or_reason_typed_by_hand_leaves_the_review_queue(desk: Desk) -> None:
    desk.add(CONTACTS.replace("Phone,T-u1,,,rent", "Xanthe Canary rang,T-u1,,Xanthe Canary,rent"))
    for table in (EventRow, ImportRow, MeasurementRow, AuditRow):
        text = json.dumps([row.model_dump() for row in desk.rows(table)])
        for personal in ("Canary", "Quixworth", "QUIXWORTH", "Castellan", "900102", "900103"):
            assert personal not in text
    [doubt] = desk.rows(ReviewRow)
    assert "Castellan" in doubt.row_json


def test_a_doubtful_row_waits_with_its_candidates_and_without_any_arm(desk: Desk) -> None:
    desk.add(CONTACTS)
    [doubt] = review.open_reviews(desk.trial)
    assert (doubt.row, doubt.kind, doubt.on) == (6, "contacts", date(2026, 12, 13))
    assert [one.reference for one in doubt.candidates] == ["T-u3", "T-u4"]
    assert "Mrs Cai Castellan" in doubt.text()
    shown = doubt.text() + json.dumps(doubt.figures())
    assert not any(arm in shown for arm in ("current", "personal-norm"))
    assert "Castellan" not in json.dumps(doubt.figures())
    assert "u3" not in desk.first("contact")


def test_an_accepted_row_is_an_event_of_that_unit_and_the_decision_is_logged(desk: Desk) -> None:
    desk.add(CONTACTS)
    [doubt] = review.open_reviews(desk.trial)
    assert review.accept(desk.trial, str(doubt.id), "t-U3", now=NOW)
    assert not review.accept(desk.trial, doubt.id, "T-u3", now=NOW)
    assert desk.first("contact")["u3"] == 5
    assert review.open_reviews(desk.trial) == ()
    [row] = desk.rows(ReviewRow)
    assert (row.status, row.unit, row.decided_at) == ("accepted", "u3", "2027-01-15T10:00:00Z")
    entries = [json.loads(entry.facts_json) for entry in desk.rows(AuditRow) if entry.what == "review"]
    assert [(entry["was"], entry["now"], entry["unit"]) for entry in entries] == [("open", "accepted", "u3")]


@pytest.mark.parametrize(
    ("then", "status", "events"),
    [
        (lambda trial, number: review.accept(trial, number, "P-u4", now=NOW), "accepted", {"u1": 1, "u2": 2, "u4": 5}),
        (lambda trial, number: review.reject(trial, number, now=NOW), "rejected", {"u1": 1, "u2": 2}),
        (lambda trial, number: review.skip(trial, number, now=NOW), "skipped", {"u1": 1, "u2": 2}),
    ],
)
def test_a_decision_can_be_made_anew_and_the_last_one_counts(
    desk: Desk, then: Callable[[Trial, int], bool], status: str, events: dict[str, int]
) -> None:
    desk.add(CONTACTS)
    [doubt] = review.open_reviews(desk.trial)
    review.accept(desk.trial, doubt.id, "T-u3", now=NOW)
    assert then(desk.trial, doubt.id)
    assert not then(desk.trial, doubt.id)
    assert desk.rows(ReviewRow)[0].status == status
    assert desk.first("contact") == events
    assert [one.skipped for one in review.open_reviews(desk.trial)] == ([True] if status == "skipped" else [])


@pytest.mark.parametrize("number", ["0", "999", "one", "", "1" * 40])
def test_a_number_that_no_doubtful_row_has_is_refused(desk: Desk, number: str) -> None:
    desk.add(CONTACTS)
    with pytest.raises(Refused) as refusal:
        review.reject(desk.trial, number, now=NOW)
    assert codes(refusal) == [ResponseCode.REVIEW_UNKNOWN.slug]


def test_a_reference_of_nobody_in_the_trial_is_refused(desk: Desk) -> None:
    desk.add(CONTACTS)
    [doubt] = review.open_reviews(desk.trial)
    with pytest.raises(Refused) as refusal:
        review.accept(desk.trial, doubt.id, "T-elsewhere", now=NOW)
    assert codes(refusal) == [TrialCode.UNKNOWN_REFERENCE.slug]
    assert desk.rows(ReviewRow)[0].status == "open"


def test_a_row_whose_details_were_erased_cannot_be_accepted_any_more(desk: Desk) -> None:
    desk.add(CONTACTS)
    with desk.trial.store.transaction() as connection:
        change(connection, ReviewRow, where={"trial": desk.trial.id}, to={"row_json": "{}"})
    [doubt] = review.open_reviews(desk.trial)
    with pytest.raises(Refused) as refusal:
        review.accept(desk.trial, doubt.id, "T-u3", now=NOW)
    assert codes(refusal) == [ResponseCode.REVIEW_ERASED.slug]
    assert review.reject(desk.trial, doubt.id, now=NOW)


def test_every_refusal_of_responses_has_a_sentence() -> None:
    for code in ResponseCode:
        assert code.expected
        assert code.fix.endswith(".")
