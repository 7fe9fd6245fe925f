"""Calendars: one booking as a file, and the feed under a secret address."""

from __future__ import annotations

from flask import Response, make_response

from booking.messages import calendar
from booking.messages.calendar import Event
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.text import Language, language_of
from marketplace.messages.calendar import CONTENT_TYPE, document
from marketplace.web import session
from marketplace.web.answers import Views, unchanged
from marketplace.wording import reader_language

_FORMAT = "1"
"""Part of every ETag: another one once the document is written in another way."""


def booking_calendar(booking: str) -> Response:
    """One booking as a file, in the reader's language."""
    event = calendar.event(session.principal(), booking)
    answer = make_response(_document([event], reader_language()))
    answer.content_type = CONTENT_TYPE
    answer.headers["Content-Disposition"] = f'attachment; filename="{event.reference}.ics"'
    return answer


def calendar_feed(token: str) -> Response:
    """The feed: programs ask again and again, so what has not changed is not read."""
    now = clock.now()
    feed = calendar.open_feed(token, now=now)
    etag = f'"{_FORMAT}-{feed.mark}"'
    if unchanged(etag):
        answer = make_response("", 304)
    else:
        answer = make_response(_document(calendar.events(feed, now=now), language_of(feed.language)))
        answer.content_type = CONTENT_TYPE
    answer.headers["ETag"] = etag
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _document(events: list[Event], language: Language) -> bytes:
    return document(events, language, public_url=settings().public_url)


VIEWS: Views = {"booking_calendar": booking_calendar, "calendar": calendar_feed}
