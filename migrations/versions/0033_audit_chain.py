"""Lines of audit and ledger know their transaction, and are sealed into a chain.

Revision ID: 0033
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import frozen
from migrations.add_index import add_index

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None

TABLES = ("audit_line", "entitlement_entry")


def upgrade() -> None:
    for table in TABLES:  # a constant first, which rewrites no row: the lines of before have 0
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS xact bigint NOT NULL DEFAULT 0")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN xact SET DEFAULT (pg_current_xact_id()::text)::bigint")
    for table in TABLES:
        add_index(f"ix_{table}_xact", table, ["xact", "id"])
    op.create_table(
        "audit_seal",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("through", postgresql.JSONB(), nullable=False),
        sa.Column("audit_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("audit_digests", postgresql.BYTEA(), nullable=False),
        sa.Column("ledger_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("ledger_digests", postgresql.BYTEA(), nullable=False),
        sa.Column("previous", postgresql.BYTEA(), nullable=False),
        sa.Column("hash", postgresql.BYTEA(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_seal"),
    )
    op.create_table(
        "audit_verification",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seals", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_verification"),
    )
    frozen.run("0033", "audit_seal_append_only", "audit_verification_append_only")


def downgrade() -> None:
    op.drop_table("audit_verification")
    op.drop_table("audit_seal")
    for table in TABLES:
        with op.get_context().autocommit_block():
            op.drop_index(f"ix_{table}_xact", table_name=table, if_exists=True, postgresql_concurrently=True)
        op.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS xact")
