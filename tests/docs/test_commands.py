"""Every command of the documentation is typed as written, in order, and prints what the page shows."""

from __future__ import annotations

import doctest
import os
import re
import shlex
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import click
import practice
import pytest
from pages import PAGES, ROOT, Block, Note, Typed, agrees, parts, typed

from nudge.cli.main import nudge as group
from nudge.cli.main import run

FOLLOWED: Final = ("README.md", "docs/officer.md", "docs/advisor.md", "docs/analyst.md")
NOT_RUN: Final = ("nudge doctor", "nudge demo")  # what this machine lacks; and a demonstration takes minutes
OF_THE_MACHINE: Final = {"--workers", "--tenancies"}  # how fast and how much, never what
_CONTEXT: Final = click.Context(group)
COMMANDS: Final = {
    name: command for name in group.list_commands(_CONTEXT) if (command := group.get_command(_CONTEXT, name))
}
_CODE: Final = re.compile(r"`(nudge [a-z][^`]*)`")


@dataclass
class Reader:
    """Somebody who follows a page: from which folder, on what day, and what they are told to expect next."""

    start: Path
    capsys: pytest.CaptureFixture[str]
    folders: int = 0
    today: str | None = None
    file: Path | None = None
    exit: int = 0
    names: dict[str, object] = field(default_factory=dict)

    def take(self, part: Note | Block) -> None:
        match part:
            case Note("folder", kind):
                self.go(kind)
            case Note("today", day):
                self.today = day
            case Note("answers", day):
                practice.answers(Path.cwd(), date.fromisoformat(day))
            case Note("file", name):
                self.file = Path.cwd() / name
            case Note("exit", code):
                self.exit = int(code)
            case Block() if self.file is not None:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                self.file.write_text(part.text, encoding="utf-8")
                self.file = None
            case Block("console"):
                commands = typed(part)
                for number, one in enumerate(commands, start=1):
                    self.type(one, self.exit if number == len(commands) else 0, part.line)
                self.exit = 0
            case Block("python"):
                self.compute(part)

    def compute(self, block: Block) -> None:
        """Type a Python session into the interpreter that the page has opened."""
        told: list[str] = []
        session = doctest.DocTestParser().get_doctest(block.text, self.names, "page", None, block.line)
        runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
        runner.run(session, out=told.append, clear_globs=False)
        self.names = session.globs
        assert session.examples, f"line {block.line}: no session to type"
        assert not runner.summarize(verbose=False).failed, "".join(told)

    def go(self, kind: str) -> None:
        self.folders += 1
        folder = self.start / str(self.folders) / "rents"
        folder.mkdir(parents=True)
        practice.FOLDERS[kind](folder)
        os.chdir(folder)
        self.today = None

    def type(self, one: Typed, wanted: int, line: int) -> None:
        words = shlex.split(one.command)
        if words[0] == "cd":
            os.chdir(words[1])
        if words[0] != "nudge" or one.command.startswith(NOT_RUN):
            return
        if self.today and any(option.name == "on_day" for option in COMMANDS[words[1]].params):
            words += ["--today", self.today]
        self.capsys.readouterr()
        left = run(words[1:])
        printed = self.capsys.readouterr()
        told = [text.replace(f"{Path.cwd()}/", "") for text in (*printed.out.splitlines(), *printed.err.splitlines())]
        seen = f"line {line}: {one.command}\n" + "\n".join(told)
        assert left == wanted, seen
        assert not one.shown or agrees(one.shown, told), seen


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_page_can_be_followed_word_for_word(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # and back, when the page is read
    reader = Reader(tmp_path, capsys)
    reader.go("empty")
    for part in parts(page):
        reader.take(part)


def _mentioned(page: str) -> list[str]:
    """Every `nudge …` of a page: in console blocks, and in the running text."""
    blocks = [part for part in parts(page) if isinstance(part, Block)]
    in_blocks = [one.command for block in blocks if block.language == "console" for one in typed(block)]
    in_text = _CODE.findall((ROOT / page).read_text("utf-8"))
    return [command for command in (*in_blocks, *in_text) if command.startswith("nudge ")]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_commands_and_options_that_exist(page: str) -> None:
    for mention in _mentioned(page):
        words = mention.replace("…", " ").split()
        if words[1].startswith("-"):
            continue
        assert words[1] in COMMANDS, mention
        known = {flag for option in COMMANDS[words[1]].params for flag in (*option.opts, *option.secondary_opts)}
        given = {re.split(r"[=\]|]", word.strip("[]"))[0] for word in words[2:] if word.strip("[").startswith("--")}
        assert given <= known | {"--help"}, mention


def test_every_command_is_documented_with_an_example() -> None:
    shown = {command.split()[1] for page in FOLLOWED for command in _mentioned(page)}
    assert shown >= set(COMMANDS)


def test_every_option_of_a_step_is_documented() -> None:
    text = "\n".join((ROOT / page).read_text("utf-8") for page in FOLLOWED)
    options = {
        flag
        for command in COMMANDS.values()
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        for flag in option.opts
    }
    assert {flag for flag in options - OF_THE_MACHINE if flag not in text} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text("utf-8")):
        assert target.startswith("https://") or (folder / target).exists(), target


def test_every_make_target_named_in_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    for page in (*PAGES, "CONTRIBUTING.md"):
        named = set(re.findall(r"(?:`|\$ )make ([a-z]+)", (ROOT / page).read_text("utf-8")))
        assert named <= targets, page
