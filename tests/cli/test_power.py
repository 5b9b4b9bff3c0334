"""`nudge power` as it is typed: in an empty folder, with a history, as a page, as figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.trial.test_planning import BASELINE, history, trial

FLAGSHIP = Path(__file__).parents[2] / "experiments" / "wealden-arrears.yaml"


def test_it_needs_no_workspace_and_says_what_would_do(nudge: Terminal, tmp_path: Path) -> None:
    nudge.go(tmp_path)
    shown = nudge("power", FLAGSHIP, "--simulations", 0)
    assert shown.code == 0
    assert "THIS TRIAL CANNOT ANSWER ITS QUESTION." in shown.out
    assert "These would, the easiest first:" in shown.out
    assert "Run it with other councils" in shown.out
    assert "assumed: nothing was known" in shown.out
    assert "of invented trials" not in shown.out
    assert list(tmp_path.iterdir()) == []


def test_a_trial_that_is_large_enough_is_told_so(nudge: Terminal, tmp_path: Path) -> None:
    nudge.go(tmp_path)
    shown = nudge("power", trial(tmp_path, baseline=BASELINE % 9000), "--simulations", 5)
    assert "THIS TRIAL CAN ANSWER ITS QUESTION." in shown.out
    assert "WHAT WOULD" not in shown.out
    assert "WHAT ITS REPORT WOULD SAY" in shown.out


def test_json_alone_stands_on_standard_output_and_comes_out_the_same_twice(nudge: Terminal, tmp_path: Path) -> None:
    nudge.go(tmp_path)
    arguments = ("power", trial(tmp_path), "--history", history(tmp_path), "--weeks", 20, "--simulations", 10)
    first, second = (nudge(*arguments, "--json", "-").figures() for _ in range(2))
    assert first == second
    assert first["schema"] == "nudge-power/1"
    assert first["weeks"] == 20
    assert first["outcome"]["id"] == "days"
    assert [one["effect"] for one in first["simulated"]].count(0.0) == 1
    assert first["baseline"]["outcome"] == "days"
    assert {one["origin"] for one in first["figures"]} == {"history"}


def test_the_page_holds_the_picture_and_asks_for_nothing(nudge: Terminal, tmp_path: Path) -> None:
    nudge.go(tmp_path)
    page = tmp_path / "plan.html"
    shown = nudge("power", FLAGSHIP, "--simulations", 3, "--report", page)
    assert f"Written: {page}" in shown.out
    text = page.read_text("utf-8")
    assert text.count("data:image/svg+xml;base64,") == 2  # for a page and for a telephone
    assert "Plan of a trial" in text
    assert "http" not in text.replace("http://www.w3.org", "")
    pdf = tmp_path / "plan.pdf"
    assert nudge("power", FLAGSHIP, "--simulations", 0, "--report", pdf).code == 0
    assert pdf.read_bytes().startswith(b"%PDF")


def test_what_is_refused_names_the_way_on(nudge: Terminal, tmp_path: Path) -> None:
    nudge.go(tmp_path)
    shown = nudge("power", trial(tmp_path))
    assert shown.code == 3
    assert "--history FILE" in shown.err
    assert nudge("power", "no-such").code == 3
    assert nudge("power", trial(tmp_path, baseline=BASELINE % 6, enrol="once", cluster="")).code == 3


@pytest.mark.parametrize("units", [40, 400])
def test_a_trial_that_enrols_once_is_told_in_units(nudge: Terminal, tmp_path: Path, units: int) -> None:
    nudge.go(tmp_path)
    path = trial(tmp_path, baseline=BASELINE % units, enrol="once", cluster="")
    shown = nudge("power", path, "--simulations", 3, "--report", tmp_path / "plan.html")
    assert shown.code == 0
    assert "all at once" in shown.out
    assert "IF IT WERE LARGER OR SMALLER" in shown.out
    assert "weeks" not in shown.out.partition("WHAT THIS RESTS ON")[0]


def test_no_word_of_the_trade_is_left_unexplained(nudge: Terminal, tmp_path: Path) -> None:
    nudge.go(tmp_path)
    shown = nudge("power", FLAGSHIP, "--simulations", 2).out.partition("FOR THE ANALYST")[0].lower()
    for word in ("power", "significan", "hazard", "rmst", "intra-cluster", "variance", "null", "p-value", "monte"):
        assert word not in shown, word
