"""The signs of a batch: which goes up where and when, made as print files, with what the installers need."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from nudge.allocation.design import Design
from nudge.base.errors import Place, Refused
from nudge.base.files import write_whole
from nudge.base.values import day_in_words, utc_text
from nudge.documents.letter import letter_reference
from nudge.documents.sign import FOLDER, SignSpec, make_signs
from nudge.documents.templates import TemplateFolder
from nudge.experiment.sites import SiteExperiment
from nudge.intake.rejects import inert
from nudge.records.store import append, audit, change, rows_of
from nudge.records.tables import AllocationRow, BatchRow, PostingRow, RecipientRow, UnitRow
from nudge.reports.parts import Answer, Section, Story, Table, Tone
from nudge.reports.render import report_pdf, story_html
from nudge.trial.batches import batch_of, require_open
from nudge.trial.codes import TrialCode
from nudge.trial.gate import on_hold
from nudge.trial.handle import Trial, require_seal
from nudge.trial.schedule import Turn, arms_in_turn, turns
from nudge.trial.sealing import epoch_now, frozen_claims, read_secret
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.site_enrolment import starts_on
from nudge.trial.sites import SiteFacts, drawn_sites, signs_of

SCHEDULE: Final = "schedule.csv"
LOG: Final = "install-log.csv"
LOG_HEADINGS: Final = (
    *("sign reference", "site", "where", "due up", "put up on", "due down", "taken down on", "by", "photo"),
)
EVERYBODY: Final = "Installers"  # the heading of the schedule where the sites file names no installer


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSign:
    """One sign at one site. `turn` says when; the reference tells neither arm nor site."""

    reference: str
    unit: str
    facts: SiteFacts
    turn: Turn
    installer: str


@dataclass(frozen=True, kw_only=True)
class SignsMade:
    """What one run of documents came to; shows no arm (I8)."""

    batch: int
    folder: Path
    signs: int
    sites: int
    files: tuple[Path, ...]


def standing_batch(trial: Trial) -> BatchRow:
    """The batch of sites that stands. Refused where none is drawn."""
    found = [batch for batch in trial.batches if batch.status != "abandoned"]
    if not found:
        raise Refused(SignTrialCode.NOT_DRAWN.at(trial.place, trial=trial.id))
    return found[-1]


def sign_plan(trial: Trial, batch: BatchRow) -> tuple[PlannedSign, ...]:
    """Every sign of the sites of a batch, by site and period."""
    experiment = signs_of(trial)
    secret = read_secret(trial)
    with trial.store.snapshot() as connection:
        units = drawn_sites(rows_of(connection, UnitRow, trial=trial.id, batch=batch.number))
        arms = {row.cluster: row.arm for row in rows_of(connection, AllocationRow, trial=trial.id)}
        design = Design.of(experiment, epoch=epoch_now(connection, trial.id))
        people = {row.unit: row.title for row in rows_of(connection, RecipientRow, trial=trial.id)}
    return tuple(
        PlannedSign(
            reference=letter_reference(secret, trial.id, unit.unit, 1, turn.wave),
            unit=unit.unit,
            facts=SiteFacts.read(unit),
            turn=turn,
            installer=people.get(unit.unit, ""),
        )
        for unit in units
        for turn in turns(experiment, arms_in_turn(experiment, design, arms[unit.cluster]))
    )


def make_batch_signs(trial: Trial, *, today: date, now: datetime, dry_run: bool = False) -> SignsMade:
    """Make the print file of every sign, the schedule and the form for the installers' log. Run again, it finishes.

    A site on hold, whose owner may have withdrawn consent, is in none of them; it stays drawn. Refused where the trial
    changed since its seal or is closed, nothing is drawn, or something is put up already.
    """
    experiment = signs_of(trial)
    seal = require_seal(trial)
    batch = standing_batch(trial)
    with trial.store.snapshot() as connection:
        require_open(connection, trial)
        held = on_hold(connection, trial)
    if batch.status == "posted":
        raise Refused(SignTrialCode.PUT_UP_ALREADY.at(Place(f"{trial.id}/{batch.number}")))
    every = sign_plan(trial, batch)
    plan = [sign for sign in every if sign.unit not in held]
    folder = trial.workspace.batch_folder(trial.id, batch.number)
    sites = len({sign.unit for sign in plan})
    if dry_run:
        return SignsMade(batch=batch.number, folder=folder, signs=len(plan), sites=sites, files=())
    specs = [sign_spec(trial, experiment, sign, frozen_claims(seal)) for sign in plan]
    made = make_signs(specs, TemplateFolder(trial.workspace.templates), folder)
    starts = starts_on(batch)
    files = [
        write_whole(folder / SCHEDULE, schedule_csv(plan, experiment, starts)),
        write_whole(folder / LOG, log_csv(plan, starts)),
    ]
    gone = {sign.reference for sign in every} - {sign.reference for sign in plan}
    stale = [path for path in folder.glob(f"{FOLDER}/*.pdf") if path.stem in gone]
    for path in (*stale, *folder.glob("schedule*.pdf")):  # some of installers that a corrected list no longer names
        path.unlink()
    for name, story in schedules(plan, experiment, starts, today).items():
        files.append(write_whole(folder / f"{name}.pdf", report_pdf(story_html(story))))
    _record(trial, batch, every, {sign.reference: sign.sha256 for sign in made}, held, now)
    return SignsMade(
        batch=batch.number,
        folder=folder,
        signs=len(plan),
        sites=sites,
        files=tuple(files),
    )


def sign_spec(trial: Trial, experiment: SiteExperiment, sign: PlannedSign, claims: Mapping[str, str]) -> SignSpec:
    """What one sign is made of."""
    facts, sites = sign.facts, experiment.sites
    return SignSpec(
        reference=sign.reference,
        template=experiment.arm(sign.turn.arm).sign or "",
        site=facts.site,
        size=facts.size or sites.size,
        orientation=facts.orientation or sites.orientation,
        preset=sites.preset,
        council=trial.workspace.council,
        claims=claims,
        details=experiment.details,
    )


def _csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    sheet = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    sheet.writerow(headings)
    sheet.writerows([inert(cell) for cell in row] for row in rows)
    return "\ufeff" + text.getvalue()


def schedule_csv(plan: Sequence[PlannedSign], experiment: SiteExperiment, starts: date | None) -> str:
    """What to do where and when: a line for each sign to put up and each to take down, by day, installer and site."""
    headings = ("day", "installer", "do", "sign reference", "site", "where", "size", "orientation", "authorisation")
    return _csv(headings, [(_day(job.day, starts), *job.cells(experiment)) for job in jobs(plan)])


def log_csv(plan: Sequence[PlannedSign], starts: date | None) -> str:
    """The form for the installers' log: a line for each sign, the days, initials and photo left to be filled in."""
    rows = []
    for one in plan:
        up, down = _day(one.turn.up, starts), _day(one.turn.down, starts)
        rows.append((one.reference, one.facts.site, one.facts.where, up, "", down, "", "", ""))
    return _csv(LOG_HEADINGS, rows)


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do: on so many days from day 0, put a sign up or take it down."""

    day: int
    up: bool
    sign: PlannedSign

    @property
    def words(self) -> str:
        return "put up" if self.up else "take down"

    def cells(self, experiment: SiteExperiment) -> tuple[str, ...]:
        facts, sites = self.sign.facts, experiment.sites
        place = (self.sign.reference, facts.site, facts.where)
        form = (facts.size or sites.size, facts.orientation or sites.orientation, facts.authorisation)
        return (self.sign.installer, self.words, *place, *form)


def jobs(plan: Sequence[PlannedSign]) -> list[Job]:
    """Everything to do, in order; where a sign takes another's place the old one comes down first."""
    every = [job for sign in plan for job in (Job(sign.turn.up, True, sign), Job(sign.turn.down, False, sign))]
    return sorted(every, key=lambda job: (job.day, job.sign.installer, job.sign.facts.site, job.up))


def _day(days: int, starts: date | None) -> str:
    if starts is not None:
        return date.fromordinal(starts.toordinal() + days).isoformat()
    return "day 0" if days == 0 else f"day {days}"


def schedules(
    plan: Sequence[PlannedSign], experiment: SiteExperiment, starts: date | None, today: date
) -> dict[str, Story]:
    """A page for each installer of what to do where and when, by the name of its file."""
    own: dict[str, list[Job]] = defaultdict(list)
    for job in jobs(plan):
        own[job.sign.installer].append(job)
    names = sorted(own)
    files = ["schedule" if len(names) == 1 else f"schedule-{number}" for number in range(1, len(names) + 1)]
    return {
        file: _schedule(name or EVERYBODY, own[name], experiment, starts, today)
        for file, name in zip(files, names, strict=True)
    }


def _schedule(
    installer: str, own: Sequence[Job], experiment: SiteExperiment, starts: date | None, today: date
) -> Story:
    words: tuple[str, ...] = (
        "The file of each sign is named by its reference, which is printed on the sign. Put it up at the site beside"
        " which it stands here, and at no other.",
        "Write the day beside each sign in install-log.csv, with your initials and the name of a photo. Leave what was"
        " not done blank, do not swap signs, and tell the office if one is missing or spoilt.",
    )
    if starts is None:
        words += ("Day 0 is the day on which the first sign goes up: put all of them up on that day if you can.",)
    table = Table(
        caption="What to do, in order",
        columns=("Day", "Do", "Sign", "Site", "Where", "Size"),
        rows=tuple((_in_words(job.day, starts), job.words.capitalize(), *_place(job, experiment)) for job in own),
        words=(0, 1, 2, 3, 4, 5),
    )
    return Story(
        title=installer,
        question=experiment.title,
        facts=(("Things to do", str(len(own))), ("Made on", day_in_words(today))),
        banner=None,
        answers_heading="How it is done",
        answers=tuple(Answer(head="", tone=Tone.PLAIN, sentence=one) for one in words),
        sections=(Section(slug="schedule", heading="Schedule", parts=(table,)),),
        colophon=experiment.id,
        kind="Putting up signs",
    )


def _in_words(days: int, starts: date | None) -> str:
    return f"Day {days}" if starts is None else day_in_words(date.fromordinal(starts.toordinal() + days))


def _place(job: Job, experiment: SiteExperiment) -> tuple[str, ...]:
    facts, sites = job.sign.facts, experiment.sites
    approved = f" (highway: {facts.authorisation})" if facts.highway else ""
    size = f"{facts.size or sites.size} {facts.orientation or sites.orientation}"
    return job.sign.reference, facts.site, facts.where + approved, size


def _record(
    trial: Trial,
    batch: BatchRow,
    plan: Sequence[PlannedSign],
    hashes: Mapping[str, str],
    held: Mapping[str, str],
    now: datetime,
) -> None:
    """A posting for each sign, withheld at a site on hold; those of a batch that was undone come back."""
    with trial.store.transaction() as connection:
        if batch_of(connection, trial, batch.number).status != batch.status:
            raise Refused(TrialCode.BATCH_CHANGED.at(Place(f"{trial.id}/{batch.number}")))
        there = {row.letter_reference: row for row in rows_of(connection, PostingRow, trial=trial.id)}
        fresh = 0
        for sign in plan:
            row, new = there.get(sign.reference), _posting(trial, batch, sign, hashes, held, now)
            if row is None:
                append(connection, [new])
            elif (row.sha256, row.status) != (new.sha256, new.status):
                where = {"trial": trial.id, "letter_reference": sign.reference}
                names = ("sha256", "batch", "made_at", "status", "reason")
                change(connection, PostingRow, where=where, to={name: getattr(new, name) for name in names})
            else:
                continue
            fresh += 1
        if batch.status == "drawn":
            own = {"trial": trial.id, "number": batch.number}
            change(connection, BatchRow, where=own, to={"status": "lettered"})
        if fresh or batch.status == "drawn":
            audit(connection, trial=trial.id, what="signs_made", facts={"batch": batch.number, "signs": fresh}, at=now)


def _posting(
    trial: Trial,
    batch: BatchRow,
    sign: PlannedSign,
    hashes: Mapping[str, str],
    held: Mapping[str, str],
    now: datetime,
) -> PostingRow:
    return PostingRow(
        trial=trial.id,
        letter_reference=sign.reference,
        unit=sign.unit,
        number=1,
        batch=batch.number,
        wave=sign.turn.wave,
        status="withheld" if sign.unit in held else "made",
        reason=held.get(sign.unit),
        made_at=utc_text(now),
        sha256=hashes.get(sign.reference, ""),  # none of a sign that is not made
        pages=1,
        sheets=1,
    )
