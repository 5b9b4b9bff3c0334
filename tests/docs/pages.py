"""The pages of the documentation as data: fenced blocks, and what an HTML comment before a block asks of the reader.

`<!-- folder: sealed -->`      go to a new folder: `empty`, or a workspace of the invented council that is `unsealed`,
                               `sealed`, or `closed` (a whole trial, run in a minute); or `recorded`, somebody
                               else's data
`<!-- today: 2026-12-07 -->`   the day on which the commands that follow are typed
`<!-- answers: 2026-12-22 -->` the council exports what came back up to that day, into data/
`<!-- file: plan.yaml -->`     the block that follows is that file
`<!-- exit: 3 -->`             the last command of the block that follows is refused, with that exit code
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
_NOTE: Final = re.compile(r"<!-- (folder|today|answers|file|exit): (\S+) -->")


@dataclass(frozen=True, slots=True)
class Note:
    """One instruction to whoever runs the page."""

    what: str
    value: str


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, and the line of the page it begins on."""

    language: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Typed:
    """One command and the lines shown after it; none shown means that any will do."""

    command: str
    shown: tuple[str, ...]


def parts(page: str) -> Iterator[Note | Block]:
    """The notes and blocks of a page, in order."""
    lines = iter(enumerate((ROOT / page).read_text("utf-8").splitlines(), start=1))
    for number, line in lines:
        if found := _NOTE.fullmatch(line.strip()):
            yield Note(found[1], found[2])
        elif line.startswith("```"):
            held = []
            for _, inside in lines:
                if inside.startswith("```"):
                    break
                held.append(inside)
            yield Block(line[3:].strip(), "\n".join(held) + "\n", number)


def typed(block: Block) -> list[Typed]:
    """The commands of a console block; a command goes on after a backslash at the end of its line."""
    found: list[Typed] = []
    joined = block.text.replace("\\\n", " ")
    for line in joined.splitlines():
        if line.startswith("$ "):
            found.append(Typed(" ".join(line[2:].split()), ()))
        elif found:
            found[-1] = Typed(found[-1].command, (*found[-1].shown, line.rstrip()))
    return found


def agrees(shown: tuple[str, ...], printed: list[str]) -> bool:
    """Whether what was printed is what the page shows. `…` stands for any words; alone on a line, for any lines."""
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n" for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed)) is not None
