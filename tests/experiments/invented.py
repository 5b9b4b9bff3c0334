"""An invented council for any live experiment of letters: an extract that its rules let in, and what came back.

Everything follows from the experiment's own file: cells that meet `eligible`, rows that meet each event's `when`.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from nudge.base.columns import Kind, Value
from nudge.experiment.bands import labels
from nudge.experiment.conditions import EVENT_COLUMNS, compile_condition
from nudge.experiment.definition import LiveExperiment
from tests.trial.conftest import SURNAMES, as_csv

WORDS = ("North", "South")
AMOUNTS = (50.0, 120.0, 260.0, 900.0)
NUMBERS = (1.0, 2.0, 3.0, 6.0)


@dataclass(frozen=True)
class Person:
    """One unit of the trial as the council's system has it; `cells` by declared column."""

    number: int
    cells: Mapping[str, Value]

    @property
    def reference(self) -> str:
        return f"T{self.number:06d}"


def people(experiment: LiveExperiment, count: int) -> list[Person]:
    """So many units that the experiment lets in, their cells as mixed as its rules allow."""
    chance = random.Random(experiment.id)
    condition = compile_condition(experiment.eligible, {**experiment.kinds})
    found: list[Person] = []
    for _ in range(200 * count):
        if len(found) == count:
            return found
        cells = {name: _cell(experiment, name, kind, len(found), chance) for name, kind in experiment.columns.items()}
        if condition.holds({**cells, **_banded(experiment, cells)}) is True:
            found.append(Person(len(found) + 1, cells))
    raise AssertionError(f"{experiment.id}: hardly any row meets `eligible`")


def extract(experiment: LiveExperiment, found: list[Person]) -> bytes:
    """The extract, headed by the declared names."""
    rows = []
    for one in found:
        row = {
            "Reference": one.reference,
            "Payment Ref": f"P{one.number:06d}",
            "UPRN": str(100_000_000_000 + one.number),
            "Title": "Ms",
            "Forename": "Ada",
            "Surname": SURNAMES[one.number % len(SURNAMES)],
            "Addr1": f"{one.number} Invented Row",
            "Addr2": "Anytown",
            "Postcode": "TN22 1AA",
        }
        rows.append(row | {name: _written(value, experiment.columns[name]) for name, value in one.cells.items()})
    return as_csv(rows, tuple(rows[0]))


def history(experiment: LiveExperiment, until: date) -> bytes:
    """Two years of letters before the trial, of which 7 in 10 did what each claim counts, within its days."""
    found = people(experiment, 120)
    rows = []
    for one in found:
        letter = until - timedelta(days=730 - 6 * one.number)
        row = {"reference": f"H{one.number:05d}", "household": f"HH{one.number:05d}", "letter_on": letter.isoformat()}
        row |= {name: _written(value, experiment.columns[name]) for name, value in one.cells.items()}
        for claim in experiment.claims.values():
            did = letter + timedelta(days=min(claim.within, 10))
            row[f"{claim.numerator}_on"] = did.isoformat() if one.number % 10 < 7 else ""
        rows.append(row)
    return as_csv(rows, tuple(rows[0]))


@dataclass(frozen=True)
class Happened:
    """Days after day 0 on which each kind of event befell each unit, and the files that tell of them by kind."""

    days: Mapping[str, Mapping[str, tuple[int, ...]]]
    files: Mapping[str, bytes]


def happened(experiment: LiveExperiment, arms: Mapping[str, str], day0: date, last: int) -> Happened:
    """What the units did: some three in ten in the control, six in ten in the other arms, up to day `last`."""
    chance = random.Random(f"{experiment.id} responses")
    days: dict[str, dict[str, tuple[int, ...]]] = defaultdict(dict)
    lines: dict[str, list[dict[str, str]]] = defaultdict(list)
    rules = {
        name: (rule.source_kind, compile_condition(rule.when, EVENT_COLUMNS[rule.source_kind]))
        for name, rule in experiment.events.items()
    }
    for reference, arm in sorted(arms.items()):
        for name, (source, condition) in rules.items():
            if chance.random() > (0.3 if arm == experiment.control.id else 0.6):
                continue
            day = chance.randint(1, last)
            cells = _row_of(condition, experiment.events[name].when, EVENT_COLUMNS[source], chance)
            for kind, (other, also) in rules.items():  # one row may be of several kinds
                if other == source and also.holds(cells):
                    days[kind][reference] = (*days[kind].get(reference, ()), day)
            on = (day0 + timedelta(days=day)).isoformat()
            lines[source].append(
                {"Date": on, "Reference": reference}
                | {title: _written(cells[key], EVENT_COLUMNS[source][key]) for key, title in _HEADINGS[source].items()}
            )
    files = {source: as_csv(lines[source], ("Date", "Reference", *_HEADINGS[source].values())) for source in _HEADINGS}
    return Happened(days, files)


_HEADINGS = {
    "contacts": {"direction": "Direction", "channel": "Channel", "reason": "Reason"},
    "payments": {"code": "Type", "amount": "Amount"},
}


def balances(experiment: LiveExperiment, column: str, found: list[Person], on: date) -> bytes:
    """A later reading of one column for every unit."""
    rows = [
        {"Balance Date": on.isoformat(), "Reference": one.reference, column: f"{20 + 3 * one.number}.00"}
        for one in found
    ]
    return as_csv(rows, tuple(rows[0]))


def _banded(experiment: LiveExperiment, cells: Mapping[str, Value]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, band in experiment.bands.items():
        value = cells[band.of]
        edges = [experiment.inside(edge, band.of) for edge in band.edges]
        words = labels(band, experiment.columns[band.of])
        found[name] = None if value is None else words[sum(value >= edge for edge in edges)]
    return found


def _cell(experiment: LiveExperiment, name: str, kind: Kind, number: int, chance: random.Random) -> Value:
    if name in experiment.exclude_if.values():
        return False if kind is Kind.FLAG else None
    if name == experiment.cluster:  # a street or a team of two: few units, many clusters
        return f"Invented {name} {number // 2 + 1}"
    return _candidate(experiment.eligible, name, kind, chance)


def _candidate(condition: str, name: str, kind: Kind, chance: random.Random) -> Value:
    """A value that the condition may well ask for: one of its own words or numbers, or near them."""
    if kind is Kind.TEXT:
        own = re.findall(rf"{name} (?:==|in|!=) (\[[^\]]*\]|\"[^\"]*\")", condition)
        words = [word for part in own for word in re.findall(r'"([^"]*)"', part)]
        return chance.choice(words or list(WORDS))
    if kind is Kind.FLAG:
        return chance.random() < 0.5
    if kind is Kind.DATE:
        return date(2027, 1, 4) + timedelta(days=chance.randrange(60))
    amounts = [
        float(number) + chance.choice((0, 1, 5)) for number in re.findall(rf"{name} [<>=]+ ([0-9.]+)", condition)
    ]
    amount = (
        chance.choice([*amounts, *AMOUNTS]) if kind is Kind.MONEY else chance.choice([*amounts, 1.0, 2.0, 3.0, 6.0])
    )
    return round(amount * 100) if kind is Kind.MONEY else amount


def _row_of(condition: Any, text: str, kinds: Mapping[str, Kind], chance: random.Random) -> dict[str, Value]:
    defaults = {"direction": "in", "channel": "telephone"}
    for _ in range(2_000):
        cells = {
            name: defaults.get(name) if name in defaults and name not in text else _candidate(text, name, kind, chance)
            for name, kind in kinds.items()
        }
        if condition.holds(cells):
            return cells
    raise AssertionError(f"no row meets `when: {text}`")


def _written(value: Value, kind: Kind) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, date):
        return value.isoformat()
    if kind is Kind.MONEY and isinstance(value, (int, float)):
        return f"{value / 100:.2f}"
    return f"{value:g}" if isinstance(value, float) else str(value)
