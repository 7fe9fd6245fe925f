"""Customers' sessions that are open at the upgrade count as used at it: nobody is signed out by it.

Sessions older than 0031 do not know when they were last used, and would be judged by when they were opened.

Revision ID: 0053
Revises: 0052
"""

from alembic import op
from sqlalchemy import text

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

BATCH = 5_000
"""How many rows' ids one statement looks at: it commits after each, so that nobody's use of a session waits for long."""

_USED = text(
    "UPDATE sign_in_session SET seen_at = now() WHERE id > :after AND id <= :last AND seen_at IS NULL "
    "AND customer_id IS NOT NULL AND ended_at IS NULL AND expires_at > now()"
)


def upgrade() -> None:
    """May be broken off and run again: what has its moment is left alone."""
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        newest = connection.execute(text("SELECT coalesce(max(id), 0) FROM sign_in_session")).scalar_one()
        for after in range(0, newest, BATCH):
            connection.execute(_USED, {"after": after, "last": after + BATCH})


def downgrade() -> None:
    """The moments stay: the version before writes them too."""
