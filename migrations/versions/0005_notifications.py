"""What customers are told.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_notification_customer_id_customer"),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name="fk_notification_booking_id_booking"),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
        sa.UniqueConstraint("public_id", name="uq_notification_public_id"),
        sa.UniqueConstraint("customer_id", "kind", "subject", name="uq_notification_customer_id_kind_subject"),
    )
    op.create_index("ix_notification_customer", "notification", ["customer_id", "id"])
    op.create_index("ix_notification_booking", "notification", ["booking_id"])


def downgrade() -> None:
    op.drop_table("notification")
