"""Enrolment: who is drawn, who is not and why, and that the same tenancy never changes its arm."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.records.tables import AllocationRow, AuditRow, BatchRow, HouseholdRow, RecipientRow, UnitRow
from nudge.trial import enrolment as module
from nudge.trial.enrolment import enrol
from nudge.trial.gate import Listed
from nudge.trial.posting import undo_batch
from tests.postgres import NewDatabase, new_database
from tests.trial.conftest import HOUSEHOLDS, MONDAY, TUESDAY, Office, as_csv, moment, tenancy, week_one
from tests.trial.test_letters import codes

__all__ = ["new_database"]
WEEK_TWO = MONDAY + timedelta(days=7)


def adds_up(flow: Mapping[str, object]) -> bool:
    def total(name: str) -> int:
        value = flow[name]
        return sum(value.values()) if isinstance(value, dict) else int(value)

    return (
        total("rows") == total("rejected") + total("dropped") + total("rows_accepted")
        and total("tenancies") == total("enrolled_before") + total("excluded") + total("eligible")
        and total("eligible") == total("allocated") + total("late") + total("rejoined")
    )


def test_i3_the_same_file_twice_is_one_enrolment(drawn_office: Office) -> None:
    before, files = drawn_office.snapshot(), drawn_office.files()
    again = drawn_office.enrol(week_one())
    assert (again.batch, again.made) == (1, False)
    assert (drawn_office.snapshot(), drawn_office.files()) == (before, files)


def test_i3_a_late_duplicate_keeps_its_arm(drawn_office: Office) -> None:
    arms = drawn_office.arms()
    found = drawn_office.enrol([tenancy(1), tenancy(2, Arrears="900.00"), tenancy(30)], on=WEEK_TWO)
    assert (found.flow["enrolled_before"], found.flow["allocated"]) == (2, 1)
    assert adds_up(found.flow)
    assert {name: arm for name, arm in drawn_office.arms().items() if name in arms} == arms


def test_nobody_new_draws_no_batch(drawn_office: Office) -> None:
    before = drawn_office.snapshot()
    found = drawn_office.enrol([tenancy(1), tenancy(2)], on=WEEK_TWO)
    assert (found.batch, found.made) == (None, False)
    assert drawn_office.snapshot() == before


def test_i3_one_property_has_one_arm(office: Office) -> None:
    same = "100000000777"
    office.enrol([tenancy(1, UPRN=same), tenancy(2, UPRN=same), tenancy(3)])
    clusters = {row.unit: row.cluster for row in office.rows(UnitRow)}
    assert len(clusters) == 3
    assert len(set(clusters.values())) == len(office.rows(AllocationRow)) == 2
    arms = office.arms()
    assert arms["T000001"] == arms["T000002"]


def test_i3_a_tenancy_without_a_uprn_joins_its_address(drawn_office: Office) -> None:
    late = tenancy(40, UPRN="", Addr1="3 INVENTED  ROW,")
    found = drawn_office.enrol([late, tenancy(41)], on=WEEK_TWO)
    assert (found.flow["late"], found.flow["allocated"]) == (1, 1)
    assert adds_up(found.flow)
    arms = drawn_office.arms()
    assert arms["T000040"] == arms["T000003"]
    assert [row.late for row in drawn_office.rows(UnitRow, batch=2)].count(True) == 1
    assert len(drawn_office.rows(AllocationRow)) == HOUSEHOLDS + 1  # a late member takes no slot


def test_i3_two_households_found_to_be_one_keep_their_arms(drawn_office: Office) -> None:
    arms = drawn_office.arms()
    same = {"UPRN": "100000000777", "Addr1": "1 Invented Row"}
    rows = [tenancy(number, **same) for number in (1, 2, 3)]
    found = drawn_office.enrol(rows, on=WEEK_TWO)  # nobody new, but a fact about the households
    assert found.batch is None
    assert drawn_office.arms() == arms
    merged = {row.cluster: row.merged_into for row in drawn_office.rows(HouseholdRow) if row.merged_into}
    units = {row.tenancy_reference: row.unit for row in drawn_office.rows(RecipientRow)}
    clusters = {row.unit: row.cluster for row in drawn_office.rows(UnitRow)}
    three = sorted(clusters[units[f"T00000{number}"]] for number in (1, 2, 3))
    assert merged == {three[1]: three[0], three[2]: three[0]}


@pytest.mark.parametrize(
    ("dated", "code"),
    [(MONDAY - timedelta(days=8), "suppression-old"), (TUESDAY, "suppression-future")],
)
def test_i4_no_fresh_list_no_batch(office: Office, dated: object, code: str) -> None:
    before = office.snapshot()
    with pytest.raises(Refused) as refusal:
        office.enrol(week_one(), dated=dated)
    assert codes(refusal) == {code}
    assert office.snapshot() == before


def test_i4_a_list_whose_references_lost_their_zeros_protects_nobody_and_is_refused_at_every_step(
    office: Office,
) -> None:
    rows = [tenancy(number) | {"Tenancy Ref": f"{1000 + number:08d}"} for number in range(1, 5)]
    lost = "1001,breathing_space,,\n"
    with pytest.raises(Refused) as refusal:
        office.enrol(rows, stop=lost)
    assert codes(refusal) == {"suppression-reference"}
    office.enrol(rows)
    with pytest.raises(Refused) as refusal:
        office.letters(listed=Listed(office.list(lost), MONDAY))
    assert codes(refusal) == {"suppression-reference"}
    office.letters()
    with pytest.raises(Refused) as refusal:
        office.dispatch(on=TUESDAY, stop=lost)
    assert codes(refusal) == {"suppression-reference"}


@pytest.mark.parametrize(("days", "code"), [(1, "extract-future"), (-8, "extract-old")])
def test_an_extract_dated_in_the_future_or_a_week_ago_is_refused(office: Office, days: int, code: str) -> None:
    as_of = MONDAY + timedelta(days=days)
    with pytest.raises(Refused) as refusal:
        office.enrol(week_one(), as_of=as_of, dated=min(as_of, MONDAY))
    assert codes(refusal) == {code}


def test_an_extract_older_than_the_last_batch_is_refused(drawn_office: Office) -> None:
    with pytest.raises(Refused) as refusal:
        drawn_office.enrol([tenancy(30)], on=TUESDAY, as_of=MONDAY - timedelta(days=1), dated=MONDAY)
    assert codes(refusal) == {"extract-backwards"}


def test_i9_every_exclusion_is_counted_with_its_reason(office: Office) -> None:
    rows = [
        tenancy(1), tenancy(2, Agreement="Y"), tenancy(3, **{"NOSP Served": "Y"}),
        tenancy(4, **{"Court Date": "01/02/2027"}),
        tenancy(5, Vacated="Y"), tenancy(6, Arrears="3.00"), tenancy(7, Stage="court"), tenancy(8, Stage=""),
        tenancy(9), tenancy(10), tenancy(11, Arrears="a lot"), tenancy(1),
    ]  # fmt: skip
    found = office.enrol(rows, stop="T000009,breathing_space,,\nT000010,deceased,,\n", accept_good_rows=True)
    assert found.flow["excluded"] == {
        "active_agreement": 1, "notice_served": 1, "court_date": 1, "vacated": 1, "not_eligible": 2,
        "missing_stage": 1, "breathing_space": 1, "deceased": 1,
    }  # fmt: skip
    assert found.flow["rows"] == len(rows)
    assert sum(found.flow["rejected"].values()) == 1
    assert found.flow["allocated"] == 1
    assert adds_up(found.flow)
    assert found.rejects_file is not None
    assert found.rejects_file.is_file()


def test_rows_that_cannot_be_read_stop_the_batch_and_are_listed(office: Office) -> None:
    before = office.snapshot()
    rows = [tenancy(1), tenancy(2, Arrears="a lot"), tenancy(3, **{"Court Date": "soonish"})]
    with pytest.raises(Refused) as refusal:
        office.enrol(rows)
    assert {"rows-rejected"} < codes(refusal)
    assert office.snapshot() == before
    listing = office.folder / "out/wealden-arrears/rejects.csv"
    lines = listing.read_text("utf-8-sig").splitlines()
    assert lines[1] == '"","to do","correct the values of 2 rows","",""'
    assert len(lines) == 4  # the headings, what to do, two faults
    assert "To do, where the file comes from:" in refusal.value.told
    assert [line.split(":")[0] for line in refusal.value.told if line.startswith("row")] == [
        "row 3  Arrears",
        "row 4  Court Date",
    ]
    assert "a lot" not in str(refusal.value)  # the list may hold the cell, the message may not (I12)
    assert office.enrol(rows, accept_good_rows=True).flow["allocated"] == 1


def test_i4_a_name_that_no_font_can_print_stops_before_the_draw(office: Office) -> None:
    before = office.snapshot()
    rows = [tenancy(1), tenancy(2, Surname="𒀀shdown"), tenancy(3)]
    with pytest.raises(Refused) as refusal:
        office.enrol(rows)
    assert "letters-unwritable" in codes(refusal)
    assert "𒀀" not in str(refusal.value)
    assert office.snapshot() == before
    found = office.enrol(rows, accept_good_rows=True)
    assert found.flow["excluded"] == {"letter_cannot_be_written": 1}
    assert found.flow["allocated"] == 2
    assert adds_up(found.flow)


def test_i8_a_dry_run_writes_nothing_and_shows_no_arm(office: Office) -> None:
    before, files = office.snapshot(), office.files()
    shown = office.enrol([*week_one(), tenancy(9, Agreement="Y")], dry_run=True)
    assert (shown.batch, shown.made, shown.flow["allocated"]) == (None, False, HOUSEHOLDS)
    assert (office.snapshot(), office.files()) == (before, files)
    assert not [arm for arm in office.trial.experiment.arm_ids if arm in repr(shown)]
    with pytest.raises(Refused):
        office.enrol([tenancy(1, Arrears="a lot")], dry_run=True, name="broken.csv")
    assert office.files() == files


def _without_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the proof of letters out where a test is of the draw alone: each letter takes a tenth of a second."""
    monkeypatch.setattr(module, "prove_letters", lambda *_, **__: {})


def many(count: int) -> list[dict[str, str]]:
    return [tenancy(number) for number in range(1, count + 1)]


def test_i2_the_arms_do_not_hang_on_the_order_of_rows(
    sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_proof(monkeypatch)
    found = []
    for turn in range(3):
        rows: Sequence[dict[str, str]] = many(40)
        random.Random(turn).shuffle(list(rows))
        shuffled = random.Random(turn).sample(rows, len(rows))
        shutil.copytree(sealed, tmp_path / str(turn))
        office = Office(tmp_path / str(turn))
        office.enrol(shuffled)
        office.enrol(random.Random(turn).sample([*rows, *[tenancy(n) for n in range(41, 60)]], 59), on=WEEK_TWO)
        found.append(office.arms())
    assert found[0] == found[1] == found[2]
    assert len(set(found[0].values())) == 2


def test_i2_the_arms_are_the_same_on_sqlite_and_postgresql(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    new_database: NewDatabase,
) -> None:
    from tests.trial.conftest import make_sealed

    _without_proof(monkeypatch)
    found = []
    for name, url in (("sqlite", ""), ("postgresql", new_database(ready=True))):
        if url:
            monkeypatch.setenv("NUDGE_DATABASE_URL", url)
        office = Office(make_sealed(tmp_path / name))
        office.enrol(many(30))
        found.append((office.arms(), [row.list_hash for row in office.rows(BatchRow)]))
        office.close()
    assert found[0] == found[1]


def test_two_enrolments_at_once_are_one_and_the_other_is_told(
    sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(sealed, tmp_path / "rents")
    office = Office(tmp_path / "rents")
    both = threading.Barrier(2)

    def meet(*_: object, **__: object) -> dict[str, object]:
        both.wait(30)
        return {}

    monkeypatch.setattr(module, "prove_letters", meet)
    extracts = [office.file(f"{name}.csv", as_csv(many(4 + number))) for number, name in enumerate(("one", "two"))]
    listed = office.list()
    ends: list[object] = []

    def run(extract: Path) -> None:
        try:
            ends.append(enrol(office.trial, extract, listed, dated=MONDAY, today=MONDAY, now=moment(MONDAY)).batch)
        except Refused as refusal:
            ends.append(refusal.problems[0].code)

    threads = [threading.Thread(target=run, args=(extract,)) for extract in extracts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, ends)) == ["1", "drawn-meanwhile"]
    assert [row.number for row in office.rows(BatchRow)] == [1]


def _enrol(folder: str) -> None:
    Office(Path(folder)).enrol(many(4))


def test_i11_an_enrolment_killed_in_the_middle_leaves_nothing_half_done(office: Office) -> None:
    before = office.snapshot()
    worker = multiprocessing.get_context("spawn").Process(target=_enrol, args=(str(office.folder),))
    worker.start()
    deadline = time.monotonic() + 30  # the extract is there: it is being read, proved or drawn
    while not (office.folder / "data" / f"{MONDAY}-week.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    after = office.snapshot()
    found = office.enrol(many(4))
    assert (after == before) == found.made  # either nothing of it is on record, or all of it
    assert [row.number for row in office.rows(BatchRow)] == [1]
    assert len(office.rows(UnitRow)) == len(office.rows(AllocationRow)) == 4


def test_i3_one_file_enrolled_undone_and_enrolled_again_gives_the_same_arms(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_proof(monkeypatch)
    office.enrol(many(8))
    arms, slots = office.arms(), office.rows(AllocationRow)
    undo_batch(office.trial, 1, now=moment(MONDAY, 10))
    again = office.enrol(many(8))
    assert (again.batch, again.flow["rejoined"], again.flow["clusters"]) == (2, 8, 0)
    assert adds_up(again.flow)
    assert office.arms() == arms
    assert [repr(row) for row in office.rows(AllocationRow)] == [repr(row) for row in slots]


def test_i1_a_name_corrected_after_an_undo_is_the_one_on_the_letter(lettered_office: Office) -> None:
    undo_batch(lettered_office.trial, 1, now=moment(MONDAY, 12))
    rows = [
        row | {"Surname": "Corrected", "Arrears": "77.00"} if row["Pay Ref"] == "P000001" else row for row in week_one()
    ]
    lettered_office.enrol(rows[:-1], on=TUESDAY)  # and the joint tenant has left
    made = lettered_office.letters(2, on=TUESDAY)
    assert made.made == HOUSEHOLDS
    manifest = (made.manifest or Path()).read_text("utf-8-sig")
    assert "Corrected" in manifest
    assert "Jointly" not in manifest
    [unit] = {row.unit for row in lettered_office.rows(RecipientRow, tenancy_reference="T000001")}
    values = json.loads(lettered_office.rows(UnitRow, unit=unit)[0].values_json)
    assert (values["arrears"], values["arrears_band"]) == (7700, "under £150")


def test_the_lists_hash_is_in_the_ledger_before_its_draw(drawn_office: Office) -> None:
    what = [row.what for row in drawn_office.rows(AuditRow)]
    assert what.index("list_frozen") == what.index("drawn") - 1
    frozen = json.loads(next(row.facts_json for row in drawn_office.rows(AuditRow) if row.what == "list_frozen"))
    assert frozen["list_hash"] == drawn_office.rows(BatchRow)[0].list_hash


def test_a_workspace_that_was_moved_finds_its_suppression_list(drawn_office: Office, tmp_path: Path) -> None:
    moved = drawn_office.folder.rename(tmp_path / "elsewhere")
    assert Office(moved).letters(dry_run=True).made == HOUSEHOLDS + 1


def test_i6_enrolment_stops_in_all_arms_when_a_claim_lapses(office: Office) -> None:
    before = office.snapshot()
    with pytest.raises(Refused) as refusal:
        office.enrol(week_one(), on=MONDAY + timedelta(days=400))
    assert codes(refusal) == {"claim-lapsed"}
    assert office.snapshot() == before


def test_i4_executors_are_left_to_an_officer_before_the_draw_and_one_person_twice_is_pointed_out(
    office: Office,
) -> None:
    rows = [
        tenancy(1),
        tenancy(2, Title="", Forename="Exors of", Surname="B Birch"),
        tenancy(3, Title="", Forename="Exors of", Surname="C Cuckmere"),
        tenancy(4, Title="Ms", Forename="Ada", Surname="Birch", Telephone="07700 900001"),
        tenancy(5, Title="Ms", Forename="A", Surname="Birch", Telephone="+44 7700 900001"),
    ]
    found = office.enrol(rows, stop="T000003,deceased_on_list,,\n")
    assert found.flow["excluded"] == {"deceased": 1, "deceased_on_list": 1}
    assert found.deceased == (3,)  # the other is on the list already: somebody knows
    assert [(one.first, one.second, one.shares) for one in found.alike] == [(5, 6, "telephone")]
    assert found.flow["allocated"] == 3  # told of, and never merged
    assert adds_up(found.flow)
