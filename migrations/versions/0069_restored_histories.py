"""A restored database has a history of its own, and webhooks go on after a dump was restored.

Revision ID: 0069
Revises: 0068
"""

from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(  # cursors that were given out until now name no history: they are of the one that goes on
        "ALTER TABLE installation_release ADD COLUMN history text NOT NULL DEFAULT '',"
        " ADD COLUMN numbering text NOT NULL DEFAULT '', ADD COLUMN lines_before bigint NOT NULL DEFAULT 0"
    )
    op.execute("ALTER TABLE installation_release ALTER COLUMN history SET DEFAULT CAST(gen_random_uuid() AS text)")
    op.execute("ALTER TABLE webhook_endpoint ADD COLUMN recovered_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE webhook_endpoint DROP COLUMN recovered_at")
    op.execute("ALTER TABLE installation_release DROP COLUMN history, DROP COLUMN numbering, DROP COLUMN lines_before")
