"""An invented council's files, whose every fault is known: those rows are set aside, and no others."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from nudge.base.columns import Kind
from nudge.intake.extract import Person, read_extract
from nudge.intake.history import read_history
from nudge.intake.responses import read_responses
from nudge.intake.suppression import read_suppression
from nudge.simulation.council import SimulatedCouncil, simulate
from nudge.simulation.responses import respond
from nudge.simulation.sheet import SETS_ASIDE, Fault, Sheet
from nudge.simulation.tenancies import Tenant

KINDS = {
    "arrears": Kind.MONEY,
    "weeks_in_arrears": Kind.NUMBER,
    "stage": Kind.TEXT,
    "patch": Kind.TEXT,
    "agreement": Kind.FLAG,
    "nosp_served": Kind.FLAG,
    "court_date": Kind.DATE,
    "vacated": Kind.FLAG,
}
WEEKS = 3  # two encodings that Excel writes


@pytest.fixture(scope="module")
def council() -> SimulatedCouncil:
    return simulate(11, start=date(2026, 11, 23), weeks=WEEKS, tenancies=250, history=200)


def written(folder: Path, sheet: Sheet) -> Path:
    path = folder / sheet.name
    path.write_bytes(sheet.csv())
    return path


def known_by(person: Person | Tenant) -> tuple[str, str, str]:
    """Title, initial and surname: joint tenants in one cell have initials only, some surnames are in capitals."""
    return person.title, person.forename[:1], person.surname.casefold()


@pytest.mark.parametrize("number", range(WEEKS))
def test_the_rows_with_faults_are_set_aside_and_no_others(
    tmp_path: Path, council: SimulatedCouncil, number: int
) -> None:
    week = council.weeks[number]
    planted = [fault for fault in council.faults if fault.sheet == week.extract.name]
    with read_extract(written(tmp_path, week.extract), KINDS, None) as extract:
        assert {one.row for one in extract.rejects} == {fault.line for fault in planted if fault.kind in SETS_ASIDE}
        counted = Counter(fault.kind for fault in planted)
        assert {"repeated heading": 0, **extract.dropped} == {
            "repeated heading": counted[Fault.HEADINGS_REPEATED],
            "blank": counted[Fault.BLANK_ROW],
            "total": counted[Fault.TOTALS_ROW],
            "duplicate": counted[Fault.DUPLICATE_ROW] // 2,  # planted on both of the rows
        }
        assert (extract.as_of, extract.encoding) == (week.extract_on, week.extract.encoding.removesuffix("-sig"))


def test_i1_every_tenancy_read_has_the_people_and_home_that_it_was_given(
    tmp_path: Path, council: SimulatedCouncil
) -> None:
    truth = {one.reference: one for one in council.tenancies}
    with read_extract(written(tmp_path, council.weeks[0].extract), KINDS, None) as extract:
        planted = [one for one in council.faults if one.sheet == council.weeks[0].extract.name]
        dead = {one.reference for one in planted if one.kind is Fault.EXECUTORS}
        for tenancy in extract.tenancies():
            given = truth[tenancy.reference]
            assert tenancy.deceased is (tenancy.reference in dead)
            if tenancy.deceased:
                continue
            assert list(map(known_by, tenancy.people)) == list(map(known_by, given.people))
            assert tenancy.address == (*filter(None, given.address), given.postcode)


def test_the_councils_other_files_are_read_whole_and_known_by_their_headings(
    tmp_path: Path, council: SimulatedCouncil
) -> None:
    arms = {one.reference: "current" for one in council.tenancies}
    posted = date(2026, 11, 25)
    found = respond(
        council,
        arms,
        dict.fromkeys(arms, posted),
        until=date(2027, 1, 31),
        letters={reference: f"NX7-{reference}" for reference in arms},
    )
    files = {
        "contacts": found.contacts,
        "payments": found.payments,
        "returned": found.returned,
        "complaints": found.complaints,
        "moved": found.moved,
        "breathing_space": found.breathing_space,
        "rent_accounts": found.rent_accounts[0],
    }
    for kind, sheet in files.items():
        read = read_responses(written(tmp_path, sheet), covers=found.covers)
        assert (read.kind, read.rejects, read.accepted) == (kind, (), len(sheet.rows))
    week = council.weeks[0]
    listed = read_suppression(written(tmp_path, week.suppression), dated=week.extract_on)
    assert len(listed.entries) == len(week.suppression.rows)
    with read_history(written(tmp_path, council.history), KINDS, None, covers=council.history_covers) as history:
        assert (history.rejects, history.accepted) == ((), len(council.history.rows))
