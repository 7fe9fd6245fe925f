"""Operators have a second factor and one-time passwords; a session knows when it was last used.

Revision ID: 0031
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

from migrations.add_index import add_index

revision = "0031"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("ix_sign_in_session_operator", "sign_in_session", ["operator_id"], where="operator_id IS NOT NULL")
    op.add_column("operator", sa.Column("password_once", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("operator", sa.Column("totp_sealed", BYTEA(), nullable=True))
    op.add_column("operator", sa.Column("totp_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("operator", sa.Column("totp_step", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("sign_in_session", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", BYTEA(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_recovery_code_operator_id_operator")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("operator_id", "code_hash", name=op.f("uq_recovery_code_operator_id_code_hash")),
    )


def downgrade() -> None:
    op.drop_table("recovery_code")
    op.drop_index("ix_sign_in_session_operator", "sign_in_session")
    op.drop_column("sign_in_session", "seen_at")
    for column in ("totp_step", "totp_since", "totp_sealed", "password_once"):
        op.drop_column("operator", column)
