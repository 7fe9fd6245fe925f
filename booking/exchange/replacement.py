"""A change of date at a provider that has no call for it: book the new date first, cancel the old one last.

The new booking there has a number of ours of its own (`own_reference`), so that a look-up finds the one or the other,
and the role `pending` until the provider has said yes: what is told of it moves nothing here. Then, in one transaction,
it becomes `current`, the old one `superseded` and cancelled there, and the swap takes place here. Refused, unknown or
taken back, it leaves the old date standing; what lives there without need is cancelled.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import provider_actor
from booking.changes import swap
from booking.discrepancies import close_discrepancy
from booking.exchange.provider_bookings import cancel_stray, cancel_surplus, order_there, remember
from booking.models import Booking, ChangeRequest, ProviderBooking, ProviderTask
from booking.outbox import UNFINISHED, annul, enqueue, finish, lock_unfinished, unsent
from booking.references import own_reference
from booking.states import DEAD, LIVE, BookingState
from marketplace.catalog.models import Provider
from providers.port import RemoteBooking
from providers.registry import capabilities


def replaces(session: Session, booking: Booking) -> bool:
    """Whether a change of this booking is a new booking at its provider."""
    adapter = session.scalar(select(Provider.adapter).where(Provider.id == booking.provider_id))
    return not capabilities(adapter or "").change


def role_of_new(session: Session, booking: Booking, seq: int) -> str:
    """The role of a booking first seen under the number of the change `seq`: `pending` if that change waits for it,
    else `stray`, for one that came too late or twice."""
    waits = session.scalar(
        select(ProviderTask.id).where(
            ProviderTask.booking_id == booking.id,
            ProviderTask.seq == seq,
            ProviderTask.command == "change",
            ProviderTask.state.in_(UNFINISHED),
        )
    )
    return "pending" if waits is not None and not _pending(session, booking) else "stray"


def told(session: Session, booking: Booking, remote: RemoteBooking, now: datetime) -> None:
    """The provider tells by itself of the booking that a change waits for."""
    task = next((each for each in lock_unfinished(session, booking.id) if each.command == "change"), None)
    if task is None:
        _drop(session, booking)
        if remote.status not in DEAD:
            cancel_stray(session, booking, remote.reference, now)
    elif remote.status in DEAD:
        finish(task, "refused", now=now, error=remote.reason or "other")
        refused(session, booking, task, remote.reason or "other", now)
    elif remote.status != "requested":
        complete(session, booking, task, remote, now)


def accepted(session: Session, booking: Booking, task: ProviderTask, there: RemoteBooking, now: datetime) -> bool:
    """The provider has the new booking and will decide later. Returns whether its decision is still wanted; if not, the
    change ends here and the new booking is cancelled there."""
    _adopt(session, booking, task, there, now)
    request = _request(session, task)
    if _wanted(booking, request):
        return True
    _give_up(session, booking, task, request, there, now)
    return False


def complete(session: Session, booking: Booking, task: ProviderTask, there: RemoteBooking, now: datetime) -> None:
    """The new booking is firm: it takes the old one's place, there and here. Not if the change was taken back or the
    booking went on meanwhile: then it is cancelled there."""
    _adopt(session, booking, task, there, now)
    request = _request(session, task)
    switched_before = request is not None and request.state == "done" and booking.state in LIVE  # allotted places
    if not _wanted(booking, request) and not switched_before:
        _give_up(session, booking, task, request, there, now)
        return
    finish(task, "done", now=now)
    old = _take_over(session, booking, there.reference)
    if old is not None and old.status not in DEAD:
        facts = {"reference": old.reference, "reason": "rescheduled", "compensating": True}
        enqueue(session, booking, "cancel", now=now, facts=facts)
    if request is not None and not switched_before:
        swap.switch(session, booking, request, actor=provider_actor(session, booking), now=now)


def refused(session: Session, booking: Booking, task: ProviderTask, code: str, now: datetime) -> bool:
    """The provider said no: the old date stands. False if no change was open for it (allotted places: our books have
    moved already)."""
    _drop(session, booking)
    request = swap.open_change(session, booking)
    if request is None or request.id != task.change_request_id:
        return False
    swap.leave(session, booking, request, cause=code, now=now)
    return True


def _wanted(booking: Booking, request: ChangeRequest | None) -> bool:
    return request is not None and request.state == "open" and booking.state is BookingState.CONFIRMED


def _request(session: Session, task: ProviderTask) -> ChangeRequest | None:
    return session.get(ChangeRequest, task.change_request_id) if task.change_request_id is not None else None


def _adopt(session: Session, booking: Booking, task: ProviderTask, there: RemoteBooking, now: datetime) -> None:
    """This is the one that the change waits for; another one seen before under the same number is too many."""
    ours = own_reference(booking.public_id, task.seq)
    for other in _pending(session, booking):
        if other.reference != there.reference:
            other.role = "stray"
            if other.status not in DEAD:
                cancel_surplus(session, booking, other.reference, other.status, now)
    role = remember(session, booking, there.reference, there.status, there.version, now, ours=ours, role="pending")
    if role == "stray":
        _row(session, booking, there.reference).role = "pending"
        close_discrepancy(
            session, booking.provider_id, "duplicate_there", there.reference, "the_other_is_surplus", now=now
        )
        for each in lock_unfinished(session, booking.id):
            if each.command == "cancel" and each.facts.get("reference") == there.reference and unsent(each):
                annul(each, now=now)
    session.flush()


def _give_up(
    session: Session,
    booking: Booking,
    task: ProviderTask,
    request: ChangeRequest | None,
    there: RemoteBooking,
    now: datetime,
) -> None:
    finish(task, "refused", now=now, error="not_wanted")
    _drop(session, booking)
    cancel_stray(session, booking, there.reference, now)
    if request is not None and request.closed_at is None:
        swap.leave(session, booking, request, cause="overtaken", now=now)


def _take_over(session: Session, booking: Booking, reference: str) -> ProviderBooking | None:
    """The new booking becomes the current one; returns the old one."""
    old = order_there(session, booking)
    if old is not None:
        old.role = "superseded"
        session.flush()
    _row(session, booking, reference).role = "current"
    session.flush()
    return old


def _drop(session: Session, booking: Booking) -> None:
    """No booking there is waited for any more."""
    for each in _pending(session, booking):
        each.role = "stray"
    session.flush()


def _pending(session: Session, booking: Booking) -> list[ProviderBooking]:
    return list(
        session.scalars(
            select(ProviderBooking).where(ProviderBooking.booking_id == booking.id, ProviderBooking.role == "pending")
        )
    )


def _row(session: Session, booking: Booking, reference: str) -> ProviderBooking:
    known = order_there(session, booking, reference)
    if known is None:
        raise ValueError("a booking at the provider that was not remembered")
    return known
