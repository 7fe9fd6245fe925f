"""SMS and e-mail: claim what is due, look whether it is still true, send it, mark it. Nothing is open during a call.

A delivery is claimed with SKIP LOCKED and a lease, by any number of workers; `tries` fences, so that only the newest
claim marks it. Its key is the same for every try: where a worker dies between sending and marking, or a gateway's
answer is lost, it is handed over again under that key once the lease is over. So a message leaves our side at least
once, and reaches the person once where the gateway honours the key.
"""

from __future__ import annotations

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
from marketplace.core.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.outgoing import Undeliverable
from vip import email_address, phones
from vip.models import Beneficiary, Customer

log = get_logger(__name__)

LEASE = timedelta(minutes=2)
TRIES = 6
AT_ONCE = 8
THREADS = 4


@dataclass(frozen=True)
class Letter:
    """What a message is written from: `language` is the customer's choice or None, `person` the full name of the
    relative whom the booking is for, blank for herself: the writer masks it."""

    notice_id: str
    kind: str
    facts: Mapping[str, Any]
    told_at: datetime
    language: str | None
    person: str


@dataclass(frozen=True)
class Post:
    """A message on its way. `to` is a phone (E.164) or an address."""

    channel: Channel
    to: str
    key: str
    letter: Letter


@dataclass(frozen=True)
class Claimed:
    """A delivery in a worker's hands; only this claim, by its `tries`, may mark it. `failures`: how often there was
    trouble with it before."""

    id: int
    tries: int
    failures: int = 0


Send = Callable[[Post], None]
"""Writes and hands over one message. Raises Undeliverable where no try can ever help, anything else otherwise."""

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


def deliver_due(send: Send, clock: Callable[[], datetime], *, passes: int = 50) -> dict[str, int]:
    """Send what is due, some at a time; returns counts by outcome: sent, waits (quiet), dropped, again, failed."""
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="deliver") as threads:
        for _ in range(passes):
            claimed = claim(now=clock())
            if not claimed:
                break
            counts.update(threads.map(lambda it: deliver(it, send, clock), claimed))
    return dict(counts)


def claim(*, now: datetime, places: int = AT_ONCE) -> list[Claimed]:
    """Take up to `places` deliveries that are due, for the length of the lease."""
    with transaction() as session:
        rows = session.execute(_CLAIM, {"now": now, "lease": now + LEASE, "places": places}).all()
    return [Claimed(row.id, row.tries, row.failures) for row in rows]


def deliver(claimed: Claimed, send: Send, clock: Callable[[], datetime]) -> str:
    """Carry one delivery out and mark it; returns its outcome."""
    try:
        with reading() as session:
            found = prepare(session, claimed, clock())
        if isinstance(found, Post):
            send(found)
        outcome = Outcome("sent") if isinstance(found, Post) else found
    except Undeliverable:
        outcome = Outcome("failed", "undeliverable")
    except (OperationalError, InterfaceError):
        raise  # the database is away: the lease brings it back
    except Exception as problem:  # whatever a gateway raises, or a row that can't be read; its text may name the person
        name, failures = type(problem).__name__, claimed.failures + 1
        log.warning("notice.not_sent", delivery=claimed.id, error=name)
        again = failures < TRIES
        outcome = Outcome("again", name, _later(failures, clock())) if again else Outcome("failed", name)
    return _mark(claimed, outcome, now=clock())


@dataclass(frozen=True)
class Outcome:
    """How a try ended; `until` is when the next one is due, for `waits` and `again`."""

    what: Literal["sent", "failed", "dropped", "waits", "again"]
    reason: str = ""
    until: datetime | None = None


def prepare(session: Session, claimed: Claimed, now: datetime) -> Post | Outcome:
    """The message as it is to be sent now, or why it is not: it waits for the end of the quiet hours, or what it tells
    is no longer so, or she doesn't want it on this channel any more."""
    delivery = session.get_one(NotificationDelivery, claimed.id)
    told = session.get_one(Notification, delivery.notification_id)
    customer = session.get_one(Customer, told.customer_id)
    setting = session.get(NoticeSetting, told.customer_id)
    if customer.blocked_at is not None:
        return Outcome("dropped", "blocked")
    channel: Channel = "sms" if delivery.channel == "sms" else "email"
    to = address_of(customer, setting, channel)
    if not to:
        return Outcome("dropped", "channel_off")
    reason = stale(session, told, now)
    if reason:
        return Outcome("dropped", reason)
    wakes = _quiet_until(told, customer, setting, now)
    if wakes is not None:
        return Outcome("waits", "quiet_hours", wakes)
    letter = Letter(told.public_id, told.kind, told.facts, told.created_at, customer.language, _relative(session, told))
    return Post(channel, to, delivery.key, letter)


def address_of(customer: Customer, setting: NoticeSetting | None, channel: Channel) -> str:
    """Where messages go on this channel; blank when they don't."""
    if not reaches(setting, channel):
        return ""
    if channel == "sms":
        return phones.unseal(customer.phone_sealed, customer.public_id)
    sealed = setting.email_sealed if setting is not None else None
    return email_address.unseal(sealed, customer.public_id) if sealed is not None else ""


def _quiet_until(
    told: Notification, customer: Customer, setting: NoticeSetting | None, now: datetime
) -> datetime | None:
    """The end of her quiet hours, None where there are none now; what is urgent doesn't wait past its own end."""
    if setting is not None and not setting.quiet:
        return None
    first, last = (setting.quiet_from, setting.quiet_until) if setting is not None else (QUIET_FROM, QUIET_UNTIL)
    wakes = quiet_until(now, customer.insurer.time_zone, first, last)
    if wakes is None or not rule_of(told.kind).urgent:
        return wakes
    until = told.facts.get("until")
    return wakes if until and datetime.fromisoformat(str(until)) > wakes else None


def _relative(session: Session, told: Notification) -> str:
    booking = session.get(Booking, told.booking_id) if told.booking_id is not None else None
    person = session.get(Beneficiary, booking.beneficiary_id) if booking is not None else None
    return person.name if person is not None and person.relation != "self" else ""


def _later(failures: int, now: datetime) -> datetime:
    """Half a minute, two, eight, half an hour, two hours."""
    return now + min(timedelta(seconds=30 * 4 ** (failures - 1)), timedelta(hours=2))


def _mark(claimed: Claimed, outcome: Outcome, *, now: datetime) -> str:
    """Write the outcome, unless a newer claim has the delivery: then it is that one's to mark."""
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
