"""`waitlisted` goes from the states of a booking: the waiting list has tables of its own, and no booking was ever in it.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATES = (
    "held", "awaiting_provider", "outcome_unknown", "confirmed", "checked_in", "in_service", "fulfilled", "no_show",
    "rejected", "expired", "cancelled", "entered_in_error",
)  # fmt: skip


def upgrade() -> None:
    _allow(STATES)


def downgrade() -> None:
    _allow((STATES[0], "waitlisted", *STATES[1:]))


def _allow(states: tuple[str, ...]) -> None:
    """Replace the constraint; old rows are looked through by the next migration, while others write."""
    words = ", ".join(f"'{state}'" for state in states)
    op.execute(f"ALTER TABLE booking ADD CONSTRAINT ck_booking_state_new CHECK (state IN ({words})) NOT VALID")
    op.execute("ALTER TABLE booking DROP CONSTRAINT ck_booking_state")
    op.execute("ALTER TABLE booking RENAME CONSTRAINT ck_booking_state_new TO ck_booking_state")
