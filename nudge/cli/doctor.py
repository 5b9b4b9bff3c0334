"""`nudge doctor`: what is missing on this machine, and the exact command that mends it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from nudge.base.errors import EnvironmentFault
from nudge.cli.options import json_option
from nudge.cli.output import Screen

# The libraries that draw letters, as the loader knows them, and their packages by package manager.
_LIBRARIES: Final = {
    "Pango": ("libpango-1.0.so.0", "libpango-1.0.dylib", "libpango-1.0-0.dll"),
    "Pango FreeType": ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib", "libpangoft2-1.0-0.dll"),
    "HarfBuzz subset": ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib", "libharfbuzz-subset-0.dll"),
}
_INSTALL: Final = {
    "apt-get": "apt-get install --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    "dnf": "dnf install pango harfbuzz",
    "apk": "apk add pango harfbuzz-subset",
    "pacman": "pacman -S pango harfbuzz",
    "zypper": "zypper install libpango-1_0-0 libharfbuzz-subset0",
    "brew": "brew install pango harfbuzz",
    "winget": "winget install MSYS2.MSYS2, then in its shell: pacman -S mingw-w64-ucrt-x86_64-pango",
}
_SPACE: Final = 500 * 2**20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what it is, whether it will do, what was seen, and the command that mends it."""

    what: str
    good: bool
    seen: str
    mend: str = ""
    needed_for: str = ""


def look(folder: Path) -> Iterator[Finding]:
    """Look at Python, the libraries, the fonts, the database and the disk of this machine."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer.")
    install = next((command for tool, command in _INSTALL.items() if shutil.which(tool)), _INSTALL["apt-get"])
    if shutil.which("sudo") and os.name == "posix" and os.geteuid() != 0 and not install.startswith(("brew", "winget")):
        install = f"sudo {install}"
    for name, files in _LIBRARIES.items():
        found = any(map(_loads, files))
        yield Finding(name, found, "found" if found else "missing", install, "drawing letters, signs and PDF reports")
    spec = importlib.util.find_spec("psycopg")
    url = os.environ.get("NUDGE_DATABASE_URL", "")
    if url.startswith("postgres"):
        seen = "installed" if spec else "missing"
        yield Finding(
            "psycopg", spec is not None, seen, 'pip install "nudge-trials[postgres]"', "records on PostgreSQL"
        )
    yield _database(url, folder)
    free = shutil.disk_usage(folder).free
    yield Finding("disk", free > _SPACE, f"{free // 2**20:,} MB free", "Free some space: letters need room.")
    writable = os.access(folder, os.W_OK)
    yield Finding(
        "this folder", writable, "can be written" if writable else "cannot be written", "Go to your own folder."
    )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _database(url: str, folder: Path) -> Finding:
    from nudge.base.errors import NudgeError
    from nudge.workspace import SETTINGS, open_workspace

    try:
        if not url:
            if not (folder / SETTINGS).exists():
                return Finding("records", True, "no workspace here; SQLite needs nothing")
            url = open_workspace(folder).database_url
        from nudge.records.store import open_store

        open_store(url).close()
    except NudgeError as fault:
        return Finding("records", False, "cannot be opened", str(fault))
    return Finding("records", True, "can be opened")


@click.command()
@json_option
def doctor(json_to: Path | None) -> None:
    """Say what is missing on this machine, and the command that mends it. Changes nothing.

    Example: nudge doctor
    """
    screen = Screen(json_to)
    findings = list(look(Path.cwd()))
    for finding in findings:
        mark = click.style("ok     ", fg="green") if finding.good else click.style("missing", fg="red", bold=True)
        screen.say(f"{mark}  {finding.what}: {finding.seen}")
        if not finding.good:
            reason = f" (for {finding.needed_for})" if finding.needed_for else ""
            screen.say(f"         → {finding.mend}{reason}")
    screen.figures([{"what": f.what, "good": f.good, "seen": f.seen, "mend": f.mend} for f in findings])
    bad = [finding.what for finding in findings if not finding.good]
    if bad:
        raise EnvironmentFault(message=f"Not ready: {', '.join(bad)}. Everything else works.")
    screen.say("All is there.")
