"""Opening a database: where it may lie, how each connection is set, and which version its tables are of."""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from nudge.base.errors import EnvironmentFault, Place, Refused
from nudge.base.files import PRIVATE_FILE, private_folder
from nudge.records.codes import RecordsCode
from nudge.records.faults import faults
from nudge.records.shares import share_of

VERSION: Final = "0004"  # of the newest step in migrations/versions; a test holds the two equal
VERSION_TABLE: Final = "nudge_version"
READING: Final = "nudge_reading"
_PATIENCE: Final = 15_000  # milliseconds that a writer waits for its turn
_TURN: Final = int.from_bytes(b"nudge", "big")  # the advisory lock that PostgreSQL's writers queue for
_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",  # NORMAL may forget the last commits in a power cut; ours are letters sent
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA secure_delete = ON",  # an erased tenant's bytes are overwritten
    "PRAGMA recursive_triggers = ON",  # else INSERT OR REPLACE would slip past the append-only triggers
)


def open_engine(url: str, *, create: bool) -> tuple[Engine, URL]:
    """An engine for the database, its tables of this version. Raises as `store.open_store` says."""
    address = _address(url)
    shown = address.render_as_string(hide_password=True)
    path = _sqlite_path(address, shown)
    if path is not None:
        _prepare_file(path, shown, create=create)
    engine = _engine(address, shown)
    try:
        with faults(shown):
            _bring_forward(engine, shown, path, create=create)
    except BaseException:
        engine.dispose()
        raise
    return engine, address


def stored_version(connection: Connection) -> str | None:
    """The version of the tables, None where there are none of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 a constant
    return None if found is None else str(found)


def take_turn(connection: Connection) -> None:
    """Queue behind other writers until this transaction ends. SQLite's transactions do so by beginning."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_TURN)))


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise Refused(RecordsCode.URL_UNREADABLE.at(Place("database"))) from None
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise Refused(RecordsCode.URL_UNREADABLE.at(Place("database")))
    return address


def _sqlite_path(address: URL, shown: str) -> Path | None:
    if address.drivername != "sqlite":
        return None
    if not address.database or address.database == ":memory:" or address.database.startswith("file:"):
        raise Refused(RecordsCode.URL_UNREADABLE.at(Place(shown)))
    return Path(address.database)


def _prepare_file(path: Path, shown: str, *, create: bool) -> None:
    """The file is there, private to its owner, and not on a share."""
    if share := share_of(path):
        raise EnvironmentFault(RecordsCode.FOLDER_SHARED.at(Place(shown), share=share))
    if not create and not path.is_file():
        raise EnvironmentFault(RecordsCode.DATABASE_ABSENT.at(Place(shown)))
    try:
        private_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
        if path.stat().st_mode & 0o077:
            path.chmod(PRIVATE_FILE)
    except PermissionError:
        raise EnvironmentFault(RecordsCode.DATABASE_READ_ONLY.at(Place(shown))) from None
    except OSError:
        raise EnvironmentFault(RecordsCode.DATABASE_UNREADABLE.at(Place(shown))) from None


def _engine(address: URL, shown: str) -> Engine:
    if address.drivername == "sqlite":
        # isolation_level None: the driver begins nothing by itself, so `begin` below decides how
        engine = create_engine(address, hide_parameters=True, connect_args={"isolation_level": None})
        event.listen(engine, "connect", partial(set_up_sqlite, shown))
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            address,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "application_name": "nudge"},
        )
    except (ImportError, NoSuchModuleError):
        raise EnvironmentFault(RecordsCode.DRIVER_ABSENT.at(Place(shown))) from None


def set_up_sqlite(shown: str, connection: sqlite3.Connection, _record: Any) -> None:
    """Settings of every new connection. Raises EnvironmentFault where the log cannot be kept."""
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE}")  # first: the next line may have to wait
    # where the file system cannot hold the log, SQLite says so by keeping another mode, and no error
    if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
        raise EnvironmentFault(RecordsCode.FOLDER_SHARED.at(Place(shown), share="a disk without room for SQLite's log"))
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails under two writers whatever the timeout.
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def outside_transaction(connection: Connection, statement: str, *values: str) -> None:
    """Run what SQLite takes outside a transaction only; the connection must not have begun one."""
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.execute(statement, values)


def backup_of(path: Path, version: str) -> Path:
    """Where the copy lies that was made of a SQLite file before it was brought forward to a version."""
    return path.with_name(f"{path.name}.before-{version}")


def _bring_forward(engine: Engine, shown: str, path: Path | None, *, create: bool) -> None:
    with engine.connect().execution_options(**{READING: True}) as connection:
        found = stored_version(connection)
        if found is None and inspect(connection).get_table_names():
            raise Refused(RecordsCode.DATABASE_OF_ANOTHER.at(Place(shown)))
    if found is None and not create:
        raise EnvironmentFault(RecordsCode.DATABASE_ABSENT.at(Place(shown)))
    if found is not None and found > VERSION:
        raise Refused(RecordsCode.DATABASE_OLDER_TOOL.at(Place(shown), known=VERSION, found=found))
    if found != VERSION:
        from nudge.records.migrating import migrate  # alembic takes most of a second to import

        migrate(engine, path, found=found)
