"""Functions that run as the owner look for tables in `public` first, never among those of the caller's session.

Altered, not made anew: their triggers stay as they are, so that no table is locked.

Revision ID: 0050
Revises: 0046
"""

from alembic import op

revision = "0050"
down_revision = "0046"
branch_labels = None
depends_on = None

AS_OWNER = ("customer_phone_follows", "entitlement_entry_moves_counters", "slot_claim_moves_taken")


def upgrade() -> None:
    for name in AS_OWNER:
        op.execute(f"ALTER FUNCTION {name}() SET search_path = public, pg_temp")


def downgrade() -> None:
    for name in AS_OWNER:
        op.execute(f"ALTER FUNCTION {name}() SET search_path = public")
