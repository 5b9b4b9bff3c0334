"""The end of a trial: its certificate, the check that every arm can be drawn again, and what goes under retention."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Final

from sqlalchemy import Connection

from nudge._version import __version__
from nudge.allocation.certificate import BatchLine, Certificate, EpochLine, SealLine, opened, verify
from nudge.allocation.design import Entry
from nudge.base.errors import Place, Problem, Refused
from nudge.base.files import write_whole
from nudge.documents.batch import EMAILS, FOLDER, TASKS
from nudge.records.store import audit, broken_link, change, remove, rows_of
from nudge.records.tables import (
    AllocationRow,
    AmendmentRow,
    AuditRow,
    BatchRow,
    PostingRow,
    RecipientRow,
    ReviewRow,
    SealRow,
    UnitRow,
)
from nudge.trial.codes import TrialCode
from nudge.trial.drawing import as_allocated, batch_line
from nudge.trial.handle import Trial, require_seal
from nudge.trial.population import designs_of, lists_of
from nudge.trial.posting import find_unit
from nudge.trial.sealing import read_secret
from nudge.trial.units import unit_code


@dataclass(frozen=True, kw_only=True)
class Closed:
    """A closed trial: its certificate as files, the lists for an auditor alone, and whether this call closed it.

    `lists` is None once the whole trial was erased.
    """

    certificate: Certificate
    files: tuple[Path, ...]
    lists: Path | None
    made: bool


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What a verification found: no problems, or each of them; and what it counted."""

    problems: tuple[Problem, ...]
    batches: int
    clusters: int
    redrawn: bool


def build_certificate(trial: Trial, *, open_secret: bool) -> Certificate:
    """The certificate as the ledger stands; with the secret and the arms only where the trial is closed."""
    seal = require_seal(trial)
    with trial.store.snapshot() as connection:
        seals = rows_of(connection, SealRow, trial=trial.id)
        amendments = rows_of(connection, AmendmentRow, trial=trial.id)
        batches = rows_of(connection, BatchRow, trial=trial.id)
        allocations = rows_of(connection, AllocationRow, trial=trial.id)
        units = rows_of(connection, UnitRow, trial=trial.id)
    designs = designs_of(trial, seals, amendments)
    certificate = Certificate(
        trial=trial.id,
        algorithm=designs[-1].algorithm,
        seals=tuple(
            SealLine(
                number=row.number,
                sealed_at=row.sealed_at,
                definition_hash=row.definition_hash,
                seal_hash=row.seal_hash,
                commitment=row.commitment,
            )
            for row in seals
        ),
        beacon=seal.beacon_name,
        beacon_value=seal.beacon_value,
        witness=seal.witness.strip() or None,
        versions={"nudge": __version__, "python": python_version(), "numpy": version("numpy")},
        epochs=tuple(EpochLine.of(design) for design in designs),
        batches=tuple(_batch_line(row, allocations, units) for row in batches),
    )
    if not open_secret:
        return certificate
    return opened(certificate, secret=read_secret(trial), allocated=[as_allocated(row) for row in allocations])


def _batch_line(row: BatchRow, allocations: list[AllocationRow], units: list[UnitRow]) -> BatchLine:
    own = [unit for unit in units if unit.first_batch == row.number]
    return batch_line(
        row,
        clusters=sum(one.batch == row.number for one in allocations),
        units=sum(not unit.late for unit in own),
        late_members=sum(unit.late for unit in own),
    )


def check_closable(trial: Trial, *, today: date, abandon: bool = False, because: str = "") -> bool:
    """Whether the trial is still open to be closed. Refused before its results open, unless abandoned with a reason."""
    require_seal(trial)
    with trial.store.snapshot() as connection:
        if trial.is_closed(connection):
            return False
    if abandon and not because.strip():
        raise Refused(TrialCode.BECAUSE_MISSING.at(trial.place))
    if not abandon and not trial.horizon_reached(today):
        opens = trial.opens_on()
        day = opens.isoformat() if opens else "a date that posting will fix"
        raise Refused(TrialCode.NOT_CLOSABLE.at(trial.place, day=day, trial=trial.id))
    return True


def close_trial(trial: Trial, *, today: date, now: datetime, abandon: bool = False, because: str = "") -> Closed:
    """End a trial: no more enrolment, the secret and the arms opened in the certificate.

    Refused before the results open, unless it is abandoned with a reason. Closing twice writes the same files, but no
    lists once the whole trial was erased.
    """
    read_secret(trial)  # a certificate without it would be worth nothing
    made = check_closable(trial, today=today, abandon=abandon, because=because)
    if made:
        with trial.store.transaction() as connection:
            if trial.is_closed(connection):
                made = False
            else:
                facts = {"on": today.isoformat(), "abandoned": abandon, "because": because.strip()}
                audit(connection, trial=trial.id, what="closed", facts=facts, at=now)
    certificate = build_certificate(trial, open_secret=trial.seal is not None and trial.seal.beacon_value is not None)
    files = write_certificate(trial, certificate)
    with trial.store.snapshot() as connection:
        ledger = rows_of(connection, AuditRow, trial=trial.id, what="erased")
    whole = any(json.loads(entry.facts_json)["whole"] for entry in ledger)
    return Closed(certificate=certificate, files=files, lists=None if whole else write_lists(trial), made=made)


def write_lists(trial: Trial) -> Path:
    """lists.json, the re-drawing lists for an auditor: by batch, each cluster's code and what its list said of it."""
    lists = {
        str(number): {
            code: entry
            if isinstance(entry, str)
            else {"stratum": entry.stratum, "pair": entry.pair, "covariates": list(entry.covariates)}
            for code, entry in sorted(entries.items())
        }
        for number, entries in sorted(frozen_lists(trial).items())
    }
    return write_whole(trial.workspace.out(trial.id) / LISTS, json.dumps(lists, ensure_ascii=False, indent=1) + "\n")


def write_certificate(trial: Trial, certificate: Certificate) -> tuple[Path, ...]:
    """certificate.json and the one-page certificate.html, in the trial's folder."""
    from nudge.reports.render import certificate_html

    folder = trial.workspace.out(trial.id)
    let_through = {str(name): said for name, said in trial.experiment.governance.overrides.items()}
    return (
        write_whole(folder / "certificate.json", certificate.to_json()),
        write_whole(folder / "certificate.html", certificate_html(certificate, let_through)),
    )


def frozen_lists(trial: Trial) -> dict[int, dict[str, str | Entry]]:
    """Each batch's list of clusters as frozen, {code: stratum, or what the draw looked at}: for re-drawing."""
    with trial.store.snapshot() as connection:
        batches = rows_of(connection, BatchRow, trial=trial.id)
        return lists_of(batches, rows_of(connection, AllocationRow, trial=trial.id))


def verify_trial(trial: Trial) -> Verified:
    """Draw every arm again from the secret and the lists, and compare; check the ledger's chain. Shows no arm (I8)."""
    seal = require_seal(trial)
    lists = frozen_lists(trial)
    drawable = seal.beacon_value is not None and any(lists.values())
    certificate = build_certificate(trial, open_secret=drawable)
    with trial.store.snapshot() as connection:
        recorded = [as_allocated(row) for row in rows_of(connection, AllocationRow, trial=trial.id)]
        broken = broken_link(connection, trial.id)
    problems = list(verify(certificate, lists, recorded=recorded)) if drawable else []
    if broken is not None:
        problems.append(TrialCode.LEDGER_BROKEN.at(Place(f"{trial.id} ledger"), number=broken))
    return Verified(
        problems=tuple(problems), batches=len(lists), clusters=sum(map(len, lists.values())), redrawn=drawable
    )


def erase(trial: Trial, *, reference: str | None, now: datetime, dry_run: bool = False) -> Mapping[str, int]:
    """Delete personal data: of one tenancy, or of the whole trial once it is closed. Arms and outcomes stay, by code.

    Goes: recipients, review rows, letters, print files, address files, rejects, and every byte of them in the
    records. The auditor's lists go too, whoever is erased: their codes lie beside the opened secret, with which
    addresses could be tried. A list without one code would no longer give its hash, so it is not cut but removed;
    closing again writes it, for the auditor, until the whole trial is erased. A letter not posted yet is
    withheld. Refused for a whole trial that still runs, and for a reference that is not in it. The council's own
    files, in `data/`, are not nudge's to delete.
    """
    with trial.store.snapshot() if dry_run else trial.store.transaction() as connection:
        recipients = rows_of(connection, RecipientRow, trial=trial.id)
        postings = rows_of(connection, PostingRow, trial=trial.id)
        if reference is None and not trial.is_closed(connection):
            raise Refused(TrialCode.ERASE_OPEN.at(trial.place, trial=trial.id))
        chosen = None if reference is None else _unit_to_erase(trial, connection, reference, recipients, postings)
        reviews = [
            row
            for row in rows_of(connection, ReviewRow, trial=trial.id)
            if row.row_json != EMPTY and (chosen is None or chosen == row.unit or chosen in row.candidates_json)
        ]
        gone = sum(chosen is None or row.unit == chosen for row in recipients)
        if not dry_run and (gone or reviews or chosen is None):
            where = {"trial": trial.id} if chosen is None else {"trial": trial.id, "unit": chosen}
            remove(connection, RecipientRow, where=where)
            change(
                connection,
                PostingRow,
                where=where | {"status": "made"},
                to={"status": "withheld", "reason": "erased"},
            )
            for review in reviews:
                change(connection, ReviewRow, where={"trial": trial.id, "id": review.id}, to={"row_json": EMPTY})
            facts = {"recipients": gone, "reviews": len(reviews), "whole": chosen is None}
            audit(connection, trial=trial.id, what="erased", facts=facts, at=now)
    letters = None if chosen is None else {row.letter_reference for row in postings if row.unit == chosen}
    files = _personal_files(trial, letters)
    if not dry_run:
        for path in files:
            path.unlink()
        trial.store.compact()
        for copy in trial.store.backups:  # made before a change of version: they hold the names still
            copy.unlink()
    return {"recipients": gone, "review rows": len(reviews), "files": len(files)}


EMPTY: Final = "{}"
LISTS: Final = "lists.json"
"""The re-drawing lists, in the trial's folder: for the auditor alone."""


def _unit_to_erase(
    trial: Trial,
    connection: Connection,
    reference: str,
    recipients: Sequence[RecipientRow],
    postings: Sequence[PostingRow],
) -> str:
    """The unit of a reference, known by its code even when its names are gone: an erasure cut short is finished."""
    code = unit_code(read_secret(trial), reference.strip())
    if rows_of(connection, UnitRow, trial=trial.id, unit=code):
        return code
    return find_unit(trial, reference, recipients, postings)


SINGLE: Final = frozenset({FOLDER, EMAILS, TASKS})  # folders of one file a letter


def _personal_files(trial: Trial, letters: set[str] | None) -> list[Path]:
    """The files with names in them: of all batches, or those that one tenancy's letters are or stand in.

    One tenant's page stands among others' in a print file, and a manifest names the neighbours too: the merged files
    of its batches all go. The others' single letters stay, and `nudge letters` makes an unposted pack again.
    """
    out = trial.workspace.out(trial.id)
    found = [path for path in (*out.glob("**/*rejects.csv"), out / LISTS) if path.is_file()]
    for folder in (path for path in out.glob("batch-*") if path.is_dir()):
        inside = [path for path in folder.rglob("*") if path.is_file() and path not in found]
        if letters is not None and not _mentions(folder, letters):
            continue
        if letters is not None:
            inside = [path for path in inside if path.parent.name not in SINGLE or path.stem in letters]
        found += inside
    return sorted(found)


def _mentions(folder: Path, letters: set[str]) -> bool:
    if any(list(folder.rglob(f"{reference}.*")) for reference in letters):
        return True  # one that was made again lies a folder deeper
    listed = (path.read_text("utf-8-sig") for path in folder.rglob("*.csv"))  # the pull list names people too
    return any(reference in text for text in listed for reference in letters)
