"""Lines of a booking's history know their provider and their transaction, so that a provider can read them as a feed.

Lines of before have neither, and are in no feed.

Revision ID: 0056
Revises: 0055
"""

from alembic import op

from migrations import frozen

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE booking_history ADD COLUMN provider_id bigint, ADD COLUMN xact bigint")
    op.execute("ALTER TABLE booking_history ALTER COLUMN xact SET DEFAULT (pg_current_xact_id()::text)::bigint")
    frozen.run("0056", "booking_history_names_provider")


def downgrade() -> None:
    op.execute("DROP TRIGGER booking_history_names_provider ON booking_history")
    op.execute("DROP FUNCTION booking_history_names_provider()")
    op.execute("ALTER TABLE booking_history DROP COLUMN xact, DROP COLUMN provider_id")
