"""Time to an event, against R and against what must be true of any curve."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uplift_cases import codes, floats, samples

from nudge.uplift.survival import (
    contact_values,
    curve_from_days,
    curve_from_tallies,
    kaplan_meier,
    logrank,
    logrank_from_days,
    logrank_scores,
    rmst_values,
    tally,
)


@pytest.fixture(scope="module")
def reference(shared_data: Path):
    folder = shared_data / "survival_reference_sets"
    sets = {}
    for name, columns in (("rossi", ("week", "arrest", "fin")), ("pbc312", ("years", "dead", "arm"))):
        with (folder / f"{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        sets[name] = (
            floats([row[columns[0]] for row in rows]),
            np.array([row[columns[1]] == "1" for row in rows]),
            codes([row[columns[2]] for row in rows]),
        )
        if name == "rossi":
            sets["wexp"] = codes([row["wexp"] for row in rows])
    return sets, json.loads((folder / "reference.json").read_text())


def test_i10_rossi_matches_r_in_curve_log_rank_and_restricted_mean(reference):
    sets, known = reference
    time, event, arm = sets["rossi"]
    wanted = known["rossi_fin"]
    for entry in wanted["km_at"]:
        curve = kaplan_meier(*(part[arm == int(entry["group"][-1])] for part in (time, event)), 52)
        assert 1 - curve.contact_by(entry["time"]) == pytest.approx(entry["surv"], abs=1e-12)
        assert curve.contact_se(entry["time"]) == pytest.approx(entry["se_greenwood"], abs=1e-12)
        low, high = curve.contact_limits(entry["time"], 0.95)
        assert (1 - high, 1 - low) == pytest.approx(entry["ci95_loglog"], abs=1e-12)
        assert curve.at_risk[curve.at(entry["time"] - 1e-9) + 1] == entry["n_risk"]
    found = logrank(time, event, arm, np.zeros_like(arm), 52)
    assert found.chi2 == pytest.approx(wanted["logrank"]["chi2"], abs=1e-9)
    assert found.variance == pytest.approx(wanted["logrank"]["var_u"], abs=1e-9)
    assert logrank(time, event, arm, sets["wexp"], 52).chi2 == pytest.approx(4.03310682, abs=1e-7)  # R survdiff
    assert kaplan_meier(time[arm == 1], event[arm == 1], 52).median(0.95) is None


@pytest.mark.parametrize(
    ("name", "path", "tau"),
    [
        ("rossi", ("rossi_fin", "rmst"), 52),
        ("pbc312", ("pbc312_dpenicillamine_vs_placebo", "tau10", "rmst"), 10),
        ("pbc312", ("pbc312_dpenicillamine_vs_placebo", "tau5"), 5),
    ],
)
def test_i10_restricted_means_match_survrm2_on_real_data(reference, name, path, tau):
    sets, known = reference
    for key in path:
        known = known[key]
    time, event, arm = sets[name]
    for code in (0, 1):
        rows = arm == code
        curve = kaplan_meier(time[rows], event[rows], tau)
        assert (curve.rmst, curve.rmst_se) == pytest.approx((known[f"g{code}"], known[f"se_g{code}"]), abs=1e-9)
        values = rmst_values(time[rows], event[rows], tau)
        assert values.mean() == pytest.approx(known[f"g{code}"], abs=1e-9)
        spread = np.sqrt(((values - values.mean()) ** 2).sum()) / values.size
        assert spread == pytest.approx(known[f"se_g{code}"], abs=1e-9)


@given(samples(whole=True), st.integers(1, 70))
def test_counting_whole_days_gives_the_same_curve_as_sorting_times(sample, horizon):
    time, event = sample
    counts = np.zeros((71, 2), dtype=np.int64)
    np.add.at(counts, (time.astype(int), event.astype(int)), 1)
    fast, slow = curve_from_days(counts, horizon), _sorted_curve(time, event, horizon)
    quick = kaplan_meier(time, event, horizon)
    for name in ("time", "at_risk", "survival", "greenwood"):
        assert np.allclose(getattr(fast, name), getattr(slow, name), atol=1e-14)
        assert np.allclose(getattr(quick, name), getattr(slow, name), atol=1e-14)


def _sorted_curve(time, event, horizon):
    inside, cut = event & (time <= horizon), np.minimum(time, horizon)
    distinct, place = np.unique(cut, return_inverse=True)
    events = np.bincount(place[inside], minlength=distinct.size)
    return curve_from_tallies(distinct, events, np.bincount(place, minlength=distinct.size) - events, horizon)


@given(samples(whole=True), samples(whole=True), st.integers(1, 70))
def test_log_rank_from_day_counts_is_that_of_the_units(one, other, horizon):
    time, event = (np.concatenate(pair) for pair in zip(one, other, strict=True))
    arm = np.repeat([1, 0], [one[0].size, other[0].size])
    stratum = np.arange(arm.size) % 2
    counts = np.zeros((2, 2, 71, 2), dtype=np.int64)
    np.add.at(counts, (arm, stratum, time.astype(int), event.astype(int)), 1)
    units, days = logrank(time, event, arm, stratum, horizon), logrank_from_days(counts, horizon)
    assert (units.observed, units.expected, units.variance) == pytest.approx(
        (days.observed, days.expected, days.variance), abs=1e-9
    )


@given(samples(), st.floats(0.5, 70))
def test_influence_values_average_to_the_estimate_and_square_to_greenwoods_variance(sample, horizon):
    time, event = sample
    curve = kaplan_meier(time, event, horizon)
    for values, estimate, se in (
        (rmst_values(time, event, horizon), curve.rmst, curve.rmst_se),
        (contact_values(time, event, horizon), curve.contact_by(horizon), curve.contact_se(horizon)),
    ):
        assert values.mean() == pytest.approx(estimate, abs=1e-9)
        if estimate < 1:  # Greenwood has no term for a time at which everybody left responded
            assert np.sqrt(((values - values.mean()) ** 2).sum()) / values.size == pytest.approx(se, abs=1e-9)


@given(samples(), st.floats(0.5, 70))
def test_with_full_follow_up_a_units_value_is_its_day_cut_to_the_horizon(sample, horizon):
    time, event = sample
    time = np.where(event, time, np.maximum(time, horizon))
    assert np.array_equal(rmst_values(time, event, horizon), np.minimum(time, horizon))
    assert kaplan_meier(time, event, horizon).rmst == pytest.approx(np.minimum(time, horizon).mean(), abs=1e-9)


@given(samples(), st.floats(0.5, 70), st.sampled_from([0.25, 4.0, 64.0]))
def test_a_change_of_time_unit_changes_only_the_unit(sample, horizon, factor):
    time, event = sample  # powers of two: others may round two times a hair apart into one
    one, scaled = kaplan_meier(time, event, horizon), kaplan_meier(time * factor, event, horizon * factor)
    assert scaled.rmst == pytest.approx(one.rmst * factor, rel=1e-12)
    assert scaled.rmst_se == pytest.approx(one.rmst_se * factor, rel=1e-9, abs=1e-12)
    assert scaled.contact_by(horizon * factor) == pytest.approx(one.contact_by(horizon), abs=1e-12)


@given(samples(), st.floats(1, 60), st.integers(1, 5))
def test_a_unit_that_never_responds_never_speeds_contact(sample, horizon, many):
    time, event = sample
    before = kaplan_meier(time, event, horizon)
    after = kaplan_meier(np.append(time, np.full(many, 100.0)), np.append(event, np.zeros(many, dtype=bool)), horizon)
    assert after.rmst >= before.rmst - 1e-9
    assert after.contact_by(horizon) <= before.contact_by(horizon) + 1e-12


@given(samples(), st.permutations(range(5)))
def test_the_order_of_rows_does_not_matter(sample, turn):
    time, event = sample
    order = np.argsort(np.resize(turn, time.size), kind="stable")
    one, other = kaplan_meier(time, event, 30), kaplan_meier(time[order], event[order], 30)
    assert (one.rmst, one.rmst_se) == (other.rmst, other.rmst_se)
    assert np.allclose(rmst_values(time, event, 30)[order], rmst_values(time[order], event[order], 30))


def test_an_event_on_the_last_day_counts_and_adds_the_whole_horizon():
    time, event = floats([56, 57, 20, 80]), np.array([True, True, True, False])
    curve = kaplan_meier(time, event, 56)
    assert curve.contact_by(56) == 0.5
    assert curve.rmst == (56 + 56 + 20 + 56) / 4


def test_a_million_rows_do_not_overflow_the_log_rank_variance():
    half = 500_000
    time = np.tile(np.arange(1.0, 51.0), 2 * half // 50)
    arm = np.repeat([0, 1], half)
    event = (np.arange(2 * half) % 7 < 3) | ((arm == 1) & (np.arange(2 * half) % 11 == 0))
    found = logrank(time, event, arm, np.zeros_like(arm), 50)
    exact = 0.0
    n, n_1 = 2 * half, half
    for day in range(1, 51):
        here = time == day
        d = int(event[here].sum())
        if n > 1:
            exact += d * (n_1 / n) * (1 - n_1 / n) * (n - d) / (n - 1)
        n, n_1 = n - int(here.sum()), n_1 - int((here & (arm == 1)).sum())
    assert found.variance == pytest.approx(exact, rel=1e-12)
    assert found.chi2 > 0


@given(samples(), samples())
def test_the_scores_of_the_units_add_up_to_observed_less_expected(one, other):
    time, event = (np.concatenate(pair) for pair in zip(one, other, strict=True))
    arm = np.repeat([1, 0], [one[0].size, other[0].size])
    stratum = np.arange(arm.size) % 3
    found = logrank(time, event, arm, stratum, 50)
    assert logrank_scores(time, event, arm, stratum, 50).sum() == pytest.approx(
        found.observed - found.expected, abs=1e-9
    )


def test_every_time_has_its_place_among_the_distinct_ones():
    distinct, events, censored, place = tally(floats([3, 1, 3, 9]), np.array([True, False, False, True]), 5)
    assert distinct.tolist() == [1, 3, 5]
    assert (events.tolist(), censored.tolist()) == ([0, 1, 0], [1, 1, 1])
    assert distinct[place].tolist() == [3, 1, 3, 5]
