"""The one place that assigns a booking's state.

A move checks the table, then writes in the caller's transaction: the state and version, the history line, the ledger
line, the release of claims, the command that follows from it, and the notice to the customer.
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
from booking.deadlines import before_the_visit, first_answer_due, report_due
from booking.models import Booking, BookingHistory, ProviderTask
from booking.notices.notify import notify
from booking.outbox import enqueue, lock_unfinished
from booking.pledges import request
from booking.proposal import EXPIRED, end_proposal
from booking.states import GIVEN_UP, SUBMITTED, BookingState, legal
from marketplace.catalog.kinds import has_times
from marketplace.catalog.models import Provider
from marketplace.core.errors import NotFound, Refusal
from vip.entitlements import ledger
from vip.entitlements.ledger import Reservation, Stamp
from vip.models import Entitlement

_S = BookingState
_NOTICE = {
    _S.CONFIRMED: "confirmed",
    _S.REJECTED: "rejected",
    _S.CANCELLED: "cancelled",
    _S.ENTERED_IN_ERROR: "cancelled",
    _S.NO_SHOW: "no_show",
}
"""States of which the customer is notified, with the kind of notice. Of what is not a plain move (a change, an offer
from the waiting list, an answer that stays out) its own use case notifies her."""

_ASKED = frozenset({_S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN})
"""States in which the provider's answer is waited for."""

_USED = frozenset({_S.CHECKED_IN, _S.FULFILLED, _S.NO_SHOW})
"""States that decide whether the reserved unit is used."""


CHANGE_ASKED, CANCEL_ASKED, CHANGE_ENDED = "change_asked", "cancel_asked", "change_ended"
WISHES = (CHANGE_ASKED, CANCEL_ASKED, CHANGE_ENDED)
"""Causes of lines of history that say what was asked of the provider, or that a change is not asked for any more: for
its feed of events. To people the requests themselves are shown."""


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
    queued = to is _S.CONFIRMED and not has_times(booking.kind)  # it still waits for its first answer
    if to not in (_S.AWAITING_PROVIDER, _S.OUTCOME_UNKNOWN) and not queued:
        booking.answer_due_at = None
    if to is _S.FULFILLED and booking.report_state in ("none", "expected"):
        booking.report_due_at = report_due(booking, now)
        booking.report_state = "none" if booking.report_due_at is None else "expected"
    write_history(session, booking, before=before, actor=actor, now=now, cause=cause, facts=facts)
    if before in SUBMITTED and to not in SUBMITTED:
        end_proposal(session, booking, EXPIRED, now=now)
    stamp = Stamp(at=now, actor_kind=actor.kind, actor=actor.id, reason=cause)
    if to in GIVEN_UP:
        _give_unit_back(session, booking, stamp)
    elif to in _USED:
        _use_unit(session, booking, stamp)
    if before is _S.HELD and to in (_S.AWAITING_PROVIDER, _S.CONFIRMED):
        booking.answer_due_at = _answer_due(session, booking, now) if to is _S.AWAITING_PROVIDER else None
        enqueue(session, booking, "reserve", now=now)
        if to is _S.AWAITING_PROVIDER:
            request.begin_request(session, booking, now=now)
    if before in _ASKED and to not in _ASKED:
        request.end_request(session, booking, actor=actor, now=now)
    if to in GIVEN_UP:
        booking.pending_period = None
        release_claims(session, booking.id, now=now)
    session.flush()
    by_herself = before is _S.HELD and to is _S.CANCELLED and actor.kind == "customer"  # she gave up her own hold
    if to in _NOTICE and not by_herself and not queued:
        subject = f"{booking.public_id}:{booking.version}"
        notice = {"by": actor.kind, "alternatives": (facts or {}).get("alternatives", [])}
        notify(session, booking.customer_id, _NOTICE[to], subject, now=now, booking_id=booking.id, facts=notice)


def begin(session: Session, booking: Booking, *, actor: Actor, now: datetime, cause: str) -> None:
    """Write a new booking of what has no slot: it waits for its provider at once. Its unit is reserved and the provider
    is asked, as a hold and its submission do together. Raises EntitlementExhausted."""
    booking.state = _S.AWAITING_PROVIDER
    booking.cause = cause
    booking.version = 0
    session.add(booking)
    session.flush()
    write_history(session, booking, actor=actor, now=now, cause=cause, first=True)
    reservation = Reservation(booking.entitlement_id, booking.id, attempt=1)
    ledger.reserve(session, reservation, Stamp(at=now, actor_kind=actor.kind, actor=actor.id, reason=cause))
    booking.answer_due_at = _answer_due(session, booking, now)
    enqueue(session, booking, "reserve", now=now)


def touch(booking: Booking, *, now: datetime) -> None:
    """Raise the version of a locked booking, since what pages and answers show of it has changed: it is their ETag."""
    booking.version += 1
    booking.updated_at = now


def write_history(
    session: Session,
    booking: Booking,
    *,
    actor: Actor,
    now: datetime,
    cause: str,
    facts: Mapping[str, Any] | None = None,
    before: BookingState | None = None,
    first: bool = False,
) -> None:
    """Write a line of history, with which the version grows. `before`: the state that a move left; None for something
    that moved nothing. `first`: there was no state before."""
    touch(booking, now=now)
    session.add(
        BookingHistory(
            booking_id=booking.id,
            version=booking.version,
            at=now,
            from_state=None if first else (before or booking.state).value,
            to_state=booking.state.value,
            actor_kind=actor.kind,
            actor=actor.id,
            cause=cause,
            facts=dict(facts or {}),
        )
    )
    session.flush()


def _answer_due(session: Session, booking: Booking, now: datetime) -> datetime:
    if not has_times(booking.kind):
        return first_answer_due(booking)
    hours = session.scalar(select(Provider.answer_hours).where(Provider.id == booking.provider_id)) or 0
    return before_the_visit(booking, now + timedelta(hours=hours), now)


def _use_unit(session: Session, booking: Booking, stamp: Stamp) -> None:
    """Use the reserved unit of a booking that is fulfilled, and of a no-show where the benefit says so; else a no-show
    gives it back. One that was given back is reserved again. Each at most once per attempt."""
    taken = Reservation(booking.entitlement_id, booking.id, booking.attempt)
    status = ledger.reservation_status(session, taken)
    no_show = booking.state is _S.NO_SHOW
    if status == "released" and not no_show:  # a disputed no-show that had not used the benefit
        booking.attempt += 1
        session.flush()
        taken, status = replace(taken, attempt=booking.attempt), "reserved"
        ledger.reserve(session, taken, stamp)
    no_show_uses = select(Entitlement.no_show_uses).where(Entitlement.id == booking.entitlement_id)
    used = session.scalar(no_show_uses) if no_show else booking.state is _S.FULFILLED
    if status == "reserved" and used:
        ledger.use(session, taken, stamp)
    elif status == "reserved" and no_show:
        ledger.give_back(session, taken, stamp, by="customer")


def _give_unit_back(session: Session, booking: Booking, stamp: Stamp) -> None:
    """Give back the unit of a booking that was given up, whether it was reserved or used."""
    taken = Reservation(booking.entitlement_id, booking.id, booking.attempt)
    status = ledger.reservation_status(session, taken)
    by: ledger.By = "provider" if stamp.actor_kind in ("provider", "clock") else "platform"
    if stamp.actor_kind in ("customer", "agent") or stamp.reason == "hold_expired":
        by = "customer"
    if stamp.reason == "proposal_declined":  # the provider did not have the time that was asked for
        by = "provider"
    if status == "reserved":
        ledger.give_back(session, taken, stamp, by=by)
    elif status == "used":
        ledger.reverse(session, taken, stamp, by=by)
