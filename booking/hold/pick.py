"""Pick a time on a page: hold it in place of what the same person still held of the same offer.

A customer who goes back and picks another time means that one, and must not lose a unit or a place to the time before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from booking.actors import Actor
from booking.hold.place import HoldRequest, hold
from booking.hold.take import Held
from booking.models import Booking
from booking.refusals import AlreadyBooked
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from vip.entitlements.ledger import EntitlementExhausted
from vip.models import Beneficiary
from vip.principal import Principal

log = get_logger(__name__)

CAUSE = "chose_another_time"


def pick(principal: Principal, request: HoldRequest, *, key: str, fingerprint: bytes, now: datetime) -> Held:
    """Hold the place; what this person still held of this offer, not submitted, is then given back.

    Raises as `hold` does. If the place is taken, the earlier hold stays; it is given up first only where it is in
    the way itself, since it has the last unit or lies at the same time. The same choice sent again makes nothing new,
    unless what it made has been given back since: then it is a new choice.
    """
    before = _still_held(principal, request)
    try:
        held = hold(principal, request, key=key, fingerprint=fingerprint, now=now)
    except (EntitlementExhausted, AlreadyBooked):
        if not before:
            raise
        _give_up(principal, before, now)
        held = hold(principal, request, key=key, fingerprint=fingerprint, now=now)
    if held.replayed and _is_over(held.public_id):
        held = hold(principal, request, key=f"{key}:{held.public_id}", fingerprint=fingerprint, now=now)
    if not held.replayed:
        _give_up(principal, before, now)
    return held


def _is_over(public_id: str) -> bool:
    with reading() as session:
        return not session.scalars(select(Booking.live).where(Booking.public_id == public_id)).one()


def _still_held(principal: Principal, request: HoldRequest) -> Sequence[int]:
    with reading() as session:
        return session.scalars(
            select(Booking.id)
            .join(Offer, Offer.id == Booking.offer_id)
            .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
            .where(
                Booking.customer_id == principal.id,
                Booking.state == BookingState.HELD,
                Offer.public_id == request.offer,
                Beneficiary.public_id == request.beneficiary,
            )
            .order_by(Booking.id)
        ).all()


def _give_up(principal: Principal, bookings: Sequence[int], now: datetime) -> None:
    for booking_id in bookings:
        with transaction() as session:
            booking, _ = lock_booking(session, booking_id)
            if booking.state is not BookingState.HELD:
                continue
            actor = Actor("customer", principal.public_id)
            move(session, booking, BookingState.CANCELLED, actor=actor, now=now, cause=CAUSE)
        log.info("booking.other_time_chosen", booking=booking.public_id)
