"""Links by which the family follows an escort.

Revision ID: 0130
Revises: 0129
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0130"
down_revision = "0129"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "escort_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("booking_id", sa.BigInteger(), sa.ForeignKey("booking.id"), nullable=False),
        sa.Column("token_hash", BYTEA(), nullable=False, unique=True),
        sa.Column("name_sealed", BYTEA()),
        sa.Column("with_notes", sa.Boolean(), nullable=False),
        sa.Column("days_after", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("days_after IN (0, 1)", name="days_after"),
    )
    op.create_index("ix_escort_link_booking", "escort_link", ["booking_id"])


def downgrade() -> None:
    op.drop_table("escort_link")
