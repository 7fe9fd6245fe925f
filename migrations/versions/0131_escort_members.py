"""Members of a provider may be escort workers: they sign in at the desk and find their own escorts there.

Code of the release before knows no such member and makes none: none of its forms has the role.

Revision ID: 0131
Revises: 0130
"""

from alembic import op

revision = "0131"
down_revision = "0130"
branch_labels = None
depends_on = None

_BEFORE = "'manager','front_desk','clinician'"
_NOW = f"{_BEFORE},'escort'"


def upgrade() -> None:
    _write(_NOW)


def downgrade() -> None:
    """Escort workers can't sign in any more: their accounts stay as those of the front desk, out of service, since
    history and audit name them; who was invited as one is not."""
    op.execute(
        "UPDATE operator SET role = 'front_desk', disabled_at = coalesce(disabled_at, now()) WHERE role = 'escort'"
    )
    op.execute("DELETE FROM member_invitation WHERE role = 'escort'")
    _write(_BEFORE)


def _write(roles: str) -> None:
    """Each constraint is dropped and added without a look at the rows, then validated: no row is locked meanwhile."""
    checks = {
        "operator": f"CASE WHEN provider_id IS NULL THEN role IN ('admin','agent') ELSE role IN ({roles}) END",
        "member_invitation": f"role IN ({roles})",
    }
    for table, check in checks.items():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_role")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_role CHECK ({check}) NOT VALID")
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_role")
