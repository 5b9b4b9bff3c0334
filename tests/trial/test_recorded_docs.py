"""The worked examples of docs/recorded-trials.md say what nudge says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nudge.experiment.loader import load
from nudge.reports.render import report_text
from nudge.reports.wording import Wording
from nudge.trial.recorded import analyse

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "recorded-trials.md").read_text(encoding="utf-8")
SECTIONS = {words.split("\n", 1)[0]: words for words in DOCS.split("\n## ")}
ROSSI = SECTIONS["Men released from prison, half of them given aid for a year"]
FACTORS = SECTIONS["Two changes to a letter at once"]
BELTS = SECTIONS["A law that came for everybody at once"]
LETTERS = SECTIONS["50,083 letters that ask for a gift"]


def told(plan: str, data: Path) -> tuple[dict[str, Any], str]:
    path = ROOT / "experiments" / plan
    summary = analyse(path, data)
    return summary, report_text(summary, wording=Wording.of(load(path).experiment))


def assert_blocks(section: str, text: str) -> None:
    blocks = re.findall(r"```text\n(.*?)```", section, flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert block in text


def assert_plan(section: str, plan: str) -> None:
    """The plan as the document shows it is the plan in experiments/, key by key."""
    [shown] = re.findall(r"```yaml\n(.*?)```", section, flags=re.DOTALL)
    squeezed = re.sub(r"[\s\[\]{},-]+", " ", (ROOT / "experiments" / plan).read_text(encoding="utf-8"))
    for line in shown.splitlines():
        assert re.sub(r"[\s\[\]{},-]+", " ", line).strip() in squeezed


def test_the_example_of_the_released_men_is_what_nudge_says():
    summary, text = told("rossi.yaml", ROOT / "tests" / "data" / "recorded" / "rossi.csv")
    assert_blocks(ROSSI, text)
    assert_plan(ROSSI, "rossi.yaml")
    line = summary["outcomes"][0]["estimates"][0]
    low, high = line["ci"]
    assert f"{line['estimate']:.4f}\n({low:.4f} to {high:.4f}), p {line['p_value']:.4f}" in ROSSI
    for arm in summary["outcomes"][0]["arms"]:
        mean = arm["values"]["rmst"]
        assert f"{mean['estimate']:.4f} (" in ROSSI
        assert f"{mean['se']:.4f})" in ROSSI
    naive = [arm["values"]["responders_mean"] for arm in summary["outcomes"][0]["arms"]]
    assert f"{naive[0]:.1f} and {naive[1]:.1f} weeks" in ROSSI


def test_the_example_of_two_changes_at_once_is_what_nudge_says():
    summary, text = told("factorial.yaml", ROOT / "tests" / "data" / "recorded" / "factorial.csv")
    assert_blocks(FACTORS, "\n".join(line.rstrip() for line in text.splitlines()))
    assert_plan(FACTORS, "factorial.yaml")
    draft, norm, both = summary["outcomes"][0]["panels"]["factorial"]
    assert both["ci"][0] < 0 < both["ci"][1]
    assert both["ci"][1] - both["ci"][0] > max(abs(draft["estimate"]), abs(norm["estimate"]))
    flat = " ".join(text.split())
    assert "‘redraft new’ against ‘redraft old’, of every 100 units by day 56" in flat
    assert "‘redrafted’, and" not in flat  # no share of one letter beside an effect of the factor


def test_the_example_of_the_seat_belts_is_what_nudge_says():
    summary, text = told("seat-belts.yaml", ROOT / "tests" / "data" / "recorded" / "seat_belts.csv")
    assert_blocks(BELTS, "\n".join(line.rstrip() for line in text.splitlines()))
    assert_plan(BELTS, "seat-belts.yaml")
    assert summary["outcomes"][0]["verdict"] == []


def test_the_example_of_the_letters_is_what_nudge_says(shared_data):
    data = shared_data / "karlan_list2007_match_letters" / "karlan_list.csv.gz"
    summary, text = told("karlan-list-2007.yaml", data)
    assert_blocks(LETTERS, text)
    one, two, three = summary["outcomes"][0]["estimates"][:3]
    assert f"p = {two['p_value']:.3f} and p = {three['p_value']:.3f}" in LETTERS
    assert f"p = {two['p_adjusted']:.3f} and p = {three['p_adjusted']:.3f}" in LETTERS
    assert f"p = {one['p_value']:.3f}" in LETTERS
    assert {round(100 * line["estimate"], 1) for line in (two, three)} == {0.5}


@pytest.mark.parametrize(
    "plan", ["rossi.yaml", "karlan-list-2007.yaml", "pbc.yaml", "factorial.yaml", "seat-belts.yaml"]
)
def test_every_plan_of_a_recorded_trial_that_comes_with_nudge_can_be_read(plan):
    assert load(ROOT / "experiments" / plan).experiment.design.method == "recorded"
