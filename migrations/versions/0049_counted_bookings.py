"""Bookings that have begun or are over are counted by an index: figures do not read the whole table.

Not written when a booking is held or confirmed.

Revision ID: 0049
Revises: 0048
"""

from alembic import op

from migrations.add_index import add_index

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index(
        "ix_booking_begun_or_over",
        "booking",
        ["state", "updated_at"],
        where="state NOT IN ('held','awaiting_provider','outcome_unknown','confirmed')",
    )


def downgrade() -> None:
    op.drop_index("ix_booking_begun_or_over", "booking")
