"""The keys on one column whose place those of 0079 took go.

Revision ID: 0091
Revises: 0090
"""

from migrations import steps

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None

_OLD = (
    ("offer", "provider_id", "provider"),
    ("offer", "pool_id", "capacity_pool"),
    ("booking", "provider_id", "provider"),
    ("booking", "insurer_id", "insurer"),
    ("booking", "customer_id", "customer"),
    ("booking", "beneficiary_id", "beneficiary"),
    ("booking", "entitlement_id", "entitlement"),
    ("booking", "offer_id", "offer"),
)


def upgrade() -> None:
    steps.run(*(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS fk_{table}_{column}" for table, column, _ in _OLD))


def downgrade() -> None:
    for table, column, target in _OLD:
        name = f"fk_{table}_{column}"
        steps.add_constraint(table, name, f"FOREIGN KEY ({column}) REFERENCES {target} (id) NOT VALID")
        steps.validate(table, name)
