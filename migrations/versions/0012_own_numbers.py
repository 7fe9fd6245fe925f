"""What we call a provider's booking there, where that is not the booking's public id: a change at a provider without a
call for it is a second booking under a number of its own.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("provider_booking", sa.Column("our_reference", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("provider_booking", "our_reference")
