"""The rows of webhooks to providers: endpoints, their secrets, deliveries."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class WebhookEndpoint(Base):
    """Where a provider wants to be told of its bookings, and of what. `reason` says why it is not active; `cursor` how
    far the events were made into deliveries. `failing_since`: the first failure after the last success; nothing is sent
    before `not_before`, which the receiver asked for. `recovered_at`: when the cursor was last set on after a dump was
    restored (booking.webhooks.events)."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        CheckConstraint("state IN ('active','paused','ended')", name="state"),
        CheckConstraint("(state = 'active') = (reason = '')", name="reason"),
        CheckConstraint("cardinality(event_types) > 0", name="event_types"),
        Index("ix_webhook_endpoint_provider_id", "provider_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    url: Mapped[str]
    event_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(server_default="active")
    reason: Mapped[str] = mapped_column(server_default="")
    state_since: Mapped[Moment]
    cursor: Mapped[str]
    failing_since: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    recovered_at: Mapped[datetime | None]
    created_at: Mapped[Moment]


class WebhookSecret(Base):
    """A secret with which messages to an endpoint are signed, sealed under the master key. Each live one stands in one
    of two places, so that there are two at most; of one that has ended nothing is left."""

    __tablename__ = "webhook_secret"
    __table_args__ = (
        CheckConstraint("place IN (1, 2)", name="place"),
        CheckConstraint("(ended_at IS NULL) = (sealed IS NOT NULL)", name="ended"),
        Index(
            "uq_webhook_secret_place", "endpoint_id", "place", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoint.id"))
    place: Mapped[int] = mapped_column(SmallInteger)
    sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]


class WebhookDelivery(Base):
    """An event on its way to an endpoint. What it says is read from the events when it is sent, and is not stored here;
    `body_hash` (SHA-256) and `url` are of the last try.

    `run_after` has the chance of the schedule in it, so that a restart changes nothing. `tries` fences: only the newest
    claim records an outcome; `failures` counts the tries since it was made or replayed that failed. `booking` is a
    public id, `version` the booking's: no later one is sent before an earlier one has ended.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        CheckConstraint("state IN ('queued','done','failed','dropped')", name="state"),
        CheckConstraint("(state = 'queued') = (finished_at IS NULL)", name="finished"),
        CheckConstraint("octet_length(answer) <= 8192", name="answer"),
        Index("ix_webhook_delivery_due", "endpoint_id", "run_after", postgresql_where=text("state = 'queued'")),
        Index(
            "ix_webhook_delivery_order", "endpoint_id", "booking", "version", postgresql_where=text("state = 'queued'")
        ),
        Index("ix_webhook_delivery_created_at", "created_at", postgresql_using="brin"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoint.id"))
    event_id: Mapped[str]
    event_type: Mapped[str]
    booking: Mapped[str]
    version: Mapped[int]
    occurred_at: Mapped[Moment]
    state: Mapped[str] = mapped_column(server_default="queued")
    tries: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    url: Mapped[str | None]
    body_hash: Mapped[bytes | None] = mapped_column(BYTEA)
    status: Mapped[int | None]
    answer: Mapped[str] = mapped_column(server_default="")
    error: Mapped[str] = mapped_column(server_default="")
    milliseconds: Mapped[int | None]
    finished_at: Mapped[datetime | None]
    created_at: Mapped[Moment]


class ProviderContact(Base):
    """A mail box of a provider's people that is written to. Of one that has ended the address is erased."""

    __tablename__ = "provider_contact"
    __table_args__ = (
        CheckConstraint("language IN ('zh','en')", name="language"),
        CheckConstraint("(ended_at IS NULL) = (email_sealed IS NOT NULL)", name="ended"),
        Index("ix_provider_contact_provider_id", "provider_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    email_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    language: Mapped[str]
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]


class ProviderMessage(Base):
    """A message to a contact: an endpoint stopped at `created_at`, for this `reason`. `tries` fences, as with
    deliveries."""

    __tablename__ = "provider_message"
    __table_args__ = (
        UniqueConstraint("contact_id", "endpoint_id", "created_at"),
        CheckConstraint("reason IN ('failing','gone')", name="reason"),
        CheckConstraint("state IN ('queued','sent','failed','dropped')", name="state"),
        CheckConstraint("(state = 'queued') = (finished_at IS NULL)", name="finished"),
        Index("ix_provider_message_due", "run_after", postgresql_where=text("state = 'queued'")),
    )

    id: Mapped[PrimaryKey]
    contact_id: Mapped[int] = mapped_column(ForeignKey("provider_contact.id"))
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoint.id"))
    reason: Mapped[str]
    failing_since: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default="queued")
    tries: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]
