"""Whose sessions and consents, and what is old, are found without reading whole tables.

Revision ID: 0044
Revises: 0042
"""

from alembic import op

from migrations.add_index import add_index

revision = "0044"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_index("ix_sign_in_session_whose", "sign_in_session", ["customer_id"])
    add_index("ix_consent_beneficiary", "consent", ["beneficiary_id"])
    # Rows come in the order of these moments, so that a few bytes for each megabyte say where the old ones are.
    add_index("ix_sign_in_session_expires", "sign_in_session", ["expires_at"], using="brin")
    add_index("ix_notification_created", "notification", ["created_at"], using="brin")
    add_index("ix_notification_delivery_finished", "notification_delivery", ["finished_at"], using="brin")


def downgrade() -> None:
    op.drop_index("ix_notification_delivery_finished", "notification_delivery")
    op.drop_index("ix_notification_created", "notification")
    op.drop_index("ix_sign_in_session_expires", "sign_in_session")
    op.drop_index("ix_consent_beneficiary", "consent")
    op.drop_index("ix_sign_in_session_whose", "sign_in_session")
