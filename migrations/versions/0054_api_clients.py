"""API clients of providers: their secrets, of which two are live at most, and their access tokens.

Revision ID: 0054
Revises: 0053
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_client",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_api_client_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_client")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_client_public_id")),
    )
    op.create_index(op.f("ix_api_client_provider_id"), "api_client", ["provider_id"])
    op.create_table(
        "api_secret",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("secret_hash", BYTEA(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("place IN (1, 2)", name=op.f("ck_api_secret_place")),
        sa.CheckConstraint("octet_length(secret_hash) = 32", name=op.f("ck_api_secret_secret_hash")),
        sa.ForeignKeyConstraint(["client_id"], ["api_client.id"], name=op.f("fk_api_secret_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_secret")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_secret_public_id")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_secret_secret_hash")),
    )
    op.create_index(
        "uq_api_secret_place",
        "api_secret",
        ["client_id", "place"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", BYTEA(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_api_token_token_hash")),
        sa.ForeignKeyConstraint(["client_id"], ["api_client.id"], name=op.f("fk_api_token_client_id")),
        sa.ForeignKeyConstraint(["secret_id"], ["api_secret.id"], name=op.f("fk_api_token_secret_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index("ix_api_token_client_id", "api_token", ["client_id"])
    op.create_index(op.f("ix_api_token_secret_id"), "api_token", ["secret_id"])
    op.create_index("ix_api_token_expires_at", "api_token", ["expires_at"])


def downgrade() -> None:
    op.drop_table("api_token")
    op.drop_table("api_secret")
    op.drop_table("api_client")
