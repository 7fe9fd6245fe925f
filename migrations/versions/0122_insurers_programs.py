"""Programs of insurers: clients of theirs, keys of their apps, customers whom they bring, and snapshots of policies.

Revision ID: 0122
Revises: 0121
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from migrations import steps
from migrations.add_index import add_index

revision = "0122"
down_revision = "0121"
branch_labels = None
depends_on = None

OWNER = "(provider_id IS NULL) <> (insurer_id IS NULL)"
NOW = sa.DateTime(timezone=True)


def upgrade() -> None:
    steps.run(
        "ALTER TABLE api_client ADD COLUMN IF NOT EXISTS insurer_id bigint"
        " CONSTRAINT fk_api_client_insurer_id REFERENCES insurer (id)",
        "ALTER TABLE api_client ALTER COLUMN provider_id DROP NOT NULL",
        "ALTER TABLE sign_in_session ADD COLUMN IF NOT EXISTS client_id bigint"
        " CONSTRAINT fk_sign_in_session_client_id REFERENCES api_client (id)",
    )
    steps.add_constraint("api_client", "ck_api_client_owner", f"CHECK ({OWNER}) NOT VALID")
    steps.validate("api_client", "ck_api_client_owner")
    add_index("ix_api_client_insurer", "api_client", ["insurer_id"], where="insurer_id IS NOT NULL")
    add_index("ix_sign_in_session_client", "sign_in_session", ["client_id"], where="client_id IS NOT NULL")
    _bringing()
    _snapshots()


def _bringing() -> None:
    op.create_table(
        "insurer_key",
        *_identity("insurer_id"),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("algorithms", ARRAY(sa.Text()), nullable=False),
        sa.Column("public_key", JSONB(), nullable=False),
        sa.Column("created_at", NOW, nullable=False),
        sa.Column("ended_at", NOW),
    )
    op.create_index(
        "uq_insurer_key_kid",
        "insurer_key",
        ["insurer_id", "kid"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "used_assertion",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("insurer_id", sa.BigInteger(), sa.ForeignKey("insurer.id"), nullable=False),
        sa.Column("jti_hash", BYTEA(), nullable=False),
        sa.Column("expires_at", NOW, nullable=False),
        sa.UniqueConstraint("insurer_id", "jti_hash"),
        sa.CheckConstraint("octet_length(jti_hash) = 32", name="jti_hash"),
    )
    op.create_index("ix_used_assertion_expires_at", "used_assertion", ["expires_at"])
    op.create_table(
        "sign_in_link",
        *_identity("insurer_id"),
        sa.Column("token_hash", BYTEA(), nullable=False, unique=True),
        sa.Column("client_id", sa.BigInteger(), sa.ForeignKey("api_client.id"), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created_at", NOW, nullable=False),
        sa.Column("expires_at", NOW, nullable=False),
        sa.Column("used_at", NOW),
        sa.ForeignKeyConstraint(["customer_id", "insurer_id"], ["customer.id", "customer.insurer_id"]),
        sa.CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        sa.CheckConstraint("expires_at <= created_at + interval '60 seconds'", name="short"),
    )
    op.create_index("ix_sign_in_link_client_id", "sign_in_link", ["client_id"])
    op.create_index("ix_sign_in_link_customer", "sign_in_link", ["customer_id"])
    op.create_index("ix_sign_in_link_expires_at", "sign_in_link", ["expires_at"])


def _snapshots() -> None:
    op.create_table(
        "policy_snapshot",
        *_identity("insurer_id"),
        sa.Column("state", sa.Text(), nullable=False, server_default="open"),
        sa.Column("ends_vanished", sa.Boolean(), nullable=False),
        sa.Column("most_percent", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("refused_lines", JSONB(), nullable=False, server_default="[]"),
        sa.Column("named", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("known", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("vanished", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("ended", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("opened_at", NOW, nullable=False),
        sa.Column("completed_at", NOW),
        sa.Column("decided_by", sa.Text()),
        sa.CheckConstraint("state IN ('open','waiting','completed','dismissed','expired')", name="state"),
        sa.CheckConstraint("most_percent BETWEEN 0 AND 20", name="most_percent"),
        sa.CheckConstraint("ended = 0 OR (refused = 0 AND ends_vanished AND state = 'completed')", name="ended"),
    )
    op.create_index("ix_policy_snapshot_insurer", "policy_snapshot", ["insurer_id", "id"])
    op.create_table(
        "policy_snapshot_named",
        sa.Column(
            "snapshot_id",
            sa.BigInteger(),
            sa.ForeignKey("policy_snapshot.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        _policy(),
    )
    op.create_table(
        "policy_vanished",
        sa.Column(
            "snapshot_id", sa.BigInteger(), sa.ForeignKey("policy_snapshot.id"), primary_key=True, autoincrement=False
        ),
        _policy(),
        sa.Column("ended_at", NOW),
        sa.Column("status_before", sa.Text()),
        sa.Column("returned_at", NOW),
        sa.CheckConstraint("(ended_at IS NULL) = (status_before IS NULL)", name="ended"),
    )
    op.create_index(
        "ix_policy_vanished_policy",
        "policy_vanished",
        ["policy_id"],
        postgresql_where=sa.text("returned_at IS NULL"),
    )


def _identity(owner: str) -> tuple[sa.Column[int], sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("public_id", sa.Text(), nullable=False, unique=True),
        sa.Column(owner, sa.BigInteger(), sa.ForeignKey("insurer.id"), nullable=False),
    )


def _policy() -> sa.Column[int]:
    return sa.Column("policy_id", sa.BigInteger(), sa.ForeignKey("policy.id"), primary_key=True, autoincrement=False)


def downgrade() -> None:
    for table in (
        *("policy_vanished", "policy_snapshot_named", "policy_snapshot"),
        *("sign_in_link", "used_assertion", "insurer_key"),
    ):
        op.drop_table(table)
    op.execute("UPDATE sign_in_session SET ended_at = coalesce(ended_at, now()) WHERE client_id IS NOT NULL")
    op.drop_column("sign_in_session", "client_id")
    op.execute("DELETE FROM api_token WHERE client_id IN (SELECT id FROM api_client WHERE insurer_id IS NOT NULL)")
    op.execute("DELETE FROM api_secret WHERE client_id IN (SELECT id FROM api_client WHERE insurer_id IS NOT NULL)")
    op.execute("DELETE FROM api_client WHERE insurer_id IS NOT NULL")
    op.drop_constraint("ck_api_client_owner", "api_client")
    op.drop_column("api_client", "insurer_id")
    op.alter_column("api_client", "provider_id", nullable=False)
