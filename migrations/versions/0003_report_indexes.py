"""Indexes for a customer's box of reports and for the reports that are to be fetched.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

from migrations.add_index import add_index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("ix_report_customer", "report", ["customer_id", "id"])
    add_index("ix_report_due", "report", ["provider_id", "fetch_after"], where="fetch_after IS NOT NULL")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_report_due", table_name="report", postgresql_concurrently=True)
        op.drop_index("ix_report_customer", table_name="report", postgresql_concurrently=True)
