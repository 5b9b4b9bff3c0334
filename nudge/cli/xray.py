"""`nudge xray`: what a published "before and after" could be made of besides the letter."""

from __future__ import annotations

from pathlib import Path

import click

from nudge.cli.options import json_option
from nudge.cli.output import Screen


@click.command()
@click.option("--before", type=float, required=True, help="Mean days before, among those who responded.")
@click.option("--after", type=float, required=True, help="Mean days after, among those who responded.")
@click.option("--followed", type=(int, int), help="Days of follow-up before and after, such as 113 45.")
@click.option("--responders", type=(int, int), help="How many responded before and after.")
@click.option("--sd", type=float, help="How many days the figure varies by from month to month.")
@click.option("--usual", type=float, help="The long-run figure, in days.")
@click.option("--months", type=float, help="Months between before and after.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a page (.html or .pdf).")
@json_option
def xray(
    before: float,
    after: float,
    followed: tuple[int, int] | None,
    responders: tuple[int, int] | None,
    sd: float | None,
    usual: float | None,
    months: float | None,
    report: Path | None,
    json_to: Path | None,
) -> None:
    """Look through a published "before and after": what else could have made it. Needs no workspace.

    Example: nudge xray --before 46 --after 21
    """
    from nudge.base.files import write_whole
    from nudge.reports.render import report_pdf, story_html, story_text
    from nudge.reports.xray import tell_xray
    from nudge.uplift.xray import Published
    from nudge.uplift.xray import xray as look_through

    screen = Screen(json_to)
    claim = Published(
        before=before, after=after, followed=followed, responders=responders, sd=sd, usual=usual, months=months
    )
    findings = look_through(claim)
    story = tell_xray(claim, findings)
    screen.say(story_text(story))
    if report is not None:
        page = story_html(story)
        write_whole(report, report_pdf(page) if report.suffix == ".pdf" else page)
        screen.say(f"Written: {report}")
    screen.figures({"fall": claim.fall, "findings": [item.document(claim.fall) for item in findings]})
