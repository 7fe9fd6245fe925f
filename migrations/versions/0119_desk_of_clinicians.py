"""When a clinician at work was last seen, whose absence sent a conversation back, canned phrases, and whether the
doctor may see earlier reports of every provider.

Revision ID: 0119
Revises: 0117
"""

import sqlalchemy as sa
from alembic import op

revision = "0119"
down_revision = "0117"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clinician_shift", sa.Column("seen_at", sa.DateTime(timezone=True)))
    op.add_column("conversation", sa.Column("absent_id", sa.BigInteger(), sa.ForeignKey("operator.id")))
    op.add_column("conversation", sa.Column("reports_agreed_at", sa.DateTime(timezone=True)))
    op.create_table(
        "consultation_phrase",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("provider_id", sa.BigInteger(), sa.ForeignKey("provider.id"), nullable=False),
        sa.Column("member_id", sa.BigInteger(), sa.ForeignKey("operator.id")),
        sa.Column("department", sa.Text()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("text_zh", sa.Text()),
        sa.Column("text_en", sa.Text()),
        sa.Column("position", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("text_zh IS NOT NULL OR text_en IS NOT NULL", name="some_text"),
    )
    op.create_index(
        "ix_consultation_phrase_list",
        "consultation_phrase",
        ["provider_id", "member_id"],
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("consultation_phrase")
    op.drop_column("conversation", "reports_agreed_at")
    op.drop_column("conversation", "absent_id")
    op.drop_column("clinician_shift", "seen_at")
