"""A circuit breaker for each kind of call to a provider. `failures` and `open_until` of `provider`, which were one
breaker for all, are no longer used; they stay while the code that reads them may still run.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_breaker",
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("failures >= 0", name="ck_provider_breaker_failures"),
        sa.CheckConstraint("probe_until IS NULL OR open_until IS NOT NULL", name="ck_provider_breaker_probe"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_provider_breaker_provider_id"),
        sa.PrimaryKeyConstraint("provider_id", "call", name="pk_provider_breaker"),
    )


def downgrade() -> None:
    op.drop_table("provider_breaker")
