"""One file for each defect of a recorded data set, and the exact words with which it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nudge.base.errors import Refused
from nudge.trial.recorded import analyse
from nudge.trial.recorded_codes import RecordedCode

DEFECTS = Path(__file__).resolve().parents[1] / "data" / "defects" / "recorded"
ANSWERED = {"id": "answered", "type": "proportion", "column": "answered"}
REPLY = {
    "id": "days_to_reply",
    "type": "time_to_event",
    "start": "sent_on",
    "event": "replied_on",
    "data_cut": "2026-03-31",
    "horizon": 14,
}
SERIES = {"id": "arrears", "type": "mean", "column": "arrears"}
READINGS = {"id": "fouling", "type": "rate", "column": "readings"}
PLANS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "arm_blank": (ANSWERED, {}),
    "arm_unlisted": (ANSWERED, {}),
    "arm_empty": (ANSWERED, {}),
    "column_absent": (ANSWERED, {}),
    "no_rows": (ANSWERED, {}),
    "row_too_wide": (ANSWERED, {}),
    "unit_blank": (ANSWERED, {"unit": "case"}),
    "unit_in_two_arms": (ANSWERED, {"unit": "case"}),
    "unit_in_two_households": (ANSWERED, {"unit": "case", "cluster": "household"}),
    "unit_in_two_offices": (ANSWERED, {"unit": "case", "strata": ["office"]}),
    "second_row": (ANSWERED, {"unit": "case"}),
    "period_twice": (ANSWERED, {"unit": "case", "period": "month"}),
    "before_absent": (READINGS, {"unit": "site", "period": "phase", "before": ["befor"]}),
    "cluster_blank": (ANSWERED, {"cluster": "household"}),
    "cluster_in_two_arms": (ANSWERED, {"cluster": "household"}),
    "pair_broken": (READINGS, {"unit": "site", "pair": "pair"}),
    "start_blank_in_some_arms": (REPLY, {"unit": "case"}),
    "start_disagrees": (REPLY, {"unit": "case"}),
    "date_unreadable": (REPLY, {"unit": "case"}),
    "number_unreadable": ({"id": "amount", "type": "mean", "column": "amount"}, {}),
    "duration_negative": (
        {"id": "days_to_reply", "type": "time_to_event", "duration": "days", "happened": "replied", "horizon": 10},
        {},
    ),
    "exposure_nought": ({**READINGS, "exposure": "days"}, {}),
    "word_unreadable": (ANSWERED, {}),
    "covariate_too_wide": (ANSWERED, {"analysis": {"covariates": ["street"]}}),
    "subgroup_too_wide": (ANSWERED, {"analysis": {"subgroups": ["street"]}}),
    "series_periods": (SERIES, {"period": "month"}),
    "series_gap": (SERIES, {"period": "month"}),
    "horizon_beyond_follow_up": ({**REPLY, "horizon": 60}, {"unit": "case"}),
}


def plan(name: str) -> dict[str, Any]:
    outcome, data = PLANS[name]
    data = dict(data)
    whole = {
        "id": "reminder-letters",
        "design": {"method": "recorded", "randomised": "yes"},
        "arms": [{"id": "none", "control": True}, {"id": "dated"}],
        "outcomes": [outcome],
    }
    if name.startswith("series"):
        whole["design"] = {"method": "recorded", "randomised": "no", "compare": "interrupted_series"}
    if "analysis" in data:
        whole["analysis"] = data.pop("analysis")
    return {**whole, "data": {"arm": "letter", **data}}


def refusal(name: str) -> Refused:
    with pytest.raises(Refused) as refused:
        analyse(plan(name), DEFECTS / f"{name}.csv", redraws=99)
    return refused.value


def expected() -> dict[str, str]:
    lines = (DEFECTS / "expected.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" | ", 1) for line in lines if line)


@pytest.mark.parametrize("name", sorted(PLANS))
def test_a_defect_is_refused_in_its_own_words(name):
    assert str(refusal(name)).replace("\n", " // ") == expected()[name]


def test_every_file_of_a_defect_is_tried():
    assert {path.stem for path in DEFECTS.glob("*.csv")} == set(PLANS) == set(expected())


def test_i12_no_refusal_shows_a_cell():
    for name in PLANS:
        said = str(refusal(name))
        cells = {
            cell.strip()
            for line in (DEFECTS / f"{name}.csv").read_text(encoding="utf-8").splitlines()[1:]
            for cell in line.split(",")
            if len(cell.strip()) > 3
        }
        declared = {"none", "dated", "before"}  # words of the plan
        assert not {cell for cell in cells - declared if cell in said}, name


def test_every_refusal_of_a_recorded_trial_can_be_read_aloud():
    names = ("kind", "column", "key", "nearest", "known", "count", "row", "rows", "arms", "arm", "total", "word")
    facts = dict.fromkeys((*names, "blank", "limit"), "x")
    for code in RecordedCode:
        sentence = code.expected.format(**facts) + ". " + code.fix.format(**facts)
        assert sentence.endswith((".", "`."))


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("case,letter,household,answered\n1,none,A,yes\n,dated,A,no\n3,,B,no\n", encoding="utf-8")
    whole = plan("cluster_in_two_arms")
    whole["data"]["unit"] = "case"
    with pytest.raises(Refused) as refused:
        analyse(whole, path)
    assert [problem.code for problem in refused.value.problems] == ["arm-blank", "cell-blank"]
