"""Workers are sent a message when they are asked, and when they are not needed any more; a question that nobody answered
is `expired`, as everything else that is over by the clock. Of a service that had begun when she was asked, what was left of
it then is kept.

Code of the release before writes `lapsed` still, which is allowed until the release after this one.

Revision ID: 0133
Revises: 0132
"""

import sqlalchemy as sa
from alembic import op

from migrations import frozen

revision = "0133"
down_revision = "0132"
branch_labels = None
depends_on = None

_STATES_BEFORE = "state IN ('asked','accepted','declined','lapsed','replaced','withdrawn','done')"
_STATES = "state IN ('asked','accepted','declined','expired','lapsed','replaced','withdrawn','done')"
_PADDED_BEFORE = "NOT isempty(period) AND padded @> period AND upper(padded) = upper(period)"
_PADDED = "NOT isempty(period) AND upper(padded) = upper(period) AND (padded @> period OR lower(padded) = asked_at)"


def upgrade() -> None:
    op.create_table(
        "escort_letter",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("assignment_id", sa.BigInteger(), sa.ForeignKey("escort_assignment.id"), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("failures", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("given_up_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("assignment_id", "what"),
        sa.CheckConstraint("what IN ('asked','not_needed')", name="what"),
        sa.CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name="one_end"),
    )
    op.create_index(
        "ix_escort_letter_due",
        "escort_letter",
        ["run_after"],
        postgresql_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
    )
    frozen.run(revision, "escort_worker_notified")
    _check("padded", _PADDED)
    _check("state", _STATES)
    _rename("lapsed", "expired")


def downgrade() -> None:
    """Who was asked for what had begun is taken off it: her time as it was kept then may overlap with another."""
    op.execute(
        "UPDATE escort_assignment SET state = 'withdrawn', cause = 'desk', ended_at = greatest(now(), asked_at)"
        " WHERE live AND NOT padded @> period"
    )
    op.execute("ALTER TABLE escort_assignment DISABLE TRIGGER escort_assignment_ends")
    op.execute("UPDATE escort_assignment SET padded = range_merge(padded, period) WHERE NOT padded @> period")
    op.execute("ALTER TABLE escort_assignment ENABLE TRIGGER escort_assignment_ends")
    _rename("expired", "lapsed")
    _check("state", _STATES_BEFORE)
    _check("padded", _PADDED_BEFORE)
    op.execute("DROP TRIGGER escort_worker_asked ON escort_assignment")
    op.execute("DROP TRIGGER escort_worker_not_needed ON escort_assignment")
    op.execute("DROP FUNCTION escort_worker_notified()")
    op.drop_table("escort_letter")


def _check(name: str, check: str) -> None:
    """Dropped and added without a look at the rows, then validated."""
    op.execute(f"ALTER TABLE escort_assignment DROP CONSTRAINT ck_escort_assignment_{name}")
    op.execute(f"ALTER TABLE escort_assignment ADD CONSTRAINT ck_escort_assignment_{name} CHECK ({check}) NOT VALID")
    op.execute(f"ALTER TABLE escort_assignment VALIDATE CONSTRAINT ck_escort_assignment_{name}")


def _rename(before: str, now: str) -> None:
    """What has ended stands, by the trigger: another word for it changes nothing of it."""
    op.execute("ALTER TABLE escort_assignment DISABLE TRIGGER escort_assignment_ends")
    op.execute(f"UPDATE escort_assignment SET state = '{now}' WHERE state = '{before}'")
    op.execute("ALTER TABLE escort_assignment ENABLE TRIGGER escort_assignment_ends")
