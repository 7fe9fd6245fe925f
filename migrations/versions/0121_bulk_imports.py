"""Bulk imports and their lines.

Revision ID: 0121
Revises: 0120
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

revision = "0121"
down_revision = "0120"
branch_labels = None
depends_on = None

STATES = "state IN ('uploaded','checking','checked','running','paused','done','stopped','failed')"


def upgrade() -> None:
    op.create_table(
        "bulk_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column("insurer_id", sa.BigInteger(), sa.ForeignKey("insurer.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("uploaded_by", sa.BigInteger(), sa.ForeignKey("operator.id"), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_hash", BYTEA(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", BYTEA()),
        sa.Column("details_sealed", BYTEA()),
        sa.Column("content_sealed", BYTEA()),
        sa.Column("lines", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("failure", JSONB(none_as_null=True)),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.BigInteger(), sa.ForeignKey("operator.id")),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("forgotten_at", sa.DateTime(timezone=True)),
        sa.Column("counts", JSONB(none_as_null=True)),
        sa.UniqueConstraint("insurer_id", "number"),
        sa.CheckConstraint(STATES, name="state"),
        sa.CheckConstraint("(state IN ('done','stopped','failed')) = (ended_at IS NOT NULL)", name="ended"),
        sa.CheckConstraint("(wrapped_key IS NULL) = (forgotten_at IS NOT NULL)", name="forgotten"),
        sa.CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
    )
    op.create_index("ix_bulk_import_file", "bulk_import", ["insurer_id", "kind", "file_hash"])
    op.create_index(
        "ix_bulk_import_work",
        "bulk_import",
        ["id"],
        postgresql_where=sa.text("state IN ('uploaded','checking','running')"),
    )
    op.create_index(
        "ix_bulk_import_kept", "bulk_import", ["changed_at"], postgresql_where=sa.text("wrapped_key IS NOT NULL")
    )
    op.create_table(
        "bulk_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("import_id", sa.BigInteger(), sa.ForeignKey("bulk_import.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("cells_sealed", BYTEA(), nullable=False),
        sa.Column("readable", sa.Boolean(), nullable=False, server_default="true"),
        sa.Column("expected", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("errors", JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("tries", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("import_id", "number"),
        sa.CheckConstraint("(outcome IS NULL) = (done_at IS NULL)", name="done"),
    )
    for name, columns, where in (
        ("to_try", ["import_id", "number"], "expected IS NULL"),
        ("to_do", ["import_id", "number"], "outcome IS NULL"),
        ("reason", ["import_id", "reason", "number"], "reason IS NOT NULL"),
    ):
        op.create_index(f"ix_bulk_line_{name}", "bulk_line", columns, postgresql_where=sa.text(where))


def downgrade() -> None:
    op.drop_table("bulk_line")
    op.drop_table("bulk_import")
