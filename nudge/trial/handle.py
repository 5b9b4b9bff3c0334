"""A trial as a small frozen handle: it answers questions and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import cast

from sqlalchemy import Connection

from nudge.base.errors import Place, Refused
from nudge.base.files import sha256_file
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.loader import Loaded, load
from nudge.experiment.seal import definition_hash
from nudge.experiment.sites import SiteExperiment
from nudge.records.store import Store, audited, open_store, rows_of
from nudge.records.tables import BatchRow, SealRow
from nudge.trial.codes import TrialCode
from nudge.workspace import Workspace


@dataclass(frozen=True)
class Trial:
    """An experiment being run: its workspace, its definition as the file stands, its seal and its records."""

    workspace: Workspace
    loaded: Loaded
    store: Store

    @property
    def experiment(self) -> LiveExperiment:
        return cast(LiveExperiment, self.loaded.experiment)

    @property
    def id(self) -> str:
        return self.experiment.id

    @property
    def place(self) -> Place:
        return Place(self.loaded.name)

    @cached_property
    def seals(self) -> tuple[SealRow, ...]:
        with self.store.snapshot() as connection:
            return tuple(rows_of(connection, SealRow, trial=self.id))

    @property
    def seal(self) -> SealRow | None:
        """The seal in force: the newest."""
        return self.seals[-1] if self.seals else None

    @property
    def is_sealed(self) -> bool:
        return bool(self.seals)

    @property
    def batches(self) -> tuple[BatchRow, ...]:
        with self.store.snapshot() as connection:
            return tuple(rows_of(connection, BatchRow, trial=self.id))

    def is_closed(self, connection: Connection) -> bool:
        return audited(connection, self.id, "closed")

    @property
    def horizon(self) -> int:
        """Days from day 0 until the last of a unit's outcomes is known."""
        if isinstance(self.experiment, SiteExperiment):
            return self.experiment.last_day
        return max(
            int(outcome.horizon or outcome.within or (outcome.at or 0) + (outcome.window or (0, 0))[1])
            for outcome in self.experiment.outcomes
        )

    def opens_on(self) -> date | None:
        """The first day on which results may be read: last day 0, horizon, `lag_days`; None while nothing is posted."""
        days = [batch.day0 for batch in self.batches if batch.status == "posted" and batch.day0 is not None]
        return (
            date.fromordinal(max(days)) + timedelta(days=self.horizon + self.experiment.analysis.lag_days)
            if days
            else None
        )

    def horizon_reached(self, today: date) -> bool:
        opens = self.opens_on()
        return opens is not None and today >= opens


def open_trial(workspace: Workspace, experiment: str | Path) -> Trial:
    """The trial of an experiment, by its file or by its id in `experiments/`. Refused where it is not a live one."""
    path = Path(experiment)
    if not path.is_file():
        named = workspace.experiments / f"{experiment}.yaml"
        if not named.is_file():
            known = ", ".join(sorted(p.stem for p in workspace.experiments.glob("*.yaml"))) or "none yet"
            raise Refused(TrialCode.NO_SUCH_EXPERIMENT.at(Place(str(experiment)), known=known))
        path = named
    loaded = load(path)
    if not isinstance(loaded.experiment, LiveExperiment):
        raise Refused(TrialCode.IS_RECORDED.at(Place(str(path)), path=path))
    return Trial(workspace, loaded, open_store(workspace.database_url))


def require_seal(trial: Trial) -> SealRow:
    """The seal in force, the file being still what was sealed (I7)."""
    seal = trial.seal
    if seal is None:
        raise Refused(TrialCode.NOT_SEALED.at(trial.place, trial=trial.id))
    if definition_hash(trial.experiment) != seal.definition_hash:
        raise Refused(TrialCode.CHANGED_SINCE_SEAL.at(trial.place, what="this experiment file", trial=trial.id))
    templates: Mapping[str, str] = json.loads(seal.templates_json)
    changed = [name for name, sha256 in templates.items() if _sha256(trial.workspace.templates / name) != sha256]
    Refused.when(
        TrialCode.CHANGED_SINCE_SEAL.at(Place(f"templates/{name}"), what="this template", trial=trial.id)
        for name in changed
    )
    return seal


def _sha256(path: Path) -> str | None:
    return sha256_file(path) if path.is_file() else None
