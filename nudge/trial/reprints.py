"""Spoilt or lost letters, printed again: the same bytes, at most 3 days after posting (I13)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Final

from nudge.base.errors import Place, Refused
from nudge.base.files import sha256_file, write_whole
from nudge.documents.batch import FOLDER, LetterFile, letter_path
from nudge.documents.form import Form, Format
from nudge.documents.letter import LetterSpec
from nudge.documents.marks import Slot, job_code
from nudge.documents.printpack import MANIFEST, make_print_pack, slots_of
from nudge.documents.tasklist import write_tasks
from nudge.intake.extract import Person
from nudge.records.store import audit, change
from nudge.records.tables import PostingRow, RecipientRow
from nudge.trial.batches import FIRST, batch_place, records_of, require_open
from nudge.trial.codes import TrialCode
from nudge.trial.gate import Listed, fresh_list, withheld_because
from nudge.trial.handle import Trial, require_seal
from nudge.trial.pile import AGAIN

REPRINT_DAYS: Final = 3


def reprint(
    trial: Trial,
    number: int,
    references: Sequence[str],
    *,
    today: date,
    now: datetime,
    listed: Listed | None = None,
    wave: str = FIRST,
    dry_run: bool = False,
) -> tuple[Path, ...]:
    """Print spoilt or lost letters again: the same bytes, at most 3 days after posting. The print files made, and the
    texts of letters that are not printed.

    Refused where a reference is not of this batch, its letter is withheld, held or meanwhile on the suppression list
    (read again, I4), the file is not the one made, or 3 days have passed.
    """
    require_seal(trial)
    held = records_of(trial, number)
    with trial.store.snapshot() as connection:
        require_open(connection, trial)
    batch, recipients, postings = held.batch, held.recipients, held.postings
    if batch.status not in {"lettered", "posted"}:
        raise Refused(TrialCode.BATCH_NOT_LETTERED.at(batch_place(trial, number), trial=trial.id))
    chosen = letters_named(references, postings, recipients, wave, batch_place(trial, number))
    suppression = fresh_list(trial, batch, listed, today)
    reference_of = {row.unit: row.tenancy_reference for row in recipients}
    stopped = 0
    for posting in chosen:
        events = [event for event in held.events if event.unit == posting.unit]
        stopped += posting.status not in {"made", "posted"} or bool(
            withheld_because(reference_of.get(posting.unit, ""), events, suppression, today)
        )
    if stopped:
        raise Refused(TrialCode.REPRINT_WITHHELD.at(batch_place(trial, number), count=stopped))
    folder = trial.workspace.batch_folder(trial.id, number, None if wave == FIRST else wave)
    for posting in chosen:
        if posting.posted_on is not None and today.toordinal() - posting.posted_on > REPRINT_DAYS:
            raise Refused(TrialCode.REPRINT_LATE.at(batch_place(trial, number)))
        file = _path_of(posting, folder)
        if not file.is_file() or sha256_file(file) != posting.sha256:
            raise Refused(TrialCode.REPRINT_CHANGED.at(Place(str(file)), file=file))
    if dry_run:
        return ()
    target = next(  # never over a print file that may be at the printer
        path for copy in count(1) if not (path := folder / f"{AGAIN}{today.isoformat()}-{copy}").exists()
    )
    files = [_file_of(trial, posting, folder) for posting in chosen]
    specs = _pack_specs(trial, chosen, recipients)
    printed = [posting for posting in chosen if Format(posting.format).on_paper]
    made: tuple[Path, ...] = ()
    if printed:
        pack = make_print_pack(
            [file for file in files if file.on_paper],
            specs,
            target,
            printing=trial.workspace.printing,
            job=job_code(trial.id, number, wave),
            slots=_slots_again(folder, printed),
        )
        made = (*pack.print_files, *pack.address_files)
    for text in (one.path for one in files if not one.on_paper):  # sent on again by whoever sent it on before
        again = target / text.relative_to(folder)
        write_whole(again, text.read_bytes())
        made = (*made, again)
    write_tasks(target, files, specs)
    with trial.store.transaction() as connection:
        for posting in chosen:
            where = {"trial": trial.id, "letter_reference": posting.letter_reference}
            change(connection, PostingRow, where=where, to={"reprints": posting.reprints + 1})
        facts = {"batch": number, "wave": wave, "letters": sorted(posting.letter_reference for posting in chosen)}
        audit(connection, trial=trial.id, what="reprinted", facts=facts, at=now)
    return made


def letters_named(
    references: Iterable[str],
    postings: Sequence[PostingRow],
    recipients: Sequence[RecipientRow],
    wave: str,
    place: Place,
) -> list[PostingRow]:
    """The letters of a wave that the references name: a letter reference is one, a tenancy reference all of its."""
    tenancy = {row.tenancy_reference: row.unit for row in recipients}
    found: dict[str, PostingRow] = {}
    unknown = 0
    for reference in references:
        text = reference.strip()
        unit = tenancy.get(text)
        hits = [
            row
            for row in postings
            if row.wave == wave and (row.letter_reference == text.upper() or (unit is not None and row.unit == unit))
        ]
        unknown += not hits
        found |= {row.letter_reference: row for row in hits}
    if unknown:
        raise Refused(TrialCode.UNKNOWN_LETTERS.at(place, count=unknown))
    return list(found.values())


def _slots_again(folder: Path, chosen: Sequence[PostingRow]) -> dict[str, Slot] | None:
    """The places that the letters have in their pack; None where it is gone with a tenant who was erased."""
    slots = slots_of(folder / MANIFEST)
    return slots if all(posting.letter_reference in slots for posting in chosen) else None


def _file_of(trial: Trial, posting: PostingRow, folder: Path) -> LetterFile:
    return LetterFile(
        reference=posting.letter_reference,
        path=_path_of(posting, folder),
        sha256=posting.sha256 or "",
        pages=posting.pages,
        sheets=trial.workspace.printing.sheets(posting.pages) if posting.pages else 0,
        format=Format(posting.format),
    )


def _path_of(posting: PostingRow, folder: Path) -> Path:
    return letter_path(folder / FOLDER, posting.letter_reference, Format(posting.format))


def _pack_specs(trial: Trial, chosen: Sequence[PostingRow], recipients: Sequence[RecipientRow]) -> list[LetterSpec]:
    """As much of each letter as a manifest shows: who and where."""
    rows = {(row.unit, row.number): row for row in recipients}
    specs = []
    for posting in chosen:
        row = rows[posting.unit, posting.number]
        person = Person(row.title, row.forename, row.surname)
        specs.append(
            LetterSpec(
                reference=posting.letter_reference,
                template="",
                name=person.name,
                salutation=person.salutation,
                post_to=tuple(json.loads(row.post_to_json)),
                fields={},
                claims={},
                council=trial.workspace.council,
                letter_date=date.fromisoformat(posting.made_at[:10]),
                as_of=date.fromisoformat(posting.made_at[:10]),
                tenancy_reference=row.tenancy_reference,
                payment_reference=row.payment_reference or row.tenancy_reference,
                form=Form(format=Format(posting.format), languages=tuple(posting.languages.split())),
            )
        )
    return specs
