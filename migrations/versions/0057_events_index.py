"""A provider's events are read by an index of their own. Held bookings are not in it.

Revision ID: 0057
Revises: 0056
"""

from alembic import op

from migrations.add_index import add_index

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index(
        "ix_booking_history_provider",
        "booking_history",
        ["provider_id", "xact", "id"],
        where="provider_id IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_index("ix_booking_history_provider", "booking_history")
