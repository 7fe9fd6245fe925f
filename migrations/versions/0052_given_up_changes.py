"""Changes that were given up and have no end yet are found by an index; a cancel of a stray counts its silence.

Revision ID: 0052
Revises: 0051
"""

from alembic import op

from migrations.add_index import add_index

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE stray_cancel ADD COLUMN IF NOT EXISTS silent_tries bigint NOT NULL DEFAULT 0")
    add_index(
        "ix_change_request_given_up",
        "change_request",
        ["new_service_date"],
        where="state = 'withdrawn' AND closed_at IS NULL",
    )


def downgrade() -> None:
    op.drop_index("ix_change_request_given_up", "change_request")
    op.drop_column("stray_cancel", "silent_tries")
