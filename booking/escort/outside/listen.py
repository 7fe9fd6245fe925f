"""Read what a provider's own system says of its escorts, where an event brought it not, or not yet: the list is the
truth.

A booking's lines are read at once when an event says that there is more than could be taken, every minute from some
hours before it begins until a day after its end, and now and then before. One whose list can't be read while others
can is asked for with growing pauses, behind them. Moments are the database's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from booking.calls.connections import ProviderConnection
from booking.escort.assigning.place import ends_at
from booking.escort.evidence.pictures import Examined
from booking.escort.outside import cases
from booking.escort.outside.ends import follow_status
from booking.escort.outside.lines import WAITS, Fetched, Heard, hear, pass_over
from booking.escort.outside.visit import lock_visit
from booking.feeds.unreadable import record_row
from booking.listening import ESCORTS, EscortListening
from booking.models import Booking
from booking.states import AT_PROVIDER, GIVEN_UP
from marketplace.catalog.kinds import dispatched
from marketplace.core.clock import start_of
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.errors import Invalid, TooMany
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.escorting import Escorts
from providers.port import ComeBackLater, NotAuthorised, Oversize, ProviderError
from providers.reported import EscortLine, UnreadableRow

log = get_logger(__name__)

AT_ONCE = 100
"""How many bookings of a provider are read in one run of the job, and for how many seconds it goes on; so long as well
with one of them, so that a list without end stops no other."""
RUN_SECONDS = 8.0
BEFORE, AFTER = timedelta(hours=3), timedelta(hours=24)
"""From so long before the beginning until so long after the end the lines are read every minute (NEAR)."""
NEAR, FAR = timedelta(minutes=1), timedelta(minutes=15)
HELD_UP = timedelta(seconds=15)
"""How soon a line is looked at again that waits for its picture, or for one before it, or for its turn."""
BEHIND, FURTHEST = timedelta(minutes=2), timedelta(minutes=15)
"""The pause after a list that could not be read. It grows with the time for which this one alone can't be read."""
MOST_FAILURES = 3
"""After so many lists that can't be read, and none that can, it is the provider, and the run ends."""
MOST_PAGES = 50
PATIENCE = timedelta(minutes=2)
"""So long a picture that does not come holds up what was done after it."""

Examine = Callable[[bytes], Examined]
"""Writes a picture anew. Raises Invalid, and TooMany while others are examined."""
_STOPS = WAITS | {Heard.AHEAD}


class Due(NamedTuple):
    """What is to be read: internal ids of its row and its booking, the provider's name of that, and the newest line
    that stands here. `lease` is when it is read again if nothing comes of this time."""

    id: int
    booking_id: int
    reference: str
    their_seq: int
    lease: datetime


_BEGIN = text(
    """
    INSERT INTO escort_listening (booking_id, provider_booking_id, listen_at)
    SELECT b.id, p.id, :now
      FROM booking b
      JOIN provider_booking p ON p.booking_id = b.id AND p.provider_id = b.provider_id AND p.role = 'current'
     WHERE b.provider_id = :provider AND b.kind = ANY (:kinds) AND b.state = ANY (:states) AND b.service_date >= :since
       AND NOT EXISTS (SELECT FROM escort_listening l WHERE l.provider_booking_id = p.id)
     ORDER BY b.service_date, b.id LIMIT :most
    ON CONFLICT (provider_booking_id) DO NOTHING
    """
)
_CLAIM = text(
    """
    WITH due AS (
      SELECT l.id, p.reference, l.listen_at AS since
        FROM escort_listening l
        JOIN provider_booking p ON p.id = l.provider_booking_id AND p.role = 'current'
       WHERE p.provider_id = :provider AND l.listen_at <= :now
       ORDER BY since, l.id LIMIT :most FOR UPDATE OF l SKIP LOCKED
    ), claimed AS (
      UPDATE escort_listening l SET listen_at = :lease FROM due WHERE l.id = due.id
      RETURNING l.id, l.booking_id, due.reference, l.their_seq, l.listen_at, due.since
    )
    SELECT id, booking_id, reference, their_seq, listen_at FROM claimed ORDER BY since, id
    """
)
_ESCORTING = text(
    "SELECT provider_id FROM offer WHERE kind = ANY (:kinds)"
    " UNION SELECT p.provider_id FROM escort_listening l JOIN provider_booking p ON p.id = l.provider_booking_id"
    " WHERE l.listen_at IS NOT NULL"
)


def escorting(session: Session) -> frozenset[int]:
    """The providers (internal ids) that offer what somebody is sent to, or whose lines are read: nothing is asked of
    any other."""
    return frozenset(session.scalars(_ESCORTING, {"kinds": list(dispatched())}))


def listen_to_escorts(provider: ProviderConnection, adapter: Escorts, now: When, examine: Examine) -> dict[str, int]:
    """Read what is due of one provider; returns counts of what came of the lines.

    A booking whose list cannot be read (`failed`) stops no other, comes after the others next time, and is a case where
    others could be read. Raises ProviderError when nothing at all could be, and at once when the provider asks for a
    pause or does not take our key."""
    with transaction() as session:
        at = moment(session, now)
        values = {"provider": provider.id, "now": at, "most": AT_ONCE}
        states = [state.value for state in AT_PROVIDER]
        since = (at - AFTER).date() - timedelta(days=1)
        session.execute(_BEGIN, {**values, "kinds": list(dispatched()), "states": states, "since": since})
        due = [Due(*row) for row in session.execute(_CLAIM, {**values, "lease": at + NEAR})]
    if not due:
        return {}
    reader = _Reader(provider, adapter, now, examine)
    counts = one_by_one("escort-lines", due, reader.read, ends=(ProviderError,), seconds=RUN_SECONDS)
    if reader.failures and not reader.could_read:
        raise reader.failures[-1][1]
    for failed, _ in reader.failures:
        _tell_not_read(failed, provider.id, now)
    return dict(counts)


def _tell_not_read(due: Due, provider_id: int, now: When) -> None:
    with transaction() as session:
        cases.not_read(session, session.get_one(Booking, due.booking_id), now=moment(session, now))
    log.warning("escort.list_not_read", provider=provider_id, listening=due.id)


class _Reader:
    """One run of the job. `could_read`: whether any list could be read to its end, or as far as can be taken.
    `_left`: lines of the last page wait for the next time."""

    def __init__(self, provider: ProviderConnection, adapter: Escorts, now: When, examine: Examine) -> None:
        self._provider, self._adapter, self._now, self._examine = provider, adapter, now, examine
        self.could_read = False
        self._left = False
        self.failures: list[tuple[Due, ProviderError]] = []

    def read(self, due: Due) -> str:
        """What came of a booking: of its last line, or `failed`. Raises what ends the run."""
        try:
            last = self._read(due)
        except ProviderError as failure:
            self._put_behind(due)
            if isinstance(failure, ComeBackLater | NotAuthorised):
                raise
            self.failures.append((due, failure))
            if not self.could_read and len(self.failures) >= MOST_FAILURES:
                raise
            return "failed"
        self.could_read = True
        return last.value

    def _read(self, due: Due) -> Heard:
        """All that was done after what stands here, page by page, as far as it can be taken."""
        after, last = due.their_seq, Heard.KNOWN
        begun, until, whole = self._moment(), time.monotonic() + RUN_SECONDS, False
        for _ in range(MOST_PAGES):
            page = self._adapter.escort_lines_after(due.reference, after)
            last = self._lines(due, after, page.lines, page.unreadable)
            whole = not self._left and (page.next is None or page.next <= after)
            if last in _STOPS or self._left or whole or page.next is None or time.monotonic() > until:
                break
            after = page.next
        self._end(due, last, begun, whole=whole)
        return last

    def _lines(self, due: Due, after: int, lines: Sequence[EscortLine], unreadable: Sequence[UnreadableRow]) -> Heard:
        """Take the lines of a page in their order, those that can't be read in their place among them."""
        last, until, self._left = Heard.KNOWN, time.monotonic() + RUN_SECONDS, False
        found: dict[int, EscortLine | UnreadableRow] = {}
        for row in unreadable:
            self._record(due, row)
            if row.seq is not None and row.seq > after:
                found[row.seq] = row
        found.update({each.seq: each for each in lines})
        for seq in sorted(found):
            line = found[seq]
            last = self._pass_over(due, seq) if isinstance(line, UnreadableRow) else self._line(due, line)
            if last is Heard.AHEAD:
                self._missing(due)
            if last in _STOPS:
                break
            if time.monotonic() > until:
                self._left = seq != max(found)
                break
        return last

    def _line(self, due: Due, line: EscortLine) -> Heard:
        heard = self._hear(line)
        if heard is Heard.UNMATCHED:
            self._other(due, line)
        if heard is not Heard.FETCH:
            return heard
        try:
            content = self._adapter.fetch_paper(line).content
            picture = Fetched(content, self._examine(content))
        except TooMany:
            return heard
        except (Invalid, Oversize) as wrong:
            reason = str(wrong.facts.get("reason", "")) if isinstance(wrong, Invalid) else "picture_large"
            return self._unreadable(due, line, reason)
        except ProviderError as failed:
            log.warning("escort.picture_not_fetched", provider=self._provider.code, error=type(failed).__name__)
            return self._not_fetched(due, line)
        return self._hear(line, picture)

    def _hear(self, line: EscortLine, picture: Fetched | None = None) -> Heard:
        with transaction() as session:
            return hear(session, self._provider.id, line, now=self._now, picture=picture)

    def _record(self, due: Due, row: UnreadableRow) -> None:
        with transaction() as session:
            known = replace(row, reference=row.reference or due.reference)
            record_row(session, self._provider.id, ESCORTS, known, now=moment(session, self._now))
        log.warning("escort.line_unreadable", provider=self._provider.code, reason=row.reason)

    def _pass_over(self, due: Due, seq: int) -> Heard:
        with transaction() as session:
            return pass_over(session, self._provider.id, due.reference, seq, now=self._now)

    def _unreadable(self, due: Due, line: EscortLine, reason: str) -> Heard:
        with transaction() as session:
            visit = lock_visit(session, self._provider.id, due.reference, now=self._now)
            if visit is not None:
                cases.unreadable(session, visit.booking, line, reason, now=visit.at)
        return self._pass_over(due, line.seq)

    def _other(self, due: Due, line: EscortLine) -> None:
        """A line that names another booking of ours than the one whose list it is in: it can't be used, nor passed over
        by its number, which may be another list's."""
        with transaction() as session:
            visit = lock_visit(session, self._provider.id, due.reference, now=self._now)
            if visit is not None:
                cases.unreadable(session, visit.booking, line, "our_reference.other", now=visit.at)

    def _not_fetched(self, due: Due, line: EscortLine) -> Heard:
        """It is tried again for a while; then the lines after it go on without it."""
        with transaction() as session:
            visit = lock_visit(session, self._provider.id, due.reference, now=self._now)
            if visit is None:
                return Heard.UNMATCHED
            since = cases.not_fetched_since(session, visit.booking, line.seq, now=visit.at)
            waited = visit.at - since
        return self._unreadable(due, line, "picture.not_fetched") if waited >= PATIENCE else Heard.FETCH

    def _missing(self, due: Due) -> None:
        with transaction() as session:
            visit = lock_visit(session, self._provider.id, due.reference, now=self._now)
            if visit is not None:
                cases.missing(session, visit.booking, visit.row.their_seq + 1, now=visit.at)

    def _end(self, due: Due, last: Heard, begun: datetime, *, whole: bool) -> None:
        """What follows from a list that was read to its end (`whole`: no line is left), and when it is read again,
        unless an event has made it due meanwhile. What was done after the asking began may not be in the answer."""
        held_up = last in _STOPS or not whole
        with transaction() as session:
            visit = lock_visit(session, self._provider.id, due.reference, now=self._now)
            if visit is None:
                _read_again(session, due, None)
                return
            cases.is_read(session, visit.booking, now=visit.at)
            if not held_up:
                visit.row.read_at = begun
                session.flush()
                follow_status(visit)
            soon = held_up and last is not Heard.NOT_CONFIRMED and visit.at < ends_at(visit.booking) + AFTER
            again = visit.at + HELD_UP if soon else _next_look(visit.booking, visit.row, visit.at)
            session.flush()
            _read_again(session, due, again)

    def _put_behind(self, due: Due) -> None:
        """Its list could not be read: the others come first. What would not be read again is not asked for again."""
        with transaction() as session:
            at, booking = moment(session, self._now), session.get_one(Booking, due.booking_id)
            since = cases.not_read_since(session, booking)
            pause = BEHIND if since is None else min(max(at - since, BEHIND), FURTHEST)
            over = _next_look(booking, session.get_one(EscortListening, due.id), at) is None
            _read_again(session, due, None if over else at + pause)

    def _moment(self) -> datetime:
        with reading() as session:
            return moment(session, self._now)


def _next_look(booking: Booking, row: EscortListening, now: datetime) -> datetime | None:
    """When a booking's lines are read again by themselves; None for never."""
    start = start_of(booking.service_date, booking.starts_at, booking.time_zone)
    near, over = start - BEFORE, ends_at(booking) + AFTER
    ended = booking.state not in AT_PROVIDER or not booking.live
    if now >= over:
        return None if ended else now + FAR
    if booking.state in GIVEN_UP:  # she may be on her way, or have been there
        return now + FAR if row.their_seq else None
    if now >= near:
        return now + NEAR
    return min(now + FAR, near)


def _read_again(session: Session, due: Due, at: datetime | None) -> None:
    """Unless an event has made it due meanwhile."""
    session.execute(
        update(EscortListening)
        .where(EscortListening.id == due.id, EscortListening.listen_at == due.lease)
        .values(listen_at=at)
    )
