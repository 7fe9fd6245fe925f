"""What has no time and waits for its first answer is found by when that is due.

Revision ID: 0107
Revises: 0106
"""

from alembic import op

from migrations.add_index import add_index

revision = "0107"
down_revision = "0106"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index(
        "ix_booking_first_answer_due",
        "booking",
        ["answer_due_at"],
        where="state = 'confirmed' AND answer_due_at IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_index("ix_booking_first_answer_due", "booking")
