"""What changes of a conversation is told to streams by a trigger.

Revision ID: 0114
Revises: 0111
"""

from alembic import op

from migrations import frozen

revision = "0114"
down_revision = "0111"
branch_labels = None
depends_on = None


def upgrade() -> None:
    frozen.run("0114", "conversation_is_told")


def downgrade() -> None:
    op.execute("DROP TRIGGER conversation_is_told ON conversation")
    op.execute("DROP FUNCTION conversation_is_told()")
