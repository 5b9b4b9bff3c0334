"""One file for each defect, the smallest that shows it, and every message as it is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from intake_defects import FILES, FOLDER, KINDS, faults_of, lines_of, name_of

from nudge.base.errors import Problem, Refused
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.extract import read_extract
from nudge.intake.rejects import Reject, problems

EXPECTED = (FOLDER / "expected.txt").read_text(encoding="utf-8").splitlines()
# Shown by tests of their own: no file, a file too large to keep here, a file made by nudge, a table without words; and
# executors, whose row is read and left to an officer.
ELSEWHERE = {
    *("FILE_ABSENT", "WORKBOOK_TOO_LARGE", "HEADINGS_NONE", "COLUMN_OPTION_SHAPE", "MAPPING_UNREADABLE"),
    *("TOO_MANY_REJECTS", "NAME_DECEASED"),
}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_defect_is_named_with_its_place_its_reason_and_one_fix(path: Path) -> None:
    assert lines_of(path) == [line for line in EXPECTED if line.startswith(f"{name_of(path)} |")]


def test_the_list_of_messages_names_every_file_and_no_other() -> None:
    assert {line.split(" |", 1)[0] for line in EXPECTED} == {name_of(path) for path in FILES}


def test_every_refusal_has_a_file_that_shows_it() -> None:
    shown = {fault.code for path in FILES for fault in faults_of(path)}
    unshown = {code.name for code in (*FileCode, *RowCode) if code.slug not in shown}
    assert unshown == ELSEWHERE


def test_a_file_refused_exits_with_3() -> None:
    with pytest.raises(Refused) as refusal:
        read_extract(FOLDER / "extract" / "month_first.csv", KINDS, None)
    assert refusal.value.exit_code == 3


def test_a_rejected_row_is_a_refusal_for_whoever_does_not_go_on_without_it() -> None:
    rejects = [fault for path in FILES for fault in faults_of(path) if isinstance(fault, Reject)]
    refusals = problems("week.csv", rejects)
    assert len(refusals) == len(rejects)
    for one, problem in zip(rejects, refusals, strict=True):
        assert isinstance(problem, Problem)
        assert (problem.code, problem.place.row, problem.fix) == (one.code, one.row, one.fix)
        assert "{" not in str(problem)
