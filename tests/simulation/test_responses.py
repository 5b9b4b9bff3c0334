"""Responses of invented tenants, whose truth is known in closed form."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

import nudge
from nudge.intake.responses import read_responses
from nudge.simulation.artefact import artefact
from nudge.simulation.behaviour import NEVER, Behaviour, live
from nudge.simulation.council import SimulatedCouncil, simulate
from nudge.simulation.responses import respond
from nudge.simulation.stream import Stream

START = date(2026, 12, 7)
UNTIL = date(2027, 4, 5)
ARMS = ("current", "personal-norm")


@pytest.fixture(scope="module")
def council() -> SimulatedCouncil:
    return simulate(7, start=START, tenancies=700, history=50)


def trial(council: SimulatedCouncil) -> tuple[dict[str, str], dict[str, date]]:
    units = [one for one in council.tenancies if one.entered >= 0]
    arms = {one.reference: ARMS[one.household % 2] for one in units}
    return arms, {one.reference: council.weeks[one.entered].post_on for one in units}


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("households_of", [1, 2])
def test_i10_the_stated_truth_is_what_a_large_simulation_finds(arm, households_of) -> None:
    n, behaviour = 200_000, Behaviour()
    truth = behaviour.truth(ARMS).arms[arm]
    household = np.arange(n, dtype=np.int64) // households_of
    days = live(Stream(5, arm), behaviour, effect=np.full(n, behaviour.effect(arm)), household=household)
    restricted = np.minimum(days.response, 56)
    error = 4.5 * restricted.std() * np.sqrt(households_of / n)
    assert restricted.mean() == pytest.approx(truth.rmst, abs=error)
    share_error = 4.5 * 0.5 * np.sqrt(households_of / n)
    assert (days.response <= 56).mean() == pytest.approx(truth.responded, abs=share_error)
    assert (days.contact <= 14).mean() == pytest.approx(truth.contact_before_second, abs=share_error)
    over = np.minimum(np.minimum(days.vacated, days.deceased), days.breathing_space)
    assert ((days.response <= over) | (days.response == NEVER)).all()
    assert days.response.min() >= 1


def test_the_default_is_the_flagships_baseline_and_a_worthwhile_effect() -> None:
    truth = Behaviour().truth(ARMS)
    assert truth.arms["current"].rmst == pytest.approx(41.3, abs=0.1)
    assert truth.rmst_difference("personal-norm") == pytest.approx(-4.0, abs=0.1)
    assert truth.share_difference("personal-norm") == pytest.approx(0.093, abs=0.001)
    assert Behaviour(effects={}).truth(ARMS).rmst_difference("personal-norm") == 0


def test_households_are_alike_in_how_they_respond() -> None:
    n, behaviour = 100_000, Behaviour(effects={})
    days = live(Stream(1, "alike"), behaviour, effect=np.ones(n), household=np.arange(n, dtype=np.int64) // 2)
    answered = (days.response <= 56).astype(float)
    assert 0.1 < np.corrcoef(answered[::2], answered[1::2])[0, 1] < 0.4


def test_no_response_comes_later_for_a_better_letter(council) -> None:
    arms, day0 = trial(council)
    worse = respond(council, dict.fromkeys(arms, "current"), day0, until=UNTIL).first_response
    better = respond(council, dict.fromkeys(arms, "personal-norm"), day0, until=UNTIL).first_response
    pairs = [(better[one] or date.max, worse[one] or date.max) for one in arms]
    assert all(early <= late for early, late in pairs)
    assert sum(early < late for early, late in pairs) > 100


def test_responses_are_the_same_again_and_can_be_had_week_by_week(council) -> None:
    arms, day0 = trial(council)
    letters = {reference: f"NX-{reference}" for reference in arms}
    whole = respond(council, arms, day0, until=UNTIL, letters=letters)
    assert respond(council, arms, day0, until=UNTIL, letters=letters) == whole
    halfway = date(2027, 1, 31)
    early = respond(council, arms, day0, until=halfway, letters=letters)
    late = respond(council, arms, day0, since=halfway + timedelta(days=1), until=UNTIL, letters=letters)
    for kind in ("contacts", "payments", "returned", "complaints", "moved", "breathing_space"):
        assert getattr(early, kind).rows + getattr(late, kind).rows == getattr(whole, kind).rows
        assert getattr(whole, kind).rows
    assert early.rent_accounts + late.rent_accounts == whole.rent_accounts


def test_batches_that_come_later_change_nothing_said_before(council) -> None:
    arms, day0 = trial(council)
    first = {reference: arm for reference, arm in arms.items() if day0[reference] < START + timedelta(days=28)}
    until = START + timedelta(days=27)
    some = respond(council, first, day0, since=START, until=until)
    every = respond(council, arms, day0, since=START, until=until)
    known = {one.payment_reference for one in council.tenancies if one.reference in first}
    assert [row for row in some.payments.rows if row[0] in known] == [
        row for row in every.payments.rows if row[0] in known
    ]


def test_intake_knows_every_file_and_reads_every_row(council, tmp_path: Path) -> None:
    arms, day0 = trial(council)
    found = respond(council, arms, day0, until=UNTIL, letters={reference: f"NX-{reference}" for reference in arms})
    kinds = set()
    for sheet in found.sheets[:8]:
        path = tmp_path / sheet.name
        path.write_bytes(sheet.csv())
        responses = read_responses(path, covers=found.covers)
        assert responses.accepted == len(sheet.rows)
        kinds.add(responses.kind)
    assert len(kinds) == 7


def test_contact_logs_are_as_messy_as_real_ones(council) -> None:
    arms, day0 = trial(council)
    rows = respond(council, arms, day0, until=UNTIL).contacts.rows
    by_phone = {number: one for one in council.tenancies for number in (one.mobile, one.telephone) if number}
    assert any(not row[3] and row[4] for row in rows), "reference blank, telephone given"
    assert any(row[3] and row[3] not in arms for row in rows), "not in this trial"
    assert {row[1] for row in rows} == {"In", "in", "Inbound", "Out"}
    assert any(row[6] == "repairs" for row in rows)
    assert any(row[0][:10] != row[9] for row in rows), "logged later"
    conflicts = [row for row in rows if row[3] and row[4] in by_phone and by_phone[row[4]].reference != row[3]]
    assert 1 <= len(conflicts) <= 2
    assert all(date(int(row[0][6:10]), int(row[0][3:5]), int(row[0][:2])) <= UNTIL for row in rows)


def test_the_files_hold_each_tenancys_first_response_on_its_day(council, tmp_path: Path) -> None:
    """Read by intake, told apart by reference, telephone or letter: what was filed is what happened."""
    arms, day0 = trial(council)
    letters = {reference: f"NX-{reference}" for reference in arms}
    found = respond(council, arms, day0, until=UNTIL, letters=letters)
    whose = {number: one.reference for one in council.tenancies for number in (one.mobile, one.telephone) if number}
    whose |= {letter: reference for reference, letter in letters.items()}
    whose |= {one.payment_reference: one.reference for one in council.tenancies}
    whose |= {key.replace(" ", ""): reference for key, reference in whose.items()}
    filed: dict[str, list[date]] = {}
    for sheet in (found.contacts, found.payments):
        path = tmp_path / sheet.name
        path.write_bytes(sheet.csv())
        for row in read_responses(path).records():
            phone = whose.get((row.telephone or "").replace(" ", "").replace("+44", "0"))
            known = (
                row.tenancy_reference,
                whose.get(row.payment_reference or ""),
                whose.get(row.letter_reference or ""),
            )
            reference = next(filter(None, (*known, phone)), None)
            if row.kind == "contacts":
                if phone and row.tenancy_reference and phone != row.tenancy_reference:
                    continue  # a conflict: for a person to decide
                counts = row.values["direction"] == "in" and row.values["reason"] in {"rent", "arrears", "money advice"}
            else:
                counts = row.values["code"] in {"card", "cash", "standing order"} and row.values["amount"] > 0
            if counts and reference in arms and row.on > day0[reference]:
                filed.setdefault(reference, []).append(row.on)
    happened = {one: day for one, day in found.first_response.items() if day is not None and day <= UNTIL}
    assert {reference: min(days) for reference, days in filed.items()} == happened


def test_two_letters_that_do_the_same_look_like_46_days_against_21() -> None:
    found = artefact()
    assert found.exact == pytest.approx((46.58, 21.32), abs=0.01)
    assert found.drawn == pytest.approx(found.exact, abs=0.8)
    assert found.rmst_drawn == pytest.approx((found.rmst, found.rmst), abs=0.5)
    assert artefact() == found


@pytest.mark.parametrize("room", ["allocation", "simulation"])
def test_a_pure_room_knows_no_file_clock_or_library_chance(room) -> None:
    folder = Path(nudge.__file__).parent / room
    for path in folder.glob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").split(".")[0])
            elif isinstance(node, ast.Attribute):
                assert node.attr not in {"today", "now", "utcnow", "default_rng", "permuted"}, path.name
            elif isinstance(node, ast.Name):
                assert node.id != "open", path.name
        assert not names & {"os", "pathlib", "time", "random", "secrets", "tempfile", "sqlite3", "sqlalchemy"}, (
            path.name
        )
