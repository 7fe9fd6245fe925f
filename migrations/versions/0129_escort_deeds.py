"""What workers do on the way, by their phones' clocks and numbers, and the pictures with it.

Revision ID: 0129
Revises: 0128
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, UUID

revision = "0129"
down_revision = "0128"
branch_labels = None
depends_on = None

KINDS = (
    "kind IN ('on_the_way','arrived','met','registered','consulted','examined','medicines_fetched','back_home',"
    "'note','paper','cost','handed_over','signed')"
)


def upgrade() -> None:
    op.create_table(
        "escort_deed",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("assignment_id", sa.BigInteger(), sa.ForeignKey("escort_assignment.id"), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), sa.ForeignKey("booking.id"), nullable=False),
        sa.Column("key", UUID(), nullable=False, unique=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("doubt", sa.Text()),
        sa.Column("position", sa.Text()),
        sa.Column("accuracy_m", sa.BigInteger()),
        sa.Column("by_code", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("sealed", BYTEA()),
        sa.CheckConstraint("number > 0", name="number"),
        sa.CheckConstraint(KINDS, name="kind"),
        sa.CheckConstraint("doubt IN ('ahead','before','after')", name="doubt"),
        sa.CheckConstraint("position IN ('within','away','not_checkable')", name="position"),
        sa.CheckConstraint(
            "kind IN ('arrived','met') OR position IS NULL AND accuracy_m IS NULL AND NOT by_code", name="presence"
        ),
        sa.CheckConstraint(
            "position IS NOT DISTINCT FROM 'not_checkable' OR (position IS NULL) = (accuracy_m IS NULL)",
            name="position_has_accuracy",
        ),
        sa.CheckConstraint("accuracy_m >= 0", name="accuracy_m"),
    )
    op.create_index("ix_escort_deed_assignment", "escort_deed", ["assignment_id", "number"])
    op.create_index("ix_escort_deed_booking", "escort_deed", ["booking_id"])
    op.create_table(
        "escort_picture",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("deed_id", sa.BigInteger(), sa.ForeignKey("escort_deed.id"), nullable=False, unique=True),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sealed", BYTEA(), nullable=False),
        sa.Column("thumbnail_sealed", BYTEA(), nullable=False),
        sa.CheckConstraint("width > 0 AND height > 0 AND size >= 0", name="figures"),
    )


def downgrade() -> None:
    op.drop_table("escort_picture")
    op.drop_table("escort_deed")
