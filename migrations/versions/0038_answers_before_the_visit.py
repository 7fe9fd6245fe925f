"""A provider's time to answer ends before the visit, not with its first moment, and a change of date has one too.

Revision ID: 0038
Revises: 0035
"""

from alembic import op

from migrations import frozen
from migrations.add_index import add_index

revision = "0038"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    frozen.run(revision, "submit_booking")
    op.execute("ALTER TABLE change_request ADD COLUMN IF NOT EXISTS answer_due_at timestamptz")
    add_index("ix_change_request_answer_due", "change_request", ["answer_due_at"], where="state = 'open'")


def downgrade() -> None:
    op.drop_index("ix_change_request_answer_due", "change_request")
    op.drop_column("change_request", "answer_due_at")
    frozen.run("0022", "submit_booking")
