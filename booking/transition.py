"""The one place that assigns a booking's state.

A move checks the table, then writes in the caller's transaction: the state and version, the history line, the ledger
line, the release of claims, the command that follows from it, and what the customer is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.capacity.claims import release_claims
from booking.deadlines import report_due
from booking.models import Booking, BookingHistory, ProviderTask
from booking.notices.notify import notify
from booking.outbox import enqueue, lock_unfinished
from booking.proposal import end_proposal
from booking.states import GIVEN_UP, SUBMITTED, BookingState, legal
from marketplace.catalog.models import Provider
from marketplace.core.clock import start_of
from marketplace.core.errors import NotFound, Refusal
from vip import ledger
from vip.ledger import Reservation, Stamp
from vip.models import Entitlement

_S = BookingState
_TOLD = {
    _S.CONFIRMED: "confirmed",
    _S.REJECTED: "rejected",
    _S.CANCELLED: "cancelled",
    _S.ENTERED_IN_ERROR: "cancelled",
    _S.NO_SHOW: "no_show",
}
"""States that the customer is told of, with the kind of notice. What is not a plain move (a change, an offer from the
waiting list, an answer that stays out) is told by its own use case."""


class IllegalMove(Refusal):
    """The state table does not allow this move; `state` and `to` are among the facts."""

    code = "illegal_move"


def lock_booking(session: Session, booking_id: int) -> tuple[Booking, list[ProviderTask]]:
    """Lock a booking and then its unfinished tasks, in the order everybody uses: who waits for a booking holds none of
    them. Raises NotFound."""
    booking = session.scalar(
        select(Booking).where(Booking.id == booking_id).with_for_update().execution_options(populate_existing=True)
    )
    if booking is None:
        raise NotFound()
    return booking, lock_unfinished(session, booking_id)


def move(
    session: Session,
    booking: Booking,
    to: BookingState,
    *,
    actor: Actor,
    now: datetime,
    cause: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Move a locked booking to `to`. Raises IllegalMove and changes nothing when the table does not allow it.

    `cause` is a stable code (customer_asked, hold_expired, sold_out …) that the pages turn into words.
    """
    before = booking.state
    if not legal(before, to):
        raise IllegalMove(state=before.value, to=to.value)
    booking.state = to
    booking.cause = cause
    if before is _S.HELD:
        booking.hold_expires_at = None
    if to not in (_S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN):
        booking.answer_due_at = None
    if to is _S.FULFILLED and booking.report_state in ("none", "expected"):
        booking.report_due_at = report_due(booking, now)
        booking.report_state = "none" if booking.report_due_at is None else "expected"
    _write_history(session, booking, before, actor=actor, now=now, cause=cause, facts=facts or {})
    if before in SUBMITTED and to not in SUBMITTED:
        end_proposal(session, booking, "lapsed", now=now)
    _write_ledger(session, booking, to, actor, now, cause)
    if before is _S.HELD and to in (_S.AWAITING_PROVIDER, _S.CONFIRMED):
        booking.answer_due_at = _answer_due(session, booking, now) if to is _S.AWAITING_PROVIDER else None
        enqueue(session, booking, "reserve", now=now)
    if to in GIVEN_UP:
        booking.pending_period = None
        release_claims(session, booking.id, now=now)
    session.flush()
    if to in _TOLD and not _needless(before, to, actor):
        subject = f"{booking.public_id}:{booking.version}"
        told = {"by": actor.kind, "alternatives": (facts or {}).get("alternatives", [])}
        notify(session, booking.customer_id, _TOLD[to], subject, now=now, booking_id=booking.id, facts=told)


def _needless(before: BookingState, to: BookingState, actor: Actor) -> bool:
    """True of what she has just done herself to a hold."""
    return before is _S.HELD and to is _S.CANCELLED and actor.kind == "customer"


def note(
    session: Session, booking: Booking, *, actor: Actor, now: datetime, cause: str, facts: Mapping[str, Any]
) -> None:
    """Write a line of history for something that is not a move: the state stays, the version grows."""
    _write_history(session, booking, booking.state, actor=actor, now=now, cause=cause, facts=facts)


def touch(booking: Booking, *, now: datetime) -> None:
    """What pages and answers show of a locked booking has changed: its version grows, which is their ETag."""
    booking.version += 1
    booking.updated_at = now


def _write_history(
    session: Session,
    booking: Booking,
    before: BookingState,
    *,
    actor: Actor,
    now: datetime,
    cause: str,
    facts: Mapping[str, Any],
) -> None:
    touch(booking, now=now)
    session.add(
        BookingHistory(
            booking_id=booking.id,
            version=booking.version,
            at=now,
            from_state=before.value,
            to_state=booking.state.value,
            actor_kind=actor.kind,
            actor=actor.id,
            cause=cause,
            facts=dict(facts),
        )
    )
    session.flush()


def _answer_due(session: Session, booking: Booking, now: datetime) -> datetime:
    hours = session.scalar(select(Provider.answer_hours).where(Provider.id == booking.provider_id)) or 0
    due = now + timedelta(hours=hours)
    start = start_of(booking.service_date, booking.starts_at, booking.time_zone)
    return min(due, start) if start > now else due


def _write_ledger(
    session: Session, booking: Booking, to: BookingState, actor: Actor, now: datetime, cause: str
) -> None:
    """Reserve at hold, use at fulfilment, give back otherwise; each at most once per attempt."""
    if to not in GIVEN_UP and to not in (_S.FULFILLED, _S.NO_SHOW, _S.CHECKED_IN):
        return
    taken = Reservation(booking.entitlement_id, booking.id, booking.attempt)
    stamp = Stamp(at=now, actor_kind=actor.kind, actor=actor.id, reason=cause)
    status = ledger.reservation_status(session, taken)
    if to in GIVEN_UP:
        _give_up(session, taken, status, stamp)
        return
    if to is _S.NO_SHOW:
        uses = session.scalar(select(Entitlement.no_show_uses).where(Entitlement.id == booking.entitlement_id))
        if status == "reserved" and uses:
            ledger.use(session, taken, stamp)
        elif status == "reserved":
            ledger.give_back(session, taken, stamp, by="customer")
        return
    if status == "released":  # a disputed no-show that had not used the benefit
        booking.attempt += 1
        session.flush()
        taken, status = replace(taken, attempt=booking.attempt), "reserved"
        ledger.reserve(session, taken, stamp)
    if to is _S.FULFILLED and status == "reserved":
        ledger.use(session, taken, stamp)


def _give_up(session: Session, taken: Reservation, status: ledger.ReservationStatus, stamp: Stamp) -> None:
    by: ledger.By = "provider" if stamp.actor_kind in ("provider", "clock") else "platform"
    if stamp.actor_kind in ("customer", "agent") or stamp.reason == "hold_expired":
        by = "customer"
    if stamp.reason == "proposal_declined":  # the provider did not have the time that was asked for
        by = "provider"
    if status == "reserved":
        ledger.give_back(session, taken, stamp, by=by)
    elif status == "used":
        ledger.reverse(session, taken, stamp, by=by)
