"""Rows of a closure: a site closed for some days, and one item for each booking there."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class SiteClosure(Base):
    """A site is closed from `from_day` to `to_day` (None: for good), both included. A trigger keeps its slots closed
    while any insurer's closure stands; the worker moves or cancels the insurer's bookings there one by one."""

    __tablename__ = "site_closure"
    __table_args__ = (
        CheckConstraint("state IN ('open','done','withdrawn')", name="state"),
        CheckConstraint("mode IN ('move','cancel')", name="mode"),
        CheckConstraint("to_day IS NULL OR to_day >= from_day", name="days"),
        Index("uq_site_closure_open", "site_id", "insurer_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_site_closure_site", "site_id", "from_day", postgresql_where=text("state <> 'withdrawn'")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    insurer_id: Mapped[int] = mapped_column(ForeignKey("insurer.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date | None] = mapped_column(Date)
    mode: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="open")
    actor: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]


class SiteClosureItem(Base):
    """The outcome for one booking of a closed site, recorded in the transaction of its effect.

    `outcome`: cancelled, asked (the provider has to agree), moving, or kept (the service had begun, so it stays).
    """

    __tablename__ = "site_closure_item"
    __table_args__ = (
        UniqueConstraint("closure_id", "booking_id"),
        CheckConstraint("outcome IN ('cancelled','asked','moving','kept')", name="outcome"),
        Index("ix_site_closure_item_booking", "booking_id"),
    )

    id: Mapped[PrimaryKey]
    closure_id: Mapped[int] = mapped_column(ForeignKey("site_closure.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    outcome: Mapped[str]
    at: Mapped[Moment]
