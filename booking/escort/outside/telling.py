"""When a customer is notified of what a provider's own system says of who comes.

At once; but a provider that says something else again and again does not fill her phone: after OFTEN she hears of a
booking once in five minutes at most, and then what is true at that moment. Her page always shows the newest. Whatever
was said last is told, if not by the line then by the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking.escort.assigning.place import WANTED_STILL, ends_at, period_of
from booking.escort.assigning.told import NOTICES, notify_accepted, notify_word
from booking.escort.dispatch.nobody import notify_nobody
from booking.escort.models import REPLACED, EscortAssignment
from booking.models import Booking
from booking.notices.models import Notification
from booking.transition import lock_booking
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import TooMany
from vip.signin import limits
from vip.signin.limits import Limit

OFTEN = Limit(capacity=3, per_hour=12)
"""Notices about who comes to one booking: this is the one place where it is said."""


def tell_customer(session: Session, booking: Booking, row: EscortAssignment, *, now: datetime) -> None:
    """Notify the customer of a locked booking of its newest assignment, which has just changed: who comes, the word by
    which they know each other, or that she does not come. Where that was said too often it is said later."""
    say = _news(session, booking, row)
    if say is None:
        row.notify_at = None
        return
    try:
        limits.take(session, OFTEN, "escort_named", booking.public_id, now=now)
    except TooMany as much:
        row.notify_at = now + timedelta(seconds=int(much.facts["retry_after"]))
        session.flush()
        return
    row.notify_at = None
    session.flush()
    say(now)


def is_told_later(session: Session, booking: Booking) -> bool:
    """Whether the clock has still to tell the customer what was said last."""
    newest = _newest(session, booking)
    return newest is not None and newest.notify_at is not None


def due(*, now: datetime, most: int) -> list[int]:
    """The assignments (internal ids) of which customers are to be notified by now."""
    with reading() as session:
        wanted = select(EscortAssignment.id).where(EscortAssignment.notify_at <= now)
        return list(session.scalars(wanted.order_by(EscortAssignment.notify_at).limit(most)))


def tell_late(row_id: int, now: datetime) -> str:
    """Notify the customer of one of them, as it is now."""
    with transaction() as session:
        booking, _ = lock_booking(session, session.get_one(EscortAssignment, row_id).booking_id)
        row = session.get_one(EscortAssignment, row_id, populate_existing=True)
        if row.notify_at is None or row.notify_at > now:
            return "told"
        if ends_at(booking) <= now:
            row.notify_at = None
            return "over"
        tell_customer(session, booking, row, now=now)
        return "told" if row.notify_at is None else "later"


def _news(session: Session, booking: Booking, row: EscortAssignment) -> Callable[[datetime], None] | None:
    """What notifies her of it; None where something else has become of it since."""
    if booking.state not in WANTED_STILL or row.period != period_of(booking):
        return None
    if row.live:
        known = exists().where(
            Notification.customer_id == booking.customer_id,
            Notification.kind.in_(NOTICES),
            Notification.subject == row.public_id,
        )
        if session.scalar(select(known)):
            return lambda now: notify_word(session, booking, row, now=now)
        return lambda now: notify_accepted(session, booking, row, confirmed=False, now=now)
    if row.state == REPLACED and _newest(session, booking) is row:
        return lambda now: notify_nobody(session, booking, now=now)
    return None


def _newest(session: Session, booking: Booking) -> EscortAssignment | None:
    return session.scalar(
        select(EscortAssignment)
        .where(EscortAssignment.booking_id == booking.id)
        .order_by(EscortAssignment.id.desc())
        .limit(1)
    )
