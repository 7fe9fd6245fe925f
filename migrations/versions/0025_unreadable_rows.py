"""What was delivered of rows that could not be read, sealed, and how often a row could not be applied.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivered_row",
        sa.Column("discrepancy_id", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrapped_key", postgresql.BYTEA(), nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(
            ["discrepancy_id"], ["discrepancy.id"], name="fk_delivered_row_discrepancy_id_discrepancy"
        ),
        sa.PrimaryKeyConstraint("discrepancy_id", name="pk_delivered_row"),
    )
    op.create_index("ix_delivered_row_stored_at", "delivered_row", ["stored_at"])
    op.create_table(
        "row_try",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_row_try_provider_id_provider"),
        sa.PrimaryKeyConstraint("id", name="pk_row_try"),
        sa.UniqueConstraint("provider_id", "feed", "reference", name="uq_row_try_provider_id_feed_reference"),
    )


def downgrade() -> None:
    op.drop_table("row_try")
    op.drop_table("delivered_row")
