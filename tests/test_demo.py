"""The demonstration, small: the whole main job on a simulated council, from messy extracts to a certificate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from nudge.base.errors import Refused
from nudge.cli.main import nudge
from nudge.demo import Demonstration, run_demo


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    folder = tmp_path_factory.mktemp("shown") / "demo"
    return run_demo(folder, say=lambda _: None, tenancies=60, weeks=3, redraws=199)


def test_i2_every_arm_of_the_demonstration_is_drawn_again(shown: Demonstration) -> None:
    assert shown.verified.problems == ()
    assert shown.verified.redrawn
    assert shown.verified.clusters > 10


def test_i9_every_row_of_the_demonstration_is_in_one_count(shown: Demonstration) -> None:
    flow = shown.written.summary["flow"]
    left = sum(flow["rejected"].values()) + flow["repeated"] + sum(flow["excluded"].values())
    assert flow["rows"] == left + flow["allocated"]
    assert shown.rejected > 0


def test_the_demonstration_leaves_letters_a_report_and_a_certificate(shown: Demonstration) -> None:
    out = shown.folder / "out" / "wealden-arrears"
    assert {path.name for path in shown.written.files} == {"summary.json", "report.html", "report.pdf"}
    assert all(path.stat().st_size > 1000 for path in (*shown.written.files, *shown.certificate))
    letters = list(out.glob("batch-*/letters/*.pdf"))
    assert len(letters) >= shown.posted > 10
    assert json.loads((out / "summary.json").read_text("utf-8")) == shown.written.summary


def test_i12_the_demonstration_is_closed_to_others(shown: Demonstration) -> None:
    open_to_others = [path for path in shown.folder.rglob("*") if path.stat().st_mode & 0o077]
    assert open_to_others == []


def test_a_folder_that_holds_something_else_is_not_replaced(tmp_path: Path) -> None:
    kept = tmp_path / "notes.txt"
    kept.write_text("mine", "utf-8")
    with pytest.raises(Refused):
        run_demo(tmp_path, say=lambda _: None, tenancies=60, weeks=3)
    assert kept.read_text("utf-8") == "mine"


def test_a_demonstration_is_replaced_by_the_next(shown: Demonstration, tmp_path: Path) -> None:
    from nudge.demo import clear

    shutil.copytree(shown.folder, tmp_path / "demo")
    clear(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()


def test_the_artefact_shows_46_and_21_days_without_any_effect() -> None:
    result = CliRunner().invoke(nudge, ["demo", "--artefact"])
    assert result.exit_code == 0
    assert "46.6      21.3" in result.output
    assert "36.2      36.3" in result.output
