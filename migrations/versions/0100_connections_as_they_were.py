"""A test of a provider's system knows how it was reached when the test was asked for.

Revision ID: 0100
Revises: 0078
"""

import sqlalchemy as sa
from alembic import op

revision = "0100"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What last week's code asks for has no mark: it is tried once more before it is connected."""
    op.add_column("system_test", sa.Column("connection_mark", sa.LargeBinary()))


def downgrade() -> None:
    op.drop_column("system_test", "connection_mark")
