"""Whose letter reached whom, and what was spent, read from somebody else's data."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from nudge.base.errors import Refused
from nudge.trial.recorded import analyse

N = 200


def plan(**keys: Any) -> dict[str, Any]:
    data = {"arm": "letter", **keys.pop("data", {})}
    return {
        "id": "reminder-letters",
        "design": {"method": "recorded", "randomised": "yes"},
        "data": data,
        "arms": [{"id": "none", "control": True}, {"id": "dated"}],
        "outcomes": [{"id": "renewed", "type": "proportion", "column": "renewed", "primary": True, "better": "higher"}],
        **keys,
    }


def frame(**columns: Any) -> pd.DataFrame:
    letters = ["none"] * N + ["dated"] * N
    renewed = [int(n % 10 < 3) for n in range(N)] + [int(n % 10 < 5) for n in range(N)]
    return pd.DataFrame({"letter": letters, "renewed": renewed, **columns})


def panel(summary: dict[str, Any], name: str) -> Any:
    return summary["outcomes"][0]["panels"][name]


def test_yes_and_no_say_whether_the_units_own_letter_came():
    came = ["no"] * N + ["yes" if n % 4 else "no" for n in range(N)]
    summary = analyse(plan(data={"received": "came"}), frame(came=came))
    [line] = panel(summary, "compliance")
    assert (line["received_arm"], line["received_reference"]) == (0.75, 0.0)
    assert line["estimate"] == pytest.approx(0.2 / 0.75)
    told = summary["checks"]["after_draw"]["not_received"]
    assert told["counts"] == {"none": 200, "dated": 50}


def test_a_column_of_arms_says_whose_letter_came_to_whom():
    came = ["dated" if n % 10 == 0 else "none" for n in range(N)] + ["dated" if n % 5 else "" for n in range(N)]
    [line] = panel(analyse(plan(data={"received": "came"}), frame(came=came)), "compliance")
    assert (line["received_arm"], line["received_reference"]) == (0.8, 0.1)
    assert line["estimate"] == pytest.approx(0.2 / 0.7)


def test_a_word_that_says_neither_yes_nor_an_arm_is_refused():
    with pytest.raises(Refused) as refusal:
        analyse(plan(data={"received": "came"}), frame(came=["perhaps"] * 2 * N))
    assert {problem.code for problem in refusal.value.problems} == {"word-unreadable"}


def test_without_the_column_nothing_is_said_of_receipt():
    summary = analyse(plan(), frame())
    assert "compliance" not in summary["outcomes"][0]["panels"]
    assert summary["checks"]["after_draw"] is None


def test_pounds_spent_below_zero_or_blank_are_refused():
    with pytest.raises(Refused) as refusal:
        analyse(plan(data={"spent": "pounds"}), frame(pounds=[-1.0] + [1.0] * (2 * N - 2) + [None]))
    assert {problem.code for problem in refusal.value.problems} == {"number-negative", "cell-blank"}


def test_i9_units_with_a_blank_outcome_are_the_ones_that_are_bounded():
    renewed = ["" if n % 20 == 0 else int(n % 10 < 3) for n in range(N)] + [int(n % 10 < 5) for n in range(N)]
    worst, trimmed = panel(analyse(plan(), frame().assign(renewed=renewed)), "bounds")
    assert (worst["missing_arm"], worst["missing_reference"], worst["assigned_reference"]) == (0, 10, N)
    assert worst["bounds"][1] - worst["bounds"][0] == pytest.approx(10 / N)
    assert trimmed["trimmed"] == "dated"
    assert "bounds" not in analyse(plan(), frame())["outcomes"][0]["panels"]


def test_units_that_had_responded_by_day_0_or_spanned_arms_have_no_outcome_to_bound():
    outcome = {"id": "reply", "type": "proportion", "start": "sent", "event": "replied", "within": 14}
    outcome |= {"data_cut": "2026-03-31", "primary": True, "better": "higher"}
    sent = ["2026-01-05"] * 2 * N
    replied = ["2026-01-04" if n % 10 == 0 else "2026-01-10" if n % 3 == 0 else "" for n in range(2 * N)]
    summary = analyse(plan(outcomes=[outcome]), frame(sent=sent, replied=replied))
    assert summary["outcomes"][0]["arms"][0]["missing_by"] == {"event_on_or_before_start": 20}
    assert "bounds" not in summary["outcomes"][0]["panels"]


def test_pounds_of_an_arm_or_of_each_unit_are_what_was_spent():
    arms = [{"id": "none", "control": True, "cost": 0}, {"id": "dated", "cost": 0.92}]
    [line] = panel(analyse(plan(arms=arms), frame()), "costs")
    assert (line["cost_arm"], line["cost_reference"], line["ratio"]) == (92.0, 0.0, pytest.approx(92 / 0.2))
    pounds = [0.0] * N + [0.92] * N
    assert panel(analyse(plan(data={"spent": "pounds"}), frame(pounds=pounds)), "costs") == [line]


def test_the_price_goes_by_the_arm_whatever_the_order_of_the_arms():
    arms = [{"id": "dated", "cost": 0.92}, {"id": "none", "control": True, "cost": 0}]
    [line] = panel(analyse(plan(arms=arms), frame()), "costs")
    assert (line["arm"], line["cost_arm"], line["cost_reference"]) == ("dated", 92.0, 0.0)
