"""How a conversation finds a clinician and leaves her: offers, escalations, hand-overs, and what a customer chose while
nobody was there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base

_OFFERED = text("state = 'offered'")


class ConversationOffer(Base):
    """A waiting conversation is offered to a clinician until `expires_at`; to one at a time, and to her one at a time.
    `state`: offered, accepted, declined, passed (she did not answer) or withdrawn (somebody else has taken it, or there
    is nothing to take any more)."""

    __tablename__ = "conversation_offer"
    __table_args__ = (
        CheckConstraint("state IN ('offered','accepted','passed','declined','withdrawn')", name="state"),
        CheckConstraint("(state = 'offered') = (ended_at IS NULL)", name="ended"),
        Index("uq_conversation_offer_open", "conversation_id", unique=True, postgresql_where=_OFFERED),
        Index("uq_conversation_offer_of_shift", "shift_id", unique=True, postgresql_where=_OFFERED),
        Index("ix_conversation_offer_conversation", "conversation_id"),
    )

    id: Mapped[PrimaryKey]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    shift_id: Mapped[int] = mapped_column(ForeignKey("clinician_shift.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    state: Mapped[str] = mapped_column(server_default="offered")
    offered_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]


class ConversationEscalation(Base):
    """A conversation whose pledge runs out was brought before the leads of the shift: `step` 1 at half of the time, 2
    at five sixths of it (45 and 75 of 90 seconds)."""

    __tablename__ = "conversation_escalation"
    __table_args__ = (UniqueConstraint("conversation_id", "step"), CheckConstraint("step IN (1,2)", name="step"))

    id: Mapped[PrimaryKey]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    step: Mapped[int]
    at: Mapped[Moment]


class ConversationHandover(Base):
    """A conversation left the clinician who had it in hand: by her or a lead to a colleague, or back to the queue, then
    `to_member_id` is None. Rows are never changed."""

    __tablename__ = "conversation_handover"
    __table_args__ = (
        CheckConstraint("to_member_id <> from_member_id", name="another"),
        Index("ix_conversation_handover_conversation", "conversation_id"),
        Index("ix_conversation_handover_at", "at"),
    )

    id: Mapped[PrimaryKey]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    from_member_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    to_member_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    at: Mapped[Moment]


class ConversationChoice(Base):
    """What a customer chose when she was told that nobody is on shift; the newest counts. `call_back_at`: when she
    wants to be called back."""

    __tablename__ = "conversation_choice"
    __table_args__ = (
        CheckConstraint("choice IN ('wait','call_back','emergency')", name="choice"),
        CheckConstraint("(choice = 'call_back') = (call_back_at IS NOT NULL)", name="call_back"),
        Index("ix_conversation_choice_conversation", "conversation_id", "id"),
    )

    id: Mapped[PrimaryKey]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    choice: Mapped[str]
    call_back_at: Mapped[datetime | None]
    at: Mapped[Moment]
