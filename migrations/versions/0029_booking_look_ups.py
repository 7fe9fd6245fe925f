"""When each confirmed booking was last looked up at its provider, and how often a provider may be asked.

Revision ID: 0029
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "booking_look_up",
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("calls >= 0", name="ck_booking_look_up_calls"),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name="fk_booking_look_up_booking_id_booking"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_booking_look_up_provider_id_provider"),
        sa.PrimaryKeyConstraint("booking_id", name="pk_booking_look_up"),
    )
    op.create_index("ix_booking_look_up_asked", "booking_look_up", ["provider_id", "asked_at"])
    op.add_column("provider", sa.Column("look_ups_a_minute", sa.BigInteger(), server_default="60", nullable=False))
    op.create_check_constraint(op.f("ck_provider_look_ups_a_minute"), "provider", "look_ups_a_minute >= 2")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_provider_look_ups_a_minute"), "provider")
    op.drop_column("provider", "look_ups_a_minute")
    op.drop_table("booking_look_up")
