"""Members of providers: accounts of the same table as the insurer's operators, with a provider in the insurer's place.

Code of the release before joins each account to its insurer: a member's session opens nothing there.

Revision ID: 0065
Revises: 0062
"""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0062"
branch_labels = None
depends_on = None

_EMPLOYER = "(insurer_id IS NULL) <> (provider_id IS NULL)"
_ROLE = (
    "CASE WHEN provider_id IS NULL THEN role IN ('admin','agent') ELSE role IN ('manager','front_desk','clinician') END"
)


def upgrade() -> None:
    op.add_column("operator", sa.Column("provider_id", sa.BigInteger(), nullable=True))
    op.execute(
        "ALTER TABLE operator ADD CONSTRAINT fk_operator_provider_id"
        " FOREIGN KEY (provider_id) REFERENCES provider (id) NOT VALID"
    )
    op.execute("ALTER TABLE operator VALIDATE CONSTRAINT fk_operator_provider_id")
    op.execute("ALTER TABLE operator ALTER COLUMN insurer_id DROP NOT NULL")
    op.execute("ALTER TABLE operator DROP CONSTRAINT ck_operator_role")
    op.execute(f"ALTER TABLE operator ADD CONSTRAINT ck_operator_role CHECK ({_ROLE}) NOT VALID")
    op.execute(f"ALTER TABLE operator ADD CONSTRAINT ck_operator_employer CHECK ({_EMPLOYER}) NOT VALID")
    op.execute("ALTER TABLE operator VALIDATE CONSTRAINT ck_operator_role")
    op.execute("ALTER TABLE operator VALIDATE CONSTRAINT ck_operator_employer")
    op.create_index(
        "ix_operator_provider", "operator", ["provider_id"], postgresql_where=sa.text("provider_id IS NOT NULL")
    )


def downgrade() -> None:
    """Who has been a member of a provider has no place in the table any more: their accounts and sessions go."""
    whose = "operator_id IN (SELECT id FROM operator WHERE provider_id IS NOT NULL)"
    op.execute(f"DELETE FROM sign_in_session WHERE {whose}")
    op.execute(f"DELETE FROM recovery_code WHERE {whose}")
    op.execute("DELETE FROM operator WHERE provider_id IS NOT NULL")
    op.drop_index("ix_operator_provider", "operator")
    op.execute("ALTER TABLE operator DROP CONSTRAINT ck_operator_employer")
    op.execute("ALTER TABLE operator DROP CONSTRAINT ck_operator_role")
    op.execute("ALTER TABLE operator ALTER COLUMN insurer_id SET NOT NULL")
    op.drop_column("operator", "provider_id")
    op.execute("ALTER TABLE operator ADD CONSTRAINT ck_operator_role CHECK (role IN ('admin','agent')) NOT VALID")
    op.execute("ALTER TABLE operator VALIDATE CONSTRAINT ck_operator_role")
