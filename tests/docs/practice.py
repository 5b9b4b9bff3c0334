"""A workspace to practise in: an invented council, its sealed trial, and four weeks of files. Nothing is drawn yet."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from nudge.base.files import write_whole
from nudge.base.resources import resources
from nudge.demo import run_demo
from nudge.simulation.council import SimulatedCouncil, simulate
from nudge.simulation.responses import respond
from nudge.trial.handle import open_trial
from nudge.trial.sealing import record_beacon, seal_trial
from nudge.workspace import make_workspace, open_workspace
from tests.experiments import places

TRIAL: Final = "wealden-arrears"
SIGNS: Final = "recycling-eyes"
START: Final = date(2026, 12, 7)
SECRET: Final = hashlib.sha256(b"practice").digest()
SIGNED: Final = {
    'service: ""': 'service: "AB 2026-11-20"',
    'legal: ""': 'legal: "CD 2026-11-20"',
    'communications: ""': 'communications: "EF 2026-11-20"',
    'data_protection: ""': 'data_protection: "GH 2026-11-20"',
    'keeper: ""': 'keeper: "head of internal audit"',
}


def council() -> SimulatedCouncil:
    """Some 60 tenancies over four weeks, invented anew from one number."""
    return simulate(7, start=START, weeks=4, tenancies=60)


def workspace(folder: Path) -> SimulatedCouncil:
    """Make the workspace, unsealed: settings, letters, the experiment signed off, and the council's files in data/."""
    invented = council()
    make_workspace(folder, council=invented.name, resources=resources())
    plan = folder / "experiments" / f"{TRIAL}.yaml"
    text = plan.read_text("utf-8")
    for blank, filled in SIGNED.items():
        text = text.replace(blank, filled)
    write_whole(plan, text)
    for sheet in (
        invented.history,
        *(part for week in invented.weeks for part in (week.extract, week.suppression, week.suppression_at_posting)),
    ):
        write_whole(folder / "data" / sheet.name, sheet.csv())
    return invented


def sealed(folder: Path) -> SimulatedCouncil:
    """The same, sealed on 30 November, its beacon drawn on 5 December."""
    invented = workspace(folder)
    trial = open_trial(open_workspace(folder), TRIAL)
    seal_trial(trial, secret=SECRET, now=datetime(2026, 11, 30, 10, tzinfo=UTC))
    record_beacon(
        open_trial(open_workspace(folder), TRIAL), "04 11 23 31 40 52", now=datetime(2026, 12, 5, 21, tzinfo=UTC)
    )
    return invented


def answers(folder: Path, until: date) -> None:
    """Write what came back up to a day, as the tenants of this workspace answer the letters that they got.

    In a workspace of signs: the installers' log, and the incidents reported at the sites.
    """
    if (folder / "data" / "sites.csv").is_file():
        _reported(folder, until)
        return
    from nudge.demo import _drawn

    arms, day0, letters = _drawn(folder)
    known = {reference: arm for reference, arm in arms.items() if reference in day0}
    came = respond(council(), known, day0, until=until, letters=letters)
    files = (came.contacts, came.payments, came.returned, came.complaints, came.moved, came.breathing_space)
    for sheet in (*files, *came.rent_accounts):
        write_whole(folder / "data" / sheet.name, sheet.csv())


def signs(folder: Path) -> None:
    """A sealed trial of signs, its sites file, and the same with two sites that are not settled."""
    places.sealed(folder, SIGNS)
    rows = [places.place(number, pair=f"P{(number + 1) // 2}") for number in range(1, 17)]
    rows += [places.nearby(number) | {"pair": ""} for number in range(1, 5)]
    write_whole(folder / "data" / "sites.csv", places.sites_csv(rows))
    rows[7] = rows[7] | {"Owner Consent": "no"}
    rows[11] = rows[11] | {"Highway": "yes"}
    write_whole(folder / "data" / "sites-first.csv", places.sites_csv(rows))


def _reported(folder: Path, until: date) -> None:
    [form] = (folder / "out" / SIGNS).glob("batch-*/install-log.csv")
    write_whole(folder / "data" / "install-log.csv", places.filled_log(form, by=until))
    days = (until - places.STARTS).days - 1
    rates = {f"S{number:02}": (lambda _: 0.2) for number in range(1, 17)}
    write_whole(folder / "data" / "fly-tips.csv", places.incidents_csv(rates, -84, days, places.STARTS))


def closed(folder: Path) -> None:
    """A whole trial, posted, answered, estimated and closed: a small demonstration."""
    run_demo(folder, say=lambda _: None, tenancies=60, weeks=4, redraws=199)


def recorded(folder: Path) -> None:
    """Somebody else's data."""
    shutil.copy(Path(__file__).parents[1] / "data" / "recorded" / "rossi.csv", folder)


FOLDERS: Final[Mapping[str, Callable[[Path], object]]] = {
    "empty": lambda _: None,
    "unsealed": workspace,
    "sealed": sealed,
    "signs": signs,
    "closed": closed,
    "recorded": recorded,
}
