"""The public notice of a trial: which letters are tested, on whom, what is kept of them and how to object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from nudge.base.errors import Refused
from nudge.base.files import write_whole
from nudge.documents.checks import check_letter, check_values
from nudge.documents.details import check_details
from nudge.documents.letter import LetterSpec, letter_reference
from nudge.documents.page import draw
from nudge.documents.profiles import profile_named
from nudge.documents.templates import TemplateFolder
from nudge.experiment.seal import definition_hash
from nudge.trial.handle import Trial

TEMPLATE: Final = "letters/public-notice.html"
FILE: Final = "public-notice.pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The notice as it lies on disk, or on a dry run where it would."""

    path: Path
    made: bool


def make_notice(trial: Trial, *, today: date, dry_run: bool = False) -> Notice:
    """Write the public notice of a trial, sealed or not, to hang up and to put on the council's page.

    It is a letter to nobody in particular, at the council's own address, so that everything that a letter is checked
    for holds of it too. Refused where the experiment lacks a detail that it prints, or gives a day gone by.
    """
    folder = TemplateFolder(trial.workspace.templates)
    details = trial.experiment.details
    Refused.when(check_details(folder, [TEMPLATE], details, on=today, place=trial.loaded.place))
    council = trial.workspace.council
    definition = definition_hash(trial.experiment)
    spec = LetterSpec(
        reference=letter_reference(bytes.fromhex(definition), trial.id, "public notice", 1, "notice"),
        template=TEMPLATE,
        name="Public notice",
        salutation="reader",
        post_to=tuple(line.strip() for line in council["return_address"].split(",")),
        fields={},
        claims={},
        council=council,
        letter_date=today,
        as_of=today,
        tenancy_reference=trial.id,
        payment_reference=trial.id,
        details=details,
    )
    profile = profile_named(trial.workspace.profile)
    drawn = draw(folder.html(spec), folder.path, profile=profile, template=TEMPLATE)
    Refused.when((*check_values(spec), *check_letter(drawn, spec, profile, folder)))
    path = trial.workspace.out(trial.id) / FILE
    return Notice(path=path if dry_run else write_whole(path, drawn.pdf), made=not dry_run)
