"""Who gave a conversation away, and indexes for the figures of what was promised.

Revision ID: 0117
Revises: 0116
"""

import sqlalchemy as sa
from alembic import op

from migrations.add_index import add_index

revision = "0117"
down_revision = "0116"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("ix_pledge_insurer", "pledge", ["insurer_id", "begun_at"])
    op.create_table(
        "conversation_handover",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("from_member_id", sa.BigInteger(), sa.ForeignKey("operator.id"), nullable=False),
        sa.Column("to_member_id", sa.BigInteger(), sa.ForeignKey("operator.id")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("to_member_id <> from_member_id", name="another"),
    )
    op.create_index("ix_conversation_handover_conversation", "conversation_handover", ["conversation_id"])
    op.create_index("ix_conversation_handover_at", "conversation_handover", ["at"])


def downgrade() -> None:
    op.drop_table("conversation_handover")
    op.drop_index("ix_pledge_insurer", "pledge")
