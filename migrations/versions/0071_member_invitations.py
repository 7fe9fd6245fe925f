"""Invitations of people to become members of a provider.

Revision ID: 0071
Revises: 0065
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0071"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "member_invitation",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("inviter_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("to_sealed", BYTEA(), nullable=True),
        sa.Column("token_hash", BYTEA(), nullable=False),
        sa.Column("token_sealed", BYTEA(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("member_id", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('manager','front_desk','clinician')", name=op.f("ck_member_invitation_role")),
        sa.CheckConstraint("channel IN ('sms','email')", name=op.f("ck_member_invitation_channel")),
        sa.CheckConstraint("language IN ('zh','en')", name=op.f("ck_member_invitation_language")),
        sa.CheckConstraint("accepted_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_member_invitation_one_end")),
        sa.CheckConstraint("(accepted_at IS NULL) = (member_id IS NULL)", name=op.f("ck_member_invitation_member")),
        sa.CheckConstraint("sent_at IS NULL OR token_sealed IS NULL", name=op.f("ck_member_invitation_token_gone")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_member_invitation_provider_id")),
        sa.ForeignKeyConstraint(["inviter_id"], ["operator.id"], name=op.f("fk_member_invitation_inviter_id")),
        sa.ForeignKeyConstraint(["member_id"], ["operator.id"], name=op.f("fk_member_invitation_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_invitation")),
        sa.UniqueConstraint("public_id", name=op.f("uq_member_invitation_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_member_invitation_token_hash")),
        sa.UniqueConstraint("member_id", name=op.f("uq_member_invitation_member_id")),
    )
    op.create_index("ix_member_invitation_provider", "member_invitation", ["provider_id"])
    op.create_index(
        "ix_member_invitation_due",
        "member_invitation",
        ["run_after"],
        postgresql_where=sa.text("token_sealed IS NOT NULL"),
    )
    op.create_index(
        "ix_member_invitation_over",
        "member_invitation",
        ["expires_at"],
        postgresql_where=sa.text("to_sealed IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("member_invitation")
