"""Recording no-shows by the clock: confirmed bookings whose service is over and that the provider reported nothing
of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, DateTime, case, cast, exists, false, func, literal_column, select

from booking.actors import CLOCK
from booking.attendance.early import has_early_status
from booking.discrepancies import may_be_unreadable
from booking.feeds.models import SyncCursor
from booking.models import Booking, ChangeRequest, Feed
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.catalog.kinds import has_times, without_times
from marketplace.catalog.models import Provider
from marketplace.core.clock import window_of
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.registry import answering_here

log = get_logger(__name__)

_HOUR: ColumnElement[timedelta] = literal_column("interval '1 hour'")

CAUSE = "not_recorded"
"""The provider reported nothing in time. It can still correct this, and the customer can dispute it."""


def call_no_shows(*, now: datetime, limit: int = 100, spared: ColumnElement[bool] | None = None) -> int:
    """Move to no-show the confirmed bookings whose service ended more than `no_show_hours` of their provider ago.
    Returns how many; each has its own transaction.

    The provider's bookings must have been read to the end after that time, unless it answers here. A booking with an
    open change or cancel waits for its answer; one with a status that came too early waits for a person; one whose row
    in the provider's list could not be read, or may be a row without a readable name, waits until it is read. What has
    no time can't be missed. `spared`: of which bookings (SQL) another rule decides whether anybody was missed.
    """
    spared = false() if spared is None else spared
    with reading() as session:
        due = session.scalars(
            select(Booking.id)
            .join(Provider, Provider.id == Booking.provider_id)
            .outerjoin(SyncCursor, (SyncCursor.provider_id == Booking.provider_id) & (SyncCursor.feed == Feed.BOOKINGS))
            .where(
                Booking.state == BookingState.CONFIRMED,
                Booking.service_date <= now.date(),
                Booking.kind.not_in(without_times()),
                no_show_after_sql() <= _heard(now),
                ~exists().where(ChangeRequest.booking_id == Booking.id, ChangeRequest.state == "open"),
                ~has_early_status(),
                ~may_be_unreadable(),
                ~spared,
            )
            .order_by(Booking.service_date, Booking.id)
            .limit(limit)
        ).all()
    return one_by_one("no_shows", due, lambda booking_id: _call(booking_id, spared, now))["called"]


def _call(booking_id: int, spared: ColumnElement[bool], now: datetime) -> str:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_id)
        hours, heard = session.execute(
            select(Provider.no_show_hours, _heard(now))
            .outerjoin(SyncCursor, (SyncCursor.provider_id == Provider.id) & (SyncCursor.feed == Feed.BOOKINGS))
            .where(Provider.id == booking.provider_id)
        ).one()
        asked = session.scalar(
            select(exists().where(ChangeRequest.booking_id == booking.id, ChangeRequest.state == "open"))
        )
        waits = session.scalar(
            select(has_early_status() | may_be_unreadable() | spared).where(Booking.id == booking.id)
        )
        over = no_show_after(booking, hours)
        if not has_times(booking.kind):
            return "has_no_time"
        if booking.state is not BookingState.CONFIRMED or asked or waits or heard is None or over > heard:
            return "moved_on"
        move(session, booking, BookingState.NO_SHOW, actor=CLOCK, now=now, cause=CAUSE)
    log.info("booking.not_attended", booking=booking.public_id)
    return "called"


def _heard(now: datetime) -> ColumnElement[datetime | None]:
    """Until when we know all that the provider has reported: now, if it answers here; NULL if it was never read."""
    read = case(
        (SyncCursor.last_success_at < now, SyncCursor.last_success_at), (SyncCursor.last_success_at >= now, now)
    )
    return case((Provider.adapter.in_(answering_here()), now), else_=read)


def no_show_after(booking: Booking, hours: int) -> datetime:
    """Until when (UTC) the provider can report the visit: `hours` after the end of the service, or of the day at the
    site for a booking without times."""
    _, over = window_of(booking.service_date, booking.starts_at, booking.ends_at, booking.time_zone)
    return over.astimezone(UTC) + timedelta(hours=hours)


def no_show_after_sql() -> ColumnElement[datetime]:
    """`no_show_after` in SQL, of a Booking and its Provider."""
    midnight: ColumnElement[datetime] = func.timezone(Booking.time_zone, cast(Booking.service_date + 1, DateTime))
    return func.coalesce(Booking.ends_at, midnight) + Provider.no_show_hours * _HOUR
