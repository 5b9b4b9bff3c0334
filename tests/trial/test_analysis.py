"""Analysis by intention to treat, held to figures worked out here by other means (I5, I9)."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nudge.experiment.definition import LiveExperiment, Outcome
from nudge.records.tables import PostingRow, RecipientRow
from nudge.reports.summary import validate
from nudge.trial import enrolment
from nudge.trial.analysis import _measured, estimate, write_report
from nudge.trial.delivery import delivered
from nudge.trial.gate import Listed
from nudge.trial.population import Population, Recorded, population_of, read_recorded
from nudge.trial.posting import correct_posting, hold, undo_batch
from nudge.trial.responses import add_responses
from nudge.trial.sealing import amend_trial
from tests.trial.conftest import MONDAY, TUESDAY, WEDNESDAY, Office, make_sealed, moment, tenancy

WEEK_TWO, WEEK_THREE = MONDAY + timedelta(days=7), MONDAY + timedelta(days=14)
DAY0 = {1: WEDNESDAY, 3: WEEK_THREE + timedelta(days=1)}
OPENS = DAY0[3] + timedelta(days=66 + 7)
FIRST, ABANDONED, THIRD, LATE = range(1, 17), range(17, 19), range(19, 27), 27


def reference(number: int) -> str:
    return f"T{number:06d}"


def batch_of(number: int) -> int:
    return 1 if number in FIRST else 2 if number in ABANDONED else 3


def contacts() -> dict[int, list[int]]:
    """Days from day 0 on which tenancies got in touch; 0 and before are no response (rules §1)."""
    return {
        1: [5],
        2: [-1],
        3: [0],
        4: [-2, 20],
        5: [56],
        6: [57],
        7: [14],
        8: [15],
        20: [3],
        21: [40],
        22: [9],
        27: [2],
    }


def payments() -> dict[int, list[int]]:
    return {4: [11], 9: [30], 22: [12], 23: [1]}


def balance(number: int) -> int | None:
    """Pounds owed 8 weeks on; None: the account is not in the file."""
    return None if number % 7 == 0 else 20 + 13 * number


@dataclass(frozen=True)
class Finished:
    summary: Mapping[str, Any]
    arms: Mapping[str, str]
    folder: Path


def _letter(office: Office, number: int) -> str:
    [unit] = {row.unit for row in office.rows(RecipientRow, tenancy_reference=reference(number))}
    return office.rows(PostingRow, unit=unit)[0].letter_reference


def _responses(office: Office) -> None:
    def day(number: int, offset: int) -> date:
        return DAY0[1 if number < 17 else 3] + timedelta(days=offset)

    files = {
        "contacts": "Date,Direction,Reason,Tenancy Ref\n"
        + "".join(f"{day(n, d)},in,rent,{reference(n)}\n" for n, days in contacts().items() for d in days),
        "payments": "Date,Type,Amount,Tenancy Ref\n"
        + "".join(f"{day(n, d)},card,10.00,{reference(n)}\n" for n, days in payments().items() for d in days),
        "returned": f"Date,Letter Reference\n{day(10, 6)},{_letter(office, 10)}\n",
        "complaints": f"Date,Tenancy Ref\n{day(11, 6)},{reference(11)}\n",
        "breathing_space": f"Date,Tenancy Ref\n{day(12, 6)},{reference(12)}\n",
    }
    balances: dict[date, str] = {}
    for number in [*FIRST, *THIRD, LATE]:
        if (pounds := balance(number)) is not None:
            balances.setdefault(day(number, 56), "Balance Date,Tenancy Ref,Current Balance\n")
            balances[day(number, 56)] += f"{day(number, 56)},{reference(number)},{pounds}.00\n"
    last = OPENS - timedelta(days=1)
    readings = [(kind, text, (MONDAY, last)) for kind, text in files.items()]
    readings += [("rent_accounts", text, (on, on)) for on, text in balances.items()]
    for position, (kind, text, covers) in enumerate(readings):
        path = office.file(f"{position}-{kind}.csv", text)
        add_responses(office.trial, [path], kind=kind, covers=covers, today=OPENS, now=moment(OPENS))


def _run(office: Office) -> None:
    rows = [tenancy(number) for number in FIRST]
    office.enrol(rows)
    hold(office.trial, reference(13), because="crisis", today=MONDAY, now=moment(MONDAY))
    office.letters(listed=Listed(office.list(f"{reference(14)},deceased,,\n", "fresh.csv"), MONDAY))
    office.dispatch(on=TUESDAY, not_posted=(reference(15),))
    correct_posting(office.trial, 1, on=WEDNESDAY, because="typed a day early", today=WEDNESDAY, now=moment(WEDNESDAY))
    office.enrol([tenancy(number) for number in ABANDONED], on=WEEK_TWO)
    undo_batch(office.trial, 2, now=moment(WEEK_TWO, 12))
    path = office.folder / "experiments/wealden-arrears.yaml"
    path.write_text(path.read_text("utf-8").replace("ratio: [1, 1]", "ratio: [1, 2]"), "utf-8")
    amend_trial(office.trial, because="quicker answer", by="JP", now=moment(WEEK_THREE, 8))
    late = tenancy(LATE, UPRN=tenancy(1)["UPRN"])
    office.enrol([*[tenancy(number) for number in THIRD], late, tenancy(60, Agreement="Y")], on=WEEK_THREE)
    office.letters(3, on=WEEK_THREE)
    office.dispatch(3, on=DAY0[3])
    _responses(office)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """Twenty-seven tenancies, from the draw to the summary."""
    folder = tmp_path_factory.mktemp("finished") / "rents"
    office = Office(
        make_sealed(folder, edit=lambda text: text.replace("strata: [patch, arrears_band]", "strata: [patch]"))
    )
    with pytest.MonkeyPatch.context() as patch:  # the proof of every letter is tested elsewhere
        patch.setattr(enrolment, "prove_letters", lambda *_, **__: {})
        _run(office)
    summary = estimate(office.trial, today=OPENS, redraws=199)
    yield Finished(summary, office.arms(), folder)
    office.close()


def outcome(finished: Finished, name: str) -> Mapping[str, Any]:
    return next(one for one in finished.summary["outcomes"] if one["id"] == name)


def row(outcome: Mapping[str, Any], measure: str, role: str) -> Mapping[str, Any]:
    return next(one for one in outcome["estimates"] if one["measure"] == measure and one["role"] == role)


def members() -> list[int]:
    """The primary population: all of every posted batch, withheld, returned and unposted letters too."""
    return [*FIRST, *THIRD]


def first_day(number: int, *sources: Mapping[int, list[int]]) -> int | None:
    days = [day for source in sources for day in source.get(number, []) if day > 0]
    return min(days, default=None)


def in_arm(finished: Finished, arm: str) -> list[int]:
    return [number for number in members() if finished.arms[reference(number)] == arm]


def on_dummies(finished: Finished, y: Mapping[int, float], *more: Mapping[int, float]) -> float:
    """The arm's coefficient of least squares on arm and stratum-by-epoch dummies, with NumPy."""
    numbers = sorted(y)
    strata = [(number % 2, batch_of(number)) for number in numbers]
    treated = np.array([finished.arms[reference(number)] == "personal-norm" for number in numbers], dtype=float)
    columns = [treated, *([float(s == one) for s in strata] for one in sorted(set(strata)))]
    columns += [[extra[number] for number in numbers] for extra in more]
    return float(np.linalg.lstsq(np.column_stack(columns), np.array([y[n] for n in numbers]), rcond=None)[0][0])


def test_the_summary_is_valid_and_says_what_it_is_of(finished: Finished) -> None:
    assert validate(finished.summary) == ()
    assert finished.summary["epochs"] == 2
    assert [one["because"] for one in finished.summary["amendments"]] == ["quicker answer"]
    assert any("typed a day early" in note for note in finished.summary["notes"])
    assert any("1 tenancy joined a household" in note for note in finished.summary["notes"])


def test_what_befell_letters_and_units_after_the_draw_is_counted_by_arm(finished: Finished) -> None:
    found = finished.summary["checks"]["after_draw"]
    assigned = {arm: len(in_arm(finished, arm)) for arm in ("current", "personal-norm")}
    for name, number in (
        ("withheld_crisis", 13),
        ("withheld_deceased", 14),
        ("withheld_not_posted", 15),
        ("returned", 10),
        ("breathing_space", 12),
    ):
        arm = finished.arms[reference(number)]
        assert found[name]["counts"] == {one: int(one == arm) for one in assigned}
        assert found[name]["of"] == assigned
    assert sum(found["posted"]["counts"].values()) == len(members()) - 3
    assert all(told["p_value"] is None or 0 <= told["p_value"] <= 1 for told in found.values())


def test_the_complier_effect_counts_as_reached_whoever_had_a_letter_posted_and_not_returned(finished: Finished) -> None:
    [line] = outcome(finished, "days_to_contact")["panels"]["compliance"]
    numbers = in_arm(finished, "personal-norm")
    reached = [number for number in numbers if number not in (10, 13, 14, 15)]
    assert line["received_arm"] == len(reached) / len(numbers)
    assert line["received_reference"] == 0
    got = {n: float(n in reached) for n in members()}
    headline = row(outcome(finished, "days_to_contact"), "rmst_difference", "headline")
    assert line["intention_to_treat"] == pytest.approx(headline["estimate"])
    assert line["first_stage"] == pytest.approx(on_dummies(finished, got))
    if line["estimate"] is not None:
        assert line["estimate"] == pytest.approx(line["intention_to_treat"] / line["first_stage"])


def test_what_was_spent_counts_letters_posted_and_the_minutes_that_events_take(finished: Finished) -> None:
    event, _ = outcome(finished, "days_to_contact")["panels"]["costs"]
    posted = finished.summary["checks"]["after_draw"]["posted"]["counts"]
    for key, arm in (("cost_arm", "personal-norm"), ("cost_reference", "current")):
        numbers = in_arm(finished, arm)
        answers = sum(0 < day <= 56 for number in numbers for day in contacts().get(number, []))
        assert event[key] == pytest.approx((92 * posted[arm] + 12 * 48 * answers) / len(numbers))
    office = Office(finished.folder)
    recorded = read_recorded(office.trial)
    population = population_of(office.trial, recorded)
    experiment = office.trial.experiment
    office.close()
    experiment = experiment.model_copy(update={"minutes": {}})
    costed = experiment.model_copy(update={"minutes": {"contact": 10}})
    arms = tuple(arm.model_copy(update={"cost": 2.0}) for arm in experiment.arms)
    dearer = experiment.model_copy(update={"arms": arms})
    plain, minutes, two_pounds = (delivered(one, population, recorded)["spent"] for one in (experiment, costed, dearer))
    members_and_late = {*members(), LATE}
    answered = sum(0 < day <= 56 for number, days in contacts().items() if number in members_and_late for day in days)
    assert minutes.sum() - plain.sum() == pytest.approx(answered * 10 * 48)
    assert two_pounds.sum() == pytest.approx(plain.sum() * 200 / 92)
    assert "spent" not in delivered(experiment.model_copy(update={"costs": {}}), population, recorded)


def test_i9_units_without_a_reading_are_the_ones_that_are_bounded(finished: Finished) -> None:
    arrears = outcome(finished, "arrears_at_8_weeks")
    worst, trimmed = arrears["panels"]["bounds"]
    missing = {arm["arm"]: arm["missing"] for arm in arrears["arms"]}
    assert (worst["missing_arm"], worst["missing_reference"]) == (missing["personal-norm"], missing["current"])
    assert worst["assigned_arm"] + worst["assigned_reference"] == len(members())
    assert (worst["reason"], trimmed["reason"]) == ("no_range", None)
    shares = [1 - missing[arm] / len(in_arm(finished, arm)) for arm in ("personal-norm", "current")]
    assert trimmed["trim_share"] == pytest.approx(1 - min(shares) / max(shares))


def test_i9_everybody_is_counted_once(finished: Finished) -> None:
    flow = finished.summary["flow"]
    assert flow["allocated"] == flow["analysed"] == len(members())
    assert flow["withheld"] == {"crisis": 1, "deceased": 1, "not_posted": 1}
    assert flow["returned"] == 1
    assert flow["posted"] == len(members()) + 1 - 3  # the late member's letter went; three were withheld
    assert flow["excluded"] == {
        "active_agreement": 1,
        "in_an_abandoned_batch": len(ABANDONED),
        "joined_a_household_already_drawn": 1,
    }
    assigned = {arm["arm"]: arm["assigned"] for arm in finished.summary["arms"]}
    assert assigned == {arm: len(in_arm(finished, arm)) for arm in ("current", "personal-norm")}


def test_i5_the_primary_outcome_is_what_a_hand_calculation_gives(finished: Finished) -> None:
    primary = outcome(finished, "days_to_contact")
    first = {number: first_day(number, contacts(), payments()) for number in members()}
    capped = {number: float(min(day, 56)) if day is not None else 56.0 for number, day in first.items()}
    for arm in primary["arms"]:
        numbers = in_arm(finished, arm["arm"])
        events = sum(first[number] is not None and (first[number] or 0) <= 56 for number in numbers)
        assert (arm["n"], arm["n_assigned"], arm["events"]) == (len(numbers), len(numbers), events)
        assert arm["values"]["contact_by_horizon"]["estimate"] == pytest.approx(events / len(numbers), abs=1e-12)
        mean = sum(capped[number] for number in numbers) / len(numbers)
        assert arm["values"]["rmst"]["estimate"] == pytest.approx(mean, abs=1e-9)
    headline = row(primary, "rmst_difference", "headline")
    assert headline["estimate"] == pytest.approx(on_dummies(finished, capped), abs=1e-9)
    assert headline["n"] == len(members())
    assert {name.split("\t")[1] for name in headline["strata"]} == {"epoch 1", "epoch 2"}
    assert len(headline["strata"]) + headline["strata_dropped"] == 4  # two patches in each of two epochs
    verdict = primary["verdict"]
    assert [one["arm"] for one in verdict] == ["personal-norm"]


def test_i5_who_left_the_batch_and_who_came_late_are_not_in_the_headline(finished: Finished) -> None:
    primary = outcome(finished, "days_to_contact")
    rows = [one for one in primary["estimates"] if one["measure"] == "rmst_difference" and one["role"] == "sensitivity"]
    assert len(members()) + 1 in {one["n"] for one in rows}  # the late member, in a row of its own
    assert {one["n"] for one in primary["estimates"] if one["role"] in {"headline", "secondary"}} == {len(members())}
    assert finished.arms[reference(LATE)] == finished.arms[reference(1)]


def test_day_0_and_earlier_is_no_response_and_day_14_lies_within_14(finished: Finished) -> None:
    second = outcome(finished, "contact_before_second_letter")
    for arm in second["arms"]:
        numbers = in_arm(finished, arm["arm"])
        events = [number for number in numbers if (day := first_day(number, contacts())) is not None and day <= 14]
        assert arm["events"] == len(events)
        assert arm["values"]["proportion"]["estimate"] == pytest.approx(len(events) / len(numbers), abs=1e-12)
    assert {2, 3, 8} & {n for n in members() if (d := first_day(n, contacts())) is not None and d <= 14} == set()


def test_i9_a_missing_balance_is_missing_and_counted_by_arm(finished: Finished) -> None:
    arrears = outcome(finished, "arrears_at_8_weeks")
    for arm in arrears["arms"]:
        numbers = in_arm(finished, arm["arm"])
        known = [pounds for number in numbers if (pounds := balance(number)) is not None]
        assert (arm["n"], arm["missing"]) == (len(known), len(numbers) - len(known))
        assert arm["missing_by"] == ({"missing": arm["missing"]} if arm["missing"] else {})
        assert arm["values"]["mean"]["estimate"] == pytest.approx(100 * float(np.mean(known)), abs=1e-6)  # pence
    y = {number: 100.0 * pounds for number in members() if (pounds := balance(number)) is not None}
    plain = row({"estimates": [one for one in arrears["estimates"] if not one["adjustment"] and not one["covariates"]]},
                "mean_difference", "sensitivity")  # fmt: skip
    assert plain["estimate"] == pytest.approx(on_dummies(finished, y), abs=1e-6)


def test_i9_harms_are_reported_with_every_unit_as_denominator(finished: Finished) -> None:
    for kind, number in (("complaint", 11), ("breathing_space", 12)):
        harm = outcome(finished, kind)
        assert not harm["primary"]
        assert not harm["verdict"]
        events = {arm["arm"]: arm["events"] for arm in harm["arms"]}
        assert events == {**dict.fromkeys(events, 0), finished.arms[reference(number)]: 1}
        assert sum(arm["n"] for arm in harm["arms"]) == len(members())


def test_i13_the_same_records_give_the_same_summary_and_report(finished: Finished, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        shutil.copytree(finished.folder, tmp_path / name)
        office = Office(tmp_path / name)
        report = write_report(office.trial, today=OPENS, now=moment(OPENS), redraws=199)
        written.append([path.read_bytes() for path in report.files])
        office.close()
    assert written[0] == written[1]
    assert json.loads(written[0][0]) == json.loads(json.dumps(finished.summary))
    names = Counter(word in written[0][1].decode() for word in ("Ashdown", "Invented Row", "T000001"))
    assert names == {False: 3}  # no tenant in a report (I12)


@pytest.fixture(scope="module")
def recorded(finished: Finished) -> Iterator[tuple[LiveExperiment, Population, Recorded]]:
    office = Office(finished.folder)
    trial = office.trial
    found = read_recorded(trial)
    yield trial.experiment, population_of(trial, found), found
    office.close()


def _cleared(experiment: LiveExperiment) -> Outcome:
    """The arrears outcome as an arrears list would give it: who is not on the list owes nothing."""
    return experiment.outcome("arrears_at_8_weeks").model_copy(update={"absent": 0, "source": None})


def test_i9_absent_means_nothing_where_no_file_was_taken_in_the_window(
    recorded: tuple[LiveExperiment, Population, Recorded],
) -> None:
    experiment, population, found = recorded
    bare = replace(found, measurements=(), imports=[row for row in found.imports if row.kind != "rent_accounts"])
    value, reasons = _measured(experiment, _cleared(experiment), population, bare)
    assert np.isnan(value).all()
    assert reasons["no_extract_in_window"].all()
    assert not reasons["missing"].any()


def test_a_tenancy_that_is_not_in_the_file_of_its_window_has_the_value_declared_for_absent(
    recorded: tuple[LiveExperiment, Population, Recorded],
) -> None:
    experiment, population, found = recorded
    value, _ = _measured(experiment, _cleared(experiment), population, found)
    plain, reasons = _measured(experiment, experiment.outcome("arrears_at_8_weeks"), population, found)
    assert (value[reasons["missing"]] == 0).all()
    assert reasons["missing"].any()
    assert np.array_equal(value[~np.isnan(plain)], plain[~np.isnan(plain)])


def test_the_file_nearest_to_the_day_decides_whether_a_tenancy_is_absent(
    recorded: tuple[LiveExperiment, Population, Recorded],
) -> None:
    experiment, population, found = recorded
    on_file = {reading.unit for reading in found.measurements}
    number = next(n for n, unit in enumerate(population.units) if unit.unit not in on_file)
    early = type(found.measurements[0])(
        trial="wealden-arrears", unit=population.units[number].unit, name="arrears",
        on_day=int(population.day0[number]) + 54, number=900, import_sha256="early", row=1,
    )  # fmt: skip
    value, _ = _measured(
        experiment, _cleared(experiment), population, replace(found, measurements=[*found.measurements, early])
    )
    assert value[number] == 0  # the list of day 56 does not name it, whatever an earlier one said


def test_households_found_to_be_one_are_one_cluster_and_know_whose_part_they_are(posted_office: Office):
    same = {"UPRN": "100000000777", "Addr1": "1 Invented Row"}
    posted_office.enrol([tenancy(number, **same) for number in (1, 2, 3)], on=WEEK_TWO)
    trial = posted_office.trial
    population = population_of(trial, read_recorded(trial))
    reference_of = {row.unit: row.tenancy_reference for row in posted_office.rows(RecipientRow)}
    places = {reference_of[unit.unit]: number for number, unit in enumerate(population.units)}
    three = [places[f"T00000{number}"] for number in (1, 2, 3)]
    assert len(set(population.cluster[three])) == len(set(population.joined[three])) == 1
    assert len(set(population.drawn[three])) == 3
    assert population.joined[three[0]] == min(
        population.drawn[three],
        key=lambda place: population.units[int(np.flatnonzero(population.drawn == place)[0])].cluster,
    )
    others = np.setdiff1d(np.arange(len(population.units)), three)
    assert (population.joined[others] == population.drawn[others]).all()
