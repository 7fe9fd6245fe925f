"""What the keys of 0079 say is true of the rows of before. The keys whose place they take go in 0091.

Revision ID: 0080
Revises: 0079
"""

from migrations import steps

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

_NEW = (
    ("insurer", "fk_insurer_twin"),
    ("offer", "fk_offer_provider_market"),
    ("offer", "fk_offer_pool_provider"),
    ("booking", "fk_booking_provider_market"),
    ("booking", "fk_booking_insurer_market"),
    ("booking", "fk_booking_customer_insurer"),
    ("booking", "fk_booking_beneficiary_customer"),
    ("booking", "fk_booking_entitlement_customer"),
    ("booking", "fk_booking_offer_provider"),
)


def upgrade() -> None:
    for table, name in _NEW:
        steps.validate(table, name)


def downgrade() -> None:
    """What has been checked stays so."""
