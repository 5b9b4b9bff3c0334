"""One tenant's story: what happened, day by day; the arm only when asked for, and that is logged (I8)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

from nudge.documents.form import PLAIN, Form, Format
from nudge.records.store import audit, rows_of
from nudge.records.tables import AllocationRow, BatchRow, EventRow, PostingRow, RecipientRow, UnitRow
from nudge.trial.gate import HELD
from nudge.trial.handle import Trial
from nudge.trial.posting import excluded_because, find_unit
from nudge.trial.sealing import read_secret
from nudge.trial.sites import of_signs


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is known of a reference: in words, oldest first. `arm` is None unless it was asked for."""

    reference: str
    in_trial: bool
    lines: tuple[str, ...]
    arm: str | None = None


def tell(trial: Trial, reference: str, *, show_arm: bool = False, now: datetime) -> Story:
    """Why a tenant was or was not written to. Refused where no extract of this trial ever held the reference."""
    signs = of_signs(trial.experiment)
    with trial.store.transaction() if show_arm else trial.store.snapshot() as connection:
        batches = rows_of(connection, BatchRow, trial=trial.id)
        left_out = [
            (number, f"batch {number}: left out before the draw, because: {reason.replace('_', ' ')}")
            for number, reason in excluded_because(trial, read_secret(trial), reference, batches)
        ]
        postings = rows_of(connection, PostingRow, trial=trial.id)
        recipients = rows_of(connection, RecipientRow, trial=trial.id)
        known = {text for row in recipients for text in (row.tenancy_reference, row.payment_reference)}
        known |= {row.letter_reference for row in postings}
        if left_out and reference.strip() not in known and reference.strip().upper() not in known:
            return Story(reference=reference, in_trial=False, lines=tuple(line for _, line in left_out))
        unit = find_unit(trial, reference, recipients, postings)
        [row] = rows_of(connection, UnitRow, trial=trial.id, unit=unit)
        dated = [
            (_day(batch), f"batch {batch.number}: {_batch_words(batch, row, signs=signs)}")
            for batch in batches
            if batch.number == row.batch
        ]
        dated += [
            (posting.made_at[:10], _posting_words(posting, signs=signs)) for posting in postings if posting.unit == unit
        ]
        dated += [_event_words(event) for event in rows_of(connection, EventRow, trial=trial.id, unit=unit)]
        arm = None
        if show_arm:
            [allocation] = rows_of(connection, AllocationRow, trial=trial.id, cluster=row.cluster)
            arm = allocation.arm
            audit(connection, trial=trial.id, what="arm_shown", facts={"unit": unit}, at=now)
    lines = [line for _, line in left_out] + [f"{day}  {words}" for day, words in sorted(dated)]
    return Story(reference=reference, in_trial=True, lines=tuple(lines), arm=arm)


def _day(batch: BatchRow) -> str:
    return batch.drawn_at[:10]


def _batch_words(batch: BatchRow, unit: UnitRow, *, signs: bool) -> str:
    joined = "enrolled and drawn"
    if unit.late:
        joined = "watched for a site in the trial" if signs else "joined a household already in the trial"
    posted = (
        f", day 0 is {date.fromordinal(batch.day0).isoformat()}" if batch.day0 is not None else f" ({batch.status})"
    )
    return joined + posted


def _posting_words(posting: PostingRow, *, signs: bool) -> str:
    thing, done = ("sign", "put up") if signs else ("letter", "posted")
    form = Form(format=Format(posting.format), languages=tuple(posting.languages.split()))
    name = f"{thing} {posting.letter_reference} ({posting.wave}{'' if form == PLAIN else f', {form.words}'})"
    if posting.status == "posted" and posting.posted_on is not None:
        return f"{name} made, {done} {date.fromordinal(posting.posted_on).isoformat()}"
    because = f", because: {posting.reason.replace('_', ' ')}" if posting.reason else ""
    return f"{name} {posting.status}{because}"


def _event_words(event: EventRow) -> tuple[str, str]:
    day = date.fromordinal(event.on_day).isoformat()
    if event.kind == HELD:
        return day, f"held by an officer, because: {json.loads(event.values_json)['because'].replace('_', ' ')}"
    return day, f"{event.kind.replace('_', ' ')} (matched by {event.matched_by.replace('_', ' ')})"
