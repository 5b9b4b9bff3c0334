"""Which claims are true, and how they are worded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nudge.cli.options import FILE, as_of_option, columns_typed, json_option
from nudge.cli.output import Screen

if TYPE_CHECKING:
    from nudge.documents.claims import ClaimFigure


@click.command()
@click.argument("experiment")
@click.option("--history", type=FILE, help="Last year's first letters, and what followed each.")
@click.option("--period", help="Months to look at, such as 2025-09..2026-08 [default: the last whole year].")
@click.option("--column", "columns", multiple=True, metavar="NAME=HEADING", help="Which heading is which column.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the page (.html or .pdf) too.")
@json_option
@as_of_option
def claims(
    experiment: str,
    history: Path | None,
    period: str | None,
    columns: tuple[str, ...],
    report: Path | None,
    json_to: Path | None,
    on_day: date,
) -> None:
    """Find the strongest claims that are true of last year's letters, with the lines to paste.

    Without --history: what the claims in the experiment come to, as the seal would work them out.

    Example: nudge claims wealden-arrears --history data/history.csv
    """
    from nudge.trial.planning import experiment_file

    screen = Screen(json_to)
    path = experiment_file(experiment, Path.cwd())
    if history is None:
        _declared(screen, path, on_day)
    else:
        _found(screen, path, history, period, columns_typed(columns), report, on_day)


def _found(
    screen: Screen,
    path: Path,
    history: Path,
    period: str | None,
    columns: Mapping[str, str],
    report: Path | None,
    on_day: date,
) -> None:
    from nudge.base.files import write_whole
    from nudge.documents.claim_search import as_yaml
    from nudge.experiment.fields import months
    from nudge.reports.claims import best, tell_claims
    from nudge.reports.render import report_pdf, story_html, story_text
    from nudge.trial.claims import find_claims

    span = None
    if period is not None and (span := months(period)) is None:
        raise click.BadParameter("expected months, both ends inside, as 2025-09..2026-08.", param_hint="--period")
    found = find_claims(path, history, period=span, today=on_day, columns=columns)
    story = tell_claims(found.experiment, found.search, history=found.history, notes=found.notes)
    screen.say(story_text(story))
    if found.rejected:
        screen.say(f"{found.rejected:,} row(s) of the history could not be read, and are not counted.")
    if report is not None:
        page = story_html(story)
        write_whole(report, report_pdf(page) if report.suffix == ".pdf" else page)
        screen.say(f"Written: {report}")
    screen.next(f"nudge check {path}")
    proposed = best(found.search)
    screen.figures(
        {
            "id": found.experiment.id,
            "history": found.history,
            "period": str(found.search.period),
            "eligible": found.search.eligible,
            "unknown_eligibility": found.search.unknown,
            "rejected": found.rejected,
            "looked_at": len(found.search.candidates),
            "parts_too_few": found.search.too_few,
            "claims": [
                {
                    "name": one.name,
                    "numerator": one.sought.numerator,
                    "within": one.sought.within,
                    "population": one.sought.population,
                    "part": dict([one.part]) if one.part else None,
                    **_figure(one.figure),
                    "true": one.is_true,
                    "weak": one.is_weak,
                    "printable": one.is_printable,
                }
                for one in found.search.candidates
            ],
            "yaml": [as_yaml(one) for one in proposed],
        }
    )


def _declared(screen: Screen, path: Path, on_day: date) -> None:
    from nudge.experiment.sites import SiteExperiment
    from nudge.reports.claims import counts, said
    from nudge.trial.claims import claim_figures, experiment_of

    loaded, experiment, folder = experiment_of(path)
    figures, problems = claim_figures(loaded, folder, on_day)
    if not experiment.claims:
        screen.say("This experiment makes no claim.")
    for name, figure in figures.items():
        screen.say(f"{name}: {figure.wording or experiment.claims[name].says}")
        screen.say(f"  {counts(figure)}")
        for note in figure.notes:
            screen.say(f"  note: {note}")
        for problem in figure.problems:
            screen.say(f"  ! {said(problem)}")
    for problem in problems:
        if problem.code == "source-missing":
            screen.say(f"  ! {problem}")
    signs = isinstance(experiment, SiteExperiment)
    screen.next(f"nudge check {path}" if signs else f"nudge claims {path} --history FILE")
    screen.figures(
        {
            "id": experiment.id,
            "claims": [
                {"name": name, **_figure(figure), "true": not figure.problems} for name, figure in figures.items()
            ],
            "problems": [str(problem) for problem in problems],
        }
    )


def _figure(figure: ClaimFigure) -> dict[str, Any]:
    return {
        "numerator_count": figure.numerator,
        "denominator": figure.denominator,
        "share": figure.share,
        "lower": figure.lower,
        "upper": figure.upper,
        "confidence": figure.confidence,
        "design_effect": figure.design_effect,
        "last_quarter": list(figure.recent),
        "wording": figure.wording,
        "expires": figure.expires.isoformat(),
        "problems": [problem.code for problem in figure.problems],
    }
