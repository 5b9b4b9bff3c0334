"""`nudge`: the group of commands. Each is loaded when called, so that `nudge --help` stays quick."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback
from typing import Any, Final

import click

from nudge._version import __version__
from nudge.base.errors import EnvironmentFault, NudgeError

SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Every week": {
        "status": ("weekly", "What to do today, and how far the trial is."),
        "enrol": ("weekly", "Draw the arms of this week's new tenancies."),
        "letters": ("letters", "Make the letters and the print pack of a batch."),
        "dispatch": ("posting", "Confirm the day a batch went to the post."),
        "responses": ("weekly", "Add contacts, payments, returned mail and the like."),
        "review": ("weekly", "Decide matches that nudge would not make by itself."),
        "signs": ("signs", "Draw the sites of a trial of signs, make its signs, record what is up."),
    },
    "When something is wrong": {
        "undo": ("posting", "Abandon a batch before it is posted."),
        "hold": ("posting", "Stop every further letter to a tenancy."),
        "why": ("posting", "One tenant's story: why they were or were not written to."),
    },
    "Once": {
        "init": ("once", "Make a workspace."),
        "demo": ("demo", "Run the flagship trial on a simulated council."),
        "check": ("once", "Check an experiment file, and say what the seal still needs."),
        "compare": ("comparing", "Show what differs between the letters of the arms, for those who sign."),
        "claims": ("claims", "Say which claims are true of last year's letters, and how to word them."),
        "notice": ("notice", "Write the public notice: what is tested, on whom, how to object."),
        "power": ("planning", "Say whether a trial can answer its question, and what would."),
        "seal": ("once", "Fix the definition, templates, claims and plan; commit to the secret."),
        "amend": ("once", "Record a change of a sealed trial."),
        "close": ("once", "End a trial and publish what an auditor needs."),
        "verify": ("once", "Draw every arm again and check the ledger."),
        "doctor": ("doctor", "Say what is missing on this machine, and the command that mends it."),
        "erase": ("once", "Delete names, letters and files of a closed trial, or of one tenancy."),
    },
    "Results": {
        "uplift": ("results", "Estimate what the letters did, and write the report."),
        "analyse": ("results", "Analyse a trial that somebody else ran."),
        "xray": ("xray", 'Look through a published "before and after".'),
    },
}
_WHERE: Final = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


class Commands(click.Group):
    """Commands by section, each imported from its module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_WHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _WHERE:
            return None
        module = importlib.import_module(f"nudge.cli.{_WHERE[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _WHERE and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], _WHERE, n=1)
            hint = f" Did you mean `nudge {near[0]}`?" if near else " `nudge --help` lists them."
            raise click.UsageError(f"There is no command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, words) for name, (_, words) in commands.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nudge")
def nudge() -> None:
    """Randomised trials of letters and signs, from one YAML file to an honest uplift.

    Begin with `nudge demo DIR`, or `nudge init DIR` for your own workspace.
    """


_DISK: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG}


def main() -> None:
    """Run the command line and leave with the code that DESIGN §4.5 gives to what happened."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str], **settings: Any) -> int:
    """Run one command; the exit code. Whatever goes wrong is told on standard error."""
    os.umask(0o077)  # everything nudge writes is private (I12)
    try:
        nudge.main(args=arguments, prog_name="nudge", standalone_mode=False, **settings)
    except click.exceptions.Exit as left:
        return left.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _stopped()
    except click.ClickException as misuse:
        misuse.show()
        return 2
    except NudgeError as fault:
        tell(fault)
        return fault.exit_code
    except OSError as fault:
        if fault.errno not in _DISK:
            return _bug(fault)
        tell(EnvironmentFault(message=f"{fault.filename or 'a file'}: {os.strerror(fault.errno or 0)}."))
        return EnvironmentFault.exit_code
    except Exception as fault:  # the last resort, so that no tenant's data reach a screen in a traceback
        return _stopped() if "KeyboardInterrupt" in str(fault) else _bug(fault)  # pydantic tells one in its own words
    return 0


SHOWN: Final = 20


def tell(fault: NudgeError) -> None:
    """Print a refusal: each problem on its own line, the first 20, and how many more."""
    if fault.told:
        for line in fault.told:
            click.echo(line, err=True)
        return
    if not fault.problems:
        click.echo(str(fault), err=True)
    for problem in fault.problems[:SHOWN]:
        click.echo(f"{problem.place}: {click.style('expected', bold=True)} {problem.expected}. {problem.fix}", err=True)
    if len(fault.problems) > SHOWN:
        click.echo(f"… and {len(fault.problems) - SHOWN} more.", err=True)


def _stopped() -> int:
    click.echo("Interrupted. What was finished is kept; the same command goes on from there.", err=True)
    return 130


def _bug(fault: BaseException) -> int:
    """Say that it is our mistake and where, without the message: it could hold a tenant's data (I12)."""
    if os.environ.get("NUDGE_DEBUG"):
        traceback.print_exception(fault)
        return 1
    frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if "nudge" in frame.filename]
    where = f"{frames[-1].filename.rpartition('nudge/')[2]}:{frames[-1].lineno}" if frames else "an unknown place"
    click.echo(
        f"This is a mistake in nudge, not in your files: {type(fault).__name__} at nudge/{where}. "
        "Nothing half-done was recorded. Run it again with NUDGE_DEBUG=1 on test data to see more.",
        err=True,
    )
    return 1
