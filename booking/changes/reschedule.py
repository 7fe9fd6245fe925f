"""Move a confirmed booking to another slot, keeping the old date until the new one is certain."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.capacity.occupied import occupying
from booking.changes import swap
from booking.changes.requests import record_request
from booking.changes.rules import change_closed, change_until, changes_left, may_be_asked
from booking.deadlines import before_start, before_the_visit
from booking.eligibility.entitled import Entitled, Wish, asks, entitled, firm_at_once
from booking.idempotency import Repeatable, first_time
from booking.models import Booking, ChangeRequest, ProviderTask, Slot
from booking.offers.bookable import check_bookable, judge
from booking.outbox import enqueue, unsent
from booking.ownership import own_booking_id
from booking.refusals import AlreadyBooked, HasNoTimes
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.kinds import has_times, kind
from marketplace.catalog.models import Offer, Provider
from marketplace.core.clock import start_of, window_of
from marketplace.core.database.db import asking, asking_in, reading, transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.logging import get_logger
from vip.entitlements.of_customer import NotValidYet, ValidityOver
from vip.models import Beneficiary, Entitlement
from vip.principal import Principal

log = get_logger(__name__)


class ChangeTooLate(Refusal):
    """The window for changing online is over; `until` says when it closed."""

    code = "change_too_late"


class NoChangesLeft(Refusal):
    """The booking was changed as often as the offer allows."""

    code = "no_changes_left"


class NotChangeable(Refusal):
    """Only a confirmed booking without an open request can be changed; Facts: `state` and `change`."""

    code = "not_changeable"


class SameSlot(Refusal):
    """That is the date the booking has."""

    code = "same_slot"
    status = 422
    field = "slot_id"


class OutOfDate(Refusal):
    """The booking has changed since the caller looked at it (RFC 9110, section 13.1.1)."""

    code = "precondition_failed"
    status = 412
    field = "If-Match"


def reschedule(
    principal: Principal,
    public_id: str,
    slot_public_id: str,
    *,
    now: datetime,
    repeat: Repeatable | None = None,
    version: int | None = None,
) -> None:
    """A customer asks for another slot of the same offer. The old date is valid until the provider has agreed.

    With `repeat`, a request that was carried out before changes nothing. `version`: the booking's as the caller knows
    it, if it must still be that. Asking again for the slot that is already asked for changes nothing. Raises NotFound,
    HasNoTimes, NotChangeable, ChangeTooLate, NoChangesLeft, OutOfDate, IdempotencyKeyReused and what `ask_for` raises;
    after any of them the booking is as it was.
    """
    try:
        _reschedule(principal, public_id, slot_public_id, now=now, repeat=repeat, version=version)
    except AlreadyBooked as busy:
        raise AlreadyBooked(**_in_the_way(principal, public_id, slot_public_id)) from busy


def _reschedule(
    principal: Principal,
    public_id: str,
    slot_public_id: str,
    *,
    now: datetime,
    repeat: Repeatable | None,
    version: int | None,
) -> None:
    with transaction() as session:
        booking_id = own_booking_id(session, principal, public_id)
        if repeat is not None and not first_time(session, repeat, public_id, now=now):
            return
        booking, tasks = lock_booking(session, booking_id)
        if version is not None and booking.version != version:
            raise OutOfDate()
        if not has_times(booking.kind):
            raise HasNoTimes()
        slot = _slot(session, booking, slot_public_id)
        request = swap.open_change(session, booking)
        if request is not None and request.state == "open" and request.new_slot_id == slot.id:
            return
        check_changeable(session, booking)
        closed = change_closed(booking, changes_left(session, booking), now)
        if closed == "too_late":
            raise ChangeTooLate(until=change_until(booking), time_zone=booking.time_zone)
        if closed == "none_left":
            raise NoChangesLeft()
        ask_for(session, booking, tasks, slot, actor=Actor("customer", principal.public_id), now=now)
    log.info("booking.change_asked", booking=public_id)


def moved_at_once(principal: Principal, public_id: str, slot_public_id: str) -> bool:
    """Whether the customer's confirmed booking would be moved to the slot at once, by what is known now; else its
    provider is asked. Raises NotFound and what booking.eligibility refuses on that day."""
    with reading() as session:
        booking = session.get_one(Booking, own_booking_id(session, principal, public_id))
        allotment = session.scalars(select(Provider.allotment).where(Provider.id == booking.provider_id)).one()
        slot = _slot(session, booking, slot_public_id)
        return firm_at_once(_entitled(session, booking, slot.service_date).snapshot(), allotment)


def _in_the_way(principal: Principal, public_id: str, slot_public_id: str) -> Mapping[str, Any]:
    """The facts of AlreadyBooked, for the slot that was asked for."""
    with reading() as session:
        booking = session.get_one(Booking, own_booking_id(session, principal, public_id))
        slot = _slot(session, booking, slot_public_id)
        starts, ends = window_of(slot.service_date, slot.starts_at, slot.ends_at, booking.time_zone)
        who = {"customer": booking.customer_id, "person": booking.beneficiary_id}
    with asking() as ask:
        return occupying(ask, **who, starts=starts, ends=ends, but=public_id)


def check_changeable(
    session: Session, booking: Booking, states: Container[BookingState] = (BookingState.CONFIRMED,)
) -> None:
    """Raise NotChangeable unless the locked booking is confirmed (in one of `states`) and nothing is asked of its
    provider."""
    asked = session.scalar(
        select(ChangeRequest.kind).where(ChangeRequest.booking_id == booking.id, ChangeRequest.closed_at.is_(None))
    )
    if not may_be_asked(booking, unfinished=asked is not None, states=states):
        raise NotChangeable(state=booking.state.value, change=asked)


def ask_for(
    session: Session,
    booking: Booking,
    tasks: list[ProviderTask],
    slot: Slot,
    *,
    actor: Actor,
    now: datetime,
    cause: str = "customer_asked",
    in_line: bool = False,
) -> ChangeRequest:
    """Ask the provider to move a locked, changeable booking to a slot of its offer, and take the place meanwhile; with
    `in_line` also a place that is reserved for the waiting list. A confirmed booking is moved at once where a first
    booking of that slot would be firm at once.

    Raises SameSlot, SlotPast, SlotClosed, OfferClosed, SlotFull, AlreadyBooked, NotValidYet, ValidityOver, the kind's
    NotEligible, or what booking.eligibility refuses on the new day.
    """
    by = _check_slot(session, booking, slot, now, in_line=in_line).snapshot()
    wanted = swap.time_facts(slot.service_date, slot.starts_at)
    request = record_request(session, booking, "reschedule", actor=actor, cause=cause, now=now, wanted=wanted)
    allotment, hours = session.execute(
        select(Provider.allotment, Provider.answer_hours).where(Provider.id == booking.provider_id)
    ).one()
    confirmed = booking.state is BookingState.CONFIRMED
    firm = confirmed and firm_at_once(by, allotment)
    if confirmed and not firm:
        request.answer_due_at = _answer_due(booking, slot, now + timedelta(hours=hours), now)
    if not (firm and any(task.command == "reserve" and unsent(task) for task in tasks)):
        facts = {"slot": slot.public_id}
        enqueue(session, booking, "change", now=now, change_request_id=request.id, facts=facts)
    if firm:
        swap.lock_slots(session, booking, slot)
    swap.begin(session, booking, slot, request, entitled=by)
    if firm:
        swap.switch(session, booking, request, actor=actor, now=now)
    return request


def _answer_due(booking: Booking, slot: Slot, due: datetime, now: datetime) -> datetime:
    """`due`, or earlier, so that it lies before both times that the customer may be waited for."""
    return before_the_visit(
        booking, before_start(due, start_of(slot.service_date, slot.starts_at, booking.time_zone), now), now
    )


def _slot(session: Session, booking: Booking, public_id: str) -> Slot:
    slot = session.scalar(
        select(Slot)
        .join(Offer, Offer.pool_id == Slot.pool_id)
        .where(Slot.public_id == public_id, Offer.id == booking.offer_id)
    )
    if slot is None:
        raise NotFound(field="slot_id")
    return slot


def _check_slot(session: Session, booking: Booking, slot: Slot, now: datetime, *, in_line: bool) -> Entitled:
    """The rules of a first booking, for the new time: one that breaks them is refused before anything is taken. Returns
    by what the booking is entitled to it."""
    if (slot.service_date, slot.starts_at) == (booking.service_date, booking.starts_at):
        raise SameSlot()
    found = judge(asking_in(session), slot_id=slot.id, offer_id=booking.offer_id, now=now)
    check_bookable(found, in_line=in_line)
    package = session.scalars(select(Offer.package).where(Offer.id == booking.offer_id)).one()
    person = session.get_one(Beneficiary, booking.beneficiary_id)
    kind(booking.kind).check_eligible(package, person.sex, person.birth_date, slot.service_date)
    check_validity(session, booking, slot.service_date)
    return _entitled(session, booking, slot.service_date)


def _entitled(session: Session, booking: Booking, day: date) -> Entitled:
    if not asks(booking.kind, booking.market):
        return Entitled()
    whom = (booking.insurer_id, booking.beneficiary_id, booking.venue_id)
    return entitled(session, Wish(booking.kind, *whom, day))


def check_validity(session: Session, booking: Booking, day: date) -> None:
    """Raise NotValidYet or ValidityOver unless the booking's benefit is valid on the day; it is locked."""
    valid_from, valid_until = session.execute(
        select(Entitlement.valid_from, Entitlement.valid_until)
        .where(Entitlement.id == booking.entitlement_id)
        .with_for_update(key_share=True)
    ).one()
    if day < valid_from:
        raise NotValidYet(valid_from=valid_from.isoformat())
    if day > valid_until:
        raise ValidityOver(valid_until=valid_until.isoformat())
