"""What differs between the letters of an experiment's arms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nudge.cli.options import dry_run_option, json_option
from nudge.cli.output import Screen

if TYPE_CHECKING:
    from nudge.trial.comparing import Comparison


@click.command()
@click.argument("experiment")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="The folder to write to.")
@dry_run_option
@json_option
def compare(experiment: str, out: Path | None, dry_run: bool, json_to: Path | None) -> None:
    """Show what differs between the arms' letters, for those who sign. Needs no seal, tenant or workspace.

    Example: nudge compare experiments/wealden-arrears.yaml
    """
    from nudge.base.files import write_whole
    from nudge.reports.comparing import said, tell_comparison
    from nudge.reports.render import report_pdf, story_html
    from nudge.trial.comparing import compare_file
    from nudge.trial.planning import experiment_file

    screen = Screen(json_to)
    path = experiment_file(experiment, Path.cwd())
    found = compare_file(path)
    _say(screen, found)
    for problem in found.problems:
        screen.say(f"  ! {said(problem)}")
    for one in (*found.shown, *found.waves):
        for remark in dict.fromkeys(one.remarks):
            screen.say(f"  {remark.weight}: {said(remark.problem)}")
    if dry_run:
        screen.say("This was a dry run: nothing was written.")
    else:
        story = tell_comparison(
            found.experiment,
            found.shown,
            found.waves,
            found.against,
            without=found.without,
            problems=found.problems,
            notes=found.notes,
            definition_hash=found.definition_hash,
            templates=found.templates,
        )
        page = story_html(story)
        folder = out or found.folder
        screen.say(f"Written: {write_whole(folder / 'compare.html', page)}")
        screen.say(f"Written: {write_whole(folder / 'compare.pdf', report_pdf(page))}, with lines to sign on")
    screen.next(f"nudge check {path}")
    screen.figures(_figures(found))


def _say(screen: Screen, found: Comparison) -> None:
    """One line for each letter, and one for each arm set against the control."""
    for one in (*found.shown, *found.waves):
        plain = one.plainness
        screen.say(
            f"{one.name}: reading age {plain.reading_age:.1f}, {plain.words} words, longest sentence"
            f" {plain.longest_sentence}, {one.sizes[0].pages} page(s)"
        )
    for difference in found.against:
        levers = dict.fromkeys(lever for line in difference.changes for lever in line.levers)
        screen.say(
            f"{difference.arm.name} against {difference.control.name}: {len(difference.changes)} block(s) differ;"
            f" their levers: {', '.join(levers) or 'none'}; declared: {', '.join(difference.arm.levers) or 'none'}"
        )
    for arm in found.without:
        screen.say(f"{found.experiment.arm(arm).name}: gets none")
    screen.say(f"{len(found.problems)} warning(s)." if found.problems else "Nothing to warn of.")


def _figures(found: Comparison) -> dict[str, Any]:
    from nudge.documents.required import held

    return {
        "id": found.experiment.id,
        "definition_hash": found.definition_hash,
        "templates": found.templates,
        "letters": [
            {
                "id": one.id,
                "template": one.template,
                "levers": list(one.levers),
                "reading_age": round(one.plainness.reading_age, 2),
                "words": one.plainness.words,
                "longest_sentence": one.plainness.longest_sentence,
                "sizes": [
                    {"recipient": size.recipient, "pages": size.pages, "sheets": size.sheets} for size in one.sizes
                ],
                "holds": held(one.contents),
                "remarks": [{"code": remark.code, "weight": remark.weight.value} for remark in one.remarks],
            }
            for one in (*found.shown, *found.waves)
        ],
        "against": [
            {
                "arm": difference.arm.id,
                "control": difference.control.id,
                "changes": [
                    {
                        "how": line.how.value,
                        "before": line.before.words if line.before is not None else None,
                        "after": line.after.words if line.after is not None else None,
                        "levers": list(line.levers),
                    }
                    for line in difference.changes
                ],
            }
            for difference in found.against
        ],
        "without": list(found.without),
        "warnings": [
            {"code": one.code, "place": str(one.place), "expected": one.expected, "fix": one.fix}
            for one in found.problems
        ],
    }
