"""Factors, subgroups and a hold-out of somebody else's trial, from the plan and the file to the report."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from nudge.experiment.loader import define
from nudge.reports.render import report_text
from nudge.reports.summary import validate
from nudge.reports.wording import Wording
from nudge.trial.recorded import analyse

ARMS = [
    {"id": "plain", "control": True, "factors": {"redraft": "old", "norm": "none"}},
    {"id": "redrafted", "factors": {"redraft": "new", "norm": "none"}},
    {"id": "normed", "factors": {"redraft": "old", "norm": "local"}},
    {"id": "both", "factors": {"redraft": "new", "norm": "local"}},
]
PAID = {"id": "paid", "type": "proportion", "column": "paid", "primary": True, "better": "higher"}


def letters(arms: tuple[str, ...] = ("plain", "redrafted", "normed", "both")) -> pd.DataFrame:
    """400 invented letters: the redraft brings 10 more of every 100, the norm 5, and they add up."""
    rows = []
    for number in range(400):
        arm = arms[number % len(arms)]
        share = 20 + 10 * (arm in ("redrafted", "both")) + 5 * (arm in ("normed", "both"))
        rows.append(
            {
                "arm": arm,
                "paid": "yes" if (number // 4 * 37) % 100 < share else "no",
                "age": ("under 40", "40 to 69", "70 and over", "")[number // 4 % 4],
            }
        )
    return pd.DataFrame(rows)


def plan(design: dict[str, Any], arms: list[dict[str, Any]], **keys: Any) -> dict[str, Any]:
    return {
        "id": "letters",
        "design": {"method": "recorded", "randomised": "yes", **design},
        "data": {"arm": "arm"},
        "arms": arms,
        "outcomes": [PAID],
        **keys,
    }


def test_a_factorial_trial_leads_with_its_factors_and_prints_their_interaction():
    wanted = plan({"factorial": "main_effects"}, ARMS)
    summary = analyse(wanted, letters())
    assert validate(json.loads(json.dumps(summary))) == ()
    one, two = (row for row in summary["outcomes"][0]["estimates"] if row["role"] == "headline")
    assert (one["estimate"], two["estimate"]) == (pytest.approx(0.10), pytest.approx(0.05))
    assert one["contrast"] == ["redraft new", "redraft old", "averaged over norm"]
    main, other, interaction = summary["outcomes"][0]["panels"]["factorial"]
    assert (main["kind"], other["kind"], interaction["kind"]) == ("main_effect", "main_effect", "interaction")
    assert interaction["estimate"] == pytest.approx(0, abs=1e-12)
    text = " ".join(report_text(summary, wording=Wording.of(define(wanted))).split())
    assert "10.0 more of every 100 units with ‘redraft new’ than with ‘redraft old’" in text
    assert "This is averaged over norm." in text
    assert "Interaction of" in text  # the table folds its cells: a line each
    assert "If how much one factor does depends on another, that average is nobody's" in text


def test_cells_lead_where_the_plan_says_so():
    summary = analyse(plan({"factorial": "cells"}, ARMS), letters())
    rows = [row for row in summary["outcomes"][0]["estimates"] if row["role"] == "headline"]
    assert [(row["arm"], row["contrast"]) for row in rows] == [("redrafted", None), ("normed", None), ("both", None)]
    assert [item["arm"] for item in summary["outcomes"][0]["verdict"]] == ["redrafted", "normed", "both"]


def test_subgroups_are_printed_with_the_one_test_that_speaks():
    arms = [{"id": "plain", "control": True}, {"id": "redrafted"}]
    wanted = plan({}, arms, analysis={"subgroups": ["age"]})
    data = letters()
    data = data[data["arm"].isin(["plain", "redrafted"])]
    summary = analyse(wanted, data)
    lines = summary["outcomes"][0]["panels"]["subgroups"]
    assert [line.get("level") for line in lines] == ["40 to 69", "70 and over", "under 40", None]
    assert lines[-1]["missing"] == int((data["age"] == "").sum())
    assert not any("ubgroup" in note for note in summary["notes"])
    text = " ".join(report_text(summary, wording=Wording.of(define(wanted))).split())
    assert "Only the test of each last row speaks of a difference between groups." in text
    assert "Do the groups differ?" in text


def test_a_hold_out_is_set_against_everything_else_and_has_no_verdict():
    arms = [{"id": "plain", "control": True}, {"id": "redrafted"}, {"id": "nothing", "hold_out": True}]
    wanted = plan({}, arms)
    summary = analyse(wanted, letters(("plain", "redrafted", "nothing", "nothing")))
    assert [item["arm"] for item in summary["outcomes"][0]["verdict"]] == ["redrafted"]
    [line] = summary["outcomes"][0]["panels"]["hold_out"]
    assert (line["reference"], line["arms"], line["n"]) == ("nothing", ["plain", "redrafted"], 400)
    assert line["estimate"] == pytest.approx(0.05)
    assert [arm["arm"] for arm in summary["arms"]] == ["plain", "redrafted", "nothing"]
    text = " ".join(report_text(summary, wording=Wording.of(define(wanted))).split())
    assert "plain and redrafted, against ‘nothing’" in text
