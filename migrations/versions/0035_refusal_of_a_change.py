"""Why a change or cancel was refused, beside why it was asked.

Revision ID: 0035
Revises: 0034

Until now a refusal overwrote the cause. What was overwritten is gone: those rows keep the refusal in both columns.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("change_request", sa.Column("refusal", sa.Text(), nullable=True))
    op.execute("UPDATE change_request SET refusal = cause WHERE state = 'refused'")


def downgrade() -> None:
    op.drop_column("change_request", "refusal")
