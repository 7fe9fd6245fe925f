"""Applying a provider's word to a booking: the answer to a command, or what it tells of a booking by itself.

Evidence moves a booking, nothing else. An answer is accepted only from the claim that asked (fencing by `tries`); a
message about a booking only when it is newer than the last and about the provider booking that is `current`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import swap
from booking.actors import SYSTEM, Actor
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.models import Booking, ChangeRequest, ProviderBooking, ProviderTask, Slot
from booking.outbox import UNFINISHED, Claimed, annul, enqueue, finish, lock_unfinished, unsent
from booking.states import LIVE, OVER, BookingState, legal
from booking.transition import lock_booking, move
from marketplace.catalog.models import Provider
from marketplace.core.db import reading, transaction
from marketplace.core.logging import get_logger
from providers.port import Accepted, Answer, Confirmed, NotFound, Refused, RemoteBooking, RetryAfter, Unknown

log = get_logger(__name__)
_S = BookingState

UNKNOWN_BACKOFF = (1, 2, 5, 10, 20, 30, 60)
"""Seconds between look-ups of an open outcome; the last repeats."""

_ENDED = frozenset({_S.CANCELLED, _S.REJECTED, _S.EXPIRED, _S.ENTERED_IN_ERROR})

_NEVER_SENT = frozenset({_S.HELD, _S.WAITLISTED})
"""A provider that tells of such a booking tells of something we never asked for."""

_TARGET: dict[str, BookingState] = {
    "confirmed": _S.CONFIRMED,
    "rejected": _S.REJECTED,
    "cancelled": _S.CANCELLED,
    "checked_in": _S.CHECKED_IN,
    "in_service": _S.IN_SERVICE,
    "fulfilled": _S.FULFILLED,
    "no_show": _S.NO_SHOW,
}


@dataclass(frozen=True)
class Outcome:
    """What settling did, for counts and logs: applied, stale, waiting, resend, stray, unmatched or unchanged."""

    what: str
    booking: str | None = None


def settle_answer(claimed: Claimed, answer: Answer, *, now: datetime) -> Outcome:
    """Apply the answer to the command of `claimed`. Stale when another claim has taken over since."""
    with transaction() as session:
        task, booking = _lock_claimed(session, claimed)
        if task is None or booking is None:
            return Outcome("stale")
        match answer:
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
                return Outcome(_not_found(session, task, booking, now), booking.public_id)
            case Refused(code, _):
                _refused(session, task, booking, code, now)
            case Accepted(reference, version, answer_by):
                role = _remember(session, booking, reference, "requested", version, now)
                finish(task, "done", now=now)
                if task.command == "reserve" and booking.state is _S.OUTCOME_UNKNOWN:
                    move(session, booking, _S.AWAITING_PROVIDER, actor=_provider(session, booking), now=now)
                if answer_by is not None and booking.state is _S.AWAITING_PROVIDER:
                    booking.answer_due_at = answer_by
                if role == "stray":
                    _cancel_stray(session, booking, reference, now)
            case Confirmed(reference, version, _):
                _confirmed(session, task, booking, reference, version, now)
        return Outcome("applied", booking.public_id)


def settle_look_up(claimed: Claimed, found: RemoteBooking, *, now: datetime) -> Outcome:
    """Apply what a look-up found for a command whose outcome was open."""
    live_there = found.status not in ("cancelled", "rejected")
    answer: Answer
    if claimed.command == "reserve":
        if found.status == "requested":
            answer = Accepted(found.reference, found.version)
        elif found.status == "rejected":
            answer = Refused(found.reason or "other")
        elif found.status == "cancelled":
            answer = Refused("cancelled_by_provider")
        else:
            answer = Confirmed(found.reference, found.version, found.starts_at)
    elif claimed.command == "cancel":
        if live_there:
            return _send_again(claimed, now=now)
        answer = Confirmed(found.reference, found.version)
    else:
        answer = _change_found(claimed, found)
    outcome = settle_answer(claimed, answer, now=now)
    if outcome.what == "applied" and claimed.command == "reserve" and found.status not in ("requested", "confirmed"):
        with transaction() as session:
            return apply_remote(session, claimed.provider_id, found, now=now)
    return outcome


def _change_found(claimed: Claimed, found: RemoteBooking) -> Answer:
    """The key is known at the provider, so the change was carried out, if the booking is where we asked it to be."""
    with reading() as session:
        slot = session.scalar(
            select(Slot)
            .join(ChangeRequest, ChangeRequest.new_slot_id == Slot.id)
            .join(ProviderTask, ProviderTask.change_request_id == ChangeRequest.id)
            .where(ProviderTask.id == claimed.id)
        )
    if slot is None or found.status in ("cancelled", "rejected"):
        return Refused("other")
    if (found.service_date, found.starts_at) == (slot.service_date, slot.starts_at):
        return Confirmed(found.reference, found.version, found.starts_at)
    return Unknown("the booking is not where we asked it to be")


def apply_remote(session: Session, provider_id: int, remote: RemoteBooking, *, now: datetime) -> Outcome:
    """Apply a provider's message about one of its bookings, in the caller's transaction."""
    booking_id = _find(session, provider_id, remote)
    if booking_id is None:
        if remote.status in ("cancelled", "rejected"):
            return Outcome("unmatched")
        open_discrepancy(
            session,
            provider_id,
            "theirs_only",
            remote.reference,
            now=now,
            facts={"status": remote.status, "our_reference": remote.our_reference or ""},
        )
        return Outcome("unmatched")
    booking, tasks = lock_booking(session, booking_id)
    if booking.state in _NEVER_SENT or remote.our_reference not in (None, booking.public_id):
        facts = {"status": remote.status, "our_reference": remote.our_reference or ""}
        open_discrepancy(session, provider_id, "theirs_only", remote.reference, now=now, facts=facts)
        return Outcome("unmatched", booking.public_id)
    known = session.scalar(
        select(ProviderBooking).where(
            ProviderBooking.provider_id == provider_id, ProviderBooking.reference == remote.reference
        )
    )
    if known is not None and remote.version <= known.version:
        return Outcome("unchanged", booking.public_id)
    role = _remember(session, booking, remote.reference, remote.status, remote.version, now)
    if role != "current":
        if remote.status not in ("cancelled", "rejected"):
            _cancel_stray(session, booking, remote.reference, now)
        return Outcome("stray", booking.public_id)
    reserve = next((task for task in tasks if task.command == "reserve"), None)
    _follow_time(session, booking, remote, now)
    if reserve is not None and remote.status != "requested":
        finish(reserve, "refused" if remote.status == "rejected" else "done", now=now)
    _follow(session, booking, remote, now)
    return Outcome("applied", booking.public_id)


# --- steps ----------------------------------------------------------------------------------------------------------


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


def _provider(session: Session, booking: Booking) -> Actor:
    code = session.scalar(select(Provider.code).where(Provider.id == booking.provider_id))
    return Actor("provider", code or "")


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
    if task.command == "change" and _withdrawn(session, task, booking, now):
        return "applied"
    if task.command == "reserve" and (booking.state in OVER or _open_request(session, booking) is not None):
        annul(task, now=now)
        _cancel_locally(session, booking, now)
        return "applied"
    _queue_again(task, now)
    if task.command == "reserve" and booking.state is _S.OUTCOME_UNKNOWN:
        move(session, booking, _S.AWAITING_PROVIDER, actor=SYSTEM, now=now, cause="sending_again")
        close_discrepancy(session, booking.provider_id, "outcome_unknown", booking.public_id, "sent_again", now=now)
    return "resend"


def _withdrawn(session: Session, task: ProviderTask, booking: Booking, now: datetime) -> bool:
    """A change that was taken back, or whose booking has ended, and that never arrived: nothing to send."""
    request = swap.open_change(session, booking)
    if request is not None and request.state == "open" and booking.state is _S.CONFIRMED:
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
    actor = _provider(session, booking)
    if task.command == "change":
        request = swap.open_change(session, booking)
        if request is not None and request.id == task.change_request_id:
            swap.leave(session, booking, request, cause=code, now=now)
        return
    if task.command == "cancel":
        request = _open_request(session, booking)
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
            booking.version += 1
            booking.updated_at = now
        return
    if legal(booking.state, _S.REJECTED):
        move(session, booking, _S.REJECTED, actor=actor, now=now, cause=code)
        _close_request(session, booking, "done", now)
        _annul_followers(session, booking, now)
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
        _remember(session, booking, reference, "cancelled", version, now)
        _cancelled_there(session, task, booking, now)
        return
    role = _remember(session, booking, reference, "confirmed", version, now)
    finish(task, "done", now=now)
    if task.command == "change":
        request = swap.open_change(session, booking)
        if request is not None and request.id == task.change_request_id:
            swap.switch(session, booking, request, actor=_provider(session, booking), now=now)
        return
    if role == "stray":
        _cancel_stray(session, booking, reference, now)
    elif legal(booking.state, _S.CONFIRMED):
        move(session, booking, _S.CONFIRMED, actor=_provider(session, booking), now=now)
        close_discrepancy(session, booking.provider_id, "outcome_unknown", booking.public_id, "confirmed", now=now)


def _cancelled_there(session: Session, task: ProviderTask, booking: Booking, now: datetime) -> None:
    finish(task, "done", now=now)
    if not task.facts.get("compensating"):
        _cancel_locally(session, booking, now)


def _cancel_locally(session: Session, booking: Booking, now: datetime) -> None:
    """Evidence shows that nothing is live at the provider: what was asked for happens here."""
    change = swap.open_change(session, booking)
    if change is not None:
        swap.leave(session, booking, change, cause="cancelled", now=now)
    request = _open_request(session, booking)
    if legal(booking.state, _S.CANCELLED):
        actor = Actor(request.actor_kind, request.actor) if request else SYSTEM  # type: ignore[arg-type]
        move(session, booking, _S.CANCELLED, actor=actor, now=now, cause=request.cause if request else "not_there")
    _close_request(session, booking, "done", now)
    _annul_followers(session, booking, now)


def _cancel_stray(session: Session, booking: Booking, reference: str, now: datetime) -> None:
    """Something lives at the provider that our books do not want (a late yes to a booking that ended here, a second
    booking for the same): cancel it there, once."""
    asked = session.scalar(
        select(ProviderTask.id).where(
            ProviderTask.booking_id == booking.id,
            ProviderTask.command == "cancel",
            ProviderTask.state.in_(UNFINISHED),
            ProviderTask.facts["reference"].astext == reference,
        )
    )
    if asked is None:
        enqueue(session, booking, "cancel", now=now, facts={"reference": reference, "compensating": True})


def _annul_followers(session: Session, booking: Booking, now: datetime) -> None:
    for task in lock_unfinished(session, booking.id):
        if unsent(task):
            annul(task, now=now)


def _open_request(session: Session, booking: Booking) -> ChangeRequest | None:
    return session.scalar(
        select(ChangeRequest).where(
            ChangeRequest.booking_id == booking.id, ChangeRequest.kind == "cancel", ChangeRequest.state == "open"
        )
    )


def _close_request(session: Session, booking: Booking, state: str, now: datetime) -> None:
    request = _open_request(session, booking)
    if request is not None:
        request.state, request.closed_at = state, now
        session.flush()


def _remember(session: Session, booking: Booking, reference: str, status: str, version: int, now: datetime) -> str:
    """Keep what exists at the provider and return its role. A version never goes back; a reference keeps its role.

    A new reference is `current`, unless the booking already has one or has ended: then it is a `stray`.
    """
    known = session.scalar(
        select(ProviderBooking).where(
            ProviderBooking.provider_id == booking.provider_id, ProviderBooking.reference == reference
        )
    )
    if known is not None:
        known.status, known.seen_at, known.version = status, now, max(known.version, version)
        return known.role
    taken = session.scalar(
        select(ProviderBooking.id).where(ProviderBooking.booking_id == booking.id, ProviderBooking.role == "current")
    )
    role = "stray" if taken is not None or booking.state in _ENDED else "current"
    session.add(
        ProviderBooking(
            provider_id=booking.provider_id,
            reference=reference,
            booking_id=booking.id,
            role=role,
            status=status,
            version=version,
            seen_at=now,
        )
    )
    session.flush()
    return role


def _find(session: Session, provider_id: int, remote: RemoteBooking) -> int | None:
    by_reference = session.scalar(
        select(ProviderBooking.booking_id).where(
            ProviderBooking.provider_id == provider_id, ProviderBooking.reference == remote.reference
        )
    )
    if by_reference is not None or remote.our_reference is None:
        return by_reference
    return session.scalar(
        select(Booking.id).where(Booking.public_id == remote.our_reference, Booking.provider_id == provider_id)
    )


def _follow(session: Session, booking: Booking, remote: RemoteBooking, now: datetime) -> None:
    """Move the booking to where the provider says it is, through `confirmed` where the table wants that step."""
    target = _TARGET.get(remote.status)
    if target is None or target is booking.state:
        return
    actor = _provider(session, booking)
    if booking.state in _ENDED:
        if target not in (_S.CANCELLED, _S.REJECTED):
            _cancel_stray(session, booking, remote.reference, now)
        return
    if target is _S.REJECTED and not legal(booking.state, target):
        target = _S.CANCELLED
    if not legal(booking.state, target) and legal(booking.state, _S.CONFIRMED):
        move(session, booking, _S.CONFIRMED, actor=actor, now=now)
    if legal(booking.state, target):
        move(session, booking, target, actor=actor, now=now, cause=remote.reason or _cause(target))
        if target in (_S.CANCELLED, _S.REJECTED):
            _close_request(session, booking, "done", now)
            _annul_followers(session, booking, now)
        close_discrepancy(session, booking.provider_id, "outcome_unknown", booking.public_id, remote.status, now=now)
    else:
        open_discrepancy(
            session,
            booking.provider_id,
            "state_differs",
            booking.public_id,
            now=now,
            booking_id=booking.id,
            facts={"ours": booking.state.value, "theirs": remote.status},
        )


def _follow_time(session: Session, booking: Booking, remote: RemoteBooking, now: datetime) -> None:
    """The provider tells of another time than ours: the one we asked for, or one of its own choosing, which is its
    word against our books and goes to a person."""
    if remote.service_date is None or booking.state not in LIVE:
        return
    there = (remote.service_date, remote.starts_at)
    if there == (booking.service_date, booking.starts_at):
        close_discrepancy(session, booking.provider_id, "time_differs", booking.public_id, "agrees_again", now=now)
        return
    request = swap.open_change(session, booking)
    slot = session.get(Slot, request.new_slot_id) if request is not None else None
    if request is not None and slot is not None and there == (slot.service_date, slot.starts_at):
        swap.switch(session, booking, request, actor=_provider(session, booking), now=now)
        for task in lock_unfinished(session, booking.id):
            if task.change_request_id == request.id:
                finish(task, "done", now=now)
        return
    facts = {"theirs": remote.service_date.isoformat(), "starts_at": str(remote.starts_at or "")}
    open_discrepancy(
        session, booking.provider_id, "time_differs", booking.public_id, now=now, booking_id=booking.id, facts=facts
    )


def _cause(target: BookingState) -> str:
    return "cancelled_by_provider" if target is _S.CANCELLED else ""
