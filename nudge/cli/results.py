"""What the letters did: uplift for a trial run here, analyse for somebody else's."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from nudge.cli.options import FILE, as_of_option, json_option, moment
from nudge.cli.output import Screen
from nudge.cli.weekly import opened


@click.command()
@click.argument("experiment")
@click.option("--look", is_flag=True, help="Take the look before the end that the sealed plan declares.")
@json_option
@as_of_option
def uplift(experiment: str, look: bool, json_to: Path | None, on_day: date) -> None:
    """Estimate what the letters did, and write report.html, report.pdf and summary.json.

    Example: nudge uplift wealden-arrears
    """
    from nudge.reports.render import report_text
    from nudge.reports.wording import Wording
    from nudge.trial.analysis import write_report

    screen = Screen(json_to)
    trial = opened(experiment)
    written = write_report(trial, today=on_day, now=moment(on_day), look=look)
    screen.say(report_text(written.summary, wording=Wording.of(trial.experiment)))
    for file in written.files:
        screen.say(f"Written: {file}")
    for note in written.notes:
        screen.say(note)
    screen.next(f"nudge status {trial.id}" if look else f"nudge close {trial.id}")
    screen.figures(written.summary)


@click.command()
@click.argument("plan", type=FILE)
@click.argument("data", type=FILE)
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the report page (.html or .pdf)."
)
@json_option
@as_of_option
def analyse(plan: Path, data: Path, report: Path | None, json_to: Path | None, on_day: date) -> None:
    """Analyse a trial that somebody else ran. Needs no workspace.

    Example: nudge analyse plan.yaml data.csv --json -
    """
    from nudge.base.files import write_whole
    from nudge.experiment.loader import load
    from nudge.reports.render import report_text
    from nudge.reports.wording import Wording
    from nudge.trial.recorded import analyse as work_out

    screen = Screen(json_to)
    summary = work_out(plan, data, as_of=on_day)
    wording = Wording.of(load(plan).experiment)
    screen.say(report_text(summary, wording=wording))
    if report is not None:
        from nudge.reports.render import report_html, report_pdf

        page = report_html(summary, wording=wording)
        write_whole(report, report_pdf(page) if report.suffix == ".pdf" else page)
        screen.say(f"Written: {report}")
    screen.figures(summary)
