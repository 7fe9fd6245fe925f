"""How long a provider usually takes to answer stands in its row; the counts of answers are found by an index.

Revision ID: 0102
Revises: 0101
"""

import sqlalchemy as sa
from alembic import op

from migrations.add_index import add_index

revision = "0102"
down_revision = "0101"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("ix_provider_call_count_answers", "provider_call_count", ["at"], where="call = 'answers'")
    op.add_column("provider", sa.Column("usual_answer_ms", sa.BigInteger()))
    op.add_column("provider", sa.Column("usual_answer_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("provider", "usual_answer_at")
    op.drop_column("provider", "usual_answer_ms")
    op.drop_index("ix_provider_call_count_answers", "provider_call_count")
