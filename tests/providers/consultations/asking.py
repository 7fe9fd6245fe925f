"""A customer's side of the protocol's consultations, as plain HTTP."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.eventually import eventually
from tests.sandboxes import Control, Sandbox

OFFER = "CONSULT"
PERSON = {"name": "王小明", "sex": "male", "birth_date": "1990-05-01"}


def consulting(**settings: Any) -> dict[str, Any]:
    """The part of an account's configuration, answering at once unless it says otherwise."""
    return {
        "offers": [OFFER],
        "doctors": 8,
        "at_once": 100,
        "answer_after": [0.1, 0.3],
        "turns": 2,
        "pictures": 0,
        **settings,
    }


@dataclass
class Asking:
    """A consultation at an account, or yet to be opened."""

    sandbox: Sandbox
    account: str
    our_reference: str = field(default_factory=lambda: "B-" + secrets.token_hex(6))
    reference: str = ""
    seq: int = 0

    @property
    def control(self) -> Control:
        """The strings of the account."""
        return self.sandbox.control(self.account)

    def call(self, verb: str, path: str, body: Any = None, key: str = "") -> requests.Response:
        """Any request with the account's key."""
        headers = {"Authorization": f"Bearer key-{self.account}"} | ({"Idempotency-Key": key} if key else {})
        with requests.Session() as session:
            session.trust_env = False
            address = self.sandbox.base_url(self.account) + path
            return session.request(verb, address, json=body, headers=headers, timeout=30)

    def open(self, *, key: str = "", **wish: Any) -> requests.Response:
        """Begin it."""
        body = {
            "our_reference": self.our_reference,
            "offer": OFFER,
            "department": "general",
            "language": "zh",
            "person": PERSON,
            "answers": {},
            "flagged": False,
            "answer_seconds": 90,
            **wish,
        }
        answer = self.call("POST", "/consultations", body, key or self.our_reference + "-open")
        self.reference = answer.json().get("reference", self.reference)
        return answer

    def write(self, text: str, *, identifier: str = "", **wish: Any) -> requests.Response:
        """Say something, with the next number."""
        self.seq += 1
        return self.post({"text": text, "seq": self.seq, **wish}, identifier)

    def show(self, content: bytes, **picture: Any) -> requests.Response:
        """Send a picture."""
        self.seq += 1
        sent = {
            "content_type": "image/png",
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": base64.b64encode(content).decode(),
            **picture,
        }
        return self.post({"picture": sent, "seq": self.seq}, "")

    def post(self, body: dict[str, Any], identifier: str) -> requests.Response:
        """A message as it is."""
        name = identifier or secrets.token_hex(8)
        whole = {
            "id": name,
            "our_reference": self.our_reference,
            "sent_at": "2026-03-02T08:00:00Z",
            "flagged": False,
            **body,
        }
        return self.call("POST", f"/consultations/{self.reference}/messages", whole, name)

    def close(self, reason: str = "closed") -> requests.Response:
        """Over at the customer's side."""
        body = {"our_reference": self.our_reference, "reason": reason}
        return self.call("POST", f"/consultations/{self.reference}/close", body, self.our_reference + "-close")

    def cancel(self) -> requests.Response:
        """Cancel the booking."""
        body = {"our_reference": self.our_reference, "reference": self.reference, "reason": "customer"}
        return self.call("POST", "/cancellations", body, self.our_reference + "-cancel")

    def page(self, after: int = 0, limit: int = 200) -> dict[str, Any]:
        """A page of what doctors said."""
        answer = self.call("GET", f"/consultations/{self.reference}/messages?after={after}&limit={limit}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def lines(self) -> list[dict[str, Any]]:
        """All that doctors said."""
        return list(self.page()["messages"])

    def said(self, number: int) -> list[dict[str, Any]]:
        """The lines once there are so many."""
        return list(eventually(lambda: lines if len(lines := self.lines()) >= number else None))

    def status(self) -> str:
        """The booking's."""
        return str(self.call("GET", f"/lookup?our_reference={self.our_reference}").json()["status"])

    def kept(self) -> dict[str, Any]:
        """What the provider holds of it."""
        return self.control.consultations(self.our_reference)[0]


def opened(sandbox: Sandbox, account: str, **wish: Any) -> Asking:
    """A consultation that is in the doctors' queue."""
    asking = Asking(sandbox, account)
    assert asking.open(**wish).status_code == 201
    return asking
