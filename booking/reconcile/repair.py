"""The repairs that an operator can make of a discrepancy, one click each.

Every repair checks the booking again under its lock, is recorded in the audit and reaches the provider through the
outbox. Repeating a repair changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from booking.actors import Actor, actor_of
from booking.attendance.early import DAY_OF_SERVICE, close_all_early, too_early
from booking.changes import swap
from booking.changes.cancel import begin_cancel
from booking.changes.reschedule import check_validity
from booking.discrepancies import EXPLAINED
from booking.exchange.follow import go_to
from booking.exchange.provider_bookings import ProviderBookings
from booking.exchange.replacement import end_given_up
from booking.feeds.unreadable import forget_delivered
from booking.models import Booking, ChangeRequest, Discrepancy, ProviderBooking, ProviderTask, Slot
from booking.outbox import enqueue
from booking.reconcile.compare import KINDS, leads
from booking.reconcile.queue import queue_run
from booking.reconcile.strays import being_cancelled, request_cancel
from booking.states import CANCELLABLE, DEAD, LIVE, STATE_OF, BookingState, legal
from booking.transition import lock_booking, move
from marketplace.catalog.models import Insurer, Offer
from marketplace.core import audit
from marketplace.core.clock import start_of
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from vip import roles
from vip.accounts import COMMAND
from vip.principal import Principal

log = get_logger(__name__)

Action = Literal["look_up", "send_again", "cancel_here", "cancel_there", "take_their_time", "take_their_status", "note"]

ACTIONS: tuple[Action, ...] = (
    "look_up",
    "send_again",
    "take_their_time",
    "take_their_status",
    "cancel_there",
    "cancel_here",
    "note",
)
LONGEST_NOTE = 500
CAUSE = "settled_by_operator"
STRAY = "theirs_only"
"""The kind of the discrepancy of a booking there that is nobody's of ours."""
BY_COMMAND = Actor("system", COMMAND)

_S = BookingState
_CANCELS_HERE = (
    "ours_only",
    "state_differs",
    "time_differs",
    "allotment_refused",
    "outcome_unknown",
    "closure_stands",
)
_CANCELS_THERE = ("theirs_only", "duplicate_there", "cancel_refused")
_FIRM = LIVE - {_S.HELD}


class CaseMovedOn(Refusal):
    """The discrepancy is out of date: the booking has changed, or a command for it is on its way."""

    code = "case_moved_on"


class NotThisRepair(Refusal):
    """This repair does not fit this discrepancy."""

    code = "not_this_repair"


class NoSuchTime(Refusal):
    """Our books have no slot at the provider's time, so the booking cannot be moved there."""

    code = "no_such_time"


@dataclass(frozen=True)
class Case:
    """A discrepancy with its booking, as `offered` and the repairs need them. `for_the_house`: it is a booking that
    belongs to no insurer where there are several: none of their operators settles it."""

    kind: str
    facts: Mapping[str, object]
    closed: bool
    state: BookingState | None
    begins: datetime | None = None
    service_date: date | None = None
    time_zone: str = ""
    for_the_house: bool = False

    @property
    def theirs(self) -> str | None:
        """The provider's status; None if the provider has no booking, or gave no status."""
        status = self.facts.get("theirs") or self.facts.get("status")
        return status if isinstance(status, str) else None


def offered(case: Case, *, now: datetime) -> list[Action]:
    """The repairs that are possible, in the order in which they are shown; none of a closed one."""
    if case.closed:
        return []
    fits: dict[Action, bool] = {
        "look_up": case.kind in KINDS or case.kind == "outcome_unknown",
        "send_again": case.kind == "ours_only"
        and case.state is _S.CONFIRMED
        and case.begins is not None
        and case.begins > now,
        "take_their_time": case.kind == "time_differs"
        and case.state is _S.CONFIRMED
        and bool(case.facts.get("service_date")),
        "take_their_status": case.kind in ("state_differs", "too_early") and _was_there(case, now),
        "cancel_there": case.kind in _CANCELS_THERE
        and (case.state is not None or case.kind == "theirs_only")
        and (case.theirs is None or case.theirs in CANCELLABLE),
        "cancel_here": case.kind in _CANCELS_HERE and _can_end(case),
        "note": case.kind != "commands_waiting",  # it closes itself, and would only come again
    }
    if case.for_the_house:
        fits |= {"cancel_there": False, "note": False}
    return [action for action in ACTIONS if fits[action]]


def _can_end(case: Case) -> bool:
    """Whether the booking can be cancelled here: while it is open, or used but unknown to the provider."""
    if case.state in _FIRM:
        return case.state is not _S.IN_SERVICE or case.kind == "ours_only" or case.theirs in DEAD
    used = case.state in (_S.FULFILLED, _S.NO_SHOW)
    return used and (case.kind == "ours_only" or (case.kind == "state_differs" and case.theirs in DEAD))


def _was_there(case: Case, now: datetime) -> bool:
    """Whether the provider reports a visit, or that nobody came, which can be true by now and is our next state."""
    if case.state is None or case.theirs not in DAY_OF_SERVICE or case.service_date is None:
        return False
    possible = not too_early(case.theirs, case.service_date, case.time_zone, now)
    return possible and leads(case.state, case.theirs)


def repair(principal: Principal, case_id: str, action: str, *, note: str = "", now: datetime) -> None:
    """Carry out one repair. Nothing happens if the discrepancy is closed, or the same command is on its way, already.

    Raises NotFound, NotThisRepair, CaseMovedOn, NoSuchTime, Invalid(field="note"), and what a swap refuses.
    """
    if action not in ACTIONS:
        raise NotThisRepair()
    if action == "note":
        _check_note(note)
    found = find_case(principal, case_id)
    with transaction() as session:
        booking, tasks = lock_booking(session, found.booking_id) if found.booking_id is not None else (None, [])
        case = session.get_one(Discrepancy, found.id, with_for_update=True, populate_existing=True)
        if case.closed_at is not None:
            return
        if action not in offered(as_case(session, case, booking), now=now):
            raise NotThisRepair()
        if action == "cancel_there" and booking is None and being_cancelled(session, case):
            return
        _DO[action](session, _Work(session, case, booking, tasks, actor_of(principal), now, note))
        audit.record(
            session,
            "difference.repaired",
            at=now,
            actor_kind=principal.acts_as,
            actor=principal.public_id,
            subject=case.public_id,
            insurer_id=principal.insurer_id,
            repair=action,
            booking=booking.public_id if booking is not None else "",
        )
    log.info("difference.repaired", case=case_id, repair=action)


def find_case(principal: Principal, case_id: str) -> Discrepancy:
    """A discrepancy of the operator's insurer, or one without a booking. Raises NotFound."""
    roles.require(principal, "books")
    with reading() as session:
        case = session.scalar(
            select(Discrepancy)
            .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
            .where(
                Discrepancy.public_id == case_id,
                or_(Booking.id.is_(None), Booking.insurer_id == principal.insurer_id),
            )
        )
    if case is None:
        raise NotFound()
    return case


def as_case(session: Session, case: Discrepancy, booking: Booking | None) -> Case:
    """The facts that decide which repairs are possible."""
    if booking is None:
        several = case.kind == STRAY and (session.scalar(select(func.count()).select_from(Insurer)) or 0) > 1
        return Case(case.kind, case.facts, case.closed_at is not None, None, for_the_house=several)
    begins = start_of(booking.service_date, booking.starts_at, booking.time_zone)
    day, zone = booking.service_date, booking.time_zone
    return Case(case.kind, case.facts, case.closed_at is not None, booking.state, begins, day, zone)


def cancel_stray_by_command(case_id: str, *, now: datetime) -> bool:
    """Have a stray cancelled there, for who runs the installation. False if that is on its way. Audited. Raises
    NotFound, also for a case that is closed or about a booking of ours."""
    with transaction() as session:
        case = _lock_stray(session, case_id)
        queued = request_cancel(session, case, BY_COMMAND, now=now)
        if queued:
            _record_by_command(session, case, "cancel_there", now)
        return queued


def explain_stray_by_command(case_id: str, note: str, *, now: datetime) -> None:
    """Close the case of a stray with a note, for who runs the installation. Audited. Raises NotFound, also for a case
    that is closed or about a booking of ours, and Invalid(field="note")."""
    _check_note(note)
    with transaction() as session:
        case = _lock_stray(session, case_id)
        _note(session, _Work(session, case, None, [], BY_COMMAND, now, note))
        _record_by_command(session, case, "note", now)


def _lock_stray(session: Session, case_id: str) -> Discrepancy:
    case = session.scalar(
        select(Discrepancy)
        .where(
            Discrepancy.public_id == case_id,
            Discrepancy.kind == STRAY,
            Discrepancy.booking_id.is_(None),
            Discrepancy.closed_at.is_(None),
        )
        .with_for_update()
    )
    if case is None:
        raise NotFound(field="case_id")
    return case


def _record_by_command(session: Session, case: Discrepancy, action: Action, now: datetime) -> None:
    audit.record(
        session,
        "difference.repaired",
        at=now,
        actor_kind=BY_COMMAND.kind,
        actor=BY_COMMAND.id,
        subject=case.public_id,
        repair=action,
    )


def _check_note(note: str) -> None:
    if not 1 <= len(note) <= LONGEST_NOTE:
        raise Invalid(field="note", reason="note_length", longest=LONGEST_NOTE)


@dataclass
class _Work:
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
        self.case.closed_at, self.case.resolution = self.now, resolution
        forget_delivered(self.session, self.case.id)


def _look_up(session: Session, work: _Work) -> None:
    """Let the worker ask the provider: by a run, or at once for a command with unknown outcome."""
    if work.case.kind != "outcome_unknown":
        queue_run(session, work.case.provider_id, work.actor, now=work.now, case_id=work.case.id)
        return
    for task in work.tasks:
        if task.state == "unknown":
            task.run_after = min(task.run_after, work.now)


def _send_again(session: Session, work: _Work) -> None:
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


def _cancel_there(session: Session, work: _Work) -> None:
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


def _cancel_here(session: Session, work: _Work) -> None:
    """Cancel our booking and give the benefit back. If the provider may still have it, the provider is asked first."""
    booking, case = work.booking, work.case
    if case.kind == "outcome_unknown":
        begin_cancel(session, booking, work.tasks, actor=work.actor, cause=CAUSE, now=work.now)
        return
    if any(task.command == "cancel" for task in work.tasks):
        return
    work.still_so()
    gone = case.kind in ("ours_only", "allotment_refused") or case.facts.get("theirs") in DEAD
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


def _take_their_time(session: Session, work: _Work) -> None:
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


def _take_their_status(session: Session, work: _Work) -> None:
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


def _note(session: Session, work: _Work) -> None:
    work.case.note = work.note
    work.close(EXPLAINED)
    if not work.stray:
        end_given_up(session, work.booking, work.now)


_DO: Mapping[str, Callable[[Session, _Work], None]] = {
    "look_up": _look_up,
    "send_again": _send_again,
    "cancel_there": _cancel_there,
    "cancel_here": _cancel_here,
    "take_their_time": _take_their_time,
    "take_their_status": _take_their_status,
    "note": _note,
}
