"""Slots, claims, bookings, their history, changes, commands to providers, what exists there, and discrepancies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TSTZMULTIRANGE, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.states import BookingState, live_states_sql, states_sql
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base
from vip.models import Beneficiary, Customer, Entitlement

STATE = Enum(
    BookingState,
    native_enum=False,
    create_constraint=False,
    length=24,
    values_callable=lambda states: [state.value for state in states],
)


_REPORT_OWED = text("report_state IN ('expected','partial','overdue')")


class Slot(Base):
    """Capacity of a pool for a time window, or for a day when the times are null.

    `offered` is the provider's figure; `capacity = greatest(offered, taken)`, so a figure that shrinks unsells
    nothing. `taken` is moved by the claims' trigger alone; the application's role cannot write it.
    """

    __tablename__ = "slot"
    __table_args__ = (
        UniqueConstraint("pool_id", "external_ref"),
        CheckConstraint("taken >= 0 AND taken <= capacity", name="taken"),
        CheckConstraint("offered >= 0", name="offered"),
        CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL) AND starts_at < ends_at", name="times"),
        Index("ix_slot_free", "pool_id", "service_date", "starts_at", postgresql_where=text("has_place")),
        Index("ix_slot_pool_date", "pool_id", "service_date", "starts_at"),
        {"postgresql_with": {"fillfactor": "85"}},
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    pool_id: Mapped[int] = mapped_column(ForeignKey("capacity_pool.id"))
    external_ref: Mapped[str]
    service_date: Mapped[date] = mapped_column(Date)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    offered: Mapped[int]
    capacity: Mapped[int]
    taken: Mapped[int] = mapped_column(server_default="0")
    closed: Mapped[bool] = mapped_column(server_default="false")
    version: Mapped[int] = mapped_column(server_default="0")
    has_place: Mapped[bool] = mapped_column(Computed("taken < capacity AND NOT closed", persisted=True))

    pool: Mapped[CapacityPool] = relationship()


class Booking(Base):
    """One customer's use of one offer for one beneficiary. `state` is assigned by booking.transition alone.

    `period` is when the beneficiary is there (empty for a kind that occupies nobody), `pending_period` the time an open
    change asks for; `occupied` is both, and nobody can be booked twice in it. `snapshot` freezes what was offered
    (names, package, rules); `price_minor` is the frozen price in minor units of `currency`. `details_sealed` holds the
    answers under the beneficiary's own key. `version` grows with every move and is the pages' ETag. `report_due_at`:
    when the report was promised, from fulfilment on; `report_asked_at`: when the provider was last asked for a late
    one. `cancel_noted_at`: when a person of the provider took note that it was cancelled. `venue_id`: the site where it
    is done, chosen by the customer, for a kind for which somebody is sent; None where that is the offer's own.
    `market` is its provider's, by trigger, and the foreign keys say that all it names is of that market.
    """

    __tablename__ = "booking"
    __table_args__ = (
        *(
            ForeignKeyConstraint(
                [f"{what}_id", with_it], [f"{what}.id", f"{what}.{with_it}"], name=f"fk_booking_{what}_{named}"
            )
            for what, with_it, named in (
                ("provider", "market", "market"),
                ("insurer", "market", "market"),
                ("customer", "insurer_id", "insurer"),
                ("beneficiary", "customer_id", "customer"),
                ("entitlement", "customer_id", "customer"),
                ("offer", "provider_id", "provider"),
            )
        ),
        CheckConstraint(f"state IN ({states_sql()})", name="state"),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint("report_state IN ('none','expected','partial','ready','corrected','overdue')", name="report"),
        ExcludeConstraint(
            (text("int8range(beneficiary_id, beneficiary_id, '[]')"), "&&"),
            ("occupied", "&&"),
            name="ex_booking_one_place_at_a_time",
            where=text("live"),
            using="gist",
        ),
        Index("ix_booking_customer", "customer_id", "id"),
        Index("ix_booking_hold", "hold_expires_at", postgresql_where=text("state = 'held'")),
        Index(
            "ix_booking_answer_due",
            "answer_due_at",
            postgresql_where=text("state IN ('awaiting_provider','outcome_unknown')"),
        ),
        Index(
            "ix_booking_first_answer_due",
            "answer_due_at",
            postgresql_where=text("state = 'confirmed' AND answer_due_at IS NOT NULL"),
        ),
        Index("ix_booking_provider", "provider_id", "id"),
        Index("ix_booking_report_due", "report_due_at", postgresql_where=_REPORT_OWED),
        Index("ix_booking_provider_day", "provider_id", "service_date"),
        Index(
            "ix_booking_to_answer",
            "provider_id",
            "answer_due_at",
            postgresql_where=text("state IN ('awaiting_provider','outcome_unknown') OR pending_period IS NOT NULL"),
        ),
        Index("ix_booking_report_owed", "provider_id", "report_due_at", postgresql_where=_REPORT_OWED),
        Index("ix_booking_tests", "state", "updated_at", postgresql_where=text("market <> 0")),
        Index("ix_booking_confirmed", "service_date", postgresql_where=text("state = 'confirmed'")),
        Index("ix_booking_venue", "venue_id", "service_date", postgresql_where=text("venue_id IS NOT NULL")),
        Index(
            "ix_booking_begun_or_over",
            "state",
            "updated_at",
            postgresql_where=text("state NOT IN ('held','awaiting_provider','outcome_unknown','confirmed')"),
        ),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    reference: Mapped[str] = mapped_column(Text, unique=True)
    insurer_id: Mapped[int]
    customer_id: Mapped[int]
    beneficiary_id: Mapped[int]
    offer_id: Mapped[int]
    provider_id: Mapped[int]
    market: Mapped[int] = mapped_column(server_default=str(LIVE))
    entitlement_id: Mapped[int]
    venue_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str]
    state: Mapped[BookingState] = mapped_column(STATE)
    live: Mapped[bool] = mapped_column(Computed(f"state IN ({live_states_sql()})", persisted=True))
    version: Mapped[int] = mapped_column(server_default="1")
    attempt: Mapped[int] = mapped_column(server_default="1")
    service_date: Mapped[date] = mapped_column(Date)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    time_zone: Mapped[str]
    period: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    pending_period: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    occupied: Mapped[Sequence[Range[datetime]]] = mapped_column(
        TSTZMULTIRANGE,
        Computed(
            "CASE WHEN pending_period IS NULL THEN tstzmultirange(period) "
            "ELSE tstzmultirange(period, pending_period) END",
            persisted=True,
        ),
    )
    hold_expires_at: Mapped[datetime | None]
    answer_due_at: Mapped[datetime | None]
    cause: Mapped[str] = mapped_column(server_default="")
    price_minor: Mapped[int]
    currency: Mapped[str]
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)
    details_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    report_state: Mapped[str] = mapped_column(server_default="none")
    report_due_at: Mapped[datetime | None]
    report_asked_at: Mapped[datetime | None]
    cancel_noted_at: Mapped[datetime | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    customer: Mapped[Customer] = relationship(
        primaryjoin="Booking.customer_id == Customer.id", foreign_keys="Booking.customer_id"
    )
    beneficiary: Mapped[Beneficiary] = relationship(
        primaryjoin="Booking.beneficiary_id == Beneficiary.id", foreign_keys="Booking.beneficiary_id"
    )
    offer: Mapped[Offer] = relationship(primaryjoin="Booking.offer_id == Offer.id", foreign_keys="Booking.offer_id")
    provider: Mapped[Provider] = relationship(
        primaryjoin="Booking.provider_id == Provider.id", foreign_keys="Booking.provider_id"
    )
    venue: Mapped[Site | None] = relationship()
    entitlement: Mapped[Entitlement] = relationship(
        primaryjoin="Booking.entitlement_id == Entitlement.id", foreign_keys="Booking.entitlement_id"
    )


class SlotClaim(Base):
    """Places of a slot that a booking holds. Adding a live claim moves `slot.taken`, or is refused; releasing it
    moves it back. A booking has one or more; a swap holds two for a while."""

    __tablename__ = "slot_claim"
    __table_args__ = (
        CheckConstraint("places > 0", name="places"),
        CheckConstraint("live = (released_at IS NULL)", name="released"),
        Index("uq_slot_claim_live", "booking_id", "slot_id", unique=True, postgresql_where=text("live")),
        Index("ix_slot_claim_slot", "slot_id", postgresql_where=text("live")),
        Index("ix_slot_claim_ended", "booking_id", postgresql_where=text("NOT live")),
    )

    id: Mapped[PrimaryKey]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    places: Mapped[int] = mapped_column(server_default="1")
    live: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[Moment]
    released_at: Mapped[datetime | None]


class BookingHistory(Base):
    """One move of a booking: what the timeline shows. `version` is the booking's after the move.

    `provider_id` (by trigger) and `xact` make the provider's feed of events (booking.answering.events): both are None
    for lines from before there was one, and the first for a hold, which is none of the provider's business.
    """

    __tablename__ = "booking_history"
    __table_args__ = (
        UniqueConstraint("booking_id", "version"),
        Index(
            "ix_booking_history_provider",
            "provider_id",
            "xact",
            "id",
            postgresql_where=text("provider_id IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    version: Mapped[int]
    at: Mapped[Moment]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    actor_kind: Mapped[str]
    actor: Mapped[str]
    cause: Mapped[str] = mapped_column(server_default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    provider_id: Mapped[int | None] = mapped_column(BigInteger)
    xact: Mapped[int | None] = mapped_column(
        BigInteger, server_default=text("((pg_current_xact_id())::text)::bigint"), deferred=True
    )


class ChangeRequest(Base):
    """A cancel or reschedule that was asked for. At most one is open for a booking.

    A reschedule names the slot it wants, whose place it holds, and the time it had when it was asked. One that was
    withdrawn after it may have been sent stays without `closed_at` until its end is known. `cause` is why it was asked,
    `refusal` why it was refused or withdrawn. `answer_due_at`: until when the provider may answer a change;
    None where its answer to the whole booking is waited for.
    """

    __tablename__ = "change_request"
    __table_args__ = (
        CheckConstraint("kind IN ('cancel','reschedule')", name="kind"),
        CheckConstraint("state IN ('open','done','refused','withdrawn')", name="state"),
        Index("uq_change_request_open", "booking_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_change_request_booking", "booking_id"),
        Index("ix_change_request_answer_due", "answer_due_at", postgresql_where=text("state = 'open'")),
        Index(
            "ix_change_request_given_up",
            "new_service_date",
            postgresql_where=text("state = 'withdrawn' AND closed_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    kind: Mapped[str]
    state: Mapped[str]
    actor_kind: Mapped[str]
    actor: Mapped[str]
    cause: Mapped[str] = mapped_column(server_default="")
    refusal: Mapped[str | None]
    new_slot_id: Mapped[int | None] = mapped_column(ForeignKey("slot.id"))
    new_service_date: Mapped[date | None] = mapped_column(Date)
    new_starts_at: Mapped[datetime | None]
    new_ends_at: Mapped[datetime | None]
    asked_at: Mapped[Moment]
    answer_due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class ProviderTask(Base):
    """One command that must reach a provider: the outbox. `key` is the command's idempotency key for life.

    Claimed in batches with SKIP LOCKED and a lease; `tries` is the fencing token of a claim. Only a booking's lowest
    unfinished `seq` can be claimed. `unknown_since`: it may have been carried out and nobody knows. `silent_since`: it
    was first sent without a clear answer then, whatever was tried since.
    """

    __tablename__ = "provider_task"
    __table_args__ = (
        UniqueConstraint("booking_id", "seq"),
        CheckConstraint("command IN ('reserve','cancel','change','decline')", name="command"),
        CheckConstraint("state IN ('queued','in_flight','unknown','done','refused','parked')", name="state"),
        CheckConstraint("tries >= 0", name="tries"),
        Index(
            "ix_provider_task_ready",
            "provider_id",
            "run_after",
            postgresql_where=text("state IN ('queued','in_flight','unknown')"),
        ),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    change_request_id: Mapped[int | None] = mapped_column(ForeignKey("change_request.id"))
    seq: Mapped[int]
    command: Mapped[str]
    key: Mapped[str] = mapped_column(Text, unique=True)
    state: Mapped[str] = mapped_column(server_default="queued")
    tries: Mapped[int] = mapped_column(server_default="0")
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    first_sent_at: Mapped[datetime | None]
    unknown_since: Mapped[datetime | None]
    silent_since: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(server_default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[Moment]


class ProviderBooking(Base):
    """What exists at a provider. Only `current` events move a booking's state; older versions never win.

    `our_reference` is what we call it there, None for the booking's public id.
    """

    __tablename__ = "provider_booking"
    __table_args__ = (
        UniqueConstraint("provider_id", "reference"),
        CheckConstraint("role IN ('pending','current','superseded','stray')", name="role"),
        Index("uq_provider_booking_current", "booking_id", unique=True, postgresql_where=text("role = 'current'")),
        Index("ix_provider_booking_booking", "booking_id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    reference: Mapped[str]
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    role: Mapped[str]
    status: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="0")
    seen_at: Mapped[Moment]
    our_reference: Mapped[str | None]


class Feed(StrEnum):
    """What is pulled from a provider, each feed with a cursor of its own."""

    SLOTS = "slots"
    BOOKINGS = "bookings"
    REPORTS = "reports"
