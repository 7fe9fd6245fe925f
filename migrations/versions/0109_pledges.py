"""What is promised by the second, and what a broken promise gave.

Revision ID: 0109
Revises: 0108
"""

import sqlalchemy as sa
from alembic import op

from migrations import frozen

revision = "0109"
down_revision = "0108"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('pending','at_risk')")


def upgrade() -> None:
    op.create_table(
        "pledge",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("promise", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("insurer_id", sa.BigInteger(), sa.ForeignKey("insurer.id"), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), sa.ForeignKey("provider.id"), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), sa.ForeignKey("booking.id")),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="pending"),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("risk_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at_risk_at", sa.DateTime(timezone=True)),
        sa.Column("met_at", sa.DateTime(timezone=True)),
        sa.Column("breached_at", sa.DateTime(timezone=True)),
        sa.Column("cancelled_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("subject_kind", "subject", "promise"),
        sa.CheckConstraint("state IN ('pending','at_risk','breached','met','cancelled')", name="state"),
        sa.CheckConstraint(
            "(state = 'met') = (met_at IS NOT NULL) AND (state = 'breached') = (breached_at IS NOT NULL)"
            " AND (state = 'cancelled') = (cancelled_at IS NOT NULL)",
            name="end",
        ),
        sa.CheckConstraint(
            "(state <> 'pending' OR at_risk_at IS NULL) AND (state <> 'at_risk' OR at_risk_at IS NOT NULL)", name="risk"
        ),
        sa.CheckConstraint(
            "seconds > 0 AND extract(epoch FROM due_at - begun_at) = seconds"
            " AND risk_due_at > begun_at AND risk_due_at < due_at",
            name="times",
        ),
        sa.CheckConstraint(
            "met_at < due_at AND cancelled_at < due_at AND breached_at >= due_at", name="decided_by_moment"
        ),
        sa.CheckConstraint("units >= 0", name="units"),
    )
    op.create_index("ix_pledge_booking", "pledge", ["booking_id"])
    op.create_index("ix_pledge_due", "pledge", ["due_at"], postgresql_where=OPEN)
    op.create_index("ix_pledge_risk_due", "pledge", ["risk_due_at"], postgresql_where=sa.text("state = 'pending'"))
    op.create_index("ix_pledge_provider", "pledge", ["provider_id", "begun_at"])
    op.create_index("ix_pledge_customer", "pledge", ["customer_id"])
    op.create_table(
        "pledge_compensation",
        sa.Column("pledge_id", sa.BigInteger(), sa.ForeignKey("pledge.id"), primary_key=True),
        sa.Column("entitlement_id", sa.BigInteger(), sa.ForeignKey("entitlement.id"), unique=True),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(units = 0) = (entitlement_id IS NULL)", name="granted"),
        sa.CheckConstraint("units >= 0", name="units"),
    )
    frozen.run("0109", "pledge_ends")


def downgrade() -> None:
    op.drop_table("pledge_compensation")
    op.drop_table("pledge")
    op.execute("DROP FUNCTION pledge_ends()")
