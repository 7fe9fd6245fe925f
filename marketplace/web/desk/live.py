"""A member's ticket for a stream."""

from __future__ import annotations

from flask import Response

from marketplace.web.answers import Views
from marketplace.web.desk.session import member
from marketplace.web.live_ticket import ticket_for


def live_ticket() -> Response:
    """What the member herself and her provider are told."""
    return ticket_for(member())


VIEWS: Views = {"live_ticket": live_ticket}
