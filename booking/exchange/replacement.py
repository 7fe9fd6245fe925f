"""A change of date at a provider that has no call for it: book the new date first, cancel the old one last.

The new booking there has a number of ours of its own (`own_reference`), so that a look-up finds the one or the other,
and the role `pending` until the provider has said yes: what it reports of it moves nothing here. Then, in one
transaction, it becomes `current`, the old one `superseded` and cancelled there, and the swap takes place here. Refused,
unknown or withdrawn, it leaves the old date valid; what lives there without need is cancelled.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import provider_actor
from booking.changes import swap
from booking.discrepancies import Discrepancy, close_discrepancy
from booking.exchange.evidence import Evidence, Result
from booking.exchange.provider_bookings import ProviderBookings
from booking.models import Booking, ChangeRequest, ProviderBooking, ProviderTask
from booking.notices.told_otherwise import KEEPS_BOTH, notify_difference
from booking.outbox import UNFINISHED, annul, finish, lock_unfinished, unsent
from booking.references import named, own_reference
from booking.states import DEAD, GIVEN_UP, MOVABLE, BookingState
from booking.transition import move, touch
from marketplace.catalog.models import Provider
from providers.registry import capabilities
from providers.reported import RemoteBooking


def replaces(session: Session, booking: Booking) -> bool:
    """Whether a change of this booking is a new booking at its provider."""
    adapter = session.scalar(select(Provider.adapter).where(Provider.id == booking.provider_id))
    return not capabilities(adapter or "").change


def role_of_new(session: Session, booking: Booking, theirs: ProviderBookings, there: RemoteBooking) -> str:
    """The role of a booking first seen under the number of a change: `pending` if that change waits for it, else
    `stray`, for one that came too late or twice."""
    _, seq = named(there.our_reference)
    waits = session.scalar(
        select(ProviderTask.id).where(
            ProviderTask.booking_id == booking.id,
            ProviderTask.seq == seq,
            ProviderTask.command == "change",
            ProviderTask.state.in_(UNFINISHED),
        )
    )
    return "pending" if waits is not None and not theirs.pending else "stray"


def reported(session: Session, booking: Booking, theirs: ProviderBookings, there: RemoteBooking, now: datetime) -> None:
    """The provider reports by itself on the booking that a change waits for."""
    task = next((each for each in lock_unfinished(session, booking.id) if each.command == "change"), None)
    if task is None:
        theirs.drop_pending()
        if there.status not in DEAD:
            theirs.cancel_there(there.reference, now)
    elif there.status in DEAD:
        finish(task, "refused", now=now, error=there.reason or "other")
        refused(session, booking, theirs, task, there.reason or "other", now)
    elif there.status != "requested":
        complete(session, booking, theirs, task, there, now)


def answered(session: Session, booking: Booking, theirs: ProviderBookings, evidence: Evidence, now: datetime) -> Result:
    """The answer to a change that is a new booking there: PROVIDER_DECIDES while it does, CURRENT where a look-up says
    more of a new booking that has taken the old one's place, else APPLIED."""
    task, there = evidence.task, evidence.there
    if there is None:
        raise ValueError("a change that was neither done nor refused")
    if there.status == "requested":
        return accepted(session, booking, theirs, task, there, now)
    complete(session, booking, theirs, task, there, now)
    row = theirs.known(there.reference)
    says_more = evidence.source == "look_up" and row is not None and row.role == "current"
    return Result.CURRENT if says_more else Result.APPLIED


def accepted(
    session: Session,
    booking: Booking,
    theirs: ProviderBookings,
    task: ProviderTask,
    there: RemoteBooking,
    now: datetime,
) -> Result:
    """The provider has the new booking and will decide later: PROVIDER_DECIDES if that is still wanted; else the
    change ends here, the new booking is cancelled there, and it is APPLIED."""
    _adopt(session, booking, theirs, task, there, now)
    request = _request(session, task)
    if _wanted(booking, request):
        return Result.PROVIDER_DECIDES
    _give_up(session, booking, theirs, task, request, there, now)
    return Result.APPLIED


def complete(
    session: Session,
    booking: Booking,
    theirs: ProviderBookings,
    task: ProviderTask,
    there: RemoteBooking,
    now: datetime,
) -> None:
    """The new booking is firm: it takes the old one's place, there and here. Not if the change was taken back or the
    booking went on meanwhile: then it is cancelled there."""
    row = _adopt(session, booking, theirs, task, there, now)
    request = _request(session, task)
    done = request is not None and request.state == "done"
    switched_before = done and booking.state is BookingState.CONFIRMED  # allotted places
    if not _wanted(booking, request) and not switched_before:
        _give_up(session, booking, theirs, task, request, there, now)
        return
    finish(task, "done", now=now)
    theirs.take_over(row, now)
    if request is not None and not switched_before:
        actor = provider_actor(session, booking)
        swap.switch(session, booking, request, actor=actor, now=now)
        if booking.state is BookingState.AWAITING_PROVIDER:  # the time that it proposed itself
            move(session, booking, BookingState.CONFIRMED, actor=actor, now=now)


def refused(
    session: Session, booking: Booking, theirs: ProviderBookings, task: ProviderTask, code: str, now: datetime
) -> bool:
    """The provider said no: the old date stays valid. False if no change was open for it (allotted places: our books
    have moved already)."""
    theirs.drop_pending()
    request = swap.open_change(session, booking)
    if request is None or request.id != task.change_request_id:
        return False
    swap.leave(session, booking, request, cause=code, now=now)
    return True


def _wanted(booking: Booking, request: ChangeRequest | None) -> bool:
    return request is not None and request.state == "open" and booking.state in MOVABLE


def _request(session: Session, task: ProviderTask) -> ChangeRequest | None:
    return session.get(ChangeRequest, task.change_request_id) if task.change_request_id is not None else None


def _adopt(
    session: Session,
    booking: Booking,
    theirs: ProviderBookings,
    task: ProviderTask,
    there: RemoteBooking,
    now: datetime,
) -> ProviderBooking:
    """This is the one that the change waits for; another one seen before under the same number is too many."""
    for other in theirs.pending:
        if other.reference != there.reference:
            other.role = "stray"
            if other.status not in DEAD:
                theirs.cancel_surplus(other, now)
    row = theirs.record(there, now, ours=own_reference(booking.public_id, task.seq), role="pending")
    if row.role == "stray":
        row.role = "pending"
        close_discrepancy(
            session, booking.provider_id, "duplicate_there", there.reference, "the_other_is_surplus", now=now
        )
        for each in lock_unfinished(session, booking.id):
            if each.command == "cancel" and each.facts.get("reference") == there.reference and unsent(each):
                annul(each, now=now)
    session.flush()
    return row


def _give_up(
    session: Session,
    booking: Booking,
    theirs: ProviderBookings,
    task: ProviderTask,
    request: ChangeRequest | None,
    there: RemoteBooking,
    now: datetime,
) -> None:
    finish(task, "refused", now=now, error="not_wanted")
    theirs.drop_pending()
    theirs.cancel_there(there.reference, now)
    if request is None or request.closed_at is not None:
        return
    if booking.state in GIVEN_UP:
        swap.leave(session, booking, request, cause="overtaken", now=now)
    elif request.state == "open":
        request.state, request.refusal = "withdrawn", "overtaken"
        touch(booking, now=now)


def end_given_up(session: Session, booking: Booking, now: datetime) -> None:
    """Something that was surplus at the provider has ended there. A change that was given up gives its place back when
    nothing of it is left: no command for it or for what it made is under way, none was refused."""
    request = swap.open_change(session, booking)
    if request is None or request.state != "withdrawn" or not replaces(session, booking):
        return
    if not _alive_there(session, booking, request):
        swap.leave(session, booking, request, cause=request.refusal or "withdrawn", now=now)


def keeps_both(session: Session, booking: Booking, reference: str, now: datetime) -> None:
    """The provider does not cancel what a change that was given up has made there: its place stays taken here as well,
    until that has ended or its date is over (`end_past_changes`), and the customer is notified that her old date is
    valid."""
    request = swap.open_change(session, booking)
    if request is None or reference not in _living(session, booking, request):
        end_given_up(session, booking, now)
        return
    day, starts = request.new_service_date, request.new_starts_at
    facts = {
        "service_date": day.isoformat() if day else None,
        "starts_at": starts.isoformat() if starts else None,
    }
    notify_difference(session, booking, KEEPS_BOTH, facts, now=now)


def _living(session: Session, booking: Booking, request: ChangeRequest) -> set[str]:
    """References of what the change has made at the provider and is not known to have ended there."""
    numbers = [
        own_reference(booking.public_id, seq)
        for seq in session.scalars(select(ProviderTask.seq).where(ProviderTask.change_request_id == request.id))
    ]
    made = select(ProviderBooking.reference).where(
        ProviderBooking.booking_id == booking.id,
        ProviderBooking.our_reference.in_(numbers),
        ProviderBooking.status.not_in(DEAD),
    )
    return set(session.scalars(made))


def _alive_there(session: Session, booking: Booking, request: ChangeRequest) -> bool:
    tasks = lock_unfinished(session, booking.id)
    if any(each.change_request_id == request.id for each in tasks):
        return True
    living = _living(session, booking, request)
    if any(each.command == "cancel" and each.facts.get("reference") in living for each in tasks):
        return True
    refused = select(Discrepancy.id).where(
        Discrepancy.booking_id == booking.id,
        Discrepancy.kind == "cancel_refused",
        Discrepancy.subject.in_(living),
        Discrepancy.closed_at.is_(None),
    )
    return session.scalar(refused.limit(1)) is not None
