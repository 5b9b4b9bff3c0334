"""Letters of a batch: whom they go to, what stops them, and how a run that was cut short is finished."""

from __future__ import annotations

import csv
import multiprocessing
import os
import signal
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pikepdf
import pytest

from nudge.base.errors import Refused
from nudge.records.tables import AuditRow, BatchRow, EventRow, PostingRow, RecipientRow, UnitRow
from nudge.trial.gate import Listed
from nudge.trial.letters import batches_to_letter
from nudge.trial.posting import hold, undo_batch
from tests.trial.conftest import (
    HOUSEHOLDS,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    Office,
    as_csv,
    moment,
    tenancy,
    week_one,
)


def codes(refusal: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {problem.code for problem in refusal.value.problems}


def statuses(office: Office, reference: str, wave: str = "first") -> list[tuple[str, str | None]]:
    [unit] = {row.unit for row in office.rows(RecipientRow, tenancy_reference=reference)}
    return [(row.status, row.reason) for row in office.rows(PostingRow, unit=unit, wave=wave)]


def test_joint_tenants_are_one_unit_and_get_a_letter_each(lettered_office: Office) -> None:
    assert len(lettered_office.rows(UnitRow)) == HOUSEHOLDS
    assert len(statuses(lettered_office, "T000006")) == 2
    assert len(list((lettered_office.folder / "out/wealden-arrears/batch-001/letters").glob("*.pdf"))) == HOUSEHOLDS + 1


def test_i11_letters_twice_is_no_change(lettered_office: Office) -> None:
    before, files = lettered_office.snapshot(), lettered_office.files()
    again = lettered_office.letters(on=TUESDAY)
    assert again.kept == again.made == HOUSEHOLDS + 1
    assert lettered_office.snapshot() == before
    assert lettered_office.files() == files


def test_letters_that_read_otherwise_than_the_printed_ones_are_told(lettered_office: Office) -> None:
    path = lettered_office.folder / "nudge.toml"
    text = path.read_text("utf-8")
    assert "01632 960 100" in text
    path.write_text(text.replace("01632 960 100", "01632 960 109"), "utf-8")
    again = lettered_office.letters(on=TUESDAY)
    assert (again.made, again.changed) == (HOUSEHOLDS + 1, HOUSEHOLDS + 1)
    assert lettered_office.letters(on=TUESDAY).changed == 0


def test_a_dry_run_of_letters_writes_nothing(drawn_office: Office) -> None:
    before, files = drawn_office.snapshot(), drawn_office.files()
    assert drawn_office.letters(dry_run=True).made == HOUSEHOLDS + 1
    assert (drawn_office.snapshot(), drawn_office.files()) == (before, files)


def _letters_slowly(folder: str) -> None:
    Office(Path(folder)).letters()


def test_i11_letters_killed_in_the_middle_are_finished_by_the_same_command(drawn_office: Office) -> None:
    before = drawn_office.snapshot()
    worker = multiprocessing.get_context("spawn").Process(target=_letters_slowly, args=(str(drawn_office.folder),))
    worker.start()
    folder = drawn_office.folder / "out/wealden-arrears/batch-001/letters"
    deadline = time.monotonic() + 60
    while len(list(folder.glob("*.pdf"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    assert drawn_office.snapshot() == before  # nothing half-done on record
    made = drawn_office.letters()
    assert made.made == HOUSEHOLDS + 1
    assert [row.status for row in drawn_office.rows(BatchRow)] == ["lettered"]
    for path in folder.glob("*.pdf"):
        with pikepdf.open(path) as letter:
            assert len(letter.pages) >= 1


def test_i4_a_unit_newly_on_the_list_is_withheld_with_all_its_letters_and_stays_drawn(lettered_office: Office) -> None:
    listed = Listed(lettered_office.list("T000006,breathing_space,,\n", "fresh.csv"), TUESDAY)
    made = lettered_office.letters(on=TUESDAY, listed=listed)
    assert made.withheld == {"breathing_space": 1}
    assert statuses(lettered_office, "T000006") == [("withheld", "breathing_space")] * 2
    stems = {path.stem for path in (made.folder / "letters").glob("*.pdf")}
    assert len(stems) == HOUSEHOLDS - 1  # no withheld letter lies about to be printed
    with (made.manifest or Path()).open(encoding="utf-8-sig") as stream:
        assert {row["letter_reference"] for row in csv.DictReader(stream)} == stems
    assert len(lettered_office.rows(UnitRow, batch=1)) == HOUSEHOLDS


def test_i4_a_unit_off_the_list_again_before_posting_gets_its_letter(lettered_office: Office) -> None:
    listed = Listed(lettered_office.list("T000001,breathing_space,,\n", "fresh.csv"), TUESDAY)
    lettered_office.letters(on=TUESDAY, listed=listed)
    lettered_office.letters(on=WEDNESDAY, listed=Listed(lettered_office.list("", "later.csv"), WEDNESDAY))
    assert statuses(lettered_office, "T000001") == [("made", None)]


def test_i4_everybody_on_the_list_leaves_no_print_file(lettered_office: Office) -> None:
    rows = "".join(f"{row['Tenancy Ref']},deceased,,\n" for row in week_one()[:HOUSEHOLDS])
    made = lettered_office.letters(listed=Listed(lettered_office.list(rows, "all.csv"), MONDAY))
    assert made.made == 0
    left = [path for path in made.folder.rglob("*") if path.suffix in {".pdf", ".csv"} and path.is_file()]
    assert [path.name for path in left] == ["taken-out.csv"]  # the earlier print file may lie in the tray


def test_i4_letters_need_a_list_not_older_than_a_week(drawn_office: Office) -> None:
    with pytest.raises(Refused) as refusal:
        drawn_office.letters(on=MONDAY + timedelta(days=8))
    assert codes(refusal) == {"suppression-stale"}
    (drawn_office.folder / "data" / f"{MONDAY}-stop.csv").write_text(
        "reference,reason,from,until\nT000001,deceased,,\n"
    )
    with pytest.raises(Refused) as refusal:
        drawn_office.letters(on=TUESDAY)
    assert codes(refusal) == {"suppression-needed"}


def test_i4_a_tenant_held_after_the_draw_gets_no_letter(drawn_office: Office) -> None:
    assert hold(drawn_office.trial, "T000006", because="tenant in crisis", today=MONDAY, now=moment(MONDAY))
    assert not hold(drawn_office.trial, "T000006", because="tenant in crisis", today=MONDAY, now=moment(MONDAY))
    assert drawn_office.letters().withheld == {"tenant_in_crisis": 1}
    assert drawn_office.dispatch(on=WEDNESDAY).withheld == {"tenant_in_crisis": 1}


def test_a_dry_run_of_a_hold_holds_nobody(drawn_office: Office) -> None:
    before = drawn_office.snapshot()
    assert hold(drawn_office.trial, "T000001", because="crisis", today=MONDAY, now=moment(MONDAY), dry_run=True)
    assert drawn_office.snapshot() == before


@pytest.mark.parametrize("because", ["spoke to Birch", "a very long story about the tenant", "call 07700 900001"])
def test_i12_a_hold_is_not_recorded_with_a_name_or_number_in_its_reason(drawn_office: Office, because: str) -> None:
    with pytest.raises(Refused) as refusal:
        hold(drawn_office.trial, "T000001", because=because, today=MONDAY, now=moment(MONDAY))
    assert codes(refusal) == {"because-not-a-code"}
    assert not drawn_office.rows(EventRow)


def test_i8_the_print_pack_tells_nobody_the_arm(lettered_office: Office) -> None:
    arms = set(lettered_office.arms().values())
    assert len(arms) == 2
    folder = lettered_office.folder / "out/wealden-arrears/batch-001"
    with (folder / "manifest.csv").open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    order = [(row["postcode"], row["letter_reference"]) for row in rows]
    assert order == sorted(order)
    words = {*arms, "personal", "norm", "control", "arrears-current", "arrears-personal-norm"}
    seen = [*(str(path) for path in folder.rglob("*")), (folder / "manifest.csv").read_text("utf-8-sig")]
    with pikepdf.open(folder / "print-001.pdf") as merged:
        seen += [str(dict(merged.docinfo)), str(merged.Root.keys())]
    text = "\n".join(seen).replace(str(lettered_office.folder), "").lower()
    assert not [word for word in words if word in text]
    by_arm: dict[str, Counter[str]] = {arm: Counter() for arm in arms}
    unit_arm = {row.unit: lettered_office.arms()[row.tenancy_reference] for row in lettered_office.rows(RecipientRow)}
    for posting in lettered_office.rows(PostingRow):
        by_arm[unit_arm[posting.unit]][f"{posting.pages} {posting.sheets}"] += 1
    assert len({tuple(sorted(counts)) for counts in by_arm.values()}) == 1  # no arm is a sheet longer


def test_i3_an_undone_batch_keeps_its_arms_and_comes_back_with_a_later_one(lettered_office: Office) -> None:
    arms = lettered_office.arms()
    assert undo_batch(lettered_office.trial, 1, now=moment(MONDAY, 12))
    assert not undo_batch(lettered_office.trial, 1, now=moment(MONDAY, 12))
    assert not [name for name in lettered_office.files() if name.endswith((".pdf", "manifest.csv"))]
    with pytest.raises(Refused) as refusal:
        lettered_office.letters()
    assert codes(refusal) == {"batch-abandoned"}
    week_two = MONDAY + timedelta(days=7)
    back = lettered_office.enrol([*week_one(), tenancy(20)], on=week_two)
    assert (back.batch, back.flow["rejoined"], back.flow["allocated"]) == (2, HOUSEHOLDS, 1)
    assert {name: arm for name, arm in lettered_office.arms().items() if name in arms} == arms
    assert {row.first_batch for row in lettered_office.rows(UnitRow, batch=2)} == {1, 2}
    made = lettered_office.letters(2, on=week_two)
    assert made.made == HOUSEHOLDS + 2
    assert {row.batch for row in lettered_office.rows(PostingRow)} == {2}
    lettered_office.dispatch(2, on=week_two + timedelta(days=1))
    days = {row.number: row.day0 for row in lettered_office.rows(BatchRow)}
    assert days == {1: None, 2: (week_two + timedelta(days=1)).toordinal()}


def test_a_posted_batch_cannot_be_undone_nor_its_letters_made_again(posted_office: Office) -> None:
    before = posted_office.snapshot()
    with pytest.raises(Refused) as refusal:
        undo_batch(posted_office.trial, 1, now=moment(WEDNESDAY, 17))
    assert codes(refusal) == {"batch-posted"}
    with pytest.raises(Refused) as refusal:
        posted_office.letters(on=WEDNESDAY)
    assert codes(refusal) == {"batch-posted"}
    assert posted_office.snapshot() == before


# The second letter: fourteen days after day 0, the same rule in every arm.

DUE = WEDNESDAY + timedelta(days=14)


def second(office: Office, rows: list[dict[str, str]], *, on: date = DUE, stop: str = "", **more: object) -> object:
    extract = office.file(f"{on}-again.csv", as_csv(rows))
    listed = Listed(office.list(stop, f"{on}-again-stop.csv"), on)
    return office.letters(1, on=on, wave="second", extract=extract, listed=listed, **more)


def event(office: Office, reference: str, kind: str, day: date) -> None:
    from nudge.records.store import append

    [unit] = {row.unit for row in office.rows(RecipientRow, tenancy_reference=reference)}
    with office.trial.store.transaction() as connection:
        append(
            connection,
            [
                EventRow(
                    trial="wealden-arrears",
                    unit=unit,
                    kind=kind,
                    on_day=day.toordinal(),
                    import_sha256=f"x{reference}",
                    row=2,
                    matched_by="tenancy_reference",
                    amount=None,
                    values_json="{}",
                )
            ],
        )


def still_owing() -> list[dict[str, str]]:
    """Week three's extract: the stage has moved on by itself."""
    return [row | {"Stage": "second letter"} for row in week_one()]


def test_the_second_letter_goes_by_one_rule_in_every_arm(posted_office: Office) -> None:
    event(posted_office, "T000001", "contact", WEDNESDAY + timedelta(days=3))
    event(posted_office, "T000002", "payment", WEDNESDAY)  # on day 0: no response (rules §1)
    rows = still_owing()
    rows[2]["Agreement"] = "Y"
    rows[3]["Arrears"] = "2.00"
    del rows[4]
    made = second(posted_office, rows)
    assert made.skipped == {"contact": 1, "active_agreement": 1, "not_eligible": 1, "not_in_extract": 1}
    written = {row.tenancy_reference for row in posted_office.rows(RecipientRow)} & {"T000002", "T000006"}
    for reference in written:
        assert {status for status, _ in statuses(posted_office, reference, "second")} == {"made"}
    assert made.made == 3


def test_the_second_letter_is_not_made_before_it_is_due(posted_office: Office) -> None:
    early = DUE - timedelta(days=1)
    with pytest.raises(Refused) as refusal:
        batches_to_letter(posted_office.trial, "second", early)
    assert codes(refusal) == {"nothing-due"}
    with pytest.raises(Refused) as refusal:
        second(posted_office, still_owing(), on=early)
    assert codes(refusal) == {"nothing-due"}
    assert batches_to_letter(posted_office.trial, "second", DUE) == [1]


def test_i4_the_second_letter_wants_an_extract_it_can_trust(posted_office: Office) -> None:
    for as_of, code in ((DUE + timedelta(days=1), "extract-future"), (DUE - timedelta(days=8), "extract-old")):
        with pytest.raises(Refused) as refusal:
            second(posted_office, still_owing(), as_of=as_of)
        assert codes(refusal) == {code}
    broken = [row | {"Arrears": "rather a lot"} if row["Tenancy Ref"] == "T000001" else row for row in still_owing()]
    before = posted_office.snapshot()
    with pytest.raises(Refused) as refusal:  # else T000001 would get no second letter and nobody would know
        second(posted_office, broken)
    assert "rows-rejected" in codes(refusal)
    assert posted_office.snapshot() == before
    with pytest.raises(Refused) as refusal:
        posted_office.letters(1, on=DUE, wave="second", listed=Listed(posted_office.list(), DUE))
    assert codes(refusal) == {"wave-needs-extract"}
    with pytest.raises(Refused) as refusal:
        posted_office.letters(1, wave="third")
    assert codes(refusal) == {"wave-unknown"}


def test_a_second_letter_made_for_who_paid_before_the_posting_is_taken_out_again(posted_office: Office) -> None:
    second(posted_office, still_owing())
    event(posted_office, "T000006", "payment", DUE)
    again = second(posted_office, still_owing(), on=DUE + timedelta(days=1))
    assert again.skipped == {"payment": 1}
    assert statuses(posted_office, "T000006", "second") == [("abandoned", "payment")] * 2
    done = posted_office.dispatch(on=DUE + timedelta(days=1), wave="second")
    assert done.posted == HOUSEHOLDS - 1


def test_i11_a_second_letter_is_sent_once(posted_office: Office) -> None:
    second(posted_office, still_owing())
    before = posted_office.snapshot()
    second(posted_office, still_owing())
    assert posted_office.snapshot() == before
    posted_office.dispatch(on=DUE, wave="second")
    assert batches_to_letter(posted_office.trial, "second", DUE) == []
    before = posted_office.snapshot()
    with pytest.raises(Refused) as refusal:
        second(posted_office, still_owing(), on=DUE + timedelta(days=2))
    assert codes(refusal) == {"batch-posted"}
    assert posted_office.snapshot() == before
    assert Counter(row.what for row in posted_office.rows(AuditRow))["lettered"] == 2
