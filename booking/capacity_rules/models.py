"""Rows of the capacity calendar: a pool's settings, its weekly rules and exceptions, and the changes made to them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base

ACTIONS = ("keep", "propose", "cancel")
"""What can become of a booking whose place is taken off sale."""


class PoolCalendar(Base):
    """How a pool's slots are made. A pool without one is filled by its provider's program, or not at all.

    `version` grows with each change and is the version of the slots that are published: what was made by older rules
    never overwrites what newer ones made. `published_version`, `published_on` (the site's date) and `published_edition`
    (of the public holidays) say what the slots in the books were made from; `lease_until` that somebody is at it, and
    `lease` whose lease it is.
    """

    __tablename__ = "pool_calendar"
    __table_args__ = (
        CheckConstraint("horizon_days BETWEEN 1 AND 366", name="horizon"),
        CheckConstraint("make_up_weekday BETWEEN 1 AND 7", name="make_up_weekday"),
        CheckConstraint("published_version <= version", name="published"),
    )

    pool_id: Mapped[int] = mapped_column(ForeignKey("capacity_pool.id"), primary_key=True)
    version: Mapped[int] = mapped_column(server_default="1")
    closed_on_holidays: Mapped[bool] = mapped_column(server_default="true")
    make_up_weekday: Mapped[int | None] = mapped_column(SmallInteger)
    horizon_days: Mapped[int] = mapped_column(server_default="90")
    published_version: Mapped[int | None]
    published_on: Mapped[date | None] = mapped_column(Date)
    published_edition: Mapped[str] = mapped_column(Text, server_default="")
    lease: Mapped[int] = mapped_column(server_default="0")
    lease_until: Mapped[datetime | None]


class CapacityRule(Base):
    """A weekly rule: on these weekdays (Monday is 1) slots of `slot_minutes` from one time of the day to another, in
    minutes since midnight; without a length the day is one slot. Never changed, only ended."""

    __tablename__ = "capacity_rule"
    __table_args__ = (
        CheckConstraint("weekdays <@ '{1,2,3,4,5,6,7}' AND cardinality(weekdays) > 0", name="weekdays"),
        CheckConstraint("from_minute >= 0 AND to_minute <= 1440 AND from_minute < to_minute", name="times"),
        CheckConstraint("slot_minutes BETWEEN 1 AND to_minute - from_minute", name="slot"),
        CheckConstraint("places > 0", name="places"),
        CheckConstraint("valid_until >= valid_from", name="days"),
        Index("ix_capacity_rule_pool", "pool_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    pool_id: Mapped[int] = mapped_column(ForeignKey("capacity_pool.id"))
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    from_minute: Mapped[int]
    to_minute: Mapped[int]
    slot_minutes: Mapped[int | None]
    places: Mapped[int]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    ended_at: Mapped[datetime | None]


class CapacityException(Base):
    """What one date has instead of what the rules say: `sections` are lists of start, end, length and places; none
    where it is closed. Never changed, only ended."""

    __tablename__ = "capacity_exception"
    __table_args__ = (
        Index("uq_capacity_exception_day", "pool_id", "day", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    pool_id: Mapped[int] = mapped_column(ForeignKey("capacity_pool.id"))
    day: Mapped[date] = mapped_column(Date)
    sections: Mapped[list[list[int | None]]] = mapped_column(JSONB)
    ended_at: Mapped[datetime | None]


class CapacityChange(Base):
    """One change of a pool's calendar: who made it (a member's public id), and the version it led to. `day` where it
    was about one date."""

    __tablename__ = "capacity_change"
    __table_args__ = (
        CheckConstraint("kind IN ('rules','day')", name="kind"),
        UniqueConstraint("pool_id", "version"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    pool_id: Mapped[int] = mapped_column(ForeignKey("capacity_pool.id"))
    version: Mapped[int]
    kind: Mapped[str]
    day: Mapped[date | None] = mapped_column(Date)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[Moment]


class CapacityChangeItem(Base):
    """What was decided about one booking whose place (`slot_id`) a change took off sale, and whether it is done; at
    most one decision about a booking waits to be carried out.

    `slot_ref`: the slot to propose (its public id), None for the next free one. `outcome` of one that is refused is the
    refusal's code; `moved_on`: the booking had gone by itself,
    or its place is on sale again. A newer decision takes the place of one that waits, under another public id.
    """

    __tablename__ = "capacity_change_item"
    __table_args__ = (
        CheckConstraint("action IN ('keep','propose','cancel')", name="action"),
        CheckConstraint("state IN ('waiting','done','moved_on','refused')", name="state"),
        CheckConstraint("(state = 'waiting') = (finished_at IS NULL)", name="finished"),
        Index("uq_capacity_change_item_waiting", "booking_id", unique=True, postgresql_where=text("state = 'waiting'")),
        Index("ix_capacity_change_item_change", "change_id"),
        Index("ix_capacity_change_item_booking", "booking_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    change_id: Mapped[int] = mapped_column(ForeignKey("capacity_change.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    action: Mapped[str]
    slot_ref: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="waiting")
    outcome: Mapped[str] = mapped_column(server_default="")
    actor: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]
