"""Whether a notice is still true, checked right before its message is sent."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from booking.calls.waiting_commands import NOTICE, is_waiting
from booking.consultation.notices.due import still_true
from booking.discrepancies import SLOT_OVERSOLD, Discrepancy
from booking.escort.assigning.told import NOTICES, WORD, still_goes
from booking.escort.dispatch.nobody import NOBODY, still_nobody
from booking.models import Booking, ProviderTask, Slot, SlotClaim
from booking.notices import told_otherwise
from booking.notices.models import Notification
from booking.outbox import UNFINISHED
from booking.proposal import Proposal
from booking.reports.models import Report
from booking.states import AT_PROVIDER, LIVE, MOVABLE, BookingState
from marketplace.core.clock import start_of, today
from vip.models import Entitlement

_S = BookingState
_STATES = {
    "held": {_S.HELD},
    "confirmed": {_S.CONFIRMED},
    "rejected": {_S.REJECTED},
    "changed": {_S.CONFIRMED},
    "change_stands": {_S.CONFIRMED},
    "change_refused": MOVABLE,
    "cancel_refused": MOVABLE,
    "time_proposed": MOVABLE,
    "cancelled": {_S.CANCELLED, _S.ENTERED_IN_ERROR},
    "reminder": {_S.CONFIRMED},
    "no_show": {_S.NO_SHOW},
    "escort_confirmed": {_S.CONFIRMED},
    "escort_late": {_S.CONFIRMED},
    "escort_over": {_S.CONFIRMED, _S.CHECKED_IN, _S.IN_SERVICE},
    "waitlist_offer": {_S.HELD},
    "waitlist_booked": LIVE,
}
"""The states of the booking in which a notice of a kind is still true; a kind that is missing is true in all."""

_AHEAD = frozenset(
    {
        "confirmed",
        "changed",
        "change_stands",
        "change_refused",
        "cancel_refused",
        "time_proposed",
        "reminder",
        "waitlist_booked",
        "escort_assigned",
        "escort_confirmed",
        "escort_replaced",
        "escort_word",
        "escort_nobody",
    }
)
"""Kinds that announce a date: out of date once the service has begun or has another date."""

_WHO_COMES = frozenset({*NOTICES, WORD, NOBODY})
"""Kinds of those that are true after the beginning as well, where they came up then: she waits there."""

_REPORTS = {"report_partial": {"partial"}, "report_ready": {"ready"}, "report_corrected": {"corrected"}}


def stale(session: Session, notice: Notification, now: datetime) -> str:
    """Why the notice must not be sent any more: a stable code, blank while it is true."""
    until = notice.facts.get("until")
    if until and datetime.fromisoformat(str(until)) <= now:
        return "over"
    if notice.kind in _REPORTS and notice.facts.get("report"):
        about = select(Report.state).where(Report.public_id == notice.facts["report"], Report.deleted_at.is_(None))
        state = session.scalar(about)
        return "" if state in _REPORTS[notice.kind] else "superseded"
    if notice.kind == "entitlement_expiring":
        return _ended(session, notice, now)
    if notice.booking_id is None:
        return ""
    booking = session.get_one(Booking, notice.booking_id, populate_existing=True)
    if notice.kind in _STATES and booking.state not in _STATES[notice.kind]:
        return "moved_on"
    if not still_true(session, notice.kind, notice.subject, booking.id, now=now):
        return "moved_on"
    if not still_goes(session, notice.kind, notice.subject):
        return "moved_on"
    if not still_nobody(session, notice.kind, notice.subject, booking.id):
        return "moved_on"
    if notice.kind == "outcome_unknown" and not _unanswered(session, booking, str(notice.facts.get("command"))):
        return "moved_on"
    if notice.kind == told_otherwise.NOTICE and not _differs(session, notice, booking):
        return "moved_on"
    if notice.kind == NOTICE and not is_waiting(session, booking.id):
        return "moved_on"
    if notice.kind == "report_overdue" and booking.report_state != "overdue":
        return "superseded"
    if notice.kind == "time_proposed":
        state = session.scalar(select(Proposal.state).where(Proposal.public_id == notice.subject))
        if state is not None and state != "open":
            return "superseded"
    if notice.kind in _AHEAD:
        if not _same_time(notice, booking):
            return "other_date"
        begins = start_of(booking.service_date, booking.starts_at, booking.time_zone)
        while_it_goes_on = notice.kind in _WHO_COMES and notice.created_at >= begins
        if begins <= now and booking.starts_at and not while_it_goes_on:
            return "over"
        if booking.service_date < today(booking.time_zone, now):
            return "over"
    return ""


def _unanswered(session: Session, booking: Booking, command: str) -> bool:
    """Whether that command of the booking is still without its answer."""
    if command == "reserve":
        return booking.state in LIVE - AT_PROVIDER
    known = select(ProviderTask.id).where(
        ProviderTask.booking_id == booking.id, ProviderTask.command == command, ProviderTask.state.in_(UNFINISHED)
    )
    return session.scalar(known.limit(1)) is not None


def _differs(session: Session, notice: Notification, booking: Booking) -> bool:
    """Whether what was told of the provider's books is still open."""
    if notice.facts.get("difference") == "slot_moved":
        return booking.state in LIVE
    if notice.facts.get("difference") == SLOT_OVERSOLD:
        return session.scalar(_oversold_slot(booking)) is not None
    known = select(Discrepancy.id).where(
        Discrepancy.booking_id == booking.id,
        Discrepancy.kind == notice.facts.get("difference"),
        Discrepancy.closed_at.is_(None),
    )
    return session.scalar(known.limit(1)) is not None


def _oversold_slot(booking: Booking) -> Select[int]:
    """An open discrepancy of a slot that the booking holds a place in."""
    return (
        select(Discrepancy.id)
        .join(Slot, Slot.public_id == Discrepancy.subject)
        .join(SlotClaim, SlotClaim.slot_id == Slot.id)
        .where(
            SlotClaim.booking_id == booking.id,
            SlotClaim.live,
            Discrepancy.kind == SLOT_OVERSOLD,
            Discrepancy.closed_at.is_(None),
        )
        .limit(1)
    )


def _same_time(notice: Notification, booking: Booking) -> bool:
    day, starts_at = notice.facts.get("day"), notice.facts.get("starts_at")
    starts = datetime.fromisoformat(str(starts_at)) if starts_at else None
    return (day, starts) == (booking.service_date.isoformat(), booking.starts_at)


def _ended(session: Session, notice: Notification, now: datetime) -> str:
    entitlement = session.scalars(
        select(Entitlement).where(Entitlement.public_id == notice.facts.get("entitlement"))
    ).one_or_none()
    if entitlement is None or not entitlement.available:
        return "nothing_left"
    until = date.fromisoformat(str(notice.facts["until_day"]))
    zone = entitlement.customer.insurer.time_zone
    return "" if entitlement.valid_until == until and until >= today(zone, now) else "other_date"
