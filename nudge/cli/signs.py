"""Trials of signs: the sites drawn, the signs made with what the installers need, and what they put up."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nudge.cli.options import DAY, FILE, as_of_option, dry_run_option, json_option, moment
from nudge.cli.output import Screen, reasons
from nudge.cli.weekly import columns_given, opened

if TYPE_CHECKING:
    from nudge.trial.handle import Trial
    from nudge.trial.installation import Installed
    from nudge.trial.signs import SignsMade
    from nudge.trial.site_enrolment import SitesDrawn


@click.command()
@click.argument("experiment")
@click.argument("sites", type=FILE, required=False)
@click.option("--starts", type=DAY, help="The day the first signs go up; needed where sites change over.")
@click.option("--installed", type=FILE, help="The installers' log, filled in: what is up, and since when.")
@click.option("--because", default="", help="Why a day on record is moved; the report prints it.")
@click.option("--column", "columns", multiple=True, metavar="NAME=HEADING", help="Which heading is which column.")
@click.option("--encoding", help="The file's encoding, where nudge asks.")
@click.option("--accept-good-rows", is_flag=True, help="Go on without the sites at fault.")
@dry_run_option
@json_option
@as_of_option
def signs(
    experiment: str,
    sites: Path | None,
    starts: date | None,
    installed: Path | None,
    because: str,
    columns: tuple[str, ...],
    encoding: str | None,
    accept_good_rows: bool,
    dry_run: bool,
    json_to: Path | None,
    on_day: date,
) -> None:
    """Draw the sites of a trial of signs and make its signs; then record what the installers put up.

    \b
    Examples: nudge signs recycling-eyes data/sites.csv --starts 2027-03-15
              nudge signs recycling-eyes --installed data/install-log.csv
    """
    from nudge.trial.site_enrolment import draw_sites

    screen = Screen(json_to)
    trial = opened(experiment)
    if installed is not None:
        if sites is not None:
            raise click.UsageError("Give the sites file or --installed LOG: sites are drawn before they have signs.")
        from nudge.trial.installation import record_installation

        done = record_installation(
            trial,
            installed,
            today=on_day,
            now=moment(on_day),
            because=because,
            mapping=columns_given("installation", columns, trial),
            encoding=encoding,
            dry_run=dry_run,
        )
        _tell_installed(screen, trial, done, dry_run=dry_run)
        return
    figures: dict[str, object] = {}
    if sites is not None:
        drawn = draw_sites(
            trial,
            sites,
            today=on_day,
            now=moment(on_day),
            starts=starts,
            mapping=columns_given("sites", columns, trial),
            encoding=encoding,
            accept_good_rows=accept_good_rows,
            dry_run=dry_run,
        )
        _tell_draw(screen, trial, drawn, sites)
        figures = {
            "batch": drawn.batch,
            "made": drawn.made,
            "rows": drawn.reading.rows,
            "drawn": drawn.drawn,
            "back": drawn.back,
            "watched": drawn.watched,
            "excluded": dict(drawn.excluded),
            "at_fault": drawn.reading.faulty,
        }
        if dry_run:
            screen.say("This was a dry run: nothing was kept.")
            screen.figures(figures)
            return
    from nudge.trial.signs import make_batch_signs

    made = make_batch_signs(trial, today=on_day, now=moment(on_day), dry_run=dry_run)
    _tell_signs(screen, trial, made, dry_run=dry_run)
    screen.figures(figures | {"batch": made.batch, "signs": made.signs, "sites_with_signs": made.sites})


def _tell_draw(screen: Screen, trial: Trial, drawn: SitesDrawn, file: Path) -> None:
    screen.heading(f"{file.name} (read as {drawn.reading.encoding})")
    if drawn.batch is not None and not drawn.made:
        screen.say(f"It was drawn before, as batch {trial.id}/{drawn.batch}. No site changed its arm.")
        return
    screen.counts(
        {
            "rows": drawn.reading.rows,
            **({"at fault, left out": drawn.reading.faulty} if drawn.reading.faulty else {}),
            **reasons(drawn.excluded, prefix="left out: "),
            "sites drawn": drawn.drawn,
            **({"back from an undone batch": drawn.back} if drawn.back else {}),
            "displacement sites, watched and never drawn": drawn.watched,
        }
    )
    for problem in drawn.reading.faults[:20]:
        screen.say(f"  {problem}")
    if drawn.made:
        name = f"{trial.id}/{drawn.batch}"
        screen.say(f"Batch {name} is drawn. To take it back before anything is up: nudge undo {name}")


def _tell_signs(screen: Screen, trial: Trial, made: SignsMade, *, dry_run: bool) -> None:
    screen.counts({"signs": made.signs, "sites that get one": made.sites})
    if dry_run:
        screen.say("This was a dry run: nothing was made.")
        return
    screen.say(f"A print file for each sign, named by its reference: {made.folder / 'signs'}")
    for file in made.files:
        screen.say(f"Written: {file}")
    screen.say("Print a schedule for each installer; they fill in install-log.csv as signs go up and come down.")
    screen.next(f"nudge signs {trial.id} --installed LOG", f"nudge undo {trial.id}/{made.batch}")


def _tell_installed(screen: Screen, trial: Trial, done: Installed, *, dry_run: bool) -> None:
    screen.heading(f"{trial.id}: day 0 is {done.day0.isoformat()}")
    screen.counts(
        {
            "signs put up": done.put_up,
            **({"of them after their day": done.late} if done.late else {}),
            **({"taken down": done.taken_down} if done.taken_down else {}),
            **({"not due yet": done.waiting} if done.waiting else {}),
            **reasons(done.withheld, prefix="withheld, still analysed: "),
        }
    )
    if dry_run:
        screen.say("This was a dry run: nothing was kept.")
    elif not done.made:
        screen.say("That was recorded before. Nothing changed.")
    else:
        screen.say(f'If a day is wrong: correct the log, and nudge signs {trial.id} --installed LOG --because "…"')
    screen.next(f"nudge responses {trial.id} FILE --kind KIND --covers FIRST LAST", f"nudge status {trial.id}")
    screen.figures(
        {
            "batch": done.batch,
            "day0": done.day0,
            "put_up": done.put_up,
            "late": done.late,
            "taken_down": done.taken_down,
            "waiting": done.waiting,
            "withheld": dict(done.withheld),
            "made": done.made,
        }
    )
