"""Invented sites for trials of signs: a workspace sealed for one, and its sites file."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise
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
    (folder / "data" / "walkers-seen.csv").write_bytes(walkers_csv())
    seal_trial(trial_of(folder, name), secret=SECRET, now=moment(SEALED))
    record_beacon(trial_of(folder, name), "04 11 23 31 40 52", now=moment(LISTED - timedelta(days=1)))
    return folder


def walkers_csv() -> bytes:
    """Dog owners seen on paths before the trial, of whom 8 in 10 picked up."""
    rows = []
    for number in range(254):
        on = date(2026, 9, 28) + timedelta(days=number % 127)
        rows.append({"Seen On": on.isoformat(), "Site ID": f"S{number % 18:02}", "Picked Up": "NY"[number % 5 > 0]})
    return as_csv(rows, tuple(rows[0]))


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


# ---- what was read there, with a known truth


def _poisson(chance: random.Random, mean: float) -> int:
    """A count with that mean, by the times between events."""
    count, left = 0, chance.expovariate(1.0)
    while left < mean:
        count += 1
        left += chance.expovariate(1.0)
    return count


def incidents_csv(rates: Mapping[str, Callable[[int], float]], first: int, last: int, day0: date) -> bytes:
    """A log of incidents: `rates` gives each site's expected number on a day from day 0; some rows name no site."""
    chance = random.Random("incidents")
    rows, number = [], 0
    for site, rate in rates.items():
        for day in range(first, last + 1):
            for _ in range(_poisson(chance, rate(day))):
                number += 1
                on = (day0 + timedelta(days=day)).isoformat()
                rows.append({"Incident ID": f"I{number:05}", "Reported On": on, "Site ID": site, "Type": "fly tip"})
    rows.append({"Incident ID": "I99999", "Reported On": day0.isoformat(), "Site ID": "Z99", "Type": "fly tip"})
    return as_csv(rows, tuple(rows[0]))


def surveys_csv(
    rates: Mapping[str, Callable[[int], float]], days: Iterable[int], day0: date, what: str = "dog fouling"
) -> bytes:
    """Counts every so many days, each over the week before it; nothing where a site has no rate."""
    chance = random.Random("surveys")
    rows = []
    for site, rate in rates.items():
        for day in days:
            count = _poisson(chance, 7 * rate(day))
            on = (day0 + timedelta(days=day)).isoformat()
            rows.append({"Survey Date": on, "Site ID": site, "Survey": what, "Count": str(count), "Days": "7"})
    return as_csv(rows, tuple(rows[0]))


BANDS = (0, 15, 20, 25, 30, 35, 40, 45, 50, 100)


def speeds_csv(means: Mapping[str, Callable[[int], float]], days: Iterable[int], day0: date) -> bytes:
    """Vehicles in bands of speed, 60 a day at each site, spread by 5 about the site's mean of that day."""
    chance = random.Random("speeds")
    rows = []
    for site, mean in means.items():
        for day in days:
            speeds = [min(99.0, max(1.0, chance.gauss(mean(day), 5.0))) for _ in range(60)]
            on = (day0 + timedelta(days=day)).isoformat()
            for low, high in pairwise(BANDS):
                number = sum(low <= speed < high for speed in speeds)
                row = {"Date": on, "Site ID": site, "From mph": str(low), "To mph": str(high), "Vehicles": str(number)}
                rows.append(row)
    return as_csv(rows, tuple(rows[0]))


def filled_log(form: Path, *, by: date, day0: date | None = None) -> bytes:
    """The installers' form, every sign that was due by a day put up and taken down on its day."""
    with form.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        for due, done in (("due up", "put up on"), ("due down", "taken down on")):
            day = _due(row[due], day0)
            if day is not None and day <= by:
                row[done] = day.isoformat()
        row["by"], row["photo"] = "AB", f"{row['sign reference']}.jpg"
    return as_csv(rows, tuple(rows[0]))


def _due(text: str, day0: date | None) -> date | None:
    if not text.startswith("day "):
        return date.fromisoformat(text)
    return None if day0 is None else day0 + timedelta(days=int(text.removeprefix("day ")))
