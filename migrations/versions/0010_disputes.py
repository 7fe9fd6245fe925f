"""Disputes of a no-show, and how long a provider's word is waited for before the clock calls one.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.add_index import add_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("ix_booking_confirmed", "booking", ["service_date"], where="state = 'confirmed'")
    op.create_table(
        "dispute",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("words_sealed", postgresql.BYTEA(), nullable=False),
        sa.Column("answer_sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('open','accepted','rejected')", name="ck_dispute_state"),
        sa.CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="ck_dispute_closed"),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name="fk_dispute_booking_id_booking"),
        sa.PrimaryKeyConstraint("id", name="pk_dispute"),
        sa.UniqueConstraint("public_id", name="uq_dispute_public_id"),
        sa.UniqueConstraint("booking_id", name="uq_dispute_booking_id"),
    )
    op.create_index("ix_dispute_open", "dispute", ["id"], postgresql_where=sa.text("state = 'open'"))
    op.add_column("provider", sa.Column("no_show_hours", sa.BigInteger(), server_default="24", nullable=False))
    op.execute("ALTER TABLE provider ADD CONSTRAINT ck_provider_no_show_hours CHECK (no_show_hours >= 0) NOT VALID")
    op.execute("ALTER TABLE provider VALIDATE CONSTRAINT ck_provider_no_show_hours")


def downgrade() -> None:
    op.drop_column("provider", "no_show_hours")
    op.drop_table("dispute")
    with op.get_context().autocommit_block():
        op.drop_index("ix_booking_confirmed", table_name="booking", postgresql_concurrently=True)
