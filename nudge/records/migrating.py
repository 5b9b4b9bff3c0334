"""Bringing a database forward to this version's tables, whole or not at all, an older SQLite file copied first."""

from __future__ import annotations

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from nudge.base.files import PRIVATE_FILE
from nudge.records.opening import VERSION, backup_of, outside_transaction, stored_version, take_turn


def migrate(engine: Engine, path: Path | None, *, found: str | None, to: str = VERSION) -> None:
    """Take the tables from version `found` (None: there are none) to version `to`, in one transaction.

    `path` is the SQLite file, None on PostgreSQL. Of two processes that come at once, the second finds it done.
    """
    if path is not None and found is not None:
        back_up(engine, path, to=to)
    with engine.connect() as connection:
        if path is not None:
            # a table that is rebuilt is dropped for a moment
            outside_transaction(connection, "PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                take_turn(connection)
                if stored_version(connection) == found:
                    step(connection, to)
                if path is not None and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    msg = f"version {to} of the tables would break a link between rows"
                    raise AssertionError(msg)
        finally:
            if path is not None:
                outside_transaction(connection, "PRAGMA foreign_keys = ON")


def step(connection: Connection, to: str) -> None:
    """Run the steps from the version stored to `to`, backwards if that is earlier, in the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", "nudge.records:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    stored = stored_version(connection)
    if stored is not None and (to == "base" or to < stored):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)


def back_up(engine: Engine, path: Path, *, to: str) -> Path:
    """A whole copy of the SQLite file, private, named for the version that comes next."""
    copy = backup_of(path, to)
    part = copy.with_name(f".{copy.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT, PRIVATE_FILE))  # VACUUM INTO fills an empty file
    try:
        with engine.connect() as connection:
            outside_transaction(connection, "VACUUM INTO ?", str(part))
        part.replace(copy)
    finally:
        part.unlink(missing_ok=True)
    return copy
