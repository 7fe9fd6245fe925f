"""What a hold ended in is no event of a provider, also where an administrator corrects it later.

Lines that were written before stay in the feed: history is never rewritten.

Revision ID: 0062
Revises: 0058
"""

from migrations import frozen

revision = "0062"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Function and trigger are put in the place of the old ones."""
    frozen.run("0062", "booking_history_names_provider")


def downgrade() -> None:
    frozen.run("0056", "booking_history_names_provider")
