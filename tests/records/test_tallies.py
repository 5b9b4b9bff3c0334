"""First events after day 0, the days on file, and counts that equal a reckoning by hand on either database."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from nudge.records.events import Coverage, coverage, covered, data_cut, first_events
from nudge.records.measurements import measured
from nudge.records.store import Store, append, rows_of
from nudge.records.tables import AllocationRow, BatchRow, EventRow, MeasurementRow, UnitRow
from nudge.records.tallies import analysis_stratum, survival_counts
from tests.records.rows import DAY0, TRIAL, batch, enrol, event, imported


def test_the_first_event_after_day_0_counts_whoever_of_the_unit_it_was(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [(unit, "current") for unit in ("early", "both", "never", "other")])
        append(
            connection,
            [
                event("early", DAY0 - 2, row=2),
                event("early", DAY0, row=3),
                event("both", DAY0, row=4),
                event("both", DAY0 + 9, row=5),
                event("both", DAY0 + 4, "payment", row=6),
                event("other", DAY0 + 3, "complaint", row=7),
            ],
        )
        assert first_events(connection, TRIAL, ["contact", "payment"]) == {"both": DAY0 + 4}
        assert first_events(connection, TRIAL, ["contact"]) == {"both": DAY0 + 9}
        assert first_events(connection, TRIAL, ["contact"], until=DAY0 + 8) == {}
        assert first_events(connection, TRIAL, []) == {}


def test_a_unit_has_the_day_0_of_the_batch_it_is_in_now(store: Store) -> None:
    """Enrolled in a batch that was undone, posted with a later one (rules §1)."""
    with store.transaction() as connection:
        append(connection, [batch(1, day0=None, status="abandoned"), batch(2, day0=DAY0 + 7)])
        enrol(connection, [("left", "current"), ("back", "current")], number=1)
        connection.execute(UnitRow.__table__.update().where(UnitRow.__table__.c.unit == "back").values(batch=2))
        append(connection, [event(unit, DAY0 + day, row=day) for unit in ("left",) for day in (3, 12)])
        append(connection, [event("back", DAY0 + day, row=20 + day) for day in (3, 12)])
        assert first_events(connection, TRIAL, ["contact"]) == {"back": DAY0 + 12}
        counts = survival_counts(connection, trial=TRIAL, kinds=["contact"], horizon=56, coverage_end=DAY0 + 80)
    assert counts == [("current", "all", 5, 1, 1)]


@pytest.mark.parametrize(
    ("day", "coverage_end", "found"),
    [
        (56, 100, (56, 1)),  # the horizon's own day counts
        (57, 100, (56, 0)),
        (20, 20, (20, 1)),  # so does the last day on file
        (21, 20, (20, 0)),
        (0, 100, (56, 0)),  # the day of posting is no response
        (1, 100, (1, 1)),
        (1, 0, (0, 0)),  # nothing on file since posting
        (1, -5, (0, 0)),
    ],
)
def test_an_event_counts_to_the_horizon_and_to_the_end_of_what_is_on_file(store, day, coverage_end, found) -> None:
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [("u", "current")])
        append(connection, [event("u", DAY0 + day)])
        counts = survival_counts(
            connection, trial=TRIAL, kinds=["contact"], horizon=56, coverage_end=DAY0 + coverage_end
        )
    assert counts == [("current", "all", *found, 1)]


def test_a_late_member_is_outside_unless_asked_for_and_epochs_are_strata(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch(1), batch(2, epoch=2)])
        enrol(connection, [("u1", "current")], stratum="north")
        enrol(connection, [("u2", "current")], number=2, stratum="north", epoch=2)
        enrol(connection, [("u3", "current")], stratum="north", late=True)
        asked = {"trial": TRIAL, "kinds": ["contact"], "horizon": 56, "coverage_end": DAY0 + 10}
        without, with_late = survival_counts(connection, **asked), survival_counts(connection, **asked, late=True)
    assert without == [("current", "north", 10, 0, 1), ("current", "north\tepoch 2", 10, 0, 1)]
    assert with_late == [("current", "north", 10, 0, 2), ("current", "north\tepoch 2", 10, 0, 1)]


def _by_hand(connection: Connection, kinds: set[str], horizon: int, coverage_end: int) -> Counter[tuple[object, ...]]:
    """Row by row, straight from the words of rules §1 and §2."""
    day0 = {row.number: row.day0 for row in rows_of(connection, BatchRow, trial=TRIAL) if row.status == "posted"}
    drawn = {row.cluster: row for row in rows_of(connection, AllocationRow, trial=TRIAL)}
    events = rows_of(connection, EventRow, trial=TRIAL)
    counts: Counter[tuple[object, ...]] = Counter()
    for unit in rows_of(connection, UnitRow, trial=TRIAL):
        if unit.late or unit.batch not in day0:
            continue
        start = day0[unit.batch]
        end = max(0, min(horizon, coverage_end - start))
        days = [e.on_day - start for e in events if e.unit == unit.unit and e.kind in kinds]
        counted = [day for day in days if 0 < day <= end]
        slot = drawn[unit.cluster]
        outcome = (min(counted), 1) if counted else (end, 0)
        counts[slot.arm, analysis_stratum(slot.stratum, slot.epoch), *outcome] += 1
    return counts


def _council(connection: Connection, seed: int) -> None:
    pick = random.Random(seed)
    arms = ["current", "personal-norm", "ß-arm"]
    statuses = ["posted", "posted", "posted", "lettered", "abandoned"]
    for number in range(1, 7):
        status = statuses[pick.randrange(5)] if number > 1 else "posted"
        day0 = DAY0 + 7 * number if status == "posted" else None
        append(connection, [batch(number, day0=day0, status=status, epoch=1 + number // 4)])
        for code, stratum in enumerate(("north\t<150", "north\t150-500", "süd\t500+")):
            units = [(f"u{number}-{code}-{n}", pick.choice(arms)) for n in range(pick.randrange(9))]
            enrol(connection, units, number=number, stratum=stratum, epoch=1 + number // 4, late=pick.random() < 0.2)
            for unit, _ in units:
                for _ in range(pick.randrange(4)):
                    row = pick.randrange(10**9)
                    kind = pick.choice(["contact", "payment", "complaint"])
                    append(connection, [event(unit, DAY0 + 7 * number + pick.randrange(-5, 75), kind, row=row)])


@pytest.mark.parametrize("seed", range(4))
def test_i5_counts_are_those_of_a_reckoning_row_by_row(store: Store, seed: int) -> None:
    with store.transaction() as connection:
        _council(connection, seed)
        for kinds, horizon, end in [({"contact", "payment"}, 56, 70), ({"contact"}, 14, 200), ({"payment"}, 56, 20)]:
            counts = survival_counts(connection, trial=TRIAL, kinds=kinds, horizon=horizon, coverage_end=DAY0 + end)
            assert counts == sorted(counts)
            assert {tuple(key): units for *key, units in counts} == _by_hand(connection, kinds, horizon, DAY0 + end)


def test_i2_both_databases_count_alike(tmp_path, new_database) -> None:
    from nudge.records.store import open_store

    found = []
    for url in (f"sqlite:///{tmp_path}/nudge.db", new_database(ready=True)):
        store = open_store(url)
        with store.transaction() as connection:
            _council(connection, 11)
            rows = [row.model_dump() for row in rows_of(connection, AllocationRow, trial=TRIAL)]
            counts = survival_counts(
                connection, trial=TRIAL, kinds=["contact"], horizon=56, coverage_end=DAY0 + 70, late=True
            )
            found.append((rows, counts, first_events(connection, TRIAL, ["contact", "payment"])))
        store.close()
    assert found[0] == found[1]


def test_files_that_adjoin_or_overlap_leave_no_gap_and_a_missing_day_is_named(store: Store) -> None:
    spans = [(1, 7), (8, 14), (12, 20), (22, 30), (3, 4)]
    with store.transaction() as connection:
        append(connection, [imported(DAY0 + a, DAY0 + b, sha256=f"{n:064}") for n, (a, b) in enumerate(spans)])
        append(connection, [imported(DAY0 - 30, DAY0 + 90, kind="payments", sha256="p" * 64)])
        found = coverage(connection, TRIAL, "contacts")
    assert found == (DAY0 + 1, DAY0 + 30, ((DAY0 + 21, DAY0 + 21),))


def test_the_data_cut_is_the_end_of_unbroken_coverage_from_the_first_day_0(store: Store) -> None:
    with store.transaction() as connection:
        assert data_cut(connection, TRIAL, ["contacts"]) is None  # nothing posted
        append(connection, [batch(1, day0=DAY0 + 7), batch(2), batch(3, day0=None, status="drawn")])
        assert data_cut(connection, TRIAL, ["contacts"]) is None  # nothing on file
        append(connection, [imported(DAY0 + 1, DAY0 + 40, sha256="a" * 64), imported(DAY0 + 50, DAY0 + 60)])
        append(connection, [imported(DAY0 - 9, DAY0 + 30, kind="payments", sha256="b" * 64)])
        assert data_cut(connection, TRIAL, ["contacts"]) == DAY0 + 40
        assert data_cut(connection, TRIAL, ["contacts", "payments"]) == DAY0 + 30
        assert data_cut(connection, TRIAL, ["contacts", "complaints"]) is None
        assert coverage(connection, TRIAL, "complaints") == Coverage(None, None, ())


def test_coverage_that_starts_after_the_first_day_at_risk_is_no_coverage(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch(), imported(DAY0 + 2, DAY0 + 40)])
        assert data_cut(connection, TRIAL, ["contacts"]) is None


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 15)).map(lambda s: (s[0], s[0] + s[1])), max_size=8)


@given(spans, st.integers(-2, 80))
def test_coverage_agrees_with_a_set_of_days(some, day: int) -> None:
    days = {d for start, end in some for d in range(start, end + 1)}
    found = covered(some)
    assert (found.first, found.last) == ((min(days), max(days)) if days else (None, None))
    missing = {d for start, end in found.gaps for d in range(start, end + 1)}
    assert missing == set(range(min(days), max(days) + 1)) - days if days else missing == set()
    reach = day
    while reach + 1 in days:
        reach += 1
    assert found.unbroken_from(day) == (reach if day in days else None)


def test_the_reading_nearest_to_the_day_counts_within_its_window_only(store: Store) -> None:
    readings = {"near": (-3, 2, 5), "even": (-2, 2), "out": (-4, 11), "edge": (10,), "none": ()}
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [(unit, "current") for unit in readings])
        append(
            connection,
            [
                MeasurementRow(
                    trial=TRIAL, unit=unit, name="arrears", on_day=DAY0 + 56 + day, number=100 * day,
                    import_sha256="r" * 64, row=100 * n + day + 10,
                )
                for n, (unit, days) in enumerate(readings.items())
                for day in days
            ],
        )  # fmt: skip
        found = measured(connection, TRIAL, "arrears", at=56, window=(-3, 10))
        assert measured(connection, TRIAL, "arrears", at=56, window=(-3, 10), until=DAY0 + 55) == {
            "even": -200,
            "near": -300,
        }
        assert measured(connection, TRIAL, "savings", at=56, window=(-3, 10)) == {}
    assert found == {"edge": 1000, "even": -200, "near": 200}


@settings(max_examples=25, deadline=timedelta(seconds=5), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 10**6), st.integers(1, 70), st.integers(-10, 100))
def test_every_unit_of_a_posted_batch_is_counted_once_and_no_day_lies_past_the_end(
    one_store: Store, seed: int, horizon: int, end: int
) -> None:
    try:
        with one_store.transaction() as connection:
            _council(connection, seed)
            counts = survival_counts(
                connection, trial=TRIAL, kinds=["contact"], horizon=horizon, coverage_end=DAY0 + end, late=True
            )
            posted = {row.number for row in rows_of(connection, BatchRow, trial=TRIAL, status="posted")}
            units = sum(row.batch in posted for row in rows_of(connection, UnitRow, trial=TRIAL))
            assert sum(count for *_, count in counts) == units
            assert all(0 <= day <= horizon for _, _, day, _, _ in counts)
            assert all(day > 0 for _, _, day, happened, _ in counts if happened)
            raise _Undone
    except _Undone:
        pass


class _Undone(Exception):
    pass
