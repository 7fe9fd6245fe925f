"""Clinicians, their shifts, and how a conversation finds one of them.

Revision ID: 0110
Revises: 0109
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from migrations import frozen

revision = "0110"
down_revision = "0109"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at IS NULL")
OFFERED = sa.text("state = 'offered'")


def upgrade() -> None:
    _of_providers()
    # who answered may be off shift by now
    op.drop_constraint(op.f("ck_conversation_answered_by_somebody"), "conversation")
    op.create_index("ix_conversation_first_message", "conversation", ["provider_id", "department", "first_message_at"])
    op.add_column("conversation", sa.Column("handed_back_at", sa.DateTime(timezone=True)))
    op.create_table(
        "conversation_offer",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("shift_id", sa.BigInteger(), sa.ForeignKey("clinician_shift.id"), nullable=False),
        sa.Column("member_id", sa.BigInteger(), sa.ForeignKey("operator.id"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="offered"),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('offered','accepted','passed','declined','withdrawn')", name="state"),
        sa.CheckConstraint("(state = 'offered') = (ended_at IS NULL)", name="ended"),
    )
    op.create_index(
        "uq_conversation_offer_open", "conversation_offer", ["conversation_id"], unique=True, postgresql_where=OFFERED
    )
    op.create_index(
        "uq_conversation_offer_of_shift", "conversation_offer", ["shift_id"], unique=True, postgresql_where=OFFERED
    )
    op.create_index("ix_conversation_offer_conversation", "conversation_offer", ["conversation_id"])
    op.create_table(
        "conversation_escalation",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("conversation_id", "step"),
        sa.CheckConstraint("step IN (1,2)", name="step"),
    )
    op.create_table(
        "conversation_choice",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("call_back_at", sa.DateTime(timezone=True)),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("choice IN ('wait','call_back','emergency')", name="choice"),
        sa.CheckConstraint("(choice = 'call_back') = (call_back_at IS NOT NULL)", name="call_back"),
    )
    op.create_index("ix_conversation_choice_conversation", "conversation_choice", ["conversation_id", "id"])
    frozen.run("0110", "conversation_moves_in_hand", "message_by_verified_clinician")


def _of_providers() -> None:
    op.create_table(
        "clinician",
        sa.Column("member_id", sa.BigInteger(), sa.ForeignKey("operator.id"), primary_key=True, autoincrement=False),
        sa.Column("provider_id", sa.BigInteger(), sa.ForeignKey("provider.id"), nullable=False),
        sa.Column("shown_name", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("departments", ARRAY(sa.Text()), nullable=False),
        sa.Column("languages", ARRAY(sa.Text()), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("verified_at", sa.DateTime(timezone=True)),
        sa.Column("verified_by", sa.BigInteger(), sa.ForeignKey("operator.id")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("licence ~ '^[0-9]{15}$'", name="licence"),
        sa.CheckConstraint("(verified_at IS NULL) = (verified_by IS NULL)", name="verified"),
        sa.CheckConstraint("cardinality(departments) > 0", name="departments"),
        sa.CheckConstraint("cardinality(languages) > 0 AND languages <@ ARRAY['zh','en']", name="languages"),
    )
    op.create_index("ix_clinician_provider", "clinician", ["provider_id"])
    op.create_table(
        "clinician_shift",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("member_id", sa.BigInteger(), sa.ForeignKey("operator.id"), nullable=False),
        sa.Column("provider_id", sa.BigInteger(), sa.ForeignKey("provider.id"), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("in_hand", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("break_since", sa.DateTime(timezone=True)),
        sa.Column("missed_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("capacity > 0", name="capacity"),
        sa.CheckConstraint("in_hand >= 0 AND in_hand <= capacity", name="in_hand"),
        sa.CheckConstraint("in_hand = 0 OR (ended_at IS NULL AND break_since IS NULL)", name="nobody_left_behind"),
    )
    op.create_index(
        "uq_clinician_shift_open", "clinician_shift", ["member_id", "provider_id"], unique=True, postgresql_where=OPEN
    )
    op.create_index("ix_clinician_shift_provider", "clinician_shift", ["provider_id"], postgresql_where=OPEN)


def downgrade() -> None:
    op.execute("DROP TRIGGER message_by_verified_clinician ON conversation_message")
    op.execute("DROP FUNCTION message_by_verified_clinician()")
    op.execute("DROP TRIGGER conversation_moves_in_hand ON conversation")
    op.execute("DROP FUNCTION conversation_moves_in_hand()")
    for table in ("conversation_choice", "conversation_escalation", "conversation_offer", "clinician_shift"):
        op.drop_table(table)
    op.drop_table("clinician")
    op.drop_index("ix_conversation_first_message", "conversation")
    op.drop_column("conversation", "handed_back_at")
    # Not of rows that are there: one that was answered may wait for another clinician by now.
    op.execute(
        "ALTER TABLE conversation ADD CONSTRAINT ck_conversation_answered_by_somebody"
        " CHECK (first_answer_at IS NULL OR clinician_id IS NOT NULL) NOT VALID"
    )
