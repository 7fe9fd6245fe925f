"""What a provider reports of a booking there that is not ours any more, or never was; an old date that was used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import provider_actor
from booking.attendance.early import TOO_EARLY, record_early_status, too_early
from booking.attendance.given_up import given_up_in_time
from booking.changes import swap
from booking.discrepancies import close_discrepancy, open_discrepancy
from booking.exchange.evidence import Result
from booking.exchange.provider_bookings import ProviderBookings
from booking.exchange.replacement import end_given_up
from booking.models import Booking, ProviderBooking, Slot, SlotClaim
from booking.outbox import annul, lock_unfinished, unsent
from booking.states import CANCELLABLE, DEAD, GIVEN_UP, BookingState
from providers.reported import RemoteBooking

SERVED = ("checked_in", "in_service", "fulfilled")
"""Statuses of a person who came."""


def put_aside(
    session: Session, booking: Booking, theirs: ProviderBookings, there: RemoteBooking, now: datetime
) -> Result:
    """It moves nothing here and is cancelled there: STRAY. Unless the person was served on a date that was given up:
    then the booking goes back to that date, and this is the CURRENT one again. Where it can't, a person decides; also
    on a no-show on a date that was given up when it had begun."""
    row = theirs.known(there.reference)
    day, at = there.service_date, there.starts_at
    early = day is not None and too_early(there.status, day, at, booking.time_zone, now)
    if not early:
        correction = "corrected_by_provider"
        close_discrepancy(session, booking.provider_id, TOO_EARLY, there.reference, correction, now=now)
    if there.status in DEAD:
        theirs.surplus_gone(there.reference, now)
        end_given_up(session, booking, now)
    elif there.status == "no_show" and not early and _nobody_expected(session, booking, row, there):
        theirs.surplus_missed(there.reference, now)
        end_given_up(session, booking, now)
    elif row is not None and row.role == "stray":
        theirs.cancel_surplus(row, now)
    elif there.status in CANCELLABLE:
        theirs.cancel_there(there.reference, now)
    elif early:
        record_early_status(session, booking, there, now)
    elif _go_back(session, booking, theirs, there, now):
        return Result.CURRENT
    else:
        facts = {"ours": booking.state.value, "theirs": there.status, "role": row.role if row else ""}
        reference = there.reference
        open_discrepancy(
            session, booking.provider_id, "old_date_used", reference, now=now, booking_id=booking.id, facts=facts
        )
    return Result.STRAY


def _nobody_expected(session: Session, booking: Booking, row: ProviderBooking | None, there: RemoteBooking) -> bool:
    """Whether nobody had to come to this one: it is surplus to a booking that lives on, or its date was given up before
    it could be missed."""
    if row is not None and row.role == "stray":
        return booking.state not in GIVEN_UP
    return there.service_date is not None and given_up_in_time(session, booking, there.service_date, there.starts_at)


def _go_back(session: Session, booking: Booking, theirs: ProviderBookings, there: RemoteBooking, now: datetime) -> bool:
    """The old day was served before our cancel arrived there: that day counts, the new one is given up here and
    cancelled there. False when it was not served, or our books can't go back."""
    row = theirs.known(there.reference)
    if row is None or there.status not in SERVED or booking.state is not BookingState.CONFIRMED:
        return False
    if not _at_that_time(session, booking, there, now):
        return False
    theirs.take_over(row, now)
    for task in lock_unfinished(session, booking.id):
        if task.command == "cancel" and task.facts.get("reference") == row.reference and unsent(task):
            annul(task, now=now)
    for kind in ("cancel_refused", "old_date_used"):
        close_discrepancy(session, booking.provider_id, kind, row.reference, "old_date_served", now=now)
    return True


def _at_that_time(session: Session, booking: Booking, there: RemoteBooking, now: datetime) -> bool:
    """Whether the booking is at the time that was served, now that we know of it: it may have been moved back there
    before, or an open change may ask for that very time."""
    if (booking.service_date, booking.starts_at) == (there.service_date, there.starts_at):
        return True
    actor = provider_actor(session, booking)
    request = swap.open_change(session, booking)
    if request is not None and swap.asks_for(request, there.service_date, there.starts_at):
        for task in lock_unfinished(session, booking.id):
            if task.change_request_id == request.id and unsent(task):
                annul(task, now=now)
        swap.switch(session, booking, request, actor=actor, now=now)
        return True
    slot = _given_up(session, booking, there)
    return slot is not None and swap.go_back(session, booking, slot, actor=actor, now=now)


def _given_up(session: Session, booking: Booking, there: RemoteBooking) -> Slot | None:
    """The slot that the booking had at the reported time."""
    return session.scalar(
        select(Slot)
        .join(SlotClaim, SlotClaim.slot_id == Slot.id)
        .where(
            SlotClaim.booking_id == booking.id,
            ~SlotClaim.live,
            Slot.service_date == there.service_date,
            Slot.starts_at.is_not_distinct_from(there.starts_at),
        )
        .order_by(SlotClaim.id.desc())
        .limit(1)
    )
