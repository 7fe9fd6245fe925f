"""What a provider says of one of its bookings, by the partner API or at its desk.

Each answer becomes what its system would have reported, and is applied as that is (`exchange.inbound`): there are no
rules of its own here. But who asks is told at once: what would be a discrepancy, or change nothing, is refused, and
nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from booking.attendance.early import CHECK_IN_EARLY, too_early
from booking.changes import swap
from booking.changes.requests import open_cancel
from booking.changes.reschedule import OutOfDate, SameSlot
from booking.changes.withdraw import NoOpenChange
from booking.deadlines import before_start
from booking.exchange.inbound import apply_remote
from booking.exchange.provider_bookings import ProviderBookings
from booking.idempotency import Repeatable, first_time
from booking.models import Booking, ChangeRequest, Discrepancy, ProviderTask, Slot
from booking.ownership import providers_booking_id
from booking.proposal import open_proposal
from booking.references import own_reference
from booking.states import LIVE, MOVABLE, STATE_OF, SUBMITTED, BookingState
from booking.transition import lock_booking, touch
from marketplace.catalog.models import Offer, Provider
from marketplace.core.clock import start_of
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.logging import get_logger
from providers.registry import ADAPTERS, capabilities
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


class CancelUnderWay(Refusal):
    """The customer cancelled, and that is being carried out."""

    code = "cancel_under_way"


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
    provider knows it, if it must still be that."""

    provider_id: int
    booking: str
    repeat: Repeatable
    version: int | None = None


@dataclass(frozen=True)
class _Asked:
    """The locked booking that is answered."""

    session: Session
    booking: Booking
    tasks: list[ProviderTask]
    theirs: ProviderBookings
    now: datetime

    def as_reported(
        self, status: BookingStatus, *, slot: Slot | None = None, reason: str = "", proposal: Proposed | None = None
    ) -> RemoteBooking:
        """The booking as the provider sees it from now on; `slot`: it is at that one."""
        current = self.theirs.current
        reference = self.booking.public_id if current is None else current.reference
        return RemoteBooking(
            reference=reference,
            our_reference=self.booking.public_id if current is None else None,
            status=status,
            version=self.next_version(reference),
            service_date=None if slot is None else slot.service_date,
            starts_at=None if slot is None else slot.starts_at,
            ends_at=None if slot is None else slot.ends_at,
            reason=reason,
            proposal=proposal,
        )

    def next_version(self, reference: str) -> int:
        """What the provider says now of this one is newer than all before."""
        known = self.theirs.known(reference)
        return 2 if known is None else known.version + 1

    def tell(self, told: RemoteBooking) -> None:
        """Apply it as if a system had reported it."""
        apply_remote(self.session, self.booking.provider_id, told, now=self.now)


def confirm(answer: ProvidersAnswer, *, now: datetime) -> None:
    """Say yes to a booking. Confirming again changes nothing.

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
    """Say what became of the visit: who came, began, is done, or did not come. Raises as `confirm`, and TooEarly."""
    _say(answer, came, now=now)


def propose(answer: ProvidersAnswer, slot: str, *, reason: str, expires_at: datetime | None, now: datetime) -> None:
    """Propose another slot (by the provider's reference or its public id) of the same offer to the customer, who
    answers before `expires_at`: a day from now, or before either time if that is sooner. A proposal before is replaced.

    Raises as `confirm`, NotFound(field="slot"), SameSlot, and Invalid(field="expires_at") for a time that is over or
    not before the slot.
    """
    with _answering(answer, now) as asked:
        if asked is None:
            return
        session, booking = asked.session, asked.booking
        found = _slot(session, booking, slot)
        if booking.state not in SUBMITTED:
            raise NotPossibleNow(state=booking.state.value)
        proposed = _proposed(booking, found, expires_at, reason, now)
        asked.tell(asked.as_reported(_as_it_is(booking), proposal=proposed))
        made = open_proposal(session, booking)
        if made is None or (made.slot_ref, made.expires_at) != (proposed.slot, proposed.expires_at):
            raise NotPossibleNow(state=booking.state.value)


def move(answer: ProvidersAnswer, slot: str, *, now: datetime) -> None:
    """Say that the booking is at another slot now. If the customer asked for it, that accepts her change. Otherwise our
    books keep what she was promised, she is told, and a person decides.

    Raises as `confirm`, NotFound(field="slot"), SameSlot, TimeDiffers.
    """
    with _answering(answer, now) as asked:
        if asked is None:
            return
        session, booking = asked.session, asked.booking
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


def _answers_here(session: Session, provider_id: int) -> bool:
    """Whether the provider answers in our books, rather than in a system of its own that we call."""
    adapter = session.scalar(select(Provider.adapter).where(Provider.id == provider_id))
    return adapter in ADAPTERS and capabilities(adapter).answers_here


@contextmanager
def _answering(answer: ProvidersAnswer, now: datetime, *, over_cancel: bool = False) -> Iterator[_Asked | None]:
    """The transaction of one answer, its booking locked; None for a request that was carried out before."""
    with transaction() as session:
        booking_id = providers_booking_id(session, answer.provider_id, answer.booking)
        if not _answers_here(session, answer.provider_id):
            raise AnsweredElsewhere()
        if not first_time(session, answer.repeat, answer.booking, now=now):
            yield None
            return
        booking, tasks = lock_booking(session, booking_id)
        if answer.version is not None and answer.version != booking.version:
            raise OutOfDate()
        if not over_cancel and booking.state in LIVE and open_cancel(session, booking) is not None:
            raise CancelUnderWay()
        yield _Asked(session, booking, tasks, ProviderBookings(session, booking), now)


def _say(answer: ProvidersAnswer, status: BookingStatus, reason: str = "", *, now: datetime) -> None:
    target = STATE_OF[status]
    with _answering(answer, now, over_cancel=status == "cancelled") as asked:
        if asked is None or asked.booking.state is target:
            return
        booking, before = asked.booking, asked.booking.state
        asked.tell(asked.as_reported(status, reason=reason))
        if booking.state is target:
            log.info("booking.answered_here", booking=booking.public_id, status=status)
        elif before in LIVE and too_early(status, booking.service_date, booking.time_zone, now):
            begins = start_of(booking.service_date, None, booking.time_zone)
            opens_at = begins - (CHECK_IN_EARLY if status == "checked_in" else timedelta())
            raise TooEarly(opens_at=opens_at, time_zone=booking.time_zone)
        else:
            raise NotPossibleNow(state=before.value)


def _answer_change(answer: ProvidersAnswer, status: _YesOrNo, reason: str, now: datetime) -> None:
    with _answering(answer, now) as asked:
        if asked is None:
            return
        change = swap.open_change(asked.session, asked.booking)
        if change is None or change.state != "open":
            raise NoOpenChange()
        _decide_change(asked, change, status, reason)


def _decide_change(asked: _Asked, change: ChangeRequest, status: _YesOrNo, reason: str) -> None:
    """The new booking that the change is at this provider: it is firm, or is not wanted there."""
    task = next((each for each in asked.tasks if each.change_request_id == change.id), None)
    if task is None:
        raise NoOpenChange()
    ours = own_reference(asked.booking.public_id, task.seq)
    asked.tell(RemoteBooking(ours, ours, status, asked.next_version(ours), reason=reason))
    if change.state == "open":
        raise NotPossibleNow(state=asked.booking.state.value)
    log.info("booking.change_answered_here", booking=asked.booking.public_id, status=status)


def _report_time(asked: _Asked, slot: Slot) -> None:
    booking = asked.booking
    asked.tell(asked.as_reported(_as_it_is(booking), slot=slot))
    if not _differs(asked.session, booking):
        raise NotPossibleNow(state=booking.state.value)
    touch(booking, now=asked.now)  # what answers show of it has changed


def _as_it_is(booking: Booking) -> BookingStatus:
    return "confirmed" if booking.state is _S.CONFIRMED else "requested"


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
