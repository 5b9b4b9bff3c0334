"""From a drawn list of sites to its report: what is up fixes day 0, what was read is counted in the arm drawn."""

from __future__ import annotations

import csv
import math
import random
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from nudge.base.errors import Refused
from nudge.intake.mapping import ColumnMapping
from nudge.records.store import rows_of
from nudge.records.tables import AuditRow, BatchRow, EventRow, MeasurementRow, PostingRow, UnitRow
from nudge.trial.analysis import estimate, write_report
from nudge.trial.imports import Imported
from nudge.trial.installation import Installed, record_installation
from nudge.trial.posting import hold, release, undo_batch
from nudge.trial.readings import add_readings
from nudge.trial.recorded import analyse
from nudge.trial.responses import withdraw_responses
from nudge.trial.signs import make_batch_signs
from nudge.trial.site_table import readings_of
from nudge.trial.sites import SiteFacts
from nudge.trial.standing import standing
from nudge.trial.story import tell
from nudge.workspace import open_workspace
from tests.experiments.places import LISTED, STARTS, filled_log, nearby, speeds_csv, surveys_csv, trial_of
from tests.trial.conftest import as_csv, moment
from tests.trial.test_sites import NAME, arms, codes, draw, row, workspace

END = STARTS + timedelta(days=29)
OPENS = STARTS + timedelta(days=35)
WINDOW = (STARTS - timedelta(days=14), STARTS + timedelta(days=28))
BASELINE = ("days: 28", "days: 28, baseline_days: 14")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve sites drawn, two watched, one of these on the street of another; the signs made."""
    folder = workspace(tmp_path_factory.mktemp("signs") / "council", BASELINE, ("days: 28", "days: 28, radius: 40"))
    rows = [row(number) for number in range(1, 13)] + [nearby(1) | {"pair": "", "traffic": ""}]
    rows.append(nearby(2) | {"pair": "", "traffic": "", "Street": "South Road 1"})
    draw(folder, rows, starts=STARTS)
    make_batch_signs(trial_of(folder, NAME), today=LISTED, now=moment(LISTED))
    return folder


@pytest.fixture
def council(made: Path, tmp_path: Path) -> Path:
    """A copy to work in."""
    shutil.copytree(made, tmp_path / "council")
    return tmp_path / "council"


def form(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / NAME / "batch-001" / "install-log.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def log(folder: Path, rows: list[dict[str, str]], on: date, **more: Any) -> Installed:
    file = folder / "data" / "log.csv"
    file.write_bytes(as_csv(rows, tuple(rows[0])))
    return record_installation(trial_of(folder, NAME), file, today=on, now=moment(on), **more)


def put_up(folder: Path, days: list[int | None], on: date = END, **more: Any) -> Installed:
    rows = form(folder)
    for one, day in zip(rows, days, strict=True):
        one["put up on"] = "" if day is None else (STARTS + timedelta(days=day)).isoformat()
    return log(folder, rows, on, **more)


def recorded(folder: Path, table: Any, **equal: object) -> list[Any]:
    trial = trial_of(folder, NAME)
    with trial.store.snapshot() as connection:
        return rows_of(connection, table, trial=NAME, **equal)


def surveyed(folder: Path, content: bytes | None = None, **more: Any) -> Imported:
    rate: Callable[[int], float] = lambda _: 1.5  # noqa: E731
    rates = {f"S{number:02}": rate for number in range(1, 13)} | {"W01": rate, "Z77": rate}
    file = folder / "data" / "surveys.csv"
    file.write_bytes(content or surveys_csv(rates, [-7, -1, 7, 14, 21, 28], STARTS, "litter"))
    settings = {"kind": "surveys", "covers": WINDOW, "today": END, "now": moment(END)} | more
    [found] = add_readings(trial_of(folder, NAME), [file], **settings)
    return found


# ---- putting up


def test_day_0_is_the_first_day_a_sign_went_up_for_every_site(council: Path) -> None:
    count = len(form(council))
    assert count == list(arms(council).values()).count("eyes")
    done = put_up(council, [2, 1, *[2] * (count - 2)])
    assert (done.day0, done.put_up, done.late, done.withheld) == (STARTS + timedelta(days=1), count, count - 1, {})
    [batch] = recorded(council, BatchRow)
    assert (batch.status, batch.day0) == ("posted", (STARTS + timedelta(days=1)).toordinal())
    again = put_up(council, [2, 1, *[2] * (count - 2)])
    assert not again.made


def test_a_sign_that_is_not_up_a_week_after_its_day_is_withheld_and_counted(council: Path) -> None:
    count = len(form(council))
    early = put_up(council, [0, None, *[0] * (count - 2)], on=STARTS + timedelta(days=6))
    assert (early.put_up, early.waiting, early.withheld) == (count - 1, 1, {})
    late = put_up(council, [0, None, *[0] * (count - 2)], on=STARTS + timedelta(days=8))
    assert (late.waiting, late.withheld, late.made) == (0, {"not_put_up": 1}, True)
    after_all = put_up(council, [0, 9, *[0] * (count - 2)], on=STARTS + timedelta(days=9))
    assert (after_all.put_up, after_all.late, after_all.withheld) == (count, 1, {})


def test_a_dry_run_records_nothing(council: Path) -> None:
    done = put_up(council, [0] * len(form(council)), dry_run=True)
    assert (done.put_up, done.made) == (len(form(council)), False)
    assert {one.status for one in recorded(council, PostingRow)} == {"made"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sign reference": "AAA-AAA-AAAA"}, "log-reference"),
        ({"site": "S99"}, "log-site"),
        ({"put up on": (END + timedelta(days=1)).isoformat()}, "log-future"),
        ({"put up on": "2027-02-27"}, "log-before-signs"),
        ({"put up on": "", "taken down on": STARTS.isoformat()}, "log-down-alone"),
        ({"taken down on": (STARTS - timedelta(days=1)).isoformat()}, "log-down-first"),
    ],
)
def test_a_day_that_cannot_be_is_told_at_its_row(council: Path, change: dict[str, str], code: str) -> None:
    rows = form(council)
    for one in rows:
        one["put up on"] = STARTS.isoformat()
    rows[1] |= change
    with pytest.raises(Refused) as refusal:
        log(council, rows, END)
    [problem] = refusal.value.problems
    assert (problem.code, problem.place.row) == (code, 3)
    assert {one.status for one in recorded(council, PostingRow)} == {"made"}


def test_a_sign_twice_and_a_log_without_a_day_are_refused(council: Path) -> None:
    rows = form(council)
    with pytest.raises(Refused) as refusal:
        log(council, rows, END)
    assert codes(refusal) == ["nothing-put-up"]
    rows[0]["put up on"] = STARTS.isoformat()
    with pytest.raises(Refused) as refusal:
        log(council, [*rows, rows[0]], END)
    assert codes(refusal) == ["log-twice"]


def test_a_day_on_record_is_moved_with_a_reason_alone_and_the_ledger_says_so(council: Path) -> None:
    count = len(form(council))
    put_up(council, [1] * count)
    with pytest.raises(Refused) as refusal:
        put_up(council, [2, *[1] * (count - 1)])
    assert codes(refusal) == ["log-differs"]
    moved = put_up(council, [0, *[1] * (count - 1)], because="the wrong week")
    assert moved.day0 == STARTS
    [entry] = recorded(council, AuditRow, what="posting_corrected")
    assert "the wrong week" in entry.facts_json
    assert recorded(council, BatchRow)[0].day0 == STARTS.toordinal()


def test_a_later_log_cannot_move_day_0_without_a_reason(council: Path) -> None:
    count = len(form(council))
    put_up(council, [None, *[1] * (count - 1)], on=STARTS + timedelta(days=2))
    with pytest.raises(Refused) as refusal:
        put_up(council, [0, *[1] * (count - 1)])
    assert codes(refusal) == ["log-before-day-0"]


def test_an_owner_may_withdraw_consent_and_the_site_stays_in(council: Path) -> None:
    site = form(council)[0]["site"]
    assert hold(trial_of(council, NAME), site, because="consent withdrawn", today=LISTED, now=moment(LISTED))
    count = len(form(council))
    done = put_up(council, [None, *[0] * (count - 1)])
    assert (done.put_up, done.withheld) == (count - 1, {"consent_withdrawn": 1})


def test_a_site_on_hold_gets_no_sign_and_none_in_the_schedule_until_it_is_released(council: Path) -> None:
    rows = form(council)
    [site, *others] = [one["site"] for one in rows]
    for one in rows:
        one["put up on"] = STARTS.isoformat()
    hold(trial_of(council, NAME), site, because="consent withdrawn", today=LISTED, now=moment(LISTED))
    with pytest.raises(Refused) as refusal:
        log(council, rows, END)
    assert codes(refusal) == ["log-held"]
    folder = council / "out" / NAME / "batch-001"
    made = make_batch_signs(trial_of(council, NAME), today=LISTED, now=moment(LISTED))
    assert made.signs == len(others) == len(list(folder.glob("signs/*.pdf")))
    assert [one["site"] for one in form(council)] == others
    assert site not in (folder / "schedule.csv").read_text("utf-8-sig")
    release(trial_of(council, NAME), site, because="consent given", now=moment(LISTED))
    assert make_batch_signs(trial_of(council, NAME), today=LISTED, now=moment(LISTED)).signs == len(rows)
    assert {one.status for one in recorded(council, PostingRow)} == {"made"}
    assert log(council, rows, END).put_up == len(rows)


def test_undo_takes_the_files_back_until_something_is_up(council: Path) -> None:
    folder = council / "out" / NAME / "batch-001"
    assert list(folder.glob("signs/*.pdf"))
    assert undo_batch(trial_of(council, NAME), 1, now=moment(LISTED))
    assert [path.name for path in folder.rglob("*") if path.is_file()] == []
    with pytest.raises(Refused) as refusal:
        make_batch_signs(trial_of(council, NAME), today=LISTED, now=moment(LISTED))
    assert codes(refusal) == ["not-drawn"]
    draw(council, [row(number) for number in range(1, 13)], "again.csv", starts=STARTS)
    made = make_batch_signs(trial_of(council, NAME), today=LISTED, now=moment(LISTED))
    assert {one.status for one in recorded(council, PostingRow)} == {"made"}
    assert {one.batch for one in recorded(council, PostingRow)} == {2} == {made.batch}


def test_signs_are_not_made_again_once_one_is_up(council: Path) -> None:
    dry = make_batch_signs(trial_of(council, NAME), today=LISTED, now=moment(LISTED), dry_run=True)
    assert (dry.files, dry.signs) == ((), len(form(council)))
    put_up(council, [0] * len(form(council)))
    with pytest.raises(Refused) as refusal:
        make_batch_signs(trial_of(council, NAME), today=END, now=moment(END))
    assert codes(refusal) == ["put-up-already"]


def test_the_standing_says_what_comes_next(council: Path) -> None:
    def steps(on: date) -> str:
        found = standing(open_workspace(council), NAME, today=on)
        assert found is not None
        return "\n".join([*found.to_do, *found.counts])

    assert f"nudge signs {NAME} --installed LOG" in steps(LISTED)
    put_up(council, [0] * len(form(council)))
    assert f"results open on {OPENS.isoformat()}" in steps(END)
    assert "signs put up" in steps(END)
    assert f"nudge uplift {NAME}" in steps(OPENS)


# ---- readings


def test_rows_are_matched_by_site_and_places_that_are_none_are_counted(council: Path) -> None:
    found = surveyed(council)
    assert (found.rows, found.matched, found.not_in_trial) == (84, 78, 6)
    rows = recorded(council, MeasurementRow)
    assert {one.name for one in rows} == {"surveys/litter", "surveys/litter/exposure", "surveys/litter/since"}
    assert {one.number for one in rows if one.name.endswith("exposure")} == {7_000}
    again = surveyed(council)
    assert not again.made
    assert withdraw_responses(trial_of(council, NAME), found.sha256, because="wrong", now=moment(END)) == 0
    assert recorded(council, MeasurementRow) == []


def test_an_incident_belongs_to_its_site_else_its_street_else_the_nearest_within_the_radius(council: Path) -> None:
    file = council / "data" / "incidents.csv"
    heads = "Reported,Site ID,Street,Latitude,Longitude\n"
    near = "51.0033,-1.0030"  # some 33 metres from S03
    far = "51.0040,-1.0033"  # some 49 metres from S04, and further from S03
    lines = ["s 02,,,", ",North Road 4,,", ",South Road 1,,", f",,{near}", f",,{far}", "Q9,,,"]
    file.write_text(heads + "".join(f"2027-04-01,{line}\n" for line in lines), "utf-8")
    settings = {"kind": "incidents", "covers": WINDOW, "today": END, "now": moment(END)}
    [found] = add_readings(trial_of(council, NAME), [file], **settings)
    assert (found.matched, found.not_in_trial) == (3, 3)
    sites = {unit.unit: SiteFacts.read(unit).site for unit in recorded(council, UnitRow)}
    assert sorted(sites[one.unit] for one in recorded(council, MeasurementRow)) == ["S02", "S03", "S04"]
    assert [note for note in found.notes if "several sites" in note]


def test_readings_wait_until_sites_are_drawn_or_their_days_would_count_as_nought(council: Path) -> None:
    undo_batch(trial_of(council, NAME), 1, now=moment(LISTED))
    with pytest.raises(Refused) as refusal:
        surveyed(council)
    assert codes(refusal) == ["not-drawn"]


def incidents(folder: Path, name: str, rows: str, **more: Any) -> Imported:
    file = folder / "data" / f"{name}.csv"
    file.write_text(rows, "utf-8")
    settings = {"kind": "incidents", "covers": WINDOW, "today": END, "now": moment(END)} | more
    [found] = add_readings(trial_of(folder, NAME), [file], **settings)
    return found


def counted(folder: Path) -> dict[str, int]:
    """Incidents by site, as the analysis counts them."""
    sites = {unit.unit: SiteFacts.read(unit).site for unit in recorded(folder, UnitRow)}
    read = readings_of(recorded(folder, MeasurementRow), STARTS.toordinal())
    return {sites[unit]: sum(one.number for one in found) for unit, found in read.items()}


def test_i3_an_incident_that_stands_in_two_exports_counts_once_whichever_is_taken_back(council: Path) -> None:
    heads = "Incident,Reported,Site ID\n"
    first = incidents(council, "first", heads + "F 1,2027-04-01,S02\nF2,2027-04-02,S02\nF9,2027-04-02,Q77\n")
    assert not [note for note in first.notes if "another file" in note]
    # written otherwise, on another day, at another site: it stays the incident that it was; F9 is now at a site
    rows = "f1,2027-04-01,S02\nF2,2027-04-03,S03\nF3,2027-04-02,S02\nF9,2027-04-02,S04\n"
    second = incidents(council, "second", heads + rows)
    assert "2 incidents are known from another file under their ids: each counts once" in second.notes
    assert counted(council) == {"S02": 3, "S04": 1}
    withdraw_responses(trial_of(council, NAME), first.sha256, because="wrong", now=moment(END))
    assert counted(council) == {"S02": 2, "S03": 1, "S04": 1}
    assert "F2" not in str(recorded(council, MeasurementRow))


def test_an_incident_in_two_files_given_together_counts_once(council: Path) -> None:
    files = [council / "data" / f"{name}.csv" for name in ("one", "two")]
    for file, more in zip(files, ("", "F2,2027-04-05,S03\n"), strict=True):
        file.write_text("Incident,Reported,Site ID\nF1,2027-04-01,S02\n" + more, "utf-8")
    settings = {"kind": "incidents", "covers": WINDOW, "today": END, "now": moment(END)}
    rehearsed = add_readings(trial_of(council, NAME), files, dry_run=True, **settings)
    found = add_readings(trial_of(council, NAME), files, **settings)
    assert [one.notes for one in rehearsed] == [one.notes for one in found]
    assert [bool([note for note in one.notes if "another file" in note]) for one in found] == [False, True]
    assert counted(council) == {"S02": 1, "S03": 1}


@pytest.mark.parametrize(
    ("kind", "heads", "line"),
    [
        ("incidents", "Reported,Site ID", "{day},S02"),
        ("surveys", "Survey Date,Site ID,Count", "{day},S02,4"),
        ("speeds", "Date,Site ID,Speed (mph)", "{day},S02,31.5"),
    ],
)
def test_what_two_files_count_at_one_site_on_one_day_is_asked_about(
    council: Path, kind: str, heads: str, line: str
) -> None:
    def add(name: str, *days: str, **more: Any) -> Imported:
        return incidents(council, name, heads + "\n" + "".join(f"{line.format(day=day)}\n" for day in days), **more)

    add("all", "2027-04-01", "2027-04-08", kind=kind)
    for rehearsal in (True, False):
        with pytest.raises(Refused) as refusal:
            add("late", "2027-04-08", "2027-04-09", kind=kind, dry_run=rehearsal)
        assert codes(refusal) == ["counted-twice"]
        assert "all.csv has 1 that stand here too, the first of S02 on 2027-04-08" in str(refusal.value)
    before = len(recorded(council, MeasurementRow))
    assert add("late", "2027-04-08", "2027-04-09", kind=kind, as_well=True).made
    assert len(recorded(council, MeasurementRow)) > before


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"kind": "contacts"}, "kind-of-signs"),
        ({"covers": None}, "covers-needed"),
        ({"covers": (STARTS, STARTS + timedelta(days=60))}, "covers-future"),
        ({"covers": (STARTS, STARTS + timedelta(days=10))}, "covers-other-days"),
        ({"covers": (WINDOW[1], WINDOW[0])}, "covers-turned"),
        ({"today": STARTS, "covers": (WINDOW[0], STARTS)}, "rows-future"),
    ],
)
def test_a_file_whose_days_or_kind_do_not_fit_is_refused(council: Path, more: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        surveyed(council, **more)
    assert code in codes(refusal)
    assert recorded(council, MeasurementRow) == []


# ---- the report


def test_i9_results_wait_for_their_day_and_for_files_that_cover_it(council: Path) -> None:
    with pytest.raises(Refused) as refusal:
        estimate(trial_of(council, NAME), today=OPENS)
    assert codes(refusal) == ["not-up"]
    put_up(council, [0] * len(form(council)))
    with pytest.raises(Refused) as refusal:
        estimate(trial_of(council, NAME), today=OPENS - timedelta(days=1))
    assert codes(refusal) == ["results-closed"]
    with pytest.raises(Refused) as refusal:
        estimate(trial_of(council, NAME), today=OPENS, look=True)
    assert codes(refusal) == ["look-not-declared"]
    with pytest.raises(Refused) as refusal:
        estimate(trial_of(council, NAME), today=OPENS)
    assert codes(refusal) == ["window-uncovered", "window-uncovered"]
    surveyed(council, covers=(STARTS, WINDOW[1]), content=surveys_csv({"S01": lambda _: 1.0}, [7, 14], STARTS))
    with pytest.raises(Refused) as refusal:
        estimate(trial_of(council, NAME), today=OPENS)
    assert codes(refusal) == ["window-uncovered"]


def test_surveys_from_before_the_signs_into_the_days_after_are_left_out_and_told(council: Path) -> None:
    put_up(council, [0] * len(form(council)))
    rates = {site: _level(1.5) for site in [*arms(council), "W01"]}
    surveyed(council, content=surveys_csv(rates, [-8, -1, 6, 13, 20, 27], STARTS, "litter"))
    summary = estimate(trial_of(council, NAME), today=OPENS)
    assert [note for note in summary["notes"] if note.startswith("13 surveys left out: ")]
    assert {one["values"]["exposure"] for one in summary["outcomes"][0]["arms"]} == {6 * 21.0}


def test_signs_late_missing_or_down_early_are_told_and_change_no_arm(council: Path) -> None:
    rows = form(council)
    for number, one in enumerate(rows):
        one["put up on"] = "" if number == 1 else (STARTS + timedelta(days=3 if number == 2 else 0)).isoformat()
    rows[0]["taken down on"] = (STARTS + timedelta(days=5)).isoformat()
    done = log(council, rows, END)
    assert (done.taken_down, done.withheld) == (1, {"not_put_up": 1})
    surveyed(council)
    summary = estimate(trial_of(council, NAME), today=OPENS)
    told = " ".join(summary["notes"])
    for words in ("1 sign went up after", "1 sign did not go up", "1 sign came down before"):
        assert words in told
    assert summary["flow"]["withheld"] == {"not_put_up": 1}
    [outcome] = [one for one in summary["outcomes"] if one["primary"]]
    assert {one["arm"]: one["n_assigned"] for one in outcome["arms"]} == {
        arm: list(arms(council).values()).count(arm) for arm in ("none", "eyes")
    }
    story = tell(trial_of(council, NAME), rows[0]["site"], now=moment(END))
    assert [line for line in story.lines if f"sign {rows[0]['sign reference']}" in line and "put up" in line]


def test_a_log_is_held_against_the_days_on_record(council: Path) -> None:
    rows = form(council)
    for one in rows:
        one["put up on"] = STARTS.isoformat()
    log(council, rows, END)
    for one in rows:  # a later log with what is new only
        one["put up on"], one["taken down on"] = "", (STARTS + timedelta(days=28)).isoformat()
    assert log(council, rows, END).taken_down == len(rows)
    rows[0] |= {"put up on": (STARTS + timedelta(days=29)).isoformat(), "taken down on": ""}
    with pytest.raises(Refused) as refusal:
        log(council, rows, END, because="the wrong day")
    assert codes(refusal) == ["log-down-first"]


def test_a_log_with_headings_of_its_own_is_read_once_they_are_said_and_again_without(council: Path) -> None:
    rows = [{"Board no": one["sign reference"], "Erected": STARTS.isoformat()} for one in form(council)]
    with pytest.raises(Refused) as refusal:
        log(council, rows, END)
    assert codes(refusal) == ["headings-not-found"]
    said = ColumnMapping("installation", {"sign_reference": "Board no", "put_up_on": "Erected"})
    assert log(council, rows, END, mapping=said).put_up == len(rows)
    assert not log(council, rows, END).made


def test_a_reference_that_is_no_sites_is_told_in_words_of_sites(council: Path) -> None:
    with pytest.raises(Refused) as refusal:
        hold(trial_of(council, NAME), "S99", because="consent", today=END, now=moment(END))
    assert codes(refusal) == ["unknown-site"]
    assert "tenancy" not in str(refusal.value)


def test_a_day_of_taking_down_that_is_corrected_stands_once(council: Path) -> None:
    rows = form(council)
    for one in rows:
        one["put up on"] = STARTS.isoformat()
    rows[0]["taken down on"] = (STARTS + timedelta(days=5)).isoformat()
    assert log(council, rows, END).taken_down == 1
    rows[0]["taken down on"] = (STARTS + timedelta(days=28)).isoformat()
    with pytest.raises(Refused) as refusal:
        log(council, rows, END)
    assert codes(refusal) == ["log-differs"]
    done = log(council, rows, END, because="the wrong day")
    assert (done.taken_down, done.made) == (1, True)
    assert not log(council, rows, END, because="the wrong day").made
    [event] = [event for event in recorded(council, EventRow) if event.kind == "taken_down"]
    assert event.on_day == (STARTS + timedelta(days=28)).toordinal()
    surveyed(council)
    told = " ".join(estimate(trial_of(council, NAME), today=OPENS)["notes"])
    assert "came down before" not in told
    assert "because: the wrong day" in told


def test_signs_of_arms_that_go_up_days_apart_are_flagged(tmp_path: Path) -> None:
    changes = [("{id: none, control: true}", "{id: none, control: true, sign: signs/recycling-plain.html}")]
    folder = workspace(tmp_path / "council", *changes)
    draw(folder, [row(number) for number in range(1, 13)])
    make_batch_signs(trial_of(folder, NAME), today=LISTED, now=moment(LISTED))
    drawn = arms(folder)
    rows = form(folder)
    assert {one["due up"] for one in rows} == {"day 0"}
    for one in rows:
        one["put up on"] = (STARTS + timedelta(days=2 * (drawn[one["site"]] == "eyes"))).isoformat()
    log(folder, rows, END)
    surveyed(folder, covers=(STARTS, WINDOW[1]), content=_after(folder))
    summary = estimate(trial_of(folder, NAME), today=OPENS)
    flags = [one["flags"] for one in summary["outcomes"][0]["estimates"] if one["role"] == "headline"]
    assert flags
    assert all("dispatch_differs_by_arm" in one for one in flags)
    assert summary["checks"]["dispatch_by_arm"]["eyes"]["median_day"] == 2.0


def _level(level: float) -> Callable[[int], float]:
    return lambda _: level


def _after(folder: Path) -> bytes:
    chance = random.Random(5)
    rates = {site: _level(chance.uniform(1, 2)) for site in arms(folder)}
    return surveys_csv(rates, [7, 14, 21, 28], STARTS, "litter")


WEDGE = (
    ("method: blocked", "method: stepped_wedge"),
    ("days: 28", "days: 14, periods: 4, washout_days: 2"),
    ("type: rate, source: surveys", "type: percentile, percentile: 85, source: speeds"),
    ("{litter: 0.2}", "{litter: 1}"),
)


def test_a_stepped_wedge_runs_from_its_list_to_its_report(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "council", *WEDGE)
    draw(folder, [row(number) for number in range(1, 10)], starts=STARTS)
    drawn = arms(folder)
    assert sorted(drawn.values()) == ["step 1"] * 3 + ["step 2"] * 3 + ["step 3"] * 3
    made = make_batch_signs(trial_of(folder, NAME), today=LISTED, now=moment(LISTED))
    assert made.signs == 9
    end = STARTS + timedelta(days=57)
    done = log(folder, _filled(made.folder, end), end)
    assert (done.day0, done.put_up, done.late, done.taken_down) == (STARTS, 9, 0, 9)
    chance = random.Random(3)
    level = {site: chance.uniform(30, 30.5) for site in drawn}

    def mean(site: str) -> Callable[[int], float]:  # a trend over time that is no effect, and 2 mph that are
        step = int(drawn[site].removeprefix("step "))
        return lambda day: level[site] + day / 14 - (2.0 if day > 14 * step else 0.0)

    content = speeds_csv({site: mean(site) for site in drawn}, range(4, 57, 4), STARTS)
    file = folder / "data" / "speeds.csv"
    file.write_bytes(content)
    covers = (STARTS, STARTS + timedelta(days=56))
    add_readings(trial_of(folder, NAME), [file], kind="speeds", covers=covers, today=end, now=moment(end))
    opens = trial_of(folder, NAME).opens_on()
    assert opens == STARTS + timedelta(days=56 + 7)
    written = write_report(trial_of(folder, NAME), today=opens, now=moment(opens))
    [outcome] = written.summary["outcomes"]
    [line] = [one for one in outcome["estimates"] if one["role"] == "headline"]
    assert line["ci"][0] < -2 < line["ci"][1] < 0
    assert (line["p_method"], line["measure"]) == ("randomisation_exact", "percentile_difference")
    assert line["redraws"] == math.factorial(9) // math.factorial(3) ** 3
    assert (line["n"], line["clusters"]) == (36, 9)  # nine sites, each with a figure in four periods
    assert [(arm["n"], arm["clusters"]) for arm in outcome["arms"]] == [(18, 9), (18, 9)]
    out = folder / "out" / NAME
    again = analyse(out / "plan.yaml", out / "readings.csv")
    [theirs] = [one for one in again["outcomes"][0]["estimates"] if one["role"] == "headline"]
    assert [theirs[name] for name in ("estimate", "se", "p_value")] == [
        pytest.approx(line[name], rel=1e-12) for name in ("estimate", "se", "p_value")
    ]
    assert len((out / "readings.csv").read_text("utf-8").splitlines()) == 1 + 9 * 4
    page = (out / "report.html").read_text("utf-8")
    for words in ("Periods of sites counted", "so it is not their difference"):
        assert words in page


def _filled(folder: Path, by: date) -> list[dict[str, str]]:
    text = filled_log(folder / "install-log.csv", by=by).decode()
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("method", ["minimised, strata: [busy]", "rerandomised, covariates: [traffic]"])
def test_what_the_draw_balanced_is_adjusted_for(tmp_path: Path, method: str) -> None:
    changes = [("method: blocked", f"method: {method}"), ("type: rate, source: surveys", "type: mean, source: speeds")]
    folder = workspace(tmp_path / "council", *changes, ("{litter: 0.2}", "{litter: 1}"))
    draw(folder, [row(number, traffic=str(500 + 100 * number)) for number in range(1, 15)])
    made = make_batch_signs(trial_of(folder, NAME), today=LISTED, now=moment(LISTED))
    log(folder, _due(made.folder), END)
    chance = random.Random(9)
    means = {site: _level(chance.uniform(28, 34)) for site in arms(folder)}
    content = speeds_csv(means, [7, 14, 21], STARTS)
    surveyed(folder, kind="speeds", covers=(STARTS, WINDOW[1]), content=content)
    summary = write_report(trial_of(folder, NAME), today=OPENS, now=moment(OPENS)).summary
    [line] = [one for one in summary["outcomes"][0]["estimates"] if one["role"] == "headline"]
    assert line["covariates"]
    out = folder / "out" / NAME
    again = analyse(out / "plan.yaml", out / "readings.csv")
    [theirs] = [one for one in again["outcomes"][0]["estimates"] if one["role"] == "headline"]
    assert theirs["estimate"] == pytest.approx(line["estimate"], rel=1e-12)
    assert theirs["se"] == pytest.approx(line["se"], rel=1e-12)


def _due(folder: Path) -> list[dict[str, str]]:
    text = filled_log(folder / "install-log.csv", by=END, day0=STARTS).decode()
    return list(csv.DictReader(text.splitlines()))


def test_a_site_whose_open_band_may_hide_the_figure_is_refused_with_its_file(tmp_path: Path) -> None:
    percentile = "type: percentile, percentile: 85, source: speeds"
    folder = workspace(
        tmp_path / "council", ("type: rate, source: surveys", percentile), ("{litter: 0.2}", "{litter: 1}")
    )
    draw(folder, [row(number) for number in range(1, 13)])
    make_batch_signs(trial_of(folder, NAME), today=LISTED, now=moment(LISTED))
    heads = "Date,Site ID,20-25 mph,25-30 mph,30-35 mph,35+ mph\n"
    lines = [f"2027-04-01,{site},40,60,40,{30 * (site == 'S02')}\n" for site in arms(folder)]
    with pytest.raises(Refused) as refusal:  # 2 in 100 of the file's vehicles, and 18 of those at S02
        surveyed(folder, kind="speeds", content=(heads + "".join(lines)).encode())
    assert codes(refusal) == ["band-open"]
    assert "surveys.csv:site S02" in str(refusal.value)
    assert recorded(folder, MeasurementRow) == []
    tenth = [f"2027-04-01,{site},40,60,40,15\n" for site in arms(folder)]  # 10 in 100: the 85th lies below 35
    surveyed(folder, kind="speeds", content=(heads + "".join(tenth)).encode())
    assert recorded(folder, MeasurementRow)


def test_vehicles_one_by_one_and_in_bands_at_one_site_are_told_apart(tmp_path: Path) -> None:
    changes = [("type: rate, source: surveys", "type: proportion, limit: 30, source: speeds")]
    folder = workspace(tmp_path / "council", *changes)
    draw(folder, [row(number) for number in range(1, 13)])
    made = make_batch_signs(trial_of(folder, NAME), today=LISTED, now=moment(LISTED))
    log(folder, _due(made.folder), END)
    covers = (STARTS, WINDOW[1])
    lines = [f"2027-04-01,{site},{speed}\n" for site in arms(folder) for speed in (28, 30, 31, 36)]
    content = ("Date,Site ID,MPH\n" + "".join(lines)).encode()
    surveyed(folder, kind="speeds", covers=covers, content=content)
    summary = estimate(trial_of(folder, NAME), today=OPENS)
    figures = {one["arm"]: one["values"]["mean"]["estimate"] for one in summary["outcomes"][0]["arms"]}
    assert figures == {"none": 50.0, "eyes": 50.0}  # 31 and 36 of four are above 30; 30 is not
    bands = "Date,Site ID,From mph,To mph,Vehicles\n2027-04-02,S01,20,30,4\n2027-04-02,S01,30,40,4\n"
    mapping = ColumnMapping("speeds", {})  # the headings are other ones than those learnt from the first file
    surveyed(folder, kind="speeds", covers=covers, content=bands.encode(), mapping=mapping)
    with pytest.raises(Refused) as refusal:
        estimate(trial_of(folder, NAME), today=OPENS)
    assert codes(refusal) == ["speeds-mixed"]
