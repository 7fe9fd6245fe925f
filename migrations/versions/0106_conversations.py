"""Conversations of consultations, and their messages.

Revision ID: 0106
Revises: 0103
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0106"
down_revision = "0103"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("booking_id", sa.BigInteger(), sa.ForeignKey("booking.id"), nullable=False, unique=True),
        sa.Column("provider_id", sa.BigInteger(), sa.ForeignKey("provider.id"), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("clinician_id", sa.BigInteger(), sa.ForeignKey("operator.id")),
        sa.Column("flagged_at", sa.DateTime(timezone=True)),
        sa.Column("first_message_at", sa.DateTime(timezone=True)),
        sa.Column("first_answer_at", sa.DateTime(timezone=True)),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("last_seq >= 0", name="last_seq"),
        sa.CheckConstraint("language IN ('zh','en')", name="language"),
        sa.CheckConstraint("first_answer_at IS NULL OR clinician_id IS NOT NULL", name="answered_by_somebody"),
    )
    waiting = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_conversation_waiting",
        "conversation",
        ["provider_id", "department", "first_message_at"],
        postgresql_where=waiting,
    )
    op.create_index("ix_conversation_clinician", "conversation", ["clinician_id"], postgresql_where=waiting)
    op.create_table(
        "conversation_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("client_message_id", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), sa.ForeignKey("operator.id")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body_sealed", BYTEA()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("conversation_id", "seq"),
        sa.UniqueConstraint("conversation_id", "client_message_id"),
        sa.CheckConstraint("author IN ('customer','clinician','automatic')", name="author"),
        sa.CheckConstraint("(author = 'clinician') = (member_id IS NOT NULL)", name="clinician_is_named"),
        sa.CheckConstraint("seq > 0", name="seq"),
    )


def downgrade() -> None:
    op.drop_table("conversation_message")
    op.drop_table("conversation")
