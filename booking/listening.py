"""How far what a provider's own system says of an escort stands here: who was sent and what was done, line by line.

It stands below what a provider's status moves: where such lines are read, the status of a visit alone moves nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    and_,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, Session, mapped_column

from booking.discrepancies import UNREADABLE, Discrepancy
from booking.models import Booking, ProviderBooking
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import Provider
from marketplace.core.database.columns import PrimaryKey
from marketplace.core.database.db import Base
from providers.registry import escorting

ESCORTS = "escorts"
"""What rows that can't be read are rows of."""


class EscortListening(Base):
    """The lines of what an outside provider does in one of its bookings. `their_seq`: the newest that stands here, 0
    for none. `listen_at`: when they are read next, None for not again by itself. `read_at`: when the list could last be
    read to its end; None where it never could, and then nothing follows from what is not in it.

    `status_version`: the version of the provider's booking whose status was last held against the lines. `over_at`:
    when its system said that the visit is done; it counts from the beginning of the visit on (`is_over`).
    """

    __tablename__ = "escort_listening"
    __table_args__ = (
        CheckConstraint("their_seq >= 0", name="their_seq"),
        Index("ix_escort_listening_booking", "booking_id"),
        Index("ix_escort_listening_due", "listen_at"),
    )

    id: Mapped[PrimaryKey]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    provider_booking_id: Mapped[int] = mapped_column(ForeignKey("provider_booking.id"), unique=True)
    their_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    listen_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    status_version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    over_at: Mapped[datetime | None]


class EscortLineTaken(Base):
    """A line by the provider's number `seq`, and what came of it (`came`): `named` (who comes), `released` (she does
    not), `deed` (`deed_id`), `kept_out` (of somebody who was never named, or of what is over) or `passed` (it could not
    be read). Rows are never changed.

    `their_id` is the provider's name of it, None of one that could not be read. `digest_sealed`: the SHA-256 of what it
    says under the person's medical key, to know the same line again; None where there is none.
    """

    __tablename__ = "escort_line"
    __table_args__ = (
        UniqueConstraint("listening_id", "seq"),
        UniqueConstraint("listening_id", "their_id"),
        CheckConstraint("seq > 0", name="seq"),
        CheckConstraint("came IN ('named','released','deed','kept_out','passed')", name="came"),
        CheckConstraint("(came = 'deed') = (deed_id IS NOT NULL)", name="deed"),
    )

    id: Mapped[PrimaryKey]
    listening_id: Mapped[int] = mapped_column(ForeignKey("escort_listening.id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    their_id: Mapped[str | None] = mapped_column(Text)
    came: Mapped[str]
    deed_id: Mapped[int | None] = mapped_column(ForeignKey("escort_deed.id"), unique=True)
    digest_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    received_at: Mapped[datetime]


def told_by_lines() -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) its provider's system says who is sent and what is done: lines of it came by event or
    could be read, of this booking or another one. Where this list alone can't be read, or was not yet, that is no
    reason to believe a status or a silence. A provider that has another system since says it otherwise."""
    could_be_read = exists().where(
        or_(EscortListening.read_at.is_not(None), EscortListening.their_seq > 0),
        ProviderBooking.id == EscortListening.provider_booking_id,
        ProviderBooking.provider_id == Provider.id,
    )
    telling = select(Provider.id).where(Provider.adapter.in_(escorting()), could_be_read)
    return and_(Booking.kind.in_(dispatched()), Booking.provider_id.in_(telling))


def read_since(moment: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) its lines were read to the end after a moment, and the provider's system does not say
    that the visit is done: then nobody has come by then whom they do not name."""
    return _listened(EscortListening.read_at >= moment, ~is_over())


def not_read_since(moment: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether (SQL, of a Booking) its provider says by lines what is done, and they could not be read after a moment,
    nor is it said that the visit is done: then nobody here knows."""
    return and_(told_by_lines(), ~_listened(or_(EscortListening.read_at >= moment, is_over())))


def is_over() -> ColumnElement[bool]:
    """Whether (SQL, of an EscortListening and its Booking) its provider's system said that the visit is done, and that
    since it was to begin: before, it was a slip, or said of a date from which it was moved."""
    midnight = func.timezone(Booking.time_zone, cast(Booking.service_date, DateTime))
    return func.coalesce(EscortListening.over_at >= func.coalesce(Booking.starts_at, midnight), False)


def _listened(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        exists()
        .where(
            EscortListening.booking_id == Booking.id,
            ProviderBooking.id == EscortListening.provider_booking_id,
            ProviderBooking.role == "current",
            *conditions,
        )
        .correlate(Booking)
    )


def has_gaps(session: Session, booking: Booking) -> bool:
    """Whether a line about a booking could not be used: read, or be anybody's who was named; also one of which not even
    the number could be read."""
    about = EscortListening.booking_id == booking.id
    gaps = (
        select(EscortLineTaken.id)
        .join(EscortListening, EscortListening.id == EscortLineTaken.listening_id)
        .where(about, EscortLineTaken.came.in_(("passed", "kept_out")))
    )
    theirs = select(ProviderBooking.reference).join(
        EscortListening, EscortListening.provider_booking_id == ProviderBooking.id
    )
    nameless = exists().where(
        Discrepancy.provider_id == booking.provider_id,
        Discrepancy.kind == UNREADABLE,
        Discrepancy.facts["feed"].astext == ESCORTS,
        or_(Discrepancy.booking_id == booking.id, Discrepancy.facts["reference"].astext.in_(theirs.where(about))),
    )
    return session.scalar(select(gaps.exists() | nameless)) is True


def is_told_by_lines(session: Session, booking: Booking) -> bool:
    """The same of one booking."""
    return session.scalar(select(told_by_lines()).where(Booking.id == booking.id)) is True
