"""A place has a name that its people give it, beside the reference that programs know it by.

Revision ID: 0082
Revises: 0081
"""

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Last week's code leaves the column blank: it shows the reference."""
    op.add_column("capacity_pool", sa.Column("name", sa.Text()))


def downgrade() -> None:
    op.drop_column("capacity_pool", "name")
