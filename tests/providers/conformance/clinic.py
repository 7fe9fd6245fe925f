"""A provider that does nothing but answer consultations, in this process: by the contract, but for the `faults` that a
test plants."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from flask import Flask, Response, jsonify, request
from standardwebhooks.webhooks import Webhook
from werkzeug.serving import make_server

from providers.conformance.conversation import white_point
from providers.conformance.journal import FileJournal
from providers.conformance.kit import Target
from providers.conformance.listening import Listener
from providers.conformance.run import run
from providers.conformance.step import Capability, RunResult
from providers.port import Connection
from tests.providers.conformance.served import KEY, WEBHOOK_SECRET

ROSTER = [
    {"code": "D1", "name": "林晚晴", "title_zh": "主治医师", "title_en": "Physician", "licence": "110101199003071"},
    {
        "code": "D2",
        "name": "周明",
        "title_zh": "副主任医师",
        "title_en": "Senior physician",
        "licence": "310101198005062",
    },
]


class Refusal(Exception):
    """A problem to answer with."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Consultation:
    """One, as it stands there."""

    reference: str
    ours: str
    status: str = "confirmed"
    version: int = 1
    taken: dict[str, str] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def move(self, status: str) -> None:
        """Another status, told by a higher version."""
        if status != self.status:
            self.status, self.version = status, self.version + 1

    def shown(self) -> dict[str, Any]:
        """As a booking of the contract."""
        now = datetime.now(UTC).isoformat()
        return {
            "reference": self.reference,
            "our_reference": self.ours,
            "slot": "",
            "status": self.status,
            "version": self.version,
            "service_date": now[:10],
            "starts_at": None,
            "ends_at": None,
            "updated_at": now,
        }


class Clinic:
    """Its books. `reopens`: what the customer says after the end opens it again."""

    def __init__(self, faults: Sequence[str], *, reopens: bool = True, says: bool = True) -> None:
        self.faults, self.reopens, self.says = set(faults), reopens, says
        self.lock = threading.RLock()
        self.keys: dict[str, tuple[str, Consultation]] = {}
        self.all: dict[str, Consultation] = {}
        self.asked: list[dict[str, Any]] = []
        self.roster = list(ROSTER)
        self.webhook, self.hangs = "", 0.0

    def open(self, key: str, wish: dict[str, Any]) -> Consultation:
        """Once for a key."""
        self.asked.append(wish)
        body = json.dumps(wish, sort_keys=True)
        if key in self.keys and "opens-again" not in self.faults:
            before, found = self.keys[key]
            if before != body and "takes-other-body" not in self.faults:
                raise Refusal(422, "idempotency_key_reused")
            if before == body:
                return found
        made = Consultation(f"C{len(self.all) + 1}", wish["our_reference"])
        self.all[made.reference] = made
        self.keys[key] = (body, made)
        return made

    def take(self, it: Consultation, said: dict[str, Any]) -> None:
        """What the customer says, once for an id."""
        body = json.dumps(said, sort_keys=True)
        if "picture" in said:
            content = b64decode(said["picture"]["content"], validate=True)
            if hashlib.sha256(content).hexdigest() != said["picture"]["sha256"]:
                raise Refusal(422, "invalid")
        if said["id"] in it.taken:
            if "refuses-again" in self.faults:
                raise Refusal(409, "other")
            if it.taken[said["id"]] != body and "takes-any-body" not in self.faults:
                raise Refusal(422, "idempotency_key_reused")
            return
        over = it.status == "cancelled" or (it.status == "fulfilled" and not self.reopens)
        if over and "never-closed" not in self.faults:
            raise Refusal(409, "closed")
        it.taken[said["id"]] = body
        if it.status == "fulfilled":
            it.move("in_service")
            if "numbers-anew" in self.faults:
                it.lines.clear()

    def say(self, it: Consultation, kind: str) -> None:
        """A doctor says something."""
        seq = len(it.lines) + (2 if "gap" in self.faults and it.lines else 1)
        line: dict[str, Any] = {
            "id": f"{it.reference}-{1 if 'same-ids' in self.faults else seq}",
            "reference": it.reference,
            "our_reference": it.ours,
            "seq": seq,
            "kind": kind,
            "clinician": "D9" if "stranger" in self.faults else "D1",
            "sent_at": datetime.now(UTC).isoformat(),
        }
        point = "f" * 64 if "other-hash" in self.faults else white_point().sha256
        content = {
            "text": {"text": "您好 hello"},
            "picture": {"picture": {"id": "p1", "sha256": point}},
            "summary": {"summary": {"summary": "感冒", "advice": "休息"}},
        }
        line |= {} if "unreadable" in self.faults else content[kind]
        it.lines.append(line)
        if "stays-in-queue" not in self.faults:
            it.move("fulfilled" if kind == "summary" else "in_service")
        self._tell(line)

    def _tell(self, line: dict[str, Any]) -> None:
        if not self.webhook or "no-events" in self.faults:
            return
        told = {**line, "text": "另一句"} if "event-otherwise" in self.faults else line
        now = datetime.now(UTC)
        body = json.dumps({"type": "consultation.message", "timestamp": now.isoformat(), "data": {"message": told}})
        secret = "whsec_c29tZWJvZHktZWxzZS1lbnRpcmVseS0xMjM0NTY3ODkw" if "forged" in self.faults else WEBHOOK_SECRET
        headers = {
            "webhook-id": f"evt-{line['id']}",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(f"evt-{line['id']}", now, body),
        }
        requests.post(self.webhook, data=body.encode(), headers=headers, timeout=5)

    def find(self, reference: str) -> Consultation:
        """By its reference."""
        if reference not in self.all:
            raise Refusal(404, "unknown_booking")
        return self.all[reference]

    def live(self) -> list[str]:
        """Statuses of what is there still."""
        return [each.status for each in self.all.values() if each.status not in ("cancelled", "rejected")]


def create_app(clinic: Clinic) -> Flask:
    """Its addresses."""
    app = Flask(__name__)

    @app.errorhandler(Refusal)
    def refused(why: Refusal) -> tuple[Response, int, dict[str, str]]:
        problem = {"type": "about:blank", "title": "No", "status": why.status, "code": why.code}
        return jsonify(problem), why.status, {"Content-Type": "application/problem+json"}

    @app.post("/consultations")
    def begin() -> tuple[Response, int]:
        found = clinic.open(request.headers["Idempotency-Key"], request.get_json())
        hangs, clinic.hangs = clinic.hangs, 0.0
        time.sleep(hangs)
        return jsonify(found.shown()), 201

    @app.get("/lookup")
    def look_up() -> Response:
        key, ours = request.args.get("idempotency_key"), request.args.get("our_reference")
        found = [each for each in clinic.all.values() if each.ours == ours]
        if key in clinic.keys:
            found = [clinic.keys[key][1]]
        if not found or ("no-look-up" in clinic.faults and key is not None):
            raise Refusal(404, "unknown_booking")
        live = [each for each in found if each.status not in ("cancelled", "fulfilled")]
        return jsonify((live or found)[-1].shown())

    @app.post("/cancellations")
    def cancel() -> Response:
        wish = request.get_json()
        it = clinic.find(wish["reference"] or next(each.reference for each in clinic.all.values()))
        if it.status in ("in_service", "fulfilled") or "no-cancel" in clinic.faults:
            raise Refusal(409, "too_late")
        it.move("cancelled")
        return jsonify(it.shown())

    @app.post("/consultations/<reference>/messages")
    def said(reference: str) -> tuple[Response, int]:
        wish = request.get_json()
        with clinic.lock:
            clinic.take(clinic.find(reference), wish)
        return jsonify(id=wish["id"], our_reference=wish["our_reference"]), 201

    @app.get("/consultations/<reference>/messages")
    def listed(reference: str) -> Response:
        after, limit = int(request.args.get("after", 0)), int(request.args.get("limit", 200))
        lines = [each for each in clinic.find(reference).lines if each["seq"] > after or "all" in clinic.faults]
        if "changes" in clinic.faults:
            lines = [{**each, "sent_at": datetime.now(UTC).isoformat()} for each in lines]
        if "hides-last" in clinic.faults and len(lines) > 1:
            lines = lines[1:]
        return jsonify(messages=lines[:limit], next=lines[limit - 1]["seq"] if lines[limit:] else None)

    @app.post("/consultations/<reference>/close")
    def close(reference: str) -> tuple[str, int]:
        it = clinic.find(reference)
        if it.status in ("fulfilled", "cancelled") and "closes-once" in clinic.faults:
            raise Refusal(409, "closed")
        if "stays-open" not in clinic.faults and it.status not in ("fulfilled", "cancelled"):
            it.move("fulfilled" if it.lines else "cancelled")
        return "", 204

    @app.get("/consultations/<reference>/pictures/<name>")
    def picture(reference: str, name: str) -> Response:
        clinic.find(reference)
        return Response(white_point().content, mimetype="image/png")

    @app.get("/clinicians")
    def roster() -> Response:
        return jsonify(clinicians=clinic.roster)

    _add_test_mode(app, clinic)
    return app


def _add_test_mode(app: Flask, clinic: Clinic) -> None:
    @app.get("/test")
    def info() -> Response:
        said = {"consultation": {"offer": "ASK", "department": "general"}} if clinic.says else {}
        return jsonify(offer="", pool="", **said)

    @app.post("/test/bookings/<reference>/<action>")
    def order(reference: str, action: str) -> tuple[str, int]:
        kinds = {"say": "text", "picture": "picture", "summarise": "summary"}
        if action not in kinds or f"no-{action}" in clinic.faults:
            raise Refusal(404, "unknown_action")
        with clinic.lock:
            clinic.say(clinic.find(reference), kinds[action])
        return "", 204

    @app.delete("/test/bookings/<reference>")
    def forget(reference: str) -> tuple[str, int]:
        clinic.all.pop(reference)
        return "", 204

    @app.post("/test/next")
    def next_answer() -> tuple[str, int]:
        wish = request.get_json()
        assert (wish["command"], wish["does"]) == ("open", "hang")
        clinic.hangs = wish["seconds"]
        return "", 204

    @app.put("/test/webhooks")
    def webhooks() -> tuple[str, int]:
        clinic.webhook = request.get_json()["url"] or ""
        return "", 204


@dataclass
class AtWork:
    """A clinic that can be called."""

    url: str
    clinic: Clinic
    folder: Path

    def run(self, *only: Capability, patience: float = 1.0) -> RunResult:
        """A run of the kit, of some capabilities or of all."""
        journal, listener = FileJournal(self.folder / "made.jsonl"), Listener()
        link = Connection("kit", self.url, KEY, (WEBHOOK_SECRET,), deadline_seconds=5)
        try:
            return run(Target("open_protocol", link, patience=patience), journal, listener, only=only or None)
        finally:
            listener.close()
            journal.close()


@contextmanager
def at_work(folder: Path, *faults: str, **ways: bool) -> Iterator[AtWork]:
    """A clinic on a free port of loopback."""
    clinic = Clinic(faults, **ways)
    server = make_server("127.0.0.1", 0, create_app(clinic), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield AtWork(f"http://127.0.0.1:{server.port}", clinic, folder)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
