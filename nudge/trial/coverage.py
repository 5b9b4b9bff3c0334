"""How far the files of what happened reach: which days each kind must cover, and to which day it does without a gap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from nudge.experiment.definition import LiveExperiment
from nudge.records.events import covered
from nudge.records.tables import ImportRow
from nudge.trial.codes import TrialCode
from nudge.trial.handle import Trial
from nudge.trial.responses import FILE_OF

BALANCES: Final = "rent_accounts"  # the kind of file that readings of accounts come from


def days_wanted(experiment: LiveExperiment) -> dict[str, int]:
    """How many days after day 0 each source must cover, by kind of file."""
    wanted: dict[str, int] = {}
    for outcome in experiment.outcomes:
        days = int(outcome.horizon or outcome.within or (outcome.at or 0) + (outcome.window or (0, 0))[1])
        sources = [source_of(experiment, kind) for kind in outcome.event]
        if outcome.source:
            sources.append(outcome.source)
        for source in sources:
            wanted[source] = max(wanted.get(source, 0), days)
    return wanted


def source_of(experiment: LiveExperiment, kind: str) -> str:
    """The kind of file that tells of an event."""
    if kind in experiment.events:
        return experiment.events[kind].source_kind
    return FILE_OF.get(kind, "contacts")  # an agreement is noted where contacts are


def short_of(trial: Trial, imports: Sequence[ImportRow], source: str, first: int, last: int) -> list[Any]:
    covered = unbroken(imports, source, first)
    if covered >= last or source == BALANCES:  # balances are read inside a window; outside it none is needed
        return []
    now = date.fromordinal(covered).isoformat() if covered >= first else "nothing"
    day = date.fromordinal(last).isoformat()
    return [TrialCode.COVERAGE_SHORT.at(trial.place, kind=source, day=day, now=now, trial=trial.id)]


def unbroken(imports: Sequence[ImportRow], source: str, first: int) -> int:
    """The last day of unbroken coverage by files of one kind from `first` on (ordinals); `first` - 1 where none."""
    spans = covered((row.covers_from, row.covers_to) for row in imports if row.kind == source)
    end = spans.unbroken_from(first)
    return first - 1 if end is None else end
