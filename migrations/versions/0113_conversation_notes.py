"""Clinicians' notes about a conversation.

Revision ID: 0113
Revises: 0114
"""

import sqlalchemy as sa
from alembic import op

revision = "0113"
down_revision = "0114"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("member_id", sa.BigInteger(), sa.ForeignKey("operator.id"), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_conversation_note_conversation", "conversation_note", ["conversation_id", "id"])


def downgrade() -> None:
    op.drop_table("conversation_note")
