"""Providers' signed events: recorded and applied in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.consultation.outside.cases import CONSULTATIONS
from booking.consultation.outside.events import ENDS, hear_event, make_due
from booking.escort.outside.events import READ_AFTER, hear_escort, read_soon
from booking.exchange.inbound import apply_remote
from booking.feeds.tries import PutOff, not_applied
from booking.feeds.unreadable import record_row
from booking.listening import ESCORTS
from booking.models import Feed
from booking.reports.fetch import announce
from booking.sync.confirmed import confirm_plainly
from booking.sync.models import ProviderEvent
from marketplace.core.database.db import transaction
from marketplace.core.database.moment import When
from marketplace.core.database.retention import forget
from marketplace.core.logging import get_logger
from providers.reported import Event

log = get_logger(__name__)


def forget_events(*, now: datetime, batch: int = 1000) -> int:
    """Drop the inbox's rows older than 90 days (a provider repeats an event for days at most); returns how many."""
    return forget(ProviderEvent.id, ProviderEvent.received_at, now - timedelta(days=90), batch)


def receive_event(provider_id: int, event: Event, *, now: datetime, said: When | None = None) -> str:
    """Record a verified webhook and apply it in the same transaction; a repeated one changes nothing, and neither does
    one of a kind that we do not know. What cannot be read becomes a discrepancy, and so does what has to be put off: to
    be sent it again would not help. `said`: the moment at which a doctor's words are taken, read under their locks;
    `now` without it.

    Returns the outcome, `duplicate` for one seen before.
    """
    outcome = confirm_plainly(provider_id, event, now=now) or _receive(provider_id, event, now, said or now)
    if outcome != "duplicate":
        log.info("webhook.received", kind=event.kind, outcome=outcome)
    return outcome


def _receive(provider_id: int, event: Event, now: datetime, said: When) -> str:
    with transaction() as session:
        return apply_event(session, provider_id, event, now=now, said=said)


def apply_event(session: Session, provider_id: int, event: Event, *, now: datetime, said: When | None = None) -> str:
    """Record and apply a verified event of any kind, in the caller's transaction; the outcome as of receive_event."""
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
            if event.booking.status in ENDS:
                make_due(session, provider_id, event.booking.reference, now=now)
            if event.booking.status in READ_AFTER:
                read_soon(session, provider_id, event.booking.reference, now=now)
        except PutOff as until:
            row = not_applied(event.booking.reference, event.booking, until.reason)
            record_row(session, provider_id, Feed.BOOKINGS, row, now=now)
            outcome = "put_off"
    if event.report is not None:
        outcome = announce(session, provider_id, event.report, now=now)
    if event.message is not None:
        outcome = hear_event(session, provider_id, event.message, now=said or now)
    if event.escort is not None:
        outcome = hear_escort(session, provider_id, event.escort, now=said or now)
    if event.unreadable is not None:
        feed = _feed_of(event.kind)
        record_row(session, provider_id, feed, event.unreadable, now=now)
        if feed == ESCORTS and event.unreadable.reference:
            read_soon(session, provider_id, event.unreadable.reference, now=now)
        outcome = "unreadable"
    session.execute(update(ProviderEvent).where(ProviderEvent.id == fresh).values(outcome=outcome))
    return outcome


def _feed_of(kind: str) -> str:
    """What a row that could not be read is a row of."""
    if kind.startswith("consultation."):
        return CONSULTATIONS
    if kind.startswith("escort."):
        return ESCORTS
    return Feed.REPORTS if kind.startswith("report.") else Feed.BOOKINGS
