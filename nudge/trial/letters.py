"""Letters of a batch: who gets one today, made, packed arm-blind, and recorded (I1, I4, I8, I11)."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection

from nudge.base.errors import Refused
from nudge.base.languages import ENGLISH
from nudge.base.values import utc_text
from nudge.documents.batch import EMAILS, TASKS, LetterFile, make_letters
from nudge.documents.details import check_details
from nudge.documents.form import Form, Format
from nudge.documents.letter import LetterSpec, letter_reference
from nudge.documents.marks import job_code
from nudge.documents.previews import FOLDER as PREVIEWS
from nudge.documents.previews import make_previews
from nudge.documents.printpack import MANIFEST, Pack, make_print_pack
from nudge.documents.tasklist import TASK_LIST, write_tasks
from nudge.documents.templates import TemplateFolder
from nudge.intake.mapping import ColumnMapping
from nudge.records.store import append, audit, change, rows_of
from nudge.records.tables import BatchRow, PostingRow
from nudge.trial.batches import FIRST as FIRST
from nudge.trial.batches import BatchRecords, batch_of, batch_place, records_of, require_open
from nudge.trial.codes import TrialCode
from nudge.trial.due import Due, Facts, due_first, due_later, due_on, wave_named
from nudge.trial.forms import Forms, forms_of
from nudge.trial.gate import Listed, fresh_list
from nudge.trial.handle import Trial, require_seal
from nudge.trial.pile import ACTIONS, AGAIN, PULL_LIST, TAKEN_OUT, Lying, piles_of, withdraw_prints, write_taken_out
from nudge.trial.sealing import read_secret
from nudge.trial.sites import require_letters
from nudge.trial.units import specs_of


@dataclass(frozen=True, kw_only=True)
class LettersMade:
    """What one run of letters came to; shows no arm (I8).

    `made` and `kept` (of those, standing already) count letters; `withheld`, `skipped` and `refused` count units by
    reason. `refused` could not be drawn this time: they are withheld meanwhile, and the same command tries again.
    `changed` were made before and read otherwise now: a setting, a template or a value is another one.
    `taken_out` lay in the print files that stood before and are in the new ones no longer. `forms` counts letters by
    their form in words, and `task_list` says what to do with those that are not printed.
    """

    batch: int
    wave: str
    folder: Path
    made: int
    kept: int
    withheld: Mapping[str, int]
    skipped: Mapping[str, int]
    refused: Mapping[str, int]
    print_files: tuple[Path, ...]
    manifest: Path | None
    address_files: tuple[Path, ...] = ()
    task_list: Path | None = None
    forms: Mapping[str, int] = field(default_factory=dict)
    previews: tuple[Path, ...] = ()
    taken_out: tuple[Lying, ...] = ()
    changed: int = 0


def make_batch_letters(
    trial: Trial,
    number: int,
    *,
    today: date,
    now: datetime,
    listed: Listed | None = None,
    wave: str = FIRST,
    extract: Path | None = None,
    as_of: date | None = None,
    mapping: ColumnMapping | None = None,
    accept_good_rows: bool = False,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    preview: bool = False,
    dry_run: bool = False,
) -> LettersMade:
    """Make the letters of one batch and wave, and its print pack. Run again, it finishes what was begun.

    A unit that came onto the suppression list, or was held, since the draw is withheld: no letter, still analysed.
    Refused where the trial changed since its seal or is closed, the batch is undone or posted, the list is older
    than a week, and for a later wave where it is not due or its extract is missing or stale.
    """
    require_letters(trial)
    seal = require_seal(trial)
    rule = None if wave == FIRST else wave_named(trial, wave)
    held = records_of(trial, number)
    place = batch_place(trial, number)
    with trial.store.snapshot() as connection:
        require_open(connection, trial)
    if held.batch.status == "abandoned":
        raise Refused(TrialCode.BATCH_ABANDONED.at(place))
    if any(row.status == "posted" for row in held.postings if row.wave == wave) or (
        rule is None and held.batch.status == "posted"
    ):
        flag = "" if rule is None else f" --wave {wave}"
        raise Refused(TrialCode.BATCH_POSTED.at(place, batch=f"{trial.id}/{number}{flag}"))
    suppression = fresh_list(trial, held.batch, listed, today)
    if rule is None:
        due = due_first(trial, held, suppression, today)
        templates = {arm.id: arm.letter for arm in trial.experiment.arms}
    elif extract is None:
        raise Refused(TrialCode.WAVE_NEEDS_EXTRACT.at(place))
    else:
        facts = Facts(extract=extract, mapping=mapping, as_of=as_of, accept_good_rows=accept_good_rows, dry_run=dry_run)
        due = due_later(trial, rule, held, suppression, facts, today)
        templates = {arm.id: rule.letter for arm in trial.experiment.arms}
    due, specs, owner = _specs(trial, held, due, templates, forms_of(trial, seal), wave, today)
    sent = {spec.template for spec in specs}
    day = specs[0].letter_date if specs else today
    known = TemplateFolder(trial.workspace.templates)
    Refused.when(check_details(known, sorted(sent), trial.experiment.details, on=day, place=trial.loaded.place))
    folder = trial.workspace.batch_folder(trial.id, number, None if wave == FIRST else wave)
    before = {row.letter_reference: row.sha256 for row in held.postings if row.wave == wave and row.sha256}
    refused: dict[str, str] = {}
    kept: list[LetterFile] = []
    pack: Pack | None = None
    previews: tuple[Path, ...] = ()
    taken_out: tuple[Lying, ...] = ()
    standing, task_list = 0, None
    forms = {spec.reference: spec.form for spec in specs}
    if not dry_run:
        if specs:
            made = make_letters(
                specs,
                known,
                trial.workspace.profile,
                folder,
                printing=trial.workspace.printing,
                executor=executor,
                progress=progress,
            )
            refused = {owner[reference][0]: problems[0].code for reference, problems in made.refused.items()}
            kept = [letter for letter in made.letters if owner[letter.reference][0] not in refused]
            standing = made.kept
        # Before the new pack stands: cut short in between, the same command finds the earlier one again.
        taken_out = write_taken_out(folder, piles_of(folder), [letter.reference for letter in kept])
        withdraw_prints(folder, taken_out)
        paper, task_list = _task_list(kept, specs, folder)
        if paper:
            job = job_code(trial.id, number, wave)
            pack = make_print_pack(paper, specs, folder, printing=trial.workspace.printing, job=job)
            if preview:
                previews = make_previews([spec for spec in specs if spec.format.on_paper], folder)
        _clear_away(folder, kept)
        _record(trial, held.batch, wave, kept, forms, owner, due, refused, now)
    return LettersMade(
        batch=number,
        wave=wave,
        folder=folder,
        made=len(specs) if dry_run else len(kept),
        kept=standing,
        withheld=Counter(due.withheld.values()),
        skipped=Counter(due.skipped.values()),
        refused=Counter(refused.values()),
        print_files=pack.print_files if pack else (),
        manifest=pack.manifest if pack else None,
        address_files=pack.address_files if pack else (),
        task_list=task_list,
        forms=Counter(forms[one].words for one in (forms if dry_run else (letter.reference for letter in kept))),
        previews=previews,
        taken_out=taken_out,
        changed=sum(before.get(letter.reference, letter.sha256) != letter.sha256 for letter in kept),
    )


def batches_to_letter(trial: Trial, wave: str, today: date) -> list[int]:
    """The batches that want letters of this wave today. Refused where none of a later wave is due yet."""
    require_letters(trial)
    if wave == FIRST:
        return [batch.number for batch in trial.batches if batch.status in {"drawn", "lettered"}]
    rule = wave_named(trial, wave)
    days = {batch.number: due_on(rule, batch) for batch in trial.batches if batch.status == "posted"}
    with trial.store.snapshot() as connection:
        sent = {row.batch for row in rows_of(connection, PostingRow, trial=trial.id, wave=wave, status="posted")}
    open_days = {number: day for number, day in days.items() if day is not None and number not in sent}
    due = [number for number, day in open_days.items() if day <= today]
    if not due and open_days:
        raise Refused(TrialCode.NOTHING_DUE.at(trial.place, day=min(open_days.values()).isoformat()))
    return due


def clear_batch(folder: Path) -> None:
    """Delete what was made of a batch that will not be posted: letters, print files, address files."""
    _clear_away(folder, ())
    for again in folder.glob(f"{AGAIN}*"):
        shutil.rmtree(again)
    for name in (PULL_LIST, TAKEN_OUT, ACTIONS, "letters/.made.jsonl"):
        (folder / name).unlink(missing_ok=True)
    for path in (*folder.glob("signs/*.pdf"), *folder.glob("schedule*"), folder / "install-log.csv"):
        path.unlink(missing_ok=True)


def _specs(
    trial: Trial,
    held: BatchRecords,
    due: Due,
    templates: Mapping[str, str | None],
    forms: Forms,
    wave: str,
    today: date,
) -> tuple[Due, list[LetterSpec], dict[str, tuple[str, int]]]:
    """What each letter is made of, and whose it is: (unit, number of the person) by letter reference.

    A unit that asks since the draw for a form that the trial cannot send is withheld.
    """
    lacking = {unit: reason for unit, tenancy in due.write.items() if (reason := forms.lacking(tenancy)) is not None}
    if lacking:
        write = {unit: tenancy for unit, tenancy in due.write.items() if unit not in lacking}
        due = replace(due, write=write, withheld={**due.withheld, **lacking})
    secret = read_secret(trial)
    letter_date = _letter_date(held.postings, wave, today)
    specs: list[LetterSpec] = []
    owner: dict[str, tuple[str, int]] = {}
    for unit, tenancy in due.write.items():
        template = templates[held.arms[held.units[unit].cluster]]
        if template is None:  # an arm that gets no letter
            continue
        written = specs_of(
            trial,
            tenancy,
            template,
            secret=secret,
            forms=forms,
            as_of=due.as_of,
            letter_date=letter_date,
            wave=wave,
        )
        for position, spec in enumerate(written, start=1):
            specs.append(spec)
            owner[spec.reference] = (unit, position)
    return due, specs, owner


def _letter_date(postings: Sequence[PostingRow], wave: str, today: date) -> date:
    """The date on the letters: that of the run that made them, so that making them again gives the same bytes."""
    made = [row.made_at for row in postings if row.wave == wave and row.sha256]
    return date.fromisoformat(min(made)[:10]) if made else today


def _task_list(
    kept: Sequence[LetterFile], specs: Sequence[LetterSpec], folder: Path
) -> tuple[list[LetterFile], Path | None]:
    """The letters for the print pack, and the list of what has to be done with those that are not printed."""
    return [letter for letter in kept if letter.on_paper], write_tasks(folder, kept, specs)


def _clear_away(folder: Path, kept: Sequence[LetterFile]) -> None:
    """Delete letters that are not to go: a withheld letter left in the folder could be sent by mistake (I4)."""
    files = {letter.path for letter in kept}
    wanted = {letter.reference for letter in kept if letter.on_paper}
    for path in (*folder.glob("letters/*.pdf"), *folder.glob(f"{EMAILS}/*.txt"), *folder.glob(f"{TASKS}/*.txt")):
        if path not in files:
            path.unlink()
    if not files:
        (folder / TASK_LIST).unlink(missing_ok=True)
    for path in folder.glob(f"{PREVIEWS}/*.png"):
        if path.stem.rpartition("-")[0] not in wanted:
            path.unlink()
    if not wanted:
        for path in (*folder.glob("print-*"), folder / MANIFEST):
            path.unlink(missing_ok=True)


def _record(
    trial: Trial,
    batch: BatchRow,
    wave: str,
    letters: Sequence[LetterFile],
    forms: Mapping[str, Form],
    owner: Mapping[str, tuple[str, int]],
    due: Due,
    refused: Mapping[str, str],
    now: datetime,
) -> None:
    """Record what was made, withheld and no longer due. Nothing is written where all of it is on record already."""
    secret = read_secret(trial)
    made_at = utc_text(now)
    wanted: dict[str, PostingRow] = {}

    def want(unit: str, number: int, status: str, reason: str | None, letter: LetterFile | None = None) -> None:
        reference = letter_reference(secret, trial.id, unit, number, wave)
        wanted[reference] = PostingRow(
            trial=trial.id,
            letter_reference=reference,
            unit=unit,
            number=number,
            batch=batch.number,
            wave=wave,
            status=status,
            reason=reason,
            made_at=made_at,
            sha256=letter.sha256 if letter else "",
            pages=letter.pages if letter else 0,
            sheets=letter.sheets if letter else 0,
            posted_on=None,
            reprints=0,
            format=forms[reference].format if letter else Format.STANDARD,
            languages=" ".join(forms[reference].languages) if letter else ENGLISH,
        )

    with trial.store.transaction() as connection:
        require_open(connection, trial)
        if batch_of(connection, trial, batch.number).status != batch.status:  # undone or posted while we drew
            raise Refused(TrialCode.BATCH_CHANGED.at(batch_place(trial, batch.number)))
        units = (*due.write, *due.withheld, *due.skipped)
        there = {
            row.letter_reference: row for row in rows_of(connection, PostingRow, trial=trial.id, wave=wave, unit=units)
        }
        for letter in letters:
            want(*owner[letter.reference], "made", None, letter)
        for unit, reason in {**due.withheld, **refused}.items():
            want(unit, 1, "withheld", reason)
        stopped = {**due.withheld, **refused, **due.skipped}
        for row in there.values():  # joint tenants' letters, and letters made before that are not due any more
            if row.letter_reference not in wanted and row.unit in stopped:
                status = "abandoned" if row.unit in due.skipped else "withheld"
                want(row.unit, row.number, status, stopped[row.unit])
        changed = _write(connection, wanted, there)
        if wave == FIRST and batch.status == "drawn":
            change(connection, BatchRow, where={"trial": trial.id, "number": batch.number}, to={"status": "lettered"})
            changed += 1
        if changed:
            told = {"letters": len(letters), "withheld": len(due.withheld) + len(refused)}
            facts = {"batch": batch.number, "wave": wave, **told}
            audit(connection, trial=trial.id, what="lettered", facts=facts, at=now)


_CHANGES = ("unit", "batch", "status", "reason", "sha256", "pages", "sheets", "format", "languages")


def _write(connection: Connection, wanted: Mapping[str, PostingRow], there: Mapping[str, PostingRow]) -> int:
    """Add the rows that are not there and change those that differ; what was posted stays. Returns how many."""
    fresh = []
    changed = 0
    for reference, row in wanted.items():
        old = there.get(reference)
        if old is None:
            fresh.append(row)
            continue
        to = {name: getattr(row, name) for name in _CHANGES if getattr(row, name) != getattr(old, name)}
        if old.status == "posted" or not to:
            continue
        if old.batch != row.batch or not old.sha256:  # made anew: it came back with this batch, or was withheld
            to["made_at"] = row.made_at
        change(connection, PostingRow, where={"trial": row.trial, "letter_reference": reference}, to=to)
        changed += 1
    append(connection, fresh)
    return changed + len(fresh)
