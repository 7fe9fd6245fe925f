"""Indexes for a customer's box of reports and for the reports that are to be fetched.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_report_customer", "report", ["customer_id", "id"], postgresql_concurrently=True)
        op.create_index(
            "ix_report_due",
            "report",
            ["provider_id", "fetch_after"],
            postgresql_where=sa.text("fetch_after IS NOT NULL"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_report_due", table_name="report", postgresql_concurrently=True)
        op.drop_index("ix_report_customer", table_name="report", postgresql_concurrently=True)
