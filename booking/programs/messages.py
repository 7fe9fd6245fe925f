"""Messages to a twin's webhook endpoint beside the ordinary deliveries: one once more, forged ones, one too early.

They are built and posted by the code that sends all webhooks (booking.webhooks.send).
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
from standardwebhooks.webhooks import Webhook

from booking.webhooks.models import WebhookDelivery, WebhookEndpoint
from booking.webhooks.send import Answered, Claimed, Message, post, prepare
from marketplace.core.database.db import reading, transaction

WANTED = {"booking.requested", "booking.cancelled"}
"""What a program that is told by webhooks must subscribe to."""


@dataclass(frozen=True)
class Endpoint:
    """An active endpoint (internal id)."""

    id: int


@dataclass(frozen=True)
class Told:
    """A delivery that was made: whether it was taken, and what was answered."""

    id: int
    state: str
    status: int | None


def endpoint_of(twin_id: int) -> Endpoint | None:
    """The first active endpoint of the twin that is told of requests and cancels."""
    query = select(WebhookEndpoint.id, WebhookEndpoint.event_types).where(
        WebhookEndpoint.provider_id == twin_id, WebhookEndpoint.state == "active"
    )
    with reading() as session:
        rows = session.execute(query.order_by(WebhookEndpoint.id)).all()
    return next((Endpoint(row.id) for row in rows if set(row.event_types) >= WANTED), None)


def delivery(endpoint: Endpoint, booking: str, kind: str) -> Told | None:
    """The delivery of this event of a booking, once it was made."""
    query = select(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id,
        WebhookDelivery.booking == booking,
        WebhookDelivery.event_type == kind,
    )
    with reading() as session:
        found = session.scalar(query.order_by(WebhookDelivery.id.desc()).limit(1))
        return None if found is None else Told(found.id, found.state, found.status)


def delivered(endpoint: Endpoint, booking: str, kind: str) -> Told | None:
    """The same once its receiver has taken it."""
    found = delivery(endpoint, booking, kind)
    return found if found is not None and found.state == "done" else None


def message_of(endpoint: Endpoint, told: Told, now: datetime) -> Message | None:
    """The delivery's message, signed now; None where its event has gone."""
    with reading() as session:
        return prepare(session, Claimed(told.id, endpoint.id, 0, now), now)


def send_message(message: Message, clock: Callable[[], datetime]) -> Answered:
    """Post it; nothing is recorded of it."""
    return post(message, clock)


def forged(message: Message, now: datetime) -> dict[str, Message]:
    """What must not pass for ours, by what is wrong with it."""
    body, headers = message.body.decode(), message.headers
    stranger = Webhook("whsec_" + b64encode(secrets.token_bytes(24)).decode())
    name = f"evt_{secrets.token_hex(10)}"
    signed = {"webhook-id": name, "webhook-signature": stranger.sign(name, now, body)}
    return {
        "signature": replace(message, headers={**headers, **signed}),
        "unsigned": replace(
            message, headers={name: each for name, each in headers.items() if name != "webhook-signature"}
        ),
        "altered": replace(message, body=message.body + b" "),
    }


def of_long_ago(endpoint: Endpoint, told: Told, now: datetime) -> Message | None:
    """The delivery's message as it was signed ten minutes ago: rightly, and kept for later."""
    return message_of(endpoint, told, now - timedelta(minutes=10))


def hold_back(endpoint: Endpoint, until: datetime | None) -> None:
    """Send nothing to the endpoint before then; None: send on. What is killed in between ends by itself."""
    with transaction() as session:
        session.execute(update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id).values(not_before=until))
