"""Rows that cannot be read, and the cases about them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from booking.discrepancies import Discrepancy
from booking.feeds.cursors import cursor_of
from booking.feeds.models import DeliveredRow
from booking.sync.bookings import poll_bookings
from marketplace.core.database.db import reading
from providers.port import LookUp, NotFound, Unknown
from providers.reported import BookingPage, RemoteBooking, SlotPage, UnreadableRow
from tests.people import NOON
from tests.world import World, connection_to

MINUTE = timedelta(minutes=1)


def bad(reference: str | None, ours: str | None = None, text: str = "{}") -> UnreadableRow:
    digest = hashlib.sha256(f"{reference}{text}".encode()).hexdigest()
    return UnreadableRow("status.unknown", text.encode(), digest, reference, ours)


class Provider:
    """A provider whose feeds say what the test puts into them, and which knows the bookings in `there`."""

    def __init__(self, *parts: BookingPage | SlotPage) -> None:
        self.parts = list(parts)
        self.asked: list[str | None] = []
        self.looked_up: list[LookUp] = []
        self.there: dict[str, RemoteBooking] = {}

    def bookings_since(self, cursor: str | None, _page: str | None) -> Any:
        """The next page."""
        self.asked.append(cursor)
        return self.parts.pop(0)

    def slots(self, _start: Any, _end: Any, cursor: str | None, _page: str | None) -> Any:
        """The next page."""
        self.asked.append(cursor)
        return self.parts.pop(0)

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown:
        """What is `there` under our reference."""
        self.looked_up.append(question)
        return self.there.get(question.our_reference, Unknown("broken"))


def poll(world: World, *parts: BookingPage, now: datetime = NOON) -> dict[str, int]:
    return poll_bookings(connection_to(world.provider), Provider(*parts), now=now)  # type: ignore[arg-type]


def page(*there: RemoteBooking, unreadable: Sequence[UnreadableRow] = (), cursor: str = "c1") -> BookingPage:
    return BookingPage(there, None, cursor, unreadable)


def cases(*, closed: bool = False) -> list[Discrepancy]:
    with reading() as session:
        query = select(Discrepancy).where(Discrepancy.kind == "unreadable_row").order_by(Discrepancy.id)
        found = session.scalars(query).all()
    return [case for case in found if (case.closed_at is not None) == closed]


def stored() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(DeliveredRow)) or 0


def cursor(world: World, feed: str = "bookings") -> str | None:
    with reading() as session:
        return cursor_of(session, world.provider.id, feed)
