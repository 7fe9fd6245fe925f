"""Whether a booking may be changed or cancelled online, until when and how often: stored with the hold, so that the
customer knows it before she acts. The use cases decide by these, and the pages and the API show them."""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from booking.deadlines import first_answer_due
from booking.models import Booking, ChangeRequest
from booking.states import BEGUN, LIVE, BookingState, state_at
from marketplace.catalog.kinds import has_times
from marketplace.core.clock import start_of

CancelClosed = Literal["over", "begun", "too_late"]
"""Why a booking can't be cancelled online: it is over, the service has begun, or the window has closed."""

ChangeClosed = Literal["too_late", "none_left"]
"""Why no other date can be asked for online: the window has closed, or every change was made."""


def cancel_until(booking: Booking) -> datetime:
    """The last moment to cancel: the frozen number of hours before the start (or before the day begins), in UTC. What
    has no time can be cancelled until it is answered; this is when it ends if it never is."""
    if not has_times(booking.kind):
        return first_answer_due(booking)
    return _before_start(booking, int(booking.snapshot.get("cancel_hours", 0)))


def cancel_closed(booking: Booking, now: datetime) -> CancelClosed | None:
    """Why the customer herself, or an agent for her, may not cancel now, or None: a hold can be given up until it ends,
    anything else be cancelled until its window closes or the service begins."""
    state = state_at(booking.state, booking.hold_expires_at, now)
    if state not in LIVE:
        return "over"
    if state in BEGUN:
        return "begun"
    if state is not BookingState.HELD and has_times(booking.kind) and now >= cancel_until(booking):
        return "too_late"
    return None


def customer_may_cancel(booking: Booking, *, asked: bool, now: datetime) -> bool:
    """Whether a cancel is to be offered now; `asked`: one is open."""
    return not asked and cancel_closed(booking, now) is None


def change_until(booking: Booking) -> datetime:
    """The last moment to ask for another date, counted like `cancel_until`."""
    return _before_start(booking, int(booking.snapshot.get("change_hours", 24)))


def may_be_asked(
    booking: Booking, *, unfinished: bool, states: Container[BookingState] = (BookingState.CONFIRMED,)
) -> bool:
    """Whether another date can be asked for at all, by anyone: the booking is confirmed (in one of `states`), and no
    request is `unfinished`. Never of what has no time."""
    return has_times(booking.kind) and booking.state in states and not unfinished


def change_closed(booking: Booking, left: int, now: datetime) -> ChangeClosed | None:
    """Why the customer may not ask for another date now, or None; `left` is the number of her changes left."""
    if now >= change_until(booking):
        return "too_late"
    return None if left > 0 else "none_left"


def may_change(booking: Booking, *, unfinished: bool, left: int, now: datetime) -> bool:
    """Whether the customer may ask for another date now."""
    return may_be_asked(booking, unfinished=unfinished) and change_closed(booking, left, now) is None


def changes_left(session: Session, booking: Booking) -> int:
    """How many more changes the customer may make; those that a provider or an operator made are not counted."""
    return left_after(booking, session.scalar(_made_of(booking.id)) or 0)


def changes_made() -> ScalarSelect[int]:
    """The number of changes that left_after() wants, for each booking of the query that it stands in."""
    return _made_of(Booking.id).correlate(Booking).scalar_subquery()


def left_after(booking: Booking, made: int) -> int:
    """How many more changes the customer may make who has made so many."""
    return max(changes_allowed(booking) - made, 0)


def _made_of(booking_id: int | InstrumentedAttribute[int]) -> Select[int]:
    made = aliased(ChangeRequest)  # the query around it may have the booking's open request beside it
    return select(func.count()).where(
        made.booking_id == booking_id, made.kind == "reschedule", made.state == "done", made.actor_kind == "customer"
    )


def changes_allowed(booking: Booking) -> int:
    """How many changes the customer may make in all, frozen at the hold."""
    return int(booking.snapshot.get("max_changes", 3))


def _before_start(booking: Booking, hours: int) -> datetime:
    start = start_of(booking.service_date, booking.starts_at, booking.time_zone).astimezone(UTC)
    return start - timedelta(hours=hours)
