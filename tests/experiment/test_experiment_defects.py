"""One file per defect, the smallest that shows it, and every message as it is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.experiment.codes import ExperimentCode
from nudge.experiment.loader import load

FOLDER = Path(__file__).resolve().parents[1] / "data" / "defects" / "experiment"
DEFECTS = sorted(FOLDER.glob("*.yaml"))
EXPECTED = (FOLDER / "expected.txt").read_text(encoding="utf-8").splitlines()
# Refused elsewhere than in a file's text (test_experiment_file.py, test_seal.py), or never.
ELSEWHERE = {"FILE_MISSING", "FILE_NOT_A_FILE", "FILE_TOO_LARGE", "VALUE_MISFITS"}


def problems_of(path: Path) -> Refused:
    with pytest.raises(Refused) as refusal:
        load(path)
    return refusal.value


@pytest.mark.parametrize("path", DEFECTS, ids=lambda path: path.stem)
def test_a_defect_is_refused_at_its_line_and_column_with_one_fix(path: Path) -> None:
    messages = [line for line in EXPECTED if line.startswith(f"{path.name}:")]
    assert str(problems_of(path)).splitlines() == messages


def test_the_list_of_messages_names_no_file_that_is_gone() -> None:
    assert {line.split(":", 1)[0] for line in EXPECTED} == {path.name for path in DEFECTS}


def test_every_refusal_has_a_file_that_shows_it() -> None:
    shown = {problem.code for path in DEFECTS for problem in problems_of(path).problems}
    unshown = {
        code.name for code in ExperimentCode if code.slug not in shown and not code.name.startswith(("SEAL_", "NOTE_"))
    }
    assert unshown == ELSEWHERE


def test_a_refusal_exits_with_3() -> None:
    assert problems_of(FOLDER / "seed_given.yaml").exit_code == 3
