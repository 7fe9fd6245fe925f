"""Other times that providers propose for bookings."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.columns import Moment, PrimaryKey, PublicId
from marketplace.core.db import Base


class Proposal(Base):
    """A provider's proposal of another time for a booking, at most one open at once.

    `slot_ref` is the provider's reference of the slot, `slot_id` ours, None when we had not seen it yet. `reason` is
    the provider's, in its words. It can be answered before `expires_at`. `lapsed` is one that nobody answered or whose
    booking ended, `withdrawn` one that the provider took back or that a change of date overtook.
    """

    __tablename__ = "proposal"
    __table_args__ = (
        CheckConstraint("state IN ('open','accepted','declined','lapsed','withdrawn')", name="state"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed"),
        CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL) AND starts_at < ends_at", name="times"),
        Index("uq_proposal_open", "booking_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_proposal_booking", "booking_id"),
        Index("ix_proposal_expires", "expires_at", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id"))
    slot_ref: Mapped[str]
    service_date: Mapped[date] = mapped_column(Date)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    expires_at: Mapped[Moment]
    reason: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="open")
    made_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]
