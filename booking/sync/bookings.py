"""What a provider reports of its bookings: by poll; by webhook: booking.sync.webhooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from booking.calls.connections import ProviderConnection
from booking.exchange.inbound import apply_remote
from booking.feeds.cursors import Pull, apply_each, pages
from booking.feeds.unreadable import Due, asked_in_vain, close_read, due_again
from booking.models import Feed, ProviderBooking
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.port import ComeBackLater, LookUp, ProviderAdapter, ProviderError, RetryAfter
from providers.reported import RemoteBooking

log = get_logger(__name__)

ASK_AT_ONCE = 5
"""How many bookings are asked for one by one after a poll."""


def poll_bookings(provider: ProviderConnection, adapter: ProviderAdapter, *, now: datetime) -> dict[str, int]:
    """Apply what changed at the provider since the last poll, booking by booking; returns counts by outcome.

    Raises ProviderError when the provider cannot be read, NotApplied when something of it could not be applied: what
    was applied stays, the cursor does not move.
    """

    def apply(remote: RemoteBooking) -> str:
        with transaction() as session:
            return apply_remote(session, provider.id, remote, now=now).what

    pull = Pull(provider.id, Feed.BOOKINGS, now)
    counts: Counter[str] = Counter()
    for part in pages(provider.id, Feed.BOOKINGS, adapter.bookings_since, now=now):
        news = _news(provider.id, part.bookings)
        counts["unchanged"] += len(part.bookings) - len(news)
        apply_each(pull, part, ((remote.reference, remote) for remote in news), apply, counts)
    counts += ask_again(provider, adapter, now=now)
    return dict(counts)


def ask_again(provider: ProviderConnection, adapter: ProviderAdapter, *, now: datetime) -> Counter[str]:
    """Ask for the bookings whose rows could not be read and are due again, one by one; returns counts by outcome.
    Raises ProviderError when the provider cannot be reached, ComeBackLater when it asks for a pause."""

    def ask(row: tuple[str, Due]) -> str:
        due = row[1]
        there = adapter.look_up(LookUp("", due.our_reference, due.reference))
        if isinstance(there, RetryAfter):
            raise (
                ComeBackLater("look-ups are too many", there.seconds) if there.reached else ProviderError("not reached")
            )
        # before it is applied: one that cannot be must not come first the next time too
        asked_in_vain(provider.id, Feed.BOOKINGS, due.subject, now=now)
        if not isinstance(there, RemoteBooking):
            return "asked_in_vain"
        with transaction() as session:
            what = apply_remote(session, provider.id, there, now=now).what
        close_read(provider.id, Feed.BOOKINGS, {there.reference, due.reference or there.reference}, now=now)
        return what

    known = [(due.subject, due) for due in due_again(provider.id, Feed.BOOKINGS, now=now) if due.named]
    return one_by_one("ask_again", known[:ASK_AT_ONCE], ask, ends=(ProviderError,))


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
