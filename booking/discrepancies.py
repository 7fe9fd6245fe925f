"""Discrepancies between our books and a provider's: opened once, closed with what explained them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    and_,
    exists,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from booking.models import Booking, Feed
from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base
from marketplace.core.ids import new_id

EXPLAINED = "explained"
"""The resolution of a discrepancy that a person closed with a note; the same one is not opened again."""

SLOT_OVERSOLD = "slot_oversold"
"""The kind of the discrepancy of a slot of which its provider offers less than is sold; about the slot."""

UNREADABLE = "unreadable_row"
"""The kind of the discrepancy of a row that a provider delivered and that could not be read, or not be applied
(booking.feeds.unreadable)."""


def may_be_unreadable() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) its provider has delivered a row about it that could not be used, or one about a
    booking that could not be named: then nothing follows from what else the provider reports, or doesn't."""
    nameless = (
        (Discrepancy.facts["feed"].astext == Feed.BOOKINGS)
        & (Discrepancy.facts["reference"].astext == "")
        & (Discrepancy.facts["our_reference"].astext == "")
    )
    return _unusable(_about_it() | nameless)


def has_unreadable_row() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) its provider has delivered a row about it that could not be used."""
    return _unusable(_about_it())


def _about_it() -> ColumnElement[bool]:
    return and_(Discrepancy.booking_id == Booking.id, Discrepancy.facts["feed"].astext == Feed.BOOKINGS)


def _unusable(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        Discrepancy.provider_id == Booking.provider_id,
        Discrepancy.kind == UNREADABLE,
        Discrepancy.closed_at.is_(None),
        which,
    )


@dataclass(frozen=True)
class Effect:
    """What the provider's books bind beyond ours, in units of the benefit and in minor units of a currency; negative
    where ours bind more."""

    units: int = 0
    money_minor: int = 0
    currency: str = ""


def open_discrepancy(
    session: Session,
    provider_id: int,
    kind: str,
    subject: str,
    *,
    now: datetime,
    booking_id: int | None = None,
    facts: Mapping[str, Any] | None = None,
    effect: Effect | None = None,
) -> bool:
    """Open a discrepancy, unless the same one is open; returns whether it is new. `subject` is a public id or a
    provider's reference."""
    effect = effect or Effect()
    opened = session.execute(
        insert(Discrepancy)
        .values(
            public_id=new_id("dsc"),
            provider_id=provider_id,
            kind=kind,
            subject=subject,
            booking_id=booking_id,
            facts=dict(facts or {}),
            opened_at=now,
            quota_units=effect.units,
            money_minor=effect.money_minor,
            currency=effect.currency,
        )
        .on_conflict_do_nothing(
            index_elements=["provider_id", "kind", "subject"], index_where=text("closed_at IS NULL")
        )
        .returning(Discrepancy.id)
    ).scalar_one_or_none()
    return opened is not None


def close_discrepancy(
    session: Session, provider_id: int, kind: str, subject: str, resolution: str, *, now: datetime
) -> bool:
    """Close it if it is open, saying what explained it; returns whether it was open."""
    closed = session.execute(
        update(Discrepancy)
        .where(
            Discrepancy.provider_id == provider_id,
            Discrepancy.kind == kind,
            Discrepancy.subject == subject,
            Discrepancy.closed_at.is_(None),
        )
        .values(closed_at=now, resolution=resolution)
        .returning(Discrepancy.id)
    ).scalar_one_or_none()
    return closed is not None


class Discrepancy(Base):
    """A discrepancy between our books and a provider's, open until a person or a later report explains it.

    What their books bind beyond ours (negative: ours bind more): `quota_units` of the entitlement, and `money_minor` in
    minor units of `currency`. `note` is what the person wrote who closed it.
    """

    __tablename__ = "discrepancy"
    __table_args__ = (
        Index("ix_discrepancy_booking", "booking_id"),
        Index(
            "uq_discrepancy_open",
            "provider_id",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("booking.id"))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    opened_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]
    resolution: Mapped[str] = mapped_column(server_default="")
    quota_units: Mapped[int] = mapped_column(server_default="0")
    money_minor: Mapped[int] = mapped_column(server_default="0")
    currency: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")
