"""When a provider was connected to another system: where its feeds were read to is of the one before.

Revision ID: 0101
Revises: 0100
"""

import sqlalchemy as sa
from alembic import op

revision = "0101"
down_revision = "0100"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("provider", sa.Column("system_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("provider", "system_since")
