"""How each file of tests/data/defects/intake is read, and the lines that then stand on the screen."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Final

from nudge.base.columns import Kind
from nudge.base.errors import Problem, Refused
from nudge.intake.extract import read_extract
from nudge.intake.history import read_history
from nudge.intake.mapping import ColumnMapping
from nudge.intake.readings import read_readings
from nudge.intake.rejects import Reject
from nudge.intake.responses import read_responses
from nudge.intake.suppression import read_suppression

FOLDER: Final = Path(__file__).resolve().parents[1] / "data" / "defects" / "intake"
FILES: Final = sorted(path for path in FOLDER.glob("*/*") if path.is_file())
KINDS: Final = {"arrears": Kind.MONEY, "court_date": Kind.DATE}
COVERS: Final = (date(2026, 1, 1), date(2026, 6, 30))
LEARNT: Final = ColumnMapping("extract", {"court_date": "Court Hearing Day"})
OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "extract/encoding_said_fails.csv": {"encoding": "utf-8"},
    "extract/encoding_unknown.csv": {"encoding": "ebcdic"},
    "extract/heading_learnt_is_gone.csv": {"mapping": LEARNT},
    "extract/sheet_absent.xlsx": {"sheet": "South"},
    "history/after_the_cover.csv": {"covers": COVERS},
    "history/date_ahead.csv": {"today": date(2026, 11, 23)},
    "history/letter_outside_the_cover.csv": {"covers": COVERS},
    "responses/contacts_outside_the_cover.csv": {"covers": (date(2026, 12, 1), date(2026, 12, 7))},
    "responses/coverage_reversed.csv": {"covers": (date(2026, 12, 7), date(2026, 12, 1))},
    "responses/heading_absent.csv": {"kind": "contacts"},
    "responses/kind_unknown.csv": {"kind": "letters"},
}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def faults_of(path: Path) -> tuple[Problem | Reject, ...]:
    """Why the file is refused, or which of its rows are set aside."""
    options = dict(OPTIONS.get(name_of(path), {}))
    try:
        if path.parent.name == "extract":
            with read_extract(path, KINDS, options.pop("mapping", None), **options) as extract:
                return extract.rejects
        if path.parent.name == "suppression":
            read_suppression(path, dated=date(2026, 11, 20), **options)
            return ()
        if path.parent.name == "history":
            with read_history(path, {"arrears": Kind.MONEY}, None, **options) as history:
                return history.rejects
        if path.parent.name == "readings":
            return read_readings(path, path.name.partition("_")[0], **options).rejects
        return read_responses(path, **options).rejects
    except Refused as refusal:
        return refusal.problems


def lines_of(path: Path) -> list[str]:
    return [f"{name_of(path)} | {fault.code} | {fault}" for fault in faults_of(path)]
