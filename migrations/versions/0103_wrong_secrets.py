"""How many wrong secrets were typed for a test of a provider's system.

Revision ID: 0103
Revises: 0087
"""

import sqlalchemy as sa
from alembic import op

revision = "0103"
down_revision = "0087"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("system_test", sa.Column("wrong_secrets", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("system_test", "wrong_secrets")
