"""Moving a booking to the time and the state that its provider reports, with all that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from booking.actors import SYSTEM, Actor, provider_actor
from booking.attendance.complained import as_far_as_it_goes
from booking.attendance.early import DAY_OF_SERVICE, TOO_EARLY, close_all_early, refuse_early
from booking.attendance.given_up import given_up_in_time
from booking.attendance.outcome import provider_gave_in
from booking.changes import swap
from booking.changes.cancel import instead
from booking.changes.requests import close_cancel, open_cancel
from booking.changes.withdraw import stays
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.exchange import replacement
from booking.exchange.provider_bookings import ProviderBookings
from booking.listening import is_told_by_lines
from booking.models import Booking, ChangeRequest, ProviderTask
from booking.notices.told_otherwise import notify_difference
from booking.offers.alternatives import elsewhere
from booking.outbox import annul, finish, lock_unfinished, unsent
from booking.states import AT_PROVIDER, DEAD, GIVEN_UP, LIVE, MOVABLE, STATE_OF, BookingState, legal
from booking.transition import move
from marketplace.catalog.kinds import has_times
from marketplace.core.database.db import violated
from providers.reported import RemoteBooking
from vip.entitlements.ledger import EntitlementExhausted

_S = BookingState


def follow_state(
    session: Session, booking: Booking, theirs: ProviderBookings, there: RemoteBooking, now: datetime
) -> None:
    """Move the booking to where the provider says it is, through `confirmed` where the table wants that step. What
    can't be true before the service date says no more than that it has the booking, and is recorded as a discrepancy,
    also when it is met again on that date. That what has no time has begun, and is done, is told by what was said in it
    and not by its status; and so is the visit of whom a provider's own system sends, by its lines (escort.outside).
    What the provider has not decided yet moves nothing; a no-show on a date that is being given up waits for the answer
    to that change. Of what its customer complains nothing is done by it."""
    target = as_far_as_it_goes(session, booking, STATE_OF[there.status])
    if there.status == "requested" or (target is _S.CONFIRMED and _answered_since(booking)):
        return
    if target is _S.REJECTED and not legal(booking.state, target):
        target = _S.CANCELLED
    if booking.state in GIVEN_UP:
        if there.status not in DEAD:
            theirs.cancel_there(there.reference, now)
    elif there.status in DAY_OF_SERVICE and (
        not has_times(booking.kind) or refuse_early(session, booking, there, now) or is_told_by_lines(session, booking)
    ):
        if legal(booking.state, _S.CONFIRMED):
            move(session, booking, _S.CONFIRMED, actor=provider_actor(session, booking), now=now)
    elif target is _S.CANCELLED and open_cancel(session, booking) is not None:
        cancel_locally(session, booking, now)  # the cancel that was asked for, not one of its own
    else:
        correction = "corrected_by_provider"
        close_discrepancy(session, booking.provider_id, TOO_EARLY, there.reference, correction, now=now)
        waits = target is _S.NO_SHOW and _is_leaving(session, booking, there)
        moves = target is not booking.state and not waits
        if moves and not go_to(session, booking, target, provider_actor(session, booking), there.reason, now):
            facts = {"ours": booking.state.value, "theirs": there.status}
            _open(session, booking, "state_differs", facts, now)


def _answered_since(booking: Booking) -> bool:
    """Whether what has no time has gone on since it was passed to its provider: a person may be faster than the
    command that tells of it, and her answer was the yes."""
    return not has_times(booking.kind) and booking.state in AT_PROVIDER


def follow_kept_no_show(
    session: Session, booking: Booking, theirs: ProviderBookings, task: ProviderTask, now: datetime
) -> None:
    """Follow the no-show that waited for the answer to a change: that was no, so the old date stands, and the no-show
    with it."""
    current, request = theirs.current, None
    if task.change_request_id is not None:
        request = session.get(ChangeRequest, task.change_request_id)
    moved = request is not None and request.state == "done"
    if booking.state is _S.CONFIRMED and current is not None and current.status == "no_show" and not moved:
        told = RemoteBooking(current.reference, None, "no_show", current.version)
        follow_state(session, booking, theirs, told, now)


def _is_leaving(session: Session, booking: Booking, there: RemoteBooking) -> bool:
    """Whether the confirmed booking is being moved from the date that is told, which it could not miss any more."""
    if booking.state is not _S.CONFIRMED:
        return False
    if there.service_date is None:
        return given_up_in_time(session, booking, booking.service_date, booking.starts_at)
    return given_up_in_time(session, booking, there.service_date, there.starts_at)


def follow_time(session: Session, booking: Booking, there: RemoteBooking, now: datetime) -> None:
    """Follow the time that the provider reports. The one that an open change asks for accepts that change; if that was
    taken back, the answer to its command undoes it. Another one is a discrepancy, which a person decides, since the
    customer was promised what our books say. What has no time has none that could differ."""
    compared = has_times(booking.kind) and there.status not in DEAD and booking.state in LIVE
    date = there.service_date if compared else None
    agrees = (date, there.starts_at) == (booking.service_date, booking.starts_at)
    if date is not None and (agrees or _accepts_change(session, booking, there, now)):
        close_discrepancy(session, booking.provider_id, "time_differs", booking.public_id, "agrees_again", now=now)
    elif date is not None and not _being_taken_back(session, booking, there):
        starts_at = there.starts_at.isoformat() if there.starts_at else None
        _open(session, booking, "time_differs", {"service_date": date.isoformat(), "starts_at": starts_at}, now)


def _accepts_change(session: Session, booking: Booking, there: RemoteBooking, now: datetime) -> bool:
    """Whether the provider reports the time that an open change asks for; then the booking is moved there."""
    request = swap.open_change(session, booking)
    if (
        request is None
        or booking.state not in MOVABLE
        or there.status == "requested"
        or replacement.replaces(session, booking)
        or stays(session, booking, request)
        or not swap.asks_for(request, there.service_date, there.starts_at)
    ):
        return False
    swap.switch(session, booking, request, actor=provider_actor(session, booking), now=now)
    for task in lock_unfinished(session, booking.id):
        if task.change_request_id == request.id and task.command == "change":
            finish(task, "done", now=now)
    return True


def _being_taken_back(session: Session, booking: Booking, there: RemoteBooking) -> bool:
    request = swap.open_change(session, booking)
    if request is None or not swap.asks_for(request, there.service_date, there.starts_at):
        return False
    return stays(session, booking, request)


def cancel_locally(session: Session, booking: Booking, now: datetime) -> None:
    """Evidence shows that nothing is live at the provider: what was asked for happens here."""
    change = swap.open_change(session, booking)
    if change is not None and legal(booking.state, _S.CANCELLED):
        swap.close(session, booking, change, cause="cancelled", now=now)
    request = open_cancel(session, booking)
    if legal(booking.state, _S.CANCELLED):
        actor = Actor(request.actor_kind, request.actor) if request else SYSTEM  # type: ignore[arg-type]
        cause = request.cause if request else "not_there"
        facts = instead(session, booking, cause, now=now)
        move(session, booking, _S.CANCELLED, actor=actor, now=now, cause=cause, facts=facts)
    close_cancel(session, booking, "done", now)
    close_all_early(session, booking, now)
    annul_followers(session, booking, now)


def annul_followers(session: Session, booking: Booking, now: datetime) -> None:
    """End the booking's commands that were never sent and that nobody needs any more. A compensating cancel is needed
    still: it ends something else than the booking."""
    for task in lock_unfinished(session, booking.id):
        if unsent(task) and not task.facts.get("compensating"):
            annul(task, now=now)


def _end_change(session: Session, booking: Booking, target: BookingState, now: datetime) -> None:
    """The booking goes on at the time it has: a change that was not sent yet is overtaken by that, one that may have
    been sent waits for its answer. A booking that ends takes its change with it: all places go back together."""
    request = swap.open_change(session, booking)
    if request is None:
        return
    if target in GIVEN_UP:
        swap.close(session, booking, request, cause="overtaken", now=now)
        return
    task = next((each for each in lock_unfinished(session, booking.id) if each.change_request_id == request.id), None)
    if task is None and request.state == "withdrawn":
        return  # what it made at the provider is being cancelled there: its place goes back with that
    if task is None or unsent(task):
        if task is not None:
            annul(task, now=now)
        swap.leave(session, booking, request, cause="overtaken", now=now)


def go_to(session: Session, booking: Booking, target: BookingState, actor: Actor, reason: str, now: datetime) -> bool:
    """Move the locked booking to another state, which the provider reports, through `confirmed` where that is its next
    step. False where the table has no such move or our books no longer have what it takes."""
    if legal(booking.state, _S.CONFIRMED) and (target is _S.CONFIRMED or not legal(booking.state, target)):
        move(session, booking, _S.CONFIRMED, actor=actor, now=now)
    return target is booking.state or _moved(session, booking, target, actor, reason, now)


def _moved(session: Session, booking: Booking, target: BookingState, actor: Actor, reason: str, now: datetime) -> bool:
    """The unit that a no-show gave back may be spent, or the person may have been booked elsewhere since. That is a
    discrepancy for a person; it must not stop the feed."""
    if not legal(booking.state, target):
        return False
    _end_change(session, booking, target, now)
    ends, disputed = target in (_S.CANCELLED, _S.REJECTED), booking.state is _S.NO_SHOW
    facts = elsewhere(session, booking, now=now) if ends else {}
    cause = reason or ("cancelled_by_provider" if target is _S.CANCELLED else "")
    try:
        with session.begin_nested():
            move(session, booking, target, actor=actor, now=now, cause=cause, facts=facts)
    except (EntitlementExhausted, IntegrityError) as refused:
        if isinstance(refused, IntegrityError) and violated(refused) != "ex_booking_one_place_at_a_time":
            raise
        return False
    if ends:
        close_cancel(session, booking, "done", now)
        close_all_early(session, booking, now)
        annul_followers(session, booking, now)
    elif disputed:
        provider_gave_in(session, booking, now)
    return True


def _open(session: Session, booking: Booking, kind: str, facts: Mapping[str, str | None], now: datetime) -> None:
    subject = booking.public_id
    if open_discrepancy(session, booking.provider_id, kind, subject, now=now, booking_id=booking.id, facts=facts):
        notify_difference(session, booking, kind, facts, now=now)
