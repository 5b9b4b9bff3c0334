"""Invented sites for trials of signs: a workspace sealed for one, and its sites file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

from nudge.base.resources import resources
from nudge.trial.handle import Trial, open_trial
from nudge.trial.sealing import record_beacon, seal_trial
from nudge.workspace import make_workspace, open_workspace
from tests.trial.conftest import SECRET, SIGNED, as_csv, moment

SEALED = date(2027, 2, 1)
LISTED = date(2027, 3, 1)
STARTS = date(2027, 3, 15)


def trial_of(folder: Path, name: str) -> Trial:
    """The trial as the next command would open it."""
    return open_trial(open_workspace(folder), name)


def sealed(folder: Path, name: str, edit: Callable[[str], str] = lambda text: text) -> Path:
    """A workspace in which one experiment of signs is sealed."""
    make_workspace(folder, council="Anytown Borough Council", resources=resources())
    path = folder / "experiments" / f"{name}.yaml"
    text = path.read_text("utf-8")
    for blank, filled in SIGNED.items():
        text = text.replace(blank, filled)
    path.write_text(edit(text), "utf-8")
    seal_trial(trial_of(folder, name), secret=SECRET, now=moment(SEALED))
    record_beacon(trial_of(folder, name), "04 11 23 31 40 52", now=moment(LISTED - timedelta(days=1)))
    return folder


def place(number: int, **changes: str) -> dict[str, str]:
    """One row of a sites file: an invented place where a sign may go up."""
    row = {
        "Site ID": f"S{number:02}",
        "Name": f"Invented Corner {number}",
        "Street": f"{('North', 'South')[number % 2]} Road {number}",
        "Latitude": f"{51 + number / 1000:.4f}",
        "Longitude": f"{-1 - number / 1000:.4f}",
        "Owner": "Anytown Borough Council",
        "Owner Consent": "yes",
        "Consent On": "2027-01-15",
        "Consent By": "Head of Parks",
        "Highway": "no",
        "Authorisation": "",
        "Size": "",
        "Displacement Of": "",
        "Installer": ("Crew A", "Crew B")[number % 2],
    }
    return row | changes


def nearby(number: int) -> dict[str, str]:
    """A place watched for site `number`: it gets no sign, so nobody was asked for one."""
    return place(
        50 + number,
        **{
            "Site ID": f"W{number:02}",
            "Owner Consent": "",
            "Consent On": "",
            "Consent By": "",
            "Highway": "",
            "Displacement Of": f"S{number:02}",
        },
    )


def sites_csv(rows: list[Mapping[str, str]] | list[dict[str, str]]) -> bytes:
    """The sites file."""
    return as_csv(rows, tuple(rows[0]))
