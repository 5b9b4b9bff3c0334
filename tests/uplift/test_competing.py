"""Competing events beside the headline, against R's curves of several states and against plain shares."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uplift_cases import CONTACT, ORACLES, analysed, codes, floats, household_trial, named, samples

from nudge.reports.leavers import leavers
from nudge.reports.parts import Table, Text
from nudge.reports.wording import Wording
from nudge.uplift.competing import incidence_values
from nudge.uplift.units import UnitTable

MOVED = CONTACT.model_copy(update={"competing": ("vacated", "deceased"), "horizon": 30})


@pytest.mark.parametrize("oracle", json.loads((ORACLES / "competing.json").read_text()), ids=named)
def test_i10_the_share_lost_to_competing_events_is_that_of_r(oracle):
    time, kind, arm = floats(oracle["time"]), codes(oracle["kind"]), codes(oracle["arm"])
    for horizon, wanted in oracle["horizons"].items():
        for code in (0, 1):
            rows = arm == code
            competing = np.where(kind == 2, time, np.inf)[rows]
            y = incidence_values(time[rows], kind[rows] == 1, competing, float(horizon))
            assert y.mean() == pytest.approx(wanted["share"][code], abs=oracle["tolerance"])
            se = np.sqrt(((y - y.mean()) ** 2).sum()) / y.size
            assert se == pytest.approx(wanted["se"][code], abs=oracle["tolerance"])


def test_i10_liver_transplants_before_death_are_as_in_r(shared_data):
    with (shared_data / "survival_reference_sets" / "pbc312.csv").open() as file:
        rows = list(csv.DictReader(file))
    time, kind, arm = (
        floats([r["years"] for r in rows]),
        codes([r["status"] for r in rows]),
        codes([r["arm"] for r in rows]),
    )
    wanted = {(0, 5.0): (0.0422466032223, 0.0169268112261), (1, 10.0): (0.0759470914666, 0.0237200684183)}
    for (code, horizon), (share, se) in wanted.items():
        here = arm == code
        y = incidence_values(time[here], kind[here] == 2, np.where(kind == 1, time, np.inf)[here], horizon)
        assert (y.mean(), np.sqrt(((y - y.mean()) ** 2).sum()) / y.size) == pytest.approx((share, se), abs=1e-10)


@given(samples(whole=True), st.integers(0, 2**31), st.integers(1, 60))
def test_with_full_follow_up_the_share_is_counted(sample, seed, horizon):
    time, event = sample
    time = np.where(event, time, 100.0)
    rng = np.random.default_rng(seed)
    competing = np.where(rng.random(time.size) < 0.5, rng.integers(1, 90, time.size), np.inf)
    y = incidence_values(time, event, competing, float(horizon))
    counted = (competing <= horizon) & (competing < np.where(event, time, np.inf))
    assert y == pytest.approx(counted.astype(float), abs=1e-9)


@given(samples(), st.integers(0, 2**31))
def test_shares_of_either_kind_and_of_neither_add_up_to_one(sample, seed):
    time, event = sample
    rng = np.random.default_rng(seed)
    competing = np.where(rng.random(time.size) < 0.4, rng.random(time.size) * 60, np.inf)
    lost = incidence_values(time, event, competing, 50.0)
    first = competing < time
    turned = incidence_values(np.minimum(time, competing), first, np.where(event & ~first, time, np.inf), 50.0)
    either = first | event
    when = np.where(either, np.minimum(time, competing), np.inf)
    gone = incidence_values(np.where(either, 100.0, time), np.zeros(time.size, bool), when, 50.0)
    assert lost.mean() + turned.mean() == pytest.approx(gone.mean(), abs=1e-9)
    assert -1e-12 <= lost.mean() <= 1 + 1e-12


def lossy(**changes):
    n = 200
    arm = np.arange(n) % 2
    competing = np.where((np.arange(n) % 10 == 1) & (np.arange(n) < 120), 9.0, np.inf)
    columns = {
        "time": np.full(n, 30.0),
        "event": np.zeros(n, bool),
        "follow_up": np.full(n, 30.0),
        "competing": competing,
    }
    columns["event"][:40], columns["time"][:40] = True, 12.0
    return UnitTable(arms=("a", "b"), arm=arm, **{**columns, **changes})


def test_an_arm_that_loses_people_differently_is_seen_and_named_in_the_report():
    result = analysed(MOVED, lossy())
    reference, arm = result.panels["competing"]
    assert (reference["events"], arm["events"]) == (0, 12)
    assert (reference["reference"], reference["difference"], reference["worth_saying"]) == (None, None, False)
    assert arm["share"] == pytest.approx(0.12)
    assert arm["difference"] == pytest.approx(0.12)
    assert arm["ci_difference"][0] > 0
    assert arm["p_value"] < 0.001
    section = leavers(result.document(), result.panels["competing"], Wording(title="t"))
    words = " ".join(part.words for part in section.parts if isinstance(part, Text))
    assert "more than 2 of every 100 units (12.0 with ‘b’)" in words
    [table] = [part for part in section.parts if isinstance(part, Table)]
    assert table.rows[1][:3] == ("b", "12", "100")
    assert table.rows[0][4:] == ("–", "–")


def test_households_widen_what_is_said_of_competing_events():
    table, draw = household_trial(4, clusters=60)
    rng = np.random.default_rng(1)
    lost = (rng.random(60) < 0.4)[table.cluster]
    columns = {
        name: getattr(table, name)
        for name in ("arms", "arm", "stratum", "strata", "time", "event", "follow_up", "cluster")
    }
    result = analysed(MOVED, UnitTable(**columns, competing=np.where(lost, 3.0, np.inf)), assignment=draw)
    apart = analysed(MOVED, UnitTable(**{**columns, "cluster": None}, competing=np.where(lost, 3.0, np.inf)))
    assert result.panels["competing"][1]["difference"] == pytest.approx(apart.panels["competing"][1]["difference"])
    assert result.panels["competing"][1]["se_difference"] > 1.1 * apart.panels["competing"][1]["se_difference"]


def test_no_competing_event_declared_has_no_panel_and_none_happened_has_zeros():
    assert (
        "competing"
        not in analysed(CONTACT, lossy(competing=None, follow_up=np.full(200, 56.0), time=np.full(200, 56.0))).panels
    )
    lines = analysed(MOVED, lossy(competing=np.full(200, np.inf))).panels["competing"]
    assert [line["share"] for line in lines] == [0.0, 0.0]
    assert lines[1]["ci"] is None
    assert lines[1]["flags"] == ["no_variance"]
