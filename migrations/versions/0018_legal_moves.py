"""The state table holds for whoever writes: every other move of a booking is refused, and so is any other beginning.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

from migrations import frozen

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    frozen.run(revision, "booking_moves_legally", "booking_starts_legally")


def downgrade() -> None:
    for name in ("booking_moves_legally", "booking_starts_legally"):
        op.execute(f"DROP TRIGGER {name} ON booking; DROP FUNCTION {name}")
