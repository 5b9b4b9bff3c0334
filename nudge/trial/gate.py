"""The gate: nobody on the suppression list, or held by an officer, gets a letter; read again at every step (I4)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from nudge.base.errors import Place, Refused
from nudge.base.files import sha256_file
from nudge.intake.suppression import SuppressionList, read_suppression
from nudge.records.store import rows_of
from nudge.records.tables import BatchRow, EventRow, RecipientRow
from nudge.trial.codes import TrialCode
from nudge.trial.handle import Trial

LIST_DAYS: Final = 7  # the list is at most this much older than the extract, or than today where letters are made
HELD: Final = "held"  # the event kind of an officer's hold


def check_list_date(path: Path, dated: date, day: date, today: date) -> None:
    """Refuse a suppression list that is dated in the future, or more than 7 days before `day` (I4)."""
    place = Place(str(path))
    if dated > today:
        raise Refused(TrialCode.SUPPRESSION_FUTURE.at(place))
    if (day - dated).days > LIST_DAYS:
        raise Refused(TrialCode.SUPPRESSION_OLD.at(place, dated=dated.isoformat(), days=(day - dated).days))


@dataclass(frozen=True, slots=True)
class Listed:
    """A dated suppression list as the officer gives it."""

    path: Path
    dated: date


def fresh_list(trial: Trial, batch: BatchRow, listed: Listed | None, today: date) -> SuppressionList:
    """The list as it is today: the one given, else the batch's own, unchanged and not older than a week (I4).

    Refused where it is older, dated in the future, changed or gone, or has lost the zeros of a tenancy's reference.
    """
    found = _list_of(trial, batch, listed, today)
    with trial.store.snapshot() as connection:
        found.check_zeros(row.tenancy_reference for row in rows_of(connection, RecipientRow, trial=trial.id))
    return found


def _list_of(trial: Trial, batch: BatchRow, listed: Listed | None, today: date) -> SuppressionList:
    if listed is not None:
        check_list_date(listed.path, listed.dated, today, today)
        return read_suppression(listed.path, dated=listed.dated)
    path = trial.workspace.folder / json.loads(batch.flow_json)["suppression"]
    dated = date.fromordinal(batch.suppression_dated)
    if (today - dated).days > LIST_DAYS:
        raise Refused(TrialCode.SUPPRESSION_STALE.at(Place(str(path))))
    if not path.is_file() or sha256_file(path) != batch.suppression_sha256:
        raise Refused(TrialCode.SUPPRESSION_NEEDED.at(Place(str(path))))
    return read_suppression(path, dated=dated)


def why_held(event: EventRow) -> str:
    """The reason of an officer's hold, as a short code."""
    return str(json.loads(event.values_json).get("because", HELD))


def on_hold(connection: Connection, trial: Trial) -> dict[str, str]:
    """The units on hold, and why."""
    return {event.unit: why_held(event) for event in rows_of(connection, EventRow, trial=trial.id, kind=HELD)}


def withheld_because(
    reference: str, events: Sequence[EventRow], suppression: SuppressionList, today: date
) -> str | None:
    """Why a letter drawn for must not go: an officer's hold, else a reason on the list."""
    for event in events:
        if event.kind == HELD:
            return why_held(event)
    reasons = suppression.reasons(reference, today)
    return reasons[0] if reasons else None
