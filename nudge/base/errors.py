"""What can go wrong, and the exit code each kind carries.

NudgeError            1  our own mistake
  Misused             2  the command or call was put together wrongly
  Refused             3  the input is not good enough; nothing was written
  EnvironmentFault    4  something outside is missing, full or locked
  PartlyDone          5  some work is kept; the same command goes on from there
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is wrong: a file with line and column, or a table with row and heading.

    `row` is the number a spreadsheet shows: the heading line is row 1.
    """

    source: str
    line: int | None = None
    column: int | None = None
    row: int | None = None
    heading: str | None = None

    def __str__(self) -> str:
        parts = [self.source]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.heading is not None:
            parts.append(self.heading)
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal: its code, its place, what was expected there, and one fix. Holds no tenant's data (I12)."""

    code: str
    place: Place
    expected: str
    fix: str

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}. {self.fix}"


class NudgeError(Exception):
    """Anything nudge raises on purpose. `problems` holds the facts; the message is their sentences.

    `told` are the lines to show in place of the problems, one by one, where there is a better way to tell them.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem, message: str | None = None) -> None:
        self.problems = problems
        self.told: tuple[str, ...] = ()
        super().__init__(message if message is not None else "\n".join(map(str, problems)))

    def __reduce__(self) -> tuple[object, ...]:
        # Raised in a worker process, it arrives here with its problems and its words.
        return _again, (type(self), self.problems, str(self))


def _again(kind: type[NudgeError], problems: tuple[Problem, ...], message: str) -> NudgeError:
    return kind(*problems, message=message)


class Misused(NudgeError):
    """The command or call was put together wrongly."""

    exit_code = 2


class Refused(NudgeError):
    """The input is refused and nothing was written."""

    exit_code = 3

    @classmethod
    def when(cls, problems: Iterable[Problem]) -> None:
        """Raise with all of the problems at once, if there are any."""
        found = tuple(problems)
        if found:
            raise cls(*found)


class EnvironmentFault(NudgeError):
    """Something outside nudge is missing, full or locked."""

    exit_code = 4


class PartlyDone(NudgeError):
    """Some of the work is kept; running the same command again goes on from there."""

    exit_code = 5
