"""When reports are due, and what providers' own codes mean.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from migrations.add_index import add_index

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("report_due_at", "report_asked_at"):
        op.add_column("booking", sa.Column(name, sa.DateTime(timezone=True), nullable=True), if_not_exists=True)
    due = "report_state IN ('expected','partial','overdue')"
    add_index("ix_booking_report_due", "booking", ["report_due_at"], where=due)
    op.execute(
        "UPDATE booking SET report_due_at = updated_at + interval '7 days' WHERE report_state IN ('expected', 'partial')"
    )
    op.create_table(
        "report_item_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_report_item_code_provider_id_provider"),
        sa.PrimaryKeyConstraint("id", name="pk_report_item_code"),
        sa.UniqueConstraint("provider_id", "code", name="uq_report_item_code_provider_id_code"),
    )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_booking_report_due", table_name="booking", postgresql_concurrently=True)
    op.drop_table("report_item_code")
    op.drop_column("booking", "report_asked_at")
    op.drop_column("booking", "report_due_at")
