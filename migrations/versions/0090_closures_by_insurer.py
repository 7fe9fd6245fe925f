"""Each insurer closes a site for its own bookings: one open closure of a site an insurer, not one a site.

The new index takes the name of the old one, by which the release before knows that a site closes already. Going back is
refused by the index while two insurers' closures of one site are open: let one be done, or taken back.

Revision ID: 0090
Revises: 0102
"""

from alembic import op

from migrations.add_index import add_index

revision = "0090"
down_revision = "0102"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _replace(["site_id", "insurer_id"])


def downgrade() -> None:
    _replace(["site_id"])


def _replace(columns: list[str]) -> None:
    """Build the index under another name, then let it take the place of the one in use, at once."""
    add_index("uq_site_closure_next", "site_closure", columns, where="state = 'open'", unique=True)
    op.drop_index("uq_site_closure_open", "site_closure")
    op.execute("ALTER INDEX uq_site_closure_next RENAME TO uq_site_closure_open")
