"""Whole files or none: a crash or a full disk never leaves half of one behind (I11).

Everything nudge writes is private to its owner: files 0600, folders 0700 (I12).
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from nudge.base.errors import EnvironmentFault

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
_DISK: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "files may not grow that large here",
    errno.EROFS: "the disk is read-only",
}


def private_folder(folder: Path) -> Path:
    """The folder, made with its parents, closed to others where nudge made it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return folder


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that appears at `path` complete and on disk, or not at all.

    Raises EnvironmentFault where the disk is full or read-only; what stood at `path` before still stands.
    """
    private_folder(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as fault:
        if fault.errno in _DISK:
            message = (
                f"{path}: could not be written: {_DISK[fault.errno]}. Free some space and run the same command again."
            )
            raise EnvironmentFault(message=message) from fault
        raise
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write bytes, or text as UTF-8, as a whole private file."""
    with whole_file(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
    return path


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
