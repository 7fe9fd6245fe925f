"""How far a conversation is read, its pictures, and what customers say of a service.

Revision ID: 0108
Revises: 0107
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0108"
down_revision = "0107"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation_read",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("member_id", sa.BigInteger(), sa.ForeignKey("operator.id")),
        sa.Column("seq", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.Column("typing_at", sa.DateTime(timezone=True)),
        sa.Column("looked_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("conversation_id", "member_id", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint("seq >= 0", name="seq"),
    )
    op.create_table(
        "conversation_picture",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("message_id", sa.BigInteger(), sa.ForeignKey("conversation_message.id"), nullable=False, unique=True),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sealed", BYTEA(), nullable=False),
        sa.Column("thumbnail_sealed", BYTEA(), nullable=False),
        sa.CheckConstraint("width > 0 AND height > 0 AND size >= 0", name="figures"),
    )
    op.create_table(
        "rating",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("booking_id", sa.BigInteger(), sa.ForeignKey("booking.id"), nullable=False, unique=True),
        sa.Column("stars", sa.BigInteger(), nullable=False),
        sa.Column("words_sealed", BYTEA()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
    )


def downgrade() -> None:
    op.drop_table("rating")
    op.drop_table("conversation_picture")
    op.drop_table("conversation_read")
