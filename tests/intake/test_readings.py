"""Readings at sites: incidents once each, counts over what they are over, speeds never averaged by day."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nudge.base.errors import Place, Problem, Refused
from nudge.intake.codes import FileCode
from nudge.intake.mapping import ColumnMapping
from nudge.intake.readings import Readings, SiteReading, read_readings
from nudge.intake.speeds import MPH_IN_KMH, Band, Bands, band_of, bands_of, is_summary, settle, unit_in

Write = Callable[..., Path]
DAY = date(2026, 3, 2)


def rows(found: Readings) -> list[SiteReading]:
    assert found.rejects == ()
    read = list(found.records())
    assert read == list(found.records())  # as often as one likes
    return read


def totals(found: Readings) -> tuple[int, int]:
    return found.rows, found.accepted + found.faulty + found.blank + found.repeated + found.not_cleared


# ---- incidents ----

FLY_TIPS = (
    "Fly-tipping incidents,,,,,,,,\n"
    "Incident ID,Date Reported,Street,Latitude,Longitude,Land Type,Waste Type,Size Class,Source\n"
    "F101,02/03/2026 08:12,Mill Lane,50.97,0.09,Highway,Household waste,Car boot or less,FixMyStreet\n"
    "F102,02/03/2026,Mill Lane,,,Highway,Tyres,Small van,Crew\n"
    "F101,04/03/2026,Mill Lane,50.97,0.09,Highway,Household waste,Car boot or less,FixMyStreet\n"
    "Total,3,,,,,,,\n"
)


def test_an_incident_counts_once_on_the_day_it_was_first_reported(write: Write) -> None:
    found = read_readings(write(FLY_TIPS, "flytips.csv"), "incidents")
    first, second = rows(found)
    assert first == SiteReading(
        row=3, kind="incidents", on=DAY, site="", street="Mill Lane", latitude=50.97, longitude=0.09,
        what="Household waste", incident="f101", land="Highway", size="Car boot or less", source="FixMyStreet",
        hour=8,
    )  # fmt: skip
    assert (second.what, second.latitude, second.hour) == ("Tyres", None, None)
    assert (found.repeated, found.accepted, found.dropped) == (1, 2, {"total": 1})
    assert totals(found) == (3, 3)
    assert found.proposed_covers == (DAY, DAY + timedelta(days=2))


def test_who_reported_is_told_because_effort_varies(write: Write) -> None:
    notes = " ".join(read_readings(write(FLY_TIPS, "flytips.csv"), "incidents").notes)
    assert "how easy reporting is" in notes
    assert "fixmystreet: 2, crew: 1" in notes


def test_a_report_whose_source_is_blank_is_told_of_as_not_said(write: Write) -> None:
    text = "Incident ID,Date Reported,Site ID,Source\nF1,02/03/2026,B1,Crew\nF2,02/03/2026,B1,\n"
    assert "not said: 1" in " ".join(read_readings(write(text), "incidents").notes)


def test_an_incident_without_an_id_counts_and_is_told_of(write: Write) -> None:
    found = read_readings(write("Incident ID,Date Reported,Site ID\n,02/03/2026,B1\n,02/03/2026,B1\n"), "incidents")
    assert [one.site for one in rows(found)] == ["B1", "B1"]
    assert any("no incident id" in note for note in found.notes)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=40))
def test_however_often_incidents_are_repeated_the_first_row_of_each_is_handed_on(
    tmp_path: Path, log: list[tuple[int, int]]
) -> None:
    path = tmp_path / "log.csv"
    lines = [f"F{number},{DAY + timedelta(days=day)},S{number % 3}\n" for number, day in log]
    path.write_text("Incident ID,Date Reported,Site ID\n" + "".join(lines))
    found = read_readings(path, "incidents")
    first = {number: row for row, (number, _) in reversed(list(enumerate(log, start=2)))}
    assert [one.row for one in rows(found)] == sorted(first.values())
    assert (found.accepted, found.repeated) == (len(first), len(log) - len(first))


# ---- surveys ----


def test_a_count_is_over_the_days_since_the_site_was_cleared(write: Write) -> None:
    found = read_readings(
        write(
            "Survey Date,Path ID,Deposits Counted,Days Since Cleared,Surveyor\n"
            "02/03/2026,P1,6,7,AB\n09/03/2026,P1,,7,AB\n"
        ),
        "surveys",
    )
    (one,) = rows(found)
    assert (one.site, one.number, one.exposure, one.on) == ("P1", 6, 7.0, DAY)
    assert (found.blank, found.exposure) == (1, "days since the site was cleared")  # not walked is no nought
    assert totals(found) == (2, 2)
    assert "AB" not in repr(one)  # I12: who counted is nobody's business here


@pytest.mark.parametrize(("heading", "kilometres"), [("Route length (m)", 0.4), ("Route Length Km", 400.0)])
def test_a_route_counts_by_its_length_in_kilometres(write: Write, heading: str, kilometres: float) -> None:
    found = read_readings(write(f"Survey Date,Site ID,Count,Days,{heading}\n02/03/2026,P1,6,7,400\n"), "surveys")
    assert rows(found)[0].exposure == pytest.approx(7 * kilometres)
    assert found.exposure == "days since the site was cleared times kilometres of route"


def test_a_survey_with_nothing_that_it_is_over_counts_as_one(write: Write) -> None:
    found = read_readings(write("Survey Date,Site ID,Count\n02/03/2026,P1,0\n"), "surveys")
    assert (rows(found)[0].number, rows(found)[0].exposure) == (0, 1.0)
    assert "no exposure" in " ".join(found.notes)


def test_the_days_are_worked_out_from_when_each_site_was_cleared(write: Write) -> None:
    # P1 is cleared on the 2nd, left on the 9th (those 5 are counted again), cleared on the 16th: 9 deposits in 14 days
    found = read_readings(
        write(
            "Survey Date,Site ID,Count,Cleared\n02/03/2026,P1,12,yes\n02/03/2026,P2,3,Y\n09/03/2026,P1,5,no\n"
            "16/03/2026,P1,9,yes\n16/03/2026,P2,1,yes\n"
        ),
        "surveys",
    )
    assert [(one.site, one.number, one.exposure) for one in rows(found)] == [("P1", 9, 14.0), ("P2", 1, 14.0)]
    assert (found.not_cleared, found.accepted) == (3, 2)
    assert totals(found) == (5, 5)
    assert "first clearing" in " ".join(found.notes)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=30))
def test_the_days_of_a_site_add_up_to_the_time_from_its_first_clearing_to_its_last(
    tmp_path: Path, visits: list[tuple[int, bool]]
) -> None:
    path, day, lines, cleared = tmp_path / "s.csv", DAY, [], []
    for gap, clear in visits:
        day += timedelta(days=gap)
        lines.append(f"{day},P1,1,{'yes' if clear else 'no'}\n")
        cleared += [day] if clear else []
    path.write_text("Survey Date,Site ID,Count,Cleared\n" + "".join(lines))
    found = read_readings(path, "surveys")
    days = sum(one.exposure for one in rows(found))
    assert days == ((cleared[-1] - cleared[0]).days if cleared else 0)


# ---- speeds ----

COLEHILL = (  # a speed indicator device at one place, its bands as rows of whole speeds
    "Site: CH01,,,,\n"
    "Date,Direction,From mph,To mph,Vehicles\n"
    "02/03/2026,Towards,16,20,40\n02/03/2026,Towards,21,25,310\n02/03/2026,Towards,26,30,900\n"
    "02/03/2026,Towards,31,35,820\n02/03/2026,Towards,36,40,260\n"
)
LEEDS = (  # an hourly count with a column for each band, and the supplier's own means beside them
    "Survey ref 12 - speeds in mph,,,,,,,,\n"
    "Date,Hour,Site No,Total,0-20,20-25,25-30,30+,85%ile\n"
    "02/03/2026,07:00,L7,150,12,60,75,3,29.1\n"
    "02/03/2026,08:00,L7,,,,,,\n"
    "02/03/2026,09:00,L7,0,0,0,0,0,\n"
)


def test_vehicles_one_by_one(write: Write) -> None:
    found = read_readings(
        write("Date,Time,Site ID,Speed (mph),Direction\n02/03/2026,07:31:12,CH01,33.5,North\n02/03/2026,0.5,CH01,,N\n"),
        "speeds",
    )
    (one,) = rows(found)
    assert (one.lower, one.upper, one.number, one.hour, one.direction) == (33.5, 33.5, 1, 7, "North")
    assert (found.blank, found.unit) == (1, "mph")
    assert totals(found) == (2, 2)


def test_bands_in_rows_of_whole_speeds_run_to_where_the_next_begins(write: Write) -> None:
    found = read_readings(write(COLEHILL, "colehill.csv"), "speeds")
    read = rows(found)
    assert [(one.lower, one.upper, one.number) for one in read] == [
        (16, 21, 40),
        (21, 26, 310),
        (26, 31, 900),
        (31, 36, 820),
        (36, 41, 260),
    ]
    assert {one.site for one in read} == {"CH01"}
    assert "of whole speeds" in " ".join(found.notes)


def test_a_table_with_a_column_for_each_band(write: Write) -> None:
    found = read_readings(write(LEEDS, "leeds.csv"), "speeds")
    assert [(one.hour, one.lower, one.upper, one.number) for one in rows(found) if one.hour == 7] == [
        (7, 0, 20, 12),
        (7, 20, 25, 60),
        (7, 25, 30, 75),
        (7, 30, 35, 3),  # the open band ends as far up as the one below it is wide
    ]
    assert (found.accepted, found.blank, found.unit) == (2, 1, "mph")  # an hour without a vehicle was an hour counted
    assert "3 vehicles (2.0%) are in a band without an upper edge" in found.notes


def test_a_site_may_be_said_with_the_file(write: Write) -> None:
    text = COLEHILL.partition("\n")[2]
    with pytest.raises(Refused) as refusal:
        read_readings(write(text), "speeds")
    assert refusal.value.problems[0].code == FileCode.HEADING_ABSENT.slug
    assert {one.site for one in read_readings(write(text), "speeds", site="CH02").records()} == {"CH02"}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Date,Site ID,Speed (km/h)\n02/03/2026,CH01,50\n", {}),
        ("Date,Site ID,Speed,Unit\n02/03/2026,CH01,50,km/h\n", {}),
        ("Speeds in kph,,\nDate,Site ID,Speed\n02/03/2026,CH01,50\n", {}),
        ("Date,Site ID,Speed\n02/03/2026,CH01,50\n", {"unit": "km/h"}),
    ],
)
def test_kilometres_an_hour_are_read_as_miles_an_hour(write: Write, text: str, options: dict[str, str]) -> None:
    (one,) = rows(read_readings(write(text), "speeds", **options))
    assert one.lower == one.upper == pytest.approx(31.069, abs=0.001)  # 50 km/h, as any converter has it


def test_a_unit_that_the_heading_contradicts_is_refused(write: Write) -> None:
    with pytest.raises(Refused) as refusal:
        read_readings(write("Date,Site ID,Speed (km/h)\n02/03/2026,CH01,50\n"), "speeds", unit="mph")
    assert refusal.value.problems[0].code == FileCode.SPEED_UNIT_UNSTATED.slug


@pytest.mark.parametrize(
    "headings",
    ["Volume,Mean,85th Percentile", "Total,Avg Speed (mph),85%ile", "Count,V85,Vpp 95", "Vehicles,Median Speed,Max"],
)
def test_daily_means_and_percentiles_are_never_averaged(write: Write, headings: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_readings(write(f"Date,Site ID,{headings}\n02/03/2026,CH01,2793,33.8,39.1\n"), "speeds")
    (problem,) = refusal.value.problems
    assert problem.code == FileCode.SPEEDS_SUMMARISED.slug
    assert "individual vehicle records" in problem.fix


def test_numbers_of_vehicles_at_each_whole_speed_are_no_means(write: Write) -> None:
    lines = "".join(f"02/03/2026,CH01,{speed},{40 - abs(30 - speed)}\n" for speed in range(20, 45))
    found = read_readings(write("Date,Site ID,Speed mph,Count\n" + lines), "speeds")
    assert sum(one.number for one in rows(found)) == sum(40 - abs(30 - speed) for speed in range(20, 45))
    means = "".join(f"{DAY + timedelta(days=day)},CH01,{30 + day},500\n" for day in range(5))
    with pytest.raises(Refused) as refusal:
        read_readings(write("Date,Site ID,Speed mph,Count\n" + means), "speeds")
    assert refusal.value.problems[0].code == FileCode.SPEEDS_SUMMARISED.slug


def test_a_workbook_and_a_learnt_heading_are_read_alike(workbook: Callable[..., Path]) -> None:
    path = workbook({"Speeds": [["Date", "Site ID", "How fast", "mph?"], [DAY, "CH01", 31, "yes"]]})
    learnt = ColumnMapping("speeds", {"speed": "How fast"})
    found = read_readings(path, "speeds", mapping=learnt, unit="mph")
    assert [(one.site, one.lower) for one in rows(found)] == [("CH01", 31.0)]
    assert found.mapping.columns["speed"] == "How fast"
    assert found.encoding == "xlsx"


def test_a_file_in_another_encoding_keeps_its_streets(write: Write) -> None:
    text = "Date Reported,Street,Waste Type\n02/03/2026,Café Row – north,Tyres\n"
    (one,) = rows(read_readings(write(text, encoding="cp1252"), "incidents"))
    assert one.street == "Café Row – north"


def test_a_kind_that_there_is_not_is_refused(write: Write) -> None:
    with pytest.raises(Refused) as refusal:
        read_readings(write("Date,Site\n02/03/2026,A\n"), "noise")
    assert refusal.value.problems[0].code == FileCode.KIND_UNKNOWN.slug


def test_a_file_without_rows_is_refused(write: Write) -> None:
    with pytest.raises(Refused) as refusal:
        read_readings(write("Survey Date,Site ID,Count\n"), "surveys")
    assert refusal.value.problems[0].code == FileCode.NO_ROWS.slug


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.dictionaries(st.integers(0, 11), st.integers(0, 500), min_size=2), st.booleans())
def test_no_vehicle_is_lost_or_gained_between_rows_and_columns(
    tmp_path: Path, counts: dict[int, int], kilometres: bool
) -> None:
    unit = "km/h" if kilometres else "mph"
    edges = [(5 * band, 5 * band + 5) for band in range(12)]
    wide, long = tmp_path / "wide.csv", tmp_path / "long.csv"
    cells = ",".join(str(counts.get(band, 0)) for band in range(12))
    wide.write_text(f"Date,Site ID,{','.join(f'{low}-{high} {unit}' for low, high in edges)}\n{DAY},S1,{cells}\n")
    long.write_text(
        f"Date,Site ID,From ({unit}),To ({unit}),Vehicles\n".replace("(", "").replace(")", "").replace("km/h", "kmh")
        + "".join(f"{DAY},S1,{edges[band][0]},{edges[band][1]},{n}\n" for band, n in counts.items())
    )
    across, down = (
        +Counter({(one.lower, one.upper): one.number for one in read_readings(path, "speeds").records()})
        for path in (wide, long)
    )
    assert across == down
    assert across.total() == sum(counts.values())
    factor = MPH_IN_KMH if kilometres else 1
    assert all(upper - lower == pytest.approx(5 / factor, abs=0.002) for lower, upper in across)


BANDS = {
    "20-25": (20, 25), "20 to 25 mph": (20, 25), "21 - 25mph": (21, 25), "10<15": (10, 15), "0 - 10 (mph)": (0, 10),
    "Bin 3: 20-25": (20, 25), "speed_20_25": (20, 25), "<20": (0, 20), "Under 10 mph": (0, 10), "60+": (60, None),
    ">=60": (60, None), "60 and over": (60, None), "Over 60 mph": (60, None), "95-100 km/h": (95, 100),
}  # fmt: skip
NO_BANDS = [
    "Total",
    "Hour",
    "85%ile",
    "2026-11",
    "30 mph",
    "5-5",
    "30-20",
    "Speed",
    "",
    "07:00-08:00",
    "Bin 3",
    "A1-A3",
]


@pytest.mark.parametrize("heading", BANDS)
def test_a_band_is_read_however_it_is_headed(heading: str) -> None:
    assert band_of(heading) == BANDS[heading]


@pytest.mark.parametrize("heading", NO_BANDS)
def test_what_is_no_band_is_none(heading: str) -> None:
    assert band_of(heading) is None


def test_means_are_known_by_their_headings_and_speeds_are_not_taken_for_them() -> None:
    assert all(
        map(is_summary, ("Mean", "mean_speed", "85th Percentile", "V85", "Ave speed", "85th %ile", "P85", "q85", "Vpp"))
    )
    assert not any(map(is_summary, ("Speed", "Volume", "MPH", "Site 85", "Vehicles", "Bound", "85-90")))


def test_a_unit_said_twice_in_two_ways_is_not_said() -> None:
    assert [unit_in(texts) for texts in (["speed_mph"], ["Speed (km/h)"], ["mph", "kph"], ["Speed"])] == [
        "mph",
        "km/h",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("headings", "edges"),
    [
        (("<20", "20-24", "25-29", "30-34", ">=35"), (20, 25, 30, 35)),
        (("<20", "21-25", "26-30", "31-35", ">35"), (21, 26, 31, 36)),
        (("0-20", "21-25", "26-30", "31-35", ">35"), (21, 26, 31, 36)),
        (("<=20", "21-25", "26-30", "31-35", "36+"), (21, 26, 31, 36)),
        (("20 and under", "21-25", "26-30", "31 & over"), (21, 26, 31)),
        (("<20", "20-25", "25-30", "30 or above"), (20, 25, 30)),
        (("0-20", "20 to under 25", "25 to under 30", "30-"), (20, 25, 30)),
    ],
)
def test_bands_at_the_ends_may_be_written_otherwise_than_those_between(
    headings: tuple[str, ...], edges: tuple[int, ...]
) -> None:
    bands = [band for heading in headings if (band := band_of(heading)) is not None]
    settled = settle({"S1": bands}, Place("x"), gaps=True)
    assert isinstance(settled, dict)
    closed = list(settled["S1"].closed.values())
    assert len(closed) == len(headings)
    assert [lower for lower, _ in closed][2:] == list(edges)[1:]
    assert closed[0][0] == 0
    assert closed[1][0] in {edges[0], edges[0] - 1}
    assert all(before[1] == after[0] for before, after in pairwise(closed))


@pytest.mark.parametrize(
    "heading",
    ["Bin3 20-25", "mph 20-25", "20-25 vehicles", "20>25", "60 mph - fastest", "over 60ish"],
)
def test_a_heading_that_may_be_a_band_is_never_passed_over(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "speeds.csv"
    path.write_text(f"Date,Site ID,0-20 mph,20-25 mph,{heading}\n02/03/2026,S1,10,20,30\n", "utf-8")
    with pytest.raises(Refused) as refusal:
        read_readings(path, "speeds")
    assert [problem.code for problem in refusal.value.problems] == ["band-unread"]
    assert heading in str(refusal.value)


@pytest.mark.parametrize("heading", ["Total", "Vehicles over limit 30", "% over 30 mph", "Comment", "Site 2"])
def test_totals_and_remarks_beside_bands_are_let_go(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "speeds.csv"
    path.write_text(f"Date,Site ID,0-20 mph,20-25 mph,{heading}\n02/03/2026,S1,10,20,30\n", "utf-8")
    assert sum(one.number for one in read_readings(path, "speeds").records()) == 30


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12), st.booleans(), st.booleans())
def test_bands_settled_follow_on_one_another_and_hold_every_speed_once(
    widths: list[int], whole: bool, open_top: bool
) -> None:
    written, low = [], 0
    for width in widths:
        written.append((float(low), float(low + width)))
        low += width + whole
    if open_top:
        written.append((float(low), None))
    found = bands_of(written, Place("x"), gaps=False)
    assert isinstance(found, Bands)
    closed = [found.closed[band] for band in written]
    assert all(before[1] == after[0] for before, after in pairwise(closed))
    assert (found.top is not None) == open_top


@st.composite
def _sites_with_bands_left_out(
    draw: st.DrawFn, widths: st.SearchStrategy[int]
) -> tuple[list[Band], dict[str, list[Band]]]:
    """A counter's bands, of speeds or of whole speeds, and those that each site's rows name."""
    width, whole = draw(widths), draw(st.booleans())
    begin = draw(st.sampled_from([0, width, width + whole, 2 * width + whole]))
    grid: list[Band] = [
        (float(begin + width * number), float(begin + width * (number + 1) - whole)) for number in range(10)
    ]
    if begin:
        grid.insert(0, (0.0, float(begin - whole)))
    if draw(st.booleans()):
        grid.append((float(begin + 10 * width), None))
    some = st.lists(st.sampled_from(grid), min_size=1, unique=True)
    return grid, {f"S{number}": draw(some) for number in range(draw(st.integers(1, 4)))}


@given(_sites_with_bands_left_out(st.integers(3, 12)))
def test_no_edge_hangs_on_which_bands_are_empty_at_a_site(found: tuple[list[Band], dict[str, list[Band]]]) -> None:
    grid, sites = found
    _same_edges(grid, sites, sites | {"every": grid})


@given(_sites_with_bands_left_out(st.sampled_from([5, 10])))
def test_bands_of_5_and_10_tell_their_own_edges_however_few_have_vehicles(
    found: tuple[list[Band], dict[str, list[Band]]],
) -> None:
    grid, sites = found
    _same_edges(grid, {site: [band for band in bands if band[0] > 0] for site, bands in sites.items()}, sites)


def _same_edges(grid: list[Band], sites: dict[str, list[Band]], written: dict[str, list[Band]]) -> None:
    full, settled = bands_of(grid, Place("x"), gaps=False), settle(written, Place("x"), gaps=True)
    assert isinstance(full, Bands)
    assert not isinstance(settled, Problem)
    for site, bands in sites.items():
        closed = [band for band in bands if band[1] is not None]
        assert [settled[site].closed[band] for band in closed] == [full.closed[band] for band in closed]


def test_bands_that_overlap_are_refused_and_gaps_are_allowed_only_where_empty_bands_may_be_left_out() -> None:
    gap = [(0.0, 20.0), (25.0, 30.0)]
    assert isinstance(bands_of(gap, Place("x"), gaps=True), Bands)
    for wrong, gaps in ((gap, False), ([(0.0, 20.0), (15.0, 30.0)], True), ([(20.0, None), (30.0, None)], True)):
        assert isinstance(bands_of(wrong, Place("x"), gaps=gaps), Problem)


@pytest.mark.parametrize(
    ("heads", "line", "each"),
    [
        ("Date,Site ID,Speed (mph)", "{day:%d/%m/%Y},S1,31.{last}", "day"),
        ("Date,Time,Site ID,Speed (mph)", "{day:%d/%m/%Y},{hour:02}:00,S1,31.{last}", "hour"),
    ],
)
def test_one_speed_a_day_or_an_hour_is_no_vehicle_however_it_is_headed(
    tmp_path: Path, heads: str, line: str, each: str
) -> None:
    hours = [divmod(number, 24) if each == "hour" else (number, 0) for number in range(60)]
    lines = [line.format(day=date(2026, 3, 2) + timedelta(days=day), hour=hour, last=day % 10) for day, hour in hours]
    path = tmp_path / "speeds.csv"
    path.write_text("\n".join([heads, *lines]) + "\n", "utf-8")
    with pytest.raises(Refused) as refusal:
        read_readings(path, "speeds")
    assert [problem.code for problem in refusal.value.problems] == ["speeds-summarised"]
    assert f"for each {each}" in str(refusal.value)
    path.write_text("\n".join([heads, *lines, *lines]) + "\n", "utf-8")  # two an hour may be vehicles
    assert read_readings(path, "speeds").accepted == 120


# ---- memory ----

READ = """
import sys
from pathlib import Path
from nudge.intake.readings import read_readings
found = read_readings(Path(sys.argv[1]), sys.argv[2])
number = sum(one.number for one in found.records())
print(number, found.accepted, Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


def lines(kind: str, count: int) -> str:
    if kind == "incidents":
        made = (f"F{number:07d},02/03/2026,S{number % 40}\n" for number in range(count))
        return "Incident ID,Date Reported,Site ID\n" + "".join(made)
    made = (f"02/03/2026,S{number % 40},{20 + number % 25}\n" for number in range(count))
    return "Date,Site ID,Speed mph\n" + "".join(made)


@pytest.mark.parametrize("kind", ["incidents", "speeds"])
def test_readings_are_never_held_at_all(tmp_path: Path, kind: str) -> None:
    def peak_of(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        path.write_text(lines(kind, count))
        tracemalloc.start()
        found = read_readings(path, kind)
        assert sum(1 for _ in found.records()) == found.accepted == count
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    # eight bytes for each incident's number, some more while they are put in order
    assert peak_of(10_000) < peak_of(2_000) + 8_000 * 60


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["incidents", "speeds"])
def test_a_million_readings_fit_in_a_small_process(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "readings.csv"
    path.write_text(lines(kind, 1_000_000))
    done = subprocess.run([sys.executable, "-c", READ, path, kind], capture_output=True, text=True, check=True)
    number, accepted, kilobytes = map(int, done.stdout.split())
    assert (number, accepted) == (1_000_000, 1_000_000)
    assert kilobytes < 150_000
