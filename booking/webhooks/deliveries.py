"""The log of deliveries to an endpoint, and sending them once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from booking.idempotency import Repeatable, first_time, record_key
from booking.webhooks import events
from booking.webhooks.endpoints import EndpointEnded
from booking.webhooks.models import WebhookDelivery, WebhookEndpoint
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.retention import forget
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.paging import Page, decode_cursor, encode_cursor

KEPT = timedelta(days=30)
LONGEST_REPLAY = timedelta(days=1)
BATCH = 1000
"""So many deliveries are put back into the queue by one statement."""


class TestWaiting(Refusal):
    """A test of this endpoint has not been sent yet."""

    code = "test_waiting"


@dataclass(frozen=True)
class Delivery:
    """A delivery and its last try. `next_try` is None once it has ended, and while its endpoint is not active.
    `url` and `body_sha256` (hexadecimal digits) are of what was sent last. A test has no booking and no version."""

    id: str
    event_id: str
    event_type: str
    booking_id: str | None
    version: int | None
    occurred_at: datetime
    state: str
    tries: int
    next_try: datetime | None
    sent_at: datetime | None
    url: str | None
    body_sha256: str | None
    status: int | None
    answer: str
    error: str
    milliseconds: int | None
    finished_at: datetime | None
    created_at: datetime


def deliveries(
    provider_id: int, endpoint_id: str, *, state: str | None = None, cursor: str | None, limit: int
) -> Page[Delivery]:
    """The deliveries to an endpoint of the last 30 days, newest first. Raises NotFound, Invalid(field="cursor")."""
    with reading() as session:
        endpoint = _endpoint(session, provider_id, endpoint_id)
        query = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id)
        if state is not None:
            query = query.where(WebhookDelivery.state == state)
        if cursor is not None:
            query = query.where(WebhookDelivery.id < decode_cursor(cursor, (int,))[0])
        rows = session.scalars(query.order_by(WebhookDelivery.id.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    following = encode_cursor([shown[-1].id]) if len(rows) > limit else None
    return Page([_shown(row, endpoint) for row in shown], following)


def send_test(provider_id: int, endpoint_id: str, *, repeat: Repeatable, now: datetime) -> Delivery:
    """Send a test to an endpoint that is active or paused, once, whatever becomes of it. One at a time: an address that
    is not the provider's own shall not be flooded. Raises NotFound, EndpointEnded, TestWaiting, IdempotencyKeyReused.
    """
    public_id = new_id("whd")
    with transaction() as session:
        before = record_key(session, repeat, public_id, now=now, status=202)
        endpoint = _endpoint(session, provider_id, endpoint_id, lock=True)
        mine = (WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.event_type == events.TEST)
        if before is not None:
            known = session.scalars(
                select(WebhookDelivery).where(*mine, WebhookDelivery.public_id == before)
            ).one_or_none()
            if known is None:
                raise NotFound(field="delivery_id")
            return _shown(known, endpoint)
        if endpoint.state == "ended":
            raise EndpointEnded()
        if session.scalar(select(WebhookDelivery.id).where(*mine, WebhookDelivery.state == "queued").limit(1)):
            raise TestWaiting()
        made = WebhookDelivery(
            public_id=public_id,
            endpoint_id=endpoint.id,
            event_id=new_id("evt"),
            event_type=events.TEST,
            booking="",
            version=0,
            occurred_at=now,
            run_after=now,
            created_at=now,
        )
        session.add(made)
        session.flush()
        session.refresh(made)
        return _shown(made, endpoint)


def replay(provider_id: int, endpoint_id: str, delivery_id: str, *, repeat: Repeatable, now: datetime) -> None:
    """Send one delivery once more, under its own id, also where it was done. Raises NotFound, EndpointEnded,
    IdempotencyKeyReused."""
    with transaction() as session:
        fresh = first_time(session, repeat, delivery_id, now=now)
        endpoint = _endpoint(session, provider_id, endpoint_id)
        mine = (WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.public_id == delivery_id)
        if session.scalar(select(WebhookDelivery.id).where(*mine)) is None:
            raise NotFound(field="delivery_id")
        if fresh:
            _again(session, endpoint, mine, now)


def replay_span(
    provider_id: int, endpoint_id: str, since: datetime, until: datetime, *, repeat: Repeatable, now: datetime
) -> None:
    """Send the deliveries of all events that occurred from `since` until before `until`, a day at most, once more.
    Raises NotFound, EndpointEnded, Invalid(field="until") for a span that is none or too long, IdempotencyKeyReused."""
    if not since < until:
        raise Invalid(field="until", reason="format")
    if until - since > LONGEST_REPLAY:
        raise Invalid(field="until", reason="range_too_long", maximum=LONGEST_REPLAY.days)
    with transaction() as session:
        fresh = first_time(session, repeat, endpoint_id, now=now)
        endpoint = _endpoint(session, provider_id, endpoint_id)
        if fresh:
            within = (
                WebhookDelivery.occurred_at >= since,
                WebhookDelivery.occurred_at < until,
                WebhookDelivery.event_type != events.TEST,
            )
            _again(session, endpoint, (WebhookDelivery.endpoint_id == endpoint.id, *within), now)


def forget_deliveries(*, now: datetime, batch: int = 1000) -> int:
    """Delete the deliveries that were made more than 30 days ago and have ended; returns how many. One that waits, for
    an endpoint that is paused, is delivered when that goes on."""
    ended = WebhookDelivery.state != "queued"
    return forget(WebhookDelivery.id, WebhookDelivery.created_at, now - KEPT, batch, ended)


def _again(session: Session, endpoint: WebhookEndpoint, which: Sequence[ColumnElement[bool]], now: datetime) -> None:
    """Put those that have ended back into the queue, in batches by id, with a schedule that begins anew."""
    if endpoint.state == "ended":
        raise EndpointEnded()
    anew: dict[str, Any] = {"state": "queued", "finished_at": None, "failures": 0, "run_after": now}
    last: int | None = 0
    while last is not None:
        batch = (
            select(WebhookDelivery.id)
            .where(*which, WebhookDelivery.state != "queued", WebhookDelivery.id > last)
            .order_by(WebhookDelivery.id)
            .limit(BATCH)
            .with_for_update()
        )
        ids = session.scalars(batch).all()
        session.execute(update(WebhookDelivery).where(WebhookDelivery.id.in_(ids)).values(anew))
        last = ids[-1] if len(ids) == BATCH else None


def _endpoint(session: Session, provider_id: int, endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint:
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.provider_id == provider_id,
        WebhookEndpoint.public_id == endpoint_id,
        WebhookEndpoint.reason != "deleted",
    )
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(field="endpoint_id")
    return found


def _shown(row: WebhookDelivery, endpoint: WebhookEndpoint) -> Delivery:
    sent = endpoint.state == "active" or (endpoint.state == "paused" and events.is_test(row))
    waits = row.state == "queued" and sent
    return Delivery(
        id=row.public_id,
        event_id=row.event_id,
        event_type=row.event_type,
        booking_id=row.booking or None,
        version=row.version or None,
        occurred_at=row.occurred_at,
        state=row.state,
        tries=row.tries,
        next_try=max(row.run_after, endpoint.not_before or row.run_after) if waits else None,
        sent_at=row.sent_at,
        url=row.url,
        body_sha256=row.body_hash.hex() if row.body_hash is not None else None,
        status=row.status,
        answer=row.answer,
        error=row.error,
        milliseconds=row.milliseconds,
        finished_at=row.finished_at,
        created_at=row.created_at,
    )
