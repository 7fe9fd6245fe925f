"""What a provider's answer makes of the command that it answers, by command.

Each returns CURRENT when what the provider reports moves our booking further, PROVIDER_DECIDES or LOOK_UP when the
command is not over yet, else APPLIED.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from booking.actors import provider_actor
from booking.changes import swap
from booking.changes.requests import close_cancel, open_cancel
from booking.changes.withdraw import stays, undo_there
from booking.deadlines import before_the_visit
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.exchange import replacement
from booking.exchange.evidence import REFUSED, Evidence, Result
from booking.exchange.follow import annul_followers, cancel_locally
from booking.exchange.provider_bookings import ProviderBookings
from booking.models import Booking, ChangeRequest, ProviderTask
from booking.notices.notify import notify
from booking.offers.alternatives import elsewhere
from booking.outbox import finish
from booking.states import DEAD, GIVEN_UP, LIVE, MOVABLE, BookingState, legal
from booking.transition import move, touch
from providers.reported import RemoteBooking

_S = BookingState


def reserved(session: Session, booking: Booking, theirs: ProviderBookings, evidence: Evidence, now: datetime) -> Result:
    """The answer to a reserve: there, to be decided there, or refused."""
    task, there = evidence.task, evidence.there
    if there is None:
        _refuse_reserve(session, booking, task, evidence.refusal, now)
        return Result.APPLIED
    row = theirs.record(there, now)
    finish(task, "done", now=now)
    if there.status == "requested":
        _await_decision(session, booking, task, evidence, now)
    if row.role == "stray":
        theirs.cancel_surplus(row, now)
    return Result.CURRENT if row.role == "current" else Result.APPLIED


def cancelled(
    session: Session, booking: Booking, theirs: ProviderBookings, evidence: Evidence, now: datetime
) -> Result:
    """The answer to a cancel, of the booking or of what is surplus there (compensating)."""
    task, there = evidence.task, evidence.there
    if evidence.refusal:
        _refuse_cancel(session, booking, theirs, task, evidence.refusal, now)
        return Result.APPLIED
    if there is not None:
        theirs.record(there, now)
    finish(task, "done", now=now)
    if there is not None and there.status == "requested":
        _await_decision(session, booking, task, evidence, now)
    elif task.facts.get("compensating"):
        theirs.surplus_gone(str(task.facts.get("reference", "")), now)
        replacement.end_given_up(session, booking, now)
    else:
        cancel_locally(session, booking, now)
    return Result.APPLIED


def changed(session: Session, booking: Booking, theirs: ProviderBookings, evidence: Evidence, now: datetime) -> Result:
    """The answer to a change, by the provider's call for it or by a new booking (`replacement`)."""
    task, there = evidence.task, evidence.there
    if task.facts.get("back"):
        return _moved_back(session, booking, theirs, task, evidence, now)
    if evidence.refusal:
        finish(task, "refused", now=now, error=evidence.refusal)
        left = replacement.refused(session, booking, theirs, task, evidence.refusal, now)
        if not left and booking.state in LIVE and _moved_already(session, booking, task):
            _open_time_differs(session, task, booking, evidence.refusal, now)
        row = None if there is None else theirs.known(there.reference)
        return Result.CURRENT if row is not None and row.role == "current" else Result.APPLIED
    if there is None:
        raise ValueError("a change that was neither done nor refused")
    if replacement.replaces(session, booking):
        return replacement.answered(session, booking, theirs, evidence, now)
    _switch(session, booking, theirs, task, there, now)
    return Result.APPLIED


def declined(session: Session, booking: Booking, theirs: ProviderBookings, evidence: Evidence, now: datetime) -> Result:
    """The answer to our declining a proposal: it has ended there, one way or another. The booking's version there may
    say more than this answer does; that comes by message."""
    finish(evidence.task, "refused" if evidence.refusal else "done", now=now, error=evidence.refusal)
    return Result.APPLIED


Apply = Callable[[Session, Booking, ProviderBookings, Evidence, datetime], Result]

ANSWERED: Mapping[str, Apply] = {
    "reserve": reserved,
    "cancel": cancelled,
    "change": changed,
    "decline": declined,
}


def _await_decision(session: Session, booking: Booking, task: ProviderTask, evidence: Evidence, now: datetime) -> None:
    if task.command == "reserve" and booking.state is _S.OUTCOME_UNKNOWN:
        move(session, booking, _S.AWAITING_PROVIDER, actor=provider_actor(session, booking), now=now)
    if evidence.answer_by is not None and booking.state is _S.AWAITING_PROVIDER:
        booking.answer_due_at = before_the_visit(booking, evidence.answer_by, now)


def _refuse_reserve(session: Session, booking: Booking, task: ProviderTask, code: str, now: datetime) -> None:
    finish(task, "refused", now=now, error=code)
    if legal(booking.state, _S.REJECTED):
        facts = elsewhere(session, booking, now=now)
        actor = provider_actor(session, booking)
        move(session, booking, _S.REJECTED, actor=actor, now=now, cause=code, facts=facts)
        close_cancel(session, booking, "done", now)
        annul_followers(session, booking, now)
    elif booking.state in LIVE:  # an allotment place we had already given away
        _open(session, booking, "allotment_refused", booking.public_id, {"code": code}, now)


def _refuse_cancel(
    session: Session, booking: Booking, theirs: ProviderBookings, task: ProviderTask, code: str, now: datetime
) -> None:
    finish(task, "refused", now=now, error=code)
    request, reference = open_cancel(session, booking), task.facts.get("reference")
    if not task.facts.get("compensating") and request is not None:
        request.state, request.closed_at, request.refusal = "refused", now, code
        touch(booking, now=now)
        subject, facts = f"{booking.public_id}:{request.public_id}", elsewhere(session, booking, now=now)
        customer = booking.customer_id
        notify(session, customer, "cancel_refused", subject, now=now, booking_id=booking.id, facts=facts)
    elif theirs.missed(reference):
        replacement.end_given_up(session, booking, now)
        return  # what that means was judged when it was told: nothing, or it is a case of its own (`old_date_used`)
    elif not theirs.wanted(reference):
        _open(session, booking, "cancel_refused", reference or booking.public_id, {"code": code}, now)
        replacement.keeps_both(session, booking, reference or "", now)


def _switch(
    session: Session,
    booking: Booking,
    theirs: ProviderBookings,
    task: ProviderTask,
    there: RemoteBooking,
    now: datetime,
) -> None:
    """The provider carried out the change. A report of its own that is newer than this answer stays valid."""
    known = theirs.known(there.reference)
    newest = 0 if known is None else known.version
    theirs.record(there, now)
    finish(task, "done", now=now)
    if booking.state in GIVEN_UP and there.version > newest:
        theirs.cancel_there(there.reference, now)
    request = swap.open_change(session, booking)
    if request is None or request.id != task.change_request_id:
        return
    if booking.state not in MOVABLE:
        swap.leave(session, booking, request, cause="overtaken", now=now)
        if booking.state in LIVE:
            _open_time_differs(session, task, booking, "overtaken", now)
        return
    if stays(session, booking, request):
        undo_there(session, booking, request, now=now)
        return
    actor = provider_actor(session, booking)
    swap.switch(session, booking, request, actor=actor, now=now)
    if booking.state is _S.AWAITING_PROVIDER:  # the time that it proposed itself
        move(session, booking, _S.CONFIRMED, actor=actor, now=now)
    if there.version >= newest:
        close_discrepancy(session, booking.provider_id, "time_differs", booking.public_id, "agrees_again", now=now)


def _moved_back(
    session: Session,
    booking: Booking,
    theirs: ProviderBookings,
    task: ProviderTask,
    evidence: Evidence,
    now: datetime,
) -> Result:
    """The answer to undoing a change that was taken back. A yes gives the new place back. After a no both places stay
    taken until a look-up has shown which of them the provider holds: that is where the booking is."""
    there, request = evidence.there, swap.open_change(session, booking)
    if evidence.refusal and evidence.source == "answer":
        task.facts = {**task.facts, REFUSED: evidence.refusal}
        return Result.LOOK_UP
    if there is not None:
        theirs.record(there, now)
    finish(task, "refused" if evidence.refusal else "done", now=now, error=evidence.refusal)
    if request is not None and request.id == task.change_request_id:
        if evidence.refusal and there is not None and _held_there(booking, request, there):
            _stand_where_it_is(session, booking, task, request, now)
        else:
            swap.leave(session, booking, request, cause=request.refusal or "withdrawn", now=now)
    if not evidence.refusal:
        close_discrepancy(session, booking.provider_id, "time_differs", booking.public_id, "agrees_again", now=now)
    row = None if there is None else theirs.known(there.reference)
    return Result.CURRENT if evidence.refusal and row is not None and row.role == "current" else Result.APPLIED


def _held_there(booking: Booking, request: ChangeRequest, there: RemoteBooking) -> bool:
    """Whether the provider holds the place of a change that was taken back, for a booking that can still follow it."""
    alive = there.status not in DEAD and booking.state in MOVABLE
    return alive and swap.asks_for(request, there.service_date, there.starts_at)


def _stand_where_it_is(
    session: Session, booking: Booking, task: ProviderTask, request: ChangeRequest, now: datetime
) -> None:
    """The provider keeps her at the time that she had asked for and took back: the booking is there, and she is
    notified of that. The discrepancy between the two is recorded with what settled it."""
    day, starts = request.new_service_date, request.new_starts_at
    facts = {
        "code": str(task.facts.get(REFUSED, "")),
        "task": task.public_id,
        "service_date": day.isoformat() if day else None,
        "starts_at": starts.isoformat() if starts else None,
    }
    provider, subject = booking.provider_id, booking.public_id
    open_discrepancy(session, provider, "time_differs", subject, now=now, booking_id=booking.id, facts=facts)
    swap.switch(session, booking, request, actor=provider_actor(session, booking), now=now, notice="change_stands")
    close_discrepancy(session, provider, "time_differs", subject, "followed_provider", now=now)


def _moved_already(session: Session, booking: Booking, task: ProviderTask) -> bool:
    """Whether our books have moved before the provider was asked (allotted places), and have not gone back since."""
    request = session.get(ChangeRequest, task.change_request_id)
    return request is None or swap.asks_for(request, booking.service_date, booking.starts_at)


def _open_time_differs(session: Session, task: ProviderTask, booking: Booking, code: str, now: datetime) -> None:
    _open(session, booking, "time_differs", booking.public_id, {"code": code, "task": task.public_id}, now)


def _open(session: Session, booking: Booking, kind: str, subject: str, facts: Mapping[str, str], now: datetime) -> None:
    open_discrepancy(session, booking.provider_id, kind, subject, now=now, booking_id=booking.id, facts=facts)
