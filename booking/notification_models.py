"""Notifications: what a customer is told, once for each thing that happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.columns import Moment, PrimaryKey, PublicId
from marketplace.core.db import Base


class Notification(Base):
    """One thing a customer is told. `kind` is a stable code that pages and messages turn into words; `subject` names
    what it is about, so that nothing is told twice; `facts` hold codes and times, never personal data."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("customer_id", "kind", "subject"),
        Index("ix_notification_customer", "customer_id", "id"),
        Index("ix_notification_booking", "booking_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[Moment]
    read_at: Mapped[datetime | None]
