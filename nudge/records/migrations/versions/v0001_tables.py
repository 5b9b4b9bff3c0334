"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "amendment",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("seal_number", sa.BigInteger(), nullable=False),
        sa.Column("new_epoch", sa.Boolean(), nullable=False),
        sa.Column("changes_json", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('minor', 'major')", name=op.f("ck_amendment_kind")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_amendment_number")),
        sa.PrimaryKeyConstraint("trial", "number", name=op.f("pk_amendment")),
    )
    op.create_table(
        "audit",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("facts_json", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("length(hash) = 64 AND length(previous_hash) = 64", name=op.f("ck_audit_hash")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_audit_number")),
        sa.PrimaryKeyConstraint("trial", "number", name=op.f("pk_audit")),
    )
    op.create_table(
        "batch",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("extract_name", sa.Text(), nullable=False),
        sa.Column("extract_sha256", sa.Text(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("suppression_sha256", sa.Text(), nullable=False),
        sa.Column("suppression_dated", sa.BigInteger(), nullable=False),
        sa.Column("list_hash", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("frozen_at", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("day0", sa.BigInteger(), nullable=True),
        sa.Column("flow_json", sa.Text(), nullable=False),
        sa.CheckConstraint("status <> 'posted' OR day0 IS NOT NULL", name=op.f("ck_batch_day0")),
        sa.CheckConstraint("status IN ('drawn', 'lettered', 'posted', 'abandoned')", name=op.f("ck_batch_status")),
        sa.CheckConstraint("epoch >= 1", name=op.f("ck_batch_epoch")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_batch_number")),
        sa.PrimaryKeyConstraint("trial", "number", name=op.f("pk_batch")),
    )
    op.create_table(
        "import",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("covers_from", sa.BigInteger(), nullable=False),
        sa.Column("covers_to", sa.BigInteger(), nullable=False),
        sa.Column("matched", sa.BigInteger(), nullable=False),
        sa.Column("not_in_trial", sa.BigInteger(), nullable=False),
        sa.Column("conflicts", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("covers_from <= covers_to", name=op.f("ck_import_covers")),
        sa.PrimaryKeyConstraint("trial", "sha256", name=op.f("pk_import")),
    )
    op.create_index(op.f("ix_import_trial_kind"), "import", ["trial", "kind"], unique=False)
    op.create_table(
        "seal",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.Text(), nullable=False),
        sa.Column("definition_hash", sa.Text(), nullable=False),
        sa.Column("seal_hash", sa.Text(), nullable=False),
        sa.Column("definition_text", sa.Text(), nullable=False),
        sa.Column("templates_json", sa.Text(), nullable=False),
        sa.Column("claims_json", sa.Text(), nullable=False),
        sa.Column("sources_json", sa.Text(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("beacon_name", sa.Text(), nullable=False),
        sa.Column("beacon_value", sa.Text(), nullable=True),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("keeper", sa.Text(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_seal_number")),
        sa.PrimaryKeyConstraint("trial", "number", name=op.f("pk_seal")),
    )
    op.create_table(
        "household",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.CheckConstraint("length(cluster) BETWEEN 1 AND 64", name=op.f("ck_household_cluster")),
        sa.ForeignKeyConstraint(
            ["trial", "batch"],
            ["batch.trial", "batch.number"],
            name=op.f("fk_household_batch"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("trial", "cluster", name=op.f("pk_household")),
    )
    op.create_index(op.f("ix_household_trial_batch"), "household", ["trial", "batch"], unique=False)
    op.create_table(
        "allocation",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("block_size", sa.BigInteger(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.CheckConstraint("epoch >= 1 AND block >= 1", name=op.f("ck_allocation_block")),
        sa.CheckConstraint("slot BETWEEN 1 AND block_size", name=op.f("ck_allocation_slot")),
        sa.ForeignKeyConstraint(
            ["trial", "cluster"],
            ["household.trial", "household.cluster"],
            name=op.f("fk_allocation_household"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("trial", "cluster", name=op.f("pk_allocation")),
    )
    op.create_index(op.f("ix_allocation_trial_batch"), "allocation", ["trial", "batch"], unique=False)
    op.create_table(
        "unit",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("first_batch", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("values_json", sa.Text(), nullable=False),
        sa.CheckConstraint("length(unit) BETWEEN 1 AND 64", name=op.f("ck_unit_unit")),
        sa.ForeignKeyConstraint(
            ["trial", "cluster"],
            ["household.trial", "household.cluster"],
            name=op.f("fk_unit_household"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("trial", "unit", name=op.f("pk_unit")),
    )
    op.create_index(op.f("ix_unit_trial_batch"), "unit", ["trial", "batch"], unique=False)
    op.create_index(op.f("ix_unit_trial_cluster"), "unit", ["trial", "cluster"], unique=False)
    op.create_table(
        "event",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_day", sa.BigInteger(), nullable=False),
        sa.Column("import_sha256", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("matched_by", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("values_json", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial", "unit"],
            ["unit.trial", "unit.unit"],
            name=op.f("fk_event_unit"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint(
            "trial", "import_sha256", "row", "kind", name=op.f("uq_event_trial_import_sha256_row_kind")
        ),
    )
    op.create_index(op.f("ix_event_trial_kind_unit_on_day"), "event", ["trial", "kind", "unit", "on_day"], unique=False)
    op.create_table(
        "measurement",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("on_day", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("import_sha256", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial", "unit"],
            ["unit.trial", "unit.unit"],
            name=op.f("fk_measurement_unit"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement")),
        sa.UniqueConstraint(
            "trial", "import_sha256", "row", "name", name=op.f("uq_measurement_trial_import_sha256_row_name")
        ),
    )
    op.create_index(
        op.f("ix_measurement_trial_name_unit_on_day"), "measurement", ["trial", "name", "unit", "on_day"], unique=False
    )
    op.create_table(
        "posting",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("letter_reference", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("wave", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("pages", sa.BigInteger(), nullable=False),
        sa.Column("sheets", sa.BigInteger(), nullable=False),
        sa.Column("posted_on", sa.BigInteger(), nullable=True),
        sa.Column("reprints", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status <> 'posted' OR posted_on IS NOT NULL", name=op.f("ck_posting_posted_on")),
        sa.CheckConstraint("status IN ('made', 'posted', 'withheld', 'abandoned')", name=op.f("ck_posting_status")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_posting_number")),
        sa.CheckConstraint("pages >= 0 AND sheets >= 0 AND reprints >= 0", name=op.f("ck_posting_counts")),
        sa.ForeignKeyConstraint(
            ["trial", "unit"],
            ["unit.trial", "unit.unit"],
            name=op.f("fk_posting_unit"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("trial", "letter_reference", name=op.f("pk_posting")),
    )
    op.create_index(op.f("ix_posting_trial_batch_wave"), "posting", ["trial", "batch", "wave"], unique=False)
    op.create_index(op.f("ix_posting_trial_unit"), "posting", ["trial", "unit"], unique=False)
    op.create_table(
        "recipient",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("tenancy_reference", sa.Text(), nullable=False),
        sa.Column("payment_reference", sa.Text(), nullable=True),
        sa.Column("uprn", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("forename", sa.Text(), nullable=False),
        sa.Column("surname", sa.Text(), nullable=False),
        sa.Column("telephones_json", sa.Text(), nullable=False),
        sa.Column("address_json", sa.Text(), nullable=False),
        sa.Column("post_to_json", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.CheckConstraint("number >= 1", name=op.f("ck_recipient_number")),
        sa.ForeignKeyConstraint(
            ["trial", "unit"],
            ["unit.trial", "unit.unit"],
            name=op.f("fk_recipient_unit"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("trial", "unit", "number", name=op.f("pk_recipient")),
    )
    op.create_index(
        op.f("ix_recipient_trial_payment_reference"), "recipient", ["trial", "payment_reference"], unique=False
    )
    op.create_index(
        op.f("ix_recipient_trial_tenancy_reference"), "recipient", ["trial", "tenancy_reference"], unique=False
    )
    op.create_table(
        "review",
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("import_sha256", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_day", sa.BigInteger(), nullable=False),
        sa.Column("candidates_json", sa.Text(), nullable=False),
        sa.Column("row_json", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.CheckConstraint("(status = 'accepted') = (unit IS NOT NULL)", name=op.f("ck_review_unit")),
        sa.CheckConstraint("status IN ('open', 'accepted', 'rejected', 'skipped')", name=op.f("ck_review_status")),
        sa.ForeignKeyConstraint(
            ["trial", "unit"],
            ["unit.trial", "unit.unit"],
            name=op.f("fk_review_unit"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("trial", "import_sha256", "row", name=op.f("uq_review_trial_import_sha256_row")),
    )
    op.create_index(op.f("ix_review_trial_status"), "review", ["trial", "status"], unique=False)


def downgrade() -> None:
    """Drop them with all they hold."""
    op.drop_index(op.f("ix_review_trial_status"), table_name="review")
    op.drop_table("review")
    op.drop_index(op.f("ix_recipient_trial_tenancy_reference"), table_name="recipient")
    op.drop_index(op.f("ix_recipient_trial_payment_reference"), table_name="recipient")
    op.drop_table("recipient")
    op.drop_index(op.f("ix_posting_trial_unit"), table_name="posting")
    op.drop_index(op.f("ix_posting_trial_batch_wave"), table_name="posting")
    op.drop_table("posting")
    op.drop_index(op.f("ix_measurement_trial_name_unit_on_day"), table_name="measurement")
    op.drop_table("measurement")
    op.drop_index(op.f("ix_event_trial_kind_unit_on_day"), table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_unit_trial_cluster"), table_name="unit")
    op.drop_index(op.f("ix_unit_trial_batch"), table_name="unit")
    op.drop_table("unit")
    op.drop_index(op.f("ix_allocation_trial_batch"), table_name="allocation")
    op.drop_table("allocation")
    op.drop_index(op.f("ix_household_trial_batch"), table_name="household")
    op.drop_table("household")
    op.drop_table("seal")
    op.drop_index(op.f("ix_import_trial_kind"), table_name="import")
    op.drop_table("import")
    op.drop_table("batch")
    op.drop_table("audit")
    op.drop_table("amendment")
