"""Check the rows of before against what 0115 says of conversations and messages.

Revision ID: 0116
Revises: 0115
"""

from migrations import steps

revision = "0116"
down_revision = "0115"
branch_labels = None
depends_on = None


def upgrade() -> None:
    steps.validate("conversation", "ck_conversation_outside_has_no_member")
    steps.validate("conversation", "ck_conversation_their_seq")
    steps.validate("conversation_message", "ck_conversation_message_clinician_is_named")


def downgrade() -> None:
    """A constraint that was checked may stay so."""
