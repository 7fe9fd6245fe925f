"""The inbox: the customer's notices."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, flash, url_for
from flask_babel import gettext as _

from booking.messages import inbox
from booking.messages.inbox import Notice
from marketplace.core import clock
from marketplace.web import session
from marketplace.web.account.notices_page import Inbox, row
from marketplace.web.answers import Views, asked, render, see_other
from marketplace.web.prefetch import not_yet, only_prefetched

SHOWN = 20


def notices() -> Response:
    """The list, newest first."""
    me = session.principal()
    found = inbox.notices(me, cursor=asked("cursor", 500) or None, limit=SHOWN)
    more = f"{url_for('web.notices')}?{urlencode({'cursor': found.next})}" if found.next else ""
    return render("notices.html", page=Inbox(tuple(row(notice) for notice in found.items), unread(), more))


def notice(notice: str) -> Response:
    """Open one: it counts as read, and leads to what it is about."""
    if only_prefetched():
        return not_yet()
    return see_other(_about(inbox.mark_read(session.principal(), notice, now=clock.now())))


def notices_read() -> Response:
    """Everything counts as read."""
    inbox.mark_all_read(session.principal(), now=clock.now())
    flash(_("All messages are marked as read."), "ok")
    return see_other(url_for("web.notices"))


def unread() -> int:
    """How many notices the reader has not read; 0 for a visitor who is not signed in. For the bell."""
    found = session.visitor()
    return inbox.unread(found) if found is not None else 0


def _about(notice: Notice) -> str:
    if notice.report_id:
        return url_for("web.report", report=notice.report_id)
    if conversation := notice.facts.get("conversation"):
        return url_for("web.consultation", conversation=conversation)
    if (place := notice.facts.get("place")) and notice.kind == "place_covered":
        return url_for("web.venue_coverage", site=place, benefit=notice.facts.get("benefit"))
    if notice.booking_id and notice.kind == "escort_over":
        return url_for("web.escort", booking=notice.booking_id)
    if notice.booking_id:
        return url_for("web.booking", booking=notice.booking_id)
    if notice.entitlement_id:
        return url_for("web.benefit", entitlement=notice.entitlement_id)
    return url_for("web.bookings" if notice.kind == "waitlist_ended" else "web.notices")


VIEWS: Views = {"notices": notices, "notice": notice, "notices_read": notices_read}
