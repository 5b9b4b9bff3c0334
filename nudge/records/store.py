"""The records' database: SQLite in the workspace, or PostgreSQL for a team. One step, one transaction.

Writers take turns: on SQLite a transaction begins with BEGIN IMMEDIATE, on PostgreSQL with an advisory lock, so what
a step has read is still so when it writes, and the two give the same rows (I2, I11).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, Table, and_, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement
from sqlmodel import SQLModel

from nudge.base.canonical import canonical, digest
from nudge.base.values import utc_text
from nudge.records.faults import faults
from nudge.records.opening import READING, backup_of, open_engine, outside_transaction, take_turn
from nudge.records.tables import APPEND_ONLY, PERSONAL, AllocationRow, AuditRow

Row = TypeVar("Row", bound=SQLModel)
_CHUNK: Final = 10_000  # values in one statement: SQLite allows 32,766, PostgreSQL 65,535
_NO_HASH: Final = "0" * 64


class Store:
    """An open database. `url` has its password hidden."""

    def __init__(self, engine: Engine, url: URL) -> None:
        self._engine = engine
        self._here = threading.local()
        self.url = url.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All of it or nothing: committed at the end, rolled back on any exception.

        Inside another transaction of the same thread it is a part of that one (else each would wait for the other).
        Raises EnvironmentFault where the database is locked, full, damaged or out of reach.
        """
        outer = self._current()
        if outer is not None:
            with faults(self.url), outer.begin_nested():
                yield outer
            return
        with faults(self.url), self._engine.begin() as connection:
            take_turn(connection)
            self._here.connection = connection
            try:
                yield connection
            finally:
                self._here.connection = None

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One unchanging view for reading; it waits for no writer and makes none wait. Writing in it fails.

        Inside a transaction of the same thread it is that transaction, with what it has written so far.
        """
        outer = self._current()
        if outer is not None:
            yield outer
            return
        with faults(self.url), self._engine.connect().execution_options(**{READING: True}) as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                with connection.begin():
                    yield connection
                return
            try:
                with connection.begin():
                    connection.exec_driver_sql("PRAGMA query_only = ON")
                    yield connection
            finally:
                connection.exec_driver_sql("PRAGMA query_only = OFF")

    def _current(self) -> Connection | None:
        current: Connection | None = getattr(self._here, "connection", None)
        return current

    def compact(self) -> None:
        """After rows were removed for good: rewrite the file without them, so that no byte of them is left in it.

        Not inside a transaction. Copies made before a change of version (`backups`) are the caller's to delete.
        """
        with faults(self.url), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="AUTOCOMMIT")
                for table in PERSONAL:
                    connection.exec_driver_sql(f"VACUUM (FULL) {table_of(table).name}")
                return
            for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                outside_transaction(connection, statement)

    @property
    def backups(self) -> tuple[Path, ...]:
        """The copies of a SQLite file beside it, made before its tables were brought forward. They hold names too."""
        path = make_url(self.url).database if self.url.startswith("sqlite") else None
        return tuple(sorted(Path(path).parent.glob(backup_of(Path(path), "*").name))) if path else ()

    def close(self) -> None:
        """Let go of every connection; on SQLite the log is then folded into the file."""
        self._engine.dispose()


def open_store(url: str, *, create: bool = True) -> Store:
    """The database at `url` (sqlite:///… or postgresql://…), brought forward to this version's tables.

    A SQLite file of an older version is copied beside itself first. Without `create`, a database that nudge has not
    made is refused. Raises Refused for an address that cannot be read and for a database that is newer or not ours;
    EnvironmentFault for one that is locked, full, on a network share or out of reach.
    """
    engine, address = open_engine(url, create=create)
    return Store(engine, address)


def table_of(row: type[SQLModel]) -> Table:
    """The database table behind a row class."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


def append(connection: Connection, rows: Sequence[SQLModel]) -> None:
    """Write new rows of any tables but audit; a row whose key is taken is a NudgeError."""
    for kind, run in groupby(rows, key=type):
        if kind is AuditRow:
            msg = "an audit entry is written by `audit`"
            raise ValueError(msg)
        table, values = table_of(kind), [_values(row) for row in run]
        for start in range(0, len(values), _CHUNK):
            connection.execute(table.insert(), values[start : start + _CHUNK])


def append_allocation(connection: Connection, rows: Sequence[AllocationRow]) -> int:
    """Keep arms for clusters not met before; one already held keeps its own (I3). Returns how many were new."""
    new: dict[tuple[str, str], AllocationRow] = {}
    for trial in {row.trial for row in rows}:
        wanted = tuple(row.cluster for row in rows if row.trial == trial)
        held = {row.cluster for row in rows_of(connection, AllocationRow, trial=trial, cluster=wanted)}
        for row in rows:
            if row.trial == trial and row.cluster not in held:
                new.setdefault((trial, row.cluster), row)
    append(connection, list(new.values()))
    return len(new)


def rows_of(connection: Connection, table: type[Row], /, *, trial: str, **equal: object) -> list[Row]:
    """The trial's rows whose columns equal what is given, in the order of their key: code points, on either database.

    A tuple means any of its values; None means no value.
    """
    core = table_of(table)
    found: list[Row] = []
    with Session(connection) as session:  # it fills rows three times as fast as their own constructor
        for where in _pieces({"trial": trial, **equal}):
            found += session.scalars(select(table).where(_matching(core, where)))
    key = [column.name for column in core.primary_key]
    return sorted(found, key=lambda row: [getattr(row, name) for name in key])


def change(
    connection: Connection, table: type[SQLModel], /, *, where: Mapping[str, object], to: Mapping[str, object]
) -> int:
    """Set columns of the rows that `where` names, as in `rows_of`. Returns how many.

    ValueError for a table that only grows, and for an empty `where`.
    """
    core = _changeable(table, where)
    return sum(
        connection.execute(core.update().where(_matching(core, piece)).values(**to)).rowcount
        for piece in _pieces(where)
    )


def remove(connection: Connection, table: type[SQLModel], /, *, where: Mapping[str, object]) -> int:
    """Remove the rows that `where` names, as in `rows_of`. Returns how many. ValueError as in `change`."""
    core = _changeable(table, where)
    return sum(connection.execute(core.delete().where(_matching(core, piece))).rowcount for piece in _pieces(where))


def audit(connection: Connection, *, trial: str, what: str, facts: Mapping[str, object], at: datetime) -> str:
    """Add an entry to the trial's chain; returns its hash. Facts are codes, names and counts, never personal data."""
    core = table_of(AuditRow)
    last = connection.execute(
        select(core.c.number, core.c.hash).where(core.c.trial == trial).order_by(core.c.number.desc()).limit(1)
    ).first()
    number, previous = (last.number + 1, last.hash) if last else (1, _NO_HASH)
    facts_json, moment = canonical(facts).decode(), utc_text(at)
    entry = AuditRow(
        trial=trial, number=number, at=moment, what=what, facts_json=facts_json, previous_hash=previous, hash=""
    )
    entry.hash = _link(entry)
    connection.execute(core.insert(), [_values(entry)])
    return entry.hash


def audited(connection: Connection, trial: str, what: str) -> bool:
    """Whether the trial's chain holds an entry of this kind."""
    core = table_of(AuditRow)
    where = _matching(core, {"trial": trial, "what": what})
    return connection.execute(select(core.c.number).where(where).limit(1)).first() is not None


def broken_link(connection: Connection, trial: str) -> int | None:
    """The number of the first audit entry that was changed, moved or follows a removed one; None if all hold.

    A chain cut short at its end still holds: compare its last hash with the one printed on a report.
    """
    previous = _NO_HASH
    for expected, entry in enumerate(rows_of(connection, AuditRow, trial=trial), start=1):
        if entry.number != expected:
            return expected
        try:
            holds = entry.previous_hash == previous and entry.hash == _link(entry)
        except ValueError:  # the facts are no longer JSON
            holds = False
        if not holds:
            return expected
        previous = entry.hash
    return None


def _link(entry: AuditRow) -> str:
    facts = json.loads(entry.facts_json)
    return digest([entry.previous_hash, entry.trial, entry.number, entry.at, entry.what, facts])


def _values(row: SQLModel) -> dict[str, Any]:
    values = row.model_dump()
    if values.get("id", 0) is None:  # the database numbers it
        del values["id"]
    return values


def _changeable(table: type[SQLModel], where: Mapping[str, object]) -> Table:
    if table in APPEND_ONLY:
        msg = f"{table_of(table).name} only grows"
        raise ValueError(msg)
    if not where:
        msg = "say which rows"
        raise ValueError(msg)
    return table_of(table)


def _pieces(where: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """The same condition in pieces short enough for one statement each."""
    plain = {name: tuple(dict.fromkeys(value)) if isinstance(value, tuple) else value for name, value in where.items()}
    for name, value in plain.items():
        if isinstance(value, tuple) and len(value) > _CHUNK:
            for start in range(0, len(value), _CHUNK):
                yield from _pieces({**plain, name: value[start : start + _CHUNK]})
            return
    yield plain


def _matching(core: Table, where: Mapping[str, object]) -> ColumnElement[bool]:
    return and_(
        text("1 = 1"),
        *(
            core.c[name].in_(value) if isinstance(value, tuple) else core.c[name] == value
            for name, value in where.items()
        ),
    )
