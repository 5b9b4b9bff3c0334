"""A private waiting place on disk, so that a million rows can be put in order without filling the memory.

The folder is closed to others (0700), the file in it too (0600), and both go when the spool is closed, dropped or
the program ends (I12).
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final

from nudge.base.errors import EnvironmentFault
from nudge.base.files import PRIVATE_FILE, private_folder

_TABLES: Final = """
CREATE TABLE kept (reference TEXT NOT NULL, row INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE faulty (reference TEXT NOT NULL);
"""
_written: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_BATCH: Final = 500


class Spool:
    """Rows kept on disk by reference: filled once, then read in order of reference and row, as often as need be."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is not None:
            private_folder(folder)
        self.folder = Path(tempfile.mkdtemp(prefix="nudge-spool-", dir=folder))  # mkdtemp makes it 0700
        self._path = self.folder / "rows.db"
        os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        with self._opened() as connection:
            connection.executescript(_TABLES)

    def close(self) -> None:
        """Delete the rows. Closing twice does no harm."""
        self._remove()

    @property
    def closed(self) -> bool:
        """Whether the rows are gone."""
        return not self._remove.alive

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if self.closed:
            msg = "the rows of this file were let go; read it again"
            raise ValueError(msg)
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                # The file never outlives the program, so nothing is lost by not syncing it.
                connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16000;")
                yield connection
        except sqlite3.OperationalError as fault:
            if not any(words in str(fault) for words in ("full", "I/O")):
                raise
            message = (
                f"{self.folder.parent}: the disk took no more rows. Free some space and run the same command again."
            )
            raise EnvironmentFault(message=message) from fault

    def fill(self, rows: Iterable[tuple[str, int, Any]]) -> None:
        """Keep rows of (reference, row number, body); a body of None only marks the reference as faulty."""
        with self._opened() as connection:
            connection.execute("BEGIN")
            source = iter(rows)
            while batch := list(islice(source, _BATCH)):
                kept = [(ref, row, _written(body)) for ref, row, body in batch if body is not None]
                connection.executemany("INSERT INTO kept VALUES (?, ?, ?)", kept)
                faulty = [(ref,) for ref, _, body in batch if body is None]
                connection.executemany("INSERT INTO faulty VALUES (?)", faulty)
            connection.execute("COMMIT")
            connection.execute("CREATE INDEX by_reference ON kept (reference, row)")
            connection.execute("CREATE INDEX by_fault ON faulty (reference)")

    def groups(self, *, shared: bool = False) -> Iterator[tuple[str, list[tuple[int, Any]]]]:
        """Each reference with its rows (number, body), in order; `shared`: only references with several rows."""
        where = (
            "WHERE reference IN (SELECT reference FROM kept GROUP BY reference HAVING COUNT(*) > 1)" if shared else ""
        )
        query = f"SELECT reference, row, body FROM kept {where} ORDER BY reference, row"  # noqa: S608 no value in it
        with self._opened() as connection:
            for reference, rows in groupby(connection.execute(query), key=lambda found: str(found[0])):
                yield reference, [(row, json.loads(body)) for _, row, body in rows]

    def beside_faulty(self) -> list[tuple[str, int]]:
        """Reference and number of rows kept although another row of their reference is faulty."""
        with self._opened() as connection:
            return list(
                connection.execute(
                    "SELECT reference, row FROM kept WHERE reference IN (SELECT reference FROM faulty) ORDER BY row"
                )
            )

    def short_digits(self, length: int) -> list[tuple[str, int]]:
        """Reference and number of rows whose reference is all digits, shorter than this, and not padded with a 0."""
        with self._opened() as connection:
            return list(
                connection.execute(
                    "SELECT reference, row FROM kept WHERE length(reference) < ? AND reference NOT GLOB '*[^0-9]*' "
                    "AND reference NOT LIKE '0%' ORDER BY row",
                    (length,),
                )
            )

    def lone_joint(self) -> list[tuple[str, int]]:
        """Reference and number of rows that say they are joint, but stand alone and name one person."""
        with self._opened() as connection:
            return list(
                connection.execute(
                    "SELECT reference, row FROM kept WHERE json_extract(body, '$.joint') = 1 "
                    "AND json_array_length(body, '$.people') = 1 AND reference NOT IN "
                    "(SELECT reference FROM kept GROUP BY reference HAVING COUNT(*) > 1) ORDER BY row"
                )
            )

    def remove(self, references: Iterable[str]) -> None:
        """Let go of every row of these references."""
        with self._opened() as connection:
            connection.execute("BEGIN")
            connection.executemany("DELETE FROM kept WHERE reference = ?", ((reference,) for reference in references))
            connection.execute("COMMIT")

    def counts(self) -> tuple[int, int]:
        """How many rows are kept, and under how many references."""
        with self._opened() as connection:
            rows, references = connection.execute("SELECT COUNT(*), COUNT(DISTINCT reference) FROM kept").fetchone()
            return int(rows), int(references)
