"""Where the pull of a provider's feed goes on, and its pages from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.models import SyncCursor
from marketplace.core.db import reading, transaction
from marketplace.core.one_by_one import one_by_one
from providers.port import CursorLost, ProviderError

MOST_PAGES = 10_000
"""A list without an end would hold up its feed for ever."""


class Part(Protocol):
    """A page of a feed, as the port has them."""

    @property
    def next(self) -> str | None:
        """What continues this pull."""

    @property
    def cursor(self) -> str | None:
        """What starts the next one."""


P = TypeVar("P", bound=Part)
T = TypeVar("T")


class NotApplied(Exception):
    """Some of what a feed delivered could not be applied; it will be delivered again."""


def pages(
    provider_id: int,
    feed: str,
    fetch: Callable[[str | None, str | None], P],
    *,
    now: datetime,
    afresh: bool = False,
) -> Iterator[P]:
    """The pages since the last complete pull, got by `fetch(cursor, page)`; the next pull goes on after the last one.

    All from the start with `afresh`, or when the provider has lost our cursor. Raises ProviderError when it cannot be
    read: pages given out until then stay valid, the cursor does not move.
    """
    with reading() as session:
        cursor = None if afresh else cursor_of(session, provider_id, feed)
    since, page = cursor, None
    for _ in range(MOST_PAGES):
        try:
            part = fetch(cursor, page)
        except ProviderError as problem:
            if isinstance(problem, CursorLost) and cursor is not None:
                cursor = since = page = None
                continue
            failed(provider_id, feed)
            raise
        yield part
        since, page = part.cursor or since, part.next
        if page is None:
            done(provider_id, feed, since, now=now)
            return
    failed(provider_id, feed)
    raise ProviderError("a list without an end")


def apply_each(
    feed: str, part: Part, rows: Iterable[tuple[str, T]], work: Callable[[T], str], counts: Counter[str]
) -> None:
    """Do `work` for each row of a page, a row being a reference and what is reported of it, and add its outcomes to
    `counts`. What cannot be applied stops nothing else; but the pull has not ended then: NotApplied is raised on its
    last page, so that the cursor does not move and nothing is lost."""
    counts.update(one_by_one(feed, rows, lambda row: work(row[1])))
    if part.next is None and (counts["broken"] or counts["busy"]):
        raise NotApplied(f"{feed}: {counts['broken']} broken, {counts['busy']} busy")


def cursor_of(session: Session, provider_id: int, feed: str) -> str | None:
    """The stored cursor, or None before the first pull."""
    return session.scalar(
        select(SyncCursor.cursor).where(SyncCursor.provider_id == provider_id, SyncCursor.feed == feed)
    )


def done(provider_id: int, feed: str, cursor: str | None, *, now: datetime) -> None:
    """Record where a complete pull ended."""
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
