"""Where the pull of a provider's feed goes on, and its pages from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from booking.feeds.models import SyncCursor
from booking.feeds.tries import PutOff, count_try, forget_tries, not_applied, tried_before
from booking.feeds.unreadable import close_read, end_full_read, mostly_unreadable, record_rows
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from marketplace.core.one_by_one import one_by_one
from providers.port import CursorLost, ProviderError
from providers.reported import UnreadableRow

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

    @property
    def references(self) -> Sequence[str]:
        """What could be read of it."""

    @property
    def unreadable(self) -> Sequence[UnreadableRow]:
        """What could not."""


P = TypeVar("P", bound=Part)
T = TypeVar("T")


MOST_TRIES = 5
"""How often a row that can be read and not applied is delivered again before it becomes a discrepancy."""

SMALL_PAGE, SMALL_FAILURES = 10, 3
"""A page of so few rows that is mostly unreadable fails its feed so many times; then its rows are taken one by one. Two
bad rows must not stop a quiet provider's feed until it has more good ones to report."""

OTHER_SYSTEM = timedelta(minutes=1)
"""So long after another system was connected, a worker may still begin to read the one before: it looks at the
providers' rows every few seconds."""


class NotApplied(Exception):
    """Some of what a feed delivered could not be applied; it will be delivered again."""


@dataclass(frozen=True)
class Pull:
    """Reading one feed of a provider, begun at `now`."""

    provider_id: int
    feed: str
    now: datetime


def pages(
    provider_id: int,
    feed: str,
    fetch: Callable[[str | None, str | None], P],
    *,
    now: datetime,
    afresh: bool = False,
) -> Iterator[P]:
    """The pages since the last complete pull, got by `fetch(cursor, page)`; the next pull goes on after the last one.

    All from the start with `afresh`, or when the provider has lost our cursor. A row that cannot be read is recorded
    and passed over. Raises ProviderError when the provider cannot be read, or most of a page cannot: pages given out
    until then stay valid, the cursor does not move.
    """
    with reading() as session:
        cursor = None if afresh else cursor_of(session, provider_id, feed)
    since, page, nameless = cursor, None, False
    for _ in range(MOST_PAGES):
        try:
            part = fetch(cursor, page)
        except ProviderError as problem:
            if isinstance(problem, CursorLost) and cursor is not None:
                cursor = since = page = None
                continue
            failed(provider_id, feed)
            raise
        if _says_nothing(provider_id, feed, part):
            failed(provider_id, feed)
            raise ProviderError("most of a page cannot be read")
        record_rows(provider_id, feed, part.unreadable, now=now)
        nameless = nameless or any(row.nameless for row in part.unreadable)
        yield part
        close_read(provider_id, feed, part.references, now=now)
        since, page = part.cursor or since, part.next
        if page is None:
            done(provider_id, feed, since, now=now)
            if cursor is None:
                end_full_read(provider_id, feed, nameless=nameless, now=now)
            return
    failed(provider_id, feed)
    raise ProviderError("a list without an end")


def _says_nothing(provider_id: int, feed: str, part: Part) -> bool:
    read, unreadable = len(part.references), len(part.unreadable)
    if not mostly_unreadable(read, unreadable):
        return False
    with reading() as session:
        row = session.get(SyncCursor, (provider_id, feed))
    return read + unreadable > SMALL_PAGE or row is None or row.failures < SMALL_FAILURES


def apply_each(
    pull: Pull, part: Part, rows: Iterable[tuple[str, T]], work: Callable[[T], str], counts: Counter[str]
) -> None:
    """Do `work` for each row of a page, a row being a reference and what is reported of it, and add its outcomes to
    `counts`. What cannot be applied stops nothing else; but the pull has not ended then: NotApplied is raised on its
    last page, so that the cursor does not move and nothing is lost. What breaks for the MOST_TRIESth time is put aside
    as a discrepancy, and the pull can end; what has to be put off is so at once. What a rival keeps busy is tried for
    ever."""
    tried = tried_before(pull.provider_id, pull.feed)
    broken: list[tuple[str, T]] = []
    aside: list[UnreadableRow] = []
    applied: list[str] = []

    def apply(row: tuple[str, T]) -> str:
        try:
            outcome = work(row[1])
        except PutOff as until:
            aside.append(not_applied(*row, until.reason))
            return "put_off"
        except (Busy, OperationalError, InterfaceError):
            raise
        except Exception:
            broken.append(row)
            raise
        applied.append(row[0])
        return outcome

    counts.update(one_by_one(pull.feed, rows, apply))
    for reference, told in broken:
        if count_try(pull.provider_id, pull.feed, reference, now=pull.now) >= MOST_TRIES:
            aside.append(not_applied(reference, told))
            counts["put_aside"] += 1
    record_rows(pull.provider_id, pull.feed, aside, now=pull.now)
    forget_tries(pull.provider_id, pull.feed, tried.intersection(applied))
    if part.next is None and (counts["broken"] > counts["put_aside"] or counts["busy"]):
        raise NotApplied(f"{pull.feed}: {counts['broken']} broken, {counts['busy']} busy")


def cursor_of(session: Session, provider_id: int, feed: str) -> str | None:
    """The stored cursor, or None before the first pull."""
    return session.scalar(
        select(SyncCursor.cursor).where(SyncCursor.provider_id == provider_id, SyncCursor.feed == feed)
    )


def done(provider_id: int, feed: str, cursor: str | None, *, now: datetime) -> None:
    """Record where a complete pull ended that began at `now`. It is not recorded where the pull may have read the
    system before the present one: then the next begins anew."""
    values = {"cursor": cursor, "last_success_at": now, "failures": 0}
    with transaction() as session:
        mine = select(Provider.system_since).where(Provider.id == provider_id)
        since = session.scalar(mine.with_for_update(key_share=True))
        if since is not None and now < since + OTHER_SYSTEM:
            return
        session.execute(
            insert(SyncCursor)
            .values(provider_id=provider_id, feed=feed, **values)
            .on_conflict_do_update(index_elements=["provider_id", "feed"], set_=values)
        )


def forget_cursors(session: Session, provider_id: int) -> None:
    """Begin all feeds anew, in the caller's transaction, which locks the provider: what was read is of another one."""
    session.execute(
        update(SyncCursor)
        .where(SyncCursor.provider_id == provider_id)
        .values(cursor=None, last_success_at=None, next_at=None, failures=0)
    )


def failed(provider_id: int, feed: str) -> None:
    """Count a pull that did not end; the cursor stays."""
    with transaction() as session:
        session.execute(
            insert(SyncCursor)
            .values(provider_id=provider_id, feed=feed, failures=1)
            .on_conflict_do_update(index_elements=["provider_id", "feed"], set_={"failures": SyncCursor.failures + 1})
        )
