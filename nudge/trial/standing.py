"""Where a trial stands today and what is to be done: letters and contacts in all, never by arm (I8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from nudge.base.errors import Refused
from nudge.documents.form import Form, Format
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.live_checks import CHANGING
from nudge.experiment.loader import load
from nudge.records.store import rows_of
from nudge.records.tables import AuditRow, BatchRow, EventRow, ImportRow, PostingRow, ReviewRow, UnitRow
from nudge.reports.wording import plural
from nudge.trial.due import due_on
from nudge.trial.gate import HELD
from nudge.trial.handle import Trial, open_trial, require_seal
from nudge.trial.installation import TAKEN_DOWN
from nudge.trial.looks import due_look
from nudge.trial.sites import of_signs
from nudge.workspace import Workspace

DAYS_BETWEEN: Final = {"once": 36_500, "weekly": 7, "fortnightly": 14, "monthly": 28}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One trial today: counts, and each thing to do as the command that does it."""

    trial: str
    title: str
    counts: Mapping[str, int]
    to_do: tuple[str, ...]

    def figures(self) -> dict[str, Any]:
        return {"trial": self.trial, "counts": dict(self.counts), "to_do": list(self.to_do)}


def standing(workspace: Workspace, name: str, *, today: date) -> Standing | None:
    """How the trial of an experiment stands; None for a recorded plan, which has nothing to do."""
    path = workspace.experiments / f"{name}.yaml"
    if path.is_file() and not isinstance(load(path).experiment, LiveExperiment):
        return None
    trial = open_trial(workspace, Path(name) if Path(name).is_file() else name)
    title = f"{trial.id}: {trial.experiment.title}"
    if not trial.is_sealed:
        return Standing(
            trial=trial.id,
            title=title,
            counts={},
            to_do=(f"nudge check {path if path.is_file() else name}", f"nudge seal {trial.id}"),
        )
    with trial.store.snapshot() as connection:
        batches = rows_of(connection, BatchRow, trial=trial.id)
        units = rows_of(connection, UnitRow, trial=trial.id)
        postings = rows_of(connection, PostingRow, trial=trial.id)
        events = rows_of(connection, EventRow, trial=trial.id)
        imports = rows_of(connection, ImportRow, trial=trial.id)
        ledger = rows_of(connection, AuditRow, trial=trial.id)
        waiting = len(rows_of(connection, ReviewRow, trial=trial.id, status="open"))
        closed = trial.is_closed(connection)
    counts = {
        "batches": len(batches),
        f"{plural(trial.experiment.unit)} in the trial": len(units),
        **_sent(trial, postings),
    }
    counts |= _forms(trial, postings)
    for kind in sorted({event.kind for event in events} - {HELD, TAKEN_DOWN}):
        counts[f"{plural(trial.experiment.unit)} with {kind.replace('_', ' ')}"] = len(
            {event.unit for event in events if event.kind == kind}
        )
    steps = (
        ()
        if closed
        else tuple(_steps_of_signs(trial, batches, postings, imports, today))
        if of_signs(trial.experiment)
        else tuple(
            _steps(trial, batches, postings, imports, waiting, due_look(trial, batches, units, ledger, today), today)
        )
    )
    return Standing(
        trial=trial.id, title=title, counts=counts, to_do=steps or ("Closed." if closed else "Nothing today.",)
    )


def _sent(trial: Trial, postings: list[PostingRow]) -> dict[str, int]:
    """Letters, or signs, that went and did not go."""
    thing, done = ("signs", "put up") if of_signs(trial.experiment) else ("letters", "posted")
    found = {f"{thing} {done}": sum(row.status == "posted" for row in postings)}
    return found | {f"{thing} withheld": sum(row.status == "withheld" for row in postings)}


def _changed(trial: Trial) -> list[str]:
    """What is to be mended before anything else: the file or a template is no longer what was sealed."""
    try:
        require_seal(trial)
    except Refused as refusal:
        return [f"{problem.place}: {problem.fix}" for problem in refusal.problems]
    return []


def _steps_of_signs(
    trial: Trial, batches: list[BatchRow], postings: list[PostingRow], imports: list[ImportRow], today: date
) -> list[str]:
    steps = _changed(trial)
    standing = [batch for batch in batches if batch.status != "abandoned"]
    if trial.seal is not None and trial.seal.beacon_value is None:
        steps.append(f'nudge seal {trial.id} --beacon "VALUE"   (once published: {trial.seal.beacon_name})')
    elif not standing:
        starts = " --starts DAY" if trial.experiment.design.method in CHANGING else ""
        steps.append(f"nudge signs {trial.id} SITES{starts}   (the sites file)")
    for batch in standing:
        if batch.status == "drawn":
            steps.append(f"nudge signs {trial.id}   (make the signs)")
        waiting = sum(row.status == "made" for row in postings)
        if batch.status != "drawn" and waiting:
            steps.append(f"nudge signs {trial.id} --installed LOG   (signs not up yet: {waiting})")
    return steps + _opening(trial, imports, today)


def _opening(trial: Trial, imports: list[ImportRow], today: date) -> list[str]:
    """The report, once the results are open; until then when they open and how far the files reach."""
    opens = trial.opens_on()
    if opens is None:
        return []
    if today >= opens:
        return [f"nudge uplift {trial.id}"]
    last = max((row.covers_to for row in imports), default=None)
    on_file = f"responses are on file to {date.fromordinal(last)}" if last else "no responses on file yet"
    return [f"results open on {opens}; {on_file}"]


def _forms(trial: Trial, postings: list[PostingRow]) -> dict[str, int]:
    """Letters made or posted in another form than standard print in the trial's own languages, by batch."""
    if of_signs(trial.experiment):
        return {}
    own = Form(languages=trial.experiment.languages)
    found: Counter[str] = Counter()
    for row in postings:
        form = Form(format=Format(row.format), languages=tuple(row.languages.split()))
        if row.status in {"made", "posted"} and form != own:
            found[f"batch {row.batch}, letters as {form.words}"] += 1
    return dict(sorted(found.items()))


def _steps(
    trial: Trial,
    batches: list[BatchRow],
    postings: list[PostingRow],
    imports: list[ImportRow],
    waiting: int,
    look: int | None,
    today: date,
) -> list[str]:
    steps = _changed(trial)
    standing = [batch for batch in batches if batch.status != "abandoned"]
    if trial.seal is not None and trial.seal.beacon_value is None:
        steps.append(f'nudge seal {trial.id} --beacon "VALUE"   (once published: {trial.seal.beacon_name})')
    elif not standing or today.toordinal() - standing[-1].as_of >= DAYS_BETWEEN[trial.experiment.design.enrol]:
        steps.append(f"nudge enrol {trial.id} EXTRACT --suppress LIST --dated DAY   (this week's extract)")
    for batch in batches:
        name = f"{trial.id}/{batch.number}"
        if batch.status == "drawn":
            steps.append(f"nudge letters {name}")
        if batch.status == "lettered":
            steps.append(f"nudge dispatch {name} --on DAY --suppress LIST --dated DAY")
        for wave in trial.experiment.waves if batch.status == "posted" else ():
            due = due_on(wave, batch)
            done = any(row.batch == batch.number and row.wave == wave.id for row in postings)
            if due is not None and due <= today and not done:
                steps.append(
                    f"nudge letters {name} --wave {wave.id} --extract FILE --suppress LIST --dated DAY  (due {due})"
                )
        for wave in trial.experiment.waves:
            if any(row.batch == batch.number and row.wave == wave.id and row.status == "made" for row in postings):
                steps.append(f"nudge dispatch {name} --wave {wave.id} --on DAY --suppress LIST --dated DAY")
    if waiting:
        steps.append(
            f"nudge review {trial.id}   ({waiting} {'row waits' if waiting == 1 else 'rows wait'} for a decision)"
        )
    if look is not None:
        steps.append(f"nudge uplift {trial.id} --look   (look {look} is due)")
    return steps + _opening(trial, imports, today)
