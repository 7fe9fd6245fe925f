"""Rows of the waiting list: entries, the offers made to them, and slots that have just become free."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base

MOST_OPEN = 10
"""Open entries that a customer may have at once."""

OPEN = ("waiting", "offered")

EXPIRED = "lapsed"
"""The stored outcome of an offer that was not answered in time, and the cause of an entry that ended for that."""


class WaitingEntry(Base):
    """A customer waits for a place for one person. It takes no unit of the benefit, and its criteria never change.

    `first_day` and `last_day` are days at the site, both included. `weekdays` has a bit for each day, bit 0 for Monday.
    A time fits if it begins at or after `from_hour` and before `until_hour` on the site's clock, and is offered at
    least `hours_before` hours before its start. After `closes_at` no place can fit. `number` (1 to MOST_OPEN, unique
    while the entry is open) limits how many a customer has. Entries are served in the order of their ids. `lapses`
    counts offers that expired unanswered. `version` grows with every change.
    """

    __tablename__ = "waiting_entry"
    __table_args__ = (
        CheckConstraint("state IN ('waiting','offered','booked','ended','withdrawn')", name="state"),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint("weekdays BETWEEN 1 AND 127", name="weekdays"),
        CheckConstraint("from_hour >= 0 AND from_hour < until_hour AND until_hour <= 24", name="hours"),
        CheckConstraint("hours_before BETWEEN 0 AND 720", name="hours_before"),
        CheckConstraint(f"number BETWEEN 1 AND {MOST_OPEN}", name="number"),
        CheckConstraint("lapses >= 0", name="lapses"),
        Index(
            "uq_waiting_entry_number",
            "customer_id",
            "number",
            unique=True,
            postgresql_where=text("state IN ('waiting','offered')"),
        ),
        Index("ix_waiting_entry_customer", "customer_id", "id"),
        Index("ix_waiting_entry_closes", "closes_at", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"))
    entitlement_id: Mapped[int | None] = mapped_column(ForeignKey("entitlement.id"))
    kind: Mapped[str]
    number: Mapped[int]
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    weekdays: Mapped[int]
    from_hour: Mapped[int]
    until_hour: Mapped[int]
    hours_before: Mapped[int]
    auto_book: Mapped[bool]
    state: Mapped[str] = mapped_column(server_default="waiting")
    cause: Mapped[str] = mapped_column(server_default="")
    lapses: Mapped[int] = mapped_column(server_default="0")
    version: Mapped[int] = mapped_column(server_default="1")
    closes_at: Mapped[Moment]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class WaitingPlace(Base):
    """A bookable offer that an entry waits for. `open` while the entry is; a person waits for an offer at most once."""

    __tablename__ = "waiting_place"
    __table_args__ = (
        UniqueConstraint("entry_id", "offer_id"),
        Index("uq_waiting_place_open", "beneficiary_id", "offer_id", unique=True, postgresql_where=text("open")),
        Index("ix_waiting_place_pool", "pool_id", "entry_id", postgresql_where=text("open")),
    )

    id: Mapped[PrimaryKey]
    entry_id: Mapped[int] = mapped_column(ForeignKey("waiting_entry.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    pool_id: Mapped[int] = mapped_column(ForeignKey("capacity_pool.id"))
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"))
    open: Mapped[bool] = mapped_column(server_default="true")


class WaitingOffer(Base):
    """A place offered to an entry: the slot, and the booking that holds it until `until`.

    An entry has at most one open offer, and is never offered the same slot twice. `outcome` is open, booked, EXPIRED,
    declined (by the customer) or refused.
    """

    __tablename__ = "waiting_chance"
    __table_args__ = (
        CheckConstraint("outcome IN ('open','booked','lapsed','declined','refused')", name="outcome"),
        CheckConstraint("(outcome = 'open') = (closed_at IS NULL)", name="closed"),
        UniqueConstraint("entry_id", "slot_id"),
        UniqueConstraint("booking_id"),
        Index("uq_waiting_chance_open", "entry_id", unique=True, postgresql_where=text("outcome = 'open'")),
    )

    id: Mapped[PrimaryKey]
    entry_id: Mapped[int] = mapped_column(ForeignKey("waiting_entry.id"))
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    until: Mapped[Moment]
    outcome: Mapped[str] = mapped_column(server_default="open")
    made_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]


class FreedSlot(Base):
    """A slot with a free place that a waiting entry may want: added by the slot's triggers, deleted by the worker.

    While a `reserved` row is a few seconds old, other bookings are refused as if the slot were full, so that waiting
    customers come first. `freed_at` is the time of the database's clock.
    """

    __tablename__ = "freed_slot"
    __table_args__ = (Index("ix_freed_slot_slot", "slot_id"),)

    id: Mapped[PrimaryKey]
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    reserved: Mapped[bool] = mapped_column("kept")
    freed_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
