"""A provider's people see what waits for them, and say which cancels they have taken note of.

Revision ID: 0072
Revises: 0071
"""

from alembic import op

from migrations.add_index import add_index

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE booking ADD COLUMN IF NOT EXISTS cancel_noted_at timestamptz")
    add_index(
        "ix_booking_to_answer",
        "booking",
        ["provider_id", "answer_due_at"],
        where="state IN ('awaiting_provider','outcome_unknown') OR pending_period IS NOT NULL",
    )
    add_index(
        "ix_booking_report_owed",
        "booking",
        ["provider_id", "report_due_at"],
        where="report_state IN ('expected','partial','overdue')",
    )
    add_index("ix_slot_claim_ended", "slot_claim", ["booking_id"], where="NOT live")


def downgrade() -> None:
    op.drop_index("ix_slot_claim_ended", "slot_claim")
    op.drop_index("ix_booking_report_owed", "booking")
    op.drop_index("ix_booking_to_answer", "booking")
    op.drop_column("booking", "cancel_noted_at")
