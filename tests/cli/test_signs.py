"""`nudge signs` as an officer types it: figures for a machine, a dry run, a way back, and no arm on any screen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.experiments.places import LISTED, STARTS, filled_log, nearby, sites_csv
from tests.trial.test_sites import NAME, row, workspace

END = STARTS + timedelta(days=29)


def test_sites_are_drawn_signs_made_and_what_is_up_recorded(
    nudge: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = workspace(tmp_path / "council")
    monkeypatch.chdir(folder)
    rows = [row(number) for number in range(1, 13)] + [row(13, Highway=""), row(14, traffic="5")]
    rows.append(nearby(1) | {"pair": "", "traffic": ""})
    (folder / "data" / "sites.csv").write_bytes(sites_csv(rows))
    typed = ("signs", NAME, "data/sites.csv", "--starts", STARTS)
    assert nudge(*typed, on=LISTED).code == 3
    dry = nudge(*typed, "--accept-good-rows", "--dry-run", "--json", "-", on=LISTED)
    assert (dry.code, dry.figures()["drawn"], dry.figures()["at_fault"]) == (0, 12, 1)
    done = nudge(*typed, "--accept-good-rows", on=LISTED)
    assert done.code == 0
    for words in ("12  sites drawn", "1  left out: not eligible", "row 14", f"nudge undo {NAME}/1", "install-log.csv"):
        assert words in done.out
    assert "drawn before" in nudge(*typed, "--accept-good-rows", on=LISTED).out
    assert nudge("signs", NAME, "data/sites.csv", "--installed", "data/sites.csv", on=LISTED).code == 2
    assert "Nobody" not in nudge("signs", NAME, "--dry-run", on=LISTED).out
    log = folder / "data" / "log.csv"
    [form] = (folder / "out" / NAME).glob("batch-*/install-log.csv")
    log.write_bytes(filled_log(form, by=END))
    tried = nudge("signs", NAME, "--installed", log, "--dry-run", on=END)
    assert (tried.code, "nothing was kept" in tried.out) == (0, True)
    up = nudge("signs", NAME, "--installed", log, "--json", "-", on=END)
    assert up.figures()["day0"] == STARTS.isoformat()
    assert "Nothing changed" in nudge("signs", NAME, "--installed", log, on=END).out
    assert nudge("undo", f"{NAME}/1", on=END).code == 3
    held = nudge("hold", NAME, "S01", "--because", "consent", on=END)
    assert "no sign goes up" in held.out
    shown = done.out + up.err + nudge("status", NAME, on=END).out
    assert not [line for line in shown.splitlines() if "eyes" in line.replace(NAME, "")]


def test_an_undone_list_is_given_again(nudge: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = workspace(tmp_path / "council")
    monkeypatch.chdir(folder)
    (folder / "data" / "sites.csv").write_bytes(sites_csv([row(number) for number in range(1, 13)]))
    assert nudge("signs", NAME, "data/sites.csv", on=LISTED).code == 0
    gone = nudge("undo", f"{NAME}/1", on=LISTED)
    assert (gone.code, f"nudge signs {NAME} SITES" in gone.out) == (0, True)
    again = nudge("signs", NAME, "data/sites.csv", on=LISTED)
    assert "12  back from an undone batch" in again.out
