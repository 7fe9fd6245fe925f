"""What opens without a sign-in, ended together where a customer ends her sessions: shared reports and the calendar."""

from __future__ import annotations

from booking.messages.calendar import end_feed
from booking.reports.share import end_all_shares
from marketplace.core import clock
from marketplace.web import session
from marketplace.web.answers import field


def end_links_if_asked() -> None:
    """End her shared links and her calendar address if the form says so (`links`)."""
    if field("links", 1):
        me, now = session.principal(), clock.now()
        end_all_shares(me, now=now)
        end_feed(me, now=now)
