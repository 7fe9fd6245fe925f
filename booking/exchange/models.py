"""The tables of the exchange with providers: breakers, and rows of a feed that could not be read or applied."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.columns import Moment, PrimaryKey
from marketplace.core.db import Base


class ProviderBreaker(Base):
    """One provider's breaker for one kind of call (`booking.exchange.breaker.Call`).

    `failures` in a row. `open_until` None: closed; once that moment is over, one probe may be made. `probe_until` is
    the lease of the probe that was claimed. `retry_at`: the provider asked to be left alone until then.
    """

    __tablename__ = "provider_breaker"
    __table_args__ = (
        CheckConstraint("failures >= 0", name="failures"),
        CheckConstraint("probe_until IS NULL OR open_until IS NOT NULL", name="probe"),
    )

    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"), primary_key=True)
    call: Mapped[str] = mapped_column(Text, primary_key=True)
    failures: Mapped[int] = mapped_column(server_default="0")
    opened_at: Mapped[datetime | None]
    open_until: Mapped[datetime | None]
    probe_until: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]


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
