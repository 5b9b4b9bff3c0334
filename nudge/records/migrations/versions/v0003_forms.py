"""The form of each letter: its format and languages, so that a spoilt one is found again and forms can be counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Letters made before were in standard print and in English."""
    op.add_column("posting", sa.Column("format", sa.Text(), nullable=False, server_default="standard"))
    op.add_column("posting", sa.Column("languages", sa.Text(), nullable=False, server_default="en"))


def downgrade() -> None:
    """Forget the forms."""
    op.drop_column("posting", "languages")
    op.drop_column("posting", "format")
