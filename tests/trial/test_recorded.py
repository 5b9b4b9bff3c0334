"""Trials that somebody else ran: outside numbers reproduced; what blanks, dates and clusters mean (rules §1, §6)."""

from __future__ import annotations

import gzip
import json
import math
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nudge.base.errors import Refused
from nudge.reports.summary import summary_json, validate
from nudge.trial.recorded import analyse

DATA = Path(__file__).resolve().parents[1] / "data"
ROSSI = DATA / "recorded" / "rossi.csv"
ORACLES = json.loads((DATA / "oracles" / "recorded.json").read_text(encoding="utf-8"))
ARREST = {
    "id": "weeks_to_arrest",
    "type": "time_to_event",
    "duration": "week",
    "happened": "arrest",
    "horizon": 52,
    "time_unit": "week",
}


def plan(*outcomes: dict[str, Any], arms: tuple[Any, ...] = ("none", "dated"), **keys: Any) -> dict[str, Any]:
    """A recorded plan whose arm column is `arm`; keys of `data` and of the plan by name."""
    data = {"arm": "arm", **keys.pop("data", {})}
    design = {"method": "recorded", "randomised": "yes", **keys.pop("design", {})}
    first, *others = arms
    return {
        "id": "reminder-letters",
        "design": design,
        "data": data,
        "arms": [{"id": first, "control": True}, *({"id": arm} for arm in others)],
        "outcomes": list(outcomes),
        **keys,
    }


def rossi(*outcomes: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return plan(*outcomes, arms=(0, 1), data={"arm": "fin", **keys.pop("data", {})}, **keys)


def row(summary: dict[str, Any], measure: str | None = None, outcome: int = 0, role: str | None = None) -> Any:
    """The first estimate of that measure and role; without either, the headline."""
    return next(
        line
        for line in summary["outcomes"][outcome]["estimates"]
        if measure in (None, line["measure"]) and role in (None, line["role"])
    )


def arm(summary: dict[str, Any], name: str, outcome: int = 0) -> Any:
    return next(found for found in summary["outcomes"][outcome]["arms"] if found["arm"] == name)


def frame(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(columns)


# ---- outside numbers


@pytest.mark.parametrize("oracle", ORACLES["rossi"], ids=lambda oracle: oracle["case"])
def test_i10_weeks_to_arrest_are_those_of_r(oracle):
    found = analyse(rossi(ARREST), ROSSI, redraws=99)
    near = {"abs": oracle["tolerance"], "rel": 0}
    for name, (mean, se) in oracle["rmst"].items():
        value = arm(found, name)["values"]["rmst"]
        assert (value["estimate"], value["se"]) == (pytest.approx(mean, **near), pytest.approx(se, **near))
    for name, (share, low, high) in oracle["contact"].items():
        value = arm(found, name)["values"]["contact_by_horizon"]
        assert [value["estimate"], *value["ci"]] == pytest.approx([share, low, high], **near)
    line = row(found)
    assert [line["estimate"], line["se"], *line["ci"], line["p_value"]] == pytest.approx(oracle["difference"], **near)
    assert row(found, "logrank")["p_value"] == pytest.approx(oracle["logrank_p"], **near)
    assert validate(found) == ()


@pytest.mark.parametrize("oracle", ORACLES["pbc"], ids=lambda oracle: oracle["case"])
def test_i10_years_to_death_with_staggered_follow_up_are_those_of_r(oracle, shared_data):
    years = {
        "id": "years_to_death",
        "type": "time_to_event",
        "duration": "years",
        "happened": "dead",
        "horizon": 10,
        "time_unit": "year",
    }
    trial = plan(years, arms=(0, 1), data={"unit": "id"})
    found = analyse(trial, shared_data / "survival_reference_sets" / "pbc312.csv", redraws=99)
    near = {"abs": oracle["tolerance"], "rel": 0}
    for name, expected in oracle["rmst"].items():
        value = arm(found, name)["values"]["rmst"]
        assert [value["estimate"], value["se"]] == pytest.approx(expected, **near)
    line = row(found)
    assert [line["estimate"], line["se"], *line["ci"], line["p_value"]] == pytest.approx(oracle["difference"], **near)


def test_i10_fifty_thousand_letters_in_four_arms_are_those_of_the_paper(shared_data):
    folder = shared_data / "karlan_list2007_match_letters"
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    trial = plan(
        {"id": "gave", "type": "proportion", "column": "gave", "success": [1], "primary": True, "better": "higher"},
        {"id": "dollars", "type": "mean", "column": "amount"},
        arms=(0, 1, 2, 3),
        data={"arm": "ratio"},
    )
    found = analyse(trial, folder / "karlan_list.csv.gz")
    names = {"1": "match_1to1", "2": "match_2to1", "3": "match_3to1"}
    for line in found["outcomes"][0]["estimates"][:3]:
        expected = reference["response_each_ratio_vs_control"]["estimates"][names[line["arm"]]]
        assert line["role"] == "headline"
        assert (line["n"], line["events"]) == (expected["n1"] + expected["n0"], expected["x1"] + expected["x0"])
        assert line["estimate"] == pytest.approx(expected["diff"], abs=1e-12)
        assert line["se"] == pytest.approx(expected["se_wald_unpooled"], abs=1e-12)
        assert line["p_value"] == pytest.approx(expected["p_two_sided_z_pooled"], rel=1e-3)  # score: N/(N - 1)
        assert line["ci"] == pytest.approx(expected["ci95_newcombe_hybrid_score"], abs=5e-6)
    table = reference["table2A"]["cells"]
    for name, key in {"0": "control", **names}.items():
        values = arm(found, name, 1)["values"]
        money = table[key]["dollars_unconditional"]
        assert [values["mean"]["estimate"], values["mean"]["se"], values["sd"]] == pytest.approx(
            [money["mean"], money["se"], money["sd"]], abs=1e-12
        )
    for line in found["outcomes"][1]["estimates"][:3]:
        expected = reference["dollars_by_ratio"]["estimates"][names[line["arm"]]]
        assert line["estimate"] == pytest.approx(expected["diff"], abs=1e-12)
        assert line["p_value"] == pytest.approx(expected["p_welch"], abs=1e-6)
    assert found["flow"]["analysed"] == 50_083


@pytest.mark.parametrize(("period", "key"), [(2, "mean_speed_p2"), (3, "mean_speed_p3")])
def test_i10_speeds_at_fourteen_pairs_of_sites_before_and_after_are_those_of_r(period, key, shared_data):
    folder = shared_data / "cambridgeshire_speed_signs"
    expected = json.loads((folder / "reference.json").read_text(encoding="utf-8"))["paired_difference_in_differences"]
    speeds = pd.read_csv(folder / "speeds.csv")
    trial = plan(
        {"id": "speed", "type": "mean", "column": "speed_mph"},
        arms=(0, 1),
        data={"arm": "sign_site", "pair": "pair", "period": "period", "before": [1]},
        design={"randomised": "no"},
    )
    line = row(analyse(trial, speeds[speeds["period"].isin([1, period])]))
    one = expected[key]
    assert [line["estimate"], line["se"], *line["ci"]] == pytest.approx([one["estimate"], one["se"], *one["ci95"]])
    assert line["p_value"] == pytest.approx(one["exact_signflip_p"])
    assert line["p_method"] == "as_if_randomised_sign_flip_exact"
    assert line["clusters"] == 28


@pytest.mark.parametrize(("period", "key"), [(2, "q85_p2"), (3, "q85_p3")])
def test_i10_the_speed_of_85_in_100_cars_at_fourteen_pairs_of_sites_is_that_of_r(period, key, shared_data):
    folder = shared_data / "cambridgeshire_speed_signs"
    expected = json.loads((folder / "reference.json").read_text(encoding="utf-8"))["paired_difference_in_differences"]
    speeds = pd.read_csv(folder / "speeds.csv")
    trial = plan(
        {"id": "speed", "type": "percentile", "column": "speed_mph", "percentile": 85},
        arms=(0, 1),
        data={"arm": "sign_site", "pair": "pair", "period": "period", "before": [1]},
        design={"randomised": "no"},
    )
    found = analyse(trial, speeds[speeds["period"].isin([1, period])])
    line, one = row(found), expected[key]
    assert line["measure"] == "percentile_difference"
    assert [line["estimate"], line["se"], *line["ci"]] == pytest.approx([one["estimate"], one["se"], *one["ci95"]])
    assert line["p_value"] == pytest.approx(one["exact_signflip_p"])
    assert (line["n"], line["clusters"]) == (28, 28)


def test_a_percentile_from_bands_of_counts_is_near_that_of_the_readings(shared_data):
    speeds = pd.read_csv(shared_data / "cambridgeshire_speed_signs" / "speeds.csv")
    speeds = speeds[speeds["period"].isin([1, 2])]
    speeds["from_mph"] = speeds["speed_mph"] - 0.5
    keys = ["pair", "sign_site", "period", "from_mph"]
    bands = speeds.groupby(keys, as_index=False).size().rename(columns={"size": "cars"})
    bands["to_mph"] = bands["from_mph"] + 1
    trial = {
        "arms": (0, 1),
        "data": {"arm": "sign_site", "pair": "pair", "period": "period", "before": [1]},
        "design": {"randomised": "no"},
    }
    by_band = {"column": "from_mph", "upper": "to_mph", "counts": "cars"}
    outcome = {"id": "speed", "type": "percentile", "percentile": 85}
    banded = row(analyse(plan({**outcome, **by_band}, **trial), bands))
    exact = row(analyse(plan({**outcome, "column": "speed_mph"}, **trial), speeds))
    assert banded["estimate"] == pytest.approx(
        exact["estimate"], abs=0.3
    )  # a mile an hour a band, sixteen sites a side


def test_bands_that_overlap_are_refused_by_row():
    table = pd.DataFrame({"arm": ["a", "b", "b"], "low": [30, 30, 33], "high": [35, 35, 40], "cars": [5, 5, 5]})
    table["site"] = ["s1", "s2", "s2"]
    trial = plan(
        {"id": "speed", "type": "percentile", "percentile": 85, "column": "low", "upper": "high", "counts": "cars"},
        arms=("a", "b"),
        data={"arm": "arm", "cluster": "site"},
    )
    with pytest.raises(Refused, match="do not overlap; 1 row inside another, first in row 3"):
        analyse(trial, table)
    table["high"] = [35, 35, 33]
    with pytest.raises(Refused, match="upper edge is above the lower one"):
        analyse(trial, table)


def test_what_was_collected_of_what_was_due_is_summed_over_the_rows_of_a_unit():
    table = pd.DataFrame(
        {
            "case": [1, 1, 2, 2, 3, 4, 5, 6],
            "letter": ["old"] * 4 + ["old", "new", "new", "new"],
            "paid": [10, 20, 0, 5, 40, 50, 10, None],
            "due": [20, 20, 30, 5, 50, 50, 20, 10],
        }
    )
    trial = plan(
        {"id": "collected", "type": "ratio", "column": "paid", "over": "due"},
        arms=("old", "new"),
        data={"arm": "letter", "unit": "case"},
    )
    found = analyse(trial, table, redraws=99)
    assert row(found)["estimate"] == pytest.approx(60 / 70 - 75 / 125)
    old, new = found["outcomes"][0]["arms"]
    assert (old["values"]["numerator"], old["values"]["denominator"]) == (75, 125)
    assert (new["n"], new["missing_by"]) == (2, {"outcome_blank": 1})


# ---- however the data come


def test_a_file_a_gzipped_file_a_workbook_and_three_kinds_of_frame_give_the_same_document(tmp_path):
    trial, expected = rossi(ARREST), analyse(rossi(ARREST), ROSSI, redraws=99)
    squeezed = tmp_path / "rossi.csv.gz"
    squeezed.write_bytes(gzip.compress(ROSSI.read_bytes()))
    table = pd.read_csv(ROSSI)
    book = tmp_path / "rossi.xlsx"
    with xlsxwriter.Workbook(str(book)) as workbook:
        sheet = workbook.add_worksheet()
        for column, heading in enumerate(table.columns):
            sheet.write(0, column, heading)
            for line, value in enumerate(table[heading].tolist(), start=1):
                sheet.write(line, column, value)
    for data in (squeezed, book, table, pl.from_pandas(table), pl.from_pandas(table).lazy(), pa.table(table)):
        assert analyse(trial, data, redraws=99) == expected


def test_arms_and_words_are_compared_as_text_and_whole_numbers_have_no_decimals():
    data = frame(arm=[0.0, 1.0, 1.0, 0.0] * 3, status=[" Renewed ", 2.0, "Renewed", None] * 3)
    trial = plan({"id": "renewed", "type": "proportion", "column": "status", "success": ["Renewed", 2]}, arms=(0, 1))
    found = analyse(trial, data, redraws=99)
    assert (arm(found, "0")["events"], arm(found, "1")["events"]) == (3, 6)
    assert arm(found, "0")["missing_by"] == {"outcome_blank": 3}


@pytest.mark.parametrize("dtype", ["boolean", "Int64", "string", "object"])
def test_a_missing_value_of_pandas_own_kind_is_a_blank(dtype):
    words = ["yes", "no", None] if dtype in {"string", "object"} else [True, False, None]
    answered = pd.Series(words * 4, dtype=dtype)
    if dtype == "object":
        answered = answered.where(answered.notna(), pd.NA)
    data = pd.DataFrame({"arm": ["none", "dated"] * 6, "answered": answered})
    found = analyse(plan({"id": "answered", "type": "proportion", "column": "answered"}), data, redraws=99)
    assert [arm(found, name)["missing_by"] for name in ("none", "dated")] == [{"outcome_blank": 2}] * 2
    assert [arm(found, name)["events"] for name in ("none", "dated")] == [2, 2]


def test_the_order_of_the_rows_changes_nothing():
    table = pd.read_csv(ROSSI).reset_index()
    trial = rossi(ARREST, data={"unit": "index", "strata": ["wexp"]})
    there = analyse(trial, table, redraws=199)
    back = analyse(trial, table.sample(frac=1, random_state=5), redraws=199)
    assert summary_json(there) == summary_json(back)


def test_i13_the_same_data_and_plan_give_the_same_bytes():
    data = pd.read_csv(ROSSI).head(60)
    trial = rossi({**ARREST, "horizon": 40}, data={"strata": ["wexp"]})
    found = analyse(trial, data, redraws=499)
    assert summary_json(found) == summary_json(analyse(trial, data, redraws=499))
    assert row(found)["p_method"] == "randomisation_drawn"


def test_lines_that_are_no_data_are_counted_in_a_note(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(
        "Reminder letters 2026,,\n,,\ncase,arm,answered\n1,none,yes\n2,dated,no\n3,dated,yes\n4,none,no\nTotal,,4\n",
        encoding="utf-8",
    )
    found = analyse(plan({"id": "answered", "type": "proportion", "column": "answered"}), path)
    assert found["flow"]["rows"] == 4
    assert found["notes"] == ["1 line of the file is no data: total."]


# ---- blanks are missing, never failure (I9)

ANSWERED = {"id": "answered", "type": "proportion", "column": "answered"}


def answers(*cells: Any) -> pd.DataFrame:
    """The same cells in both arms."""
    return frame(arm=["none"] * len(cells) + ["dated"] * len(cells), answered=list(cells) * 2)


def test_i9_a_blank_is_missing_and_counted_by_arm():
    found = analyse(plan(ANSWERED, data={"missing": ["", "NA"]}), answers("yes", "no", "", " ", None, "NA"))
    for name in ("none", "dated"):
        counted = arm(found, name)
        assert (counted["n_assigned"], counted["n"], counted["events"]) == (6, 2, 1)
        assert counted["missing_by"] == {"outcome_blank": 4}
    assert found["checks"]["missing_by_arm"]["counts"] == {"none": 4, "dated": 4}


def test_a_blank_counts_as_failure_only_where_the_plan_says_so_and_the_summary_then_says_it_too():
    found = analyse(plan({**ANSWERED, "blank": "failure"}), answers("yes", "no", "", ""))
    assert arm(found, "none")["n"] == 4
    assert found["notes"] == ["answered: 4 blank cells of answered count as no (blank: failure)."]


def test_absence_counts_as_the_number_declared():
    data = frame(arm=["none", "dated"] * 3, arrears=["10", "", "30", "20", "", "40"])
    found = analyse(plan({"id": "arrears", "type": "mean", "column": "arrears", "absent": 0}), data)
    assert arm(found, "dated")["values"]["mean"]["estimate"] == pytest.approx(20)
    assert "count as 0 (absent)" in found["notes"][0]


def test_a_success_word_that_no_cell_holds_is_noted():
    found = analyse(plan({**ANSWERED, "success": ["Yse"]}), answers("Yes", "No"))
    assert "no cell of answered is one of its success words" in found["notes"][0]


def test_an_outcome_may_have_words_for_a_blank_of_its_own():
    found = analyse(plan({**ANSWERED, "missing": ["refused"]}), answers("yes", "refused"))
    assert arm(found, "none")["missing_by"] == {"outcome_blank": 1}


# ---- the clock (rules §1)

DAY0 = date(2026, 3, 1)
REPLY = {
    "id": "days_to_reply",
    "type": "time_to_event",
    "start": "sent_on",
    "event": "replied_on",
    "data_cut": "2026-03-31",
    "horizon": 14,
}


def replies(*after: int | None, start: date = DAY0, **columns: list[Any]) -> pd.DataFrame:
    """Units that replied so many days after the start, in both arms."""
    days = [None if day is None else (start + timedelta(days=day)).isoformat() for day in after]
    both = {name: values * 2 for name, values in columns.items()}
    return frame(
        arm=["none"] * len(days) + ["dated"] * len(days),
        sent_on=[start.isoformat()] * 2 * len(days),
        replied_on=days * 2,
        **both,
    )


def test_an_event_on_the_last_day_counts_and_adds_the_whole_horizon():
    found = analyse(plan(REPLY), replies(1, 14, 15, None))
    values = arm(found, "none")["values"]
    assert values["contact_by_horizon"]["estimate"] == pytest.approx(0.5)
    assert values["rmst"]["estimate"] == pytest.approx((1 + 14 + 14 + 14) / 4)
    assert found["outcomes"][0]["day0"] == ["2026-03-01", "2026-03-01"]
    assert found["outcomes"][0]["data_cut"] == "2026-03-31"


def test_who_replied_by_day_0_was_never_at_risk_and_leaves_counted():
    found = analyse(plan(REPLY), replies(0, -3, 2, 5, None))
    assert arm(found, "none")["missing_by"] == {"event_on_or_before_start": 2}
    assert arm(found, "none")["n"] == 3


def test_where_every_event_is_on_file_those_by_day_0_are_passed_over():
    data = replies(0, 2, None, case=["a", "b", "c"])
    more = pd.concat([data, data.iloc[[0]].assign(replied_on="2026-03-06")])
    more["case"] = more["arm"] + more["case"]
    found = analyse(plan({**REPLY, "repeats": True}, data={"unit": "case"}), more)
    first = arm(found, "none")
    assert first["missing_by"] == {}
    assert (first["n"], first["events"]) == (3, 2)
    assert [line[0] for line in first["values"]["curve"] if line[2]] == [2.0, 5.0]


def test_of_several_events_of_a_unit_the_first_counts():
    data = replies(9, 4, None, case=["a", "a", "b"])
    data["case"] = data["arm"] + data["case"]
    found = analyse(plan(REPLY, data={"unit": "case"}), data)
    assert found["flow"] == {**found["flow"], "rows": 6, "allocated": 4}
    assert [line[:3] for line in arm(found, "none")["values"]["curve"] if line[2]] == [[4.0, 2, 1]]


def test_follow_up_ends_at_the_data_cut_and_events_after_it_are_not_counted():
    found = analyse(plan({**REPLY, "horizon": 30}), replies(3, 45, None))
    assert arm(found, "none")["events"] == 1
    assert found["notes"] == ["days_to_reply: 2 events after the data cut are not counted."]


def test_a_share_within_so_many_days_uses_only_those_followed_so_long():
    early, late = replies(2, None, 5), replies(2, None, start=date(2026, 3, 25))
    share = {key: REPLY[key] for key in ("start", "event", "data_cut")}
    found = analyse(plan({"id": "fast", "type": "proportion", "within": 14, **share}), pd.concat([early, late]))
    counted = arm(found, "none")
    assert (counted["n"], counted["events"], counted["missing_by"]) == (3, 2, {"not_yet_followed": 2})


def test_a_unit_that_starts_after_the_data_cut_is_not_yet_followed():
    found = analyse(plan(REPLY), pd.concat([replies(2, 4, None), replies(None, start=date(2026, 4, 2))]))
    assert arm(found, "none")["missing_by"] == {"not_yet_followed": 1}


def test_a_horizon_beyond_the_shorter_follow_up_names_the_largest_that_would_do():
    with pytest.raises(Refused) as refused:
        analyse(plan({**REPLY, "horizon": 60}), replies(2, None))
    assert "Set `horizon: 30`" in str(refused.value)


def test_a_horizon_is_refused_at_its_line_of_the_plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(
        "id: letters\n"
        "design: {method: recorded, randomised: yes}\n"
        "data: {arm: arm}\n"
        "arms: [{id: none, control: true}, {id: dated}]\n"
        "outcomes:\n"
        "  - {id: days, type: time_to_event, start: sent_on, event: replied_on, data_cut: 2026-03-31, horizon: 60}\n",
        encoding="utf-8",
    )
    with pytest.raises(Refused) as refused:
        analyse(path, replies(2, None))
    assert str(refused.value).startswith("plan.yaml:6:")


def test_weeks_are_seven_days_and_times_are_never_rounded():
    found = analyse(plan({**REPLY, "horizon": 2, "time_unit": "week"}), replies(3, 10, None))
    assert [line[0] for line in arm(found, "none")["values"]["curve"] if line[2]] == pytest.approx([3 / 7, 10 / 7])


def test_day_0_of_a_batch_is_its_first_posting_for_every_unit_of_it_even_of_an_arm_that_got_nothing():
    data = replies(3, 5, None, week=["w1", "w1", "w1"])
    data.loc[data["arm"] == "none", "sent_on"] = None
    found = analyse(plan(REPLY, data={"batch": "week"}), data)
    assert arm(found, "none")["n"] == arm(found, "dated")["n"] == 3
    assert arm(found, "none")["values"]["rmst"] == arm(found, "dated")["values"]["rmst"]


def test_arms_of_a_batch_posted_apart_share_one_day_0_and_are_flagged():
    data = replies(6, 8, None, week=["w1", "w1", "w1"])
    data.loc[data["arm"] == "dated", "sent_on"] = "2026-03-05"
    found = analyse(plan(REPLY, data={"batch": "week"}), data)
    assert "dispatch_differs_by_arm" in row(found)["flags"]
    assert [found["checks"]["dispatch_by_arm"][name]["median_day"] for name in ("none", "dated")] == [0.0, 4.0]
    assert row(found)["estimate"] == pytest.approx(0)
    assert "its own date" in row(found, "rmst_difference", role="sensitivity")["method"]
    assert row(found, "rmst_difference", role="sensitivity")["estimate"] < -2


def test_a_start_blank_in_every_arm_alike_is_missing():
    data = replies(3, 5, None, None)
    data.loc[[3, 7], "sent_on"] = ""
    found = analyse(plan(REPLY), data)
    assert arm(found, "none")["missing_by"] == {"start_blank": 1}


def test_a_competing_event_leaves_the_unit_at_risk_and_is_censored_in_a_sensitivity_row_only():
    data = replies(3, 5, None, None, moved_on=[None, None, "2026-03-04", None])
    found = analyse(plan({**REPLY, "competing": ["moved_on"]}), data)
    assert arm(found, "none")["values"]["contact_by_horizon"]["estimate"] == pytest.approx(0.5)
    assert found["outcomes"][0]["competing"] == ["moved_on"]
    assert any(
        "competing" in line["method"] for line in found["outcomes"][0]["estimates"] if line["role"] == "sensitivity"
    )


def test_a_duration_without_event_is_followed_for_that_long_only():
    data = frame(
        arm=["none", "dated"] * 4, days=[5, 5, 20, 20, 8, 8, 0, 0], replied=["Y", "Y", "N", "N", "N", "N", "Y", "Y"]
    )
    outcome = {"id": "days_to_reply", "type": "time_to_event", "duration": "days", "happened": "replied", "horizon": 10}
    share = {"id": "fast", "type": "proportion", "duration": "days", "happened": "replied", "within": 10}
    found = analyse(plan(outcome, share), data)
    assert arm(found, "none")["missing_by"] == {"event_on_or_before_start": 1}
    assert [line[0] for line in arm(found, "none")["values"]["curve"] if line[3]] == [8.0, 10.0]
    assert arm(found, "none", 1)["missing_by"] == {"event_on_or_before_start": 1, "not_yet_followed": 1}


# ---- how arms were drawn (rules §6)


def households(spanning: bool = False) -> pd.DataFrame:
    """Twelve households of two in each arm."""
    names = [f"h{number:02d}" for number in range(24) for _ in range(2)]
    arms = ["none" if number < 24 else "dated" for number in range(48)]
    said = ["yes" if number % 5 in (0, 1) or number % 7 == 0 else "no" for number in range(48)]
    if spanning:
        arms[0] = "dated"
    return frame(arm=arms, household=names, answered=said)


def test_households_are_what_was_drawn_and_what_the_interval_counts():
    found = analyse(plan(ANSWERED, data={"cluster": "household"}), households(), redraws=199)
    line = row(found)
    assert found["drawn"] == "clusters"
    assert (line["n"], line["clusters"]) == (48, 24)
    assert line["p_method"] == "randomisation_drawn"
    assert line["design_effect"] >= 1
    assert [counted["clusters"] for counted in found["arms"]] == [12, 12]


def test_a_household_in_two_arms_may_be_kept_as_drawn_without_a_randomisation_test():
    trial = plan(ANSWERED, data={"cluster": "household", "spanning": "as_drawn"})
    line = row(analyse(trial, households(spanning=True), redraws=99))
    assert "clusters_span_arms" in line["flags"]
    assert line["n"] == 48


def test_a_household_in_two_arms_may_be_dropped_and_is_counted():
    trial = plan(ANSWERED, data={"cluster": "household", "spanning": "drop"})
    found = analyse(trial, households(spanning=True), redraws=99)
    assert [arm(found, name)["missing_by"] for name in ("none", "dated")] == [{"cluster_in_several_arms": 1}] * 2
    assert row(found)["n"] == 46


@pytest.mark.parametrize(
    ("keys", "drawn"),
    [({}, "complete"), ({"cluster": "household"}, "clusters"), ({"pair": "pair"}, "pairs")],
)
def test_the_draw_is_taken_for_what_the_columns_say(keys, drawn):
    data = households().iloc[::2].assign(pair=[*range(12), *range(12)])
    found = analyse(plan(ANSWERED, data=keys), data, redraws=99)
    assert found["drawn"] == drawn


@pytest.mark.parametrize("randomised", ["no", "unknown"])
def test_without_a_draw_by_chance_there_is_no_verdict_and_p_is_as_if(randomised):
    outcome = {**ANSWERED, "primary": True, "better": "higher"}
    found = analyse(plan(outcome, design={"randomised": randomised}), households(), redraws=99)
    assert found["outcomes"][0]["verdict"] == []
    assert row(found)["p_method"].startswith("as_if_randomised_")


def test_a_plan_that_does_not_say_is_not_known_to_be_randomised():
    trial = plan(ANSWERED)
    del trial["design"]["randomised"]
    assert analyse(trial, households(), redraws=99)["randomised"] == "unknown"


def test_strata_without_a_value_are_a_stratum_of_their_own():
    data = households().assign(office=(["north"] * 6 + ["south"] * 4 + [None] * 2) * 4)
    line = row(analyse(plan(ANSWERED, data={"strata": ["office"]}), data, redraws=99))
    assert line["strata"] == ["(none)", "north", "south"]


# ---- rows that repeat


def test_counts_and_exposures_of_a_unit_add_up():
    data = frame(
        site=list("aabbccdd"),
        arm=["none"] * 4 + ["dated"] * 4,
        pieces=[3, 5, 2, 2, 1, 2, 0, 2],
        days=[10, 20, 10, 10, 10, 20, 10, 10],
    )
    outcome = {"id": "litter", "type": "rate", "column": "pieces", "exposure": "days"}
    found = analyse(plan(outcome, data={"unit": "site"}), data, redraws=99)
    values = arm(found, "none")["values"]
    assert (values["count"], values["exposure"]) == (12, 50)
    assert row(found)["estimate"] == pytest.approx((5 / 50) / (12 / 50))
    assert row(found)["n"] == 4


def test_several_periods_of_a_unit_are_summed_by_unit_and_never_averaged_first():
    data = frame(
        site=list("aaabbcccd"),
        arm=["none"] * 5 + ["dated"] * 4,
        month=[1, 2, 3, 1, 2, 1, 2, 3, 1],
        readings=[1.0, 2.0, 3.0, 10.0, 20.0, 1.0, 1.0, 4.0, 8.0],
    )
    trial = plan({"id": "level", "type": "mean", "column": "readings"}, data={"unit": "site", "period": "month"})
    found = analyse(trial, data, redraws=99)
    assert arm(found, "none")["values"]["mean"]["estimate"] == pytest.approx(36 / 5)
    assert (arm(found, "none")["n"], arm(found, "none")["clusters"]) == (5, 2)


def test_a_period_before_is_the_baseline_and_no_result():
    data = frame(
        site=[f"s{number}" for number in range(8)] * 2,
        arm=(["none"] * 4 + ["dated"] * 4) * 2,
        phase=["before"] * 8 + ["after"] * 8,
        readings=[4.0, 5, 6, 7, 4, 5, 6, 9, 5, 6, 6, 8, 3, 3, 5, 6],
    )
    trial = plan(
        {"id": "level", "type": "mean", "column": "readings"},
        data={"unit": "site", "period": "phase", "before": ["before"]},
    )
    found = analyse(trial, data, redraws=99)
    assert arm(found, "dated")["values"]["mean"]["estimate"] == pytest.approx(17 / 4)
    assert "baseline" in row(found)["method"]
    assert found["flow"]["allocated"] == 8


# ---- covariates, and the plan itself


def test_covariates_may_be_numbers_or_words_and_their_blanks_stay():
    table = pd.read_csv(ROSSI)
    table["previous"] = table["prio"].astype(object)
    table.loc[[1, 5, 9], "previous"] = None
    table["married"] = table["mar"].map({0: "no", 1: "yes"})
    found = analyse(rossi(ARREST, analysis={"covariates": ["previous", "married"]}), table, redraws=99)
    line = row(found, role="sensitivity")
    assert {"previous", "married=yes"} <= set(line["covariates"])
    assert line["n"] == 432
    assert [told["column"] for told in found["checks"]["balance"]] == ["previous", "married=yes"]


def test_a_live_experiment_is_sent_elsewhere():
    live = Path(__file__).resolve().parents[2] / "experiments" / "wealden-arrears.yaml"
    with pytest.raises(Refused, match="nudge uplift"):
        analyse(live, ROSSI)


def test_what_is_no_table_is_refused():
    with pytest.raises(Refused, match="pandas, polars or Arrow"):
        analyse(rossi(ARREST), object())


def test_every_number_of_a_document_is_finite():
    data = frame(arm=["none", "dated"] * 3, answered=["no"] * 6)
    found = analyse(plan(ANSWERED), data)

    def numbers(value: Any) -> Any:
        if isinstance(value, dict):
            for item in value.values():
                yield from numbers(item)
        elif isinstance(value, list):
            for item in value:
                yield from numbers(item)
        elif isinstance(value, float):
            yield value

    assert all(math.isfinite(value) for value in numbers(found))


CELL = st.sampled_from(["", " ", "0", "1", "2.5", "yes", "no", "2026-03-01", "2026-03-05", "2026-03-20", "north", "-1"])
OUTCOMES: tuple[dict[str, Any], ...] = (
    {**REPLY, "start": "one", "event": "two"},
    {**{key: REPLY[key] for key in ("id", "type")}, "duration": "one", "happened": "two", "horizon": 2},
    {"id": "answered", "type": "proportion", "column": "one", "success": ["yes", 1]},
    {"id": "amount", "type": "mean", "column": "one", "baseline": "two"},
    {"id": "litter", "type": "rate", "column": "one", "exposure": "two"},
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.tuples(st.sampled_from(["none", "dated"]), st.sampled_from("abcdef"), CELL, CELL), max_size=14),
    outcome=st.sampled_from(OUTCOMES),
    keys=st.sampled_from([{}, {"unit": "who"}, {"cluster": "who"}, {"cluster": "who", "spanning": "drop"}]),
)
def test_whatever_the_cells_hold_the_data_are_refused_or_give_a_valid_summary(rows, outcome, keys):
    data = pd.DataFrame(rows, columns=["arm", "who", "one", "two"])
    try:
        found = analyse(plan(outcome, data=keys), data, redraws=19)
    except Refused:
        return
    assert validate(found) == ()
    for counted in found["outcomes"][0]["arms"]:
        assert counted["n_assigned"] == counted["n"] + counted["missing"]
        assert counted["missing"] == sum(counted["missing_by"].values())
