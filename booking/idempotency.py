"""Requests that may be sent twice: the key's row is written in the transaction of the effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.models import IdempotencyKey
from marketplace.core.errors import IdempotencyKeyReused
from marketplace.core.retention import forget


@dataclass(frozen=True)
class Repeatable:
    """The caller's key and what the request was made of (32 bytes)."""

    scope: str
    key: str
    fingerprint: bytes


def first_time(session: Session, request: Repeatable, resource: str, *, now: datetime) -> bool:
    """Whether the key is new; else as `record_key`."""
    return record_key(session, request, resource, now=now) is None


def record_key(session: Session, request: Repeatable, resource: str, *, now: datetime, status: int = 200) -> str | None:
    """Keep the key with what the request made; for one that is known, what an earlier request with it made.

    It is kept once the caller's transaction commits, and not when it is refused. A rival with the same key waits here
    until that is decided. Call it before any other lock is taken.
    Raises IdempotencyKeyReused when the key was used for something else.
    """
    fresh = session.execute(
        insert(IdempotencyKey)
        .values(
            scope=request.scope,
            key=request.key,
            fingerprint=request.fingerprint,
            status=status,
            resource=resource,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["scope", "key"])
        .returning(IdempotencyKey.id)
    ).scalar_one_or_none()
    if fresh is not None:
        return None
    earlier = session.execute(
        select(IdempotencyKey.fingerprint, IdempotencyKey.resource).where(
            IdempotencyKey.scope == request.scope, IdempotencyKey.key == request.key
        )
    ).one()
    if earlier.fingerprint != request.fingerprint:
        raise IdempotencyKeyReused()
    return str(earlier.resource)


def forget_keys(*, now: datetime, batch: int = 1000) -> int:
    """Drop all idempotency keys older than 48 hours (they are promised for 24); returns how many."""
    return forget(IdempotencyKey.id, IdempotencyKey.created_at, now - timedelta(hours=48), batch)
