"""Lines of an import that bear upon each other are tried and done in one go.

Code of the release before leaves the column empty: such lines stand alone, as they did.

Revision ID: 0134
Revises: 0133
"""

import sqlalchemy as sa
from alembic import op

revision = "0134"
down_revision = "0133"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bulk_line", sa.Column("together", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("bulk_line", "together")
