"""Deliveries sent: claimed with SKIP LOCKED and a lease, signed, posted, and the answer recorded. No transaction is
open during a call.

`tries` is a fencing token, so only the newest claim records the outcome. A worker that dies in between leaves the
delivery claimed: after the lease it is sent again under the same `webhook-id`, by which the receiver knows it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook

from booking.webhooks import events
from booking.webhooks.endpoints import open_secrets
from booking.webhooks.models import WebhookDelivery, WebhookEndpoint
from booking.webhooks.schedule import next_try
from booking.webhooks.stopped import stop
from booking.webhooks.struck import Means, PutOff, Struck, post_struck, struck
from marketplace.core.config import settings
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.sending.outside import BadUrl, read_url
from providers.adapters.http import HttpClient, NoAnswer, Reply

log = get_logger(__name__)

DEADLINE_SECONDS = 10.0
LEASE = timedelta(seconds=30)
LEASE_UNDER_FAULT = timedelta(seconds=90)
EXCERPT = 2048
"""So many bytes of an answer are read and stored."""
MOST_ASKED = timedelta(days=1)
"""The longest Retry-After that is obeyed."""
PAUSED_AFTER = timedelta(days=5)
"""So long an endpoint may fail before it is paused."""

GONE = 410


@dataclass(frozen=True)
class Claimed:
    """A delivery in a sender's hands."""

    id: int
    endpoint_id: int
    tries: int
    lease_until: datetime


@dataclass(frozen=True)
class Message:
    """What is posted, and where. `headers` have the signatures of all live secrets."""

    endpoint: str
    origin: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answered:
    """How a call ended: `status` and the beginning of the answer, or `error` where there was none. `ask_again`: the
    seconds of Retry-After."""

    milliseconds: int
    status: int | None = None
    answer: str = ""
    error: str = ""
    ask_again: float | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


_CLAIM = text(
    """
    WITH busy AS (
      SELECT endpoint_id, count(*) AS n FROM webhook_delivery
       WHERE state = 'queued' AND lease_until > :now GROUP BY endpoint_id
    ), ready AS (
      SELECT d.id
        FROM webhook_endpoint e
        LEFT JOIN busy ON busy.endpoint_id = e.id
       CROSS JOIN LATERAL (
         SELECT w.id, w.run_after FROM webhook_delivery w
          WHERE w.endpoint_id = e.id AND w.state = 'queued' AND w.run_after <= :now
            AND (w.lease_until IS NULL OR w.lease_until <= :now)
            AND NOT EXISTS (SELECT 1 FROM webhook_delivery earlier
                             WHERE earlier.endpoint_id = w.endpoint_id AND earlier.booking = w.booking
                               AND earlier.version < w.version AND earlier.state = 'queued')
          ORDER BY w.run_after, w.id LIMIT greatest(0, :each - coalesce(busy.n, 0)) FOR UPDATE OF w SKIP LOCKED
       ) d
       WHERE e.state = 'active' AND (e.not_before IS NULL OR e.not_before <= :now)
         AND (e.failing_since IS NOT NULL) = :failing
       ORDER BY d.run_after, d.id LIMIT :places
    ), tests AS (
      SELECT w.id
        FROM webhook_endpoint e JOIN webhook_delivery w ON w.endpoint_id = e.id
       WHERE :failing AND e.state = 'paused' AND w.booking = '' AND w.state = 'queued' AND w.run_after <= :now
         AND (w.lease_until IS NULL OR w.lease_until <= :now)
       ORDER BY w.run_after, w.id LIMIT :places FOR UPDATE OF w SKIP LOCKED
    )
    UPDATE webhook_delivery w SET tries = w.tries + 1, lease_until = :lease
      FROM (SELECT id FROM ready UNION ALL SELECT id FROM tests) AS taken WHERE w.id = taken.id AND w.state = 'queued'
    RETURNING w.id, w.endpoint_id, w.tries, w.lease_until
    """
)


def claim(*, failing: bool, each: int, places: int, now: datetime) -> list[Claimed]:
    """Take up to `places` deliveries that are due, at most `each` of an endpoint at a time: of the endpoints whose last
    try failed, or of all others. Of a booking only the lowest version that has not ended is taken. Of an endpoint that
    is paused only tests are, with those that failed."""
    with transaction() as session:
        rows = session.execute(
            _CLAIM, {"now": now, "lease": now + LEASE, "failing": failing, "each": each, "places": places}
        )
        return [Claimed(**row._mapping) for row in rows]


def send(claimed: Claimed, clock: Callable[[], datetime], chance: Callable[[], float]) -> str:
    """Send one delivery and record how it ended. Returns done, again, failed, dropped or overtaken; `put off` where a
    fault of a rehearsal holds it back.

    A claim whose lease would end during the call is left to the next one.
    """
    now = clock()
    if now + timedelta(seconds=DEADLINE_SECONDS) >= claimed.lease_until:
        return "overtaken"
    try:
        with reading() as session:
            message = prepare(session, claimed, now)
    except (BadUrl, Unreadable) as unusable:
        return _record(claimed, Answered(0, error=type(unusable).__name__), None, now=now, chance=chance())
    if message is None:
        return _drop(claimed, now=now)
    faulty = struck(claimed.id)
    answered = post(message, clock) if faulty is None else _post_struck(faulty, claimed, clock)
    if isinstance(answered, PutOff):
        return _put_off(claimed, answered.until)
    return _record(claimed, answered, message, now=clock(), chance=chance())


def _post_struck(faulty: Struck, claimed: Claimed, clock: Callable[[], datetime]) -> Answered | PutOff:
    """Post as a fault has it, which may take several calls: the lease is made to last for them."""

    def post_of(delivery_id: int, at: datetime) -> Answered | None:
        with reading() as session:
            message = prepare(session, replace(claimed, id=delivery_id), at)
        return None if message is None else post(message, clock)

    with transaction() as session:
        delivery = _still_ours(session, claimed)
        if delivery is not None:
            delivery.lease_until = clock() + LEASE_UNDER_FAULT
    means = Means(post_of, lambda status: Answered(0, status), clock)
    return post_struck(faulty, means) or Answered(0, error="gone")


def _put_off(claimed: Claimed, until: datetime) -> str:
    """Leave a delivery for later, as if it had not been claimed."""
    with transaction() as session:
        delivery = _still_ours(session, claimed)
        if delivery is None:
            return "overtaken"
        delivery.run_after, delivery.lease_until, delivery.tries = until, None, delivery.tries - 1
    return "put off"


def prepare(session: Session, claimed: Claimed, now: datetime) -> Message | None:
    """The message to be sent now; None if its event or its endpoint has gone. Raises BadUrl, Unreadable."""
    delivery = session.get_one(WebhookDelivery, claimed.id)
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
    event = events.test(delivery) if events.is_test(delivery) else _event(session, endpoint, delivery)
    secrets = open_secrets(session, endpoint)
    if event is None or endpoint.state == "ended" or not secrets:
        return None
    occurred = event.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    content = {"type": event.type, "timestamp": occurred, "data": event.payload}
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    target = read_url(endpoint.url, loopback=settings().loopback_urls)
    signed_at = now.astimezone(UTC)
    signatures = [Webhook(secret).sign(event.id, signed_at, body) for secret in secrets]
    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "Anxiang-Webhooks/1",
        "webhook-id": event.id,
        "webhook-timestamp": str(int(signed_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return Message(endpoint.public_id, target.origin, target.path, headers, body.encode())


def _event(session: Session, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> events.Event | None:
    return events.event(session, endpoint.provider_id, delivery.event_id)


def post(message: Message, clock: Callable[[], datetime]) -> Answered:
    """Post a message. A redirect is an answer like any other and is not followed."""
    began = time.monotonic()

    def passed() -> int:
        return round((time.monotonic() - began) * 1000)

    client = HttpClient(message.endpoint, message.origin, {}, DEADLINE_SECONDS)
    try:
        reply = client.post(message.path, message.body, action="webhook", headers=message.headers, excerpt=EXCERPT)
    except NoAnswer as none:
        return Answered(passed(), error=none.reason)
    return Answered(passed(), reply.status, _excerpt(reply), "", reply.retry_after(clock(), MOST_ASKED.total_seconds()))


def _excerpt(reply: Reply) -> str:
    """The beginning of an answer as text that can be stored."""
    return reply.body[:EXCERPT].decode(errors="replace").replace("\x00", "\ufffd")


def _record(claimed: Claimed, answered: Answered, message: Message | None, *, now: datetime, chance: float) -> str:
    """Record how a try ended, and what it says of the endpoint; `overtaken` if a newer claim has the delivery."""
    with transaction() as session:
        delivery = _still_ours(session, claimed)
        if delivery is None:
            return "overtaken"
        delivery.lease_until, delivery.sent_at = None, now
        delivery.status, delivery.answer, delivery.error = answered.status, answered.answer, answered.error
        delivery.milliseconds = answered.milliseconds
        delivery.body_hash = hashlib.sha256(message.body).digest() if message is not None else None
        delivery.url = message.origin + message.path if message is not None else None
        outcome = (
            _taken(session, delivery, now) if answered.taken else _failed(session, delivery, answered, now, chance)
        )
        facts = {"delivery": delivery.public_id, "outcome": outcome, "status": answered.status}
    log.info("webhook.delivery", **facts)
    return outcome


def _taken(session: Session, delivery: WebhookDelivery, now: datetime) -> str:
    delivery.state, delivery.finished_at = "done", now
    if events.is_test(delivery):
        return "done"
    session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == delivery.endpoint_id, WebhookEndpoint.failing_since.is_not(None))
        .values(failing_since=None, not_before=None)
    )
    return "done"


def _failed(session: Session, delivery: WebhookDelivery, answered: Answered, now: datetime, chance: float) -> str:
    """A test is tried once, and says nothing of the endpoint."""
    if events.is_test(delivery):
        delivery.failures, delivery.state, delivery.finished_at = delivery.failures + 1, "failed", now
        return "failed"
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id, with_for_update=True)
    delivery.failures += 1
    again = next_try(delivery.failures, now=now, chance=chance, ask_again=answered.ask_again)
    if answered.status == GONE or again is None:
        delivery.state, delivery.finished_at = "failed", now
    else:
        delivery.run_after = again
    if endpoint.state == "active":
        _note_failure(session, endpoint, answered, now)
    return "failed" if delivery.state == "failed" else "again"


def _note_failure(session: Session, endpoint: WebhookEndpoint, answered: Answered, now: datetime) -> None:
    endpoint.failing_since = endpoint.failing_since or now
    if answered.ask_again is not None:
        endpoint.not_before = now + timedelta(seconds=answered.ask_again)
    if answered.status == GONE:
        stop(session, endpoint, "gone", now)
    elif now - endpoint.failing_since >= PAUSED_AFTER:
        stop(session, endpoint, "failing", now)


def _drop(claimed: Claimed, *, now: datetime) -> str:
    """End a delivery whose event is not there any more."""
    with transaction() as session:
        delivery = _still_ours(session, claimed)
        if delivery is None:
            return "overtaken"
        delivery.state, delivery.finished_at, delivery.lease_until = "dropped", now, None
    return "dropped"


def _still_ours(session: Session, claimed: Claimed) -> WebhookDelivery | None:
    ours: Any = (
        WebhookDelivery.id == claimed.id,
        WebhookDelivery.tries == claimed.tries,
        WebhookDelivery.state == "queued",
    )
    return session.scalar(select(WebhookDelivery).where(*ours).with_for_update())
