"""The version of an offer: it grows with every change, and is what two people who change it at once are told apart by.

Revision ID: 0058
Revises: 0060
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("offer", sa.Column("version", sa.BigInteger(), server_default="1", nullable=False))


def downgrade() -> None:
    op.drop_column("offer", "version")
