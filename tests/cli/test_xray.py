"""`nudge xray`, typed as a councillor's officer would."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Terminal


def test_a_published_claim_becomes_a_page_and_figures(nudge: Terminal, tmp_path: Path) -> None:
    page, figures = tmp_path / "x.html", tmp_path / "x.json"
    ran = nudge("xray", "--before", "46", "--after", "21", "--report", page, "--json", figures)
    assert ran.code == 0
    assert "the whole fall of 25 days needs no better letter" in " ".join(ran.out.split())
    assert page.read_text("utf-8").startswith("<!")
    assert json.loads(figures.read_text("utf-8"))["findings"][0]["cause"] == "window"


def test_a_claim_that_rose_is_refused(nudge: Terminal) -> None:
    ran = nudge("xray", "--before", "21", "--after", "46")
    assert ran.code == 3
    assert "fell from before to after" in ran.err


def test_figures_alone_go_to_standard_output(nudge: Terminal) -> None:
    ran = nudge("xray", "--before", "46", "--after", "21", "--followed", "113", "45", "--json", "-")
    assert ran.figures()["findings"][0]["share"] > 0.95
