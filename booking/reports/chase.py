"""Overdue reports: marked on time, requested from the provider again, and the customer notified."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, select, update

from booking.calls.connections import ProviderConnection
from booking.discrepancies import Discrepancy, open_discrepancy
from booking.feeds.cursors import Pull, apply_each, pages
from booking.models import Booking, Feed
from booking.notices.notify import notify
from booking.reports.fetch import OVERDUE, announce
from booking.reports.models import Report
from booking.states import BookingState
from booking.transition import touch
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import one_by_one
from providers.port import ProviderAdapter
from providers.reported import RemoteReport

ASK_EVERY = timedelta(hours=24)
"""How often a provider's system is asked again for its overdue reports."""


def mark_overdue(*, now: datetime, limit: int = 200) -> int:
    """Mark reports that have not come by the promised time, open a discrepancy and notify the customer. Returns how
    many.

    A partial report keeps its state, as its results can be read; the discrepancy is about the rest. A report that the
    provider has announced but we have not fetched (consent is missing, its file was refused) is not overdue.
    """
    with reading() as session:
        due = session.scalars(_newly_late(now).order_by(Booking.report_due_at).limit(limit)).all()
    return one_by_one("overdue", due, lambda booking_id: _mark(booking_id, now))["marked"]


def _mark(booking_id: int, now: datetime) -> str:
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.id == booking_id).with_for_update()).one()
        if booking.report_state not in ("expected", "partial") or booking.report_due_at is None:
            return "moved_on"
        if booking.report_state == "expected":
            booking.report_state = "overdue"
        touch(booking, now=now)
        due = booking.report_due_at.isoformat()
        facts = {"due": due, "report": booking.report_state}
        open_discrepancy(
            session, booking.provider_id, OVERDUE, booking.public_id, now=now, booking_id=booking.id, facts=facts
        )
        subject = booking.public_id
        notify(session, booking.customer_id, OVERDUE, subject, now=now, booking_id=booking.id, facts={"due": due})
    return "marked"


def _newly_late(now: datetime) -> Select[int]:
    here_but_unread = exists().where(
        Report.booking_id == Booking.id, Report.announced_version > Report.fetched_version, Report.deleted_at.is_(None)
    )
    open_case = exists().where(
        Discrepancy.booking_id == Booking.id, Discrepancy.kind == OVERDUE, Discrepancy.closed_at.is_(None)
    )
    return select(Booking.id).where(
        Booking.report_state.in_(("expected", "partial")),
        Booking.report_due_at <= now,
        Booking.state == BookingState.FULFILLED,
        ~here_but_unread,
        ~open_case,
    )


def ask_again(provider: ProviderConnection, adapter: ProviderAdapter, *, now: datetime) -> dict[str, int]:
    """Read a provider's whole list of reports again if any is overdue, in case an announcement was lost.

    At most once every ASK_EVERY. Returns counts: `asked` (overdue reports) and the results of announce(); empty if
    nothing was asked. Raises ProviderError, NotApplied; then the next call asks again.
    """

    def apply(remote: RemoteReport) -> str:
        with transaction() as session:
            return announce(session, provider.id, remote, now=now)

    late = (
        Booking.provider_id == provider.id,
        Booking.report_state.in_(("partial", "overdue")),
        Booking.report_due_at <= now,
        Booking.state == BookingState.FULFILLED,
    )
    with reading() as session:
        owed = session.execute(select(Booking.id, Booking.report_asked_at).where(*late)).all()
    if not owed or any(row.report_asked_at and row.report_asked_at > now - ASK_EVERY for row in owed):
        return {}
    pull = Pull(provider.id, Feed.REPORTS, now)
    counts: Counter[str] = Counter(asked=len(owed))
    for part in pages(provider.id, Feed.REPORTS, adapter.reports_since, now=now, afresh=True):
        apply_each(pull, part, ((remote.reference, remote) for remote in part.reports), apply, counts)
    with transaction() as session:
        session.execute(update(Booking).where(*late).values(report_asked_at=now))
    return dict(counts)
