"""What commands print: sentences, aligned counts, progress on a terminal, JSON where asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from nudge.base.files import write_whole


class Screen:
    """Where a command speaks: standard output, or standard error where JSON has the output to itself."""

    def __init__(self, json_to: Path | None = None) -> None:
        self._json_to = json_to
        self._aside = json_to is not None and str(json_to) == "-"

    def say(self, text: str = "") -> None:
        click.echo(text, err=self._aside)

    def heading(self, text: str) -> None:
        self.say(click.style(text, bold=True))

    def counts(self, rows: Mapping[str, object]) -> None:
        """Names and numbers, one a line, the numbers aligned."""
        width = max(
            (len(f"{value:,}") if isinstance(value, int) else len(str(value)) for value in rows.values()), default=0
        )
        for name, value in rows.items():
            shown = f"{value:,}" if isinstance(value, int) else str(value)
            self.say(f"  {shown:>{width}}  {name}")

    def next(self, *commands: str) -> None:
        """What to type next."""
        self.say()
        for position, command in enumerate(commands):
            self.say(f"{'Next: ' if position == 0 else '  or: '}{command}")

    def figures(self, value: Any) -> None:
        """The figures as JSON, where they were asked for."""
        if self._json_to is None:
            return
        text = json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"
        if self._aside:
            sys.stdout.write(text)
        else:
            write_whole(self._json_to, text)


@contextmanager
def progress(words: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal; nothing anywhere else."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def reasons(counts: Mapping[str, int], *, prefix: str = "") -> dict[str, object]:
    """Reasons as words, most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {f"{prefix}{reason.replace('_', ' ').replace('-', ' ')}": number for reason, number in ordered}
