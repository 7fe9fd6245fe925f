"""The places that customers marked to find them again.

Revision ID: 0126
Revises: 0124
"""

import sqlalchemy as sa
from alembic import op

revision = "0126"
down_revision = "0124"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "favourite_site",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("customer_id", sa.BigInteger(), sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("site_id", sa.BigInteger(), sa.ForeignKey("site.id"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("customer_id", "site_id"),
    )


def downgrade() -> None:
    op.drop_table("favourite_site")
