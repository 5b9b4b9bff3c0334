"""Streets and teams drawn whole: everybody of one has one arm, and a newcomer gets it too."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from nudge.records.tables import AllocationRow, UnitRow
from nudge.trial.posting import undo_batch
from tests.trial.conftest import MONDAY, TUESDAY, Office, make_sealed, moment, tenancy
from tests.trial.test_enrolment import adds_up

STREETS = ("Mill Lane", "mill  lane.", "St Mary's Close", "ST MARYS CLOSE", "Ffordd y Ŵyn", "High Street")
WEEK_TWO = MONDAY + timedelta(days=7)


def by_street(text: str) -> str:
    found = text.replace("cluster: household", "cluster: patch").replace("strata: [patch, arrears_band]", "strata: []")
    assert found.count("patch") == text.count("patch")
    return found


@pytest.fixture(scope="module")
def of_streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_sealed(tmp_path_factory.mktemp("streets") / "rents", edit=by_street)
    office = Office(folder)
    office.enrol([tenancy(number, Patch=STREETS[number % len(STREETS)]) for number in range(1, 19)])
    office.close()
    return folder


@pytest.fixture
def office(of_streets: Path, tmp_path: Path) -> Iterator[Office]:
    office = Office(shutil.copytree(of_streets, tmp_path / "rents"))
    yield office
    office.close()


def arms_by_street(office: Office) -> dict[str, set[str]]:
    found = defaultdict(set)
    for reference, arm in office.arms().items():
        found[STREETS[int(reference[1:]) % len(STREETS)]].add(arm)
    return found


def test_i2_everybody_of_a_street_has_its_arm_however_the_street_is_spelt(office: Office) -> None:
    assert len(office.rows(AllocationRow)) == len({row.cluster for row in office.rows(UnitRow)}) == 4
    arms = arms_by_street(office)
    assert all(len(drawn) == 1 for drawn in arms.values())
    assert arms["Mill Lane"] == arms["mill  lane."]
    assert arms["St Mary's Close"] == arms["ST MARYS CLOSE"]
    assert {arm for drawn in arms.values() for arm in drawn} == {"current", "personal-norm"}


def test_i3_a_newcomer_to_a_street_gets_its_arm_and_takes_no_slot(office: Office) -> None:
    found = office.enrol([tenancy(20, Patch="MILL LANE"), tenancy(21, Patch="New Road")], on=WEEK_TWO)
    assert (found.flow["late"], found.flow["allocated"]) == (1, 1)
    assert adds_up(found.flow)
    assert office.arms()["T000020"] in arms_by_street(office)["Mill Lane"]
    assert len(office.rows(AllocationRow)) == 5


def test_i4_nobody_is_drawn_whose_street_is_not_known(office: Office) -> None:
    found = office.enrol([tenancy(20, Patch=""), tenancy(21, Patch="New Road")], on=WEEK_TWO)
    assert found.flow["excluded"] == {"missing_patch": 1}
    assert adds_up(found.flow)


def test_i3_a_unit_that_comes_back_keeps_its_arm_though_its_street_was_corrected(office: Office) -> None:
    before = office.arms()
    undo_batch(office.trial, 1, now=moment(TUESDAY))
    again = [tenancy(number, Patch=STREETS[(number + 1) % len(STREETS)]) for number in range(1, 19)]
    found = office.enrol(again, on=WEEK_TWO)
    assert found.flow["rejoined"] == 18
    assert office.arms() == before
    assert len(office.rows(AllocationRow)) == 4
