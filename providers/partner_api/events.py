"""What happened to the provider's bookings: `/events`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking.answering import events
from booking.answering.event_cursor import LONGEST
from booking.answering.feed_history import CursorOutlived
from marketplace.rest.fields import Answer, Request, Text, Whole
from marketplace.rest.views import refuses
from providers.partner_api.bookings import PartnerBooking
from providers.partner_api.door import Resource, caller, needs

blueprint = Resource("events", __name__, description="What happened to bookings, to be read again from any place.")


class Time(Answer):
    """A time; `starts_at` is null for a whole day."""

    service_date = out.Date(required=True)
    starts_at = out.DateTime(required=True, allow_none=True)


class PartnerEvent(Answer):
    """One thing that happened. `booking` is as it was then; what is open (`change`, `cancel_asked`, `proposal`,
    `differences`, `answer_due_at`) is with its newest event only, as it is at the moment of reading. `before`: the
    time before, where a booking was moved; `wanted`: the time that the customer asks for.

    `kind`: booking.requested, .confirmed, .rejected, .cancelled, .checked_in, .in_service, .fulfilled, .no_show,
    .moved, .change_asked, .change_ended (refused, taken back or overtaken), .cancel_asked, .time_proposed,
    .proposal_ended, or .updated for anything else. There may be more one day.
    """

    id = out.String(required=True, metadata={"description": "The same each time: know by it what you had before."})
    kind = out.String(required=True)
    at = out.DateTime(required=True)
    by = out.String(required=True, metadata={"description": "customer, provider, operator, agent, clock or system."})
    cause = out.String(required=True)
    booking = out.Nested(PartnerBooking, required=True)
    before = out.Nested(Time, required=True, allow_none=True)
    wanted = out.Nested(Time, required=True, allow_none=True)


class PartnerEventPage(Answer):
    """Some events. `next` goes on behind them, and is never null: keep it and ask again. `more`: some are there now."""

    items = out.List(out.Nested(PartnerEvent), required=True)
    next = out.String(required=True)
    more = out.Boolean(required=True)


class PartnerEventListing(Request):
    """From where, and how many."""

    limit = Whole(least=1, most=100, load_default=50, metadata={"description": "How many events at most."})
    cursor = Text(
        longest=LONGEST, load_default=None, metadata={"description": "`next` of the page before; none for the start."}
    )


@blueprint.route("/events", endpoint="events")
@needs("bookings")
@refuses(CursorOutlived)
@blueprint.arguments(PartnerEventListing(), location="query")
@blueprint.response(200, PartnerEventPage)
def list_events(query: dict[str, Any]) -> Any:
    """What happened to your bookings

    The same cursor gives the same events again, and those that have come since. Going on with `next`, each event comes
    once. The order is nearly that of time: a booking whose version is lower than the one you have is old news.

    410 `cursor_outlived`: our database was restored since. Take `facts.next` as your cursor, forget ids and versions
    that you have, read all of `/bookings` once, and go on with that cursor.
    """
    return events.events(caller().provider_id, **query)
