"""Settling: applying a provider's answer to one of our commands.

Evidence moves a booking, nothing else. An answer is accepted only from the claim that asked (fencing by `tries`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import SYSTEM, provider_actor
from booking.changes import swap
from booking.changes.requests import close_request, open_request
from booking.discrepancies import open_discrepancy
from booking.exchange import replacement
from booking.exchange.inbound import follow, follow_time, settle_time
from booking.exchange.proposed_times import follow_proposal
from booking.exchange.provider_bookings import (
    Outcome,
    annul_followers,
    cancel_locally,
    cancel_stray,
    cancel_surplus,
    newest_version,
    no_longer_unknown,
    remember,
    role_of,
    surplus_gone,
)
from booking.models import Booking, ChangeRequest, ProviderTask
from booking.offers.alternatives import elsewhere
from booking.outbox import Claimed, annul, finish
from booking.states import DEAD, GIVEN_UP, LIVE, MOVABLE, OVER, BookingState, legal
from booking.transition import lock_booking, move, touch
from marketplace.catalog.models import Provider
from marketplace.core.db import transaction
from providers.port import Accepted, Answer, Confirmed, NotFound, Refused, RemoteBooking, RetryAfter, Unknown

_S = BookingState

UNKNOWN_BACKOFF = (1, 2, 5, 10, 20, 30, 60)
"""Seconds between look-ups of an open outcome; the last repeats."""


def settle_answer(claimed: Claimed, answer: Answer, *, now: datetime) -> Outcome:
    """Apply the answer to the command of `claimed`. Stale when another claim has taken over since."""
    with transaction() as session:
        task, booking = _lock_claimed(session, claimed)
        if task is None or booking is None:
            return Outcome("stale")
        return _apply_answer(session, task, booking, claimed, answer, now)


def settle_look_up(claimed: Claimed, found: RemoteBooking, *, now: datetime) -> Outcome:
    """Apply what a look-up found for a command whose outcome was open."""
    if claimed.command == "reserve":
        return _settle_found(claimed, found, now)
    if claimed.command == "cancel" and found.status in DEAD:
        return settle_answer(claimed, Confirmed(found.reference, found.version), now=now)
    if claimed.command == "change":
        return _settle_change_found(claimed, found, now)
    if claimed.command == "decline":  # found by the command's key: it arrived
        return settle_answer(claimed, Confirmed(found.reference, found.version), now=now)
    return _send_again(claimed, now=now)


def _apply_answer(
    session: Session, task: ProviderTask, booking: Booking, claimed: Claimed, answer: Answer, now: datetime
) -> Outcome:
    match answer:
        case Refused(code, _) if task.command == "decline":  # the proposal is over there, one way or another
            finish(task, "refused", now=now, error=code)
        case Accepted() | Confirmed() if task.command == "decline":
            finish(task, "done", now=now)  # its version may tell more than this answer does; that comes by message
        case RetryAfter(seconds) if claimed.sent_before:
            _leave_unknown(session, task, booking, "retry_after", now)
            task.run_after = now + _pause(seconds)
            return Outcome("waiting", booking.public_id)
        case RetryAfter(seconds):
            _wait(task, now, seconds)
            return Outcome("waiting", booking.public_id)
        case Unknown(detail):
            _leave_unknown(session, task, booking, detail, now)
            return Outcome("waiting", booking.public_id)
        case NotFound():
            what = _not_found(session, task, booking, now)
            if what != "applied":
                return Outcome(what, booking.public_id)
        case Refused(code, _):
            _refused(session, task, booking, code, now)
        case Accepted() if task.command == "change":
            if _still_wanted(session, task, booking, answer, now):
                return Outcome("waiting", booking.public_id)
        case Accepted(reference, version, answer_by):
            role = remember(session, booking, reference, "requested", version, now)
            finish(task, "done", now=now)
            if task.command == "reserve" and booking.state is _S.OUTCOME_UNKNOWN:
                move(session, booking, _S.AWAITING_PROVIDER, actor=provider_actor(session, booking), now=now)
            if answer_by is not None and booking.state is _S.AWAITING_PROVIDER:
                booking.answer_due_at = answer_by
            if role == "stray":
                cancel_surplus(session, booking, reference, "requested", now)
        case Confirmed(reference, version, _):
            _confirmed(session, task, booking, reference, version, now)
    no_longer_unknown(session, booking, booking.state.value, now)
    return Outcome("applied", booking.public_id)


def _still_wanted(session: Session, task: ProviderTask, booking: Booking, answer: Accepted, now: datetime) -> bool:
    """The provider will answer a change by and by: it is asked again until it has. False, and the change is at its
    end, if that was a new booking (`replacement`) which nobody wants any more."""
    if not replacement.replaces(session, booking):
        _leave_unknown(session, task, booking, "accepted", now)
        return True
    there = RemoteBooking(answer.reference, None, "requested", answer.version)
    if not replacement.accepted(session, booking, task, there, now):
        return False
    _leave_unknown(session, task, booking, "accepted", now)
    task.unknown_since = None  # it has said that it will decide: nobody needs to be asked
    no_longer_unknown(session, booking, "accepted", now)
    return True


def _settle_found(claimed: Claimed, found: RemoteBooking, now: datetime) -> Outcome:
    """What a look-up found for a reserve: its answer, and from there to where the provider says the booking is."""
    with transaction() as session:
        task, booking = _lock_claimed(session, claimed)
        if task is None or booking is None:
            return Outcome("stale")
        return _apply_found(session, task, booking, claimed, found, now)


def _apply_found(
    session: Session, task: ProviderTask, booking: Booking, claimed: Claimed, found: RemoteBooking, now: datetime
) -> Outcome:
    answer: Answer
    match found.status:
        case "requested":
            answer = Accepted(found.reference, found.version)
        case "rejected":
            answer = Refused(found.reason or "other")
        case "cancelled":
            answer = Refused("cancelled_by_provider")
        case _:
            answer = Confirmed(found.reference, found.version, found.starts_at)
    outcome = _apply_answer(session, task, booking, claimed, answer, now)
    if role_of(session, booking, found.reference) == "current":
        if isinstance(answer, Confirmed):
            follow_time(session, booking, found, now)
            follow(session, booking, found, now)
        if found.version >= newest_version(session, booking, found.reference):
            follow_proposal(session, booking, found, now)
    return outcome


def _settle_change_found(claimed: Claimed, found: RemoteBooking, now: datetime) -> Outcome:
    """What a look-up found for a change. A booking that is where we asked it to be was changed; one that lives at its
    old time was not: it is asked for again under the same key, once a late commit is no longer to be expected."""
    with transaction() as session:
        task, booking = _lock_claimed(session, claimed)
        if task is None or booking is None:
            return Outcome("stale")
        if replacement.replaces(session, booking):
            return _apply_found(session, task, booking, claimed, found, now)
        request = session.get(ChangeRequest, task.change_request_id)
        answer: Answer = NotFound()
        if found.status in DEAD:
            answer = Refused(found.reason or "other")
        elif request is not None and swap.asks_for(request, found.service_date, found.starts_at):
            answer = Confirmed(found.reference, found.version, found.starts_at)
            if found.status == "requested":
                answer = Accepted(found.reference, found.version)
        outcome = _apply_answer(session, task, booking, claimed, answer, now)
        if isinstance(answer, Refused) and role_of(session, booking, found.reference) == "current":
            follow(session, booking, found, now)
        return outcome


def _lock_claimed(session: Session, claimed: Claimed) -> tuple[ProviderTask | None, Booking | None]:
    task = session.scalar(
        select(ProviderTask)
        .where(
            ProviderTask.id == claimed.id,
            ProviderTask.tries == claimed.tries,
            ProviderTask.state == "in_flight",
        )
        .with_for_update()
    )
    if task is None:
        return None, None
    booking, _ = lock_booking(session, claimed.booking_id)
    return task, booking


def _wait(task: ProviderTask, now: datetime, seconds: float) -> None:
    """The provider took nothing of a command that it has never been sent before: queue it as if unsent."""
    task.state = "queued"
    task.first_sent_at = None
    task.lease_until = None
    task.run_after = now + _pause(seconds)
    task.last_error = "retry_after"


def _pause(seconds: float) -> timedelta:
    return timedelta(seconds=min(max(seconds, 1.0), 3600.0))


def _leave_unknown(session: Session, task: ProviderTask, booking: Booking, detail: str, now: datetime) -> None:
    if task.unknown_since is None and task.change_request_id is not None:
        touch(booking, now=now)  # an open page tells that the answer is being looked up
    task.state = "unknown"
    task.unknown_since = task.unknown_since or now
    task.lease_until = None
    task.run_after = now + timedelta(seconds=UNKNOWN_BACKOFF[min(task.tries, len(UNKNOWN_BACKOFF)) - 1])
    task.last_error = detail[:200]
    if task.command == "reserve" and booking.state is _S.AWAITING_PROVIDER:
        move(session, booking, _S.OUTCOME_UNKNOWN, actor=SYSTEM, now=now, cause="no_clear_answer")


def _not_found(session: Session, task: ProviderTask, booking: Booking, now: datetime) -> str:
    """Nothing is there now. Late commits exist, so it is believed only after the provider's settle window."""
    window = session.scalar(select(Provider.settle_window_seconds).where(Provider.id == booking.provider_id)) or 0
    settled_at = (task.first_sent_at or now) + timedelta(seconds=window)
    if now < settled_at:
        task.state = "unknown"
        task.unknown_since = task.unknown_since or now
        task.lease_until = None
        task.run_after = min(settled_at, now + timedelta(seconds=UNKNOWN_BACKOFF[min(task.tries, 7) - 1]))
        if task.command == "reserve" and booking.state is _S.AWAITING_PROVIDER:
            move(session, booking, _S.OUTCOME_UNKNOWN, actor=SYSTEM, now=now, cause="no_clear_answer")
        return "waiting"
    if task.command == "cancel":
        _cancelled_there(session, task, booking, now)
        return "applied"
    if task.command == "change" and _not_wanted(session, task, booking, now):
        return "applied"
    if task.command == "reserve" and (booking.state in OVER or open_request(session, booking) is not None):
        annul(task, now=now)
        cancel_locally(session, booking, now)
        return "applied"
    _queue_again(task, now)
    if task.command == "reserve" and booking.state is _S.OUTCOME_UNKNOWN:
        move(session, booking, _S.AWAITING_PROVIDER, actor=SYSTEM, now=now, cause="sending_again")
    return "resend"


def _not_wanted(session: Session, task: ProviderTask, booking: Booking, now: datetime) -> bool:
    """End a change that was taken back, or whose booking has moved on, and that never arrived: nothing to send."""
    request = swap.open_change(session, booking)
    if request is not None and request.state == "open" and booking.state in MOVABLE:
        return False
    annul(task, now=now)
    if request is not None:
        swap.leave(session, booking, request, cause="withdrawn", now=now)
    return True


def _queue_again(task: ProviderTask, now: datetime) -> None:
    task.state = "queued"
    task.first_sent_at = None
    task.unknown_since = None
    task.lease_until = None
    task.run_after = now


def _send_again(claimed: Claimed, *, now: datetime) -> Outcome:
    """The look-up shows that the command had no effect: send it again under the same key."""
    with transaction() as session:
        task, booking = _lock_claimed(session, claimed)
        if task is None or booking is None:
            return Outcome("stale")
        _queue_again(task, now)
        return Outcome("resend", booking.public_id)


def _refused(session: Session, task: ProviderTask, booking: Booking, code: str, now: datetime) -> None:
    finish(task, "refused", now=now, error=code)
    actor = provider_actor(session, booking)
    if task.command == "change":
        _change_refused(session, task, booking, code, now)
        return
    if task.command == "cancel":
        request = open_request(session, booking)
        if task.facts.get("compensating") or request is None:
            open_discrepancy(
                session,
                booking.provider_id,
                "cancel_refused",
                task.facts.get("reference") or booking.public_id,
                now=now,
                booking_id=booking.id,
                facts={"code": code},
            )
        else:
            request.state, request.closed_at, request.cause = "refused", now, code
            touch(booking, now=now)
        return
    if legal(booking.state, _S.REJECTED):
        facts = elsewhere(session, booking, now=now)
        move(session, booking, _S.REJECTED, actor=actor, now=now, cause=code, facts=facts)
        close_request(session, booking, "done", now)
        annul_followers(session, booking, now)
    elif booking.state in LIVE:  # an allotment place we had already given away
        open_discrepancy(
            session,
            booking.provider_id,
            "allotment_refused",
            booking.public_id,
            now=now,
            booking_id=booking.id,
            facts={"code": code},
        )


def _confirmed(
    session: Session, task: ProviderTask, booking: Booking, reference: str, version: int, now: datetime
) -> None:
    if task.command == "cancel":
        remember(session, booking, reference, "cancelled", version, now)
        _cancelled_there(session, task, booking, now)
        return
    if task.command == "change" and replacement.replaces(session, booking):
        there = RemoteBooking(reference, None, "confirmed", version)
        replacement.complete(session, booking, task, there, now)
        return
    if task.command == "change":
        _changed(session, task, booking, reference, version, now)
        return
    role = remember(session, booking, reference, "confirmed", version, now)
    finish(task, "done", now=now)
    if role == "stray":
        cancel_surplus(session, booking, reference, "confirmed", now)
    elif legal(booking.state, _S.CONFIRMED):
        move(session, booking, _S.CONFIRMED, actor=provider_actor(session, booking), now=now)


def _cancelled_there(session: Session, task: ProviderTask, booking: Booking, now: datetime) -> None:
    finish(task, "done", now=now)
    if task.facts.get("compensating"):
        surplus_gone(session, booking, str(task.facts.get("reference", "")), now)
    else:
        cancel_locally(session, booking, now)


def _changed(
    session: Session, task: ProviderTask, booking: Booking, reference: str, version: int, now: datetime
) -> None:
    """The provider carried out the change. A word of its own that is newer than this answer stands."""
    newest = newest_version(session, booking, reference)
    remember(session, booking, reference, "confirmed", version, now)
    finish(task, "done", now=now)
    if booking.state in GIVEN_UP and version > newest:
        cancel_stray(session, booking, reference, now)
    request = swap.open_change(session, booking)
    if request is None or request.id != task.change_request_id:
        return
    if booking.state in MOVABLE:
        actor = provider_actor(session, booking)
        swap.switch(session, booking, request, actor=actor, now=now)
        if booking.state is _S.AWAITING_PROVIDER:  # the time that it proposed itself
            move(session, booking, _S.CONFIRMED, actor=actor, now=now)
        if version >= newest:
            settle_time(session, booking, now)
        return
    swap.leave(session, booking, request, cause="overtaken", now=now)
    if booking.state in LIVE:
        _open_time_differs(session, task, booking, "overtaken", now)


def _change_refused(session: Session, task: ProviderTask, booking: Booking, code: str, now: datetime) -> None:
    left = replacement.refused(session, booking, task, code, now)
    if not left and booking.state in LIVE:  # an allotment place: our books have moved already
        _open_time_differs(session, task, booking, code, now)


def _open_time_differs(session: Session, task: ProviderTask, booking: Booking, code: str, now: datetime) -> None:
    open_discrepancy(
        session,
        booking.provider_id,
        "time_differs",
        booking.public_id,
        now=now,
        booking_id=booking.id,
        facts={"code": code, "task": task.public_id},
    )
