"""What each repair does: to the booking here, through the outbox to the provider, and to the case.

Whoever has one carried out holds the locks of booking and case, and has seen that it is offered (repair.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.attendance.early import close_all_early
from booking.changes import swap
from booking.changes.cancel import begin_cancel
from booking.changes.reschedule import check_validity
from booking.discrepancies import EXPLAINED, Discrepancy
from booking.exchange.follow import go_to
from booking.exchange.provider_bookings import ProviderBookings
from booking.exchange.replacement import end_given_up
from booking.feeds.unreadable import forget_delivered
from booking.models import Booking, ChangeRequest, ProviderBooking, ProviderTask, Slot
from booking.outbox import enqueue
from booking.reconcile.offered_repairs import Action
from booking.reconcile.queue import queue_run
from booking.reconcile.strays import request_cancel
from booking.states import DEAD, STATE_OF, BookingState, legal
from booking.transition import move
from marketplace.catalog.models import Offer
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.ids import new_id

LONGEST_NOTE = 500
CAUSE = "settled_by_operator"

_GONE = ("ours_only", "allotment_refused", "escort_complaint")
"""Kinds of which the provider has nothing to cancel any more."""

_S = BookingState


class CaseMovedOn(Refusal):
    """The discrepancy is out of date: the booking has changed, or a command for it is on its way."""

    code = "case_moved_on"


class NotThisRepair(Refusal):
    """This repair does not fit this discrepancy."""

    code = "not_this_repair"


class NoSuchTime(Refusal):
    """Our books have no slot at the provider's time, so the booking cannot be moved there."""

    code = "no_such_time"


@dataclass
class Work:
    """A repair to be made. `session` holds the locks of the case and of its booking, whose unfinished commands are
    `tasks`; a stray has no booking. `note` is the operator's."""

    session: Session
    case: Discrepancy
    _booking: Booking | None
    tasks: list[ProviderTask]
    actor: Actor
    now: datetime
    note: str

    @property
    def booking(self) -> Booking:
        """The locked booking; the repair is offered for none without."""
        if self._booking is None:
            raise NotThisRepair()
        return self._booking

    @property
    def stray(self) -> bool:
        """Whether no booking of ours is concerned."""
        return self._booking is None

    def still_so(self) -> None:
        """Raise CaseMovedOn unless the booking has the recorded state and no command is on its way."""
        recorded = self.case.facts.get("ours")
        if self.tasks or (recorded is not None and recorded != self.booking.state.value):
            raise CaseMovedOn()

    def close(self, resolution: str) -> None:
        """Close the case; what was delivered of it is not needed any more."""
        self.case.closed_at, self.case.resolution = self.now, resolution
        forget_delivered(self.session, self.case.id)


Repairs = Mapping[Action, Callable[[Work], None]]
"""Repairs of rooms above this one, by their actions."""
NO_MORE: Repairs = {}


def carry_out(action: Action, work: Work, more: Repairs = NO_MORE) -> None:
    """Do what the action stands for. Raises NotThisRepair, CaseMovedOn, NoSuchTime, and what a swap refuses."""
    if action in more:
        more[action](work)
    elif action in _DO:
        _DO[action](work.session, work)
    else:
        raise NotThisRepair()


def check_note(note: str) -> None:
    """Raise Invalid(field="note") unless it says something and is not too long."""
    if not 1 <= len(note) <= LONGEST_NOTE:
        raise Invalid(field="note", reason="note_length", longest=LONGEST_NOTE)


def _look_up(session: Session, work: Work) -> None:
    """Let the worker ask the provider: by a run, or at once for a command with unknown outcome."""
    if work.case.kind != "outcome_unknown":
        queue_run(session, work.case.provider_id, work.actor, now=work.now, case_id=work.case.id)
        return
    for task in work.tasks:
        if task.state == "unknown":
            task.run_after = min(task.run_after, work.now)


def _send_again(session: Session, work: Work) -> None:
    """Send the booking again, under a new key. The reference that the provider lost is superseded."""
    if any(task.command == "reserve" for task in work.tasks):
        return
    work.still_so()
    session.execute(
        update(ProviderBooking)
        .where(ProviderBooking.booking_id == work.booking.id, ProviderBooking.role == "current")
        .values(role="superseded")
    )
    enqueue(session, work.booking, "reserve", now=work.now)


def _cancel_there(session: Session, work: Work) -> None:
    """Ask the provider to cancel what is surplus there: through the outbox of the booking that it is surplus to; what
    is nobody's by a command of its own."""
    reference = work.case.subject
    if work.stray:
        request_cancel(session, work.case, work.actor, now=work.now)
        return
    if work.case.kind == "cancel_refused":
        work.close("cancelled_again")
    if reference == work.booking.public_id:
        enqueue(session, work.booking, "cancel", now=work.now, facts={"compensating": True})
    else:
        ProviderBookings(session, work.booking).cancel_there(reference, work.now)


def _cancel_here(session: Session, work: Work) -> None:
    """Cancel our booking and give the benefit back. If the provider may still have it, the provider is asked first."""
    booking, case = work.booking, work.case
    if case.kind == "outcome_unknown":
        begin_cancel(session, booking, work.tasks, actor=work.actor, cause=CAUSE, now=work.now)
        return
    if any(task.command == "cancel" for task in work.tasks):
        return
    work.still_so()
    gone = case.kind in _GONE or case.facts.get("theirs") in DEAD
    if not gone:
        begin_cancel(session, booking, work.tasks, actor=work.actor, cause=CAUSE, now=work.now)
        return
    change = swap.open_change(session, booking)
    if change is not None:
        swap.close(session, booking, change, cause="overtaken", now=work.now)
    ended = legal(booking.state, _S.CANCELLED)
    to = _S.CANCELLED if ended else _S.ENTERED_IN_ERROR
    move(session, booking, to, actor=work.actor, now=work.now, cause=CAUSE)
    close_all_early(session, booking, work.now)
    if ended:  # if it appears there after all, it is cancelled there too
        enqueue(session, booking, "cancel", now=work.now, facts={"compensating": True, "reason": CAUSE})
    work.close("cancelled_here")


def _take_their_time(session: Session, work: Work) -> None:
    """Move our booking to the time at which the provider has it already, and notify the customer."""
    work.still_so()
    booking, facts = work.booking, work.case.facts
    slot = _slot_at(session, booking, date.fromisoformat(facts["service_date"]), facts.get("starts_at"))
    check_validity(session, booking, slot.service_date)
    change = swap.open_change(session, booking)
    if change is not None:
        swap.leave(session, booking, change, cause="overtaken", now=work.now)
    request = ChangeRequest(
        public_id=new_id("chg"),
        booking_id=booking.id,
        kind="reschedule",
        state="open",
        actor_kind=work.actor.kind,
        actor=work.actor.id,
        cause=CAUSE,
        asked_at=work.now,
    )
    session.add(request)
    session.flush()
    swap.lock_slots(session, booking, slot)
    swap.begin(session, booking, slot, request)
    swap.switch(session, booking, request, actor=work.actor, now=work.now)
    work.close("took_their_time")


def _take_their_status(session: Session, work: Work) -> None:
    """Move our booking to the status that the provider reports of the booking there that is in use."""
    work.still_so()
    booking, reference = work.booking, work.case.facts.get("reference")
    current = ProviderBookings(session, booking).current
    if reference is not None and (current is None or current.reference != reference):
        raise NotThisRepair()
    if not go_to(session, booking, STATE_OF[work.case.facts["theirs"]], work.actor, CAUSE, work.now):
        raise NotThisRepair()
    work.close("took_their_status")


def _slot_at(session: Session, booking: Booking, day: date, starts_at: object) -> Slot:
    """The slot of the booking's offer at that time. Raises NoSuchTime."""
    starts = datetime.fromisoformat(starts_at) if isinstance(starts_at, str) else None
    slot = session.scalar(
        select(Slot)
        .join(Offer, Offer.pool_id == Slot.pool_id)
        .where(
            Offer.id == booking.offer_id,
            Slot.service_date == day,
            Slot.starts_at == starts if starts is not None else Slot.starts_at.is_(None),
        )
        .order_by(Slot.id)
        .limit(1)
    )
    if slot is None:
        raise NoSuchTime()
    return slot


def _note(session: Session, work: Work) -> None:
    """Close the case as explained."""
    work.case.note = work.note
    work.close(EXPLAINED)
    if not work.stray:
        end_given_up(session, work.booking, work.now)


_DO: Mapping[Action, Callable[[Session, Work], None]] = {
    "look_up": _look_up,
    "send_again": _send_again,
    "cancel_there": _cancel_there,
    "cancel_here": _cancel_here,
    "take_their_time": _take_their_time,
    "take_their_status": _take_their_status,
    "note": _note,
}
