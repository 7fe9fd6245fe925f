"""A provider's certificates end in the transaction that changes its settings.

Revision ID: 0068
Revises: 0067
"""

from alembic import op

from migrations import frozen

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    frozen.run("0068", "provider_settings_end_certificates")


def downgrade() -> None:
    op.execute("DROP TRIGGER provider_settings_end_certificates ON provider")
    op.execute("DROP FUNCTION provider_settings_end_certificates()")
