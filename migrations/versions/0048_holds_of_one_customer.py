"""How many places are held for a customer is counted in her own bookings, not in everybody's holds.

Revision ID: 0048
Revises: 0044
"""

from migrations import frozen

revision = "0048"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    frozen.run(revision, "hold_booking")


def downgrade() -> None:
    frozen.run("0020", "hold_booking")
