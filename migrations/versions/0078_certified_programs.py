"""What providers' programs do while they are certified, and provisional certificates for those that are live.

The code of the week before asks no certificate of a program: it goes on giving its offers out, as this one does for 30
days.

Revision ID: 0078
Revises: 0084
"""

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0084"
branch_labels = None
depends_on = None

CAPABILITIES = ("booking", "webhooks", "reports")
DAYS = 30
PROVISIONAL = (
    "INSERT INTO certificate (public_id, provider_id, capability, grade, issued_at, expires_at)"
    " SELECT 'crt_' || substr(md5(gen_random_uuid()::text), 1, 20), p.id, c.capability, 'provisional', now(),"
    f" now() + interval '{DAYS} days' FROM provider p"
    f" CROSS JOIN unnest(ARRAY[{', '.join(map(repr, CAPABILITIES))}]) AS c(capability)"
    " WHERE p.adapter = 'partner' AND p.twin_of IS NULL AND p.approved_at IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM certificate k WHERE k.provider_id = p.id AND k.capability = c.capability AND k.ended_at IS NULL)"
)
"""For all that were approved and whose programs answer in our books."""


def upgrade() -> None:
    op.add_column("conformance_run", sa.Column("tried_id", sa.BigInteger(), nullable=True))
    op.add_column("conformance_run", sa.Column("refuse_seconds", sa.BigInteger(), nullable=True))
    op.add_column("conformance_run", sa.Column("refused_until", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_conformance_run_tried_id"), "conformance_run", "provider", ["tried_id"], ["id"])
    op.create_index(
        "ix_conformance_run_tried",
        "conformance_run",
        ["tried_id"],
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "conformance_call",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("booking", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["conformance_run.id"], name=op.f("fk_conformance_call_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conformance_call")),
    )
    op.create_index("ix_conformance_call_run_id", "conformance_call", ["run_id", "id"])
    op.execute(PROVISIONAL)


def downgrade() -> None:
    op.drop_table("conformance_call")
    op.drop_index("ix_conformance_run_tried", "conformance_run")
    for name in ("tried_id", "refuse_seconds", "refused_until"):
        op.drop_column("conformance_run", name)
