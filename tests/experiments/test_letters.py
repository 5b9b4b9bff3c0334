"""Every live experiment of letters that comes with nudge, run from its file to its report on invented tenants."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from nudge.base.resources import resources
from nudge.experiment.definition import LiveExperiment, Outcome, OutcomeType
from nudge.experiment.loader import load
from nudge.records.store import rows_of
from nudge.records.tables import AllocationRow, PostingRow, RecipientRow, UnitRow
from nudge.reports.summary import validate
from nudge.trial.analysis import write_report
from nudge.trial.checking import check_file
from nudge.trial.closing import close_trial, verify_trial
from nudge.trial.due import due_on
from nudge.trial.enrolment import enrol
from nudge.trial.gate import Listed
from nudge.trial.handle import Trial, open_trial
from nudge.trial.letters import make_batch_letters
from nudge.trial.posting import confirm_posting
from nudge.trial.responses import add_responses
from nudge.trial.sealing import record_beacon, seal_trial
from nudge.workspace import make_workspace, open_workspace
from tests.experiments.invented import Happened, balances, extract, happened, history, people
from tests.trial.conftest import MONDAY, SECRET, moment

SEALED = MONDAY - timedelta(days=10)
POSTED = MONDAY + timedelta(days=2)
UNITS_AN_ARM = 8  # few, for speed: every step is run, nothing is to be found


def of_letters() -> list[str]:
    """Live experiments whose arms are letters."""
    found = []
    for path in sorted((resources() / "experiments").glob("*.yaml")):
        experiment = load(path).experiment
        if isinstance(experiment, LiveExperiment) and any(arm.letter for arm in experiment.arms):
            found.append(path.stem)
    return found


@dataclass(frozen=True)
class Run:
    """A finished trial: what it was, who drew what, what befell them, and what was made of it."""

    folder: Path
    experiment: LiveExperiment
    arms: dict[str, str]
    happened: Happened
    summary: dict[str, Any]
    posted: Counter[str]


def _trial(folder: Path, name: str) -> Trial:
    return open_trial(open_workspace(folder), name)


def _signed(path: Path) -> None:
    """Fill in what the seal needs and a file that comes with nudge leaves to the council."""
    text = path.read_text("utf-8")
    for who in ("service", "legal", "communications", "data_protection"):
        text = text.replace(f'{who}: ""', f'{who}: "AB 2026-11-20"')
    path.write_text(text.replace('keeper: ""', 'keeper: "the service manager"'), "utf-8")


def _run(folder: Path, name: str) -> Run:
    make_workspace(folder, council="Anytown Borough Council", resources=resources())
    path = folder / "experiments" / f"{name}.yaml"
    _signed(path)
    experiment = _trial(folder, name).experiment
    for source in {claim.source for claim in experiment.claims.values()}:
        (folder / source).write_bytes(history(experiment, MONDAY))
    seal_trial(_trial(folder, name), secret=SECRET, now=moment(SEALED))
    if _trial(folder, name).seal.beacon_value is None:
        record_beacon(_trial(folder, name), "04 11 23 31 40 52", now=moment(date(2026, 12, 5), 21))
    found = people(experiment, max(2 * UNITS_AN_ARM, 6 * len(experiment.arms)))
    week, stop = folder / "data" / "week.csv", folder / "data" / "stop.csv"
    week.write_bytes(extract(experiment, found))
    stop.write_text("reference,reason,from,until\n", "utf-8")
    enrolled = enrol(_trial(folder, name), week, stop, dated=MONDAY, today=MONDAY, now=moment(MONDAY))
    assert enrolled.flow["allocated"] == len(found)
    make_batch_letters(_trial(folder, name), 1, today=MONDAY, now=moment(MONDAY, 11))
    listed = Listed(stop, POSTED)
    confirm_posting(_trial(folder, name), 1, on=POSTED, listed=listed, today=POSTED, now=moment(POSTED, 16))
    arms = _arms(folder, name)
    opens = _trial(folder, name).opens_on()
    assert opens is not None
    came = happened(experiment, arms, POSTED, (opens - POSTED).days - 2)
    for wave in experiment.waves:
        _later(folder, name, wave, week, stop, came)
    _responses(folder, name, experiment, found, came, opens)
    written = write_report(_trial(folder, name), today=opens, now=moment(opens), redraws=99)
    close_trial(_trial(folder, name), today=opens, now=moment(opens, 10))
    with _trial(folder, name).store.snapshot() as connection:
        posted = Counter(row.wave for row in rows_of(connection, PostingRow, trial=name, status="posted"))
    summary = json.loads(written.files[0].read_text("utf-8"))
    return Run(folder, experiment, arms, came, summary, posted)


def _arms(folder: Path, name: str) -> dict[str, str]:
    with _trial(folder, name).store.snapshot() as connection:
        drawn = {row.cluster: row.arm for row in rows_of(connection, AllocationRow, trial=name)}
        units = {row.unit: drawn[row.cluster] for row in rows_of(connection, UnitRow, trial=name)}
        return {row.tenancy_reference: units[row.unit] for row in rows_of(connection, RecipientRow, trial=name)}


def _later(folder: Path, name: str, wave: Any, week: Path, stop: Path, came: Happened) -> None:
    """What came back before the later letters fall due, then those letters, from that day's extract."""
    day = due_on(wave, _trial(folder, name).batches[0])
    assert day is not None
    _contacts(folder, name, came, day)
    fresh = folder / "data" / f"week-{day.isoformat()}.csv"
    fresh.write_bytes(week.read_bytes() + b"\r\n")
    made = make_batch_letters(
        _trial(folder, name), 1, today=day, now=moment(day, 11), listed=Listed(stop, day), wave=wave.id, extract=fresh
    )
    if made.made:
        confirm_posting(
            _trial(folder, name), 1, on=day, listed=Listed(stop, day), today=day, now=moment(day, 16), wave=wave.id
        )


def _contacts(folder: Path, name: str, came: Happened, until: date) -> None:
    for kind, content in came.files.items():
        heading, *lines = content.decode().splitlines()
        kept = [line for line in lines if line[:10] < until.isoformat()]
        path = folder / "data" / f"{kind}-{until.isoformat()}.csv"
        path.write_text("\r\n".join([heading, *kept, ""]), "utf-8")
        covers = (MONDAY, until - timedelta(days=1))
        add_responses(_trial(folder, name), [path], kind=kind, covers=covers, today=until, now=moment(until))


def _responses(
    folder: Path, name: str, experiment: LiveExperiment, found: list[Any], came: Happened, opens: date
) -> None:
    _contacts(folder, name, came, opens)
    last = opens - timedelta(days=1)
    others = {
        "returned": "Date,Letter Reference\n",
        "complaints": f"Date,Tenancy Ref\n{last},{found[0].reference}\n",
        "breathing_space": "Date,Tenancy Ref\n",
    }
    files = [(kind, text.encode(), (MONDAY, last)) for kind, text in others.items()]
    for outcome in experiment.outcomes:
        if outcome.column is not None and outcome.at is not None:
            on = POSTED + timedelta(days=outcome.at)
            files.append(("rent_accounts", balances(experiment, outcome.column, found, on), (on, on)))
    for position, (kind, content, covers) in enumerate(files):
        path = folder / "data" / f"{position}-{kind}.csv"
        path.write_bytes(content)
        add_responses(_trial(folder, name), [path], kind=kind, covers=covers, today=opens, now=moment(opens))


@pytest.fixture(scope="module", params=of_letters())
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of each experiment, asked about by every test below."""
    return _run(tmp_path_factory.mktemp("trial") / "council", request.param)


def test_its_file_passes_the_check(finished: Run) -> None:
    checked = check_file(resources() / "experiments" / f"{finished.experiment.id}.yaml")
    assert checked.id == finished.experiment.id
    assert checked.kind == "live"
    lacking = {problem.code for problem in checked.before_seal}
    assert lacking <= {"seal-sign-off", "seal-governance", "source-missing"}, lacking


def test_every_arm_was_drawn_and_its_letters_posted(finished: Run) -> None:
    experiment = finished.experiment
    drawn = Counter(finished.arms.values())
    assert set(drawn) == set(experiment.arm_ids)
    written = sum(count for arm, count in drawn.items() if experiment.arm(arm).letter)
    assert finished.posted["first"] == written
    folder = open_workspace(finished.folder).batch_folder(experiment.id, 1, None)
    pages = sum(len(pypdfium2.PdfDocument(path)) for path in folder.glob("letters/*.pdf"))
    assert pages >= written
    assert (folder / "print-001.pdf").is_file()


def _counted(run: Run, outcome: Outcome) -> dict[str, int] | None:
    """Units of each arm with the outcome's event inside its days, straight from what was invented (rules §1)."""
    within = outcome.horizon or outcome.within
    if outcome.type not in {OutcomeType.TIME_TO_EVENT, OutcomeType.PROPORTION} or within is None:
        return None
    did = {
        reference
        for kind in outcome.event
        for reference, days in run.happened.days.get(kind, {}).items()
        if any(0 < day <= within for day in days)
    }
    return {arm: sum(run.arms[one] == arm for one in did) for arm in run.experiment.arm_ids}


def _tallied(run: Run, outcome: Outcome, arms: Iterable[str]) -> dict[str, int]:
    """How many of the outcome's events befell each arm inside its days, straight from what was invented."""
    found = dict.fromkeys(arms, 0)
    for kind in outcome.event:
        for reference, days in run.happened.days.get(kind, {}).items():
            if run.arms[reference] in found:
                found[run.arms[reference]] += sum(0 < day <= (outcome.within or 0) for day in days)
    return found


def test_i9_the_report_counts_what_happened_to_every_unit(finished: Run) -> None:
    validate(finished.summary)
    drawn = Counter(finished.arms.values())
    held_out = {arm.id for arm in finished.experiment.arms if arm.hold_out}
    told_of = {told["id"]: told for told in finished.summary["outcomes"]}  # the harms stand there too
    for outcome in finished.experiment.outcomes:
        told = told_of[outcome.id]
        arms = {row["arm"]: row for row in told["arms"]}
        assert set(arms) | held_out == set(drawn)
        for arm, row in arms.items():
            assert row["n"] + row["missing"] == row["n_assigned"] == drawn[arm]
        if outcome.type is OutcomeType.RATE and outcome.column is None:
            assert {arm: row["values"]["count"] for arm, row in arms.items()} == _tallied(finished, outcome, arms)
        counted = _counted(finished, outcome)
        if counted is not None:
            assert {arm: row["events"] for arm, row in arms.items()} == {arm: counted[arm] for arm in arms}


def test_its_primary_outcome_has_a_verdict_for_every_arm_or_factor(finished: Run) -> None:
    experiment = finished.experiment
    [primary] = [row for row in finished.summary["outcomes"] if row["primary"]]
    compared = [arm.id for arm in experiment.arms if not arm.control and not arm.hold_out]
    judged = [row["arm"] for row in primary["verdict"]]
    if experiment.design.factorial == "main_effects":  # each factor by the arm that it alone sets apart
        factors = experiment.control.factors
        alone = {
            factor: [arm.id for arm in experiment.arms if _changed(arm.factors, factors) == {factor}]
            for factor in factors
        }
        assert [[one] for one in judged] == list(alone.values())
    else:
        assert judged == compared
    assert all(row["estimate"] is not None for row in primary["estimates"] if row["role"] == "headline")


def _changed(levels: Mapping[str, str], against: Mapping[str, str]) -> set[str]:
    return {factor for factor in against if levels[factor] != against[factor]}


def test_i8_its_draw_can_be_verified_after_the_close(finished: Run) -> None:
    trial = _trial(finished.folder, finished.experiment.id)
    verified = verify_trial(trial)
    assert verified.problems == ()
    assert verified.redrawn


def test_its_report_lies_there_as_a_page_and_a_pdf(finished: Run) -> None:
    folder = finished.folder / "out" / finished.experiment.id
    page = (folder / "report.html").read_text("utf-8")
    assert finished.experiment.title.split("?")[0][:40] in page
    assert len(pypdfium2.PdfDocument(folder / "report.pdf")) >= 2
