"""The tables of the exchange with providers: breakers, rows of a feed that could not be read or applied, and cancels
of what is nobody's there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
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


class StrayCancel(Base):
    """A cancel of a booking at the provider that belongs to nobody of ours: a command without a booking of its own.

    `key` is its idempotency key for life; `tries` the fencing token of a claim. `sent_at`: from then on it may have
    been carried out, and nobody takes that reference over. `outcome` says how it ended.
    """

    __tablename__ = "stray_cancel"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries"),
        Index("uq_stray_cancel_open", "discrepancy_id", unique=True, postgresql_where=text("finished_at IS NULL")),
        Index("ix_stray_cancel_due", "provider_id", "run_after", postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(Text, unique=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    discrepancy_id: Mapped[int] = mapped_column(ForeignKey("discrepancy.id"))
    reference: Mapped[str] = mapped_column(Text)
    our_reference: Mapped[str] = mapped_column(Text)
    actor_kind: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[Moment]
    tries: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Text, server_default="")
