"""Settling: from the answer to one of our commands to evidence, or to one more silence.

Evidence moves a booking, nothing else. An answer is accepted only from the claim that asked (fencing by `tries`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import SYSTEM
from booking.calls.breaker import pause
from booking.changes import swap
from booking.changes.requests import open_cancel
from booking.exchange import replacement
from booking.exchange.evidence import REFUSED, Evidence, Outcome, Result
from booking.exchange.follow import cancel_locally
from booking.exchange.inbound import apply_evidence, no_longer_unknown
from booking.exchange.provider_bookings import ProviderBookings
from booking.exchange.silence import backoff, leave_unknown, look_up_later, queue_again, queue_unsent
from booking.models import Booking, ChangeRequest, ProviderTask
from booking.outbox import Claimed, annul, finish
from booking.states import DEAD, MOVABLE, OVER, BookingState
from booking.transition import lock_booking, move
from marketplace.catalog.models import Provider
from marketplace.core.database.db import transaction
from providers.port import Accepted, Answer, Confirmed, NotFound, Refused, RetryAfter, Unknown
from providers.reported import BookingStatus, RemoteBooking

_S = BookingState


def settle_answer(claimed: Claimed, answer: Answer, *, now: datetime) -> Outcome:
    """Make evidence of the answer to the command of `claimed` and have it applied (`inbound.apply_evidence`); without a
    clear answer, leave the command to be looked up or sent again. Stale when another claim has taken over since."""

    def settle(session: Session, task: ProviderTask, booking: Booking) -> Outcome:
        return _settle(session, task, booking, answer, claimed.sent_before, now)

    return _with_claim(claimed, settle)


def settle_look_up(claimed: Claimed, found: RemoteBooking, *, now: datetime) -> Outcome:
    """Make evidence of what a look-up found for a command whose outcome was open and have it applied, or, where the
    command had no effect there, have it sent again."""

    def settle(session: Session, task: ProviderTask, booking: Booking) -> Outcome:
        evidence = _found(session, task, booking, found)
        if evidence is not None:
            return _apply(session, task, booking, evidence, now)
        if task.command == "change":  # it lives at its old time: the change did not arrive, or not yet
            return _nothing_there(session, task, booking, now)
        return _not_cancelled(session, task, booking, now)

    return _with_claim(claimed, settle)


def _with_claim(claimed: Claimed, settle: Callable[[Session, ProviderTask, Booking], Outcome]) -> Outcome:
    """Settle the claimed task in a transaction, with booking and task locked."""
    with transaction() as session:
        booking, _ = lock_booking(session, claimed.booking_id)
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
            return Outcome("stale")
        return settle(session, task, booking)


def _settle(
    session: Session, task: ProviderTask, booking: Booking, answer: Answer, sent_before: bool, now: datetime
) -> Outcome:
    match answer:
        case Unknown(detail):
            return _wait_unknown(session, task, booking, detail, now)
        case RetryAfter(seconds) if sent_before:
            leave_unknown(session, task, booking, "retry_after", now)
            task.run_after = now + pause(seconds)
            return Outcome("waiting", booking.public_id)
        case RetryAfter(seconds, reached):
            queue_unsent(task, now, seconds, reached=reached)
            return Outcome("waiting", booking.public_id)
        case NotFound():
            return _nothing_there(session, task, booking, now)
        case Refused(code, _):
            return _apply(session, task, booking, Evidence("answer", None, task, refusal=code), now)
        case Accepted(reference, version, answer_by):
            there = RemoteBooking(reference, None, "requested", version)
            return _apply(session, task, booking, Evidence("answer", there, task, answer_by=answer_by), now)
        case Confirmed(reference, version, _):
            status: BookingStatus = "cancelled" if task.command == "cancel" else "confirmed"
            there = RemoteBooking(reference, None, status, version)
            return _apply(session, task, booking, Evidence("answer", there, task), now)


def _apply(session: Session, task: ProviderTask, booking: Booking, evidence: Evidence, now: datetime) -> Outcome:
    """Have the evidence applied, and leave a command waiting that is not over yet. A change that the provider has, and
    will decide on, is asked about again until it has. An answer under another booking's reference is no evidence."""
    there = evidence.there
    if there is not None and ProviderBookings(session, booking).used_for_another(there.reference):
        return _wait_unknown(session, task, booking, "reference_used_twice", now)
    accepted = there is not None and there.status == "requested"
    if accepted and task.command == "change" and not replacement.replaces(session, booking):
        return _wait_unknown(session, task, booking, "accepted", now)
    result = apply_evidence(session, booking, evidence, now)
    if result is Result.LOOK_UP:
        return _wait_unknown(session, task, booking, evidence.refusal, now)
    if result is Result.PROVIDER_DECIDES:
        leave_unknown(session, task, booking, "accepted", now)
        task.unknown_since = task.silent_since = None  # it has said that it will decide: nobody needs to be asked
        no_longer_unknown(session, booking, "accepted", now)
        return Outcome("waiting", booking.public_id)
    return Outcome(result.value, booking.public_id)


def _found(session: Session, task: ProviderTask, booking: Booking, found: RemoteBooking) -> Evidence | None:
    """What a look-up's finding says of the command; None when it shows that the command had no effect."""
    yes = Evidence("look_up", found, task)
    match task.command:
        case "decline":  # found by the command's key: it arrived
            return yes
        case "cancel":
            return yes if found.status in DEAD else None
        case "change" if not replacement.replaces(session, booking):
            return _found_changed(session, task, booking, found)
        case _ if found.status in DEAD:
            code = "cancelled_by_provider" if found.status == "cancelled" else found.reason or "other"
            return Evidence("look_up", None, task, refusal=code)
    return yes


def _found_changed(session: Session, task: ProviderTask, booking: Booking, found: RemoteBooking) -> Evidence | None:
    """A booking that is where we asked it to be was changed; one that lives at its old time was not: the change is
    asked for again under the same key, once a late commit is no longer to be expected."""
    request = session.get(ChangeRequest, task.change_request_id)
    if found.status in DEAD:
        return Evidence("look_up", found, task, refusal=found.reason or "other")
    if task.facts.get("back"):
        arrived = (found.service_date, found.starts_at) == (booking.service_date, booking.starts_at)
        if REFUSED in task.facts and not arrived:
            return Evidence("look_up", found, task, refusal=task.facts[REFUSED])
    else:
        arrived = request is not None and swap.asks_for(request, found.service_date, found.starts_at)
    return Evidence("look_up", found, task) if arrived else None


def _not_cancelled(session: Session, task: ProviderTask, booking: Booking, now: datetime) -> Outcome:
    """What was to be cancelled lives on: send the cancel again under the same key, if it is still surplus."""
    if ProviderBookings(session, booking).wanted(task.facts.get("reference")):  # only what was surplus is named
        finish(task, "refused", now=now, error="not_wanted")
        return Outcome("applied", booking.public_id)
    queue_again(task, now)
    return Outcome("resend", booking.public_id)


def _wait_unknown(session: Session, task: ProviderTask, booking: Booking, detail: str, now: datetime) -> Outcome:
    leave_unknown(session, task, booking, detail, now)
    return Outcome("waiting", booking.public_id)


def _nothing_there(session: Session, task: ProviderTask, booking: Booking, now: datetime) -> Outcome:
    """Nothing is there now. Late commits exist, so it is believed only after the provider's settle window."""
    window = session.scalar(select(Provider.settle_window_seconds).where(Provider.id == booking.provider_id)) or 0
    settled_at = (task.first_sent_at or now) + timedelta(seconds=window)
    if now < settled_at:
        look_up_later(session, task, booking, min(settled_at, now + backoff(task)), now)
        return Outcome("waiting", booking.public_id)
    if task.command == "cancel":
        return _apply(session, task, booking, Evidence("look_up", None, task), now)
    if _needless(session, task, booking, now):
        no_longer_unknown(session, booking, booking.state.value, now)
        return Outcome("applied", booking.public_id)
    queue_again(task, now)
    if task.command == "reserve" and booking.state is _S.OUTCOME_UNKNOWN:
        move(session, booking, _S.AWAITING_PROVIDER, actor=SYSTEM, now=now, cause="sending_again")
    return Outcome("resend", booking.public_id)


def _needless(session: Session, task: ProviderTask, booking: Booking, now: datetime) -> bool:
    """End a command that never arrived and that nobody wants any more: a reserve of what is over or to be cancelled, a
    change that was taken back or whose booking has moved on. False if it is to be sent again."""
    if task.command == "reserve" and (booking.state in OVER or open_cancel(session, booking) is not None):
        annul(task, now=now)
        cancel_locally(session, booking, now)
        return True
    request = swap.open_change(session, booking)
    state = "withdrawn" if task.facts.get("back") else "open"
    wanted = request is not None and request.state == state and booking.state in MOVABLE and REFUSED not in task.facts
    if task.command != "change" or wanted:
        return False
    annul(task, now=now)
    if request is not None:
        swap.leave(session, booking, request, cause="withdrawn", now=now)
    return True
