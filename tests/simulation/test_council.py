"""Invented councils: every fault that real files have, in known places, from a seed."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from nudge.base.columns import Kind
from nudge.intake.extract import read_extract
from nudge.intake.history import read_history
from nudge.intake.suppression import read_suppression
from nudge.simulation.behaviour import Behaviour
from nudge.simulation.council import SimulatedCouncil, simulate
from nudge.simulation.sheet import SETS_ASIDE, Fault, serial, uk, uk_short

START = date(2026, 12, 7)
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


@pytest.fixture(scope="module")
def council() -> SimulatedCouncil:
    return simulate(7, start=START, tenancies=500)


def test_the_same_seed_gives_the_same_council_and_another_another(council) -> None:
    assert simulate(7, start=START, tenancies=500) == council
    other = simulate(8, start=START, tenancies=500)
    assert {one.reference for one in council.tenancies} != {one.reference for one in other.tenancies}


def test_every_fault_is_in_every_extract(council) -> None:
    for week in council.weeks:
        found = Counter(fault.kind for fault in council.faults if fault.sheet == week.extract.name)
        assert set(found) == set(Fault)
    assert all(council.fault_counts.values())


SHOWN = {
    Fault.TITLE_LINES: lambda cell, line, one: "Wealdshire" in cell,
    Fault.HEADINGS_REPEATED: lambda cell, line, one: line[:2] == ("Tenancy Ref", "Pay Ref"),
    Fault.TOTALS_ROW: lambda cell, line, one: cell == "Total",
    Fault.BLANK_ROW: lambda cell, line, one: not any(line),
    Fault.DATE_FOR_NONE: lambda cell, line, one: cell == "31/12/1899",
    Fault.DATE_OF_FOUR_DIGIT_YEAR: lambda cell, line, one: cell == uk(one.court_date),
    Fault.DATE_OF_TWO_DIGIT_YEAR: lambda cell, line, one: cell == uk_short(one.court_date),
    Fault.DATE_AS_SERIAL: lambda cell, line, one: cell == serial(one.court_date),
    Fault.MONEY_MARKED_CREDIT: lambda cell, line, one: cell.startswith("£") and cell.endswith(" CR"),
    Fault.MONEY_IN_BRACKETS: lambda cell, line, one: cell == "(12.00)",
    Fault.MONEY_WITH_POUND_SIGN: lambda cell, line, one: cell.startswith("£"),
    Fault.ZEROS_LOST: lambda cell, line, one: cell != one.reference == f"{cell:0>8}",
    Fault.UPRN_SCIENTIFIC: lambda cell, line, one: "E+" in cell,
    Fault.PAYMENT_REFERENCE_SCIENTIFIC: lambda cell, line, one: "E+" in cell,
    Fault.TRAILING_SPACES: lambda cell, line, one: cell != cell.rstrip(),
    Fault.SURNAME_IN_CAPITALS: lambda cell, line, one: cell.isupper(),
    Fault.TITLE_BLANK: lambda cell, line, one: not cell,
    Fault.BEYOND_ASCII: lambda cell, line, one: not " ".join(line).isascii(),
    Fault.NO_FIXED_ABODE: lambda cell, line, one: cell == "NFA",
    Fault.OCCUPIER: lambda cell, line, one: cell == "The Occupier",
    Fault.EXECUTORS: lambda cell, line, one: "Exors of" in line,
    Fault.POSTCODE_MISSING: lambda cell, line, one: not cell,
    Fault.CARE_OF: lambda cell, line, one: bool(cell),
    Fault.POST_ELSEWHERE: lambda cell, line, one: bool(cell),
    Fault.SHARED_HOME: lambda cell, line, one: bool(cell),
    Fault.JOINT_IN_ONE_ROW: lambda cell, line, one: len(one.people) == 2,
    Fault.JOINT_IN_TWO_ROWS: lambda cell, line, one: cell in {person.surname for person in one.people},
    Fault.DUPLICATE_ROW: lambda cell, line, one: cell == one.reference,
    Fault.ROWS_DISAGREE: lambda cell, line, one: bool(cell),
}


def test_faults_stand_where_they_are_said_to(council) -> None:
    by_reference = {one.reference: one for one in council.tenancies}
    for week in council.weeks:
        lines = week.extract.lines
        for fault in (fault for fault in council.faults if fault.sheet == week.extract.name):
            line = lines[fault.line - 1]
            cell = line[week.extract.headings.index(fault.heading)] if fault.heading else line[0]
            assert SHOWN[fault.kind](cell, line, by_reference.get(fault.reference)), fault
            if fault.kind is Fault.DUPLICATE_ROW:
                assert lines.count(line) == 2


def test_the_bytes_read_back_in_each_encoding(council) -> None:
    assert {week.extract.encoding for week in council.weeks} == {"cp1252", "utf-8-sig", "utf-16"}
    for week in council.weeks:
        text = week.extract.csv().decode(week.extract.encoding)
        assert tuple(map(tuple, csv.reader(io.StringIO(text)))) == week.extract.lines


def test_intake_sets_aside_exactly_the_rows_whose_fault_forbids_them(council, tmp_path: Path) -> None:
    for week in council.weeks[:3]:
        path = tmp_path / week.extract.name
        path.write_bytes(week.extract.csv())
        with read_extract(path, KINDS, None) as extract:
            planted = [fault for fault in council.faults if fault.sheet == week.extract.name]
            assert {one.row for one in extract.rejects} == {one.line for one in planted if one.kind in SETS_ASIDE}
            damaged = {one.reference for one in planted if one.kind in SETS_ASIDE}
            listed = {one.reference for one in council.tenancies if one.listed(week.number - 1)}
            found = {one.reference: one for one in extract.tenancies()}
            assert set(found) == listed - damaged
            assert extract.as_of == week.extract_on
            dead = {one.reference for one in planted if one.kind is Fault.EXECUTORS}
            assert {reference for reference, one in found.items() if one.deceased} == dead
            for tenancy in council.tenancies:
                if tenancy.reference in found and tenancy.reference not in dead:
                    assert len(found[tenancy.reference].people) == len(tenancy.people)
                    assert found[tenancy.reference].values["court_date"] == tenancy.court_date


def test_most_of_those_that_come_into_arrears_are_eligible(council) -> None:
    new = [one for one in council.tenancies if one.entered >= 0]
    clean = [
        one for one in new if one.arrears_on_entry >= 1000 and not (one.agreement or one.vacated or one.court_date)
    ]
    assert 0.8 < len(clean) / len(new) < 1
    assert {one.patch for one in clean} == {"North", "South", "East", "Coast"}
    bands = Counter(sum(one.arrears_on_entry >= edge for edge in (15_000, 50_000)) for one in clean)
    assert min(bands.values()) > 0.1 * len(clean)
    joint = sum(len(one.people) == 2 for one in council.tenancies) / len(council.tenancies)
    assert 0.25 < joint < 0.45
    homes = Counter(one.household for one in council.tenancies)
    assert set(homes.values()) == {1, 2}
    assert all(
        one.uprn == other.uprn and one.address == other.address
        for one in council.tenancies
        for other in council.tenancies
        if one.household == other.household
    )


def test_somebody_enters_breathing_space_between_extract_and_posting(council, tmp_path: Path) -> None:
    for week in council.weeks:
        reasons = []
        for sheet, dated in ((week.suppression, week.extract_on), (week.suppression_at_posting, week.post_on)):
            path = tmp_path / sheet.name
            path.write_bytes(sheet.csv())
            found = read_suppression(path, dated=dated)
            new = [one.reference for one in council.tenancies if one.entered == week.number - 1]
            reasons.append({reference for reference in new if "breathing_space" in found.reasons(reference, dated)})
        assert reasons[1] > reasons[0]
    assert {row[1] for row in council.weeks[-1].suppression.rows} == {"Breathing Space", "do not contact", "deceased"}


def test_history_makes_the_norm_of_the_letter_true(council, tmp_path: Path) -> None:
    path = tmp_path / council.history.name
    path.write_bytes(council.history.csv())
    with read_history(path, KINDS, None, covers=council.history_covers) as history:
        rows = list(history.rows())
        assert not history.rejects
        mature = [row for row in rows if (history.cut - row.letter_on).days >= 56]
        agreed = [row for row in mature if "agreed" in row.events and (row.events["agreed"] - row.letter_on).days <= 56]
        assert abs(len(agreed) / len(mature) - 0.62) < 0.04
        answered = [
            row
            for row in mature
            if any(
                (row.events[kind] - row.letter_on).days <= 56 for kind in ("contact", "payment") if kind in row.events
            )
        ]
        truth = 1 - Behaviour().not_yet("", 56)[-1]
        assert abs(len(answered) / len(mature) - truth) < 0.04
        assert sum(row.letter_on > history.cut - timedelta(days=365) for row in rows) >= 800
        assert len({row.household for row in rows}) < len(rows)


def test_the_share_that_agreed_is_as_asked_for_or_refused() -> None:
    few = simulate(1, start=START, tenancies=60, weeks=1, history=4000, agreed_share=0.45)
    agreed = sum(bool(row[11]) for row in few.history.rows[:3000])  # late ones too, a few in a hundred
    assert 0.42 < agreed / 3000 < 0.62
    with pytest.raises(ValueError, match="cannot be had"):
        simulate(1, start=START, tenancies=60, weeks=1, agreed_share=0.1)


def test_small_councils_are_had_too() -> None:
    tiny = simulate(3, start=START, tenancies=40, weeks=2, history=20)
    assert len(tiny.weeks) == 2
    assert tiny.fault_counts[Fault.ZEROS_LOST] == 2
