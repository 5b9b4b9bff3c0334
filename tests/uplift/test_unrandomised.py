"""Figures that no draw stands behind: a step in a series, a difference in differences, and how they are told."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uplift_cases import ORACLES

from nudge.base.errors import Refused
from nudge.experiment.definition import RecordedExperiment
from nudge.experiment.loader import define
from nudge.reports.render import report_html, report_text
from nudge.reports.wording import Wording
from nudge.trial.recorded import analyse
from nudge.uplift.clusters import arm_effect
from nudge.uplift.series import segmented
from nudge.uplift.units import UnitTable
from nudge.uplift.unrandomised import difference_in_differences, series_of

ORACLE = json.loads((ORACLES / "unrandomised.json").read_text("utf-8"))
SETS = {name: np.array(values, dtype=np.float64) for name, values in ORACLE["differences"][0]["units"].items()}
DRIVERS = np.log(np.array(ORACLE["series"][0]["drivers"], dtype=np.float64))
LAW = np.arange(DRIVERS.size) >= 169
ARM, CLUSTER = SETS["arm"].astype(np.int64), SETS["cluster"].astype(np.int64)
ONE = np.zeros(ARM.size, dtype=np.int64)


def plan(compare: str, *, data=None, outcome=None, **design) -> RecordedExperiment:
    found = define(
        {
            "id": "no-draw",
            "design": {"method": "recorded", "randomised": "no", "compare": compare, **design},
            "data": {"arm": "letter", **(data or {})},
            "arms": [{"id": "old", "control": True}, {"id": "new"}],
            "outcomes": [
                {"id": "calls", "type": "mean", "column": "y", "primary": True, "better": "lower", **(outcome or {})}
            ],
        }
    )
    assert isinstance(found, RecordedExperiment)
    return found


def months(y=DRIVERS, after=LAW) -> pd.DataFrame:
    days = pd.period_range("1969-01", periods=len(y), freq="M").astype(str)
    return pd.DataFrame({"month": days, "letter": np.where(after, "new", "old"), "y": y})


@pytest.mark.parametrize("case", ORACLE["series"], ids=lambda case: case["case"])
def test_i10_a_step_in_a_series_and_its_error_that_remembers_are_those_of_sandwich(case):
    found = segmented(DRIVERS, LAW, season=12, lag=12, slope=case["slope"], confidence=0.95)
    close = {"rel": case["tolerance"]}
    assert found.level.estimate == pytest.approx(case["level"], **close)
    assert found.level.se == pytest.approx(case["level_se"], **close)
    if not case["slope"]:
        assert found.level.se_independent == pytest.approx(case["level_se_independent"], **close)
        assert found.slope is None
    else:
        assert found.slope.estimate == pytest.approx(case["slope_estimate"], **close)
        assert found.slope.se == pytest.approx(case["slope_se"], **close)
    assert (found.periods, found.periods_after) == (192, 23)
    low, high = found.level.ci
    assert (low + high) / 2 == pytest.approx(found.level.estimate)


def test_i10_a_difference_in_differences_is_the_interaction_that_clubsandwich_gives():
    [case] = ORACLE["differences"]
    fit = difference_in_differences(SETS["after"] - SETS["before"], ARM, ONE, CLUSTER)
    assert [fit.estimate, fit.se, fit.df] == pytest.approx(
        [case["estimate"], case["se"], case["df"]], rel=case["tolerance"]
    )


def test_i10_the_same_clusters_before_and_after_are_those_of_clubsandwich():
    [case] = ORACLE["before_after"]
    own = ARM == 1
    y = np.concatenate([SETS["before"][own], SETS["after"][own]])
    after = np.repeat([0, 1], own.sum())
    fit = arm_effect(y, after, np.zeros(after.size, dtype=np.int64), np.tile(CLUSTER[own], 2))
    assert [fit.estimate, fit.se, fit.df] == pytest.approx(
        [case["estimate"], case["se"], case["df"]], rel=case["tolerance"]
    )


def test_a_year_that_only_trends_and_turns_has_no_step_at_all():
    time = np.arange(72)
    y = 3 - 0.2 * time + np.sin(time % 12)
    found = segmented(y, time >= 40, season=12, lag=12, slope=True, confidence=0.95)
    assert found.level.estimate == pytest.approx(0, abs=1e-9)
    assert (found.level.se, found.level.p_value, found.level.ci) == (None, None, None)


def test_a_step_that_the_season_explains_already_is_not_estimated():
    time = np.arange(12)
    found = segmented(np.sin(time.astype(float)), time >= 11, season=12, lag=2, slope=False, confidence=0.95)
    assert found.level.estimate is None
    assert found.level.se is None


@pytest.mark.parametrize(
    ("y", "after", "season", "lag"),
    [
        ([1.0, 2, 3, 4], [False, True, False, True], None, 1),
        ([1.0, 2, np.nan, 4], [False, False, True, True], None, 1),
        ([1.0, 2, 3, 4], [False, False, True, True], None, 4),
        ([1.0, 2, 3, 4], [False, False, True, True], 12, 1),
        ([1.0, 2, 3, 4], [False, True], None, 1),
    ],
)
def test_a_series_that_cannot_be_fitted_is_refused(y, after, season, lag):
    with pytest.raises(ValueError, match="must"):
        segmented(np.array(y), np.array(after), season=season, lag=lag, slope=False, confidence=0.95)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-50, 50), st.floats(0.1, 20), st.floats(-5, 5))
def test_a_level_and_a_unit_move_no_step_and_a_true_step_adds_to_it(seed, shift, unit, step):
    after = np.arange(60) >= 35
    y = np.random.default_rng(seed).normal(size=60)
    kwargs = {"season": 4, "lag": 3, "slope": True, "confidence": 0.9}
    one = segmented(y, after, **kwargs)
    other = segmented(shift + unit * (y + step * after), after, **kwargs)
    assert other.level.estimate == pytest.approx(unit * (one.level.estimate + step), abs=1e-7)
    assert other.level.se == pytest.approx(unit * one.level.se, rel=1e-7)
    assert other.slope.estimate == pytest.approx(unit * one.slope.estimate, abs=1e-7)


def test_what_changed_for_everybody_is_no_difference_in_differences():
    found = difference_in_differences(SETS["after"] - SETS["before"] + 7, ARM, ONE, CLUSTER)
    assert found.estimate == pytest.approx(ORACLE["differences"][0]["estimate"])


def test_a_series_has_no_reading_where_its_arms_overlap_in_time():
    table = UnitTable(arms=("old", "new"), arm=np.array([0, 1, 0, 1]), y=np.arange(4.0), period=np.array([0, 0, 1, 1]))
    overlap = "arms_overlap_in_time"
    assert series_of(table) == overlap
    assert series_of(replace(table, period=np.array([1, 0, 1, 0]))) == overlap
    assert series_of(replace(table, period=None)) == overlap
    assert series_of(replace(table, period=np.array([0, 3, 1, 3]))) == "period_without_figure"
    values, after = series_of(replace(table, period=np.array([0, 2, 1, 2])))
    assert (values.tolist(), after.tolist()) == ([0.0, 2.0, 2.0], [False, False, True])


def test_i10_a_plan_that_names_a_series_prints_its_step_graded_and_without_a_verdict():
    trial = plan("interrupted_series", season=12, data={"period": "month"})
    summary = analyse(trial, months().sample(frac=1, random_state=4), redraws=99)
    [outcome] = summary["outcomes"]
    step, both, slope = outcome["panels"]["not_randomised"]
    first, second = ORACLE["series"]
    assert [step["estimate"], step["se"]] == pytest.approx([first["level"], first["level_se"]], rel=1e-9)
    assert [both["estimate"], both["se"]] == pytest.approx([second["level"], second["level_se"]], rel=1e-9)
    assert slope["estimate"] == pytest.approx(second["slope_estimate"], rel=1e-9)
    assert (step["grade"], step["lag"], step["season"], step["p_method"]) == (2, 12, 12, "as_if_randomised_wald_t")
    assert outcome["verdict"] == []
    text = report_text(summary, wording=Wording.of(trial))
    assert "This is not a randomised comparison, so it has no verdict." in " ".join(text.split())
    assert "evidence of grade 2" in " ".join(text.split())
    assert "Step at the change".lower() in report_html(summary, wording=Wording.of(trial))


COUNTS = {"type": "rate", "column": "y", "better": "lower"}


def steps(trial: RecordedExperiment, frame: pd.DataFrame) -> list[dict]:
    return analyse(trial, frame, redraws=99)["outcomes"][0]["panels"]["not_randomised"]


def test_i10_counts_of_a_series_are_taken_on_the_logarithm_and_told_as_ratios():
    trial = plan("interrupted_series", season=12, data={"period": "month"}, outcome=COUNTS)
    summary = analyse(trial, months(np.exp(DRIVERS).round()), redraws=99)
    lines = summary["outcomes"][0]["panels"]["not_randomised"]
    first, second = ORACLE["series"]
    wanted = [(first["level"], first["level_se"]), (second["level"], second["level_se"])]
    wanted.append((second["slope_estimate"], second["slope_se"]))
    for line, (value, error) in zip(lines, wanted, strict=True):
        assert (np.log(line["estimate"]), line["se"]) == (
            pytest.approx(value, rel=1e-9),
            pytest.approx(error, rel=1e-9),
        )
        low, high = np.log(line["ci"])
        assert (low + high) / 2 == pytest.approx(value, rel=1e-9)
        assert line["scale"] == "ratio"
    text = " ".join(report_text(summary, wording=Wording.of(trial)).split())
    assert "Figures are ratios: 1 is no change." in text
    assert "One arm came after the other" in text
    assert summary["outcomes"][0]["verdict"] == []


def test_counts_and_exposure_of_a_period_in_several_rows_add_up():
    outcome = {**COUNTS, "exposure": "days"}
    trial = plan("interrupted_series", season=12, lag=3, data={"period": "month"}, outcome=outcome)
    whole = months(np.exp(DRIVERS).round()).assign(days=30.0)
    parts = pd.concat([whole.assign(y=whole["y"] - 200, days=10), whole.assign(y=200, days=20)])
    for one, other in zip(steps(trial, whole), steps(trial, parts), strict=True):
        assert (other["estimate"], other["se"]) == (pytest.approx(one["estimate"]), pytest.approx(one["se"]))


def test_i12_a_period_of_no_counts_or_without_a_figure_leaves_the_step_unknown_and_says_why():
    y = np.exp(DRIVERS).round()
    counts = plan("interrupted_series", season=12, data={"period": "month"}, outcome=COUNTS)
    [line] = steps(counts, months(np.where(np.arange(y.size) == 50, 0, y)))
    assert (line["estimate"], line["ci"], line["reason"]) == (None, None, "period_of_no_counts")
    frame = months(y).astype({"y": object})
    frame.loc[50, "y"] = ""
    for outcome in (COUNTS, {}):
        trial = plan("interrupted_series", season=12, data={"period": "month"}, outcome=outcome)
        [line] = steps(trial, frame)
        assert (line["estimate"], line["ci"], line["reason"]) == (None, None, "period_without_figure")


@pytest.mark.parametrize("word", [lambda at: f"{5 + 2 * at}", lambda at: f"{1950 + at}-03-31", lambda at: f"{at / 4}"])
def test_periods_may_be_numbers_or_dates_that_are_evenly_spaced(word):
    trial = plan("interrupted_series", lag=2, data={"period": "month"})
    frame = months(DRIVERS[140:], LAW[140:])
    named = frame.assign(month=[word(at) for at in range(len(frame))])
    assert steps(trial, named.sample(frac=1, random_state=2)) == steps(trial, frame)


@pytest.mark.parametrize(
    "words",
    [["2026-02", "2026-02-01"], ["2026-02-30", "2026-03-01"], ["1", "nan"], ["spring", "summer"], ["1", "1.00e0"]],
)
def test_periods_whose_order_nobody_can_tell_are_refused(words):
    frame = pd.DataFrame({"month": words, "letter": ["old", "new"], "y": [1.0, 2.0]})
    with pytest.raises(Refused, match="periods of a series as numbers"):
        analyse(plan("interrupted_series", data={"period": "month"}), frame)


def test_a_month_that_is_not_in_the_file_is_refused_and_moves_no_other():
    frame = months().drop(index=60)
    with pytest.raises(Refused, match="not so after that of row 60"):
        analyse(plan("interrupted_series", season=12, data={"period": "month"}), frame)


def test_the_plain_difference_of_a_series_has_no_interval_and_no_p() -> None:
    summary = analyse(plan("interrupted_series", season=12, data={"period": "month"}), months(DRIVERS), redraws=99)
    for line in summary["outcomes"][0]["estimates"]:
        assert (line["ci"], line["se"], line["p_value"], line["p_method"]) == (None, None, None, None)
        assert "time_ignored" in line["flags"]


def test_a_short_series_is_described_and_not_estimated():
    summary = analyse(
        plan("interrupted_series", data={"period": "month"}), months(DRIVERS[:14], np.arange(14) >= 8), redraws=99
    )
    [line] = summary["outcomes"][0]["panels"]["not_randomised"]
    assert (line["estimate"], line["reason"], line["n"], line["periods_after"]) == (None, "too_few_periods", 14, 6)
    assert "at least eight periods" in " ".join(report_text(summary, wording=Wording.of(plan("before_after"))).split())


def test_a_series_whose_arms_overlap_says_nothing_of_a_step():
    frame = months(DRIVERS[:40], np.arange(40) % 2 == 1)
    summary = analyse(plan("interrupted_series", data={"period": "month"}), frame, redraws=99)
    [line] = summary["outcomes"][0]["panels"]["not_randomised"]
    assert (line["estimate"], line["reason"]) == (None, "arms_overlap_in_time")


def test_i10_a_plan_that_names_a_difference_in_differences_prints_it_with_grade_3():
    frame = pd.DataFrame(
        {
            "letter": np.where(ARM, "new", "old"),
            "place": CLUSTER,
            "y": SETS["after"],
            "was": SETS["before"],
        }
    )
    trial = plan("difference_in_differences", data={"cluster": "place"}, outcome={"baseline": "was"})
    summary = analyse(trial, frame, redraws=99)
    [line] = summary["outcomes"][0]["panels"]["not_randomised"]
    [case] = ORACLE["differences"]
    assert [line[key] for key in ("estimate", "se", "df", "p_value")] == pytest.approx(
        [case[key] for key in ("estimate", "se", "df", "p_value")], rel=1e-9
    )
    assert (line["grade"], line["n"], line["clusters"]) == (3, 32, 14)
    assert summary["outcomes"][0]["verdict"] == []


def test_one_cluster_on_a_side_has_a_difference_in_differences_without_an_interval():
    frame = pd.DataFrame({"letter": ["old"] * 6 + ["new"] * 2, "place": [1, 1, 2, 2, 3, 3, 4, 4],
                          "y": range(8), "was": [1.0] * 8})  # fmt: skip
    trial = plan("difference_in_differences", data={"cluster": "place"}, outcome={"baseline": "was"})
    [line] = analyse(trial, frame, redraws=99)["outcomes"][0]["panels"]["not_randomised"]
    assert (line["estimate"], line["se"], line["ci"], line["reason"]) == (4.0, None, None, "no_standard_error")


def test_before_and_after_is_the_plain_comparison_with_grade_1():
    frame = months(DRIVERS[150:190], LAW[150:190])
    summary = analyse(plan("before_after"), frame, redraws=99)
    [outcome] = summary["outcomes"]
    [line] = outcome["panels"]["not_randomised"]
    head = outcome["estimates"][0]
    assert (line["grade"], line["what"], line["estimate"], line["ci"]) == (1, "change", head["estimate"], head["ci"])
    assert line["p_method"].startswith("as_if_randomised")


def test_the_same_units_before_and_after_are_compared_as_clusters():
    own = ARM == 1
    frame = pd.DataFrame(
        {
            "letter": np.repeat(["old", "new"], own.sum()),
            "place": np.tile(CLUSTER[own], 2),
            "y": np.concatenate([SETS["before"][own], SETS["after"][own]]),
        }
    )
    trial = plan("before_after", data={"cluster": "place", "spanning": "as_drawn"})
    [line] = analyse(trial, frame, redraws=99)["outcomes"][0]["panels"]["not_randomised"]
    [case] = ORACLE["before_after"]
    assert [line["estimate"], line["se"], line["df"]] == pytest.approx(
        [case["estimate"], case["se"], case["df"]], rel=1e-9
    )


@pytest.mark.parametrize(("period", "key"), [("2", "mean_speed_p2"), ("3", "mean_speed_p3")])
def test_i10_fourteen_sites_less_their_controls_are_a_difference_in_differences_as_in_r(period, key, shared_data):
    folder = shared_data / "cambridgeshire_speed_signs"
    wanted = json.loads((folder / "reference.json").read_text("utf-8"))["paired_difference_in_differences"][key]
    speeds = pd.read_csv(folder / "speeds.csv")
    means = speeds.groupby(["pair", "sign_site", "period"])["speed_mph"].mean().unstack("period")
    change = (means[int(period)] - means[1]).reset_index(name="change")
    fit = difference_in_differences(
        change["change"].to_numpy(),
        change["sign_site"].to_numpy().astype(np.int64),
        np.unique(change["pair"], return_inverse=True)[1],
        np.arange(len(change)),
    )
    assert fit.estimate == pytest.approx(wanted["estimate"], abs=1e-9)
