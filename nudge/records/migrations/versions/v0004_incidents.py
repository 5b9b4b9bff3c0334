"""The digest of an incident's id beside its measurement, so that one in two files is known again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Of incidents recorded before, added up by day, the ids are gone."""
    op.add_column("measurement", sa.Column("incident", sa.Text(), nullable=True))


def downgrade() -> None:
    """Forget the ids."""
    op.drop_column("measurement", "incident")
