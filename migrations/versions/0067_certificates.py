"""Certificates of what providers have proved, the runs that gave them, and which offers are given out because of them.

Providers that are live get provisional certificates for 30 days, so that nothing vanishes from customers' pages; what
they sell stays on sale. Those that answer in our own books need none. The code of the week before knows nothing of the
column: an offer that it adds is marked by the job of this one within a minute.

Revision ID: 0067
Revises: 0073
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0067"
down_revision = "0073"
branch_labels = None
depends_on = None

CAPABILITIES = ("slots", "booking", "idempotency", "change", "lists", "webhooks", "reports")
DAYS = 30
PROVISIONAL = (
    "INSERT INTO certificate (public_id, provider_id, capability, grade, issued_at, expires_at)"
    " SELECT 'crt_' || substr(md5(gen_random_uuid()::text), 1, 20), p.id, c.capability, 'provisional', now(),"
    f" now() + interval '{DAYS} days' FROM provider p"
    f" CROSS JOIN unnest(ARRAY[{', '.join(map(repr, CAPABILITIES))}]) AS c(capability)"
    " WHERE p.adapter NOT IN ('desk', 'partner')"
)
"""For all who are live, but those who answer in our own books."""


def upgrade() -> None:
    op.create_table(
        "conformance_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("steps", JSONB(), server_default="[]", nullable=False),
        sa.Column("left_behind", JSONB(), server_default="[]", nullable=False),
        sa.CheckConstraint("state IN ('queued','running','done','failed')", name=op.f("ck_conformance_run_state")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_conformance_run_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conformance_run")),
        sa.UniqueConstraint("public_id", name=op.f("uq_conformance_run_public_id")),
    )
    op.create_index("ix_conformance_run_provider_id", "conformance_run", ["provider_id", "id"])
    op.create_index(
        "uq_conformance_run_open",
        "conformance_run",
        ["provider_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued','running')"),
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("capability", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("grade IN ('passed','provisional')", name=op.f("ck_certificate_grade")),
        sa.CheckConstraint("(grade = 'passed') = (run_id IS NOT NULL)", name=op.f("ck_certificate_run")),
        sa.CheckConstraint(
            "(grade = 'provisional') = (expires_at IS NOT NULL)", name=op.f("ck_certificate_expires_at")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because = '')", name=op.f("ck_certificate_ended")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_certificate_provider_id")),
        sa.ForeignKeyConstraint(["run_id"], ["conformance_run.id"], name=op.f("fk_certificate_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("public_id", name=op.f("uq_certificate_public_id")),
    )
    op.create_index(
        "uq_certificate_in_force",
        "certificate",
        ["provider_id", "capability"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "conformance_made",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), server_default="", nullable=False),
        sa.Column("service_date", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_conformance_made_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conformance_made")),
        sa.UniqueConstraint("provider_id", "subject", name=op.f("uq_conformance_made_provider_id_subject")),
    )
    # A constant default rewrites no row: what is on sale stays so; what is added later has to be marked.
    op.add_column("offer", sa.Column("certified", sa.Boolean(), server_default="true", nullable=False))
    op.alter_column("offer", "certified", server_default="false")
    op.execute(PROVISIONAL)


def downgrade() -> None:
    op.drop_column("offer", "certified")
    op.drop_table("conformance_made")
    op.drop_table("certificate")
    op.drop_table("conformance_run")
