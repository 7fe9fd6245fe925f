"""Roles of operators: administrators, and agents at the phone desk; and as what somebody answered a dispute.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE operator ADD CONSTRAINT ck_operator_role CHECK (role IN ('admin','agent')) NOT VALID")
    op.execute("ALTER TABLE operator VALIDATE CONSTRAINT ck_operator_role")
    op.add_column("dispute", sa.Column("decided_as", sa.Text(), server_default="", nullable=False))
    op.execute(
        "UPDATE dispute SET decided_as = CASE decided_by WHEN 'provider' THEN 'provider' ELSE 'operator' END"
        " WHERE closed_at IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_column("dispute", "decided_as")
    op.execute("ALTER TABLE operator DROP CONSTRAINT ck_operator_role")
