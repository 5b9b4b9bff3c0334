"""Arguments that several commands share, and how each is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from nudge.base.values import uk_date

Function = TypeVar("Function", bound=Callable[..., Any])


class Day(click.ParamType[date]):
    """A date as 2026-11-23 or 23/11/2026, `today` or `yesterday`."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        if value in {"today", "yesterday"}:
            return date.fromordinal(today().toordinal() - (value == "yesterday"))
        if (day := uk_date(value)) is None:
            self.fail(f"expected a date as 2026-11-23 or 23/11/2026, not {value!r}.", param, ctx)
        return day


class Batch(click.ParamType[tuple[str, int]]):
    """A batch as `wealden-arrears/1`."""

    name = "batch"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        trial, _, number = value.rpartition("/")
        if not trial or not number.isdigit():
            self.fail(f"expected a batch such as wealden-arrears/1, not {value!r}.", param, ctx)
        return trial, int(number)


DAY: Final = Day()
BATCH: Final = Batch()
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT: Final = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


def columns_typed(pairs: tuple[str, ...]) -> dict[str, str]:
    """Columns typed in as NAME=HEADING; without a heading there is no such column."""
    given = {}
    for pair in pairs:
        name, found, heading = pair.partition("=")
        if not found or not name.strip():
            raise click.BadParameter(f'expected NAME="Heading", not {pair!r}.', param_hint="--column")
        given[name.strip()] = heading.strip()
    return given


def today() -> date:
    """The machine's date: only a face asks for it."""
    return now().astimezone().date()


def now() -> datetime:
    """The machine's clock, aware."""
    return datetime.now(UTC)


def moment(on_day: date) -> datetime:
    """The moment a command acts at: now, or the same time of day on the day it was told to act on."""
    here = now()
    return here + timedelta(days=(on_day - today()).days)


def json_option(function: Function) -> Function:
    """`--json FILE`: the figures as JSON; `-` is standard output, and nothing else goes there."""
    return click.option("--json", "json_to", type=OUT, help="Write the figures as JSON; - for standard output.")(
        function
    )


def list_options(*, required: bool) -> Callable[[Function], Function]:
    """`--suppress LIST --dated DAY`: who must not be written to, and the day that list was made."""

    def add(function: Function) -> Function:
        dated = click.option("--dated", type=DAY, required=required, help="The day the list was made.")
        listed = click.option(
            "--suppress",
            type=FILE,
            required=required,
            help="Who must not be written to: reference, reason, from, until.",
        )
        return listed(dated(function))

    return add


def dry_run_option(function: Function) -> Function:
    return click.option("--dry-run", is_flag=True, help="Show what would happen; keep nothing.")(function)


def workers_option(function: Function) -> Function:
    return click.option(
        "--workers", type=click.IntRange(1, 64), help="Processes that draw letters [default: one per core]."
    )(function)


def as_of_option(function: Function) -> Function:
    """The date a command acts on; hidden: the demo and the tests go through weeks in a minute."""
    return click.option("--today", "on_day", type=DAY, default="today", hidden=True)(function)
