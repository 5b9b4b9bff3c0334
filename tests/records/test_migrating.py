"""Tables move forward whole, with their rows; an older file is copied first; a newer one is left alone."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from nudge.base.errors import NudgeError, Refused
from nudge.records.codes import RecordsCode
from nudge.records.migrating import step
from nudge.records.opening import VERSION, VERSION_TABLE, stored_version
from nudge.records.store import append, open_store, rows_of, table_of
from nudge.records.tables import METADATA, AllocationRow, BatchRow, EventRow, RecipientRow, UnitRow
from tests.records.rows import TRIAL, batch, enrol, event, recipient

KINDS = (BatchRow, UnitRow, AllocationRow, RecipientRow, EventRow)


def _fill(connection: Connection) -> None:
    append(connection, [batch()])
    enrol(connection, [("u1", "current"), ("u2", "personal-norm")])
    append(connection, [recipient("u1", surname="Ó Dubhthaigh"), event("u1", 740_000)])


def _everything(connection: Connection) -> list[dict[str, object]]:
    return [row.model_dump() for kind in KINDS for row in rows_of(connection, kind, trial=TRIAL)]


def test_the_version_that_the_code_expects_is_the_newest_step() -> None:
    config = Config()
    config.set_main_option("script_location", "nudge.records:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [VERSION]


def test_the_steps_end_at_the_tables_that_the_code_declares(address: str) -> None:
    store = open_store(address)
    with store.snapshot() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": lambda name, *_: name != VERSION_TABLE}
        )
        assert compare_metadata(context, METADATA) == []
    store.close()


def test_the_check_constraints_are_in_the_database_too(address: str) -> None:
    """Alembic does not compare them."""
    store = open_store(address)
    with pytest.raises(NudgeError, match="ck_batch_status"), store.transaction() as connection:
        append(connection, [batch(status="lost")])
    for table in METADATA.tables.values():
        wanted = {str(check.name) for check in table.constraints if str(check.name).startswith("ck_")}
        with store.snapshot() as connection:
            found = {str(check["name"]) for check in _checks(connection, table.name)}
        assert wanted == found
    store.close()


def _checks(connection: Connection, table: str) -> list[dict[str, object]]:
    from sqlalchemy import inspect

    return [dict(check) for check in inspect(connection).get_check_constraints(table)]


def test_r13_rows_go_back_and_forward_through_every_version_unchanged(address: str) -> None:
    store = open_store(address)
    with store.transaction() as connection:
        _fill(connection)
        before = _everything(connection)
    for version in ("0001", VERSION):
        with store.transaction() as connection:
            step(connection, version)
            assert stored_version(connection) == version
            assert _everything(connection) == before
    with pytest.raises(NudgeError), store.transaction() as connection:  # the guards are back
        connection.execute(text("DELETE FROM allocation"))
    with store.transaction() as connection:
        step(connection, "base")
        assert stored_version(connection) is None
    store.close()


def test_an_older_file_is_copied_before_it_is_brought_forward(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/nudge.db"
    store = open_store(url)
    with store.transaction() as connection:
        _fill(connection)
        step(connection, "0001")
        before = _everything(connection)
    store.close()

    store = open_store(url)
    with store.snapshot() as connection:
        assert stored_version(connection) == VERSION
        assert _everything(connection) == before
    store.close()

    [copy] = store.backups
    assert copy == tmp_path / f"nudge.db.before-{VERSION}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    opened = open_store(f"sqlite:///{copy}")  # it is a database like any other
    with opened.snapshot() as connection:
        assert _everything(connection) == before
    opened.close()


def test_i11_a_step_that_fails_leaves_the_version_before_it(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(address)
    with store.transaction() as connection:
        _fill(connection)
        step(connection, "0001")
        before = _everything(connection)
        if connection.dialect.name == "sqlite":  # in the way of the guards
            connection.execute(text("CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit BEGIN SELECT 1; END"))
        else:
            connection.execute(text("CREATE FUNCTION nudge_append_only() RETURNS int LANGUAGE sql AS 'SELECT 1'"))
    store.close()
    with pytest.raises(NudgeError):
        open_store(address)
    with store.snapshot() as connection:
        assert stored_version(connection) == "0001"
        assert _everything(connection) == before
    store.close()


def test_a_newer_database_is_refused_and_untouched(address: str) -> None:
    store = open_store(address)
    with store.transaction() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    store.close()
    with pytest.raises(Refused) as refusal:
        open_store(address)
    assert [problem.code for problem in refusal.value.problems] == [RecordsCode.DATABASE_OLDER_TOOL.slug]
    assert "9999" in str(refusal.value)


def test_two_that_open_a_new_database_at_once_both_find_it_made(address: str) -> None:
    program = "import sys; from nudge.records.store import open_store; open_store(sys.argv[1]).close()"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, address], cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert [(process.returncode, errors) for process, errors in zip(both, told, strict=True)] == [(0, "")] * 2
    assert table_of(BatchRow).name == "batch"


def test_a_database_of_this_version_is_opened_without_alembic(tmp_path: Path) -> None:
    """R15: its import takes most of a second."""
    url = f"sqlite:///{tmp_path}/nudge.db"
    open_store(url).close()
    program = (
        "import sys; from nudge.records.store import open_store; open_store(sys.argv[1]).close(); "
        "sys.exit('alembic' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program, url], cwd=Path(__file__).parents[2], check=False)
    assert found.returncode == 0
