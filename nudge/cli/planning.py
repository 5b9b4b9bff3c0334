"""Can the trial answer its question: power, before anything is sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nudge.cli.options import FILE, json_option
from nudge.cli.output import Screen, progress

if TYPE_CHECKING:
    from nudge.trial.planning import Planned, Rehearsals


@click.command()
@click.argument("experiment")
@click.option("--history", type=FILE, help="Last year's first letters, and what followed each.")
@click.option("--weeks", type=click.IntRange(1, 1000), help="For how many weeks letters go out [default: 26].")
@click.option(
    "--simulations",
    type=click.IntRange(0, 100_000),
    default=400,
    show_default=True,
    help="Invented trials for each length; 0 for the formula alone.",
)
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the page (.html or .pdf) with its picture."
)
@json_option
def power(
    experiment: str,
    history: Path | None,
    weeks: int | None,
    simulations: int,
    report: Path | None,
    json_to: Path | None,
) -> None:
    """Say whether a trial can answer its question, and what would. Needs no workspace.

    \b
    Examples: nudge power experiments/wealden-arrears.yaml
              nudge power experiments/wealden-arrears.yaml --history data/history.csv --weeks 40 --report plan.pdf
    """
    from nudge.reports.planning import tell_plan
    from nudge.reports.render import report_pdf, story_html, story_text
    from nudge.trial.planning import experiment_file, plan_trial, rehearsals

    screen = Screen(json_to)
    path = experiment_file(experiment, Path.cwd())
    planned = plan_trial(path, history, weeks=weeks)
    with progress("Inventing trials") as bar:
        tried = rehearsals(planned, simulations, progress=bar)
    story = tell_plan(
        planned.experiment,
        planned.main,
        planned.others,
        definition_hash=planned.definition_hash,
        rehearsed=tried.worthwhile,
        nothing=tried.nothing,
        notes=planned.notes,
    )
    screen.say(story_text(story))
    _say_baseline(screen, planned)
    if report is not None:
        from nudge.base.files import write_whole

        page = story_html(story)
        write_whole(report, report_pdf(page) if report.suffix == ".pdf" else page)
        screen.say(f"Written: {report}")
    screen.next(f"nudge check {path}")
    screen.figures(_figures(planned, tried))


def _say_baseline(screen: Screen, planned: Planned) -> None:
    """The block to copy into the experiment, where past letters gave it."""
    if planned.baseline:
        inside = ", ".join(f"{key}: {value}" for key, value in planned.baseline.items())
        screen.say("What the past letters say, to copy into the experiment:")
        screen.say(f"  baseline: {{{inside}}}")


def _figures(planned: Planned, tried: Rehearsals) -> dict[str, object]:
    from nudge.trial.planning import document

    return document(planned, tried)
