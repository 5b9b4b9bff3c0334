"""Looks before the end: only as declared, only whole batches, each remembered, none for free (rules §1)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.experiment.definition import Looks
from nudge.records.tables import AuditRow
from nudge.reports.render import report_text
from nudge.reports.summary import validate
from nudge.trial.analysis import estimate, write_report
from nudge.trial.looks import LOOKED, Taken, last_look, look_now, told
from nudge.trial.population import read_recorded
from nudge.trial.responses import add_responses
from nudge.trial.standing import standing
from nudge.uplift.estimate import Flag
from nudge.uplift.monitoring import looks, sequence_critical
from nudge.uplift.verdict import Verdict, VerdictCode
from nudge.workspace import open_workspace
from tests.trial.conftest import MONDAY, Office, make_sealed, moment, tenancy
from tests.uplift.test_analysis import CONTACT, analysed, household_trial

SECOND = MONDAY + timedelta(days=21)
RIPE = MONDAY + timedelta(days=66 + 7)  # the longest outcome of the first batch, and the lag
OPENS = SECOND + timedelta(days=66 + 7)
FIRST, LATER, PLANNED = range(1, 25), range(25, 41), 45
OBRIEN = "looks: {method: obrien_fleming, at: [0.5], planned: 45}"


def declared(words: str):
    def edit(text: str) -> str:
        text = text.replace("analysis: {confidence: 0.95, ", f"analysis: {{confidence: 0.95, {words}, ")
        before, rest = text.split("claims:\n", 1)  # letters without a claim, and fewer of them: this is about looks
        return before + "claims:\n" + rest

    return edit


def run(folder: Path, words: str) -> Office:
    office = Office(make_sealed(folder, edit=declared(words)))
    for number, (rows, on) in enumerate(((FIRST, MONDAY), (LATER, SECOND)), 1):
        office.enrol([tenancy(one) for one in rows], on=on)
        office.letters(number, on=on)
        office.dispatch(number, on=on)
    lines = "Date,Direction,Reason,Tenancy Ref\n"
    for one in (*FIRST, *LATER):
        if one % 3:
            day = (MONDAY if one in FIRST else SECOND) + timedelta(days=3 + one % 11)
            lines += f"{day},in,rent,T{one:06d}\n"
    covers = (MONDAY, OPENS)
    for kind, text in (("contacts", lines), ("payments", "Date,Type,Amount,Tenancy Ref\n")):
        path = office.file(f"{kind}.csv", text)
        add_responses(office.trial, [path], kind=kind, covers=covers, today=OPENS, now=moment(OPENS))
    return office


@pytest.fixture(scope="module")
def unlooked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trial with all its responses on file, nobody having looked; copied, never used in place."""
    office = run(tmp_path_factory.mktemp("looks") / "rents", OBRIEN)
    office.close()
    return office.folder


@pytest.fixture(scope="module")
def looked(unlooked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(Path(shutil.copytree(unlooked, tmp_path_factory.mktemp("looked") / "rents")))
    yield office
    office.close()


def primary(summary: dict) -> dict:
    return next(outcome for outcome in summary["outcomes"] if outcome["primary"])


def at(office: Office, day: date, **more: object) -> dict:
    return estimate(office.trial, today=day, redraws=99, **more)


def test_before_half_of_what_was_planned_is_in_there_is_no_look(looked: Office) -> None:
    with pytest.raises(Refused, match="23 of 45 planned units followed to the end for look 1; 0 are"):
        at(looked, RIPE - timedelta(days=1), look=True)
    with pytest.raises(Refused, match="not before"):
        at(looked, RIPE)


def test_a_look_uses_the_batches_that_are_ripe_and_the_critical_value_of_its_share(looked: Office) -> None:
    written = write_report(looked.trial, today=RIPE, now=moment(RIPE), redraws=99, look=True)
    found = primary(written.summary)
    fraction = len(FIRST) / PLANNED
    [expected] = looks([fraction], last=False)
    [line] = found["panels"]["looks"]
    assert (line["number"], line["units"], line["last"]) == (1, len(FIRST), False)
    assert line["critical"] == pytest.approx(expected.critical)
    row = found["estimates"][0]
    assert row["n"] == len(FIRST)
    assert 1 - row["confidence"] == pytest.approx(expected.nominal)
    assert "before_the_end" in row["flags"]
    assert found["verdict"][0]["code"] == "too_small_to_tell"
    assert "Look 1 of at most 2, at 53% of the planned" in found["verdict"][0]["text"]
    assert validate(written.summary) == ()
    assert {outcome["id"] for outcome in written.summary["outcomes"]} <= {
        "days_to_contact",
        "complaint",
        "breathing_space",
    }
    assert [path.name for path in written.files][:2] == ["look-1-summary.json", "look-1-report.html"]
    text = " ".join(report_text(written.summary).split())
    assert "Looks before the end" in text or "LOOKS BEFORE THE END" in text


def test_i11_the_same_look_again_is_the_same_look(looked: Office) -> None:
    write_report(looked.trial, today=RIPE, now=moment(RIPE), redraws=99, look=True)
    write_report(looked.trial, today=RIPE + timedelta(days=1), now=moment(RIPE), redraws=99, look=True)
    entries = [json.loads(row.facts_json) for row in looked.rows(AuditRow) if row.what == LOOKED]
    assert [entry["number"] for entry in entries] == [1]
    assert entries[0]["batches"] == [1]


def test_status_says_when_a_look_is_due_and_never_by_arm(unlooked: Path, tmp_path: Path) -> None:
    office = Office(Path(shutil.copytree(unlooked, tmp_path / "rents")))
    workspace = open_workspace(office.folder)

    def to_do(day: date) -> str:
        stand = standing(workspace, "wealden-arrears", today=day)
        assert stand is not None
        return "\n".join(stand.to_do)

    assert "--look" not in to_do(RIPE - timedelta(days=1))
    assert "nudge uplift wealden-arrears --look   (look 1 is due)" in to_do(RIPE)
    write_report(office.trial, today=RIPE, now=moment(RIPE), redraws=99, look=True)
    assert "--look" not in to_do(RIPE)
    assert "personal-norm" not in to_do(RIPE)
    office.close()


def test_the_end_pays_for_the_looks_that_were_taken(looked: Office) -> None:
    write_report(looked.trial, today=RIPE, now=moment(RIPE), redraws=99, look=True)
    found = primary(at(looked, OPENS))
    made = looks([len(FIRST) / PLANNED, 40 / PLANNED])
    assert [line["critical"] for line in found["panels"]["looks"]] == pytest.approx([one.critical for one in made])
    assert 1 - found["estimates"][0]["confidence"] == pytest.approx(made[-1].nominal)
    assert found["estimates"][0]["n"] == 40
    others = [outcome for outcome in at(looked, OPENS)["outcomes"] if not outcome["primary"]]
    assert {row["confidence"] for outcome in others for row in outcome["estimates"]} == {0.95}
    with pytest.raises(Refused, match="They are open"):
        at(looked, OPENS, look=True)


def test_without_looks_declared_there_is_none(posted_office: Office) -> None:
    with pytest.raises(Refused, match="it declares none"):
        at(posted_office, MONDAY + timedelta(days=30), look=True)


def test_a_confidence_sequence_is_looked_at_whenever_more_is_in(looked: Office) -> None:
    trial = looked.trial
    sequence = Looks(method="confidence_sequence", planned=PLANNED)
    analysis = trial.experiment.analysis.model_copy(update={"looks": sequence})
    experiment = trial.experiment.model_copy(update={"analysis": analysis})
    other = replace(trial, loaded=replace(trial.loaded, experiment=experiment))
    held = read_recorded(trial)
    early = look_now(other, held.batches, held.units, [], RIPE)
    assert (early.critical, early.spent) == (pytest.approx(sequence_critical(len(FIRST), planned=PLANNED)), None)
    end = last_look(other, held.batches, held.units, [], OPENS)
    assert end is not None
    assert end.critical == pytest.approx(sequence_critical(40, planned=PLANNED))


def test_every_declared_look_is_taken_once_and_none_after_all_is_in(looked: Office) -> None:
    trial, held = looked.trial, read_recorded(looked.trial)
    gone = Taken(number=1, on="2027-01-01", batches=(9,), units=1, fraction=0.02, critical=4.0, spent=0.0)
    entry = AuditRow(
        trial=trial.id, number=1, at="", what=LOOKED, facts_json=json.dumps(asdict(gone)), previous_hash="", hash=""
    )
    with pytest.raises(Refused, match="1 were taken"):
        look_now(trial, held.batches, held.units, [entry], RIPE)
    few = trial.experiment.analysis.model_copy(update={"looks": Looks(method="pocock", at=(0.5,), planned=20)})
    experiment = trial.experiment.model_copy(update={"analysis": few})
    with pytest.raises(Refused, match="fewer than the 20 planned units"):
        look_now(
            replace(trial, loaded=replace(trial.loaded, experiment=experiment)), held.batches, held.units, [], RIPE
        )


def test_a_look_past_its_boundary_keeps_its_verdict_and_says_so() -> None:
    table, assignment = household_trial(1)
    result = analysed(CONTACT, table, assignment=assignment, smallest_worthwhile=3.0)
    result = replace(result, verdict=(Verdict("b", VerdictCode.WORKS, "It works."),))
    look = Taken(number=1, on="2027-02-18", batches=(1,), units=100, fraction=0.5, critical=2.96, spent=0.003)
    found = told(result, look, (), most=2, last=False)
    words = "It works. Look 1 of at most 2, at 50% of the planned unit numbers: past the boundary set for it."
    assert found.verdict == (Verdict("b", VerdictCode.WORKS, words),)
    assert all(Flag.BEFORE_THE_END in row.flags for row in found.estimates)
    assert set(found.panels) == {"looks"}
    small = replace(result, verdict=(Verdict("b", VerdictCode.NO_BENEFIT, "No worthwhile benefit."),))
    assert told(small, look, (), most=2, last=False).verdict[0].code is VerdictCode.TOO_SMALL_TO_TELL
