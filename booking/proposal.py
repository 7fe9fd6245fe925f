"""A provider's proposal of another time for a booking. Callers hold the booking's lock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from booking.models import Booking
from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class Proposal(Base):
    """A provider's proposal of another time for a booking, at most one open at once.

    `slot_ref` is the provider's reference of the slot, `slot_id` ours, None if we did not know it yet. `reason` is the
    provider's own text. It can be answered before `expires_at`. It is EXPIRED if nobody answered it or the booking
    ended, `withdrawn` if the provider withdrew it or the date was changed otherwise.
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


EXPIRED: Literal["lapsed"] = "lapsed"
"""The stored state of a proposal that nobody answered in time."""

PROPOSAL_ACCEPTED = "proposal_accepted"
"""The cause of a change to a time that the provider proposed."""

End = Literal["accepted", "declined", "lapsed", "withdrawn"]


def open_proposal(session: Session, booking: Booking) -> Proposal | None:
    """The booking's proposal that waits for an answer, or None."""
    return session.scalar(
        select(Proposal)
        .where(Proposal.booking_id == booking.id, Proposal.state == "open")
        .execution_options(populate_existing=True)
    )


def end_proposal(session: Session, booking: Booking, how: End, *, now: datetime) -> None:
    """End the open proposal, if there is one. The caller raises the booking's version."""
    proposal = open_proposal(session, booking)
    if proposal is not None:
        proposal.state, proposal.closed_at = how, now
        session.flush()
