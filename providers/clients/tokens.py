"""Access tokens: given for a secret, good for an hour, ended at once when they are revoked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.retention import forget
from marketplace.core.errors import Unauthenticated
from providers.clients.credentials import fingerprint
from providers.clients.models import ApiClient, ApiSecret, ApiToken

LIFETIME = timedelta(hours=1)
"""How long a token is good: longer than 300 s, which clients take for the least (RFC 9700 asks for short ones)."""
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Caller:
    """Whose token it is: a client of a provider, and what it may do with it."""

    client: str
    provider_id: int
    provider: str
    time_zone: str
    scopes: frozenset[str]

    @property
    def scope_of_keys(self) -> str:
        """Whose idempotency keys its requests have: all clients of a provider share them."""
        return f"provider:{self.provider}"


def give(session: Session, secret: ApiSecret, token: str, scopes: Collection[str], now: datetime) -> None:
    """Record a token that is being given for a live secret, in the caller's transaction."""
    session.add(
        ApiToken(
            client_id=secret.client_id,
            secret_id=secret.id,
            token_hash=fingerprint(token),
            scopes=sorted(scopes),
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )


def authenticate(token: str, *, now: datetime) -> Caller:
    """Whose token it is. Raises Unauthenticated for one that is unknown, expired or revoked, or whose client or secret
    has ended: one answer for all."""
    with reading() as session:
        found = session.execute(
            select(ApiClient.public_id, Provider.id, Provider.code, Provider.time_zone, ApiToken.scopes)
            .join(ApiClient, ApiClient.id == ApiToken.client_id)
            .join(ApiSecret, ApiSecret.id == ApiToken.secret_id)
            .join(Provider, Provider.id == ApiClient.provider_id)
            .where(
                ApiToken.token_hash == fingerprint(token),
                ApiToken.ended_at.is_(None),
                ApiToken.expires_at > now,
                ApiClient.ended_at.is_(None),
                ApiSecret.ended_at.is_(None),
            )
        ).one_or_none()
    if found is None:
        raise Unauthenticated()
    return Caller(found[0], found[1], found[2], found[3], frozenset(found[4]))


def revoke(token: str, client_id: str, *, now: datetime) -> None:
    """End a token of this client (RFC 7009). What is not its token, or is over, is left as it is, without a word."""
    mine = select(ApiClient.id).where(ApiClient.public_id == client_id).scalar_subquery()
    with transaction() as session:
        session.execute(
            update(ApiToken)
            .where(ApiToken.token_hash == fingerprint(token), ApiToken.client_id == mine, ApiToken.ended_at.is_(None))
            .values(ended_at=now)
        )


def forget_tokens(*, now: datetime, batch: int = 1000) -> int:
    """Delete the tokens that have been over for a week; returns how many."""
    return forget(ApiToken.id, ApiToken.expires_at, now - KEPT, batch)
