"""Access tokens: given for a secret, good for an hour, ended at once when they are revoked.

A token has a mark, made with the index key, by which every process knows without the database that it was given by us.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.clients.credentials import fingerprint
from marketplace.clients.models import ApiClient, ApiSecret, ApiToken
from marketplace.clients.owners import OfWhom, Owners
from marketplace.core import crypto, ids
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.retention import forget
from marketplace.core.errors import Unauthenticated
from marketplace.core.strictjson import storable

LIFETIME = timedelta(hours=1)
"""How long a token is good: longer than 300 s, which clients take for the least (RFC 9700 asks for short ones)."""
KEPT = timedelta(days=7)
_PURPOSE, _MARK = "partner token", 12
MARK_LENGTH = _MARK * 4 // 3
"""Characters of a mark."""


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


def new_token(purpose: str = _PURPOSE) -> str:
    """A token's text: 256 random bits and their mark, which is another one for each purpose."""
    secret = ids.new_token()
    return f"{secret}.{_mark(crypto.blind_index(secret, purpose))}"


def is_marked(token: str, purpose: str = _PURPOSE) -> bool:
    """Whether we made this text for that purpose. One from before tokens had marks, or whose mark's key was taken away,
    may still be good: nothing follows from False but that the database must be asked."""
    secret, _, mark = token.rpartition(".")
    marks = (_mark(each) for each in crypto.blind_indexes(secret, purpose)) if storable(token) else ()
    return any(hmac.compare_digest(mark.encode(), each.encode()) for each in marks)


def _mark(index: bytes) -> str:
    return base64.urlsafe_b64encode(index[:_MARK]).decode()


def authenticate(owners: Owners[OfWhom], token: str, *, now: datetime) -> OfWhom:
    """Whose token it is, of a program of these owners. Raises Unauthenticated for one that is unknown, expired or
    revoked, or whose client or secret has ended, and for one of other owners: one answer for all."""
    owner = owners.table
    with reading() as session:
        found = session.execute(
            select(
                ApiClient.id,
                ApiClient.public_id,
                ApiToken.secret_id,
                owner.id.label("owner_id"),
                owner.code,
                owner.time_zone,
                ApiToken.scopes,
                owners.twin_of.label("twin_of"),
            )
            .join(ApiClient, ApiClient.id == ApiToken.client_id)
            .join(ApiSecret, ApiSecret.id == ApiToken.secret_id)
            .join(owner, owner.id == owners.column)
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
    return owners.program(
        id=found.id,
        client=found.public_id,
        secret_id=found.secret_id,
        owner_id=found.owner_id,
        owner=found.code,
        time_zone=found.time_zone,
        scopes=frozenset(found.scopes),
        twin=found.twin_of is not None,
    )


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
