"""Looking up confirmed bookings one by one, where the provider's list of bookings is not read: does it still know them?

The nearest service date comes first. What is found is judged as in a run of reconciliation (`examine`): a forgotten
booking becomes a case, and its customer is notified.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.calls.connections import ProviderConnection
from booking.discrepancies import has_unreadable_row
from booking.models import Booking, ProviderBooking, ProviderTask
from booking.outbox import UNFINISHED
from booking.reconcile.examine import Answering, Suspect, examine
from booking.reconcile.models import BookingLookUp
from booking.reconcile.queue import list_is_read
from booking.states import BookingState
from marketplace.catalog.models import Provider
from marketplace.core.clock import today
from marketplace.core.database.db import reading, transaction
from marketplace.core.one_by_one import one_by_one
from providers.port import ComeBackLater, LookUp, NotFound, ProviderError, RetryAfter, Unknown
from providers.reported import RemoteBooking

NEAR = timedelta(days=1)
"""Service dates up to tomorrow: a booking lost there must be found within 15 minutes."""
NEAR_EVERY = timedelta(minutes=10)
WEEK = timedelta(days=7)
WEEK_EVERY = timedelta(hours=1)
LATER_EVERY = timedelta(hours=6)
UNDECIDED_EVERY = timedelta(minutes=3)
"""How soon a look-up is made again that decided nothing, or whose process was killed."""

PASS = timedelta(seconds=10)
"""No new look-up begins after this: a probe's lease must outlast the pass, with the last look-up's calls."""
MINUTE = timedelta(minutes=1)
MOST_CALLS = 2
"""One look-up asks by the provider's reference and, if it has none there, by our number."""

UNVERIFIED = "unverified"
_UNDECIDED = (UNVERIFIED, "unsettled", "busy")

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Reached:
    """How far look-ups get: how many confirmed bookings there are, since when the one waiting longest has had no
    answer anew (None: none has had one), and how many have had none at all."""

    bookings: int
    oldest: datetime | None
    unanswered: int


@dataclass(frozen=True)
class Claimed:
    """A booking whose look-up nobody else makes now. `reference` is the provider's, None if none is known."""

    id: int
    booking: str
    reference: str | None


def look_up_due(provider: ProviderConnection, adapter: Answering, *, every: timedelta, clock: Clock) -> dict[str, int]:
    """Look up what is due and the provider's rate allows; nothing where its list of bookings is read every `every`.
    Ends with the first one that gets no answer. Returns counts by verdict, `failed` if there was no answer at all.

    Raises ProviderError if the provider could not be reached, or asks for a pause.
    """
    if _listed(provider, every, clock()):
        return {}
    counts = Counter[str]()
    asked = _Counted(adapter)

    def judge(row: tuple[str, Claimed]) -> str:
        verdict = _look_up(provider, asked, row[1], clock)
        counts[verdict] += 1
        return verdict

    def claims() -> Iterator[tuple[str, Claimed]]:
        until = clock() + PASS
        while not counts[UNVERIFIED] and clock() <= until:
            claimed = claim_next(provider, now=clock())
            if claimed is None:
                return
            yield claimed.booking, claimed

    ended = one_by_one(f"look_ups:{provider.code}", claims(), judge, ends=(ProviderError,))
    return {"failed": ended[UNVERIFIED]} if set(ended) == {UNVERIFIED} else dict(ended)


def claim_next(provider: ProviderConnection, *, now: datetime) -> Claimed | None:
    """The booking to look up next, or None: none is due, or the provider was asked often enough in the last minute.

    The provider's row is locked for that, so that of several workers no two take the same booking, and all of them
    together keep the rate.
    """
    with transaction() as session:
        rate = session.execute(
            select(Provider.look_ups_a_minute).where(Provider.id == provider.id).with_for_update(key_share=True)
        ).scalar_one()
        if _calls_since(session, provider.id, now - MINUTE) + MOST_CALLS > rate:
            return None
        found = session.execute(_due(provider, now)).one_or_none()
        if found is None:
            return None
        asked = {"asked_at": now, "calls": MOST_CALLS}
        session.execute(
            insert(BookingLookUp)
            .values(booking_id=found.id, provider_id=provider.id, **asked)
            .on_conflict_do_update(index_elements=["booking_id"], set_=asked)
        )
    return Claimed(found.id, found.public_id, found.reference)


def reached(session: Session, provider: Provider, day: date) -> tuple[Reached, Reached]:
    """How far look-ups get at a provider whose day is `day`: up to tomorrow, and later."""
    near = Booking.service_date <= day + NEAR
    rows = session.execute(
        select(
            near.label("near"),
            func.count().label("bookings"),
            func.min(BookingLookUp.answered_at).label("oldest"),
            func.count().filter(BookingLookUp.answered_at.is_(None)).label("unanswered"),
        )
        .select_from(Booking)
        .outerjoin(BookingLookUp, BookingLookUp.booking_id == Booking.id)
        .where(expected(provider.id, day))
        .group_by(near)
    )
    found = {row.near: Reached(row.bookings, row.oldest, row.unanswered) for row in rows}
    none = Reached(0, None, 0)
    return found.get(True, none), found.get(False, none)


def _calls_since(session: Session, provider_id: int, since: datetime) -> int:
    made = select(func.coalesce(func.sum(BookingLookUp.calls), 0)).where(
        BookingLookUp.provider_id == provider_id, BookingLookUp.asked_at > since
    )
    return int(session.execute(made).scalar_one())


def _due(provider: ProviderConnection, now: datetime) -> Select[int, str, str | None]:
    """The next one: the nearest service date, there the one that was asked about longest ago. Not while a command is on
    its way, nor while a row about it could not be read: unreadable is not absent."""
    day = today(provider.connection.time_zone, now)
    return (
        select(Booking.id, Booking.public_id, ProviderBooking.reference)
        .outerjoin(BookingLookUp, BookingLookUp.booking_id == Booking.id)
        .outerjoin(ProviderBooking, and_(ProviderBooking.booking_id == Booking.id, ProviderBooking.role == "current"))
        .where(
            expected(provider.id, day),
            ~exists().where(ProviderTask.booking_id == Booking.id, ProviderTask.state.in_(UNFINISHED)),
            ~has_unreadable_row(),
            or_(BookingLookUp.asked_at.is_(None), BookingLookUp.asked_at <= now - _every(day)),
        )
        .order_by(Booking.service_date, BookingLookUp.asked_at.nulls_first(), Booking.id)
        .limit(1)
    )


def expected(provider_id: int, day: date) -> ColumnElement[bool]:
    """Bookings (SQL) that the provider expects on `day` or later."""
    return and_(
        Booking.provider_id == provider_id, Booking.state == BookingState.CONFIRMED, Booking.service_date >= day
    )


def _every(day: date) -> ColumnElement[timedelta]:
    """How often one is to be looked up (SQL)."""
    undecided = or_(BookingLookUp.answered_at.is_(None), BookingLookUp.answered_at < BookingLookUp.asked_at)
    return case(
        (undecided, UNDECIDED_EVERY),
        (Booking.service_date <= day + NEAR, NEAR_EVERY),
        (Booking.service_date <= day + WEEK, WEEK_EVERY),
        else_=LATER_EVERY,
    )


class _Counted:
    """An adapter's look-ups, counted. A request to come back later is raised, as it is by reads."""

    def __init__(self, adapter: Answering) -> None:
        self._adapter, self.calls = adapter, 0

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown:
        self.calls += 1
        answer = self._adapter.look_up(question)
        if isinstance(answer, RetryAfter) and answer.reached:
            raise ComeBackLater("told to come back later", answer.seconds)
        if isinstance(answer, RetryAfter):
            raise ProviderError("not reached")
        return answer


def _look_up(provider: ProviderConnection, asked: _Counted, claimed: Claimed, clock: Clock) -> str:
    """Ask about one, judge the answer and record that there was one."""
    before = asked.calls
    suspect = Suspect("ours_only", claimed.booking, claimed.id, claimed.booking, claimed.reference)
    verdict = examine(provider, asked, suspect, clock=clock)
    answered = {} if verdict in _UNDECIDED else {"answered_at": clock()}
    with transaction() as session:
        session.execute(
            update(BookingLookUp)
            .where(BookingLookUp.booking_id == claimed.id)
            .values(calls=asked.calls - before, **answered)
        )
    return verdict


def _listed(provider: ProviderConnection, every: timedelta, now: datetime) -> bool:
    with reading() as session:
        return provider.list_bookings and list_is_read(session, provider.id, every, now)
