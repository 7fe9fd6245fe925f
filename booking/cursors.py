"""Where the pull of a provider's feed goes on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.models import SyncCursor
from marketplace.core.db import transaction


def cursor_of(session: Session, provider_id: int, feed: str) -> str | None:
    """The stored cursor, or None before the first pull."""
    return session.scalar(
        select(SyncCursor.cursor).where(SyncCursor.provider_id == provider_id, SyncCursor.feed == feed)
    )


def done(provider_id: int, feed: str, cursor: str | None, *, now: datetime) -> None:
    """Remember where a complete pull ended."""
    values = {"cursor": cursor, "last_success_at": now, "failures": 0}
    with transaction() as session:
        session.execute(
            insert(SyncCursor)
            .values(provider_id=provider_id, feed=feed, **values)
            .on_conflict_do_update(index_elements=["provider_id", "feed"], set_=values)
        )


def failed(provider_id: int, feed: str) -> None:
    """Count a pull that did not end; the cursor stays."""
    with transaction() as session:
        session.execute(
            insert(SyncCursor)
            .values(provider_id=provider_id, feed=feed, failures=1)
            .on_conflict_do_update(index_elements=["provider_id", "feed"], set_={"failures": SyncCursor.failures + 1})
        )
