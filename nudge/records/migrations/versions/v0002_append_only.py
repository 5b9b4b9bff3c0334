"""Allocations and the audit chain only grow: the database itself refuses to change or remove a row of them.

A later step that rebuilds one of these tables on SQLite drops its triggers and must make them again.
"""

from __future__ import annotations

from typing import Final

from alembic import op

revision = "0002"
down_revision = "0001"

_KEYS: Final = {"allocation": ("trial", "cluster"), "audit": ("trial", "number")}


def upgrade() -> None:
    """Set the guards."""
    if op.get_bind().dialect.name == "sqlite":
        for table, key in _KEYS.items():
            _guard_sqlite(table, key)
    else:
        _guard_postgresql()


def downgrade() -> None:
    """Lift them."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table in _KEYS:
        if sqlite:
            for deed in ("update", "delete", "replace"):
                op.execute(f"DROP TRIGGER {table}_no_{deed}")
        else:
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
    if not sqlite:
        op.execute("DROP FUNCTION nudge_append_only()")


def _guard_sqlite(table: str, key: tuple[str, ...]) -> None:
    refuse = f"SELECT RAISE(ABORT, '{table} only grows')"
    for deed in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} BEGIN {refuse}; END")
    # INSERT OR REPLACE removes the old row without asking the trigger above
    same = " AND ".join(f"{name} = NEW.{name}" for name in key)
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 names of our own
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) BEGIN {refuse}; END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION nudge_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = '23000'; END $$"
    )
    for table in _KEYS:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION nudge_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION nudge_append_only()"
        )
