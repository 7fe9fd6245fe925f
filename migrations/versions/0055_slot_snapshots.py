"""Snapshots of slots that providers publish, and the slots that were named since each was opened.

Revision ID: 0055
Revises: 0061
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0055"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slot_snapshot",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("pool_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused_lines", JSONB(), server_default="[]", nullable=False),
        sa.Column("closed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open','closing','completed','expired')", name=op.f("ck_slot_snapshot_state")),
        sa.CheckConstraint("to_day >= from_day", name=op.f("ck_slot_snapshot_days")),
        sa.CheckConstraint("closed = 0 OR refused = 0", name=op.f("ck_slot_snapshot_refused")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_slot_snapshot_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_snapshot")),
        sa.UniqueConstraint("public_id", name=op.f("uq_slot_snapshot_public_id")),
    )
    op.create_index(
        "ix_slot_snapshot_unfinished",
        "slot_snapshot",
        ["provider_id"],
        postgresql_where=sa.text("state IN ('open','closing')"),
    )
    op.create_index("ix_slot_snapshot_opened_at", "slot_snapshot", ["opened_at"])
    op.create_table(
        "slot_snapshot_named",
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["slot_snapshot.id"],
            name=op.f("fk_slot_snapshot_named_snapshot_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_slot_snapshot_named_slot_id")),
        sa.PrimaryKeyConstraint("snapshot_id", "slot_id", name=op.f("pk_slot_snapshot_named")),
    )


def downgrade() -> None:
    op.drop_table("slot_snapshot_named")
    op.drop_table("slot_snapshot")
