"""Insurers, providers, sites, capacity pools and offers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Date, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class Insurer(Base):
    """The tenant."""

    __tablename__ = "insurer"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(Text, unique=True)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text, default=HOME_ZONE)


class Provider(Base):
    """An organisation that delivers, and how to reach its system. Secrets are sealed under the master key.

    `allotment`: by contract its places were given to us in advance, so that a booking is firm at once. That is agreed
    with each provider, whatever its system; what the system can do is declared by its adapter (providers.port).
    `settle_window_seconds`: how long after a command the provider may still commit it (a look-up that finds nothing
    is believed only then). `answer_hours`: how long a request may wait for an answer before the clock ends it.
    `no_show_hours`: how long after the end of a service its word is waited for before the clock calls a no-show.
    `look_ups_a_minute`: the most requests a minute to look up bookings one by one (booking.reconcile.look_ups).
    """

    __tablename__ = "provider"
    __table_args__ = (
        CheckConstraint("settle_window_seconds >= 0", name="settle_window"),
        CheckConstraint("max_in_flight > 0", name="max_in_flight"),
        CheckConstraint("no_show_hours >= 0", name="no_show_hours"),
        CheckConstraint("deadline_seconds BETWEEN 1 AND 10", name="deadline_seconds"),
        CheckConstraint("look_ups_a_minute >= 2", name="look_ups_a_minute"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(Text, unique=True)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    adapter: Mapped[str] = mapped_column(Text)
    base_url: Mapped[str] = mapped_column(Text)
    secret_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    webhook_secrets_sealed: Mapped[list[bytes]] = mapped_column(ARRAY(BYTEA), server_default="{}")
    settings: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    time_zone: Mapped[str] = mapped_column(Text, server_default=HOME_ZONE)
    allotment: Mapped[bool] = mapped_column(server_default="false")
    deadline_seconds: Mapped[int] = mapped_column(server_default="8")
    max_in_flight: Mapped[int] = mapped_column(server_default="4")
    settle_window_seconds: Mapped[int] = mapped_column(server_default="60")
    answer_hours: Mapped[int] = mapped_column(server_default="48")
    no_show_hours: Mapped[int] = mapped_column(server_default="24")
    poll_seconds: Mapped[int] = mapped_column(server_default="15")
    slots_seconds: Mapped[int] = mapped_column(server_default="60")
    look_ups_a_minute: Mapped[int] = mapped_column(server_default="60")
    paused_at: Mapped[datetime | None]
    # No longer used (see booking.calls.breaker). The release before this one reads them; the next one drops them.
    failures: Mapped[int] = mapped_column(server_default="0")
    open_until: Mapped[datetime | None]


class Site(Base):
    """A hospital or centre. Natural key: province + city + name. `tier` None means unknown.

    `tier_source` and `tier_date` say where the tier comes from; `terms` are the search terms made by
    catalog.search from names, aliases, district, address and pinyin.
    """

    __tablename__ = "site"
    __table_args__ = (
        UniqueConstraint("province", "city", "name"),
        CheckConstraint("longitude BETWEEN -180 AND 180 AND latitude BETWEEN -90 AND 90", name="coordinates"),
        CheckConstraint("(longitude IS NULL) = (latitude IS NULL)", name="coordinates_pair"),
        Index("ix_site_terms", "terms", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_site_place", "city", "district"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(Text)
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    province: Mapped[str] = mapped_column(Text)
    city: Mapped[str] = mapped_column(Text)
    district: Mapped[str] = mapped_column(Text, server_default="")
    tier: Mapped[str | None] = mapped_column(Text)
    tier_source: Mapped[str] = mapped_column(Text, server_default="")
    tier_date: Mapped[str] = mapped_column(Text, server_default="")
    kind: Mapped[str] = mapped_column(Text, server_default="")
    address: Mapped[str] = mapped_column(Text, server_default="")
    longitude: Mapped[float | None]
    latitude: Mapped[float | None]
    time_zone: Mapped[str] = mapped_column(Text, server_default=HOME_ZONE)
    terms: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    search_text: Mapped[str] = mapped_column(Text, server_default="")
    pinyin: Mapped[str] = mapped_column(Text, server_default="")
    closed_at: Mapped[datetime | None]
    updated_at: Mapped[Moment] = mapped_column(server_default=text("now()"))


class CapacityPool(Base):
    """What offers draw on; two packages may share the same places. `external_ref` is the provider's name for it."""

    __tablename__ = "capacity_pool"
    __table_args__ = (UniqueConstraint("provider_id", "external_ref"),)

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    external_ref: Mapped[str] = mapped_column(Text)

    site: Mapped[Site] = relationship()
    provider: Mapped[Provider] = relationship()


class Offer(Base):
    """A bookable service of one provider at one site.

    `package` follows the schema of the benefit kind (catalog/kinds). `price_minor` is in minor units of `currency`
    (ISO 4217). `lead_minutes`: how long before the start booking closes; `cancel_hours`: until how many hours before
    the start the customer may cancel online; `change_hours` the same for another date, at most `max_changes` times.
    `version` grows with every change.
    """

    __tablename__ = "offer"
    __table_args__ = (
        UniqueConstraint("provider_id", "external_ref"),
        CheckConstraint("price_minor >= 0", name="price"),
        Index("ix_offer_kind_site", "kind", "site_id"),
        Index("ix_offer_pool", "pool_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("capacity_pool.id"))
    kind: Mapped[str] = mapped_column(Text)
    external_ref: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    package: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    price_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    currency: Mapped[str] = mapped_column(Text, server_default="CNY")
    lead_minutes: Mapped[int] = mapped_column(server_default="720")
    cancel_hours: Mapped[int] = mapped_column(server_default="24")
    change_hours: Mapped[int] = mapped_column(server_default="24")
    max_changes: Mapped[int] = mapped_column(server_default="3")
    active: Mapped[bool] = mapped_column(server_default="true")
    available_from: Mapped[date | None] = mapped_column(Date)
    available_until: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(server_default="1")

    site: Mapped[Site] = relationship()
    provider: Mapped[Provider] = relationship()
    pool: Mapped[CapacityPool] = relationship()
