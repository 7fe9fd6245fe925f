"""New events made into deliveries, one for each endpoint that wants them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.webhooks import events
from booking.webhooks.events import Event
from booking.webhooks.models import WebhookDelivery, WebhookEndpoint
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one

log = get_logger(__name__)

AT_ONCE = 200
"""Events a page."""
MOST_PAGES = 50
"""Pages that are made into deliveries in one transaction."""


def make_deliveries(*, now: datetime, seconds: float = RUN_SECONDS) -> dict[str, int]:
    """Make deliveries of all events that are new to an active endpoint. Returns how many were made. What is not begun
    after so many `seconds` is left for the next time."""
    until = time.monotonic() + seconds
    with reading() as session:
        active = session.scalars(
            select(WebhookEndpoint.id).where(WebhookEndpoint.state == "active").order_by(WebhookEndpoint.id)
        ).all()
    made = Counter[str]()

    def read_on(endpoint_id: int) -> str:
        more = True
        while more:
            count, more = _make_span(endpoint_id, now)
            made["made"] += count
            more = more and time.monotonic() < until
        return "read"

    counts = one_by_one("webhooks", active, read_on, seconds=seconds)
    return {"made": made["made"], **{name: counts[name] for name in ("busy", "broken") if counts[name]}}


def _make_span(endpoint_id: int, now: datetime) -> tuple[int, bool]:
    """Make the next deliveries of an endpoint and move its cursor. Returns how many, and whether there are more.

    All pages of one span are read in one transaction, since of two events of a booking the later one may stand on the
    earlier page: no sender sees it without the other. A span of more than AT_ONCE * MOST_PAGES events is cut there.
    """
    with transaction() as session:
        endpoint = session.get(WebhookEndpoint, endpoint_id, with_for_update=True)
        if endpoint is None or endpoint.state != "active":
            return 0, False
        made = 0
        for _ in range(MOST_PAGES):
            part = events.events_since(session, endpoint.provider_id, endpoint.cursor, AT_ONCE)
            endpoint.cursor = part.cursor
            wanted = [each for each in part.events if each.type in endpoint.event_types]
            made += _insert(session, endpoint, wanted, now) if wanted else 0
            if part.recovered:
                endpoint.recovered_at = now
                log.warning("webhook.cursor_recovered", endpoint=endpoint.public_id)
            if not part.more:
                return made, False
        return made, True


def _insert(session: Session, endpoint: WebhookEndpoint, wanted: Sequence[Event], now: datetime) -> int:
    """Make the deliveries that there are not yet; how many."""
    rows = [
        {
            "public_id": new_id("whd"),
            "endpoint_id": endpoint.id,
            "event_id": event.id,
            "event_type": event.type,
            "booking": event.booking,
            "version": event.version,
            "occurred_at": event.occurred_at,
            "run_after": now,
            "created_at": now,
        }
        for event in wanted
    ]
    made = session.scalars(
        insert(WebhookDelivery)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["endpoint_id", "event_id"])
        .returning(WebhookDelivery.id)
    )
    return len(made.all())
