"""Read what doctors of outside providers said, where an event brought it not, or not yet: the list is the truth.

A consultation is read at once when an event says that there is more than could be taken, every ten seconds while the
customer waits for an answer, and every minute otherwise, also after its end while she may open it again. One whose list
can't be read while others can is asked for with growing pauses, behind them. Moments are the database's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from booking.actors import provider_actor
from booking.calls.connections import ProviderConnection
from booking.consultation.close import REOPEN_FOR, REOPENED, end_without
from booking.consultation.models import Conversation
from booking.consultation.outside import cases
from booking.consultation.outside.lines import WAITS, Heard, hear, lock_talk, pass_over
from booking.consultation.outside.outgoing import AWAITED, QUIET
from booking.consultation.pictures import Examined, examine
from booking.feeds.unreadable import record_row
from booking.models import Booking, ProviderBooking
from booking.states import BookingState
from marketplace.catalog.kinds import without_times
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.moment import When, moment
from marketplace.core.errors import Invalid, TooMany
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.conversing import Converses
from providers.port import ComeBackLater, NotAuthorised, Oversize, ProviderError
from providers.reported import RemoteMessage, UnreadableRow
from providers.staff.outside import take_roster

log = get_logger(__name__)

AT_ONCE = 100
"""How many consultations of a provider are read in one run of the job, and for how many seconds it goes on."""
RUN_SECONDS = 8.0
HELD_UP = timedelta(seconds=5)
"""How soon a line is looked at again that waits for its doctor to be verified, or for its picture."""
BEHIND, FURTHEST = 2 * AWAITED, timedelta(minutes=10)
"""The pause after a list that could not be read: longer than those have to wait whom the run did not come to. It grows
with the time for which this one alone can't be read, up to the furthest."""
MOST_FAILURES = 3
"""After so many lists that can't be read, and none that can, it is the provider, and the run ends."""
MOST_PAGES = 50
PATIENCE = timedelta(minutes=2)
"""So long a picture that does not come holds up what was said after it."""
ENDED_THERE = "closed_there"
"""The kind of the automatic line, and the cause, of an end that the provider told without a summary."""


_STOPS = WAITS | {Heard.AHEAD}
"""After such a line nothing more of the list is looked at."""


class Due(NamedTuple):
    """A consultation to be read: internal id, the booking's, the provider's name of it, and its newest line that stands
    here. `lease` is when it is read again if nothing comes of this time."""

    id: int
    booking_id: int
    reference: str
    their_seq: int
    lease: datetime


_CLAIM = text(
    """
    WITH due AS (
      SELECT c.id, c.booking_id, p.reference, c.closed_at IS NOT NULL AS ended, c.listen_at AS since
        FROM conversation c
        JOIN booking b ON b.id = c.booking_id
        JOIN provider_booking p ON p.booking_id = b.id AND p.provider_id = c.provider_id AND p.role = 'current'
       WHERE c.provider_id = :provider AND c.listen_at <= :now
         AND (c.closed_at IS NULL AND b.live OR b.state = 'fulfilled' AND c.closed_at > :ended_after)
       ORDER BY ended, since, c.id LIMIT :most FOR UPDATE OF c SKIP LOCKED
    ), claimed AS (
      UPDATE conversation c SET listen_at = :lease FROM due WHERE c.id = due.id
      RETURNING c.id, due.booking_id, due.reference, c.their_seq, c.listen_at, due.ended, due.since
    )
    SELECT id, booking_id, reference, their_seq, listen_at FROM claimed ORDER BY ended, since, id
    """
)


_TALKING = text(
    """
    SELECT provider_id FROM offer WHERE kind = ANY (:kinds)
     UNION SELECT provider_id FROM conversation
            WHERE outside AND (closed_at IS NULL OR closed_at > :ended_after)
    """
)


def talking(session: Session, *, now: When) -> frozenset[int]:
    """The providers (internal ids) that offer consultations, are in one, or were in one that may be opened again:
    nothing is asked of any other."""
    after = moment(session, now) - REOPEN_FOR
    return frozenset(session.scalars(_TALKING, {"kinds": list(without_times()), "ended_after": after}))


def listen(provider: ProviderConnection, adapter: Converses, now: When) -> dict[str, int]:
    """Read what is due of one provider; returns counts of what came of the lines. A run may ask for the roster once.

    A consultation whose list cannot be read (`failed`) stops no other, comes after the others next time, and is a case
    where others could be read. Raises ProviderError when nothing at all could be, and at once when the provider asks
    for a pause or does not take our key."""
    with transaction() as session:
        at = moment(session, now)
        values = {"provider": provider.id, "now": at, "lease": at + AWAITED, "most": AT_ONCE}
        due = [Due(*row) for row in session.execute(_CLAIM, {**values, "ended_after": at - REOPEN_FOR})]
    if not due:
        return {}
    reader = _Reader(provider, adapter, now)
    counts = one_by_one("consultations", due, reader.read, ends=(ProviderError,), seconds=RUN_SECONDS)
    if reader.failures and not reader.could_read:
        raise reader.failures[-1][1]
    for failed, _ in reader.failures:
        _tell_not_read(failed, provider.id, now)
    return dict(counts)


def _tell_not_read(due: Due, provider_id: int, now: When) -> None:
    with transaction() as session:
        cases.not_read(session, session.get_one(Booking, due.booking_id), now=moment(session, now))
    log.warning("consultation.list_not_read", provider=provider_id, conversation=due.id)


def read_roster(provider: ProviderConnection, adapter: Converses, now: When) -> dict[str, int]:
    """Ask a provider who its doctors are. Raises ProviderError."""
    listed = adapter.clinicians()
    return take_roster(provider.id, listed, now=_read(now))


class _Reader:
    """One run of the job. `could_read`: whether any list could be read to its end, or as far as can be taken."""

    def __init__(self, provider: ProviderConnection, adapter: Converses, now: When) -> None:
        self._provider, self._adapter, self._now = provider, adapter, now
        self._roster_read = False
        self.could_read = False
        self.failures: list[tuple[Due, ProviderError]] = []

    def read(self, due: Due) -> str:
        """What came of a consultation: of its last line, or `failed`. Raises what ends the run."""
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
        """All that was said after what stands here, page by page, as far as it can be taken."""
        after, last = due.their_seq, Heard.KNOWN
        for _ in range(MOST_PAGES):
            page = self._adapter.said_after(due.reference, after)
            last = self._lines(due, after, page.messages, page.unreadable)
            if last in _STOPS or page.next is None or page.next <= after:
                break
            after = page.next
        held_up = last in _STOPS
        if not held_up:
            self._follow_end(due)
        self._schedule(due, held_up=held_up)
        return last

    def _lines(
        self, due: Due, after: int, messages: Sequence[RemoteMessage], unreadable: Sequence[UnreadableRow]
    ) -> Heard:
        """Take the lines of a page in their order, those that can't be read in their place among them."""
        last = Heard.KNOWN
        lines: dict[int, RemoteMessage | UnreadableRow] = {}
        for row in unreadable:
            self._record(due, row)
            if row.seq is not None and row.seq > after:
                lines[row.seq] = row
        lines.update({each.seq: each for each in messages})
        for seq in sorted(lines):
            line = lines[seq]
            last = self._pass_over(due, seq) if isinstance(line, UnreadableRow) else self._line(due, line)
            if last is Heard.AHEAD:
                self._missing(due)
            if last in _STOPS:
                break
        return last

    def _line(self, due: Due, line: RemoteMessage) -> Heard:
        heard = self._hear(line)
        if heard is Heard.STRANGER and not self._roster_read:
            self._roster_read = True
            heard = self._hear(line) if self._ask_who() else heard
        if heard is not Heard.FETCH:
            return heard
        try:
            picture = examine(self._adapter.fetch_picture(line).content)
        except TooMany:
            return heard
        except (Invalid, Oversize) as wrong:
            reason = str(wrong.facts.get("reason", "")) if isinstance(wrong, Invalid) else "picture_large"
            return self._unreadable(due, line, reason)
        except ProviderError as failed:
            log.warning("consultation.picture_not_fetched", provider=self._provider.code, error=type(failed).__name__)
            return self._not_fetched(due, line)
        return self._hear(line, picture)

    def _ask_who(self) -> bool:
        """Whether the roster could be read. Where not, the line waits, and nobody else's does."""
        try:
            read_roster(self._provider, self._adapter, self._now)
        except ComeBackLater:
            raise
        except ProviderError as failed:
            log.warning("consultation.roster_not_read", provider=self._provider.code, error=type(failed).__name__)
            return False
        return True

    def _hear(self, line: RemoteMessage, picture: Examined | None = None) -> Heard:
        with transaction() as session:
            return hear(session, self._provider.id, line, now=self._now, picture=picture)

    def _record(self, due: Due, row: UnreadableRow) -> None:
        with transaction() as session:
            named = replace(row, reference=row.reference or due.reference)
            record_row(session, self._provider.id, cases.CONSULTATIONS, named, now=_read(self._now))
        log.warning("consultation.line_unreadable", provider=self._provider.code, reason=row.reason)

    def _pass_over(self, due: Due, seq: int) -> Heard:
        with transaction() as session:
            return pass_over(session, self._provider.id, due.reference, seq, now=self._now)

    def _unreadable(self, due: Due, line: RemoteMessage, reason: str) -> Heard:
        with transaction() as session:
            talk = lock_talk(session, self._provider.id, due.reference, now=self._now)
            if talk is not None:
                cases.unreadable(session, talk.booking, line, reason, now=talk.at)
        return self._pass_over(due, line.seq)

    def _not_fetched(self, due: Due, line: RemoteMessage) -> Heard:
        """It is tried again for a while; then the lines after it go on without it."""
        with transaction() as session:
            talk = lock_talk(session, self._provider.id, due.reference, now=self._now)
            if talk is None:
                return Heard.UNMATCHED
            since = cases.not_fetched_since(session, talk.booking, line.seq, now=talk.at)
            waited = talk.at - since
        return self._unreadable(due, line, "picture.not_fetched") if waited >= PATIENCE else Heard.FETCH

    def _missing(self, due: Due) -> None:
        with transaction() as session:
            talk = lock_talk(session, self._provider.id, due.reference, now=self._now)
            if talk is not None:
                cases.missing(session, talk.booking, talk.row.their_seq + 1, now=talk.at)

    def _follow_end(self, due: Due) -> None:
        """Where all lines stand here and the provider says that it is done, it is: without a summary. Not by what it
        said before the customer opened it again, nor before something that she said then has arrived there."""
        with reading() as session:
            if _end_told(session, due.id) is None:
                return
        with transaction() as session:
            talk = lock_talk(session, self._provider.id, due.reference, now=self._now)
            version = _end_told(session, due.id)
            if talk is None or talk.row.closed_at is not None or version is None:
                return
            since = _since_reopened(session, due.id)
            if since.nothing_sent:
                talk.row.their_version = version
            elif not since.all_arrived:
                return
            elif talk.row.first_answer_at is None:
                cases.ended_without_answer(session, talk.booking, now=talk.at)
            elif talk.booking.state is BookingState.IN_SERVICE:
                actor = provider_actor(session, talk.booking)
                end_without(session, talk.booking, talk.row, ENDED_THERE, actor, cause=ENDED_THERE, now=talk.at)

    def _schedule(self, due: Due, *, held_up: bool) -> None:
        """When it is read again, unless an event has made it due meanwhile."""
        with transaction() as session:
            at = moment(session, self._now)
            cases.is_read(session, session.get_one(Booking, due.booking_id), now=at)
            closed_at = session.get_one(Conversation, due.id).closed_at
            if closed_at is None:
                pause = HELD_UP if held_up else AWAITED if session.scalar(_AWAITED, {"id": due.id}) else QUIET
                _read_again(session, due, at + pause)
            else:
                _read_again(session, due, at + QUIET if at + QUIET < closed_at + REOPEN_FOR else None)

    def _put_behind(self, due: Due) -> None:
        """Its list could not be read: the others come first."""
        with transaction() as session:
            at = moment(session, self._now)
            since = cases.not_read_since(session, session.get_one(Booking, due.booking_id))
            pause = BEHIND if since is None else min(max(at - since, BEHIND), FURTHEST)
            _read_again(session, due, at + pause)


def _read_again(session: Session, due: Due, at: datetime | None) -> None:
    """Unless an event, or the customer, has made it due meanwhile. None: not before she opens it again."""
    session.execute(
        update(Conversation).where(Conversation.id == due.id, Conversation.listen_at == due.lease).values(listen_at=at)
    )


_AWAITED = text(
    "SELECT m.author = 'customer' FROM conversation_message m"
    " WHERE m.conversation_id = :id AND m.author <> 'automatic' ORDER BY m.seq DESC LIMIT 1"
)


def _end_told(session: Session, conversation_id: int) -> int | None:
    """The version with which the provider said that the open consultation is done; None while it has not, since the
    customer opened it again."""
    return session.scalar(
        select(ProviderBooking.version)
        .join(Conversation, Conversation.booking_id == ProviderBooking.booking_id)
        .where(
            Conversation.id == conversation_id,
            Conversation.closed_at.is_(None),
            ProviderBooking.role == "current",
            ProviderBooking.status == "fulfilled",
            ProviderBooking.version > Conversation.their_version,
        )
    )


class _Outward(NamedTuple):
    """What went out to the provider since the customer opened it again, if she has. `nothing_sent`: she has, and the
    provider can know of nothing that she said since. `all_arrived`: nothing is on its way, and if she has opened it
    again, something of hers was taken."""

    nothing_sent: bool
    all_arrived: bool


_SINCE_REOPENED = text(
    """
    WITH again AS (
      SELECT max(seq) AS seq FROM conversation_message
       WHERE conversation_id = :id AND author = 'automatic' AND kind = :reopened
    )
    SELECT again.seq IS NOT NULL AND count(*) FILTER (WHERE m.seq > again.seq AND d.sent_at IS NOT NULL) = 0,
           count(*) FILTER (WHERE d.id IS NOT NULL AND d.finished_at IS NULL) = 0
             AND (again.seq IS NULL OR count(*) FILTER (WHERE m.seq > again.seq AND d.state = 'delivered') > 0)
      FROM again
      LEFT JOIN conversation_delivery d ON d.conversation_id = :id
      LEFT JOIN conversation_message m ON m.id = d.message_id
     GROUP BY again.seq
    """
)


def _since_reopened(session: Session, conversation_id: int) -> _Outward:
    return _Outward(*session.execute(_SINCE_REOPENED, {"id": conversation_id, "reopened": REOPENED}).one())


def _read(now: When) -> datetime:
    with reading() as session:
        return moment(session, now)
