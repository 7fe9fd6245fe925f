"""The events of a provider's bookings, as webhooks need them: the feed's own (booking.answering.events), read on from a
cursor, and one read again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from booking.answering import events
from booking.answering.event_cursor import EventCursor
from booking.answering.events import BookingEvent

TYPES = events.KINDS
"""What an event may be of."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a booking. `id` is the event's own for good; `booking` the booking's public id,
    `version` the booking's after it; `payload` what the feed says of it."""

    id: str
    type: str
    occurred_at: datetime
    booking: str
    version: int
    payload: Mapping[str, Any]


def events_since(session: Session, provider_id: int, cursor: str, limit: int) -> tuple[Sequence[Event], str, bool]:
    """The next events of a provider, at most so many, the cursor after them (the same where there are none), and
    whether there are more of the span that the cursor has begun.

    The cursor is stored by us and shown to nobody, so that it has no mark of a key which may go.
    """
    seen, until, *after = json.loads(cursor)
    items, following, more = events.read(session, provider_id, EventCursor(seen, until, (after[0], after[1])), limit)
    return [_event(item) for item in items], _text(following) if items or until else cursor, more


def newest(session: Session, provider_id: int) -> str:
    """The cursor after all events that there are."""
    return _text(EventCursor(events.snapshot(session)))


def event(session: Session, provider_id: int, event_id: str) -> Event | None:
    """One event once more; None if it is not there any more."""
    item = events.event(session, provider_id, event_id)
    return None if item is None else _event(item)


def _event(item: BookingEvent) -> Event:
    payload = orjson.loads(orjson.dumps(item))
    return Event(item.id, item.kind, item.at, item.booking.id, item.booking.version, payload)


def _text(cursor: EventCursor) -> str:
    return json.dumps([cursor.seen, cursor.until, *cursor.after])
