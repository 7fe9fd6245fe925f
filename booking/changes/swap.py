"""The swap behind a change of date: the new place first, the old one released last, both under one booking.

While a change is open the booking holds two claims and occupies its person at both times. It ends in one of two ways,
each in one transaction: switched (the old place goes back) or left (the new one does). All callers hold the booking's
lock. Here the entitlement is locked, since the move that follows may use it; slots are locked last and by id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from booking.actors import SYSTEM, Actor
from booking.capacity.claims import release_claims
from booking.capacity.occupied import occupied_time
from booking.models import Booking, ChangeRequest, Slot, SlotClaim
from booking.notices.notify import notify
from booking.offers.alternatives import elsewhere
from booking.offers.bookable import check_bookable, judge
from booking.proposal import end_proposal
from booking.refusals import AlreadyBooked, SlotFull
from booking.states import MOVABLE, BookingState
from booking.transition import CHANGE_ENDED, touch, write_history
from marketplace.core.clock import window_of
from marketplace.core.database.db import asking_in, violated
from vip.models import Entitlement

_TAKEN_SINCE = frozenset({"ex_booking_one_place_at_a_time", "slot_full", "ck_slot_taken"})
"""What refuses the way back to an old date: the person's time, or the place."""


def open_change(session: Session, booking: Booking) -> ChangeRequest | None:
    """The change of date whose new place the booking still holds, if there is one: `open`, or `withdrawn` when it
    was taken back after it may have been sent."""
    return session.scalar(
        select(ChangeRequest).where(
            ChangeRequest.booking_id == booking.id,
            ChangeRequest.kind == "reschedule",
            ChangeRequest.state.in_(("open", "withdrawn")),
            ChangeRequest.closed_at.is_(None),
        )
    )


_AFTER_CHANGE = "after_change"
"""Where a booking's snapshot keeps, while a change is open, what it is going to say of policy and coverage."""
_ENTITLED = ("policy", "coverage")
"""What a snapshot says of them (Entitled.snapshot)."""
_ON_DAYS = "entitled_on"
"""Where it keeps what it said of them, by the days from which the booking was moved: it may go back to one."""


def begin(
    session: Session, booking: Booking, slot: Slot, request: ChangeRequest, *, entitled: Mapping[str, Any] | None = None
) -> None:
    """Occupy the new time, then take the new place (the contended row last). `entitled`: by what the booking is
    entitled to the new time (Entitled.snapshot), which its own snapshot says once it is there.

    Raises AlreadyBooked, SlotFull, or what else has kept it from being booked since it was looked at; the transaction
    cannot go on after that.
    """
    starts, ends = window_of(slot.service_date, slot.starts_at, slot.ends_at, booking.time_zone)
    slot_id, offer_id, asked_at = slot.id, booking.offer_id, request.asked_at  # gone after a failed flush
    facts: dict[str, Any] = {"starts_at": slot.starts_at, "service_date": slot.service_date.isoformat()}
    claim = SlotClaim(booking_id=booking.id, slot_id=slot_id, places=1, live=True, created_at=asked_at)
    booking.pending_period = occupied_time(booking.kind, starts, ends)
    if entitled:
        booking.snapshot = {**booking.snapshot, _AFTER_CHANGE: dict(entitled)}
    request.new_slot_id = slot_id
    request.new_service_date = slot.service_date
    request.new_starts_at, request.new_ends_at = slot.starts_at, slot.ends_at
    try:
        session.flush()
        with session.begin_nested():
            session.add(claim)
    except DBAPIError as failed:
        match violated(failed):
            case "ex_booking_one_place_at_a_time":
                raise AlreadyBooked() from failed
            case "slot_full" | "ck_slot_taken":
                found = judge(asking_in(session), slot_id=slot_id, offer_id=offer_id, now=asked_at)
                check_bookable(found, in_line=True)
                raise SlotFull(**facts) from failed
        raise


def lock_slots(session: Session, booking: Booking, slot: Slot) -> None:
    """Lock the slots of a swap that takes and gives back in one transaction, by id, so that crossing ones wait."""
    session.scalars(
        select(Slot.id)
        .where(
            or_(
                Slot.id == slot.id,
                Slot.id.in_(select(SlotClaim.slot_id).where(SlotClaim.booking_id == booking.id, SlotClaim.live)),
            )
        )
        .order_by(Slot.id)
        .with_for_update(key_share=True)
    ).all()


def _lock_entitlement(session: Session, booking: Booking) -> None:
    """Lock the booking's entitlement before its slots, as a hold does: they would wait for each other otherwise."""
    session.execute(
        select(Entitlement.id).where(Entitlement.id == booking.entitlement_id).with_for_update(key_share=True)
    )


def asks_for(request: ChangeRequest, day: Any, starts_at: datetime | None) -> bool:
    """Whether that is the time the change asked for."""
    return (request.new_service_date, request.new_starts_at) == (day, starts_at)


def switch(
    session: Session,
    booking: Booking,
    request: ChangeRequest,
    *,
    actor: Actor,
    now: datetime,
    notice: str = "changed",
) -> None:
    """The provider agreed: the booking is at the new time, and the old place goes back. `notice` is what the customer
    is notified with."""
    if request.new_service_date is None:
        raise ValueError("a change without a time")
    _lock_entitlement(session, booking)
    before = time_facts(booking.service_date, booking.starts_at)
    _end_entitled(booking, moved=True)
    booking.service_date = request.new_service_date
    booking.starts_at, booking.ends_at = request.new_starts_at, request.new_ends_at
    starts, ends = window_of(booking.service_date, booking.starts_at, booking.ends_at, booking.time_zone)
    booking.period, booking.pending_period = occupied_time(booking.kind, starts, ends), None
    request.state, request.closed_at = "done", now
    end_proposal(session, booking, "withdrawn", now=now)  # one for another time than this
    after = time_facts(booking.service_date, booking.starts_at)
    write_history(session, booking, actor=actor, now=now, cause="rescheduled", facts={"before": before, "after": after})
    release_claims(session, booking.id, now=now, keep_slot=request.new_slot_id)
    if booking.state is not BookingState.AWAITING_PROVIDER:  # else it is confirmed next, and she is notified of that
        _notify(session, booking, notice, f"{booking.public_id}:{booking.version}", now)


def go_back(session: Session, booking: Booking, slot: Slot, *, actor: Actor, now: datetime) -> bool:
    """The provider served the booking at the old place `slot`: it is at that time again, by what it was entitled to it
    then, and the new place goes back.
    An open change to a third one keeps its place. False, and nothing is changed, when the old place or the person's
    time has been taken since."""
    before = time_facts(booking.service_date, booking.starts_at)
    _lock_entitlement(session, booking)
    lock_slots(session, booking, slot)
    request = open_change(session, booking)
    given_up = session.scalars(
        select(SlotClaim).where(
            SlotClaim.booking_id == booking.id,
            SlotClaim.live,
            SlotClaim.slot_id.is_distinct_from(None if request is None else request.new_slot_id),
        )
    ).all()
    try:
        with session.begin_nested():
            booking.service_date, booking.starts_at, booking.ends_at = slot.service_date, slot.starts_at, slot.ends_at
            starts, ends = window_of(slot.service_date, slot.starts_at, slot.ends_at, booking.time_zone)
            booking.period = occupied_time(booking.kind, starts, ends)
            session.add(SlotClaim(booking_id=booking.id, slot_id=slot.id, places=1, live=True, created_at=now))
            session.flush()
    except DBAPIError as failed:
        if violated(failed) in _TAKEN_SINCE:
            return False
        raise
    entitled = booking.snapshot.get(_ON_DAYS, {}).get(slot.service_date.isoformat(), {})
    booking.snapshot = {**booking.snapshot, **entitled}
    for claim in given_up:
        claim.live, claim.released_at = False, now
    after = time_facts(booking.service_date, booking.starts_at)
    write_history(
        session, booking, actor=actor, now=now, cause="old_date_served", facts={"before": before, "after": after}
    )
    _notify(session, booking, "changed", f"{booking.public_id}:{booking.version}", now)
    return True


def close(session: Session, booking: Booking, request: ChangeRequest, *, cause: str, now: datetime) -> None:
    """End the request without its switch; its place stays claimed for the caller to release with the others."""
    booking.pending_period = None
    _end_entitled(booking, moved=False)
    request.closed_at = now
    if request.state == "open":
        request.state, request.refusal = "refused", cause
        write_history(session, booking, actor=SYSTEM, now=now, cause=CHANGE_ENDED, facts={"refusal": cause})
    else:
        touch(booking, now=now)
    session.flush()


def leave(session: Session, booking: Booking, request: ChangeRequest, *, cause: str, now: datetime) -> None:
    """The provider refused, or the change was withdrawn: the old date stays valid, and the new place is given
    back."""
    _lock_entitlement(session, booking)
    close(session, booking, request, cause=cause, now=now)
    old_slot = session.scalars(
        select(SlotClaim.slot_id)
        .where(SlotClaim.booking_id == booking.id, SlotClaim.live, SlotClaim.slot_id != request.new_slot_id)
        .order_by(SlotClaim.id)
    ).first()
    release_claims(session, booking.id, now=now, keep_slot=old_slot)
    if request.state == "refused" and booking.state in MOVABLE:
        wanted = (request.new_service_date, request.new_starts_at) if request.new_service_date else None
        facts = elsewhere(session, booking, now=now, wanted=wanted)
        _notify(session, booking, "change_refused", f"{booking.public_id}:{request.public_id}", now, facts)


def _end_entitled(booking: Booking, *, moved: bool) -> None:
    """A booking that moves says by what it is entitled to its new time, and keeps what it said for the day it is at
    still; one that stays says what it said."""
    if _AFTER_CHANGE in booking.snapshot:
        snapshot = dict(booking.snapshot)
        after = snapshot.pop(_AFTER_CHANGE)
        said = {each: snapshot[each] for each in _ENTITLED if each in snapshot}
        days = {**snapshot.get(_ON_DAYS, {}), booking.service_date.isoformat(): said}
        booking.snapshot = {**snapshot, **after, _ON_DAYS: days} if moved else snapshot


def _notify(
    session: Session, booking: Booking, kind: str, subject: str, now: datetime, facts: Mapping[str, Any] | None = None
) -> None:
    notify(session, booking.customer_id, kind, subject, now=now, booking_id=booking.id, facts=facts)


def time_facts(day: date, starts_at: datetime | None) -> dict[str, str | None]:
    """A time as the facts of history have it."""
    return {"service_date": day.isoformat(), "starts_at": starts_at.isoformat() if starts_at else None}
