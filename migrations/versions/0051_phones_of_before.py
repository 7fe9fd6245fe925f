"""Customers from before there were several keys get their row of customer_phone, a batch a transaction; a consent gets
the number that its index can be made anew from.

Both may be done twice: broken off anywhere, it is run again from its first line.

Revision ID: 0051
Revises: 0050
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

BATCH = 1000

# The rows are locked: of a number that changes meanwhile, the new one is copied and never the one of before.
COPY = sa.text("""
WITH next AS (
    SELECT id, insurer_id, phone_index FROM customer WHERE id > :after ORDER BY id LIMIT :batch FOR SHARE
), copied AS (
    INSERT INTO customer_phone (customer_id, insurer_id, phone_index)
    SELECT id, insurer_id, phone_index FROM next ORDER BY id
    ON CONFLICT DO NOTHING
)
SELECT max(id) FROM next
""")


def upgrade() -> None:
    op.execute("ALTER TABLE consent ADD COLUMN IF NOT EXISTS phone_sealed bytea")
    with op.get_context().autocommit_block():
        copy_phones(op.get_bind())


def copy_phones(connection: sa.Connection) -> None:
    """Give each customer the row under the key of her own; each statement is a transaction."""
    after: int | None = 0
    while after is not None:
        after = connection.execute(COPY, {"after": after, "batch": BATCH}).scalar_one()


def downgrade() -> None:
    op.drop_column("consent", "phone_sealed")
