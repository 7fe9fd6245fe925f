"""The waiting list: who waits for what, the chances she was given, and places that have just become free."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.columns import Moment, PrimaryKey, PublicId
from marketplace.core.db import Base

MOST_OPEN = 10
"""Open entries that a customer may have at once."""

OPEN = ("waiting", "offered")


class WaitingEntry(Base):
    """A customer waits for a place for one person, inside limits that never change once set; it takes no quota.

    Days are the sites' own, both ends included; `weekdays` has bit 0 for Monday; a time fits if it begins at or after
    `from_hour` and before `until_hour` there. `hours_before`: how long before the start she must know. `closes_at`:
    after it nothing can fit any more. `number` (1 to MOST_OPEN, unique while open) stands behind the most that a
    customer may have. The line's order is that of the ids. `version` grows with every change.
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
    """An offer that would do for an entry. `open` while the entry is; a person waits for an offer at most once."""

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
    """A place that was held for an entry. One at a time, and the same slot never twice for the same entry: whoever
    lets it go makes room for the next in line."""

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
    """A slot with a place that somebody in line may want: added by the slot's triggers, taken off by the worker.

    While a `kept` line is fresh, an ordinary booking is told that the slot is full: those who wait come first.
    `freed_at` is the database's own clock.
    """

    __tablename__ = "freed_slot"
    __table_args__ = (Index("ix_freed_slot_slot", "slot_id"),)

    id: Mapped[PrimaryKey]
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    kept: Mapped[bool]
    freed_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
