"""Rules of changing an offer's bookings, and the time a booking asks for while a change is open.

A booking occupies its person at its own time and, while a change is open, at the new one too: `occupied` is both, and
the exclusion constraint looks at that.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OCCUPIED = (
    "CASE WHEN pending_period IS NULL THEN tstzmultirange(period) ELSE tstzmultirange(period, pending_period) END"
)

NEW_TIME = (
    ("new_service_date", sa.Date()),
    ("new_starts_at", sa.DateTime(timezone=True)),
    ("new_ends_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.add_column("offer", sa.Column("change_hours", sa.BigInteger(), server_default="24", nullable=False))
    op.add_column("offer", sa.Column("max_changes", sa.BigInteger(), server_default="3", nullable=False))
    for name, kind in NEW_TIME:
        op.add_column("change_request", sa.Column(name, kind, nullable=True))
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
    for name, _ in reversed(NEW_TIME):
        op.drop_column("change_request", name)
    op.drop_column("offer", "max_changes")
    op.drop_column("offer", "change_hours")
    op.execute(
        "ALTER TABLE booking ADD CONSTRAINT ex_booking_one_place_at_a_time EXCLUDE USING gist "
        "(int8range(beneficiary_id, beneficiary_id, '[]') WITH &&, period WITH &&) WHERE (live)"
    )
