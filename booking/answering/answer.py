"""What a provider says of one of its bookings, by the partner API or at its desk.

Each answer becomes what its system would have reported, and is applied as that is (`exchange.inbound`). But who asks is
told at once: what would be a discrepancy, or change nothing, is refused, and nothing is written. And a visit is said of
what was confirmed: in a system's report a check-in is evidence of a yes that we missed; here it would be a slip.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.actors import speak_for_provider
from booking.attendance.complained import ComplaintOpen, is_complained
from booking.attendance.early import DAY_OF_SERVICE, possible_from
from booking.changes import swap
from booking.changes.requests import open_cancel
from booking.changes.reschedule import OutOfDate, SameSlot
from booking.changes.withdraw import NoOpenChange
from booking.deadlines import before_start
from booking.discrepancies import Discrepancy
from booking.eligibility.entitled import is_open
from booking.eligibility.refusals import VenueClosed
from booking.exchange.provider_bookings import ProviderBookings
from booking.exchange.said_here import SaidHere, answers_here
from booking.idempotency import Repeatable, first_time
from booking.models import Booking, ChangeRequest, Slot
from booking.ownership import providers_booking_id
from booking.proposal import open_proposal
from booking.references import own_reference
from booking.refusals import HasNoTimes
from booking.states import LIVE, MOVABLE, STATE_OF, SUBMITTED, UNDECIDED, BookingState
from booking.transition import lock_booking, touch
from marketplace.catalog.kinds import has_times
from marketplace.catalog.models import Offer
from marketplace.core.clock import start_of
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.logging import get_logger
from providers.reported import BookingStatus, Proposed, RemoteBooking

log = get_logger(__name__)

_S = BookingState

Came = Literal["checked_in", "in_service", "fulfilled", "no_show"]
"""What became of the visit."""

_YesOrNo = Literal["confirmed", "rejected"]

TO_ANSWER = timedelta(hours=24)
"""How long a customer has for a proposal that names no end."""


class NotPossibleNow(Refusal):
    """The booking is not where this could be said of it; `state` says where it is."""

    code = "not_possible_now"


class NotConfirmed(NotPossibleNow):
    """Who came is said of a booking that was confirmed, and this one was not: a check-in is no yes by itself."""

    code = "not_confirmed"


class CancelUnderWay(Refusal):
    """The customer cancelled, and that is being carried out."""

    code = "cancel_under_way"


class SaidWhereItIsDone(Refusal):
    """What has no time begins and ends where it is done (a consultation in its conversation), and is said there."""

    code = "said_where_it_is_done"


class AnsweredElsewhere(Refusal):
    """The provider has a system that we call: what is said of a booking is said there, and read from there."""

    code = "answered_elsewhere"


class TooEarly(Refusal):
    """It can't be true yet; `opens_at` says from when it can."""

    code = "too_early"


class TimeDiffers(Refusal):
    """Another time was reported before and a person has not decided on it yet."""

    code = "time_differs"


@dataclass(frozen=True)
class ProvidersAnswer:
    """Whose answer it is, to which booking (public id), and the request that gave it. `version`: the booking's as the
    provider knows it, if it must still be that. `member`: the public id of the person who gives it, blank for a
    program: the history names her then."""

    provider_id: int
    booking: str
    repeat: Repeatable
    version: int | None = None
    member: str = ""


def confirm(answer: ProvidersAnswer, *, now: datetime) -> None:
    """Say yes to a booking; where its customer has agreed to the time that was proposed, to that one. Confirming again
    changes nothing.

    Raises NotFound, OutOfDate, NotPossibleNow, CancelUnderWay, IdempotencyKeyReused.
    """
    _say(answer, "confirmed", now=now)


def reject(answer: ProvidersAnswer, reason: str, *, now: datetime) -> None:
    """Say no to a booking that was not confirmed. `reason` is a code or the provider's words. Raises as `confirm`."""
    _say(answer, "rejected", reason, now=now)


def cancel(answer: ProvidersAnswer, reason: str, *, now: datetime) -> None:
    """Cancel a booking that was confirmed: its unit goes back, whatever the hour. Raises as `confirm`."""
    _say(answer, "cancelled", reason, now=now)


def report(answer: ProvidersAnswer, came: Came, *, now: datetime) -> None:
    """Say what became of the visit: who came, began, is done, or did not come. Raises as `confirm`, NotConfirmed for a
    booking that waits for its answer, TooEarly, and SaidWhereItIsDone for what has no time,
    ComplaintOpen for what is said to be done while its customer complains of it."""
    _say(answer, came, now=now)


def propose(answer: ProvidersAnswer, slot: str, *, reason: str, expires_at: datetime | None, now: datetime) -> None:
    """Propose another slot (by the provider's reference or its public id) of the same offer to the customer, who
    answers before `expires_at`: a day from now, or before either time if that is sooner. A proposal before is replaced.

    Raises as `confirm`, HasNoTimes, NotFound(field="slot"), SameSlot, VenueClosed, and Invalid(field="expires_at") for
    a time that is over or not before the slot.
    """
    with _answering(answer, now) as asked:
        if asked is None:
            return
        session, booking = asked.session, asked.booking
        _check_has_times(booking)
        found = _slot(session, booking, slot)
        if booking.state not in SUBMITTED:
            raise NotPossibleNow(state=booking.state.value)
        if not is_open(session, booking.venue_id, found.service_date):
            raise VenueClosed(day=found.service_date)
        proposed = _proposed(booking, found, expires_at, reason, now)
        asked.tell(asked.as_reported(_as_it_is(booking), proposal=proposed))
        made = open_proposal(session, booking)
        if made is None or (made.slot_ref, made.expires_at) != (proposed.slot, proposed.expires_at):
            raise NotPossibleNow(state=booking.state.value)


def move(answer: ProvidersAnswer, slot: str, *, now: datetime) -> None:
    """Say that the booking is at another slot now. If the customer asked for it, that accepts her change. Otherwise our
    books keep what she was promised, she is told, and a person decides.

    Raises as `confirm`, HasNoTimes, NotFound(field="slot"), SameSlot, TimeDiffers.
    """
    with _answering(answer, now) as asked:
        if asked is None:
            return
        session, booking = asked.session, asked.booking
        _check_has_times(booking)
        found = _slot(session, booking, slot)
        if (found.service_date, found.starts_at) == (booking.service_date, booking.starts_at):
            raise SameSlot()
        if booking.state not in MOVABLE:
            raise NotPossibleNow(state=booking.state.value)
        change = swap.open_change(session, booking)
        if change is not None and change.state == "open" and change.new_slot_id == found.id:
            _decide_change(asked, change, "confirmed", "")
            return
        if _differs(session, booking):
            raise TimeDiffers()
        _report_time(asked, found)


def accept_change(answer: ProvidersAnswer, *, now: datetime) -> None:
    """Say yes to the change of date that the customer asks for: the booking is at its new time. Raises as `confirm`,
    and NoOpenChange."""
    _answer_change(answer, "confirmed", "", now)


def refuse_change(answer: ProvidersAnswer, reason: str, *, now: datetime) -> None:
    """Say no to the change of date that the customer asks for: her old date stands. Raises as `accept_change`."""
    _answer_change(answer, "rejected", reason, now)


@contextmanager
def _answering(answer: ProvidersAnswer, now: datetime, *, over_cancel: bool = False) -> Iterator[SaidHere | None]:
    """The transaction of one answer, its booking locked; None for a request that was carried out before."""
    with transaction() as session:
        booking_id = providers_booking_id(session, answer.provider_id, answer.booking)
        if not answers_here(session, answer.provider_id):
            raise AnsweredElsewhere()
        if not first_time(session, answer.repeat, answer.booking, now=now):
            yield None
            return
        if answer.member:
            speak_for_provider(session, answer.member)
        booking, tasks = lock_booking(session, booking_id)
        if answer.version is not None and answer.version != booking.version:
            raise OutOfDate()
        if not over_cancel and booking.state in LIVE and open_cancel(session, booking) is not None:
            raise CancelUnderWay()
        yield SaidHere(session, booking, tasks, ProviderBookings(session, booking), now)


def _say(answer: ProvidersAnswer, status: BookingStatus, reason: str = "", *, now: datetime) -> None:
    target = STATE_OF[status]
    with _answering(answer, now, over_cancel=status == "cancelled") as asked:
        if asked is None or asked.booking.state is target:
            return
        booking, before = asked.booking, asked.booking.state
        if status in DAY_OF_SERVICE and not has_times(booking.kind):
            raise SaidWhereItIsDone()
        if status in DAY_OF_SERVICE and before in UNDECIDED:
            raise NotConfirmed(state=before.value)
        if target is _S.FULFILLED and is_complained(asked.session, booking):
            raise ComplaintOpen()
        agreed = swap.open_change(asked.session, booking) if status == "confirmed" and before in UNDECIDED else None
        if agreed is not None and agreed.state == "open":
            _decide_change(asked, agreed, "confirmed", "")
            return
        asked.tell(asked.as_reported(status, reason=reason))
        if booking.state is target:
            log.info("booking.answered_here", booking=booking.public_id, status=status)
            return
        opens_at = possible_from(status, booking.service_date, booking.starts_at, booking.time_zone)
        if before in LIVE and opens_at is not None and now < opens_at:
            raise TooEarly(opens_at=opens_at, time_zone=booking.time_zone)
        raise NotPossibleNow(state=before.value)


def _answer_change(answer: ProvidersAnswer, status: _YesOrNo, reason: str, now: datetime) -> None:
    with _answering(answer, now) as asked:
        if asked is None:
            return
        change = swap.open_change(asked.session, asked.booking)
        if change is None or change.state != "open":
            raise NoOpenChange()
        _decide_change(asked, change, status, reason)


def _decide_change(asked: SaidHere, change: ChangeRequest, status: _YesOrNo, reason: str) -> None:
    """The new booking that the change is at this provider: it is firm, or is not wanted there."""
    task = next((each for each in asked.tasks if each.change_request_id == change.id), None)
    if task is None:
        raise NoOpenChange()
    ours = own_reference(asked.booking.public_id, task.seq)
    asked.tell(RemoteBooking(ours, ours, status, asked.next_version(ours), reason=reason))
    if change.state == "open":
        raise NotPossibleNow(state=asked.booking.state.value)
    log.info("booking.change_answered_here", booking=asked.booking.public_id, status=status)


def _report_time(asked: SaidHere, slot: Slot) -> None:
    booking = asked.booking
    asked.tell(asked.as_reported(_as_it_is(booking), slot=slot))
    if not _differs(asked.session, booking):
        raise NotPossibleNow(state=booking.state.value)
    touch(booking, now=asked.now)  # what answers show of it has changed


def _as_it_is(booking: Booking) -> BookingStatus:
    return "confirmed" if booking.state is _S.CONFIRMED else "requested"


def _check_has_times(booking: Booking) -> None:
    if not has_times(booking.kind):
        raise HasNoTimes()


def _slot(session: Session, booking: Booking, named: str) -> Slot:
    """A slot that the booking's offer draws on. Raises NotFound(field="slot")."""
    slot = session.scalar(
        select(Slot)
        .join(Offer, Offer.pool_id == Slot.pool_id)
        .where(Offer.id == booking.offer_id, or_(Slot.external_ref == named, Slot.public_id == named))
        .order_by((Slot.external_ref == named).desc())
        .limit(1)
    )
    if slot is None:
        raise NotFound(field="slot")
    return slot


def _proposed(booking: Booking, slot: Slot, expires_at: datetime | None, reason: str, now: datetime) -> Proposed:
    if (slot.service_date, slot.starts_at) == (booking.service_date, booking.starts_at):
        raise SameSlot()
    start = start_of(slot.service_date, slot.starts_at, booking.time_zone)
    if expires_at is None:
        standing = start_of(booking.service_date, booking.starts_at, booking.time_zone)
        expires_at = before_start(before_start(now + TO_ANSWER, start, now), standing, now)
    if not now < expires_at < start:
        raise Invalid(field="expires_at", reason="range")
    return Proposed(slot.external_ref, slot.service_date, slot.starts_at, slot.ends_at, expires_at, reason)


def _differs(session: Session, booking: Booking) -> bool:
    found = select(Discrepancy.id).where(
        Discrepancy.provider_id == booking.provider_id,
        Discrepancy.kind == "time_differs",
        Discrepancy.subject == booking.public_id,
        Discrepancy.closed_at.is_(None),
    )
    return session.scalar(found) is not None
