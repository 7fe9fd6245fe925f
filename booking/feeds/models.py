"""Where the pulls of providers' feeds go on, and rows of them that could not be read or applied."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base


class SyncCursor(Base):
    """Where a pull of one provider's feed (slots, bookings, reports) goes on."""

    __tablename__ = "sync_cursor"

    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"), primary_key=True)
    feed: Mapped[str] = mapped_column(Text, primary_key=True)
    cursor: Mapped[str | None]
    last_success_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")


class DeliveredRow(Base):
    """What was delivered of a row that could not be used, sealed under a key of its own. It is deleted, and the key
    with it, when the discrepancy is closed, or 30 days after `stored_at`."""

    __tablename__ = "delivered_row"

    discrepancy_id: Mapped[int] = mapped_column(ForeignKey("discrepancy.id"), primary_key=True)
    stored_at: Mapped[Moment] = mapped_column(index=True)
    wrapped_key: Mapped[bytes] = mapped_column(BYTEA)
    sealed: Mapped[bytes] = mapped_column(BYTEA)


class RowTry(Base):
    """How often a row of a feed that could be read could not be applied; deleted once it was applied."""

    __tablename__ = "row_try"
    __table_args__ = (UniqueConstraint("provider_id", "feed", "reference"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    feed: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    tries: Mapped[int]
    last_at: Mapped[Moment]
