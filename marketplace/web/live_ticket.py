"""What a page's script is given to open a stream: an address with a ticket that is good once."""

from __future__ import annotations

from flask import Response, jsonify

from booking.live.tickets import issue
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.web.answers import Views
from marketplace.web.session import principal
from vip.principal import Member, Principal

PATH = "/live/stream"


def live_ticket() -> Response:
    """A ticket for the customer's own stream."""
    return ticket_for(principal())


def ticket_for(who: Principal | Member) -> Response:
    """A ticket, and where it is used."""
    return jsonify(ticket=issue(who, now=clock.now()), url=f"{settings().stream_url}{PATH}")


VIEWS: Views = {"live_ticket": live_ticket}
