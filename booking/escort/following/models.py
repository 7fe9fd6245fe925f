"""Links by which the family follows an escort."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class EscortLink(Base):
    """A link by which somebody without an account follows one escort, until the end of the day that is `days_after`
    days after its service, whenever that is: it moves with the booking.

    Of the token a hash is stored. `name_sealed`: for whom it is, in the customer's words, under the process key of the
    person who is escorted (record: links.name_record). `with_notes`: what the escort writes is shown, too. Rows are
    ended, never deleted.
    """

    __tablename__ = "escort_link"
    __table_args__ = (
        CheckConstraint("days_after IN (0, 1)", name="days_after"),
        Index("ix_escort_link_booking", "booking_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    token_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    name_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    with_notes: Mapped[bool]
    days_after: Mapped[int]
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]
