"""The demonstration's clock: a page of development that moves time on, for web, worker and providers together.

Outside of the demonstration none of this is registered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, flash, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from booking.views.lists import bookings
from marketplace.core import clock
from marketplace.core.clock import HOME_ZONE, start_of
from marketplace.core.errors import Busy, Invalid
from marketplace.web import session
from marketplace.web.answers import field, see_other
from marketplace.web.pages import guard_form
from marketplace.web.session import safe_path
from vip.signin import signin

STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
VISIT = "visit"


def install(app: Flask, *, development: bool) -> None:
    """Add the control to `app`, in a process of the demonstration only."""
    clock.follow_demonstration(development=development)
    if not clock.can_move_on():
        return
    pages = Blueprint("demonstration", __name__)
    pages.add_url_rule("/development/clock", "move_on", move_on, methods=["POST"])
    pages.before_request(guard_form)
    app.register_blueprint(pages)
    app.context_processor(lambda: {"demonstration": _strip})


def move_on() -> Response:
    """Move time on by an hour or a day, or to the beginning of the customer's next visit; back to the page it was.
    Whoever is signed in stays so: nobody was away for that long."""
    by = _by(field("by", 20))
    signin.keep_open(by, clock.now())
    clock.move_on(by)
    flash(_("Time has moved on. Give the providers and the worker a few seconds."), "ok")
    came_from = urlsplit(request.referrer or "")
    return see_other(safe_path(came_from.path) or url_for("web.home"))


def _by(step: str) -> timedelta:
    """How far a step leads; nowhere for a visit that is not there. Raises Invalid(field="by")."""
    if step in STEPS:
        return STEPS[step]
    if step != VISIT:
        raise Invalid(field="by", reason="unknown_value")
    return _until_the_next_visit() or timedelta()


def _until_the_next_visit() -> timedelta | None:
    """The time until the next visit of whoever is signed in; None without one."""
    who, now = session.visitor(), clock.now()
    if who is None:
        return None
    coming = bookings(who, now=now, when="upcoming", cursor=None, limit=20).items
    starts = [
        start_of(each.service_date, each.starts_at, each.time_zone) for each in coming if each.state == "confirmed"
    ]
    return min((at - now for at in starts if at > now), default=None)


def _strip() -> dict[str, Any] | None:
    """The strip at the foot of each page but those of errors: the demonstration's time, and whether there is a visit to
    go to. None when the database is in trouble: no page fails because of it."""
    try:
        visit = _until_the_next_visit() is not None
    except (SQLAlchemyError, Busy):
        return None
    return {"at": clock.now(), "zone": HOME_ZONE, "visit": visit}
