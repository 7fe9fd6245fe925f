"""A provider's people have their own system tried before it is connected.

Revision ID: 0077
Revises: 0076
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "system_test",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("secret_sealed", postgresql.BYTEA()),
        sa.Column("secret_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("secret_kept", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("milliseconds", sa.BigInteger()),
        sa.Column("calls", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("missing", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('queued','running','done')", name=op.f("ck_system_test_state")),
        sa.CheckConstraint(
            "(state = 'done') = (finished_at IS NOT NULL AND outcome <> '')", name=op.f("ck_system_test_finished")
        ),
        sa.CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name=op.f("ck_system_test_lease")),
        sa.CheckConstraint(
            "secret_sealed IS NULL OR state <> 'done' OR outcome = 'fit'", name=op.f("ck_system_test_secret_erased")
        ),
        sa.CheckConstraint(
            "connected_at IS NULL OR (outcome = 'fit' AND secret_sealed IS NULL)", name=op.f("ck_system_test_connected")
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_system_test_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_test")),
        sa.UniqueConstraint("public_id", name=op.f("uq_system_test_public_id")),
    )
    op.create_index("ix_system_test_provider_id", "system_test", ["provider_id", "id"])
    op.create_index(
        "uq_system_test_open",
        "system_test",
        ["provider_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued','running')"),
    )


def downgrade() -> None:
    op.drop_table("system_test")
