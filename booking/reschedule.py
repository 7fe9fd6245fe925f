"""Move a confirmed booking to another slot, keeping the old date until the new one is certain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import swap
from booking.actors import Actor
from booking.availability import closes_at
from booking.change_rules import change_until, changes_left
from booking.models import Booking, ChangeRequest, Slot
from booking.outbox import enqueue
from booking.own import own_booking_id
from booking.states import BookingState
from booking.transition import lock_booking
from marketplace.catalog.kinds import kind
from marketplace.catalog.models import Offer, Provider
from marketplace.core.db import transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from vip.entitlements import ValidityOver
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
    """Only a confirmed booking without an open request can be changed; `state` and `change` say what stands."""

    code = "not_changeable"


class SameSlot(Refusal):
    """That is the date the booking has."""

    code = "same_slot"
    status = 422
    field = "slot_id"


class SlotPast(Refusal):
    """The slot can no longer be booked; `closes_at` says until when it could."""

    code = "slot_past"
    status = 422
    field = "slot_id"


def reschedule(principal: Principal, public_id: str, slot_public_id: str, *, now: datetime) -> None:
    """Ask for another slot of the same offer. The old date stands until the provider has agreed.

    Asking again for the slot that is already asked for changes nothing. Raises NotFound, NotChangeable,
    ChangeTooLate, NoChangesLeft, SameSlot, SlotPast, swap.SlotFull, swap.AlreadyBooked, ValidityOver or the kind's
    NotEligible; after any of them the booking stands as it was.
    """
    with transaction() as session:
        booking, _ = lock_booking(session, own_booking_id(session, principal, public_id))
        slot = _slot(session, booking, slot_public_id)
        request = swap.open_change(session, booking)
        if request is not None and request.state == "open" and request.new_slot_id == slot.id:
            return
        _check_booking(session, booking, now)
        _check_slot(session, booking, slot, now)
        request = ChangeRequest(
            public_id=new_id("chg"),
            booking_id=booking.id,
            kind="reschedule",
            state="open",
            actor_kind="customer",
            actor=principal.public_id,
            cause="customer_asked",
            new_slot_id=slot.id,
            asked_at=now,
        )
        booking.version += 1
        booking.updated_at = now
        _ask(session, booking, slot, request, now)
    log.info("booking.change_asked", booking=public_id)


def _ask(session: Session, booking: Booking, slot: Slot, request: ChangeRequest, now: datetime) -> None:
    """Occupy and take the new place last of all; the command to the provider is stored in the same transaction."""
    session.add(request)
    session.flush()
    enqueue(session, booking, "change", now=now, change_request_id=request.id, facts={"slot": slot.public_id})
    swap.begin(session, booking, slot, request)
    if session.scalar(select(Provider.allotment).where(Provider.id == booking.provider_id)):
        swap.switch(session, booking, request, actor=Actor("customer", request.actor), now=now)


def _slot(session: Session, booking: Booking, public_id: str) -> Slot:
    slot = session.scalar(
        select(Slot)
        .join(Offer, Offer.pool_id == Slot.pool_id)
        .where(Slot.public_id == public_id, Offer.id == booking.offer_id)
    )
    if slot is None:
        raise NotFound(field="slot_id")
    return slot


def _check_booking(session: Session, booking: Booking, now: datetime) -> None:
    asked = session.scalar(
        select(ChangeRequest.kind).where(ChangeRequest.booking_id == booking.id, ChangeRequest.closed_at.is_(None))
    )
    if booking.state is not BookingState.CONFIRMED or asked is not None:
        raise NotChangeable(state=booking.state.value, change=asked)
    until = change_until(booking)
    if now >= until:
        raise ChangeTooLate(until=until, time_zone=booking.time_zone)
    if changes_left(session, booking) == 0:
        raise NoChangesLeft()


def _check_slot(session: Session, booking: Booking, slot: Slot, now: datetime) -> None:
    if (slot.service_date, slot.starts_at) == (booking.service_date, booking.starts_at):
        raise SameSlot()
    lead, package = session.execute(select(Offer.lead_minutes, Offer.package).where(Offer.id == booking.offer_id)).one()
    closes = closes_at(slot.service_date, slot.starts_at, booking.time_zone, lead)
    if closes <= now:
        raise SlotPast(closes_at=closes)
    person = session.get_one(Beneficiary, booking.beneficiary_id)
    kind(booking.kind).check_eligible(package, person.sex, person.birth_date, slot.service_date)
    valid_from, valid_until = session.execute(
        select(Entitlement.valid_from, Entitlement.valid_until)
        .where(Entitlement.id == booking.entitlement_id)
        .with_for_update(key_share=True)
    ).one()
    if not valid_from <= slot.service_date <= valid_until:
        raise ValidityOver(valid_until=valid_until.isoformat())
