"""A ticket for a stream of events: `/live/tickets`."""

from __future__ import annotations

from typing import Any

from marshmallow import fields as out

from booking.live import tickets
from marketplace.api.blueprint import Resource, principal
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import TooMany
from marketplace.rest.fields import Answer
from marketplace.rest.views import refuses

blueprint = Resource("live", __name__, description="Learning of changes as they happen, by server-sent events.")


class Ticket(Answer):
    """Good for one stream, within `expires_in_seconds`. Ask for `url` with it: `GET {url}?ticket={ticket}`."""

    ticket = out.String(required=True)
    url = out.String(required=True, metadata={"examples": ["https://benefits.example.com/live/stream"]})
    expires_in_seconds = out.Integer(required=True)


@blueprint.route("/live/tickets", methods=["POST"])
@refuses(TooMany)
@blueprint.response(201, Ticket)
def make_ticket() -> Any:
    """Get a ticket for a stream

    The stream (`text/event-stream`) tells what changed, by ids and versions, and never what it says: ask for the thing
    itself with its ETag. A message without a name is a list of events, such as
    `[{"kind": "booking", "booking": "bkg_…", "version": 4}]`; kinds that you don't know are to be ignored. `on` or
    `anew` comes first: after `anew` ask for everything again. `beat` is a sign of life each 15 seconds. Every stream
    needs a new ticket; give the last id as `Last-Event-ID` or `after`, and what you missed in up to ten minutes
    follows, each event once. The stream ends with the session. Where no stream can be had, ask for the thing every few
    seconds with `If-None-Match`: that is always right.
    """
    config = settings()
    return {
        "ticket": tickets.issue(principal(), now=clock.now()),
        "url": f"{config.stream_url or config.public_url}/live/stream",
        "expires_in_seconds": int(tickets.LASTS.total_seconds()),
    }
