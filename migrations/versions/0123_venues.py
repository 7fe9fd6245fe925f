"""A booking's venue, where the customer chose one; the agreement that goes with a booking for which somebody is sent; and
the pledge that a request is answered.

Revision ID: 0123
Revises: 0127
"""

from alembic import op

from migrations import frozen, steps
from migrations.add_index import add_index

revision = "0123"
down_revision = "0127"
branch_labels = None
depends_on = None

_HOLD = (
    "hold_booking(timestamptz, bigint, bigint, bigint, bigint[], bigint, bigint, text, bigint, timestamptz, text, text,"
    " date, timestamptz, text, tstzrange, timestamptz, bigint, text, jsonb, bytea, text, text, text, text, bytea,"
    " bigint{more})"
)
_CHECKS = {
    "purpose": ("purpose IN ('reports','dispatch')", "purpose IN ('reports')"),
    "method": ("method IN ('phone_code','demonstration','booking')", "method IN ('phone_code','demonstration')"),
}


def upgrade() -> None:
    steps.run("ALTER TABLE booking ADD COLUMN IF NOT EXISTS venue_id bigint")
    steps.add_constraint("booking", "fk_booking_venue_id", "FOREIGN KEY (venue_id) REFERENCES site (id) NOT VALID")
    steps.validate("booking", "fk_booking_venue_id")
    add_index("ix_booking_venue", "booking", ["venue_id", "service_date"], where="venue_id IS NOT NULL")
    for name, (allowed, _before) in _CHECKS.items():
        _recheck(name, allowed)
    # Last week's code goes on calling it without the last three: they have defaults.
    op.execute(f"DROP FUNCTION {_HOLD.format(more='')}")
    frozen.run(revision, "hold_booking", "submit_booking", "confirm_plainly")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {_HOLD.format(more=', bigint, text, text')}")
    frozen.run("0048", "hold_booking")
    frozen.run("0066", "submit_booking", "confirm_plainly")
    op.execute("DELETE FROM consent WHERE purpose = 'dispatch' OR method = 'booking'")
    for name, (_allowed, before) in _CHECKS.items():
        _recheck(name, before)
    op.drop_index("ix_booking_venue", table_name="booking")
    op.drop_constraint("fk_booking_venue_id", "booking", type_="foreignkey")
    op.drop_column("booking", "venue_id")


def _recheck(name: str, allowed: str) -> None:
    for known in (f"ck_consent_{name}", f"ck_consent_ck_consent_{name}"):  # as the first migration made it, and as now
        op.execute(f"ALTER TABLE consent DROP CONSTRAINT IF EXISTS {known}")
    op.execute(f"ALTER TABLE consent ADD CONSTRAINT ck_consent_{name} CHECK ({allowed}) NOT VALID")
    op.execute(f"ALTER TABLE consent VALIDATE CONSTRAINT ck_consent_{name}")
