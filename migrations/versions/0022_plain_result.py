"""What submit_booking gives back is called a result, and it is told only what differs between calls. The function with
the arguments of the code now running stays beside it.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

from migrations import frozen

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    frozen.run(revision, "submit_booking")


def downgrade() -> None:
    frozen.run("0020", "submit_booking")
    op.execute("DROP FUNCTION submit_booking(timestamptz, bigint, text, text, text, text, text, text[], text[])")
