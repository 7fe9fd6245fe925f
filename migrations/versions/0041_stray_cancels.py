"""Cancels, at an operator's word, of bookings at a provider that belong to nobody of ours.

Revision ID: 0041
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stray_cancel",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("discrepancy_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("our_reference", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("tries >= 0", name="ck_stray_cancel_tries"),
        sa.ForeignKeyConstraint(
            ["discrepancy_id"], ["discrepancy.id"], name="fk_stray_cancel_discrepancy_id_discrepancy"
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_stray_cancel_provider_id_provider"),
        sa.PrimaryKeyConstraint("id", name="pk_stray_cancel"),
        sa.UniqueConstraint("key", name="uq_stray_cancel_key"),
    )
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "uq_stray_cancel_open", "stray_cancel", ["discrepancy_id"], unique=True, postgresql_where=unfinished
    )
    op.create_index("ix_stray_cancel_due", "stray_cancel", ["provider_id", "run_after"], postgresql_where=unfinished)


def downgrade() -> None:
    op.drop_table("stray_cancel")
