"""Events for streams, the tickets that open one, and the trigger by which a booking's versions are told.

Revision ID: 0111
Revises: 0110
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from migrations import frozen

revision = "0111"
down_revision = "0110"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "live_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column(
            "xact", sa.BigInteger(), nullable=False, server_default=sa.text("((pg_current_xact_id())::text)::bigint")
        ),
        sa.Column("topics", ARRAY(sa.Text()), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_live_event_xact", "live_event", ["xact"])
    op.create_table(
        "live_ticket",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("token_hash", BYTEA(), nullable=False, unique=True),
        sa.Column(
            "session_id", sa.BigInteger(), sa.ForeignKey("sign_in_session.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("topics", ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    frozen.run("0111", "booking_is_told")


def downgrade() -> None:
    op.execute("DROP TRIGGER booking_is_told ON booking")
    op.execute("DROP FUNCTION booking_is_told()")
    op.drop_table("live_ticket")
    op.drop_table("live_event")
