"""Sites drawn once: nothing unsettled is drawn, too few are refused, and what was drawn can be drawn again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from nudge.allocation.design import Design
from nudge.base.errors import Refused
from nudge.base.resources import resources
from nudge.records.store import rows_of
from nudge.records.tables import AllocationRow, RecipientRow, UnitRow
from nudge.trial.checking import check_file
from nudge.trial.closing import verify_trial
from nudge.trial.letters import make_batch_letters
from nudge.trial.posting import undo_batch
from nudge.trial.schedule import Span, Turn, arms_in_turn, span_before, spans, turns
from nudge.trial.sealing import amend_trial, seal_trial
from nudge.trial.site_enrolment import SitesDrawn, draw_sites
from nudge.trial.sites import SiteFacts, signs_of, site_code
from nudge.workspace import make_workspace
from tests.experiments.places import LISTED, STARTS, nearby, place, sites_csv, trial_of
from tests.trial.conftest import SECRET, Office, moment

NAME = "tiny-signs"
FILE = """\
id: tiny-signs
title: Does a sign help?
question: Does a sign help?
unit: site
columns: {pair: text, traffic: number}
bands: {busy: {of: traffic, edges: [1000]}}
eligible: traffic > 10
sites: {size: A4, days: 28}
arms: [{id: none, control: true}, {id: eyes, sign: signs/recycling-eyes.html}]
design: {method: blocked, enrol: once}
outcomes: [{id: litter, type: rate, source: surveys, primary: true, better: lower}]
smallest_worthwhile: {litter: 0.2}
governance:
  sign_off:
    {service: AB 2026-11-20, legal: CD 2026-11-20, communications: EF 2026-11-20, data_protection: GH 2026-11-20}
  keeper: the parks manager
  witness: internal audit
  beacon: none
  dpia: no personal data
"""


def workspace(folder: Path, *changes: tuple[str, str]) -> Path:
    """A sealed trial of signs; changes of its file."""
    unsealed(folder, *changes)
    seal_trial(trial_of(folder, NAME), secret=SECRET, now=moment(date(2027, 2, 1)))
    return folder


def unsealed(folder: Path, *changes: tuple[str, str]) -> Path:
    """The same before its seal; its file."""
    make_workspace(folder, council="Anytown Borough Council", resources=resources())
    text = FILE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "experiments" / f"{NAME}.yaml"
    path.write_text(text, "utf-8")
    return path


def draw(folder: Path, rows: list[dict[str, str]], name: str = "sites.csv", **more: object) -> SitesDrawn:
    file = folder / "data" / name
    file.write_bytes(sites_csv(rows))
    settings = {"today": LISTED, "now": moment(LISTED)} | more
    return draw_sites(trial_of(folder, NAME), file, **settings)


def row(number: int, **changes: str) -> dict[str, str]:
    return place(number, pair=f"P{(number + 1) // 2}", traffic="500") | changes


def arms(folder: Path) -> dict[str, str]:
    trial = trial_of(folder, NAME)
    with trial.store.snapshot() as connection:
        drawn = {one.cluster: one.arm for one in rows_of(connection, AllocationRow, trial=NAME)}
        units = rows_of(connection, UnitRow, trial=NAME)
    return {SiteFacts.read(unit).site: drawn[unit.cluster] for unit in units if not unit.late}


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [problem.code for problem in refusal.value.problems]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve sites drawn and two watched, one left out."""
    folder = workspace(tmp_path_factory.mktemp("sites") / "council")
    rows = [row(number) for number in range(1, 13)] + [row(13, traffic="5")]
    rows += [nearby(1) | {"pair": "", "traffic": ""}, nearby(2) | {"pair": "", "traffic": ""}]
    rows += [nearby(13) | {"pair": "", "traffic": ""}]
    found = draw(folder, rows)
    assert (found.batch, found.made, found.drawn, found.watched) == (1, True, 12, 2)
    assert found.excluded == {"not_eligible": 1, "watched_for_a_site_left_out": 1}
    assert found.reading.rows == found.drawn + found.watched + sum(found.excluded.values()) + found.reading.faulty
    return folder


def test_i2_every_arm_can_be_drawn_again_from_the_secret(drawn: Path) -> None:
    verified = verify_trial(trial_of(drawn, NAME))
    assert (verified.problems, verified.clusters, verified.redrawn) == ((), 12, True)
    assert set(arms(drawn).values()) == {"none", "eyes"}


def test_a_displacement_site_is_watched_and_never_drawn(drawn: Path) -> None:
    trial = trial_of(drawn, NAME)
    with trial.store.snapshot() as connection:
        allocated = {one.cluster for one in rows_of(connection, AllocationRow, trial=NAME)}
        watched = [unit for unit in rows_of(connection, UnitRow, trial=NAME) if unit.late]
    assert {SiteFacts.read(unit).displacement_of for unit in watched} == {"S01", "S02"}
    assert not {unit.unit for unit in watched} & allocated
    assert {unit.cluster for unit in watched} == {site_code(SECRET, "S01"), site_code(SECRET, "S02")}


def test_i12_owner_and_installer_may_be_persons_and_stand_apart(drawn: Path) -> None:
    trial = trial_of(drawn, NAME)
    with trial.store.snapshot() as connection:
        units = rows_of(connection, UnitRow, trial=NAME)
        owners = {one.surname for one in rows_of(connection, RecipientRow, trial=NAME)}
    assert owners == {"Anytown Borough Council"}
    assert not [unit for unit in units if "Anytown" in unit.values_json or "Crew" in unit.values_json]
    assert json.loads(units[0].values_json)["traffic"] in {500.0, None}


def test_i3_the_same_file_twice_is_one_draw(drawn: Path) -> None:
    before = arms(drawn)
    again = draw_sites(trial_of(drawn, NAME), drawn / "data" / "sites.csv", today=LISTED, now=moment(LISTED))
    assert (again.batch, again.made) == (1, False)
    assert arms(drawn) == before


def test_another_file_is_refused_while_the_first_stands(drawn: Path) -> None:
    with pytest.raises(Refused) as refusal:
        draw(drawn, [row(number) for number in range(1, 20)], "more.csv")
    assert codes(refusal) == ["drawn-once"]


def test_i3_an_undone_list_comes_back_with_the_arms_it_had(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "council")
    draw(folder, [row(number) for number in range(1, 13)])
    before = arms(folder)
    assert undo_batch(trial_of(folder, NAME), 1, now=moment(LISTED))
    again = draw(folder, [row(number) for number in range(1, 15)], "more.csv")
    assert (again.batch, again.drawn, again.back) == (2, 2, 12)
    after = arms(folder)
    assert {site: after[site] for site in before} == before
    assert verify_trial(trial_of(folder, NAME)).problems == ()


def test_i4_a_sign_that_cannot_be_put_up_stops_the_check_and_the_seal(tmp_path: Path) -> None:
    path = unsealed(tmp_path / "council")
    template = tmp_path / "council" / "templates" / "signs" / "base.html"
    sound = template.read_text("utf-8")
    assert check_file(path).before_seal == ()
    for broken, code in (("", "reference-not-once"), ("{{ sign.reference }} {{ arm }}", "name-undefined")):
        template.write_text(sound.replace("Sign {{ sign.reference }}", f"Sign {broken}"), "utf-8")
        told = check_file(path).before_seal
        with pytest.raises(Refused) as refusal:
            seal_trial(trial_of(tmp_path / "council", NAME), secret=SECRET, now=moment(date(2027, 2, 1)))
        assert {one.code for one in told} == set(codes(refusal)) == {code}
        assert not any("-" in one.place.source.partition(".html")[2] for one in told)  # of the template, of no sign


def test_i4_a_site_without_consent_is_refused_before_the_draw_or_left_out(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "council")
    rows = [row(number) for number in range(1, 13)] + [row(13, **{"Owner Consent": "no"})]
    with pytest.raises(Refused) as refusal:
        draw(folder, rows)
    assert codes(refusal) == ["rows-at-fault", "consent-missing"]
    assert trial_of(folder, NAME).batches == ()
    found = draw(folder, rows, accept_good_rows=True, dry_run=True)
    assert (found.batch, found.made, found.drawn, found.reading.faulty) == (None, False, 12, 1)
    assert trial_of(folder, NAME).batches == ()


@pytest.mark.parametrize(
    ("changes", "sites"),
    [
        ([], 6),
        ([("method: blocked", "method: pairs, pair: pair")], 10),
        ([("method: blocked", "method: crossover"), ("days: 28", "days: 28, washout_days: 7")], 5),
        ([("method: blocked", "method: stepped_wedge"), ("days: 28", "days: 28, periods: 3")], 4),
    ],
)
def test_too_few_sites_to_find_anything_are_refused(tmp_path: Path, changes: list[tuple[str, str]], sites: int) -> None:
    folder = workspace(tmp_path / "council", *changes)
    with pytest.raises(Refused) as refusal:
        draw(folder, [row(number) for number in range(1, sites + 1)], starts=STARTS)
    assert codes(refusal) == ["cannot-reach"]


def test_six_pairs_may_find_something(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "council", ("method: blocked", "method: pairs, pair: pair"))
    found = draw(folder, [row(number) for number in range(1, 13)])
    assert found.drawn == 12
    by_pair = arms(folder)
    assert all({by_pair[f"S{2 * pair - 1:02}"], by_pair[f"S{2 * pair:02}"]} == {"none", "eyes"} for pair in range(1, 7))


def test_sites_that_change_over_need_the_day_they_start(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "council", ("method: blocked", "method: crossover"))
    rows = [row(number) for number in range(1, 9)]
    with pytest.raises(Refused) as refusal:
        draw(folder, rows)
    assert codes(refusal) == ["starts-needed"]
    with pytest.raises(Refused) as refusal:
        draw(folder, rows, starts=date(2027, 2, 27))
    assert codes(refusal) == ["starts-past"]
    draw(folder, rows, starts=STARTS)
    assert set(arms(folder).values()) == {"none then eyes", "eyes then none"}
    assert verify_trial(trial_of(folder, NAME)).problems == ()


def test_a_pair_of_one_site_is_refused_before_the_draw(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "council", ("method: blocked", "method: pairs, pair: pair"))
    with pytest.raises(Refused) as refusal:
        draw(folder, [row(number) for number in range(1, 14)])
    [problem] = refusal.value.problems
    assert (problem.code, problem.place.row, problem.place.heading) == ("pair-not-two", 14, "pair")
    assert trial_of(folder, NAME).batches == ()


def test_sites_paired_by_what_they_are_like_are_an_even_number(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "council", ("method: blocked", "method: pairs, covariates: [traffic]"))
    with pytest.raises(Refused) as refusal:
        draw(folder, [row(number) for number in range(1, 14)])
    assert codes(refusal) == ["sites-odd"]
    assert draw(folder, [row(number) for number in range(1, 13)], "even.csv").drawn == 12


def test_i7_what_sites_were_drawn_by_cannot_be_amended(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "council")
    draw(folder, [row(number) for number in range(1, 13)])
    path = folder / "experiments" / f"{NAME}.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("method: blocked", "method: blocked, strata: [busy]"), "utf-8")
    with pytest.raises(Refused) as refusal:
        amend_trial(trial_of(folder, NAME), because="busier roads", by="AB", now=moment(LISTED))
    assert codes(refusal) == ["terms-of-drawn-sites"]
    path.write_text(text.replace("days: 28", "days: 42"), "utf-8")
    made = amend_trial(trial_of(folder, NAME), because="a wet spring", by="AB", now=moment(LISTED))
    assert (made.kind, made.new_epoch) == ("major", False)


def test_letters_and_signs_keep_to_their_own_commands(drawn_office: Office, drawn: Path) -> None:
    with pytest.raises(Refused) as refusal:
        draw_sites(drawn_office.trial, drawn / "data" / "sites.csv", today=LISTED, now=moment(LISTED))
    assert codes(refusal) == ["of-letters"]
    with pytest.raises(Refused) as refusal:
        make_batch_letters(trial_of(drawn, NAME), 1, today=LISTED, now=moment(LISTED))
    assert codes(refusal) == ["of-signs"]


def test_day_0_and_the_day_of_a_change_count_in_no_period(tmp_path: Path) -> None:
    plain = signs_of(trial_of(workspace(tmp_path / "plain", ("days: 28", "days: 28, baseline_days: 14")), NAME))
    assert spans(plain) == (Span(first=1, last=28),)
    assert span_before(plain) == Span(first=-14, last=-1, until=0)
    changes = [("method: blocked", "method: crossover"), ("days: 28", "days: 28, washout_days: 7")]
    crossed = signs_of(trial_of(workspace(tmp_path / "crossed", *changes), NAME))
    assert spans(crossed) == (Span(first=8, last=27, until=28), Span(first=36, last=56))
    assert span_before(crossed) is None


def test_a_sign_stays_up_as_long_as_its_arm(tmp_path: Path) -> None:
    changes = [("method: blocked", "method: stepped_wedge"), ("days: 28", "days: 10, periods: 4")]
    experiment = signs_of(trial_of(workspace(tmp_path / "wedge", *changes), NAME))
    design = Design.of(experiment)
    assert design.arms == ("step 1", "step 2", "step 3")
    second = arms_in_turn(experiment, design, "step 2")
    assert second == ("none", "none", "eyes", "eyes")
    assert turns(experiment, second) == (Turn(arm="eyes", period=3, up=20, down=41),)
    assert turns(experiment, ("eyes", "none", "none", "none")) == (Turn(arm="eyes", period=1, up=0, down=10),)
