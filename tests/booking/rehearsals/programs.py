"""A partner's program that answers bookings as the handbook says, and copies of it with one fault each."""

from __future__ import annotations

import hmac
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from standardwebhooks.webhooks import Webhook
from werkzeug.test import TestResponse

from booking.webhooks import endpoints, events
from booking.webhooks.endpoints import By
from marketplace.catalog.models import Provider
from tests.booking.webhooks.receiver import Received, Receiver, Reply
from tests.people import NOON
from tests.providers.partner_api.partner import partner_of

TOLERANCE = 300
OVER = ("booking.cancelled", "booking.cancel_asked", "booking.rejected")


class Honest:
    """Takes webhooks, verifies them, remembers which it had, and confirms what is requested. `now` is its clock; `slow`
    is set by whoever makes an answer come late."""

    def __init__(self, app: Flask, twin: Provider, receiver: Receiver, *types: str) -> None:
        self.now, self.slow = NOON, False
        self.api = partner_of(app, twin)
        made = endpoints.add(twin.id, receiver.url, types or events.TYPES, by=By("provider", "cli_test"), now=NOON)
        self.secret = str(made.secret)
        self.heard: list[dict[str, Any]] = []
        self.had: set[str] = set()
        self.versions: dict[str, int] = {}
        self.keys: dict[str, str] = {}
        self.to_confirm: dict[str, str | None] = {}
        """Bookings, each with the ETag that it was first tried with."""
        receiver.answer = self.hear

    def hear(self, message: Received) -> Reply:
        """A webhook: verified, written down and answered at once."""
        if not self.verified(message):
            return Reply(400)
        self.heard.append({"webhook-id": message.id, **message.content})
        return Reply(204)

    def verified(self, message: Received) -> bool:
        """Whether we signed it, within the last five minutes."""
        sent = int(message.headers["webhook-timestamp"])
        at = datetime.fromtimestamp(sent, UTC)
        signature = Webhook(self.secret).sign(message.id, at, message.body.decode())
        right = hmac.compare_digest(signature, message.headers["webhook-signature"])
        return right and self.in_time(abs(sent - self.now.timestamp()))

    def in_time(self, seconds: float) -> bool:
        """Whether a message of this age is taken."""
        return seconds <= TOLERANCE

    def act(self, now: datetime) -> None:
        """Do what came since, and what is left to do."""
        self.now = self.api.now = now
        heard, self.heard = self.heard, []
        for each in heard:
            if self.is_new(each):
                self.note(each["type"], each["data"]["booking"])
        for booking in list(self.to_confirm):
            self.confirm(booking)

    def is_new(self, message: dict[str, Any]) -> bool:
        """Whether it was not had before, and is no older news."""
        booking = message["data"]["booking"]
        if message["webhook-id"] in self.had or booking["version"] < self.versions.get(booking["id"], 0):
            return False
        self.had.add(message["webhook-id"])
        self.versions[booking["id"]] = booking["version"]
        return True

    def note(self, what: str, booking: dict[str, Any]) -> None:
        """What happened to a booking."""
        if what == "booking.requested":
            self.to_confirm[booking["id"]] = None
        elif what in OVER:
            self.to_confirm.pop(booking["id"], None)

    def confirm(self, booking: str) -> None:
        """Look at the booking and confirm it, under one key however often that takes."""
        etag = self.to_confirm[booking] or self.look(booking)
        if etag is None:
            del self.to_confirm[booking]
            return
        self.to_confirm[booking] = etag
        self.answered(booking, self.say(booking, etag, self.keys.setdefault(booking, str(uuid.uuid4()))))

    def look(self, booking: str) -> str | None:
        """The version of a booking that waits for an answer; None for one that does not."""
        known = self.api.get(f"/bookings/{booking}")
        return known.headers["ETag"] if known.get_json()["booking"]["status"] == "requested" else None

    def say(self, booking: str, etag: str, key: str) -> TestResponse:
        """Confirm it."""
        return self.api.post(f"/bookings/{booking}/confirm", headers={"If-Match": etag, "Idempotency-Key": key})

    def answered(self, booking: str, answer: TestResponse) -> None:
        """Done; or to be looked at again; or, where nothing is known, to be sent again as it was."""
        if answer.status_code < 300:
            self.to_confirm.pop(booking, None)
        elif answer.status_code in (409, 412):
            self.to_confirm[booking] = None


class NeverRepeats(Honest):
    """Takes a 503 for a no."""

    def answered(self, booking: str, answer: TestResponse) -> None:
        """Over, whatever came."""
        self.to_confirm.pop(booking, None)


class NewKeyEachTime(Honest):
    """Has a new key for each request."""

    def say(self, booking: str, etag: str, key: str) -> TestResponse:
        """Under a new key."""
        return super().say(booking, etag, str(uuid.uuid4()))


class TakesTwice(NewKeyEachTime):
    """Acts on each webhook, had before or not, without looking at the booking."""

    def is_new(self, message: dict[str, Any]) -> bool:
        """It is."""
        booking = message["data"]["booking"]
        if message["type"] == "booking.requested":
            self.say(booking["id"], f'"{booking["version"]}"', "")
        return False


class BelievesOlder(Honest):
    """Has no idea of versions, and does not look before it answers."""

    def is_new(self, message: dict[str, Any]) -> bool:
        """If it was not had before."""
        return message["webhook-id"] not in self.had and not self.had.add(message["webhook-id"])

    def look(self, booking: str) -> str | None:
        """Whatever its status is."""
        return str(self.api.get(f"/bookings/{booking}").headers["ETag"])

    def answered(self, booking: str, answer: TestResponse) -> None:
        """Over, but for silence."""
        if answer.status_code != 503:
            self.to_confirm.pop(booking, None)


class NoClock(Honest):
    """Does not look at the time of a webhook."""

    def in_time(self, seconds: float) -> bool:
        """Always."""
        return True


class TriesForEver(Honest):
    """Does not take no for an answer."""

    def look(self, booking: str) -> str | None:
        """Whatever its status is."""
        return str(self.api.get(f"/bookings/{booking}").headers["ETag"])

    def note(self, what: str, booking: dict[str, Any]) -> None:
        """Cancels are no news."""
        if what == "booking.requested":
            self.to_confirm[booking["id"]] = None


class Impatient(Honest):
    """Sends again under a new key where an answer takes long."""

    def say(self, booking: str, etag: str, key: str) -> TestResponse:
        """Once, or twice."""
        self.slow = False
        answer = super().say(booking, etag, key)
        return super().say(booking, etag, str(uuid.uuid4())) if self.slow else answer
