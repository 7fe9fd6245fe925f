"""Providers' signed events: recorded and applied in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert

from booking.exchange.inbound import apply_remote
from booking.feeds.tries import PutOff, not_applied
from booking.feeds.unreadable import record_row
from booking.models import Feed
from booking.reports.fetch import announce
from booking.sync.models import ProviderEvent
from marketplace.core.database.db import transaction
from marketplace.core.database.retention import forget
from marketplace.core.logging import get_logger
from providers.reported import Event

log = get_logger(__name__)


def forget_events(*, now: datetime, batch: int = 1000) -> int:
    """Drop the inbox's rows older than 90 days (a provider repeats an event for days at most); returns how many."""
    return forget(ProviderEvent.id, ProviderEvent.received_at, now - timedelta(days=90), batch)


def receive_event(provider_id: int, event: Event, *, now: datetime) -> str:
    """Record a verified webhook and apply it in the same transaction; a repeated one changes nothing, and neither does
    one of a kind that we do not know. What cannot be read becomes a discrepancy, and so does what has to be put off: to
    be sent it again would not help.

    Returns the outcome, `duplicate` for one seen before.
    """
    with transaction() as session:
        fresh = session.execute(
            insert(ProviderEvent)
            .values(provider_id=provider_id, event_id=event.id, kind=event.kind, received_at=now, outcome="received")
            .on_conflict_do_nothing(index_elements=["provider_id", "event_id"])
            .returning(ProviderEvent.id)
        ).scalar_one_or_none()
        if fresh is None:
            return "duplicate"
        outcome = "ignored"
        if event.booking is not None:
            try:
                outcome = apply_remote(session, provider_id, event.booking, now=now).what
            except PutOff as until:
                row = not_applied(event.booking.reference, event.booking, until.reason)
                record_row(session, provider_id, Feed.BOOKINGS, row, now=now)
                outcome = "put_off"
        if event.report is not None:
            outcome = announce(session, provider_id, event.report, now=now)
        if event.unreadable is not None:
            feed = Feed.REPORTS if event.kind.startswith("report.") else Feed.BOOKINGS
            record_row(session, provider_id, feed, event.unreadable, now=now)
            outcome = "unreadable"
        session.get_one(ProviderEvent, fresh).outcome = outcome
    log.info("webhook.received", kind=event.kind, outcome=outcome)
    return outcome
