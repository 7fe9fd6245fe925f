"""Snapshots (all slots of some pools and days, published in several calls), and the inbox of providers' events."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base

UNFINISHED = "state IN ('open','closing')"
"""While a snapshot is one of these, every slot that its provider names is noted."""


class SlotSnapshot(Base):
    """A provider tells all its slots of these pools from `from_day` to `to_day`, both included.

    `refused` counts its lines that were refused, `refused_lines` says which the first ones were: the request's number,
    the line, the field and the reason, and nothing of what it held. `closed` counts the slots that it has closed.
    """

    __tablename__ = "slot_snapshot"
    __table_args__ = (
        CheckConstraint("state IN ('open','closing','completed','expired')", name="state"),
        CheckConstraint("to_day >= from_day", name="days"),
        CheckConstraint("closed = 0 OR refused = 0", name="refused"),
        Index("ix_slot_snapshot_unfinished", "provider_id", postgresql_where=text(UNFINISHED)),
        Index("ix_slot_snapshot_opened_at", "opened_at"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    pool_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(server_default="open")
    refused: Mapped[int] = mapped_column(server_default="0")
    refused_lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    closed: Mapped[int] = mapped_column(server_default="0")
    opened_at: Mapped[Moment]
    completed_at: Mapped[datetime | None]


class NamedSlot(Base):
    """A slot that was named, in whichever way, since a snapshot was opened: the snapshot does not close it."""

    __tablename__ = "slot_snapshot_named"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("slot_snapshot.id", ondelete="CASCADE"), primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"), primary_key=True)


class ProviderEvent(Base):
    """A message from a provider, once. Shares a transaction with its effect."""

    __tablename__ = "inbox_event"
    __table_args__ = (UniqueConstraint("provider_id", "event_id"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    event_id: Mapped[str]
    kind: Mapped[str]
    received_at: Mapped[Moment]
    outcome: Mapped[str]
