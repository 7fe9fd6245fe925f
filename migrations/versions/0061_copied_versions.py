"""A copy of a customer's data knows which versions of reports are in it: giving it out is a look at each.

Copies that were made before know none; they are over within a week.

Revision ID: 0061
Revises: 0054
"""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A constant default: no row is rewritten."""
    op.add_column(
        "personal_export", sa.Column("versions", sa.ARRAY(sa.BigInteger()), server_default="{}", nullable=False)
    )


def downgrade() -> None:
    """Copies forget what is in them."""
    op.drop_column("personal_export", "versions")
