"""Posting and the ways back from a mistake: dispatch, undo, hold, why."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nudge.cli.options import BATCH, DAY, as_of_option, dry_run_option, json_option, list_options, moment
from nudge.cli.output import Screen, reasons
from nudge.cli.weekly import opened

if TYPE_CHECKING:
    from nudge.trial.posting import Posted


_TAKE_OUT = "Take these out of the pile before it goes"
_STOP_THERE = "These must not go. If the print house has the file, have it stop them, or the order"


@click.command()
@click.argument("batch", type=BATCH)
@click.option("--on", "on", type=DAY, help="The day the letters went to the post.")
@list_options(required=False)
@click.option("--not-posted", multiple=True, metavar="REFERENCE", help="A letter that did not go.")
@click.option("--wave", default="first", show_default=True, help="Which letter: first, or the id of a later one.")
@click.option("--correct", type=DAY, help="The right day, where the one recorded is wrong.")
@click.option("--because", default="", help="Why it is corrected.")
@dry_run_option
@json_option
@as_of_option
def dispatch(
    batch: tuple[str, int],
    on: date | None,
    suppress: Path | None,
    dated: date | None,
    not_posted: tuple[str, ...],
    wave: str,
    correct: date | None,
    because: str,
    dry_run: bool,
    json_to: Path | None,
    on_day: date,
) -> None:
    """Confirm the day a batch went to the post; it starts the clock of every arm.

    \b
    Examples: nudge dispatch wealden-arrears/1 --on today --suppress data/stop.csv --dated today
              nudge dispatch wealden-arrears/1 --correct 2026-11-24 --because "posted on Tuesday"
    """
    from nudge.trial.gate import Listed
    from nudge.trial.posting import confirm_posting, correct_posting

    screen = Screen(json_to)
    trial = opened(batch[0])
    name = f"{batch[0]}/{batch[1]}"
    if correct is not None:
        changed = correct_posting(
            trial, batch[1], on=correct, because=because, today=on_day, now=moment(on_day), wave=wave
        )
        screen.say(f"{name}: posted {correct.isoformat()}." if changed else f"{name}: that was the date already.")
        if changed:
            screen.say(f"The report prints the correction. To change it again: nudge dispatch {name} --correct DAY …")
        screen.figures({"batch": name, "on": correct, "changed": changed})
        return
    if on is None or suppress is None or dated is None:
        raise click.UsageError(
            "Confirming needs --on DAY, --suppress LIST and --dated DAY (the list is read again today)."
        )
    posted = confirm_posting(
        trial,
        batch[1],
        on=on,
        listed=Listed(suppress, dated),
        today=on_day,
        now=moment(on_day),
        not_posted=not_posted,
        wave=wave,
        dry_run=dry_run,
    )
    screen.heading(f"{name}, {wave} letter, {on.isoformat()}")
    screen.counts({"letters posted": posted.posted, **reasons(posted.withheld, prefix="withheld: ")})
    if posted.abandoned and not dry_run:
        screen.say("Nothing went: the batch is abandoned, its tenancies come back with the next `nudge enrol`.")
        screen.next(f"nudge enrol {trial.id} EXTRACT --suppress LIST --dated DAY")
        screen.figures(_figures(name, wave, on, posted))
        return
    if posted.call_off:
        screen.say("Call these off with whoever sends, writes or signs them:")
        for reference, form in sorted(posted.call_off.items()):
            screen.say(f"  {reference} ({form})")
    if posted.pull:
        house = trial.workspace.printing.house != "mail-room"
        screen.say(f"{_STOP_THERE if house else _TAKE_OUT}:")
        known = {one.letter_reference for one in posted.lying}
        for line in sorted([*map(str, posted.lying), *(one for one in posted.pull if one not in known)]):
            screen.say(f"  {line}")
        if posted.pull_list is not None:
            screen.say(f"Where each lies in the print files: {posted.pull_list}")
        if dry_run:
            flag = "" if wave == "first" else f" --wave {wave} --extract FILE"
            screen.say("Or, if they are not printed or sent to the print house yet, make the print files without them:")
            screen.say(f"  nudge letters {name}{flag} --suppress {suppress} --dated {dated.isoformat()}")
    if posted.actions is not None:
        screen.say(f"To paste into the housing system: {posted.actions}")
    if dry_run:
        if posted.abandoned:
            screen.say("Nothing would go: the batch would be abandoned.")
        screen.say("This was a dry run: nothing was kept.")
    elif not posted.made:
        screen.say("That was recorded before. Nothing changed.")
    else:
        screen.say(f'If the day is wrong: nudge dispatch {name} --correct DAY --because "…"')
    screen.next(f"nudge responses {trial.id} FILE", f"nudge status {trial.id}")
    screen.figures(_figures(name, wave, on, posted))


def _figures(name: str, wave: str, on: date, posted: Posted) -> dict[str, object]:
    counts = {"posted": posted.posted, "withheld": dict(posted.withheld), "abandoned": posted.abandoned}
    return {"batch": name, "wave": wave, "on": on, "made": posted.made, **counts}


@click.command()
@click.argument("batch", type=BATCH)
@dry_run_option
@json_option
@as_of_option
def undo(batch: tuple[str, int], dry_run: bool, json_to: Path | None, on_day: date) -> None:
    """Abandon a whole batch before it is posted. Its tenancies keep their arms and come back with a later batch.

    Example: nudge undo wealden-arrears/3
    """
    from nudge.trial.posting import undo_batch
    from nudge.trial.sites import of_signs

    screen = Screen(json_to)
    trial = opened(batch[0])
    name = f"{batch[0]}/{batch[1]}"
    changed = undo_batch(trial, batch[1], now=moment(on_day), dry_run=dry_run)
    if not changed:
        screen.say(f"{name} was abandoned before. Nothing changed.")
    elif dry_run:
        screen.say(f"{name} would be abandoned and its files deleted. This was a dry run: nothing was changed.")
    else:
        screen.say(f"{name} is abandoned, its files are deleted. Destroy what was printed of it.")
        if of_signs(trial.experiment):
            screen.say("To bring its sites back, in the arms they had, give the list again, corrected.")
            screen.next(f"nudge signs {trial.id} SITES")
        else:
            screen.say("To bring its tenancies back, in the arms they had, enrol them again with a fresh extract.")
            screen.next(f"nudge enrol {trial.id} EXTRACT --suppress LIST --dated DAY")
    screen.figures({"batch": name, "changed": changed and not dry_run})


@click.command()
@click.argument("experiment")
@click.argument("reference")
@click.option("--because", required=True, help="A short reason, such as crisis, safeguarding, promise.")
@click.option("--release", is_flag=True, help="Take a hold back.")
@dry_run_option
@json_option
@as_of_option
def hold(
    experiment: str,
    reference: str,
    because: str,
    release: bool,
    dry_run: bool,
    json_to: Path | None,
    on_day: date,
) -> None:
    """Stop every further letter to a tenancy, from now. It stays in the analysis.

    \b
    Examples: nudge hold wealden-arrears T0001234 --because crisis
              nudge hold wealden-arrears T0001234 --release --because "wrong tenancy"
    """
    from nudge.trial.posting import hold as stop
    from nudge.trial.posting import release as let_go
    from nudge.trial.sites import of_signs

    screen = Screen(json_to)
    trial = opened(experiment)
    if release:
        made = let_go(trial, reference, because=because, now=moment(on_day), dry_run=dry_run)
        said = "The hold is taken back. `nudge letters` makes their letter, if the batch is not posted."
    else:
        made = stop(trial, reference, because=because, today=on_day, now=moment(on_day), dry_run=dry_run)
        said = "Held: no further letter will be made or posted. If one is printed, take it out of the pile now."
        if of_signs(trial.experiment):
            said = "Held: no sign goes up there from now. If one is printed, keep it back; if it is up, take it down."
    if not made:
        screen.say("Nothing changed: it was so before.")
    elif dry_run:
        screen.say("It can be done. This was a dry run: nothing was kept.")
    else:
        screen.say(said)
        if not release:
            screen.say(f'To take it back: nudge hold {trial.id} {reference} --release --because "…"')
    screen.next(f"nudge why {trial.id} {reference}")
    screen.figures({"changed": made and not dry_run})


@click.command()
@click.argument("experiment")
@click.argument("reference")
@click.option("--show-arm", is_flag=True, help="Show the arm too; this is logged.")
@json_option
@as_of_option
def why(experiment: str, reference: str, show_arm: bool, json_to: Path | None, on_day: date) -> None:
    """One tenant's story: why they were or were not written to.

    Example: nudge why wealden-arrears T0001234
    """
    from nudge.trial.story import tell

    screen = Screen(json_to)
    story = tell(opened(experiment), reference, show_arm=show_arm, now=moment(on_day))
    screen.heading(f"{story.reference}: {'in the trial' if story.in_trial else 'not in the trial'}")
    for line in story.lines:
        screen.say(f"  {line}")
    if story.arm is not None:
        screen.say(f"  arm: {story.arm} (that you looked is in the ledger)")
    screen.figures({"reference": reference, "in_trial": story.in_trial, "story": list(story.lines), "arm": story.arm})
