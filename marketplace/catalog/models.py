"""Insurers, providers, sites, capacity pools and offers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalog.markets import LIVE
from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base

UNKNOWN_TIER = "unknown"
"""How a tier that is not known is asked for."""


class Insurer(Base):
    """The tenant. One of test customers belongs to a provider's twin, `twin_id`, for good; all others are live."""

    __tablename__ = "insurer"
    __table_args__ = (
        ForeignKeyConstraint(["twin_id", "market"], ["provider.id", "provider.market"], name="fk_insurer_twin"),
        UniqueConstraint("twin_id"),
        Index("uq_insurer_market", "id", "market", unique=True),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(Text, unique=True)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text, default=HOME_ZONE)
    twin_id: Mapped[int | None]
    market: Mapped[int] = mapped_column(BigInteger, Computed(f"coalesce(twin_id, {LIVE})", persisted=True))


class Provider(Base):
    """An organisation that delivers, and how to reach its system. Secrets are sealed under the master key.

    `allotment`: by contract its places were given to us in advance, so that a booking is firm at once. That is agreed
    with each provider, whatever its system; what the system can do is declared by its adapter (providers.port).
    `settle_window_seconds`: how long after a command the provider may still commit it (a look-up that finds nothing
    is believed only then). `answer_hours`: how long a request may wait for an answer before the clock ends it.
    `no_show_hours`: how long after the end of a service its word is waited for before the clock calls a no-show.
    `look_ups_a_minute`: the most requests a minute to look up bookings one by one (booking.reconcile.look_ups).
    `paused_by` (an operator's public id) and `pause_reason` say who stopped its commands `paused_at`, and why.
    `answers_slowly_…`: since when it has been slower to answer than it usually is, as customers are told, and the code
    of the reason (booking.health.slowly); both None where there is nothing to say.
    `approved_at`: since when customers may be offered what it sells, by an operator's word; None for one that
    registered by itself and waits for it (providers.applying). The default is for the release before this one, whose
    code makes providers by such a word only: the next one drops it.
    `usual_answer_ms`: how long it usually takes to answer a request, as was found `usual_answer_at`; None where too
    little is known (booking.health.usual).
    `system_since`: when another adapter or address was written last; None if never (booking.calls.join).
    `networks`: where `base_url` may lead besides public addresses, by an operator's word (catalog.provider_networks).
    `twin_of`: the live provider whose test mode it is, for good; None for a live one (catalog.markets).
    """

    __tablename__ = "provider"
    __table_args__ = (
        CheckConstraint("settle_window_seconds >= 0", name="settle_window"),
        CheckConstraint("max_in_flight > 0", name="max_in_flight"),
        CheckConstraint("no_show_hours >= 0", name="no_show_hours"),
        CheckConstraint("deadline_seconds BETWEEN 1 AND 10", name="deadline_seconds"),
        CheckConstraint("look_ups_a_minute >= 2", name="look_ups_a_minute"),
        UniqueConstraint("twin_of"),
        Index("uq_provider_market", "id", "market", unique=True),
        CheckConstraint("(answers_slowly_since IS NULL) = (answers_slowly_reason IS NULL)", name="answers_slowly"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(Text, unique=True)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    adapter: Mapped[str] = mapped_column(Text)
    base_url: Mapped[str] = mapped_column(Text)
    system_since: Mapped[datetime | None]
    networks: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
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
    twin_of: Mapped[int | None] = mapped_column(ForeignKey("provider.id"))
    market: Mapped[int] = mapped_column(
        BigInteger, Computed(f"CASE WHEN twin_of IS NULL THEN {LIVE} ELSE id END", persisted=True)
    )
    paused_by: Mapped[str | None] = mapped_column(Text)
    pause_reason: Mapped[str | None] = mapped_column(Text)
    answers_slowly_since: Mapped[datetime | None]
    answers_slowly_reason: Mapped[str | None] = mapped_column(Text)
    approved_at: Mapped[datetime | None] = mapped_column(server_default=text("now()"))
    usual_answer_ms: Mapped[int | None]
    usual_answer_at: Mapped[datetime | None]
    # No longer used (see booking.calls.breaker). The release before this one reads them; the next one drops them.
    failures: Mapped[int] = mapped_column(server_default="0")
    open_until: Mapped[datetime | None]

    @property
    def test(self) -> bool:
        """Whether it is the twin of a live provider."""
        return self.twin_of is not None


class Site(Base):
    """A hospital or centre. Natural key: province + city + name. `tier` None means unknown.

    `tier_source` and `tier_date` say where the tier comes from; `terms` are the search terms made by
    catalog.search from names, aliases, district, address and pinyin.
    `merged_into`: the site that stands for the same hospital, by an operator's word (catalog.one_place); `place_id` is
    that one or itself. A site that others are merged into is merged into none: the key sees to that.
    """

    __tablename__ = "site"
    __table_args__ = (
        UniqueConstraint("province", "city", "name"),
        UniqueConstraint("place_id", "id"),
        ForeignKeyConstraint(["merged_into", "place_id"], ["site.id", "site.place_id"], name="fk_site_merged_into"),
        CheckConstraint("merged_into <> id", name="merged_into_another"),
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
    merged_into: Mapped[int | None]
    place_id: Mapped[int] = mapped_column(BigInteger, Computed("coalesce(merged_into, id)", persisted=True))
    closed_at: Mapped[datetime | None]
    updated_at: Mapped[Moment] = mapped_column(server_default=text("now()"))


class CapacityPool(Base):
    """What offers draw on; two packages may share the same places. `external_ref` is what the provider's programs call
    it; `name` what its people do, None while they have given none."""

    __tablename__ = "capacity_pool"
    __table_args__ = (
        UniqueConstraint("provider_id", "external_ref"),
        Index("uq_capacity_pool_provider", "id", "provider_id", unique=True),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    external_ref: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)

    site: Mapped[Site] = relationship()
    provider: Mapped[Provider] = relationship()


class Offer(Base):
    """A bookable service of one provider at one site.

    `package` follows the schema of the benefit kind (catalog/kinds). `price_minor` is in minor units of `currency`
    (ISO 4217). `lead_minutes`: how long before the start booking closes; `cancel_hours`: until how many hours before
    the start the customer may cancel online; `change_hours` the same for another date, at most `max_changes` times.
    `version` grows with every change. `certified`: the certificates of its provider allow it to be given out, as
    providers.conformance.certificates.issue writes it down. `market` is its provider's, by trigger.
    """

    __tablename__ = "offer"
    __table_args__ = (
        UniqueConstraint("provider_id", "external_ref"),
        ForeignKeyConstraint(
            ["provider_id", "market"], ["provider.id", "provider.market"], name="fk_offer_provider_market"
        ),
        ForeignKeyConstraint(
            ["pool_id", "provider_id"], ["capacity_pool.id", "capacity_pool.provider_id"], name="fk_offer_pool_provider"
        ),
        Index("uq_offer_provider", "id", "provider_id", unique=True),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint(f"market = {LIVE} OR NOT certified", name="no_certified_test"),
        Index("ix_offer_kind_site", "kind", "site_id"),
        Index("ix_offer_pool", "pool_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int]
    market: Mapped[int] = mapped_column(server_default=str(LIVE))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    pool_id: Mapped[int]
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
    certified: Mapped[bool] = mapped_column(server_default="false")

    site: Mapped[Site] = relationship()
    provider: Mapped[Provider] = relationship(
        primaryjoin="Offer.provider_id == Provider.id", foreign_keys="Offer.provider_id"
    )
    pool: Mapped[CapacityPool] = relationship(
        primaryjoin="Offer.pool_id == CapacityPool.id", foreign_keys="Offer.pool_id"
    )
