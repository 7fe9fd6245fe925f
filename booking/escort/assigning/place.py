"""A worker is asked for a locked booking: under the lock of her row, by the filters that made her a candidate."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.changes.requests import open_cancel
from booking.changes.swap import open_change
from booking.escort import known_by
from booking.escort.assigning.answer_time import answer_due
from booking.escort.assigning.refusals import AlreadyAsked, NotToBeEscorted, WorkerUnavailable
from booking.escort.assigning.told import tell_desk
from booking.escort.assigning.way import Service, lock_worker, padded, services, way_to, write_ways
from booking.escort.matching.against import FILTERS, Against, reasons_against
from booking.escort.matching.load import load
from booking.escort.matching.service import service_times
from booking.escort.models import EscortAssignment, EscortWorker
from booking.exchange.said_here import answers_here
from booking.models import Booking
from booking.states import BEGUN, BookingState
from marketplace.catalog.kinds import is_dispatched
from marketplace.core.clock import start_of
from marketplace.core.ids import new_id
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary

WANTED = (BookingState.AWAITING_PROVIDER, BookingState.CONFIRMED)
"""States of a booking that somebody is to be found for."""
WANTED_STILL = (BookingState.CONFIRMED, *sorted(BEGUN))
"""States in which it may go on with somebody else after its beginning."""
PASSED_OVER = frozenset(
    {
        *(Against.OFF_DUTY, Against.LANGUAGE, Against.SEX),
        *(Against.DECLINED, Against.DID_NOT_ANSWER, Against.REPLACED),
    }
)
"""What a person at the desk may know better: she has asked the customer, or the worker."""
KEPT = frozenset({Against.BUSY, Against.TRAVEL})
"""What the database keeps as it was since she was asked."""


def require_wanted(session: Session, booking: Booking, *, now: datetime, still: bool = False) -> None:
    """Raise NotToBeEscorted unless somebody is to go with the person of a locked booking. `still`: also after the
    beginning, until the end of the service, which is for people to decide."""
    if not is_dispatched(booking.kind):
        raise NotToBeEscorted(reason="not_sent")
    if booking.state not in (*WANTED, *(WANTED_STILL if still else ())):
        raise NotToBeEscorted(reason="over")
    goes_on = still and booking.state in WANTED_STILL and ends_at(booking) > now
    if start_of(booking.service_date, booking.starts_at, booking.time_zone) <= now and not goes_on:
        raise NotToBeEscorted(reason="begun")
    if open_cancel(session, booking) is not None:
        raise NotToBeEscorted(reason="cancel_under_way")
    if booking.state is BookingState.AWAITING_PROVIDER and open_change(session, booking) is not None:
        raise NotToBeEscorted(reason="moves")
    if not answers_here(session, booking.provider_id):
        raise NotToBeEscorted(reason="elsewhere")


def period_of(booking: Booking) -> Range[datetime]:
    """When the service of a booking is, from its beginning to its latest end."""
    package = booking.snapshot.get("package") or {}
    return Range(*service_times(booking.service_date, booking.starts_at, booking.time_zone, package), bounds="[)")


def ends_at(booking: Booking) -> datetime:
    """When the service of a booking is over, at the latest."""
    package = booking.snapshot.get("package") or {}
    return service_times(booking.service_date, booking.starts_at, booking.time_zone, package)[1]


def place(
    session: Session, booking: Booking, worker_id: int, *, actor: Actor, now: datetime, again: bool = False
) -> EscortAssignment:
    """Ask a worker (internal id) of the booking's provider; the booking is locked and somebody is wanted for it.

    Nobody but the clock keeps to the roster, to wishes, and to what she said before (PASSED_OVER); `again`: she may
    have been taken off it. Raises AlreadyAsked, WorkerUnavailable, NotToBeEscorted.
    """
    _require_nobody(session, booking)
    worker = lock_worker(session, worker_id)
    loaded = load(session, [booking.id], now=now)
    (request,) = loaded.requests
    candidate = next((each for each in loaded.candidates if each.id == worker.id), None)
    if candidate is None:
        raise WorkerUnavailable(reason=_not_loaded(worker, now).value)
    passed = PASSED_OVER if actor.kind != "clock" else frozenset({Against.REPLACED} if again else ())
    strict = [each for each in FILTERS if each.code not in passed]
    against = next(reasons_against(candidate, request, strict), None)
    if against is not None:
        raise WorkerUnavailable(reason=against.value)
    deadline = booking.answer_due_at if booking.state is BookingState.AWAITING_PROVIDER else None
    due = answer_due(request.starts_at, deadline, now, zone=request.zone, until=request.ends_at)
    if due is None:
        raise NotToBeEscorted(reason="no_time")
    begun = request.starts_at < request.begins
    wanted = Service(request.begins, request.ends_at, request.stop, request.zone, begun)
    row = _row(session, booking, worker, wanted, now=now)
    row.period = Range(request.starts_at, request.ends_at, bounds="[)")
    row.asked_at, row.answer_due_at = now, due
    row.asked_by_kind, row.asked_by = actor.kind, actor.id
    session.add(row)
    session.flush()
    tell_desk(session, worker, row, now=now)
    return row


def require_able(session: Session, booking: Booking, worker: EscortWorker, *, now: datetime) -> None:
    """Raise WorkerUnavailable where something makes it impossible that she goes, of a locked booking and worker whom
    she was asked for: her time was kept since, the rest may have changed."""
    loaded = load(session, [booking.id], now=now)
    (request,) = loaded.requests
    candidate = next((each for each in loaded.candidates if each.id == worker.id), None)
    if candidate is None:
        raise WorkerUnavailable(reason=_not_loaded(worker, now).value)
    since = [each for each in FILTERS if each.code not in PASSED_OVER | KEPT]
    against = next(reasons_against(candidate, request, since), None)
    if against is not None:
        raise WorkerUnavailable(reason=against.value)


def _not_loaded(worker: EscortWorker, now: datetime) -> Against:
    """Why she is no candidate: those who left are not loaded, nor who works elsewhere."""
    return Against.LEFT if worker.ended_at is not None and worker.ended_at <= now else Against.OTHER_CITY


def _row(
    session: Session, booking: Booking, worker: EscortWorker, wanted: Service, *, now: datetime
) -> EscortAssignment:
    """The new assignment, with the ways to it and from it: that of the next one is written first, since the database
    compares each with all others."""
    planned = sorted([*services(session, worker, now=now), wanted], key=lambda each: each.start)
    write_ways(session, worker, planned)
    at = planned.index(wanted)
    before = planned[at - 1] if at else None
    seconds = way_to(worker, wanted, before)
    public_id = new_id("esa")
    words = known_by.new_words(
        key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS), public_id
    )
    return EscortAssignment(
        public_id=public_id,
        booking_id=booking.id,
        worker_id=worker.id,
        provider_id=booking.provider_id,
        padded=padded(wanted, before, seconds),
        travel_seconds=seconds,
        safe_word_sealed=words.safe_word,
        code_sealed=words.code,
    )


def _require_nobody(session: Session, booking: Booking) -> None:
    asked = session.scalar(
        select(EscortWorker.public_id)
        .join(EscortAssignment, EscortAssignment.worker_id == EscortWorker.id)
        .where(EscortAssignment.booking_id == booking.id, EscortAssignment.live)
    )
    if asked is not None:
        raise AlreadyAsked(worker=asked)
