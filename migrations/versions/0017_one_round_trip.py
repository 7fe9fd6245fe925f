"""Submitting a held booking in one round trip, as holding it; what the hold's two triggers did is part of its function,
and the bound on places held at a time is an argument.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

from migrations import frozen

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP TRIGGER booking_hold_is_told ON booking; DROP FUNCTION booking_hold_is_told")
    op.execute("DROP TRIGGER booking_few_held ON booking; DROP FUNCTION booking_few_held")
    op.execute("DROP FUNCTION hold_booking")  # a further argument would make a second function beside it
    frozen.run(revision, "notice_facts", "hold_booking", "submit_booking")


def downgrade() -> None:
    op.execute("DROP FUNCTION submit_booking; DROP FUNCTION hold_booking; DROP FUNCTION notice_facts")
    frozen.run(revision, "before/hold_booking", "before/booking_hold_is_told", "before/booking_few_held")
