"""Rows of a provider's feeds that could not be read, or not be applied: one discrepancy each, until the row is read.

What was delivered is stored beside it, sealed under a key of its own, and deleted with the discrepancy's end or after
30 days. The row is asked for again after one minute, two, four … up to an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, exists, false, func, or_, select
from sqlalchemy.orm import Session

from booking.discrepancies import EXPLAINED, UNREADABLE, Discrepancy, open_discrepancy
from booking.feeds.models import DeliveredRow
from booking.models import Booking, Feed, ProviderBooking
from booking.references import named
from marketplace.core.config import settings
from marketplace.core.crypto import blind_indexes, new_wrapped_key, seal, unseal, unwrap_key
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from providers.reported import UnreadableRow

log = get_logger(__name__)

STORED_FOR = timedelta(days=30)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
MOST_CASES, A_DAY = 50, timedelta(days=1)
"""How many rows of one feed have a case each, open or of the last day; what else comes is counted in one more."""
MORE = "#more"
SEVERAL = "row.more"
"""The reason of the case that counts them."""
FEWEST = 2
READ_AGAIN, NOT_DELIVERED = "read_again", "not_delivered_again"
DIGEST_KEY = "digest_key"
"""The fact that names the index key its `digest` rests on; a case of an earlier release has none."""


@dataclass(frozen=True)
class Due:
    """A row to be asked for again. `our_reference` is what we call its booking at the provider; blank if unknown."""

    subject: str
    reference: str | None
    our_reference: str

    @property
    def named(self) -> bool:
        """Whether it can be asked for by itself."""
        return bool(self.reference or self.our_reference)


def mostly_unreadable(read: int, unreadable: int) -> bool:
    """Whether a page says nothing that can be relied on: more than half of its rows, and more than one, cannot be
    read. One row alone, good or bad, is a page as any other: small changes come in small pages."""
    return unreadable >= FEWEST and unreadable > read


def record_rows(provider_id: int, feed: str, rows: Iterable[UnreadableRow], *, now: datetime) -> None:
    """Record each row in a transaction of its own: a discrepancy, or one time more of the one that is open."""
    for row in rows:
        with transaction() as session:
            record_row(session, provider_id, feed, row, now=now)
        log.warning("feed.row_unreadable", provider=provider_id, feed=feed, reason=row.reason)


def record_row(session: Session, provider_id: int, feed: str, row: UnreadableRow, *, now: datetime) -> None:
    """Record one row in the caller's transaction. What a person explained is not recorded again while the provider
    delivers the same."""
    digests = [one.hex() for one in blind_indexes(row.digest, UNREADABLE)]
    digest, subject = digests[0], _subject_of(session, provider_id, feed, row, digests)
    booking_id = _booking_of(session, provider_id, feed, row)
    if booking_id is None and _too_many(session, provider_id, feed, subject, now):
        _count_more(session, provider_id, feed, digest, row, now)
        return
    last = session.scalar(_cases(provider_id, feed, subject).order_by(Discrepancy.id.desc()).limit(1))
    if last is not None and last.resolution == EXPLAINED and last.facts["digest"] in digests:
        last.facts = last.facts | _digested(digest)  # found again when an earlier index key is gone
        return
    facts: dict[str, Any] = {
        "feed": feed,
        "reference": row.reference or "",
        "our_reference": row.our_reference or "",
        "reason": row.reason,
        **_digested(digest),
        "times": 0,
        "asked": 0,
        "ask_at": (now + _pause(0)).isoformat(),
    }
    open_discrepancy(session, provider_id, UNREADABLE, subject, now=now, booking_id=booking_id, facts=facts)
    case = session.scalar(_open(provider_id, feed, subject).with_for_update())
    if case is None:  # read again by a rival at this moment
        return
    if case.facts["times"] == 0 or case.facts["digest"] not in digests:
        store_delivered(session, case, row.delivered, now)
    facts |= {"times": case.facts["times"] + 1, "last_at": now.isoformat()}
    case.facts = facts | _next_time(case, now)


def _digested(digest: str) -> dict[str, str]:
    """The digest, which is under the current index key."""
    return {"digest": digest, DIGEST_KEY: settings().index_keys[0].id}


def _too_many(session: Session, provider_id: int, feed: str, subject: str, now: datetime) -> bool:
    """Whether a row without an open case would be one too many: one whose text is new each time it is delivered makes
    no cases without end."""
    if session.scalar(_open(provider_id, feed, subject)) is not None:
        return False
    lately = select(func.count()).where(
        Discrepancy.provider_id == provider_id,
        Discrepancy.kind == UNREADABLE,
        Discrepancy.facts["feed"].astext == feed,
        Discrepancy.subject != _subject(feed, MORE),
        or_(Discrepancy.closed_at.is_(None), Discrepancy.opened_at > now - A_DAY),
    )
    return session.execute(lately).scalar_one() >= MOST_CASES


def _count_more(session: Session, provider_id: int, feed: str, digest: str, row: UnreadableRow, now: datetime) -> None:
    """One more in the case that counts what has no case of its own. It names no booking, so it may be about any. One
    that was closed within the last day, though not by a person, is opened again."""
    subject = _subject(feed, MORE)
    last = session.scalar(_cases(provider_id, feed, subject).order_by(Discrepancy.id.desc()).limit(1).with_for_update())
    if last is None or (last.closed_at is not None and _is_done_with(last, now)):
        facts = {
            "feed": feed,
            "reference": "",
            "our_reference": "",
            "reason": SEVERAL,
            **_digested(digest),
            "times": 0,
            "asked": 0,
            "ask_at": (now + _pause(0)).isoformat(),
        }
        open_discrepancy(session, provider_id, UNREADABLE, subject, now=now, facts=facts)
        last = session.scalars(_open(provider_id, feed, subject).with_for_update()).one()
        store_delivered(session, last, row.delivered, now)
    last.closed_at, last.resolution = None, ""
    last.facts = last.facts | {"times": last.facts["times"] + 1, "last_at": now.isoformat()} | _next_time(last, now)


def _is_done_with(case: Discrepancy, now: datetime) -> bool:
    return case.resolution == EXPLAINED or case.opened_at <= now - A_DAY


def close_read(provider_id: int, feed: str, references: Iterable[str], *, now: datetime) -> None:
    """Close the discrepancies of rows that were read, or applied, in the pull that began at `now`."""
    subjects = {_subject(feed, reference) for reference in references}
    _close(provider_id, feed, lambda case: case.subject in subjects, READ_AGAIN, now)


def end_full_read(provider_id: int, feed: str, *, nameless: bool, now: datetime) -> None:
    """End a pull, begun at `now`, that read everything. A row that is not delivered any more is closed; but not if the
    pull had rows without a readable name (`nameless`), which may be this one: then it is asked for again later."""
    if not nameless:
        _close(provider_id, feed, lambda _case: True, NOT_DELIVERED, now)
    for case in due_again(provider_id, feed, now=now):
        asked_in_vain(provider_id, feed, case.subject, now=now)


def due_again(provider_id: int, feed: str, *, now: datetime, limit: int | None = None) -> list[Due]:
    """The rows of a feed that are to be asked for again, the oldest first."""
    query = (
        select(Discrepancy.subject, Discrepancy.facts, Booking.public_id, ProviderBooking.our_reference)
        .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
        .outerjoin(
            ProviderBooking,
            (ProviderBooking.provider_id == Discrepancy.provider_id)
            & (ProviderBooking.reference == Discrepancy.facts["reference"].astext),
        )
        .where(*_is_open(provider_id, feed))
        .order_by(Discrepancy.id)
    )
    with reading() as session:
        rows = [row for row in session.execute(query) if datetime.fromisoformat(row.facts["ask_at"]) <= now]
    return [
        Due(
            row.subject,
            row.facts["reference"] or None,
            row.our_reference or row.facts["our_reference"] or row.public_id or "",
        )
        for row in rows[:limit]
    ]


def asked_in_vain(provider_id: int, feed: str, subject: str, *, now: datetime) -> None:
    """Ask for the row again later."""
    with transaction() as session:
        case = session.scalar(_open(provider_id, feed, subject).with_for_update())
        if case is not None:
            case.facts = case.facts | _next_time(case, now)


def open_delivered(session: Session, case: Discrepancy) -> str | None:
    """What was delivered; None if it is not stored any more."""
    stored = session.get(DeliveredRow, case.id)
    if stored is None:
        return None
    return unseal(
        stored.sealed, key=unwrap_key(stored.wrapped_key, record_of(case.public_id)), record=record_of(case.public_id)
    ).decode()


def forget_delivered(session: Session, case_id: int) -> None:
    """Delete what was delivered, and its key."""
    session.execute(delete(DeliveredRow).where(DeliveredRow.discrepancy_id == case_id))


def forget_rows(*, now: datetime, batch: int = 1000) -> int:
    """Delete what was delivered 30 days ago, and what belongs to closed discrepancies; returns how many."""
    over = exists().where(Discrepancy.id == DeliveredRow.discrepancy_id, Discrepancy.closed_at.is_not(None))
    old = select(DeliveredRow.discrepancy_id).where((DeliveredRow.stored_at < now - STORED_FOR) | over).limit(batch)
    forgotten = 0
    while True:
        with transaction() as session:
            gone = session.scalars(
                delete(DeliveredRow).where(DeliveredRow.discrepancy_id.in_(old)).returning(DeliveredRow.discrepancy_id)
            ).all()
        forgotten += len(gone)
        if len(gone) < batch:
            return forgotten


def _close(
    provider_id: int, feed: str, wanted: Callable[[Discrepancy], bool], resolution: str, began: datetime
) -> None:
    with reading() as session:
        known = session.scalars(select(Discrepancy).where(*_is_open(provider_id, feed))).all()
    for subject in sorted(case.subject for case in known if wanted(case)):
        with transaction() as session:
            case = session.scalar(_open(provider_id, feed, subject).with_for_update())
            if case is not None and datetime.fromisoformat(case.facts["last_at"]) < began:
                case.closed_at, case.resolution = began, resolution
                forget_delivered(session, case.id)


def store_delivered(session: Session, case: Discrepancy, delivered: bytes, now: datetime) -> None:
    """Store what was delivered, in place of what is stored."""
    forget_delivered(session, case.id)
    wrapped = new_wrapped_key(record_of(case.public_id))
    sealed = seal(delivered, key=unwrap_key(wrapped, record_of(case.public_id)), record=record_of(case.public_id))
    session.add(DeliveredRow(discrepancy_id=case.id, stored_at=now, wrapped_key=wrapped, sealed=sealed))


def record_of(case_public_id: str) -> str:
    """The record that the delivered text of a discrepancy, and its key, are sealed for."""
    return f"{case_public_id}:delivered"


def _subject_of(session: Session, provider_id: int, feed: str, row: UnreadableRow, digests: Sequence[str]) -> str:
    """What the row's case is about. One without a name goes by its digest; a case from an earlier index key goes by
    that under the current one from now on."""
    name = row.reference or row.our_reference
    if name:
        return _subject(feed, name)
    subjects = [_subject(feed, f"#{digest[:32]}") for digest in digests]
    if len(subjects) > 1:
        _move_case(session, provider_id, subjects)
    return subjects[0]


def _move_case(session: Session, provider_id: int, subjects: Sequence[str]) -> None:
    """Let the newest of these cases of one row go by the first subject, unless one is open under that."""
    wanted = select(Discrepancy).where(
        Discrepancy.provider_id == provider_id, Discrepancy.kind == UNREADABLE, Discrepancy.subject.in_(subjects)
    )
    known = session.scalars(wanted.order_by(Discrepancy.id.desc()).with_for_update()).all()
    if known and not any(case.subject == subjects[0] and case.closed_at is None for case in known):
        known[0].subject = subjects[0]
        session.flush()


def _subject(feed: str, name: str) -> str:
    return f"{feed}:{name}"


def _next_time(case: Discrepancy, now: datetime) -> dict[str, Any]:
    """When it is asked for again: as before, or later and later if it was due now."""
    asked, at = case.facts["asked"], case.facts["ask_at"]
    if datetime.fromisoformat(at) > now:
        return {"asked": asked, "ask_at": at}
    return {"asked": asked + 1, "ask_at": (now + _pause(asked + 1)).isoformat()}


def _pause(asked: int) -> timedelta:
    return min(FIRST_PAUSE * (1 << min(max(asked - 1, 0), 10)), LONGEST_PAUSE)


def _cases(provider_id: int, feed: str, subject: str) -> Select[Discrepancy]:
    return select(Discrepancy).where(
        Discrepancy.provider_id == provider_id,
        Discrepancy.kind == UNREADABLE,
        Discrepancy.subject == subject,
    )


def _open(provider_id: int, feed: str, subject: str) -> Select[Discrepancy]:
    return _cases(provider_id, feed, subject).where(Discrepancy.closed_at.is_(None))


def _is_open(provider_id: int, feed: str) -> Sequence[Any]:
    return (
        Discrepancy.provider_id == provider_id,
        Discrepancy.kind == UNREADABLE,
        Discrepancy.closed_at.is_(None),
        Discrepancy.facts["feed"].astext == feed,
    )


def _booking_of(session: Session, provider_id: int, feed: str, row: UnreadableRow) -> int | None:
    """The booking of ours that the row is about, as far as its references tell."""
    known = session.scalar(
        select(ProviderBooking.booking_id).where(
            ProviderBooking.provider_id == provider_id,
            ProviderBooking.reference == row.reference if feed == Feed.BOOKINGS else false(),
        )
    )
    public_id, _ = named(row.our_reference)
    ours = select(Booking.id).where(Booking.public_id == public_id, Booking.provider_id == provider_id)
    return known or session.scalar(ours)
