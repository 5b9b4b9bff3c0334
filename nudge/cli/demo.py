"""`nudge demo`: the flagship trial on a simulated council, and how 46 to 21 days arises with no effect at all."""

from __future__ import annotations

from pathlib import Path

import click

from nudge.cli.options import workers_option
from nudge.cli.output import Screen, progress


@click.command()
@click.argument("folder", default="demo", type=click.Path(file_okay=False, path_type=Path))
@click.option("--artefact", is_flag=True, help="Show how 46 to 21 days arises with no effect.")
@click.option("--tenancies", default=1500, show_default=True, help="How many tenancies the council has in arrears.")
@workers_option
def demo(folder: Path, artefact: bool, tenancies: int, workers: int | None) -> None:
    """Run the flagship trial on a simulated council, from messy extract to certificate.

    Example: nudge demo demo
    """
    if artefact:
        _show_artefact(Screen())
        return
    from nudge.demo import run_demo
    from nudge.documents.batch import local_executor
    from nudge.reports.render import report_text
    from nudge.reports.wording import Wording
    from nudge.trial.handle import open_trial
    from nudge.workspace import open_workspace

    screen = Screen()
    with local_executor(workers) as executor, progress("Trying every letter") as bar:
        shown = run_demo(folder, say=screen.say, tenancies=tenancies, executor=executor, progress=bar)
    wording = Wording.of(open_trial(open_workspace(folder), "wealden-arrears").experiment)
    screen.say()
    # The title and the answer end at the first wide gap; the rest of the report is in its own files.
    screen.say(report_text(shown.written.summary, wording=wording).partition("\n\n\n")[0])
    screen.say()
    screen.heading("The simulated truth (a real trial never knows it)")
    for arm, truth in shown.truth.arms.items():
        screen.say(
            f"  {arm}: {truth.rmst:.1f} days on average over the first 56; {100 * truth.responded:.0f} in 100 in touch "
            f"or paying by then"
        )
    for arm in list(shown.truth.arms)[1:]:
        screen.say(f"  true difference of {arm}: {shown.truth.rmst_difference(arm):+.2f} days")
    screen.say()
    screen.heading("Where everything lies")
    out = folder / "out" / "wealden-arrears"
    places = {
        "the council's messy files": folder / "data",
        "letters of the first batch": out / "batch-001" / "letters",
        "what goes to the printer": out / "batch-001" / "print-001.pdf",
        "rows that were rejected, and why": out / "batch-001" / "rejects.csv",
        "report": out / "report.html",
        "report for the committee": out / "report.pdf",
        "figures": out / "summary.json",
        "certificate of the draw": out / "certificate.html",
    }
    for words, place in places.items():
        if place.exists():
            screen.say(f"  {words}: {place}")
    screen.say()
    arms = "every arm agrees" if not shown.verified.problems else "arms differ"
    screen.say(f"{shown.verified.clusters} households drawn again from the secret: {arms}.")
    screen.next(f"cd {folder} && nudge status", "nudge demo --artefact")


def _show_artefact(screen: Screen) -> None:
    from nudge.simulation.artefact import artefact

    shown = artefact()
    long, short = shown.follow_up
    screen.heading("How “46 to 21 days” arises with no effect at all")
    screen.say(
        f"Two identical letters: each day {100 * shown.hazard:.0f} in 100 of those still silent get in touch, "
        f"whichever letter they had.\n"
        f"The first letter's tenants are followed for {long} days, the second's for {short}."
    )
    screen.say()
    screen.say(f"{'':34}{'first':>10}{'second':>10}")
    screen.say(f"{'mean day of those who got in touch':34}{shown.exact[0]:>10.1f}{shown.exact[1]:>10.1f}")
    screen.say(f"{'the same, from drawn tenants':34}{shown.drawn[0]:>10.1f}{shown.drawn[1]:>10.1f}")
    screen.say(f"{'had been in touch by the end':34}{shown.responded[0]:>10.0%}{shown.responded[1]:>10.0%}")
    screen.say(f"{f'mean days over the first {short}, all':34}{shown.rmst_drawn[0]:>10.1f}{shown.rmst_drawn[1]:>10.1f}")
    screen.say()
    screen.say(
        "A mean of responders leaves out those who have not answered yet, so it falls when the clock stops earlier.\n"
        f"Counting everybody, and the silent as {short}, the two letters are alike. That is why nudge leads with it."
    )
