"""Contacts of providers and the messages to them, and the networks in which a provider's system may be; a delivery of a
webhook says where it was sent.

Providers that there are may be anywhere, as until now; an operator narrows that down.

Revision ID: 0070
Revises: 0069
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE provider ADD COLUMN networks text[] NOT NULL DEFAULT '{}'")
    op.execute("UPDATE provider SET networks = '{0.0.0.0/0,::/0}' WHERE base_url <> ''")
    op.execute("ALTER TABLE webhook_delivery ADD COLUMN url text")
    op.create_table(
        "provider_contact",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("email_sealed", BYTEA(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("language IN ('zh','en')", name=op.f("ck_provider_contact_language")),
        sa.CheckConstraint("(ended_at IS NULL) = (email_sealed IS NOT NULL)", name=op.f("ck_provider_contact_ended")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_provider_contact_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_contact")),
        sa.UniqueConstraint("public_id", name=op.f("uq_provider_contact_public_id")),
    )
    op.create_index(
        "ix_provider_contact_provider_id",
        "provider_contact",
        ["provider_id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "provider_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reason IN ('failing','gone')", name=op.f("ck_provider_message_reason")),
        sa.CheckConstraint("state IN ('queued','sent','failed','dropped')", name=op.f("ck_provider_message_state")),
        sa.CheckConstraint("(state = 'queued') = (finished_at IS NULL)", name=op.f("ck_provider_message_finished")),
        sa.ForeignKeyConstraint(["contact_id"], ["provider_contact.id"], name=op.f("fk_provider_message_contact_id")),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_provider_message_endpoint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_message")),
        sa.UniqueConstraint(
            "contact_id",
            "endpoint_id",
            "created_at",
            name=op.f("uq_provider_message_contact_id_endpoint_id_created_at"),
        ),
    )
    op.create_index(
        "ix_provider_message_due", "provider_message", ["run_after"], postgresql_where=sa.text("state = 'queued'")
    )


def downgrade() -> None:
    op.execute("ALTER TABLE webhook_delivery DROP COLUMN url")
    op.drop_table("provider_message")
    op.drop_table("provider_contact")
    op.execute("ALTER TABLE provider DROP COLUMN networks")
