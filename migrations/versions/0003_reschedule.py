"""Rules of changing an offer's bookings, and the time a booking asks for while a change is open.

A booking occupies its person at its own time and, while a change is open, at the new one too: `occupied` is both, and
the exclusion constraint looks at that.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OCCUPIED = (
    "CASE WHEN pending_period IS NULL THEN tstzmultirange(period) ELSE tstzmultirange(period, pending_period) END"
)


def upgrade() -> None:
    op.add_column("offer", sa.Column("change_hours", sa.BigInteger(), server_default="24", nullable=False))
    op.add_column("offer", sa.Column("max_changes", sa.BigInteger(), server_default="3", nullable=False))
    op.add_column("booking", sa.Column("pending_period", postgresql.TSTZRANGE(), nullable=True))
    op.add_column(
        "booking",
        sa.Column("occupied", postgresql.TSTZMULTIRANGE(), sa.Computed(OCCUPIED, persisted=True), nullable=False),
    )
    op.drop_constraint("ex_booking_one_place_at_a_time", "booking", type_="unique")
    op.execute(
        "ALTER TABLE booking ADD CONSTRAINT ex_booking_one_place_at_a_time EXCLUDE USING gist "
        "(int8range(beneficiary_id, beneficiary_id, '[]') WITH &&, occupied WITH &&) WHERE (live)"
    )


def downgrade() -> None:
    op.drop_constraint("ex_booking_one_place_at_a_time", "booking", type_="unique")
    op.drop_column("booking", "occupied")
    op.drop_column("booking", "pending_period")
    op.drop_column("offer", "max_changes")
    op.drop_column("offer", "change_hours")
    op.execute(
        "ALTER TABLE booking ADD CONSTRAINT ex_booking_one_place_at_a_time EXCLUDE USING gist "
        "(int8range(beneficiary_id, beneficiary_id, '[]') WITH &&, period WITH &&) WHERE (live)"
    )
