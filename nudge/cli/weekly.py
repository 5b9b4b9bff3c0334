"""What an officer does every week: status, enrol, letters, responses, review."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nudge.base.errors import Misused, Refused
from nudge.cli.options import (
    DAY,
    FILE,
    as_of_option,
    columns_typed,
    dry_run_option,
    json_option,
    list_options,
    moment,
    workers_option,
)
from nudge.cli.output import Screen, progress, reasons

if TYPE_CHECKING:
    from nudge.intake.mapping import ColumnMapping
    from nudge.trial.enrolment import Enrolment
    from nudge.trial.handle import Trial
    from nudge.trial.imports import Imported


SHOWN = 20


def opened(experiment: str | Path) -> Trial:
    """The trial of the workspace that the command runs in."""
    from nudge.trial.handle import open_trial
    from nudge.workspace import open_workspace

    trial = open_trial(open_workspace(Path.cwd()), experiment)
    click.get_current_context().call_on_close(trial.store.close)
    return trial


def columns_given(kind: str, pairs: tuple[str, ...], trial: Trial) -> ColumnMapping | None:
    """The columns typed in as NAME=HEADING, beside those learnt; without a heading there is none."""
    if not pairs:
        return None
    from nudge.intake.mapping import ColumnMapping, load_mappings

    given = columns_typed(pairs)
    learnt = load_mappings(trial.workspace.mappings).get(kind)
    return ColumnMapping(kind, {**(learnt.columns if learnt else {}), **given})


@click.command()
@click.argument("experiment", required=False)
@json_option
@as_of_option
def status(experiment: str | None, json_to: Path | None, on_day: date) -> None:
    """What to do today: letters and contacts in all, never by arm.

    Example: nudge status wealden-arrears
    """
    from nudge.trial.standing import standing
    from nudge.workspace import open_workspace

    screen = Screen(json_to)
    workspace = open_workspace(Path.cwd())
    names = [experiment] if experiment else sorted(path.stem for path in workspace.experiments.glob("*.yaml"))
    stands, broken = [], []
    for name in names:
        try:
            stand = standing(workspace, name, today=on_day)
        except Refused:
            if experiment:
                raise
            broken.append(name)  # one broken file does not hide the other trials
            continue
        if stand is not None:  # a recorded plan has nothing to do
            stands.append(stand)
    for stand in sorted(stands, key=lambda one: not one.counts):  # those not sealed yet come after the others
        screen.heading(stand.title)
        screen.counts(stand.counts)
        for line in stand.to_do:
            screen.say(f"  → {line}")
        screen.say()
    for name in broken:
        screen.heading(f"{name}: its file has mistakes")
        screen.say(f"  → nudge check experiments/{name}.yaml\n")
    figures = [stand.figures() for stand in stands]
    screen.figures(figures)


@click.command()
@click.argument("experiment")
@click.argument("extract", type=FILE)
@list_options(required=True)
@click.option("--as-of", type=DAY, help="The day the extract was made [default: as it says, else today].")
@click.option("--column", "columns", multiple=True, metavar="NAME=HEADING", help="Which heading is which column.")
@click.option("--encoding", help="The file's encoding, where nudge asks.")
@click.option("--accept-good-rows", is_flag=True, help="Go on without the rejected rows.")
@dry_run_option
@workers_option
@json_option
@as_of_option
def enrol(
    experiment: str,
    extract: Path,
    suppress: Path,
    dated: date,
    as_of: date | None,
    columns: tuple[str, ...],
    encoding: str | None,
    accept_good_rows: bool,
    dry_run: bool,
    workers: int | None,
    json_to: Path | None,
    on_day: date,
) -> None:
    """Draw the arms of this week's new tenancies.

    Example: nudge enrol wealden-arrears data/week-01.csv --suppress data/stop-01.csv --dated today
    """
    from nudge.documents.batch import local_executor
    from nudge.trial.enrolment import enrol as take_in

    screen = Screen(json_to)
    trial = opened(experiment)
    with local_executor(workers) as executor, progress("Trying every letter") as bar:
        found = take_in(
            trial,
            extract,
            suppress,
            dated=dated,
            today=on_day,
            now=moment(on_day),
            as_of=as_of,
            mapping=columns_given("extract", columns, trial),
            encoding=encoding,
            accept_good_rows=accept_good_rows,
            dry_run=dry_run,
            executor=executor,
            progress=bar,
        )
    _tell_enrolment(screen, trial, found, extract, dry_run=dry_run)
    alike = [{"rows": [one.first, one.second], "shares": one.shares} for one in found.alike]
    shown = {"batch": found.batch, "made": found.made, "encoding": found.reading.encoding, "alike": alike}
    screen.figures({**shown, **_public(found.flow)})


def _public(flow: Any) -> dict[str, Any]:
    return {key: value for key, value in flow.items() if key not in {"why", "suppression"}}


def _some(counts: dict[str, Any]) -> dict[str, Any]:
    return {name: number for name, number in counts.items() if number}


def _tell_enrolment(screen: Screen, trial: Trial, found: Enrolment, extract: Path, *, dry_run: bool) -> None:
    from nudge.intake.telling import told
    from nudge.reports.wording import plural

    units, clusters = plural(trial.experiment.unit), plural(trial.experiment.cluster or trial.experiment.unit)
    flow = _public(found.flow)
    if found.batch is not None and not found.made:
        screen.say(f"{extract.name} was enrolled before, as batch {trial.id}/{found.batch}. Nothing changed.")
        screen.next(f"nudge letters {trial.id}")
        return
    screen.heading(f"{extract.name} (read as {found.reading.encoding})")
    screen.counts(
        {
            "rows": flow["rows"],
            **reasons(flow["rejected"], prefix="rejected: "),
            **reasons(flow["dropped"], prefix="not read: "),
        }
    )
    screen.counts(
        {
            f"{units}, joint tenants counted once": flow["tenancies"],
            **_some({"enrolled before": flow["enrolled_before"]}),
            **reasons(flow["excluded"], prefix="left out: "),
        }
    )
    screen.counts(
        {
            f"{units} allocated": flow["allocated"],
            f"{clusters} drawn": flow["clusters"],
            **{f"letters as {words}": n for words, n in sorted(flow["forms"].items()) if words != "standard print"},
            **_some({"joined a household already in": flow["late"], "back from an undone batch": flow["rejoined"]}),
        }
    )
    if found.rejects:
        for line in told(found.rejects):
            screen.say(f"  {line}")
    if found.rejects_file is not None:
        screen.say(f"All of them, with what stands there: {found.rejects_file}")
    for language, lacks in found.nearly_ready.items():
        screen.say(f"Letters in {language} cannot be sent yet. Still missing: {', '.join(lacks)}.")
    if found.deceased:
        rows = ", ".join(map(str, found.deceased))
        screen.say(f"A tenant has died, and somebody must write to the family or the executors. By row: {rows}.")
    if found.alike:
        screen.say("One person under two references? Look before you send; nudge merges nothing:")
        for pair in found.alike[:SHOWN]:
            screen.say(f"  {pair}")
        if len(found.alike) > SHOWN:
            screen.say(f"  … and {len(found.alike) - SHOWN} pairs more")
    if dry_run:
        screen.say("This was a dry run: nothing was kept.")
    elif found.batch is None:
        screen.say("Nobody new this week: no batch was drawn.")
    else:
        name = f"{trial.id}/{found.batch}"
        screen.say(f"Batch {name} is drawn. To take it back before it is posted: nudge undo {name}")
        screen.next(f"nudge letters {trial.id}")


@click.command()
@click.argument("experiment")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--kind", help="What the file holds: contacts, payments, returned, complaints, moved, …")
@click.option("--covers", nargs=2, type=DAY, help="First and last day that the file covers.")
@click.option("--column", "columns", multiple=True, metavar="NAME=HEADING", help="Which heading is which column.")
@click.option("--accept-good-rows", is_flag=True, help="Go on without the rejected rows.")
@click.option("--as-well", is_flag=True, help="Of signs: count these besides another file's of the same site and day.")
@click.option("--withdraw", is_flag=True, help="Take these files back: they should not have been added.")
@click.option("--because", default="", help="Why they are taken back.")
@dry_run_option
@json_option
@as_of_option
def responses(
    experiment: str,
    files: tuple[Path, ...],
    kind: str | None,
    covers: tuple[date, date] | None,
    columns: tuple[str, ...],
    accept_good_rows: bool,
    as_well: bool,
    withdraw: bool,
    because: str,
    dry_run: bool,
    json_to: Path | None,
    on_day: date,
) -> None:
    """Add contacts, payments, returned mail, complaints, moves, Breathing Space or balances; of signs, readings.

    \b
    Examples: nudge responses wealden-arrears data/contacts.csv --kind contacts --covers 2026-11-23 2026-12-31
              nudge responses wealden-arrears data/contacts.csv --withdraw --because "the wrong month"
    """
    from functools import partial

    from nudge.trial.readings import add_readings
    from nudge.trial.responses import add_responses
    from nudge.trial.sites import of_signs

    screen = Screen(json_to)
    trial = opened(experiment)
    if withdraw:
        _withdraw(screen, trial, files, because, on_day, dry_run=dry_run)
        return
    if columns and kind is None:
        raise Misused(message="--column needs --kind: each kind of file has columns of its own.")
    signs = of_signs(trial.experiment)
    if as_well and not signs:
        raise Misused(message="--as-well is for readings of signs: a letter's responses are matched one by one.")
    add = partial(add_readings, as_well=as_well) if signs else add_responses
    imported = add(
        trial,
        files,
        kind=kind,
        covers=covers,
        today=on_day,
        now=moment(on_day),
        mapping=columns_given(kind or "", columns, trial),
        accept_good_rows=accept_good_rows,
        dry_run=dry_run,
    )
    waiting = 0
    for one, file in zip(imported, files, strict=True):
        screen.heading(f"{one.name}: {one.kind}, {one.covers[0].isoformat()} to {one.covers[1].isoformat()}")
        if not one.made and not dry_run:
            screen.say("  This file was added before. Nothing changed.")
        screen.counts(
            {
                "rows": one.rows,
                "matched to the trial": one.matched,
                "not in this trial": one.not_in_trial,
                "waiting for a decision": one.conflicts,
                "rejected": one.rejected,
                **{words: number for words, number in _left(one, signs=signs) if number},
            }
        )
        waiting += one.conflicts
        for note in one.notes if signs else ():
            screen.say(f"  {note}")
        if one.made:
            screen.say(f'  If this was the wrong file: nudge responses {trial.id} {file} --withdraw --because "…"')
    if dry_run:
        screen.say("This was a dry run: nothing was kept.")
    if waiting:
        screen.next(f"nudge review {trial.id}")
    else:
        screen.next(f"nudge status {trial.id}")
    screen.figures([one.figures() for one in imported])


def _left(one: Imported, *, signs: bool) -> tuple[tuple[str, int], ...]:
    """Good rows that count nowhere, in words."""
    if signs:
        return (("not added up, as told below", one.not_counted),)
    return (
        ("that no rule of the experiment counts", one.not_counted),
        ("that lack a cell which a rule asks for", one.undecided),
    )


def _withdraw(
    screen: Screen, trial: Trial, files: tuple[Path, ...], because: str, on_day: date, *, dry_run: bool
) -> None:
    from nudge.base.files import sha256_file
    from nudge.trial.responses import withdraw_responses

    if dry_run:
        screen.say("They would be taken back, with all that came of them. This was a dry run: nothing was changed.")
        return
    figures = []
    for file in files:
        gone = withdraw_responses(trial, sha256_file(file), because=because, now=moment(on_day))
        screen.say(f"{file} is taken back, with the {gone} events that came of it. To add it again, run it as before.")
        figures.append({"file": file.name, "events_removed": gone})
    screen.next(f"nudge status {trial.id}")
    screen.figures(figures)


@click.command()
@click.argument("experiment")
@click.option("--accept", nargs=2, metavar="ID REFERENCE", help="Row ID belongs to this tenancy.")
@click.option("--reject", metavar="ID", help="Row ID belongs to nobody in this trial.")
@click.option("--skip", metavar="ID", help="Leave row ID for later.")
@json_option
@as_of_option
def review(
    experiment: str,
    accept: tuple[str, str] | None,
    reject: str | None,
    skip: str | None,
    json_to: Path | None,
    on_day: date,
) -> None:
    """Decide doubtful matches. Without an option the open ones are listed; the arm is never shown.

    Example: nudge review wealden-arrears --accept 3 T0001234
    """
    from nudge.trial.review import accept as take
    from nudge.trial.review import open_reviews
    from nudge.trial.review import reject as refuse
    from nudge.trial.review import skip as leave

    screen = Screen(json_to)
    trial = opened(experiment)
    if accept is not None:
        take(trial, accept[0], accept[1], now=moment(on_day))
    if reject is not None:
        refuse(trial, reject, now=moment(on_day))
    if skip is not None:
        leave(trial, skip, now=moment(on_day))
    waiting = open_reviews(trial)
    for one in waiting:
        screen.say(one.text())
    screen.say(f"{len(waiting)} waiting." if waiting else "Nothing is waiting for a decision.")
    if waiting:
        screen.next(f"nudge review {trial.id} --accept ID REFERENCE", f"nudge review {trial.id} --reject ID")
    screen.figures([one.figures() for one in waiting])
