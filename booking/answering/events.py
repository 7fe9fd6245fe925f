"""What happened to a provider's bookings, as a feed that it can read again from any place.

The feed is the bookings' history (`booking_history`), which is never rewritten. How a reading goes on without losing
what commits late: `event_cursor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from booking.answering import feed_history
from booking.answering.event_cursor import EventCursor, decode, encode
from booking.answering.feed_history import CursorOutlived, History
from booking.answering.shown import STATUSES, ShownBooking, show, status_of
from booking.models import Booking, BookingHistory, Slot, SlotClaim
from booking.transition import CANCEL_ASKED, CHANGE_ASKED, CHANGE_ENDED
from marketplace.core.database.db import reading

_SHOWN = "pg_visible_in_snapshot(CAST(CAST(xact AS text) AS xid8), CAST(:{} AS pg_snapshot))"
_READ = text(
    f"""
    SELECT id, xact, booking_id, version, at, from_state, to_state, actor_kind, cause, facts
      FROM booking_history
     WHERE provider_id = :provider AND xact >= :low AND xact < :high AND (xact, id) > (:after_xact, :after_id)
       AND id > :before AND {_SHOWN.format("until")} AND NOT {_SHOWN.format("seen")}
     ORDER BY xact, id LIMIT :limit
    """
)
_ONE = text(
    """
    SELECT h.id, h.xact, h.booking_id, h.version, h.at, h.from_state, h.to_state, h.actor_kind, h.cause, h.facts
      FROM booking_history h JOIN booking b ON b.id = h.booking_id
     WHERE h.provider_id = :provider AND b.public_id = :booking AND h.version = :version
    """
)
_LEFT = text(
    f"""
    SELECT id, xact, booking_id, version, at, from_state, to_state, actor_kind, cause, facts
      FROM booking_history
     WHERE provider_id = :provider AND id > :after_id AND id <= :before
       AND (id > :of_cursor AND NOT {_SHOWN.format("seen")} AND id <= :next OR id > :next)
     ORDER BY id LIMIT :limit
    """
)
_NEXT = text("SELECT coalesce(min(lines_before), 0) FROM installation_release WHERE lines_before > :of_cursor")

_TIMES = ("rescheduled", "old_date_served")
"""Causes of lines that moved a booking to another time."""

_KINDS: Mapping[str, str] = {
    **dict.fromkeys(_TIMES, "booking.moved"),
    CHANGE_ASKED: "booking.change_asked",
    CHANGE_ENDED: "booking.change_ended",
    CANCEL_ASKED: "booking.cancel_asked",
    "time_proposed": "booking.time_proposed",
    "proposal_withdrawn": "booking.proposal_ended",
    "proposal_declined": "booking.proposal_ended",
    "proposal_lapsed": "booking.proposal_ended",
}
"""Kinds of the events that are no plain move to another status, by their causes."""
_OTHER = "booking.updated"

KINDS = (*(f"booking.{status}" for status in STATUSES), *dict.fromkeys(_KINDS.values()), _OTHER)
"""What an event may be of."""


@dataclass(frozen=True)
class At:
    """A time that a booking had or has."""

    service_date: date
    starts_at: datetime | None


@dataclass(frozen=True)
class BookingEvent:
    """One thing that happened. `booking` is as it was then: its version, status, cause, time and slot. What is open
    (change, cancel_asked, proposal, differences, answer_due_at) stands in the booking's newest event alone, as it is
    when the event is read: the next reading of it may say otherwise, an older event says nothing of it. `before`: its
    time before that, where this moved it; `wanted`: the time that is asked for, where this asks for one. `by`:
    customer, provider, operator, agent, clock or system."""

    id: str
    kind: str
    at: datetime
    by: str
    cause: str
    booking: ShownBooking
    before: At | None
    wanted: At | None


@dataclass(frozen=True)
class EventPage:
    """Some events, and the cursor that goes on behind them: always one, since more may come. `more`: some are there."""

    items: Sequence[BookingEvent]
    next: str
    more: bool


def events(provider_id: int, *, cursor: str | None, limit: int) -> EventPage:
    """The next events of a provider's bookings, the oldest first; without a cursor from the beginning. The same cursor
    gives the same events again, and those that have come since.

    Each event comes once to who goes on with `next`. Within a page those of one booking are in the order of its
    versions; of two that were made at the same moment the higher version may have been on the page before. Raises
    Invalid(field="cursor"), CursorOutlived(next), HeldBack.
    """
    known = None if cursor is None else decode(cursor, provider_id)
    with reading() as session:
        here = feed_history.current(session)
        if known is not None and known.history != here.id:
            raise CursorOutlived(next=encode(EventCursor(here.snapshot, history=here.id), provider_id))
        items, following, more = read(session, provider_id, known or EventCursor(history=here.id), limit, here)
    return EventPage(items, encode(following, provider_id), more)


def read(
    session: Session, provider_id: int, known: EventCursor, limit: int, here: History
) -> tuple[Sequence[BookingEvent], EventCursor, bool]:
    """What events() gives, by a cursor that is no text: the events, the cursor behind them, whether there are more."""
    until = known.until or here.snapshot
    rows = _lines(session, provider_id, replace(known, until=until), limit + 1, here.before)
    more = len(rows) > limit
    rows = rows[:limit]
    items = _events(session, sorted(rows, key=lambda line: line.id))
    if more:
        return items, replace(known, until=until, after=(rows[-1].xact, rows[-1].id)), True
    return items, EventCursor(until, history=known.history), False


def read_left(
    session: Session, provider_id: int, seen: str, of_cursor: int, after: int, limit: int, here: History
) -> tuple[Sequence[BookingEvent], int, bool]:
    """The events that were not read when the database came into another cluster, from behind the line `after`: what
    `seen`, a snapshot of the count before, does not show. `of_cursor` is History.before of that count. Returns them,
    the last one's line, and whether there are more."""
    following = session.execute(_NEXT, {"of_cursor": of_cursor}).scalar_one()
    bounds = {"after_id": after, "before": here.before, "of_cursor": of_cursor, "next": following or here.before}
    rows = session.execute(_LEFT, {"provider": provider_id, "seen": seen, "limit": limit + 1, **bounds}).all()
    shown = rows[:limit]
    return _events(session, shown), shown[-1].id if shown else after, len(rows) > limit


def event(session: Session, provider_id: int, event_id: str) -> BookingEvent | None:
    """One event once more; None where the provider has none of this id."""
    booking, _, version = event_id.removeprefix("evt_").rpartition("_")
    values = {"provider": provider_id, "booking": f"bkg_{booking}", "version": int(version)}
    return next(iter(_events(session, session.execute(_ONE, values).all())), None)


def _lines(session: Session, provider_id: int, span: EventCursor, limit: int, before: int) -> Sequence[Row[Any]]:
    until = str(span.until)
    return session.execute(
        _READ,
        {
            "provider": provider_id,
            "low": int(span.seen.split(":")[0]),
            "high": int(until.split(":")[1]),
            "before": before,
            "seen": span.seen,
            "until": until,
            "after_xact": span.after[0],
            "after_id": span.after[1],
            "limit": limit,
        },
    ).all()


def _events(session: Session, lines: Sequence[Row[Any]]) -> list[BookingEvent]:
    ids = {line.booking_id for line in lines}
    found = session.scalars(select(Booking).where(Booking.id.in_(ids))).all()
    now = dict(zip((each.id for each in found), show(session, found), strict=True))
    newest = _newest(session, ids)
    moves = _moves(session, ids)
    slots = _slots(session, ids)

    def event_of(line: Row[Any]) -> BookingEvent:
        booking = now[line.booking_id]
        known = booking if line.version == newest[line.booking_id] else replace(booking, **_NOT_KNOWN_OF_THEN)
        return _event(line, known, moves.get(line.booking_id, ()), slots)

    return [event_of(line) for line in lines]


def _event(
    line: Row[Any], now: ShownBooking, moves: Sequence[Row[Any]], slots: Mapping[tuple[int, At], Slot]
) -> BookingEvent:
    then = _time_at(line.version, now, moves)
    slot = slots.get((line.booking_id, then))
    booking = replace(
        now,
        version=line.version,
        status=status_of(line.to_state),
        cause=line.cause,
        service_date=then.service_date,
        starts_at=then.starts_at,
        ends_at=None if slot is None else slot.ends_at,
        slot=None if slot is None else slot.external_ref,
        updated_at=line.at,
    )
    before = _of(line.facts["before"]) if line.cause in _TIMES else None
    wanted = _of(line.facts["wanted"]) if line.cause == CHANGE_ASKED else None
    return BookingEvent(
        id=f"evt_{now.id.partition('_')[2]}_{line.version}",
        kind=_kind(line),
        at=line.at,
        by=line.actor_kind,
        cause=line.cause,
        booking=booking,
        before=before,
        wanted=wanted,
    )


_NOT_KNOWN_OF_THEN: Mapping[str, Any] = {
    "answer_due_at": None,
    "change": None,
    "cancel_asked": False,
    "proposal": None,
    "differences": (),
}
"""What a booking that has gone on no longer tells of an earlier version."""


def _newest(session: Session, ids: set[int]) -> dict[int, int]:
    """By booking, the version of its newest line. The booking's own may be higher: what is noted without a move
    (a time of answer, a difference) raises it and writes no line."""
    rows = session.execute(
        select(BookingHistory.booking_id, func.max(BookingHistory.version))
        .where(BookingHistory.booking_id.in_(ids))
        .group_by(BookingHistory.booking_id)
    )
    return {row[0]: row[1] for row in rows}


def _kind(line: Row[Any]) -> str:
    stayed = line.from_state == line.to_state
    return _KINDS.get(line.cause, _OTHER) if stayed else f"booking.{status_of(line.to_state)}"


def _moves(session: Session, ids: set[int]) -> dict[int, list[Row[Any]]]:
    """By booking, the lines that moved it to another time, the oldest first."""
    rows = session.execute(
        select(BookingHistory.booking_id, BookingHistory.version, BookingHistory.facts)
        .where(BookingHistory.booking_id.in_(ids), BookingHistory.cause.in_(_TIMES))
        .order_by(BookingHistory.booking_id, BookingHistory.version)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.booking_id, []).append(row)
    return found


def _time_at(version: int, now: ShownBooking, moves: Sequence[Row[Any]]) -> At:
    """The time that the booking had in a version: what the first later move took it from."""
    later = next((move for move in moves if move.version > version), None)
    return At(now.service_date, now.starts_at) if later is None else _of(later.facts["before"])


def _of(told: Mapping[str, str | None]) -> At:
    starts_at = told["starts_at"]
    return At(date.fromisoformat(told["service_date"] or ""), datetime.fromisoformat(starts_at) if starts_at else None)


def _slots(session: Session, ids: set[int]) -> dict[tuple[int, At], Slot]:
    """The slots that bookings have or had, by their time."""
    rows = session.execute(
        select(SlotClaim.booking_id, Slot)
        .join(Slot, Slot.id == SlotClaim.slot_id)
        .where(SlotClaim.booking_id.in_(ids))
        .order_by(SlotClaim.id)
    )
    return {(row.booking_id, At(row.Slot.service_date, row.Slot.starts_at)): row.Slot for row in rows}
