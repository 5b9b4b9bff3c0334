"""What a database error means to the person at the keyboard. Neither a value nor a password survives it (I12)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from nudge.base.errors import EnvironmentFault, NudgeError, Place
from nudge.records.codes import RecordsCode

# By the beginning of SQLite's own name of the error.
_SQLITE: Final = {
    "SQLITE_BUSY": RecordsCode.DATABASE_BUSY,
    "SQLITE_LOCKED": RecordsCode.DATABASE_BUSY,
    "SQLITE_FULL": RecordsCode.DISK_FULL,
    "SQLITE_READONLY": RecordsCode.DATABASE_READ_ONLY,
    "SQLITE_PERM": RecordsCode.DATABASE_READ_ONLY,
    "SQLITE_CANTOPEN": RecordsCode.DATABASE_UNREADABLE,
    "SQLITE_IOERR": RecordsCode.DATABASE_UNREADABLE,
    "SQLITE_NOTADB": RecordsCode.DATABASE_OF_ANOTHER,
    "SQLITE_CORRUPT": RecordsCode.DATABASE_DAMAGED,
}
# By the beginning of PostgreSQL's error code, the longest that fits: its manual, appendix A.
_POSTGRES: Final = {
    "08": RecordsCode.SERVER_UNREACHABLE,
    "57P": RecordsCode.SERVER_UNREACHABLE,
    "53100": RecordsCode.DISK_FULL,
    "53": RecordsCode.DATABASE_BUSY,
    "55P03": RecordsCode.DATABASE_BUSY,
    "40": RecordsCode.DATABASE_BUSY,
    "28": RecordsCode.SERVER_REFUSES_LOGIN,
    "3D000": RecordsCode.SERVER_REFUSES_LOGIN,
    "42501": RecordsCode.DATABASE_READ_ONLY,
    "25006": RecordsCode.DATABASE_READ_ONLY,
    "58": RecordsCode.DATABASE_UNREADABLE,
    "XX001": RecordsCode.DATABASE_DAMAGED,
}

_NEVER_CONNECTED: Final = frozenset({"OperationalError", "ConnectionTimeout", "InterfaceError"})


@contextmanager
def faults(address: str) -> Iterator[None]:
    """Turn the driver's errors into nudge's own: EnvironmentFault, or NudgeError where a rule of the tables was broken.

    `address` is the database's, its password already hidden. A driver's own words may quote a tenant's values,
    so only names of tables and rules are kept.
    """
    try:
        yield
    except DBAPIError as fault:
        raise _meaning(fault.orig, Place(address)).with_traceback(fault.__traceback__) from None
    except sqlite3.Error as fault:  # from what runs outside a transaction
        raise _meaning(fault, Place(address)).with_traceback(fault.__traceback__) from None
    except PoolTimeout:
        raise EnvironmentFault(RecordsCode.DATABASE_BUSY.at(Place(address))) from None


def _meaning(fault: BaseException | None, place: Place) -> NudgeError:
    name = getattr(fault, "sqlite_errorname", None)
    if name is not None:
        known = _longest(_SQLITE, name)
        # SQLite names the constraint or the trigger's reason, never a value
        return EnvironmentFault(known.at(place)) if known else _broken_rule(place, str(fault))
    state = getattr(fault, "sqlstate", None)
    if state is None and type(fault).__name__ in _NEVER_CONNECTED:
        return EnvironmentFault(_unconnected(str(fault)).at(place))
    if state is None:  # the driver itself would not send it: its words may quote the value
        return _broken_rule(place, type(fault).__name__)
    if known := _longest(_POSTGRES, state):
        return EnvironmentFault(known.at(place))
    facts = getattr(fault, "diag", None)
    named = (getattr(facts, "table_name", None), getattr(facts, "constraint_name", None))
    return _broken_rule(place, " ".join((state, *(part for part in named if part))))


def _longest(table: dict[str, RecordsCode], name: str) -> RecordsCode | None:
    fitting = [start for start in table if name.startswith(start)]
    return table[max(fitting, key=len)] if fitting else None


def _unconnected(words: str) -> RecordsCode:
    """A connection that never came about has no code, only the server's or the library's words."""
    login = ("password", "authentication", "does not exist", "pg_hba")
    return RecordsCode.SERVER_REFUSES_LOGIN if any(word in words for word in login) else RecordsCode.SERVER_UNREACHABLE


def _broken_rule(place: Place, rule: str) -> NudgeError:
    return NudgeError(RecordsCode.RULE_OF_THE_TABLES.at(place, rule=rule))
