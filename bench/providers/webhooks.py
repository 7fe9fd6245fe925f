"""From a provider's signed message to the status that its customer sees, at so many messages a second."""

from __future__ import annotations

import base64
import json
import os
import uuid
from dataclasses import dataclass

import psycopg
from standardwebhooks.webhooks import Webhook

from bench import load
from bench.data import Loaded
from bench.providers import paced
from bench.providers.submitted import Submitted, submit
from bench.stage import CannotMeasure, Stage
from booking.calls.connections import WEBHOOK_RECORD
from marketplace.core import clock
from marketplace.core.crypto import seal_master

PER_SECOND = 200.0
LOOKS = 5
"""Of every so many messages the customer is looking just then."""
_CODE = "bench"

# What an accepted command leaves: the provider has the booking under a reference of its own, and will decide.
_ACCEPTED = """
    UPDATE provider_task SET state = 'done', tries = 1, first_sent_at = now(), finished_at = now();
    INSERT INTO provider_booking (provider_id, reference, booking_id, role, status, version, seen_at)
    SELECT provider_id, 'R-' || public_id, id, 'current', 'requested', 1, now() FROM booking;
"""


@dataclass(frozen=True)
class Sender:
    """The provider, with the secret that its messages are signed with."""

    secret: str

    def confirmation(self, waiting: Submitted) -> str:
        """The message that a booking is confirmed, as an HTTP request that is right for five minutes from now."""
        now, identifier = clock.now(), f"msg_{uuid.uuid4().hex}"
        there = {
            "reference": f"R-{waiting.booking}",
            "our_reference": waiting.booking,
            "status": "confirmed",
            "version": 2,
            "service_date": waiting.service_date.isoformat(),
            "starts_at": waiting.starts_at.isoformat(),
            "ends_at": waiting.ends_at.isoformat(),
            "updated_at": now.isoformat(),
        }
        content = json.dumps({"type": "booking.confirmed", "timestamp": now.isoformat(), "data": {"booking": there}})
        signature = Webhook(self.secret).sign(identifier, now, content)
        return (
            f"POST /partner/v1/webhooks/{_CODE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\nwebhook-id: {identifier}\r\n"
            f"webhook-timestamp: {int(now.timestamp())}\r\nwebhook-signature: {signature}\r\n\r\n{content}"
        )


def sender(where: Stage) -> Sender:
    """Give the provider a secret. The web server knows it at once."""
    secret = "whsec_" + base64.b64encode(os.urandom(24)).decode()
    sealed = seal_master(secret, WEBHOOK_RECORD.format(_CODE))
    with psycopg.connect(where.superuser_url) as connection:
        connection.execute(
            "UPDATE provider SET webhook_secrets_sealed = ARRAY[%s::bytea] WHERE code = %s", [sealed, _CODE]
        )
    return Sender(secret)


def measure(
    where: Stage,
    loaded: Loaded,
    port: int,
    told: Sender,
    *,
    per_second: float = PER_SECOND,
    seconds: float,
    clients: int,
) -> paced.Tally:
    """Confirm bookings that wait, each by a message of its own that is due at its moment, whatever became of those
    before it. Of every LOOKS one the customer reads her booking, from its answer on, until it shows that it is
    confirmed. Raises CannotMeasure unless every message was taken and every booking is confirmed."""
    waiting = submit(where, loaded, port, max(1, round(per_second * seconds)), clients)
    with psycopg.connect(where.superuser_url, autocommit=True) as connection:
        connection.execute(_ACCEPTED)
        connection.execute("CHECKPOINT")
    exchanges = [(told.confirmation(each), "" if n % LOOKS else _look(each)) for n, each in enumerate(waiting)]
    tally = paced.run(paced.Job(port, clients, per_second, exchanges, '"state":"confirmed"'))
    confirmed = where.count("SELECT count(*) FROM booking WHERE state = 'confirmed'")
    if set(tally.statuses) != {"200"} or confirmed != len(waiting):
        raise CannotMeasure(f"Of {len(waiting)} bookings {confirmed} are confirmed: {tally.statuses} {tally.refusal}")
    return tally


def _look(waiting: Submitted) -> str:
    return load.message("GET", f"/api/v1/bookings/{waiting.booking}", waiting.token)
