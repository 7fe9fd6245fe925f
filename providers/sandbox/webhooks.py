"""Webhooks out: a durable queue, one sending thread per account, signed by Standard Webhooks (version 1, symmetric)."""

from __future__ import annotations

import json
import secrets
import threading
from typing import Any

import requests
from standardwebhooks.webhooks import Webhook

from providers.sandbox.config import Account
from providers.sandbox.faults import ON_WEBHOOKS, TEST_PREFIX, Faults
from providers.sandbox.ledger import Ledger, Row, Transaction

RETRY_SECONDS = (0.5, 1, 2, 5, 15, 60, 300, 900, 3600, 7200, 14400, 28800)
HELD_SECONDS = 5.0
TIMEOUT_SECONDS = 10
_OF_TESTS = f'%"our_reference": "{TEST_PREFIX}%'
"""Messages about test bookings, by their bodies."""


class Sender:
    """Delivers one account's messages in the order of their due times. Nothing is sent while no URL is set."""

    def __init__(self, ledger: Ledger, account: Account, faults: Faults) -> None:
        self._ledger = ledger
        self._account = account
        self._faults = faults
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"webhooks {account.code}", daemon=True)

    def start(self) -> None:
        """Begin to deliver, also what an earlier process left behind."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the message being sent, at most a second's wait, and stop."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=1)

    def wake(self) -> None:
        """Something was queued."""
        self._wake.set()

    def queue(self, tx: Transaction, kind: str, data: dict[str, Any]) -> None:
        """Put a message into the queue, in the transaction of what it tells about."""
        fault = self._faults.take(kind, ON_WEBHOOKS)
        strikes = fault.fault if fault is not None else ""
        now = self._ledger.timestamp()
        body = json.dumps({"type": kind, "timestamp": self._ledger.now().isoformat(), "data": data}, ensure_ascii=False)
        due, state = now, "queued"
        if strikes == "webhook_drop":
            state = "dropped"
        elif strikes == "webhook_late" and fault is not None:
            due = now + fault.seconds
        elif strikes == "webhook_reorder":
            due = now + HELD_SECONDS
        identifier = "msg_" + secrets.token_hex(12)
        for _copy in range(2 if strikes == "webhook_duplicate" else 1):
            tx.execute(
                "INSERT INTO outgoing (id, account, kind, body, due_at, state, held) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (identifier, self._account.code, kind, body, due, state, int(strikes == "webhook_reorder")),
            )
        if not strikes:
            # What was held back to arrive out of order follows this one.
            tx.execute(
                "UPDATE outgoing SET held = 0, due_at = ? WHERE account = ? AND held = 1 AND state = 'queued'",
                (now + 0.001, self._account.code),
            )

    def _run(self) -> None:
        session = requests.Session()
        session.trust_env = False
        while not self._stopping:
            row = self._next()
            if row is None:
                self._wake.wait(timeout=0.2)
                self._wake.clear()
                continue
            self._settle(row, *self._deliver(session, row))

    def _next(self) -> Row | None:
        account = self._account
        if not (account.webhook_url or account.test_webhook_url):
            return None
        sent = "" if account.webhook_url else " AND of_tests"
        with self._ledger.reading() as tx:
            row: Row | None = tx.execute(
                "SELECT *, body LIKE ? AS of_tests FROM outgoing WHERE account = ? AND state = 'queued'"
                f" AND due_at <= ?{sent} ORDER BY due_at, position LIMIT 1",
                (_OF_TESTS, account.code, self._ledger.timestamp()),
            ).fetchone()
        return row

    def _deliver(self, session: requests.Session, row: Row) -> tuple[bool, str]:
        body = row["body"].encode()
        to = self._account.webhook_url
        try:
            response = session.post(
                (self._account.test_webhook_url or to) if row["of_tests"] else to,
                data=body,
                headers=self._signed(row["id"], row["body"]),
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            )
            response.close()
        except requests.RequestException as error:
            return False, type(error).__name__
        return 200 <= response.status_code < 300, str(response.status_code)

    def _signed(self, identifier: str, body: str) -> dict[str, str]:
        now = self._ledger.now()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": identifier,
            "webhook-timestamp": str(int(now.timestamp())),
        }
        if self._account.webhook_secret:
            headers["webhook-signature"] = Webhook(self._account.webhook_secret).sign(identifier, now, body)
        return headers

    def _settle(self, row: Row, delivered: bool, answer: str) -> None:
        tries = row["tries"] + 1
        state, due = "delivered", row["due_at"]
        if not delivered:
            state = "queued" if tries <= len(RETRY_SECONDS) else "failed"
            due = self._ledger.timestamp() + RETRY_SECONDS[min(tries, len(RETRY_SECONDS)) - 1]
        with self._ledger.transaction() as tx:
            tx.execute(
                "UPDATE outgoing SET state = ?, tries = ?, due_at = ?, last_answer = ? WHERE position = ?",
                (state, tries, due, answer, row["position"]),
            )

    def log(self) -> list[dict[str, Any]]:
        """Every message with its state: queued, delivered, failed or dropped."""
        with self._ledger.reading() as tx:
            rows = tx.execute("SELECT * FROM outgoing WHERE account = ? ORDER BY position", (self._account.code,))
            return [{**dict(row), "body": json.loads(row["body"])} for row in rows]

    def replay(self) -> int:
        """Queue everything again, in order, with the same ids. Returns how many."""
        with self._ledger.transaction() as tx:
            done = tx.execute(
                "UPDATE outgoing SET state = 'queued', tries = 0, held = 0, due_at = ? WHERE account = ?",
                (self._ledger.timestamp(), self._account.code),
            )
        self.wake()
        return done.rowcount
