"""The events of a provider's bookings, as webhooks need them: the feed's own (booking.answering.events), read on from a
cursor, and one read again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from booking.answering import events, feed_history
from booking.answering.event_cursor import EventCursor
from booking.answering.events import BookingEvent
from booking.answering.feed_history import History
from booking.webhooks.models import WebhookDelivery

TYPES = events.KINDS
"""What an event may be of."""

TEST = "webhook.test"
"""What a provider asks for to try its receiver; nobody subscribes to it."""

NOTHING_HERE = "3:3:"
"""The snapshot that shows no transaction of this cluster: the first that any has is 3."""


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


@dataclass(frozen=True)
class Cursor:
    """How far the events were made into deliveries. `numbering` and `before` say by what its numbers were counted
    (booking.answering.feed_history); both are blank or 0 in one from before they were stored. `left`: the last line of
    those that another count left, while they are read. `history`: of which it is, None in one from before that was
    stored."""

    position: EventCursor
    numbering: str = ""
    before: int = 0
    left: int | None = None
    history: str | None = None

    @staticmethod
    def of(stored: str) -> Cursor:
        """The cursor in a text that we stored ourselves."""
        seen, until, xact, line, *counted = json.loads(stored)
        numbering, before, left, history = [*counted, None][:4] if counted else ("", 0, None, None)
        return Cursor(EventCursor(seen, until, (xact, line)), numbering, before, left, history)

    def text(self) -> str:
        """As it is stored. It is shown to nobody, so that it has no mark of a key which may go."""
        at = self.position
        return json.dumps([at.seen, at.until, *at.after, self.numbering, self.before, self.left, self.history])


@dataclass(frozen=True)
class Part:
    """Some events, the cursor after them, and whether there are more of what it has begun. `recovered`: with it the
    cursor of another history was left behind: its provider may have been told of what is not so any more."""

    events: Sequence[Event]
    cursor: str
    more: bool
    recovered: bool = False


def events_since(session: Session, provider_id: int, cursor: str, limit: int) -> Part:
    """The next events of a provider, at most so many; the same cursor where there are none.

    A cursor whose numbers were counted in another cluster, before a dump was restored in this one, would skip what
    comes now. So what it had not seen of the lines that were restored is read first, then all that was written here.
    Raises HeldBack.
    """
    known, here = Cursor.of(cursor), feed_history.current(session)
    if known.numbering != here.numbering:
        return _recover(session, provider_id, known, here, limit)
    items, following, more = events.read(session, provider_id, known.position, limit, here)
    same = known.history == here.id
    moved = cursor if same and not items and not known.position.until else _at(following, here)
    return Part([_event(item) for item in items], moved, more, recovered=not same and known.history is not None)


def _recover(session: Session, provider_id: int, known: Cursor, here: History, limit: int) -> Part:
    after = known.left or 0
    items, last, more = events.read_left(session, provider_id, known.position.seen, known.before, after, limit, here)
    found = [_event(item) for item in items]
    if more:
        return Part(found, replace(known, left=last).text(), more=True)
    return Part(found, _at(EventCursor(NOTHING_HERE), here), more=True, recovered=True)


def _at(position: EventCursor, here: History) -> str:
    return Cursor(position, here.numbering, here.before, None, here.id).text()


def newest(session: Session, provider_id: int) -> str:
    """The cursor after all events that there are. Raises HeldBack."""
    here = feed_history.current(session)
    return _at(EventCursor(here.snapshot), here)


def event(session: Session, provider_id: int, event_id: str) -> Event | None:
    """One event once more; None if it is not there any more."""
    item = events.event(session, provider_id, event_id)
    return None if item is None else _event(item)


def is_test(delivery: WebhookDelivery) -> bool:
    """Whether the delivery is a test, which is about no booking."""
    return delivery.event_type == TEST


def test(delivery: WebhookDelivery) -> Event:
    """What a test says: that it is one."""
    payload = {"id": delivery.event_id, "kind": TEST}
    return Event(delivery.event_id, TEST, delivery.occurred_at, "", 0, payload)


def _event(item: BookingEvent) -> Event:
    payload = orjson.loads(orjson.dumps(item))
    return Event(item.id, item.kind, item.at, item.booking.id, item.booking.version, payload)
