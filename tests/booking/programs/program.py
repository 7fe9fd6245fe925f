"""A small program of a provider, honest unless it is told otherwise: it is told by webhook or reads the feed, confirms,
refuses, reports and corrects. It calls the API as any program does, through the application."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any

from flask import Flask
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from werkzeug.test import TestResponse

from marketplace.clients import credentials
from marketplace.clients.owners import SCOPES
from marketplace.core import clock
from tests.booking.webhooks.receiver import Received, Receiver, Reply, listening
from tests.files import make_pdf

FULL = "kit-sold-out"
TYPES = ["booking.requested", "booking.cancelled", "booking.fulfilled"]


@dataclass
class Program:
    """`faults`: what it does wrong.

    `deaf`: its endpoint answers 500. `silent`: it confirms nothing. `stubborn`: it answers what was cancelled.
    `trusting`: it takes any message for ours. `impatient`: 429 does not stop it. `forgetful`: it acts on a message that
    it had. `hasty`: it confirms without looking whether the booking still waits. `mum`: it leaves what is full
    unanswered. `vague`: it gives no reason. `without_report`, `without_correction`. `overwriting`: its only report
    calls itself corrected.
    """

    app: Flask
    token: str
    faults: frozenset[str] = frozenset()
    secret: str = ""
    by_feed: bool = False
    _todo: Queue[tuple[str, str]] = field(default_factory=Queue)
    _seen: set[str] = field(default_factory=set)
    _ended: Event = field(default_factory=Event)

    # --- being told ---------------------------------------------------------------------------------------------------

    def take(self, message: Received) -> Reply:
        """A webhook."""
        if "deaf" in self.faults:
            return Reply(500)
        if "trusting" not in self.faults:
            try:
                Webhook(self.secret).verify(message.body, message.headers)
            except WebhookVerificationError:
                return Reply(401)
        content = json.loads(message.body)
        if message.id in self._seen and "forgetful" not in self.faults:
            return Reply(204)
        self._seen.add(message.id)
        self._todo.put((content["type"], content["data"]["booking"]["id"]))
        return Reply(204)

    def run(self) -> None:
        """Do what is to be done until it ends."""
        cursor = ""
        while not self._ended.is_set():
            if self.by_feed:
                answer = self.call("GET", f"/events?limit=100{cursor and '&cursor='}{cursor}")
                if answer is not None and answer.status_code == 200:
                    page = answer.get_json()
                    cursor = page["next"]
                    for item in page["items"]:
                        self._todo.put((item["kind"], item["booking"]["id"]))
            try:
                kind, booking = self._todo.get(timeout=0.1)
            except Empty:
                continue
            self.follow(kind, booking)

    def end(self) -> None:
        """No more."""
        self._ended.set()

    # --- doing --------------------------------------------------------------------------------------------------------

    def follow(self, kind: str, booking: str) -> None:
        """What an event asks for."""
        if kind == "booking.requested" and "silent" not in self.faults:
            self.answer(booking)
        elif kind == "booking.cancelled" and "stubborn" in self.faults:
            self.call("POST", f"/bookings/{booking}/confirm", headers={"If-Match": '"1"'})
        elif kind == "booking.fulfilled" and "without_report" not in self.faults:
            self.report(booking, 1, "corrected" if "overwriting" in self.faults else "final")
            if not {"without_correction", "overwriting"} & self.faults:
                self.report(booking, 2, "corrected")

    def answer(self, booking: str) -> None:
        """Confirm it as it was looked at, or refuse it where its slot is full."""
        known = self.call("GET", f"/bookings/{booking}")
        if known is None or known.status_code != 200:
            return
        told = known.get_json()["booking"]
        if told["status"] != "requested" and not {"hasty", "forgetful", "trusting"} & self.faults:
            return
        full = str(told.get("slot") or "").startswith(FULL)
        if full and "mum" in self.faults:
            return
        what: dict[str, Any] = {}
        if full:
            what = {"json": {"reason": "other" if "vague" in self.faults else "sold_out"}}
        path = f"/bookings/{booking}/{'reject' if full else 'confirm'}"
        self.call("POST", path, headers={"If-Match": known.headers["ETag"]}, **what)

    def report(self, booking: str, version: int, status: str) -> None:
        """Deliver a version of its report."""
        document = make_pdf(f"{booking} {version}")
        told = {
            "reference": f"LAB-{booking}", "version": version, "status": status,
            "issued_at": clock.now().isoformat(), "conclusion": "",
            "items": [{"name": "LDL-C", "value": f"3.{version}", "unit": "mmol/L", "high": 3.4}],
            "document_sha256": hashlib.sha256(document).hexdigest(),
        }  # fmt: skip
        boundary = uuid.uuid4().hex
        head = f"--{boundary}\r\nContent-Disposition: form-data; name="
        body = (
            f'{head}"report"\r\nContent-Type: application/json\r\n\r\n{json.dumps(told)}\r\n'
            f'{head}"document"; filename="r.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
        ).encode() + document + f"\r\n--{boundary}--\r\n".encode()  # fmt: skip
        kind = f"multipart/form-data; boundary={boundary}"
        self.call("POST", f"/bookings/{booking}/reports", data=body, content_type=kind)

    def call(self, method: str, path: str, **sent: Any) -> TestResponse | None:
        """A call, again after Retry-After where it is told to come back; None once it ends."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": str(uuid.uuid4()),
            **sent.pop("headers", {}),
        }
        while not self._ended.is_set():
            answer = self.app.test_client().open(f"/partner/v1{path}", method=method, headers=headers, **sent)
            if answer.status_code != 429:
                return answer
            wait = 1.0 if "impatient" in self.faults else float(answer.headers["Retry-After"])
            over = time.monotonic() + wait
            while time.monotonic() < over and not self._ended.is_set():
                time.sleep(0.05)
        return None


@contextmanager
def running(
    app: Flask, twin: str, *faults: str, by_feed: bool = False, scopes: tuple[str, ...] = tuple(SCOPES)
) -> Iterator[Program]:
    """The program of the twin with this code, with an endpoint unless it reads by itself."""
    made = credentials.add_client(twin, "program", list(scopes), by=credentials.operator("test"), now=clock.now())
    basic = base64.b64encode(f"{made.client_id}:{made.secret}".encode()).decode()
    granted = app.test_client().post(
        "/partner/v1/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {basic}"},
    )
    program = Program(app, granted.get_json()["access_token"], frozenset(faults), by_feed=by_feed)
    with listening() as receiver:
        if not by_feed:
            _subscribe(program, receiver)
        thread = Thread(target=program.run, daemon=True)
        thread.start()
        try:
            yield program
        finally:
            program.end()
            thread.join(20)


def _subscribe(program: Program, receiver: Receiver) -> None:
    added = program.call("POST", "/webhook-endpoints", json={"url": receiver.url, "event_types": TYPES})
    assert added is not None and added.status_code == 201, added and added.text
    program.secret = added.get_json()["secret"]
    receiver.answer = program.take
