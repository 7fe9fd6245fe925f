"""Idempotency keys of requests that may be sent twice, recorded in the transaction of the effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Index,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import BYTEA, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey
from marketplace.core.database.db import Base
from marketplace.core.database.retention import forget
from marketplace.core.errors import IdempotencyKeyReused


@dataclass(frozen=True)
class Repeatable:
    """A request that may be sent twice: who sends it (`scope`), its key, and the hash of its content (32 bytes)."""

    scope: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True)
class Earlier:
    """What an earlier request made: the public id, and the status that it was answered by."""

    resource: str
    status: int


def first_time(session: Session, request: Repeatable, resource: str, *, now: datetime) -> bool:
    """Whether the key is new. Records it as record_key() does, and raises the same."""
    return record_key(session, request, resource, now=now) is None


def record_key(session: Session, request: Repeatable, resource: str, *, now: datetime, status: int = 200) -> str | None:
    """Record a key with the public id that its request makes. Returns None for a new key, else the id that an earlier
    request with this key made.

    The key is stored if the caller's transaction commits. A concurrent request with the same key waits here until then.
    Call it before any other lock is taken. Raises IdempotencyKeyReused if the key was used for another request.
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
    known = earlier(session, request)
    if known is None:
        raise LookupError("a key that was there is gone")
    return known.resource


def earlier(session: Session, request: Repeatable) -> Earlier | None:
    """What a request with this key made before, None if there was none. Raises IdempotencyKeyReused as record_key()."""
    known = session.execute(select(IdempotencyKey).where(*_is(request))).scalar_one_or_none()
    if known is None:
        return None
    if known.fingerprint != request.fingerprint:
        raise IdempotencyKeyReused()
    return Earlier(known.resource, known.status)


def record_status(session: Session, request: Repeatable, status: int) -> None:
    """Change the status of a recorded key, where it is known only after the effect."""
    session.execute(update(IdempotencyKey).where(*_is(request)).values(status=status))


def _is(request: Repeatable) -> tuple[ColumnElement[bool], ...]:
    return IdempotencyKey.scope == request.scope, IdempotencyKey.key == request.key


def forget_keys(*, now: datetime, batch: int = 1000) -> int:
    """Delete all idempotency keys older than 48 hours (24 are promised). Returns how many."""
    return forget(IdempotencyKey.id, IdempotencyKey.created_at, now - timedelta(hours=48), batch)


class IdempotencyKey(Base):
    """A key a caller used. `resource` is the public id of what it made; no health data is stored here."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("scope", "key"), Index("ix_idempotency_key_created", "created_at"))

    id: Mapped[PrimaryKey]
    scope: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(BYTEA)
    status: Mapped[int]
    resource: Mapped[str]
    created_at: Mapped[Moment]
