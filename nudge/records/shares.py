"""Whether a folder is on a network share or in a synchronised folder, where SQLite's log cannot work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

# SQLite, "Write-Ahead Logging": all processes must be on the same computer, so not over a network file system.
_NETWORKED: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "afpfs", "ncpfs", "webdav", "davfs", "ceph", "glusterfs"),
        *("lustre", "fuse.sshfs", "fuse.rclone", "fuse.davfs2", "fuse.s3fs", "fuse.gcsfuse", "fuse.onedriver"),
    }
)
_SYNCHRONISED: Final = ("onedrive", "dropbox", "google drive", "googledrive", "icloud", "mobile documents", "nextcloud")
_MOUNTS: Final = Path("/proc/self/mounts")


def share_of(path: Path) -> str | None:
    """What shares this path (`nfs4`, `OneDrive`, …), or None where it seems to be on a disk of this computer.

    Best effort: a kind of share that the system does not name is not found.
    """
    whole = path.absolute()
    for part in whole.parts[1:-1]:
        if any(part.casefold().startswith(name) for name in _SYNCHRONISED):
            return part
    if sys.platform == "win32":
        return _windows_share(whole)
    try:
        return networked(whole.resolve(), _MOUNTS.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None


def networked(path: Path, mounts: str) -> str | None:
    """The network file system that holds `path` according to a table in the form of /proc/mounts, or None."""
    holder, kind = Path("/"), ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) >= len(holder.parts):
            holder, kind = point, fields[2]
    return kind if kind in _NETWORKED else None


def _windows_share(path: Path) -> str | None:
    if path.drive.startswith("\\\\"):
        return "a network share"
    if sys.platform == "win32":
        import ctypes

        if ctypes.windll.kernel32.GetDriveTypeW(f"{path.drive}\\") == 4:  # DRIVE_REMOTE
            return "a network drive"
    return None
