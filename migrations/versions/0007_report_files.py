"""Papers of reports, links that show one, and what adults of the family consent to.

A report from before has its paper in report_version; the first paper is still written there, for code that reads it.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("report", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "report_document",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=False),
        sa.CheckConstraint("media_type IN ('application/pdf','image/png')", name="ck_report_document_media_type"),
        sa.CheckConstraint("position >= 0 AND size >= 0", name="ck_report_document_figures"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["report_version.id"], name="fk_report_document_version_id_report_version"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_report_document"),
        sa.UniqueConstraint("version_id", "position", name="uq_report_document_version_id_position"),
    )
    op.create_table(
        "report_share",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("code_hash", postgresql.BYTEA(), nullable=True),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_views", sa.BigInteger(), nullable=True),
        sa.Column("views", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("audience IN ('family','doctor')", name="ck_report_share_audience"),
        sa.CheckConstraint("tries >= 0", name="ck_report_share_tries"),
        sa.CheckConstraint("views >= 0 AND (max_views IS NULL OR views <= max_views)", name="ck_report_share_views"),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name="fk_report_share_report_id_report"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_report_share_customer_id_customer"),
        sa.PrimaryKeyConstraint("id", name="pk_report_share"),
        sa.UniqueConstraint("public_id", name="uq_report_share_public_id"),
        sa.UniqueConstraint("token_hash", name="uq_report_share_token_hash"),
    )
    op.create_index("ix_report_share_report", "report_share", ["report_id"])
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("beneficiary_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("phone_index", postgresql.BYTEA(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.CheckConstraint("purpose IN ('reports')", name="ck_consent_purpose"),
        sa.CheckConstraint("method IN ('phone_code','demonstration')", name="ck_consent_method"),
        sa.CheckConstraint("withdrawn_by IN ('customer','person')", name="ck_consent_withdrawn_by"),
        sa.ForeignKeyConstraint(["beneficiary_id"], ["beneficiary.id"], name="fk_consent_beneficiary_id_beneficiary"),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        sa.UniqueConstraint("public_id", name="uq_consent_public_id"),
    )
    op.create_index(
        "uq_consent_given",
        "consent",
        ["beneficiary_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index("ix_consent_phone", "consent", ["phone_index"], postgresql_where=sa.text("withdrawn_at IS NULL"))


def downgrade() -> None:
    op.drop_table("consent")
    op.drop_table("report_share")
    op.drop_table("report_document")
    op.drop_column("report", "deleted_at")
