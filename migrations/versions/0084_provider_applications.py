"""Providers register by themselves; an operator approves them before customers see their offers.

Revision ID: 0084
Revises: 0083
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The providers there are were made by an operator's word, and so are those that last week's code still makes: for
    both the column's default stands."""
    op.add_column("provider", sa.Column("approved_at", sa.DateTime(timezone=True), server_default=sa.text("now()")))
    op.create_table(
        "provider_application",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("registration", sa.Text(), nullable=False),
        sa.Column("contact_sealed", BYTEA(), nullable=True),
        sa.Column("email_sealed", BYTEA(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("token_hash", BYTEA(), nullable=False),
        sa.Column("token_sealed", BYTEA(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_id", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("reply", sa.Text(), server_default="", nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        *_rules(),
    )
    op.create_index(
        "ix_provider_application_due",
        "provider_application",
        ["run_after"],
        postgresql_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
    )
    op.create_index("ix_provider_application_state", "provider_application", ["state", "id"])


def downgrade() -> None:
    op.drop_table("provider_application")
    op.drop_column("provider", "approved_at")


def _rules() -> list[sa.Constraint]:
    checks = {
        "state": "state IN ('asked','new','returned','declined','approved','forgotten')",
        "answers": "answers IN ('system','partner','desk')",
        "country": "country IN ('cn','other')",
        "language": "language IN ('zh','en')",
        "letter": "letter IN ('confirm','returned','declined','approved')",
        "provider": "(state = 'asked') = (provider_id IS NULL)",
        "confirmed": "(state = 'asked') = (confirmed_at IS NULL)",
        "token_gone": "sent_at IS NULL OR token_sealed IS NULL",
    }
    name = "provider_application"
    return [
        *(sa.CheckConstraint(rule, name=op.f(f"ck_{name}_{each}")) for each, rule in checks.items()),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f(f"fk_{name}_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        *(
            sa.UniqueConstraint(each, name=op.f(f"uq_{name}_{each}"))
            for each in ("public_id", "token_hash", "provider_id")
        ),
    ]
