"""Take a change of date back: the old date stays valid, whatever the provider answers.

One that was not sent ends at once. One that may have been sent is `withdrawn` and stays unfinished until its end is
known: refused or never arrived, it is over; carried out, the provider is asked to move the booking back
(`undo_there`). Where a change is a new booking at the provider, that one is cancelled there (exchange/replacement.py).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import CLOCK, Actor
from booking.changes import swap
from booking.changes.requests import NOT_ANSWERED, open_cancel
from booking.models import Booking, ChangeRequest, ProviderTask, Slot, SlotClaim
from booking.outbox import annul, enqueue, unsent
from booking.ownership import own_booking_id
from booking.states import BookingState
from booking.transition import CHANGE_ENDED, lock_booking, write_history
from marketplace.core.database.db import transaction
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger
from vip.principal import Principal

log = get_logger(__name__)


class NoOpenChange(Refusal):
    """No change of date is asked for: it was answered meanwhile, or never asked."""

    code = "no_open_change"


def withdraw(principal: Principal, public_id: str, *, now: datetime) -> None:
    """A customer takes back the change of a confirmed booking. Asking again while it ends changes nothing.

    Raises NotFound, NoOpenChange.
    """
    with transaction() as session:
        booking, tasks = lock_booking(session, own_booking_id(session, principal, public_id))
        change = swap.open_change(session, booking)
        if change is None or booking.state is not BookingState.CONFIRMED:
            raise NoOpenChange()
        take_back(session, booking, tasks, change, now=now)
    log.info("booking.change_withdrawn", booking=public_id)


def take_back(
    session: Session,
    booking: Booking,
    tasks: list[ProviderTask],
    change: ChangeRequest,
    *,
    cause: str = "withdrawn",
    now: datetime,
) -> None:
    """Withdraw a change whose booking is locked; nothing if it is withdrawn."""
    if change.state != "open":
        return
    change.state, change.refusal = "withdrawn", cause
    actor = CLOCK if cause == NOT_ANSWERED else Actor(change.actor_kind, change.actor)  # type: ignore[arg-type]
    write_history(session, booking, actor=actor, now=now, cause=CHANGE_ENDED, facts={"refusal": cause})
    task = next((task for task in tasks if task.change_request_id == change.id), None)
    if task is None or unsent(task):
        if task is not None:
            annul(task, now=now)
        swap.leave(session, booking, change, cause=cause, now=now)


def stays(session: Session, booking: Booking, change: ChangeRequest) -> bool:
    """Whether the change was taken back and the booking goes on at its old date. (With a cancel behind it, it does not
    matter at which date it is cancelled.)"""
    return change.state == "withdrawn" and open_cancel(session, booking) is None


def undo_there(session: Session, booking: Booking, change: ChangeRequest, *, now: datetime) -> None:
    """The provider carried out a change that was taken back: ask it to move the booking to its old date again. Both
    places stay taken until it has answered."""
    old = session.scalars(
        select(Slot.public_id)
        .join(SlotClaim, SlotClaim.slot_id == Slot.id)
        .where(SlotClaim.booking_id == booking.id, SlotClaim.live, Slot.id != change.new_slot_id)
    ).first()
    facts = {"slot": old, "back": True}
    enqueue(session, booking, "change", now=now, change_request_id=change.id, facts=facts)
