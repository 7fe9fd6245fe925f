"""An index of tests' bookings, so that figures count what is live without reading each row.

Revision ID: 0087
Revises: 0086
"""

from alembic import op

from migrations.add_index import add_index

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("ix_booking_tests", "booking", ["state", "updated_at"], where="market <> 0")


def downgrade() -> None:
    op.drop_index("ix_booking_tests", "booking")
