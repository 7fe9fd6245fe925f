"""A notice knows the kind of benefit, whose words it is told in. Functions keep their arguments where code calls them.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

from migrations import frozen

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    frozen.run(revision, "notice_facts", "hold_booking", "submit_booking")
    op.execute("DROP FUNCTION notice_facts(jsonb, date, timestamptz, text, text)")  # the two above alone call it


def downgrade() -> None:
    frozen.run("0017", "notice_facts", "hold_booking", "submit_booking")
    op.execute("DROP FUNCTION notice_facts(text, jsonb, date, timestamptz, text, text)")
