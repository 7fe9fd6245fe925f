"""Notices to customers, one for each thing that happened, and their deliveries."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Time, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class Notification(Base):
    """A notice to a customer. `kind` is a stable code for which pages and messages have words; `subject` identifies
    what it is about, so that no notice is given twice; `facts` are codes and times, never personal data."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("customer_id", "kind", "subject"),
        Index("ix_notification_customer", "customer_id", "id"),
        Index("ix_notification_booking", "booking_id"),
        Index("ix_notification_created", "created_at", postgresql_using="brin"),
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


class NotificationDelivery(Base):
    """One notice on one channel. `key` identifies the message at the gateway, the same for every try; `tries` is the
    fencing token of a claim; `failures` counts tries that failed. `reason` is why it was dropped (out of date, or the
    channel was turned off) or has failed."""

    __tablename__ = "notification_delivery"
    __table_args__ = (
        UniqueConstraint("notification_id", "channel"),
        CheckConstraint("channel IN ('sms','email')", name="channel"),
        CheckConstraint("state IN ('queued','sent','failed','dropped')", name="state"),
        CheckConstraint("tries >= 0 AND failures >= 0", name="tries"),
        CheckConstraint("(state = 'queued') = (finished_at IS NULL)", name="finished"),
        Index("ix_notification_delivery_finished", "finished_at", postgresql_using="brin"),
        Index("ix_notification_delivery_due", "run_after", postgresql_where=text("state = 'queued'")),
    )

    id: Mapped[PrimaryKey]
    notification_id: Mapped[int] = mapped_column(ForeignKey("notification.id"))
    channel: Mapped[str]
    key: Mapped[PublicId]
    state: Mapped[str] = mapped_column(server_default="queued")
    tries: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")


class NoticeSetting(Base):
    """How a customer wants to be notified; without a row the defaults apply. The e-mail address is sealed (record
    `customer:<public_id>:email`) and used only after it is confirmed. Quiet hours are on the insurer's clock. Of the
    calendar's secret address only `feed_hash` is stored."""

    __tablename__ = "notice_setting"
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True)
    sms: Mapped[bool] = mapped_column(server_default="true")
    email: Mapped[bool] = mapped_column(server_default="true")
    email_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    email_confirmed_at: Mapped[datetime | None]
    quiet: Mapped[bool] = mapped_column(server_default="true")
    quiet_from: Mapped[time] = mapped_column(Time, server_default="22:00")
    quiet_until: Mapped[time] = mapped_column(Time, server_default="08:00")
    feed_hash: Mapped[bytes | None] = mapped_column(BYTEA, unique=True)
    feed_made_at: Mapped[datetime | None]
    updated_at: Mapped[Moment]
