"""What a provider's engineer writes from docs/partner-openapi.json alone: a program that imports nothing of ours. It
publishes what can be booked, is told of a booking, confirms it and delivers its report.

    python first_booking.py URL CLIENT SECRET SITE

It says what it has done, a line each: `published 10000`, `confirmed bkg_…`, `reported bkg_…`, and ends.
"""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread
from typing import Any

from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

CHINA = timedelta(hours=8)


class Partner:
    """The API, with a token."""

    def __init__(self, url: str, client: str, secret: str) -> None:
        self.url = url
        self.session = OAuth2Session(client=BackendApplicationClient(client))
        self.session.fetch_token(f"{url}/partner/v1/oauth/token", client_id=client, client_secret=secret)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """A request, and whatever was answered."""
        headers = {"Accept-Language": "en", **more.pop("headers", {})}
        if method != "GET":
            headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        return self.session.request(method, f"{self.url}/partner/v1{path}", headers=headers, timeout=60, **more)

    def send(self, method: str, path: str, **more: Any) -> Any:
        """A request; what was answered, and its ETag."""
        answer = self.ask(method, path, **more)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer

    def publish(self, slots: int) -> int:
        """Half-hours of many days, from the day after tomorrow on; how many were made."""
        first = datetime.now(UTC).date() + timedelta(days=2)
        lines = []
        for number in range(slots):
            day, half = first + timedelta(days=number // 20 % 50), number % 20
            start = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=30 * half)
            lines.append(
                {
                    "pool": f"hall-{number // 1000}",
                    "reference": f"s{number}",
                    "service_date": (start + CHINA).date().isoformat(),
                    "starts_at": start.isoformat(),
                    "ends_at": (start + timedelta(minutes=30)).isoformat(),
                    "offered": 3,
                    "version": 1,
                }
            )
        body = "\n".join(json.dumps(line) for line in lines)
        answer = self.send("POST", "/slots", data=body.encode(), headers={"Content-Type": "application/x-ndjson"})
        return int(json.loads(answer.text.splitlines()[-1])["summary"]["created"])


def listen(secret: list[str]) -> tuple[int, Queue[dict[str, Any]]]:
    """A server for webhooks on loopback: its port, and what it was told and could verify."""
    told: Queue[dict[str, Any]] = Queue()

    class Receiver(BaseHTTPRequestHandler):
        """Verifies and answers at once."""

        def do_POST(self) -> None:
            """A message."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                told.put(Webhook(secret[0]).verify(body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(204)
            except WebhookVerificationError:  # not signed by who it says, or not now
                self.send_response(400)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port, told


def offer(partner: Partner, site: str) -> None:
    """Ten pools at the site, and a check-up that is offered in the first of them."""
    for number in range(10):
        partner.send("PUT", f"/pools/hall-{number}", json={"site_id": site})
    partner.send(
        "PUT",
        "/offers/basic",
        json={
            "benefit": "health_check",
            "pool": "hall-0",
            "name_zh": "基础套餐",
            "name_en": "Basic package",
            "package": {
                "items": [{"code": "lipids", "name_zh": "血脂", "name_en": "Blood lipids"}],
                "sex": "any",
                "age_min": 0,
                "age_max": 120,
            },
            "price_minor": 88000,
        },
    )


def subscribe(partner: Partner) -> Queue[dict[str, Any]]:
    """Have webhooks sent here from now on; what they tell."""
    key = [""]
    port, told = listen(key)
    types = ["booking.requested", "booking.fulfilled"]
    made = partner.send(
        "POST", "/webhook-endpoints", json={"url": f"http://127.0.0.1:{port}/anxiang", "event_types": types}
    ).json()
    key[0] = made["secret"]
    return told


def confirm(partner: Partner, booking: str) -> str:
    """Confirm the booking as it was looked at; the name of who comes."""
    known = partner.send("GET", f"/bookings/{booking}")
    partner.send("POST", f"/bookings/{booking}/confirm", headers={"If-Match": known.headers["ETag"]})
    return str(known.json()["person"]["name"])


def deliver(partner: Partner, booking: str, document: bytes) -> None:
    """Deliver the booking's report, with this file."""
    report = {
        "reference": "LAB-1",
        "version": 1,
        "status": "final",
        "issued_at": datetime.now(UTC).isoformat(),
        "items": [{"name": "LDL-C", "value": "3.92", "unit": "mmol/L", "high": 3.4, "loinc": "22748-8"}],
        "conclusion": "See a doctor within three months.",
        "document_sha256": hashlib.sha256(document).hexdigest(),
    }
    partner.send(
        "POST",
        f"/bookings/{booking}/reports",
        files={
            "report": (None, json.dumps(report), "application/json"),
            "document": ("report.pdf", document, "application/pdf"),
        },
    )


def say(*words: object) -> None:
    """A line to whoever started this."""
    print(*words, flush=True)


def main() -> None:
    """From nothing to a report."""
    url, client, secret, site = sys.argv[1:]
    partner = Partner(url, client, secret)
    offer(partner, site)
    say("published", partner.publish(10_000))
    told = subscribe(partner)
    say("listening")
    booking = told.get(timeout=60)["data"]["booking"]["id"]
    say("confirmed", booking, confirm(partner, booking))
    sys.stdin.buffer.readline()  # until the visit is over
    partner.send("POST", f"/bookings/{booking}/complete")
    say("completed", booking)
    sys.stdin.buffer.readline()  # the report's file follows
    deliver(partner, booking, sys.stdin.buffer.read())
    say("reported", booking)


if __name__ == "__main__":
    main()
