"""The seal: refused with all that is missing, never shopped for, changed only by amendment (I6, I7)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.base.resources import resources
from nudge.records.tables import AllocationRow, AmendmentRow, AuditRow, SealRow
from nudge.trial import enrolment
from nudge.trial.closing import close_trial, verify_trial
from nudge.trial.handle import require_seal
from nudge.trial.responses import add_responses
from nudge.trial.sealing import amend_trial, record_beacon, seal_trial
from nudge.trial.standing import standing
from nudge.workspace import make_workspace
from tests.trial.conftest import (
    MONDAY,
    SEALED_ON,
    SECRET,
    SIGNED,
    TUESDAY,
    Office,
    history_csv,
    moment,
    tenancy,
    week_one,
)
from tests.trial.test_letters import codes

WEEK_TWO = MONDAY + timedelta(days=7)


def experiment_file(office: Office) -> Path:
    return office.folder / "experiments" / "wealden-arrears.yaml"


def edit(office: Office, old: str, new: str) -> None:
    path = experiment_file(office)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def amend(office: Office, because: str = "new telephone number", **more: object) -> AmendmentRow:
    return amend_trial(office.trial, because=because, by="JP", now=moment(TUESDAY), **more)


@pytest.fixture
def unsealed(tmp_path: Path) -> Office:
    """A workspace with the flagship signed off and its history in place, not sealed."""
    folder = tmp_path / "rents"
    make_workspace(folder, council="Anytown Borough Council", resources=resources())
    (folder / "data" / "history.csv").write_bytes(history_csv())
    office = Office(folder)
    for blank, filled in SIGNED.items():
        edit(office, blank, filled)
    return office


def seal(office: Office, secret: bytes = SECRET) -> object:
    return seal_trial(office.trial, secret=secret, now=moment(SEALED_ON))


def test_i7_a_seal_is_refused_with_all_that_is_missing(tmp_path: Path) -> None:
    office = Office(tmp_path / "rents")
    make_workspace(office.folder, council="Anytown", resources=resources())
    (office.folder / "templates/letters/arrears-second.html").unlink()
    with pytest.raises(Refused) as refusal:
        seal(office)
    text = str(refusal.value)
    assert len(refusal.value.problems) >= 6
    for word in ("legal", "data protection", "keeper", "data/history.csv", "arrears-second.html"):
        assert word in text
    assert not office.rows(SealRow)
    assert not list((office.folder / "secrets").iterdir())


def test_i7_sealing_twice_changes_nothing(office: Office) -> None:
    before, secret = office.snapshot(), office.files("secrets")
    assert seal_trial(office.trial, secret=bytes(32), now=moment(TUESDAY)).made is False
    assert (office.snapshot(), office.files("secrets")) == (before, secret)


def test_i8_sealing_again_before_the_draw_keeps_the_secret(office: Office) -> None:
    secret = office.files("secrets")
    edit(office, "days_to_contact: 3", "days_to_contact: 4")
    done = seal_trial(office.trial, secret=bytes(32), now=moment(TUESDAY))
    assert (done.made, done.row.number) == (True, 2)
    assert office.files("secrets") == secret
    assert done.row.beacon_value == "04 11 23 31 40 52"
    assert [row.number for row in office.rows(SealRow)] == [1, 2]  # the earlier seal stays in the ledger


def test_i7_after_the_draw_only_an_amendment_will_do(drawn_office: Office) -> None:
    edit(drawn_office, "days_to_contact: 3", "days_to_contact: 4")
    with pytest.raises(Refused) as refusal:
        seal_trial(drawn_office.trial, secret=SECRET, now=moment(TUESDAY))
    assert codes(refusal) == {"drawn-already"}


def test_the_secret_is_private_to_its_owner_and_nowhere_else(office: Office) -> None:
    path = office.folder / "secrets/wealden-arrears.secret"
    assert path.stat().st_mode & 0o777 == 0o600
    for name, content in office.files(".").items():
        if not name.startswith("secrets/"):
            assert SECRET not in content
            assert SECRET.hex().encode() not in content


def test_i7_what_was_sealed_is_refused_everywhere_once_it_changed(lettered_office: Office) -> None:
    office = lettered_office
    contacts = office.file("contacts.csv", "Date,Direction,Reason,Tenancy Ref\n2026-12-10,in,rent,T000001\n")
    steps: dict[str, Callable[[], object]] = {
        "enrol": lambda: office.enrol([tenancy(50)], on=TUESDAY),
        "letters": lambda: office.letters(on=TUESDAY),
        "dispatch": lambda: office.dispatch(on=TUESDAY),
        "verify": lambda: verify_trial(office.trial),
        "close": lambda: close_trial(office.trial, today=TUESDAY, now=moment(TUESDAY), abandon=True, because="x"),
    }
    before = office.snapshot()
    edit(office, "days_to_contact: 3", "days_to_contact: 2")
    steps["responses"] = lambda: add_responses(
        office.trial, [contacts], kind="contacts", covers=(MONDAY, TUESDAY), today=TUESDAY, now=moment(TUESDAY)
    )
    for step in steps.values():
        with pytest.raises(Refused) as refusal:
            step()
        assert codes(refusal) == {"changed-since-seal"}
    edit(office, "days_to_contact: 2", "days_to_contact: 3")
    letter = office.folder / "templates/letters/arrears-current.html"
    letter.write_text(letter.read_text("utf-8") + "<!-- -->", "utf-8")
    del steps["responses"]  # a template is no matter there
    for step in steps.values():
        with pytest.raises(Refused) as refusal:
            step()
        assert codes(refusal) == {"changed-since-seal"}
    assert office.snapshot() == before


def test_i7_an_amendment_is_numbered_and_says_what_changed(drawn_office: Office) -> None:
    letter = drawn_office.folder / "templates/letters/arrears-current.html"
    letter.write_text(letter.read_text("utf-8") + "\n", "utf-8")
    before = drawn_office.snapshot()
    assert amend(drawn_office, dry_run=True).number == 1
    assert drawn_office.snapshot() == before
    assert (amend(drawn_office).kind, require_seal(drawn_office.trial).number) == ("minor", 2)
    [row] = drawn_office.rows(AmendmentRow)
    assert (row.number, row.because, row.by, row.new_epoch) == (1, "new telephone number", "JP", False)
    assert "templates/letters/arrears-current.html" in row.changes_json
    with pytest.raises(Refused) as refusal:
        amend(drawn_office)
    assert codes(refusal) == {"nothing-changed"}


def test_an_amendment_needs_a_reason_and_initials(drawn_office: Office) -> None:
    edit(drawn_office, "days_to_contact: 3", "days_to_contact: 4")
    with pytest.raises(Refused) as refusal:
        amend(drawn_office, because=" ")
    assert codes(refusal) == {"because-missing"}
    assert amend(drawn_office).kind == "major"


def test_a_closed_trial_is_not_amended_lettered_or_enrolled(drawn_office: Office) -> None:
    close_trial(drawn_office.trial, today=TUESDAY, now=moment(TUESDAY), abandon=True, because="funding ended")
    with pytest.raises(Refused) as refusal:
        drawn_office.letters(on=TUESDAY)
    assert codes(refusal) == {"closed"}
    with pytest.raises(Refused) as refusal:
        drawn_office.enrol([tenancy(50)], on=TUESDAY)
    assert codes(refusal) == {"closed"}
    edit(drawn_office, "days_to_contact: 3", "days_to_contact: 4")
    with pytest.raises(Refused) as refusal:
        amend(drawn_office)
    assert codes(refusal) == {"closed"}


def test_a_new_ratio_opens_an_epoch_for_the_next_draw_and_keeps_the_arms_drawn(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment, "prove_letters", lambda *_, **__: {})
    office.enrol([tenancy(number) for number in range(1, 21)])
    earlier = [repr(row) for row in office.rows(AllocationRow)]
    edit(office, "ratio: [1, 1]", "ratio: [1, 3]")
    assert amend(office, because="faster answer").new_epoch
    office.enrol([tenancy(number) for number in range(21, 101)], on=WEEK_TWO)
    rows = office.rows(AllocationRow)
    assert [repr(row) for row in rows if row.epoch == 1] == earlier  # nothing recorded is lost
    later = [row for row in rows if row.epoch == 2]
    assert len(later) == 80
    assert {row.block_size % 4 for row in later} == {0}
    share = sum(row.arm == "personal-norm" for row in later) / len(later)
    assert 0.65 < share < 0.85
    verified = verify_trial(office.trial)
    assert (verified.problems, verified.clusters) == ((), 100)


def test_i8_nothing_is_drawn_before_the_beacon_is_known(unsealed: Office) -> None:
    seal(unsealed)
    before = unsealed.snapshot()
    with pytest.raises(Refused) as refusal:
        unsealed.enrol([tenancy(1)])
    assert codes(refusal) == {"no-beacon"}
    assert unsealed.snapshot() == before
    assert record_beacon(unsealed.trial, "1 2 3", now=moment(MONDAY)).made
    assert not record_beacon(unsealed.trial, "1 2 3", now=moment(MONDAY)).made
    with pytest.raises(Refused) as refusal:
        record_beacon(unsealed.trial, "4 5 6", now=moment(MONDAY))
    assert codes(refusal) == {"beacon-set"}


def test_a_secret_that_is_missing_or_anothers_stops_every_draw(office: Office) -> None:
    path = office.folder / "secrets/wealden-arrears.secret"
    before = office.snapshot()
    for content, code in (("00" * 32, "secret-wrong"), ("not hexadecimal", "secret-wrong"), (None, "secret-missing")):
        if content is None:
            path.unlink()
        else:
            path.write_text(content)
        with pytest.raises(Refused) as refusal:
            office.enrol(week_one())
        assert codes(refusal) == {code}
        assert "service manager" in str(refusal.value)
    assert office.snapshot() == before


def untrue_history() -> bytes:
    """The same year, in which 4 in 10 agreed a way forward."""
    kept = []
    for number, line in enumerate(history_csv().decode().splitlines()):
        cells = line.split(",")
        if number and (number - 1) % 10 >= 4:
            cells[7] = ""
        kept.append(",".join(cells))
    return ("\r\n".join(kept) + "\r\n").encode()


def test_i6_a_claim_that_its_data_do_not_bear_out_is_not_sealed(unsealed: Office) -> None:
    (unsealed.folder / "data/history.csv").write_bytes(untrue_history())
    with pytest.raises(Refused):
        seal(unsealed)
    assert not unsealed.rows(SealRow)


def test_i6_newer_history_that_contradicts_a_claim_stops_enrolment_in_all_arms(office: Office) -> None:
    (office.folder / "data/history.csv").write_bytes(untrue_history())
    before = office.snapshot()
    with pytest.raises(Refused) as refusal:
        office.enrol(week_one())
    assert codes(refusal) == {"claim-lapsed"}
    assert office.snapshot() == before


def test_i6_a_claim_stands_on_its_frozen_figures_when_the_source_went_under_retention(office: Office) -> None:
    (office.folder / "data/history.csv").unlink()
    assert office.enrol([tenancy(1)], dry_run=True).flow["allocated"] == 1


def test_sealing_goes_on_where_it_was_cut_short(unsealed: Office) -> None:
    (unsealed.folder / "secrets").mkdir(exist_ok=True)
    (unsealed.folder / "secrets/.wealden-arrears.secret.part").write_text("half")
    assert seal(unsealed).made
    assert [path.name for path in (unsealed.folder / "secrets").iterdir()] == ["wealden-arrears.secret"]
    assert [row.what for row in unsealed.rows(AuditRow)] == ["sealed"]


def test_i8_a_beacon_is_refused_before_its_day(unsealed: Office) -> None:
    seal_trial(unsealed.trial, secret=SECRET, now=moment(SEALED_ON))
    with pytest.raises(Refused) as refusal:
        record_beacon(unsealed.trial, "1 2 3", now=moment(date(2026, 12, 4)))
    assert codes(refusal) == {"beacon-too-early"}
    assert record_beacon(unsealed.trial, "1 2 3", now=moment(date(2026, 12, 5))).made


def test_status_says_what_comes_after_the_seal_and_notices_a_changed_file(unsealed: Office) -> None:
    seal_trial(unsealed.trial, secret=SECRET, now=moment(SEALED_ON))

    def to_do() -> str:
        found = standing(unsealed.trial.workspace, "wealden-arrears", today=MONDAY)
        assert found is not None
        return "\n".join(found.to_do)

    assert "--beacon" in to_do()
    record_beacon(unsealed.trial, "1 2 3", now=moment(MONDAY))
    assert "nudge enrol wealden-arrears" in to_do()
    edit(unsealed, "horizon: 56", "horizon: 57")
    assert "nudge amend wealden-arrears" in to_do()


@pytest.mark.parametrize("none", ["none", "None"])
def test_a_trial_may_be_sealed_without_a_beacon(unsealed: Office, none: str) -> None:
    text = experiment_file(unsealed).read_text("utf-8")
    line = next(line for line in text.splitlines() if "beacon:" in line)
    edit(unsealed, line, line.split("beacon:")[0] + f"beacon: {none}" + ("" if "}" not in line else "}"))
    seal(unsealed)
    with pytest.raises(Refused) as refusal:
        record_beacon(unsealed.trial, "1 2 3", now=moment(date(2026, 12, 5)))
    assert codes(refusal) == {"no-beacon-named"}
    shutil.rmtree(unsealed.folder / "secrets")
