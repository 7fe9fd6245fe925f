"""Letters to people of providers: claim what is due, send it, record the outcome. No transaction is open during a call
of a gateway. `tries` is a fencing token, and all tries have one key, as of the messages to customers
(booking.messages.deliver): each is sent at least once, and reaches the person once if the gateway honours the key.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, text, update
from sqlalchemy.exc import InterfaceError, OperationalError

from marketplace.core.database.db import transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS
from marketplace.core.sending import email, sms
from marketplace.core.sending.outgoing import Undeliverable

log = get_logger(__name__)

LEASE = timedelta(minutes=2)
TRIES = 6


@dataclass(frozen=True)
class Claimed:
    """A letter that a worker sends. Only the claim with the newest `tries` can record the outcome."""

    id: int
    tries: int
    failures: int


@dataclass(frozen=True)
class Post:
    """A message to be sent. `to` is a phone number (E.164) or an e-mail address."""

    channel: str
    key: str
    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)


Send = Callable[[Post], None]
"""Hands a message to its gateway. Raises Undeliverable if no further try can help, anything else if one may."""


@dataclass(frozen=True)
class Wait:
    """It is not to be sent before `until`: the person sleeps."""

    until: datetime


Written = Callable[[int, datetime], Post | Wait | None]
"""The message of a row by its id, now; None for one that is over meanwhile."""


@dataclass(frozen=True)
class Letters:
    """The letters of one table, a row each. `about` names them in the log, `due` is the condition (SQL) on those that
    may be sent at `:now` besides that they were not. `token`: a row has a sealed token, which goes with the outcome.
    `ends`: one that is over meanwhile is marked as given up; else `due` leaves it out.
    """

    table: Table
    about: str
    due: str
    written: Written
    token: bool = True
    ends: bool = False

    def send_due(
        self, clock: Callable[[], datetime], *, send: Send | None = None, seconds: float = RUN_SECONDS
    ) -> dict[str, int]:
        """Send what is due, one after the other, of which none begins after so many `seconds`. Returns counts by
        outcome: sent, waits, again, failed, overtaken, gone."""
        counts, until = Counter[str](), time.monotonic() + seconds
        while (claimed := self.claim(now=clock())) is not None:
            counts[self.deliver(claimed, send or hand_over, clock)] += 1
            if time.monotonic() > until:
                break
        return dict(counts)

    def claim(self, *, now: datetime) -> Claimed | None:
        """Claim the letter that is due longest, until the lease ends; None if there is none."""
        wanted = text(
            f"""
            WITH due AS (
              SELECT id FROM {self.table.name}
               WHERE {self.due} AND sent_at IS NULL AND given_up_at IS NULL
                 AND run_after <= :now AND (lease_until IS NULL OR lease_until <= :now)
               ORDER BY run_after, id LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            UPDATE {self.table.name} i SET tries = i.tries + 1, lease_until = :lease
              FROM due WHERE i.id = due.id RETURNING i.id, i.tries, i.failures
            """
        )
        with transaction() as session:
            row = session.execute(wanted, {"now": now, "lease": now + LEASE}).one_or_none()
        return None if row is None else Claimed(row.id, row.tries, row.failures)

    def deliver(self, claimed: Claimed, send: Send, clock: Callable[[], datetime]) -> str:
        """Carry out one try and record its outcome. Returns the outcome."""
        try:
            post = self.written(claimed.id, clock())
            if post is None:
                return self._mark(claimed, "gone", self._over({"given_up_at": clock()})) if self.ends else "gone"
            if isinstance(post, Wait):
                return self._mark(claimed, "waits", {"run_after": post.until})
            send(post)
        except Undeliverable:
            return self._mark(claimed, "failed", self._over({"given_up_at": clock()}))
        except (OperationalError, InterfaceError):
            raise  # the database is not reachable: it is claimed again after the lease
        except Exception as problem:  # whatever a gateway raises; its text may name the person
            log.warning(f"{self.about}.not_sent", row=claimed.id, error=type(problem).__name__)
            failures = claimed.failures + 1
            if failures < TRIES:
                return self._mark(claimed, "again", {"failures": failures, "run_after": _later(failures, clock())})
            return self._mark(claimed, "failed", self._over({"failures": failures, "given_up_at": clock()}))
        return self._mark(claimed, "sent", self._over({"sent_at": clock()}))

    def _over(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "token_sealed": None} if self.token else values

    def _mark(self, claimed: Claimed, outcome: str, values: dict[str, Any]) -> str:
        """Record the outcome and return it; `overtaken` if a newer claim has the letter or it is over, and nothing is
        recorded."""
        columns = self.table.c
        mine = (
            columns.id == claimed.id,
            columns.tries == claimed.tries,
            columns.sent_at.is_(None),
            columns.given_up_at.is_(None),
        )
        changed = update(self.table).where(*mine).values(lease_until=None, **values)
        with transaction() as session:
            marked = session.execute(changed.returning(columns.public_id)).scalar_one_or_none()
        if marked is None:
            return "overtaken"
        log.info(f"{self.about}.delivery", record=marked, outcome=outcome)
        return outcome


def hand_over(post: Post) -> None:
    """Hand a message to its gateway. Raises Undeliverable where this installation has no such gateway."""
    if post.channel == "sms":
        sms.gateway().send(post.to, post.text, key=post.key)
        return
    server = email.backend()
    if server is None:
        raise Undeliverable("no e-mail gateway")
    server.send(post.to, post.subject, post.text, key=post.key)


def _later(failures: int, now: datetime) -> datetime:
    """Half a minute, two, eight, half an hour, two hours."""
    return now + min(timedelta(seconds=30 * 4 ** (failures - 1)), timedelta(hours=2))
