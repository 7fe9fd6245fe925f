"""How a provider is tried ends no certificate; what runs left is taken back while none begins.

Revision ID: 0076
Revises: 0066
"""

import sqlalchemy as sa
from alembic import op

from migrations import frozen

revision = "0076"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Last week's code leaves the column blank."""
    frozen.run(revision, "provider_settings_end_certificates")
    op.add_column("conformance_made", sa.Column("taken_back_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("conformance_made", "taken_back_until")
    frozen.run("0068", "provider_settings_end_certificates")
