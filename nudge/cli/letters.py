"""The letters of a batch, the pack for whoever prints them, and the page for whoever takes the calls."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nudge.base.errors import PartlyDone
from nudge.cli.options import (
    DAY,
    FILE,
    as_of_option,
    dry_run_option,
    json_option,
    list_options,
    moment,
    workers_option,
)
from nudge.cli.output import Screen, progress, reasons
from nudge.cli.weekly import opened

if TYPE_CHECKING:
    from nudge.trial.handle import Trial
    from nudge.trial.letters import LettersMade


@click.command()
@click.argument("what", metavar="EXPERIMENT|BATCH")
@list_options(required=False)
@click.option("--wave", default="first", show_default=True, help="Which letter: first, or the id of a later one.")
@click.option("--extract", type=FILE, help="This week's extract, for a later letter.")
@click.option("--as-of", type=DAY, help="The day that extract was made [default: as it says, else today].")
@click.option("--accept-good-rows", is_flag=True, help="Go on without that extract's rejected rows.")
@click.option("--again", multiple=True, metavar="REFERENCE", help="Print spoilt or lost letters again.")
@click.option("--preview", is_flag=True, help="Make pictures of a few letters, to look at.")
@click.option("--crib", is_flag=True, help="Make one page on the letters for the call centre.")
@dry_run_option
@workers_option
@json_option
@as_of_option
def letters(
    what: str,
    suppress: Path | None,
    dated: date | None,
    wave: str,
    extract: Path | None,
    as_of: date | None,
    accept_good_rows: bool,
    again: tuple[str, ...],
    preview: bool,
    crib: bool,
    dry_run: bool,
    workers: int | None,
    json_to: Path | None,
    on_day: date,
) -> None:
    """Make the letters and the print pack of each batch that wants them.

    \b
    Examples: nudge letters wealden-arrears
              nudge letters wealden-arrears/1 --wave second --extract week-03.csv --suppress stop-03.csv --dated today
              nudge letters wealden-arrears/1 --again T0001234
              nudge letters wealden-arrears --crib
    """
    from nudge.documents.batch import local_executor
    from nudge.trial.gate import Listed
    from nudge.trial.letters import batches_to_letter, make_batch_letters
    from nudge.trial.reprints import reprint

    screen = Screen(json_to)
    name, _, number = what.rpartition("/")
    if not name or not number.isdigit():  # an experiment, by its id or its file
        name, number = "", ""
    trial = opened(name or what)
    if (suppress is None) != (dated is None):
        raise click.UsageError("--suppress and --dated go together: a list without its day is no list.")
    listed = Listed(suppress, dated) if suppress is not None and dated is not None else None
    if crib:
        _tell_crib(screen, trial, dry_run=dry_run)
        return
    if again:
        if not number:
            raise click.UsageError(f"Name the batch, such as {trial.id}/1.")
        files = reprint(
            trial,
            int(number),
            again,
            today=on_day,
            now=moment(on_day),
            listed=listed,
            wave=wave,
            dry_run=dry_run,
        )
        for file in files:
            screen.say(f"To print: {file}")
        screen.say(
            "They can be printed again. This was a dry run: nothing was kept."
            if dry_run
            else "The same letters as before. Destroy the spoilt ones."
        )
        screen.figures({"batch": int(number), "wave": wave, "print_files": [str(file) for file in files]})
        return
    numbers = [int(number)] if number else batches_to_letter(trial, wave, on_day)
    figures = []
    refused = 0
    with local_executor(workers) as executor:
        for one in numbers:
            with progress(f"Letters of {trial.id}/{one}") as bar:
                made = make_batch_letters(
                    trial,
                    one,
                    today=on_day,
                    now=moment(on_day),
                    listed=listed,
                    wave=wave,
                    extract=extract,
                    as_of=as_of,
                    accept_good_rows=accept_good_rows,
                    executor=executor,
                    progress=bar,
                    preview=preview,
                    dry_run=dry_run,
                )
            screen.heading(f"{trial.id}/{one}, {wave} letter")
            screen.counts(
                {
                    "letters": made.made,
                    **reasons(made.withheld, prefix="withheld: "),
                    **reasons(made.skipped, prefix="none due: "),
                    **reasons(made.refused, prefix="could not be drawn, withheld for now: "),
                }
            )
            refused += sum(made.refused.values())
            _tell_pack(screen, made)
            figures.append(
                {
                    "batch": one,
                    "wave": wave,
                    "letters": made.made,
                    "withheld": made.withheld,
                    "skipped": made.skipped,
                    "refused": made.refused,
                    "print_files": made.print_files,
                    "address_files": made.address_files,
                    "previews": made.previews,
                    "taken_out": [one.letter_reference for one in made.taken_out],
                }
            )
    if not numbers:
        screen.say("No batch wants letters today.")
    elif dry_run:
        screen.say("This was a dry run: nothing was kept.")
    else:
        flag = "" if wave == "first" else f" --wave {wave}"
        if trial.workspace.printing.house != "mail-room":
            screen.say(
                "A print house cannot call an order back. Before you send it the file, and on that day, type the"
            )
            screen.say("command below with --dry-run and that day's list: it names whoever must not be written to now.")
        if wave == "first":
            screen.say(f"To take a batch back before it is posted: nudge undo {trial.id}/{numbers[-1]}")
        screen.next(*(f"nudge dispatch {trial.id}/{one}{flag} --on DAY --suppress LIST --dated DAY" for one in numbers))
    screen.figures(figures)
    if refused:
        raise PartlyDone(message=f"Letters for {refused} could not be drawn. Run the same command to try again.")


def _tell_pack(screen: Screen, made: LettersMade) -> None:
    for file in made.print_files:
        screen.say(f"  to print: {file}")
    for file in made.address_files:
        screen.say(f"  its addresses: {file}")
    if made.manifest is not None:
        screen.say(f"  manifest: {made.manifest}")
    for file in made.previews:
        screen.say(f"  to look at: {file}")
    for words, count in sorted(made.forms.items()):
        if words != "standard print":
            screen.say(f"  as {words}: {count}")
    if made.task_list is not None:
        screen.say(f"  not printed, each with what to do: {made.task_list}")
    if made.changed:
        letters = "1 letter is" if made.changed == 1 else f"{made.changed:,} letters are"
        screen.say(f"  {letters} not as before: a setting, a template or a value is another one.")
        screen.say("  If the earlier print files are printed, do not post those.")
    if made.taken_out:
        screen.say("  Not in these print files any more. If the earlier ones are printed, take them out:")
        for lying in made.taken_out:
            screen.say(f"    {lying}")


def _tell_crib(screen: Screen, trial: Trial, *, dry_run: bool) -> None:
    from nudge.trial.crib import make_crib

    path = make_crib(trial, dry_run=dry_run)
    if dry_run:
        screen.say("It can be made. This was a dry run: nothing was kept.")
    else:
        screen.say(f"For whoever takes the calls: {path}")
        screen.say("It says what the letters are and never who has which. It may be shared; it names no tenant.")
        screen.next(f"nudge letters {trial.id}")
    screen.figures({"crib": path, "made": not dry_run})
