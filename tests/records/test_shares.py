"""SQLite's log needs a disk of this computer: folders on shares are named and refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nudge.base.errors import EnvironmentFault
from nudge.records.codes import RecordsCode
from nudge.records.opening import set_up_sqlite
from nudge.records.shares import networked, share_of
from nudge.records.store import open_store

MOUNTS = """\
sysfs /sys sysfs rw 0 0
/dev/vda1 / ext4 rw 0 0
//filer/housing /mnt/housing cifs rw 0 0
filer:/export /mnt/shared\\040drive nfs4 rw 0 0
/dev/vdb1 /mnt/housing/local ext4 rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/home/officer/nudge.db", None),
        ("/mnt/housing/trials/nudge.db", "cifs"),
        ("/mnt/shared drive/nudge.db", "nfs4"),
        ("/mnt/housing/local/nudge.db", None),
        ("/mnt/housingold/nudge.db", None),
    ],
)
def test_the_file_system_that_holds_a_path_decides(path: str, found: str | None) -> None:
    assert networked(Path(path), MOUNTS) == found


@pytest.mark.parametrize("folder", ["OneDrive - Wealden", "Dropbox", "Google Drive"])
def test_a_synchronised_folder_is_refused_with_the_way_out(tmp_path: Path, folder: str) -> None:
    with pytest.raises(EnvironmentFault) as fault:
        open_store(f"sqlite:///{tmp_path}/{folder}/nudge.db")
    assert [problem.code for problem in fault.value.problems] == [RecordsCode.FOLDER_SHARED.slug]
    assert folder in str(fault.value)
    assert not (tmp_path / folder).exists()


def test_an_ordinary_folder_is_no_share(tmp_path: Path) -> None:
    assert share_of(tmp_path / "nudge.db") is None


def test_where_the_log_cannot_be_kept_the_database_is_not_opened() -> None:
    """A file system without shared memory answers with another mode, as a database in memory does."""
    memory = sqlite3.connect(":memory:")
    with pytest.raises(EnvironmentFault) as fault:
        set_up_sqlite("sqlite:///x", memory, None)
    assert [problem.code for problem in fault.value.problems] == [RecordsCode.FOLDER_SHARED.slug]
    memory.close()
