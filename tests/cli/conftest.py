"""The command line in a workspace, run as a user runs it, but in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nudge.cli.main import run
from tests.trial.conftest import (
    MONDAY,
    Office,
    drawn,
    drawn_office,
    lettered,
    lettered_office,
    office,
    posted,
    posted_office,
    sealed,
)

__all__ = [
    "drawn", "drawn_office", "lettered", "lettered_office", "office", "posted", "posted_office", "sealed",
]  # fmt: skip


@dataclass
class Ran:
    """One command: its exit code and what it printed."""

    code: int
    out: str
    err: str

    def figures(self) -> Any:
        """Standard output read as JSON: nothing else may stand there."""
        return json.loads(self.out)


@dataclass
class Terminal:
    """Type a command, in a folder, on a day."""

    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def go(self, folder: Path) -> None:
        self.patch.chdir(folder)

    def __call__(self, *words: object, on: date | None = None) -> Ran:
        days = ["--today", on.isoformat()] if on is not None else []
        self.capture.readouterr()
        code = run([*map(str, words), *days])
        said = self.capture.readouterr()
        return Ran(code, said.out, said.err)


@pytest.fixture
def nudge(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv("NUDGE_DATABASE_URL", raising=False)
    monkeypatch.delenv("NUDGE_DEBUG", raising=False)
    return Terminal(capsys, monkeypatch)


def at(office: Office, terminal: Terminal) -> Terminal:
    """The terminal, in the office's workspace."""
    terminal.go(office.folder)
    return terminal


__all__ += ["MONDAY", "Terminal", "at"]
