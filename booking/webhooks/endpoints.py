"""Endpoints of webhooks: added, changed, paused and ended; and the secrets that messages to them are signed with."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.idempotency import Repeatable, first_time, record_key
from booking.webhooks import events
from booking.webhooks.models import WebhookEndpoint, WebhookSecret
from marketplace.clients.credentials import TwoSecrets
from marketplace.core import audit
from marketplace.core.config import settings
from marketplace.core.crypto import seal_master, unseal_master
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.sending.outside import BadUrl, read_url

MOST = 10
"""How many endpoints a provider may have."""
PLACES = (1, 2)

Choice = Literal["active", "paused"]


class TooManyEndpoints(Refusal):
    """The provider has as many endpoints as it may."""

    code = "too_many_endpoints"


class LastSecret(Refusal):
    """It is the endpoint's only secret: without one nothing could be signed."""

    code = "last_secret"


class EndpointEnded(Refusal):
    """The receiver answered 410 (Gone): the endpoint has ended and can only be deleted."""

    code = "endpoint_ended"


@dataclass(frozen=True)
class By:
    """Who does it, for the audit: a client of the provider, or an operator's command."""

    kind: str
    name: str


@dataclass(frozen=True)
class LiveSecret:
    """A secret that messages are signed with, without the secret itself."""

    id: str
    created_at: datetime


@dataclass(frozen=True)
class Endpoint:
    """An endpoint. `state` is active, paused or ended, `reason` why (asked, failing, gone), blank while it is active.
    `secret`, where one was just made: shown this once."""

    id: str
    url: str
    event_types: Sequence[str]
    state: str
    reason: str
    state_since: datetime
    failing_since: datetime | None
    created_at: datetime
    secrets: Sequence[LiveSecret]
    secret: str | None = field(default=None, repr=False)


def add(
    provider_id: int,
    url: str,
    event_types: Collection[str],
    *,
    by: By,
    now: datetime,
    repeat: Repeatable | None = None,
) -> Endpoint:
    """A new endpoint with its first secret; it is told of what happens from now on. Audited. The same request again
    gives the same endpoint. Raises Invalid(field="url" or "event_types"), TooManyEndpoints, IdempotencyKeyReused."""
    check_url(url)
    _check_types(event_types)
    public_id = new_id("whe")
    with transaction() as session:
        before = record_key(session, repeat, public_id, now=now, status=201) if repeat is not None else None
        if before is not None:
            endpoint = _of(session, provider_id, before)
            return _shown(session, endpoint, _first_secret(session, endpoint))
        session.execute(select(func.pg_advisory_xact_lock(0x57484F4B, provider_id)))
        live = select(func.count()).where(
            WebhookEndpoint.provider_id == provider_id, WebhookEndpoint.reason != "deleted"
        )
        if (session.scalar(live) or 0) >= MOST:
            raise TooManyEndpoints(most=MOST)
        endpoint = WebhookEndpoint(
            public_id=public_id,
            provider_id=provider_id,
            url=url,
            event_types=sorted(set(event_types)),
            state_since=now,
            cursor=events.newest(session, provider_id),
            created_at=now,
        )
        session.add(endpoint)
        session.flush()
        session.refresh(endpoint)
        secret = _add_secret(session, endpoint, PLACES[0], now)
        facts = {"host": _host(url), "event_types": endpoint.event_types}
        _audit(session, "webhook_endpoint.added", endpoint, by, now, **facts)
        return _shown(session, endpoint, secret)


def listed(provider_id: int) -> list[Endpoint]:
    """All endpoints of a provider that were not deleted, the oldest first."""
    with reading() as session:
        rows = session.scalars(
            select(WebhookEndpoint)
            .where(WebhookEndpoint.provider_id == provider_id, WebhookEndpoint.reason != "deleted")
            .order_by(WebhookEndpoint.id)
        )
        return [_shown(session, row) for row in rows.all()]


def one(provider_id: int, endpoint_id: str) -> Endpoint:
    """One endpoint. Raises NotFound."""
    with reading() as session:
        return _shown(session, _of(session, provider_id, endpoint_id))


def change(
    provider_id: int,
    endpoint_id: str,
    url: str | None = None,
    event_types: Collection[str] | None = None,
    state: Choice | None = None,
    *,
    by: By,
    now: datetime,
    repeat: Repeatable | None = None,
) -> Endpoint:
    """Give an endpoint another address or other event types, pause it or let it go on; what is None stays. What
    happened while it was paused is delivered when it goes on. Audited. Raises NotFound, EndpointEnded,
    Invalid(field="url" or "event_types"), IdempotencyKeyReused.
    """
    if url is not None:
        check_url(url)
    if event_types is not None:
        _check_types(event_types)
    with transaction() as session:
        if _done_before(session, repeat, endpoint_id, now):
            return _shown(session, _of(session, provider_id, endpoint_id))
        endpoint = _lock(session, provider_id, endpoint_id)
        if endpoint.state == "ended":
            raise EndpointEnded()
        endpoint.url = endpoint.url if url is None else url
        endpoint.event_types = endpoint.event_types if event_types is None else sorted(set(event_types))
        if state is not None and endpoint.state != state:
            move(endpoint, state, "" if state == "active" else "asked", now)
        facts = {"host": _host(endpoint.url), "state": endpoint.state, "event_types": endpoint.event_types}
        _audit(session, "webhook_endpoint.changed", endpoint, by, now, **facts)
        return _shown(session, endpoint)


def delete(provider_id: int, endpoint_id: str, *, by: By, now: datetime, repeat: Repeatable | None = None) -> None:
    """End an endpoint and its secrets for good; nothing more is sent. Audited. Raises NotFound,
    IdempotencyKeyReused."""
    with transaction() as session:
        if _done_before(session, repeat, endpoint_id, now):
            return
        endpoint = _lock(session, provider_id, endpoint_id)
        move(endpoint, "ended", "deleted", now)
        for secret in _live_secrets(session, endpoint):
            _end(secret, now)
        _audit(session, "webhook_endpoint.deleted", endpoint, by, now)


def add_secret(
    provider_id: int, endpoint_id: str, *, by: By, now: datetime, repeat: Repeatable | None = None
) -> Endpoint:
    """A second secret: messages are signed with both until one is ended. Audited. Raises NotFound, TwoSecrets,
    IdempotencyKeyReused."""
    public_id = new_id("whs")
    with transaction() as session:
        before = record_key(session, repeat, public_id, now=now, status=201) if repeat is not None else None
        endpoint = _lock(session, provider_id, endpoint_id)
        if before is not None:
            row = session.scalar(
                select(WebhookSecret).where(WebhookSecret.public_id == before, WebhookSecret.endpoint_id == endpoint.id)
            )
            return _shown(session, endpoint, _opened(endpoint, row))
        taken = {secret.place for secret in _live_secrets(session, endpoint)}
        free = [place for place in PLACES if place not in taken]
        if not free:
            raise TwoSecrets()
        secret = _add_secret(session, endpoint, free[0], now, public_id)
        _audit(session, "webhook_secret.added", endpoint, by, now, secret=public_id)
        return _shown(session, endpoint, secret)


def end_secret(
    provider_id: int, endpoint_id: str, secret_id: str, *, by: By, now: datetime, repeat: Repeatable | None = None
) -> None:
    """End a secret; one that has ended stays so. Audited. Raises NotFound(field="secret" too), LastSecret,
    IdempotencyKeyReused."""
    with transaction() as session:
        if _done_before(session, repeat, secret_id, now):
            return
        endpoint = _lock(session, provider_id, endpoint_id)
        secret = session.scalar(
            select(WebhookSecret).where(WebhookSecret.endpoint_id == endpoint.id, WebhookSecret.public_id == secret_id)
        )
        if secret is None:
            raise NotFound(field="secret")
        if secret.ended_at is not None:
            return
        if len(_live_secrets(session, endpoint)) < 2:
            raise LastSecret()
        _end(secret, now)
        _audit(session, "webhook_secret.ended", endpoint, by, now, secret=secret_id)


def _done_before(session: Session, repeat: Repeatable | None, resource: str, now: datetime) -> bool:
    return repeat is not None and not first_time(session, repeat, resource, now=now)


def check_url(url: str) -> None:
    """Raises Invalid(field="url") for one that we would not call."""
    try:
        read_url(url, loopback=settings().loopback_urls)
    except BadUrl as bad:
        raise Invalid(field="url", reason=bad.reason) from bad


def move(endpoint: WebhookEndpoint, state: str, reason: str, now: datetime) -> None:
    """Give it another state; the caller holds its lock. What failed before no longer counts."""
    endpoint.state, endpoint.reason, endpoint.state_since = state, reason, now
    endpoint.failing_since = endpoint.not_before = None


def secret_record(endpoint_id: str) -> str:
    """The record that the secrets of an endpoint are sealed for."""
    return f"webhook:{endpoint_id}:secret"


def open_secrets(session: Session, endpoint: WebhookEndpoint) -> list[str]:
    """The live secrets of an endpoint, the older first. Raises Unreadable."""
    opened = [_opened(endpoint, secret) for secret in _live_secrets(session, endpoint)]
    return [secret for secret in opened if secret is not None]


def _check_types(event_types: Collection[str]) -> None:
    if not event_types or not set(event_types) <= set(events.TYPES):
        raise Invalid(field="event_types", reason="unknown_value")


def _of(session: Session, provider_id: int, endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint:
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.provider_id == provider_id,
        WebhookEndpoint.public_id == endpoint_id,
        WebhookEndpoint.reason != "deleted",
    )
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(field="endpoint_id")
    return found


def _lock(session: Session, provider_id: int, endpoint_id: str) -> WebhookEndpoint:
    return _of(session, provider_id, endpoint_id, lock=True)


def _live_secrets(session: Session, endpoint: WebhookEndpoint) -> Sequence[WebhookSecret]:
    return session.scalars(
        select(WebhookSecret)
        .where(WebhookSecret.endpoint_id == endpoint.id, WebhookSecret.ended_at.is_(None))
        .order_by(WebhookSecret.id)
    ).all()


def _add_secret(
    session: Session, endpoint: WebhookEndpoint, place: int, now: datetime, public_id: str | None = None
) -> str:
    """A new secret in the form of Standard Webhooks: whsec_ and 32 random bytes in base64."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    session.add(
        WebhookSecret(
            public_id=public_id or new_id("whs"),
            endpoint_id=endpoint.id,
            place=place,
            sealed=seal_master(secret, secret_record(endpoint.public_id)),
            created_at=now,
        )
    )
    session.flush()
    return secret


def _end(secret: WebhookSecret, now: datetime) -> None:
    secret.sealed, secret.ended_at = None, now


def _opened(endpoint: WebhookEndpoint, secret: WebhookSecret | None) -> str | None:
    if secret is None or secret.sealed is None:
        return None
    return unseal_master(secret.sealed, secret_record(endpoint.public_id))


def _first_secret(session: Session, endpoint: WebhookEndpoint) -> str | None:
    return _opened(
        endpoint,
        session.scalar(
            select(WebhookSecret).where(WebhookSecret.endpoint_id == endpoint.id).order_by(WebhookSecret.id).limit(1)
        ),
    )


def _shown(session: Session, row: WebhookEndpoint, secret: str | None = None) -> Endpoint:
    return Endpoint(
        id=row.public_id,
        url=row.url,
        event_types=row.event_types,
        state=row.state,
        reason=row.reason,
        state_since=row.state_since,
        failing_since=row.failing_since,
        created_at=row.created_at,
        secrets=[LiveSecret(each.public_id, each.created_at) for each in _live_secrets(session, row)],
        secret=secret,
    )


def _host(url: str) -> str:
    """What the audit says of an address: path and query may hold a key of the receiver's."""
    return urlsplit(url).hostname or ""


def _audit(session: Session, action: str, endpoint: WebhookEndpoint, by: By, now: datetime, **facts: Any) -> None:
    audit.record(session, action, at=now, actor_kind=by.kind, actor=by.name, subject=endpoint.public_id, **facts)
