"""The public notice of a trial."""

from __future__ import annotations

from datetime import date

import click

from nudge.cli.options import as_of_option, dry_run_option
from nudge.cli.output import Screen
from nudge.cli.weekly import opened


@click.command()
@click.argument("experiment")
@as_of_option
@dry_run_option
def notice(experiment: str, on_day: date, dry_run: bool) -> None:
    """Write the public notice of a trial: what is tested, on whom, what is kept, how to object.

    Example: nudge notice street-champions
    """
    from nudge.trial.notice import make_notice

    screen = Screen()
    trial = opened(experiment)
    made = make_notice(trial, today=on_day, dry_run=dry_run)
    if made.made:
        screen.say(f"Written: {made.path}")
    else:
        screen.say(f"This was a dry run: {made.path} was not written.")
    page = trial.experiment.details.get("notice_page")
    screen.say(f"Hang it up where people see it, and put it on {page} before the first letter goes out.")
    screen.next(f"nudge status {trial.id}" if trial.is_sealed else f"nudge seal {trial.id}")
