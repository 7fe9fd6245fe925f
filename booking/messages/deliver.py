"""SMS and e-mail: claim what is due, check that it is still true, send it, record the outcome. No transaction is open
during a call of a gateway.

A delivery is claimed with SKIP LOCKED and a lease, by any number of workers; `tries` is a fencing token, so only the
newest claim can record the outcome. All tries have the same key: if a worker dies before it has recorded the outcome,
or the gateway's answer is lost, the message is sent again under that key after the lease. So each message is sent at
least once, and reaches the person once if the gateway honours the key.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import text, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from booking.messages.freshness import stale
from booking.models import Booking
from booking.notices.kinds import Channel, rule_of
from booking.notices.models import NoticeSetting, Notification, NotificationDelivery
from booking.notices.notify import reaches
from booking.notices.quiet_hours import QUIET_FROM, QUIET_UNTIL, quiet_until
from marketplace.catalog.markets import LIVE
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS
from marketplace.core.sending.outgoing import Undeliverable
from vip import phones
from vip.customers import email_address
from vip.models import Beneficiary, Customer

log = get_logger(__name__)

LEASE = timedelta(minutes=2)
TRIES = 6
AT_ONCE = 8
THREADS = 4


@dataclass(frozen=True)
class Letter:
    """What a message is written from. `as_of` is when the notice was made; `language` the customer's choice or None;
    `person` the full name of the relative who is booked, blank for the customer herself. The writer masks the name."""

    notice_id: str
    kind: str
    facts: Mapping[str, Any]
    as_of: datetime
    language: str | None
    person: str


@dataclass(frozen=True)
class Post:
    """A message to be sent. `to` is a phone number (E.164) or an e-mail address."""

    channel: Channel
    to: str
    key: str
    letter: Letter


@dataclass(frozen=True)
class Claimed:
    """A delivery that a worker has claimed. Only the claim with the newest `tries` can record the outcome. `failures`
    counts earlier tries that failed."""

    id: int
    tries: int
    failures: int = 0


Send = Callable[[Post], None]
"""Writes and sends one message. Raises Undeliverable if no further try can help, anything else if one may."""

_CLAIM = text(
    """
    WITH due AS (
      SELECT id FROM notification_delivery
       WHERE state = 'queued' AND run_after <= :now AND (lease_until IS NULL OR lease_until <= :now)
       ORDER BY run_after, id LIMIT :places FOR UPDATE SKIP LOCKED
    )
    UPDATE notification_delivery d SET tries = d.tries + 1, lease_until = :lease
      FROM due WHERE d.id = due.id RETURNING d.id, d.tries, d.failures
    """
)


def deliver_due(send: Send, clock: Callable[[], datetime], *, seconds: float = RUN_SECONDS) -> dict[str, int]:
    """Send what is due, in batches, of which none begins after so many `seconds`. Returns counts by outcome: sent,
    waits (quiet hours), dropped, again, failed."""
    counts, until = Counter[str](), time.monotonic() + seconds
    with ThreadPoolExecutor(THREADS, thread_name_prefix="deliver") as threads:
        while claimed := claim(now=clock()):
            counts.update(threads.map(lambda it: deliver(it, send, clock), claimed))
            if time.monotonic() > until:
                break
    return dict(counts)


def claim(*, now: datetime, places: int = AT_ONCE) -> list[Claimed]:
    """Claim up to `places` deliveries that are due, until the lease ends."""
    with transaction() as session:
        rows = session.execute(_CLAIM, {"now": now, "lease": now + LEASE, "places": places}).all()
    return [Claimed(row.id, row.tries, row.failures) for row in rows]


def deliver(claimed: Claimed, send: Send, clock: Callable[[], datetime]) -> str:
    """Carry out one delivery and record its outcome. Returns the outcome."""
    try:
        with reading() as session:
            found = prepare(session, claimed, clock())
        if isinstance(found, Post):
            send(found)
        outcome = Outcome("sent") if isinstance(found, Post) else found
    except Undeliverable:
        outcome = Outcome("failed", "undeliverable")
    except (OperationalError, InterfaceError):
        raise  # the database is not reachable: it is claimed again after the lease
    except Exception as problem:  # whatever a gateway raises, or a row that can't be read; its text may name the person
        name, failures = type(problem).__name__, claimed.failures + 1
        log.warning("notice.not_sent", delivery=claimed.id, error=name)
        again = failures < TRIES
        outcome = Outcome("again", name, _later(failures, clock())) if again else Outcome("failed", name)
    return _mark(claimed, outcome, now=clock())


@dataclass(frozen=True)
class Outcome:
    """How a try ended. `until` is when the next one is due; None unless `what` is `waits` or `again`."""

    what: Literal["sent", "failed", "dropped", "waits", "again"]
    reason: str = ""
    until: datetime | None = None


def prepare(session: Session, claimed: Claimed, now: datetime) -> Post | Outcome:
    """The message to be sent now, or the outcome without sending it: it waits for the end of the quiet hours, is out of
    date, the customer has turned this channel off, or is a test customer, of whom nobody is ever sent anything."""
    delivery = session.get_one(NotificationDelivery, claimed.id)
    notice = session.get_one(Notification, delivery.notification_id)
    customer = session.get_one(Customer, notice.customer_id)
    setting = session.get(NoticeSetting, notice.customer_id)
    if customer.blocked_at is not None:
        return Outcome("dropped", "blocked")
    if customer.insurer.market != LIVE:
        return Outcome("dropped", "test")
    channel: Channel = "sms" if delivery.channel == "sms" else "email"
    to = address_of(customer, setting, channel)
    if not to:
        return Outcome("dropped", "channel_off")
    reason = stale(session, notice, now)
    if reason:
        return Outcome("dropped", reason)
    quiet_end = _quiet_until(notice, customer, setting, now)
    if quiet_end is not None:
        return Outcome("waits", "quiet_hours", quiet_end)
    letter = Letter(
        notice.public_id, notice.kind, notice.facts, notice.created_at, customer.language, _relative(session, notice)
    )
    return Post(channel, to, delivery.key, letter)


def address_of(customer: Customer, setting: NoticeSetting | None, channel: Channel) -> str:
    """The address for messages on this channel; blank if the customer gets none on it."""
    if not reaches(setting, channel):
        return ""
    if channel == "sms":
        return phones.unseal(customer.phone_sealed, customer.public_id)
    sealed = setting.email_sealed if setting is not None else None
    return email_address.unseal(sealed, customer.public_id) if sealed is not None else ""


def _quiet_until(
    notice: Notification, customer: Customer, setting: NoticeSetting | None, now: datetime
) -> datetime | None:
    """The end of the customer's quiet hours (UTC), None outside of them. An urgent notice that ends before then does
    not wait: None."""
    if setting is not None and not setting.quiet:
        return None
    first, last = (setting.quiet_from, setting.quiet_until) if setting is not None else (QUIET_FROM, QUIET_UNTIL)
    quiet_end = quiet_until(now, customer.insurer.time_zone, first, last)
    if quiet_end is None or not rule_of(notice.kind).urgent:
        return quiet_end
    until = notice.facts.get("until")
    return quiet_end if until and datetime.fromisoformat(str(until)) > quiet_end else None


def _relative(session: Session, notice: Notification) -> str:
    booking = session.get(Booking, notice.booking_id) if notice.booking_id is not None else None
    person = session.get(Beneficiary, booking.beneficiary_id) if booking is not None else None
    return person.name if person is not None and person.relation != "self" else ""


def _later(failures: int, now: datetime) -> datetime:
    """Half a minute, two, eight, half an hour, two hours."""
    return now + min(timedelta(seconds=30 * 4 ** (failures - 1)), timedelta(hours=2))


def _mark(claimed: Claimed, outcome: Outcome, *, now: datetime) -> str:
    """Record the outcome and return it; `overtaken` if a newer claim has the delivery, and nothing is recorded."""
    ended = outcome.what in ("sent", "failed", "dropped")
    values: dict[str, Any] = {"reason": outcome.reason, "lease_until": None}
    values |= {"state": outcome.what, "finished_at": now} if ended else {"run_after": outcome.until}
    if outcome.what in ("again", "failed"):
        values["failures"] = NotificationDelivery.failures + 1
    with transaction() as session:
        marked = session.execute(
            update(NotificationDelivery)
            .where(
                NotificationDelivery.id == claimed.id,
                NotificationDelivery.tries == claimed.tries,
                NotificationDelivery.state == "queued",
            )
            .values(values)
            .returning(NotificationDelivery.key)
        ).scalar_one_or_none()
    if marked is None:
        return "overtaken"
    log.info("notice.delivery", key=marked, outcome=outcome.what, reason=outcome.reason)
    return outcome.what
