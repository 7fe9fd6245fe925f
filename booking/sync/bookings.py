"""What a provider reports of its bookings: by poll; by webhook: booking.sync.webhooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from booking.exchange.connections import ProviderConnection
from booking.exchange.cursors import apply_each, pages
from booking.exchange.inbound import apply_remote
from booking.models import Feed, ProviderBooking
from marketplace.core.db import reading, transaction
from marketplace.core.logging import get_logger
from providers.port import ProviderAdapter, RemoteBooking

log = get_logger(__name__)


def poll_bookings(provider: ProviderConnection, adapter: ProviderAdapter, *, now: datetime) -> dict[str, int]:
    """Apply what changed at the provider since the last poll, booking by booking; returns counts by outcome.

    Raises ProviderError when the provider cannot be read, NotApplied when something of it could not be applied: what
    was applied stays, the cursor does not move.
    """

    def apply(remote: RemoteBooking) -> str:
        with transaction() as session:
            return apply_remote(session, provider.id, remote, now=now, source="poll").what

    counts: Counter[str] = Counter()
    for part in pages(provider.id, Feed.BOOKINGS, adapter.bookings_since, now=now):
        news = _news(provider.id, part.bookings)
        counts["unchanged"] += len(part.bookings) - len(news)
        apply_each(Feed.BOOKINGS, part, ((remote.reference, remote) for remote in news), apply, counts)
    return dict(counts)


def _news(provider_id: int, reported: Sequence[RemoteBooking]) -> list[RemoteBooking]:
    """What is newer than what we know. A provider whose list cannot go on where it ended sends the same again and
    again; that takes one look, not a transaction each."""
    with reading() as session:
        rows = session.execute(
            select(ProviderBooking.reference, ProviderBooking.version).where(
                ProviderBooking.provider_id == provider_id,
                ProviderBooking.reference.in_([remote.reference for remote in reported]),
            )
        )
        known = {row.reference: row.version for row in rows}
    return [remote for remote in reported if remote.reference not in known or remote.version > known[remote.reference]]
