"""Posting confirmed, corrected or undone: what fixes day 0 of a batch (rules §1), and what was withheld from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from nudge.base.canonical import canonical
from nudge.base.errors import Place, Refused
from nudge.documents.batch import FOLDER, letter_path
from nudge.documents.form import Format
from nudge.documents.tasklist import strike_off
from nudge.records.store import append, audit, change, remove, rows_of
from nudge.records.tables import BatchRow, EventRow, PostingRow, RecipientRow, UnitRow
from nudge.trial.batches import FIRST, batch_of, batch_place, by_unit, records_of, require_open
from nudge.trial.codes import TrialCode
from nudge.trial.due import wave_named
from nudge.trial.gate import HELD, Listed, fresh_list, withheld_because
from nudge.trial.handle import Trial, require_seal
from nudge.trial.letters import clear_batch
from nudge.trial.pile import AGAIN, PULL_LIST, Lying, piles_of, write_actions, write_pull_list
from nudge.trial.reprints import letters_named
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.sites import of_signs, require_letters, site_code
from nudge.trial.units import unit_code


@dataclass(frozen=True, kw_only=True)
class Posted:
    """What a confirmation came to. `pull` are letters to take out of the pile before it goes, `lying` where they are.

    `call_off` are those that are not printed, by reference: in what form they may already be on their way.
    `actions` is the list for the housing system, where the council has an action code.
    """

    batch: int
    wave: str
    on: date
    posted: int
    withheld: Mapping[str, int]
    not_posted: int
    pull: tuple[str, ...]
    pull_list: Path | None
    abandoned: bool
    made: bool
    lying: tuple[Lying, ...] = ()
    call_off: Mapping[str, str] = field(default_factory=dict)
    actions: Path | None = None


def confirm_posting(
    trial: Trial,
    number: int,
    *,
    on: date,
    listed: Listed,
    today: date,
    now: datetime,
    not_posted: Sequence[str] = (),
    wave: str = FIRST,
    dry_run: bool = False,
) -> Posted:
    """Record that a batch's letters went to the post on a day, less those withheld by a fresh suppression list.

    The first posting of first letters is the batch's day 0 in every arm. A batch of which nothing went is abandoned.
    The same confirmation twice changes nothing. Refused where letters are not made yet, the batch was undone, the
    date is in the future, before the letters were made or not the one recorded (`correct_posting` mends that), the
    list is older than a week, or a reference is not of this batch.
    """
    require_letters(trial)
    require_seal(trial)
    if wave != FIRST:
        wave_named(trial, wave)
    place = batch_place(trial, number)
    held = records_of(trial, number)
    with trial.store.snapshot() as connection:
        require_open(connection, trial)
    batch = held.batch
    name = f"{trial.id}/{number}"
    if batch.status == "abandoned":
        raise Refused(TrialCode.BATCH_ABANDONED.at(place))
    own = [row for row in held.postings if row.wave == wave and row.status != "abandoned"]
    if batch.status == "drawn" or (wave != FIRST and not own):
        raise Refused(TrialCode.BATCH_NOT_LETTERED.at(place, trial=trial.id))
    if on > today:
        raise Refused(TrialCode.DATE_FUTURE.at(place))
    _check_made(own, on, place)
    before = {row.posted_on for row in own if row.posted_on is not None}
    if before and before != {on.toordinal()}:
        day = date.fromordinal(min(before)).isoformat()
        raise Refused(TrialCode.DATE_DIFFERS.at(place, day=day, batch=name))
    suppression = fresh_list(trial, batch, listed, today)
    reference_of = {row.unit: row.tenancy_reference for row in held.recipients}
    named = {row.letter_reference for row in letters_named(not_posted, own, held.recipients, wave, place)}
    withheld: dict[str, str] = {}
    happened = by_unit(held.events)
    for row in own:
        if row.status != "made":
            continue
        if row.unit not in reference_of:
            withheld[row.letter_reference] = "erased"
        elif reason := withheld_because(reference_of[row.unit], happened[row.unit], suppression, on):
            withheld[row.letter_reference] = reason
        elif row.letter_reference in named:
            withheld[row.letter_reference] = "not_posted"
    going = [row for row in own if row.status == "made" and row.letter_reference not in withheld]
    gone = [row for row in own if row.status == "posted"]
    abandoned = wave == FIRST and not going and not gone
    folder = trial.workspace.batch_folder(trial.id, number, None if wave == FIRST else wave)
    # A letter held or erased since the print files were made lies in the pile as well.
    in_pile = {row.letter_reference: row.reason or "" for row in own if row.status == "withheld" and row.sha256}
    stopped = {reference for reference, why in (in_pile | withheld).items() if why != "not_posted"}
    printed = {row.letter_reference for row in own if Format(row.format).on_paper}
    pull, unprinted = tuple(sorted(stopped & printed)), stopped - printed
    lying = tuple(one for one in piles_of(folder) if one.letter_reference in set(pull))
    changed = bool(going or withheld) or (abandoned and batch.status != "abandoned")
    pull_list = None
    if changed and not dry_run:
        pull_list = write_pull_list(folder, lying)
        _strike_off(folder, [row for row in own if row.letter_reference in unprinted])
        _record(trial, batch, wave, going, withheld, on, now, abandoned=abandoned)
    reasons = [row.reason or "" for row in own if row.status == "withheld"]
    if not changed and (folder / PULL_LIST).is_file():
        pull_list = folder / PULL_LIST
    actions = None
    if not dry_run and (going or gone):  # and again where a confirmation was cut short
        printing = trial.workspace.printing
        actions = write_actions(folder, (*going, *gone), reference_of, printing, on=on, wave=wave)
    return Posted(
        batch=number,
        wave=wave,
        on=on,
        posted=len(going) + len(gone),
        withheld=Counter([*reasons, *withheld.values()]),
        not_posted=sum(reason == "not_posted" for reason in withheld.values()),
        pull=pull,
        pull_list=pull_list,
        abandoned=abandoned,
        made=changed and not dry_run,
        lying=lying,
        call_off={row.letter_reference: Format(row.format).words for row in own if row.letter_reference in unprinted},
        actions=actions,
    )


def _strike_off(folder: Path, rows: Sequence[PostingRow]) -> None:
    """Take letters that are not printed out of the list of tasks, and their text away: it could be sent (I4).

    From the batch, and from what was made of it again.
    """
    for home in (folder, *folder.glob(f"{AGAIN}*")) if rows else ():
        strike_off(home, {row.letter_reference for row in rows})
        for row in rows:
            letter_path(home / FOLDER, row.letter_reference, Format(row.format)).unlink(missing_ok=True)


def _check_made(rows: Sequence[PostingRow], on: date, place: Place) -> None:
    made = [row.made_at[:10] for row in rows if row.sha256]
    if made and on.isoformat() < min(made):
        raise Refused(TrialCode.DATE_BEFORE_LETTERS.at(place, made=min(made)))


def _record(
    trial: Trial,
    batch: BatchRow,
    wave: str,
    going: Sequence[PostingRow],
    withheld: Mapping[str, str],
    on: date,
    now: datetime,
    *,
    abandoned: bool,
) -> None:
    with trial.store.transaction() as connection:
        if batch_of(connection, trial, batch.number).status != batch.status:  # undone meanwhile
            raise Refused(TrialCode.BATCH_CHANGED.at(batch_place(trial, batch.number)))
        for row in going:  # one that was held this very moment is no longer `made`
            where = {"trial": trial.id, "letter_reference": row.letter_reference, "status": "made"}
            change(connection, PostingRow, where=where, to={"status": "posted", "posted_on": on.toordinal()})
        for reference, reason in withheld.items():
            where = {"trial": trial.id, "letter_reference": reference}
            change(connection, PostingRow, where=where, to={"status": "withheld", "reason": reason})
        if wave == FIRST:
            to: dict[str, object] = {"status": "abandoned"} if abandoned else {"status": "posted"}
            if not abandoned and batch.day0 is None:
                to["day0"] = on.toordinal()
            change(connection, BatchRow, where={"trial": trial.id, "number": batch.number}, to=to)
        facts = {"batch": batch.number, "wave": wave, "on": on.isoformat(), "posted": len(going)}
        what = "abandoned" if abandoned else "posted"
        audit(
            connection, trial=trial.id, what=what, facts=facts | {"withheld": dict(Counter(withheld.values()))}, at=now
        )


def correct_posting(
    trial: Trial, number: int, *, on: date, because: str, today: date, now: datetime, wave: str = FIRST
) -> bool:
    """Correct a posting date that was typed in wrongly; the report prints it. False where it was right already.

    Refused without a reason, for a day in the future or before the letters were made, and for a batch not posted.
    """
    place = batch_place(trial, number)
    if not because.strip():
        raise Refused(TrialCode.BECAUSE_MISSING.at(place))
    if on > today:
        raise Refused(TrialCode.DATE_FUTURE.at(place))
    with trial.store.transaction() as connection:
        require_open(connection, trial)
        batch = batch_of(connection, trial, number)
        rows = [
            row for row in rows_of(connection, PostingRow, trial=trial.id, batch=number, wave=wave) if row.posted_on
        ]
        if batch.status != "posted" or not rows:
            raise Refused(TrialCode.NOT_POSTED_YET.at(place, batch=f"{trial.id}/{number}"))
        _check_made(rows, on, place)
        before = sorted({row.posted_on for row in rows if row.posted_on is not None})
        if before == [on.toordinal()]:
            return False
        for row in rows:
            where = {"trial": trial.id, "letter_reference": row.letter_reference}
            change(connection, PostingRow, where=where, to={"posted_on": on.toordinal()})
        if wave == FIRST:
            change(connection, BatchRow, where={"trial": trial.id, "number": number}, to={"day0": on.toordinal()})
        facts = {
            "batch": number,
            "wave": wave,
            "from": [date.fromordinal(day).isoformat() for day in before],
            "to": on.isoformat(),
            "because": because.strip(),
        }
        audit(connection, trial=trial.id, what="posting_corrected", facts=facts, at=now)
        recipients = rows_of(connection, RecipientRow, trial=trial.id)
    folder = trial.workspace.batch_folder(trial.id, number, None if wave == FIRST else wave)
    tenancies = {row.unit: row.tenancy_reference for row in recipients}
    write_actions(folder, rows, tenancies, trial.workspace.printing, on=on, wave=wave)
    return True


def undo_batch(trial: Trial, number: int, *, now: datetime, dry_run: bool = False) -> bool:
    """Abandon a whole batch before posting: its letters are deleted, its units keep their arms and slots (I3).

    They come back with a later batch. False where it was undone before. Refused once it is posted.
    """
    place = batch_place(trial, number)
    folder = trial.workspace.batch_folder(trial.id, number)
    with trial.store.transaction() as connection:
        batch = batch_of(connection, trial, number)
        if batch.status == "abandoned":
            if not dry_run:
                clear_batch(folder)  # an undo that was cut short had recorded it, and left files
            return False
        if batch.status == "posted":
            raise Refused(TrialCode.BATCH_POSTED.at(place, batch=f"{trial.id}/{number}"))
        require_open(connection, trial)
        if dry_run:
            return True
        change(connection, BatchRow, where={"trial": trial.id, "number": number}, to={"status": "abandoned"})
        change(connection, PostingRow, where={"trial": trial.id, "batch": number}, to={"status": "abandoned"})
        units = len(rows_of(connection, UnitRow, trial=trial.id, batch=number))
        audit(connection, trial=trial.id, what="undone", facts={"batch": number, "units": units}, at=now)
    clear_batch(folder)
    return True


def hold(trial: Trial, reference: str, *, because: str, today: date, now: datetime, dry_run: bool = False) -> bool:
    """Stop every further letter to a tenancy: a person in crisis, a safeguarding concern, a promise made by phone.

    A letter made but not yet posted is withheld; the unit stays in the analysis (I4, I5). False if held before.
    Refused for a reference that is not in the trial, and for a reason that is no short code or names the tenant: the
    ledger and the report's counts keep it for good (I12).
    """
    reason = _plain_code(trial, because)
    with trial.store.transaction() as connection:
        recipients = rows_of(connection, RecipientRow, trial=trial.id)
        unit = find_unit(trial, reference, recipients, rows_of(connection, PostingRow, trial=trial.id))
        named = " ".join(f"{row.forename} {row.surname}" for row in recipients if row.unit == unit).lower().split()
        if set(reason.split("_")) & set(named):
            raise Refused(TrialCode.BECAUSE_NOT_A_CODE.at(trial.place))
        if rows_of(connection, EventRow, trial=trial.id, unit=unit, kind=HELD):
            return False
        if dry_run:
            return True
        append(
            connection,
            [
                EventRow(
                    trial=trial.id,
                    unit=unit,
                    kind=HELD,
                    on_day=today.toordinal(),
                    import_sha256=f"officer:{unit}",
                    row=0,
                    matched_by="officer",
                    amount=None,
                    values_json=canonical({"because": reason}).decode(),
                )
            ],
        )
        stopped = 0
        for row in rows_of(connection, PostingRow, trial=trial.id, unit=unit, status="made"):
            where = {"trial": trial.id, "letter_reference": row.letter_reference}
            stopped += change(connection, PostingRow, where=where, to={"status": "withheld", "reason": reason})
        audit(
            connection, trial=trial.id, what=HELD, facts={"unit": unit, "because": reason, "letters": stopped}, at=now
        )
    return True


def release(trial: Trial, reference: str, *, because: str, now: datetime, dry_run: bool = False) -> bool:
    """Take back a hold that was put on the wrong tenancy, or is over; logged. False where there is none.

    A letter of theirs that lies made in a batch not posted yet goes with it; one that was taken out is made again by
    `nudge letters`; what was withheld from a posted batch stays withheld. Refused as `hold` is.
    """
    reason = _plain_code(trial, because)
    with trial.store.transaction() as connection:
        require_open(connection, trial)
        recipients = rows_of(connection, RecipientRow, trial=trial.id)
        unit = find_unit(trial, reference, recipients, rows_of(connection, PostingRow, trial=trial.id))
        held = rows_of(connection, EventRow, trial=trial.id, unit=unit, kind=HELD)
        if not held or dry_run:
            return bool(held)
        for row in rows_of(connection, PostingRow, trial=trial.id, unit=unit, status="withheld"):
            pile = {"batch": row.batch, "wave": row.wave, "status": "posted"}
            gone = batch_of(connection, trial, row.batch).status == "abandoned" or rows_of(
                connection, PostingRow, trial=trial.id, **pile
            )
            if not gone and row.sha256 and row.reason == json.loads(held[0].values_json)["because"]:
                where = {"trial": trial.id, "letter_reference": row.letter_reference}
                change(connection, PostingRow, where=where, to={"status": "made", "reason": None})
        remove(connection, EventRow, where={"trial": trial.id, "unit": unit, "kind": HELD})
        audit(connection, trial=trial.id, what="released", facts={"unit": unit, "because": reason}, at=now)
    return True


def _plain_code(trial: Trial, because: str) -> str:
    if not because.strip():
        raise Refused(TrialCode.BECAUSE_MISSING.at(trial.place))
    words = because.strip().lower().replace("_", " ").replace("-", " ").split()
    if len(words) > 4 or len(because) > 40 or not all(word.isascii() and word.isalpha() for word in words):
        raise Refused(TrialCode.BECAUSE_NOT_A_CODE.at(trial.place))
    return "_".join(words)


def find_unit(trial: Trial, reference: str, recipients: Sequence[RecipientRow], postings: Sequence[PostingRow]) -> str:
    """The unit that a tenancy or letter reference means, or Refused."""
    text = reference.strip()
    for row in recipients:
        if text and text in {row.tenancy_reference, row.payment_reference}:
            return row.unit
    for posting in postings:
        if posting.letter_reference == text.upper():
            return posting.unit
    raise Refused(
        (SignTrialCode.UNKNOWN_SITE if of_signs(trial.experiment) else TrialCode.UNKNOWN_REFERENCE).at(trial.place)
    )


def excluded_because(trial: Trial, secret: bytes, reference: str, batches: Sequence[BatchRow]) -> list[tuple[int, str]]:
    """The batches whose extract held a tenancy, or a site, that was left out, and why: (batch, reason)."""
    code = site_code if of_signs(trial.experiment) else unit_code
    unit = code(secret, reference.strip())
    stories = [(batch.number, json.loads(batch.flow_json).get("why", {}).get(unit)) for batch in batches]
    return [(number, reason) for number, reason in stories if reason]
