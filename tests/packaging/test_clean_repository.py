"""What is committed names no machine, no package mirror and nobody's workspace."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
# /home/officer/ is the invented officer of the tests
FOLDERS_OF_A_MACHINE: Final = re.compile(
    rb"/(?:work|home/(?!officer/)|Users|root|opt|private|var/folders)/|/tmp/[A-Za-z]|[A-Z]:\\\\?Users"
)
SELF: Final = Path(__file__).relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def committed() -> dict[str, bytes]:
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("needs a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return {name: (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file()}


def test_lock_files_name_no_host(committed: dict[str, bytes]) -> None:
    locks = {name: held for name, held in committed.items() if name.endswith(".lock")}
    assert set(locks) >= {f"requirements/{name}.lock" for name in ("run", "test", "bench")}
    for name, held in locks.items():
        assert b"http" not in held, name
        assert b"index-url" not in held, name
        assert b"--find-links" not in held, name


def test_every_locked_package_has_its_hash(committed: dict[str, bytes]) -> None:
    for name in ("run", "test", "bench"):
        lock = committed[f"requirements/{name}.lock"].decode()
        for entry in re.split(r"\n(?=\S)", "\n".join(line for line in lock.splitlines() if line[:1] != "#")):
            assert "==" not in entry or "--hash=sha256:" in entry, entry.splitlines()[0]


def test_no_committed_file_names_a_folder_of_somebodys_machine(committed: dict[str, bytes]) -> None:
    found = {name: FOLDERS_OF_A_MACHINE.findall(held) for name, held in committed.items() if name != SELF}
    assert {name: places for name, places in found.items() if places and b"\0" not in committed[name][:1024]} == {}


def test_no_workspace_is_committed(committed: dict[str, bytes]) -> None:
    private = [name for name in committed if name.endswith((".db", ".secret", "nudge.toml"))]
    assert private == []
