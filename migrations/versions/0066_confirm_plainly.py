"""A provider's plain confirmation is recorded and applied in one round trip. Of submit_booking the comment alone differs.

Revision ID: 0066
Revises: 0070
"""

from alembic import op

from migrations import frozen

revision = "0066"
down_revision = "0070"
branch_labels = None
depends_on = None

CONFIRM = (
    "confirm_plainly(timestamptz, bigint, text, text, text, text, bigint, date, timestamptz, text, text[], text[])"
)


def upgrade() -> None:
    """Last week's code calls the function nowhere."""
    frozen.run(revision, "submit_booking", "confirm_plainly")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {CONFIRM}")
    frozen.run("0038", "submit_booking")
