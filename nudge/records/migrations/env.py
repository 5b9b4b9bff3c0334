"""How alembic runs our steps: on the connection, and in the transaction, that the caller holds."""

from __future__ import annotations

from alembic import context

from nudge.records.opening import VERSION_TABLE
from nudge.records.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,  # a name of our own: a shared server may hold another program's
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
