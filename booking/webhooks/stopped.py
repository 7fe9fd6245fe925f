"""An endpoint stops by itself, and its provider is written to: the message is a row of the transaction that stops it.

A message is claimed with SKIP LOCKED and a lease; `tries` is a fencing token, so only the newest claim records the
outcome. All tries have the same key. If a worker dies before it has recorded the outcome the message is sent again
under that key: at least once, and seen once where the mail server honours the key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import select, text, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from booking.webhooks import contacts
from booking.webhooks.endpoints import move
from booking.webhooks.models import ProviderContact, ProviderMessage, WebhookEndpoint
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.retention import forget
from marketplace.core.logging import get_logger
from marketplace.core.sending.outgoing import Undeliverable
from marketplace.core.text import Language, Text

log = get_logger(__name__)

LEASE = timedelta(minutes=2)
TRIES = 10
AT_ONCE = 8
KEPT = timedelta(days=90)
MOST_A_DAY = 5
"""Messages to one contact."""

Reason = Literal["failing", "gone"]


@dataclass(frozen=True)
class StoppedLetter:
    """What a message says: which endpoint of which provider stopped, why, and since when it had failed. `host` is the
    address without its path, which may hold a key of the receiver's."""

    to: str = field(repr=False)
    key: str
    language: Language
    provider: Text
    endpoint: str
    host: str
    reason: Reason
    stopped_at: datetime
    failing_since: datetime | None


Send = Callable[[StoppedLetter], None]
"""Writes and sends one message. Raises Undeliverable if no further try can help, anything else if one may."""

_CLAIM = text(
    """
    WITH due AS (
      SELECT id FROM provider_message
       WHERE state = 'queued' AND run_after <= :now AND (lease_until IS NULL OR lease_until <= :now)
       ORDER BY run_after, id LIMIT :places FOR UPDATE SKIP LOCKED
    )
    UPDATE provider_message m SET tries = m.tries + 1, lease_until = :lease
      FROM due WHERE m.id = due.id RETURNING m.id, m.tries
    """
)


def stop(session: Session, endpoint: WebhookEndpoint, reason: Reason, now: datetime) -> None:
    """Pause an endpoint that has failed for days, or end one whose receiver says that it is gone, and have the
    provider's contacts told. Logged and audited. The caller holds the endpoint's lock."""
    since = endpoint.failing_since
    move(endpoint, "paused" if reason == "failing" else "ended", reason, now)
    log.warning("webhook.endpoint_stopped", endpoint=endpoint.public_id, reason=reason)
    subject = endpoint.public_id
    audit.record(
        session,
        "webhook_endpoint.stopped",
        at=now,
        actor_kind="system",
        actor="webhooks",
        subject=subject,
        reason=reason,
    )
    _write_down(session, endpoint, reason, since, now)


def deliver_messages(send: Send, clock: Callable[[], datetime]) -> dict[str, int]:
    """Send what is due. Returns counts by outcome: sent, dropped, again, failed, overtaken."""
    counts = Counter[str]()
    while claimed := claim(now=clock()):
        counts.update(deliver(message, tries, send, clock) for message, tries in claimed)
    return dict(counts)


def claim(*, now: datetime) -> list[tuple[int, int]]:
    """Claim messages that are due until the lease ends: their ids and tries."""
    with transaction() as session:
        rows = session.execute(_CLAIM, {"now": now, "lease": now + LEASE, "places": AT_ONCE})
        return [(row.id, row.tries) for row in rows]


def deliver(message_id: int, tries: int, send: Send, clock: Callable[[], datetime]) -> str:
    """Send one message and record the outcome, which is returned. Its contact may have ended meanwhile: then it is
    dropped."""
    outcome, why = "sent", ""
    try:
        with reading() as session:
            letter = _letter(session, message_id)
        if letter is None:
            outcome = "dropped"
        else:
            send(letter)
    except Undeliverable as never:
        outcome, why = "failed", str(never)
    except (OperationalError, InterfaceError):
        raise  # the database is not reachable: it is claimed again after the lease
    except Exception as problem:  # whatever a gateway raises; its text may name the mail box
        why = type(problem).__name__
        outcome = "again" if tries < TRIES else "failed"
    return _mark(message_id, tries, outcome, why, clock())


def _write_down(
    session: Session, endpoint: WebhookEndpoint, reason: Reason, since: datetime | None, now: datetime
) -> None:
    contacts.lock(session, endpoint.provider_id)  # of two endpoints that stop at once the second counts the first
    to = contacts.live(session, endpoint.provider_id)
    if not to:
        log.warning("webhook.nobody_to_tell", endpoint=endpoint.public_id)
    for contact in _not_told_enough(session, to, endpoint.provider_id, now):
        session.add(
            ProviderMessage(
                contact_id=contact.id,
                endpoint_id=endpoint.id,
                reason=reason,
                failing_since=since,
                run_after=now,
                created_at=now,
            )
        )


def _not_told_enough(
    session: Session, to: Sequence[ProviderContact], provider_id: int, now: datetime
) -> list[ProviderContact]:
    """Those who may be written to once more today: whoever gives their mail boxes decides how often endpoints stop. One
    that is given anew is another contact, so that a provider has a number of its own."""
    told = Counter[int](
        session.scalars(
            select(ProviderMessage.contact_id)
            .join(ProviderContact, ProviderContact.id == ProviderMessage.contact_id)
            .where(ProviderContact.provider_id == provider_id, ProviderMessage.created_at > now - timedelta(days=1))
        )
    )
    wanted = [contact for contact in to if told[contact.id] < MOST_A_DAY]
    kept = wanted[: max(MOST_A_DAY * contacts.MOST - told.total(), 0)]
    if len(kept) < len(to):
        log.warning("webhook.told_enough", provider=provider_id, left_out=len(to) - len(kept))
    return kept


def forget_messages(*, now: datetime, batch: int = 1000) -> int:
    """Delete the messages that were made more than 90 days ago and have ended; returns how many."""
    ended = ProviderMessage.state != "queued"
    return forget(ProviderMessage.id, ProviderMessage.created_at, now - KEPT, batch, ended)


def _letter(session: Session, message_id: int) -> StoppedLetter | None:
    message = session.get_one(ProviderMessage, message_id)
    contact = session.get_one(ProviderContact, message.contact_id)
    endpoint = session.get_one(WebhookEndpoint, message.endpoint_id)
    provider = session.get_one(Provider, endpoint.provider_id)
    if contact.ended_at is not None:
        return None
    return StoppedLetter(
        to=contacts.open_address(contact),
        key=f"stopped-{endpoint.public_id}-{message.id}",
        language="en" if contact.language == "en" else "zh",
        provider=Text(provider.name_zh, provider.name_en),
        endpoint=endpoint.public_id,
        host=urlsplit(endpoint.url).hostname or "",
        reason="gone" if message.reason == "gone" else "failing",
        stopped_at=message.created_at,
        failing_since=message.failing_since,
    )


def _mark(message_id: int, tries: int, outcome: str, why: str, now: datetime) -> str:
    values: dict[str, Any] = {"lease_until": None, "error": why}
    if outcome == "again":
        values["run_after"] = now + min(timedelta(seconds=30 * 4 ** (tries - 1)), timedelta(hours=6))
    else:
        values |= {"state": outcome, "finished_at": now}
    mine = (ProviderMessage.id == message_id, ProviderMessage.tries == tries, ProviderMessage.state == "queued")
    with transaction() as session:
        marked = session.execute(update(ProviderMessage).where(*mine).values(values).returning(ProviderMessage.id))
        if marked.scalar_one_or_none() is None:
            return "overtaken"
    log.info("webhook.stopped_told", message=message_id, outcome=outcome, error=why)
    return outcome
