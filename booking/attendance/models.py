"""Disputes of no-shows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class Dispute(Base):
    """A customer's dispute of a no-show, at most one for a booking. `words_sealed` and `answer_sealed` are under the
    beneficiary's own key (record `dispute:<public id>`); `decided_by` is an operator's public id, or `provider` if it
    corrected the no-show; `decided_as` is the kind of actor that decided; both are blank while it is open."""

    __tablename__ = "dispute"
    __table_args__ = (
        UniqueConstraint("booking_id"),
        CheckConstraint("state IN ('open','accepted','rejected')", name="state"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed"),
        Index("ix_dispute_open", "id", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    state: Mapped[str]
    words_sealed: Mapped[bytes] = mapped_column(BYTEA)
    answer_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    opened_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(server_default="")
    decided_as: Mapped[str] = mapped_column(server_default="")
