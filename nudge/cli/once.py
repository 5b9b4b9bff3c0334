"""What is done once for a trial: init, check, seal, amend, close, verify, erase."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nudge.cli.options import FILE, as_of_option, dry_run_option, json_option, moment
from nudge.cli.output import Screen
from nudge.cli.weekly import opened

if TYPE_CHECKING:
    from nudge.documents.remark_codes import Remark
    from nudge.trial.handle import Trial


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--council", default="Your Council", show_default=True, help="The name printed on letters.")
@dry_run_option
def init(folder: Path, council: str, dry_run: bool) -> None:
    """Make a workspace: settings, templates and experiments to start from, private folders.

    Example: nudge init rents --council "Anytown Borough Council"
    """
    from nudge.base.resources import resources
    from nudge.workspace import make_workspace

    screen = Screen()
    made = make_workspace(folder, council=council, resources=resources(), dry_run=dry_run)
    if dry_run:
        screen.say(f"{folder} would be a workspace of {len(made)} files. This was a dry run: nothing was made.")
        return
    screen.say(f"{folder} is a workspace now: {len(made)} files, readable by you alone.")
    screen.say(f"Fill in who you are in {folder / 'nudge.toml'}: it is printed on every letter.")
    screen.next(f"cd {folder} && nudge check experiments/wealden-arrears.yaml")


@click.command()
@click.argument("file", type=FILE)
@json_option
def check(file: Path, json_to: Path | None) -> None:
    """Check an experiment file: every problem at its line, and what the seal still needs. Needs no workspace.

    Example: nudge check experiments/wealden-arrears.yaml
    """
    from nudge.trial.checking import check_file

    screen = Screen(json_to)
    found = check_file(file)
    screen.say(f"{file}: {found.kind}, {found.summary}")
    for warning in found.warnings:
        screen.say(f"  note: {warning}")
    if found.before_seal:
        screen.say("Before it can be sealed:")
        for problem in found.before_seal:
            screen.say(f"  {problem}")
    elif found.kind == "live":
        screen.next(f"nudge seal {found.id}")
    else:
        screen.next(f"nudge analyse {file} DATA")
    screen.figures(
        {
            "id": found.id,
            "kind": found.kind,
            "before_seal": [str(problem) for problem in found.before_seal],
            "warnings": list(found.warnings),
        }
    )


@click.command()
@click.argument("experiment")
@click.option("--beacon", help="The beacon's public value, once it is published.")
@dry_run_option
@json_option
@as_of_option
def seal(experiment: str, beacon: str | None, dry_run: bool, json_to: Path | None, on_day: date) -> None:
    """Fix the definition, templates, claims and analysis plan, and commit to a secret.

    \b
    Examples: nudge seal wealden-arrears
              nudge seal wealden-arrears --beacon "04 11 23 31 40 52"
    """
    from nudge.trial.sealing import record_beacon, seal_trial, sealable_parts

    screen = Screen(json_to)
    trial = opened(experiment)
    if dry_run:
        parts = sealable_parts(trial, on_day)
        screen.say(
            f"{trial.id} could be sealed: definition {parts.definition[:16]}…, {len(parts.templates)} templates."
        )
        for name, claim in parts.claims.items():
            screen.say(f"  {name}: {claim['wording']}")
        _tell(screen, parts.remarks)
        screen.say("This was a dry run: nothing was kept.")
        screen.figures({"definition_hash": parts.definition, "templates": len(parts.templates), "made": False})
        return
    if beacon is not None:
        done = record_beacon(trial, beacon, now=moment(on_day))
        screen.say("The beacon's value is recorded." if done.made else "It was recorded before. Nothing changed.")
        screen.next(_first_step(trial))
        screen.figures({"seal": done.row.number, "beacon": done.row.beacon_value, "made": done.made})
        return
    done = seal_trial(trial, secret=secrets.token_bytes(32), now=moment(on_day))
    screen.say(
        f"{trial.id} is sealed (seal {done.row.number})." if done.made else "It was sealed before. Nothing changed."
    )
    _tell(screen, done.remarks)
    path = trial.workspace.secret(trial.id)
    screen.say(f"The secret is in {path}, readable by you alone. Give a copy to {done.row.keeper}, who keeps it.")
    screen.say(f"Send this line to {done.row.witness or 'a witness'}:")
    screen.say(f"  {done.witness_line}")
    screen.say(f"Until the first draw you may correct the file and seal again; after it: nudge amend {trial.id}")
    if done.row.beacon_value is None:
        screen.next(f'nudge seal {trial.id} --beacon "VALUE"   (once published: {done.row.beacon_name})')
    else:
        screen.next(_first_step(trial))
    screen.figures(
        {
            "seal": done.row.number,
            "seal_hash": done.row.seal_hash,
            "commitment": done.row.commitment,
            "witness_line": done.witness_line,
            "remarks": [str(remark) for remark in done.remarks],
            "made": done.made,
        }
    )


def _tell(screen: Screen, remarks: Iterable[Remark]) -> None:
    """What stops no seal and is said of the letters all the same."""
    for remark in remarks:
        screen.say(f"  {'let through' if remark.weight == 'hold' else 'note'}: {remark}")


def _first_step(trial: Trial) -> str:
    from nudge.trial.sites import of_signs

    if of_signs(trial.experiment):
        return f"nudge signs {trial.id} SITES"
    return f"nudge enrol {trial.id} EXTRACT --suppress LIST --dated DAY"


@click.command()
@click.argument("experiment")
@click.option("--because", required=True, help="Why it changes; the report prints it.")
@click.option("--by", required=True, help="Initials of who decided.")
@dry_run_option
@json_option
@as_of_option
def amend(experiment: str, because: str, by: str, dry_run: bool, json_to: Path | None, on_day: date) -> None:
    """Record a change of a sealed trial as a numbered amendment; the report prints it.

    Example: nudge amend wealden-arrears --because "new telephone number" --by JP
    """
    from nudge.trial.sealing import amend_trial

    screen = Screen(json_to)
    trial = opened(experiment)
    made = amend_trial(trial, because=because, by=by, now=moment(on_day), dry_run=dry_run)
    changes = ", ".join(json.loads(made.changes_json)) or "figures of the claims"
    screen.say(f"Amendment {made.number} ({made.kind}), under seal {made.seal_number}: {changes}.")
    if made.new_epoch:
        screen.say("Arms, ratio or strata changed: open blocks are closed and a new epoch begins.")
    if dry_run:
        screen.say("This was a dry run: nothing was kept.")
    else:
        screen.say(
            "It is in the ledger for good, and the report prints it. To go back, change the file and amend again."
        )
        screen.next(f"nudge status {trial.id}")
    screen.figures({"number": made.number, "kind": made.kind, "new_epoch": made.new_epoch})


@click.command()
@click.argument("experiment")
@click.option("--abandon", is_flag=True, help="End it before its results open.")
@click.option("--because", default="", help="Why it is abandoned.")
@dry_run_option
@json_option
@as_of_option
def close(experiment: str, abandon: bool, because: str, dry_run: bool, json_to: Path | None, on_day: date) -> None:
    """End a trial, and publish what an auditor needs to draw every arm again.

    Example: nudge close wealden-arrears
    """
    from nudge.trial.closing import check_closable, close_trial

    screen = Screen(json_to)
    trial = opened(experiment)
    if dry_run:
        check_closable(trial, today=on_day, abandon=abandon, because=because)
        screen.say(f"{trial.id} can be closed. This was a dry run: nothing was kept.")
        screen.figures({"closed": False})
        return
    done = close_trial(trial, today=on_day, now=moment(on_day), abandon=abandon, because=because)
    screen.say(
        f"{trial.id} is closed for good: its secret and arms are open now."
        if done.made
        else f"{trial.id} was closed before."
    )
    for file in (*done.files, *([done.lists] if done.lists else [])):
        screen.say(f"Written: {file}")
    screen.say(f"Certificate level: {done.certificate.level.value}.")
    for limit in done.certificate.limits:
        screen.say(f"  {limit}")
    screen.next(f"nudge verify {trial.id}", f"nudge erase {trial.id}")
    screen.figures({"closed": done.made, "level": done.certificate.level.value})


@click.command()
@click.argument("experiment")
@json_option
def verify(experiment: str, json_to: Path | None) -> None:
    """Draw every arm again from the sealed secret and compare; check the ledger. Shows no arm.

    Example: nudge verify wealden-arrears
    """
    from nudge.base.errors import Refused
    from nudge.reports.wording import plural
    from nudge.trial.closing import verify_trial

    screen = Screen(json_to)
    trial = opened(experiment)
    found = verify_trial(trial)
    screen.figures({"holds": not found.problems, "batches": found.batches, "clusters": found.clusters})
    if found.problems:
        raise Refused(*found.problems)
    if found.redrawn:
        drawn = plural(trial.experiment.cluster or trial.experiment.unit)
        screen.say(f"{found.clusters} {drawn} in {found.batches} batches drawn again: every arm agrees.")
    else:
        screen.say("Nothing is drawn yet.")
    screen.say("The ledger is unbroken.")


@click.command()
@click.argument("experiment")
@click.argument("reference", required=False)
@click.option("--yes", is_flag=True, help="Do not ask first.")
@dry_run_option
@json_option
@as_of_option
def erase(experiment: str, reference: str | None, yes: bool, dry_run: bool, json_to: Path | None, on_day: date) -> None:
    """Delete names, addresses and letters of a closed trial, or of one tenancy. Arms and outcomes stay, by code.

    Example: nudge erase wealden-arrears T0001234 --yes
    """
    from nudge.trial.closing import erase as wipe

    screen = Screen(json_to)
    trial = opened(experiment)
    wanted = wipe(trial, reference=reference, now=moment(on_day), dry_run=True)
    screen.heading("To be deleted")
    screen.counts(wanted)
    if dry_run:
        screen.say("This was a dry run: nothing was deleted.")
        screen.figures({**wanted, "made": False})
        return
    if not yes and not click.confirm("Names, addresses and letters will be gone for good. Go on?", err=True):
        screen.say("Nothing was deleted.")
        return
    gone = wipe(trial, reference=reference, now=moment(on_day))
    screen.say("Deleted, for good. Your own files in data/ are not nudge's to delete: see to them, and to backups.")
    if reference is not None:
        screen.say("Print files they stood in are gone too; `nudge letters` makes those of an unposted batch again.")
    screen.next(f"nudge status {trial.id}")
    screen.figures({**gone, "made": True})
