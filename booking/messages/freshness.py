"""Whether what a notice tells is still so: asked right before a message leaves."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.notices.models import Notification
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
    "change_refused": MOVABLE,
    "time_proposed": MOVABLE,
    "cancelled": {_S.CANCELLED, _S.ENTERED_IN_ERROR},
    "outcome_unknown": LIVE - AT_PROVIDER,
    "reminder": {_S.CONFIRMED},
    "no_show": {_S.NO_SHOW},
    "waitlist_offer": {_S.HELD},
    "waitlist_booked": LIVE,
}
"""In which states of its booking a kind is still true; kinds that are not here are true in any."""

_AHEAD = frozenset({"confirmed", "changed", "change_refused", "time_proposed", "reminder", "waitlist_booked"})
"""Kinds that tell a date: worth nothing once it has begun, wrong once it is another one."""

_REPORTS = {"report_partial": {"partial"}, "report_ready": {"ready"}, "report_corrected": {"corrected"}}


def stale(session: Session, told: Notification, now: datetime) -> str:
    """Why the notice isn't to be sent any more (a stable code), blank while it is true."""
    until = told.facts.get("until")
    if until and datetime.fromisoformat(str(until)) <= now:
        return "over"
    if told.kind in _REPORTS and told.facts.get("report"):
        about = select(Report.state).where(Report.public_id == told.facts["report"], Report.deleted_at.is_(None))
        state = session.scalar(about)
        return "" if state in _REPORTS[told.kind] else "superseded"
    if told.kind == "entitlement_expiring":
        return _ended(session, told, now)
    if told.booking_id is None:
        return ""
    booking = session.get_one(Booking, told.booking_id, populate_existing=True)
    if told.kind in _STATES and booking.state not in _STATES[told.kind]:
        return "moved_on"
    if told.kind == "report_overdue" and booking.report_state != "overdue":
        return "superseded"
    if told.kind == "time_proposed":
        state = session.scalar(select(Proposal.state).where(Proposal.public_id == told.subject))
        if state is not None and state != "open":
            return "superseded"
    if told.kind in _AHEAD:
        if not _same_time(told, booking):
            return "other_date"
        if start_of(booking.service_date, booking.starts_at, booking.time_zone) <= now and booking.starts_at:
            return "over"
        if booking.service_date < today(booking.time_zone, now):
            return "over"
    return ""


def _same_time(told: Notification, booking: Booking) -> bool:
    day, starts_at = told.facts.get("day"), told.facts.get("starts_at")
    starts = datetime.fromisoformat(str(starts_at)) if starts_at else None
    return (day, starts) == (booking.service_date.isoformat(), booking.starts_at)


def _ended(session: Session, told: Notification, now: datetime) -> str:
    held = session.scalars(
        select(Entitlement).where(Entitlement.public_id == told.facts.get("entitlement"))
    ).one_or_none()
    if held is None or not held.available:
        return "nothing_left"
    until = date.fromisoformat(str(told.facts["until_day"]))
    zone = held.customer.insurer.time_zone
    return "" if held.valid_until == until and until >= today(zone, now) else "other_date"
