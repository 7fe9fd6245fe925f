"""The blueprints `web`, `console` and `desk`: bind the map of urls.py to views, and admit only who may see a page.

Each module of views has a `VIEWS` table, endpoint to function; they are put together here, those of the console and the
desk in views.py of their rooms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import Forbidden, NotFound

from marketplace.core.errors import Unauthenticated
from marketplace.web import development, live_ticket, offline, session
from marketplace.web.account import (
    arriving,
    consent,
    data,
    erasing,
    me,
    message_settings,
    notices,
    phone,
    policies,
    sign_in,
)
from marketplace.web.answers import Views, see_other
from marketplace.web.assets import init_look
from marketplace.web.benefits import usage
from marketplace.web.booking import bookings, calendars, changing, path, waiting
from marketplace.web.booking.finding import cities, favourites, levels, places, venues
from marketplace.web.booking.venues import services
from marketplace.web.console.session import admit_operator
from marketplace.web.console.views import CONSOLE_VIEWS
from marketplace.web.consultation import agreed, conversation, saying, start
from marketplace.web.desk.session import admit_member, drawn_for
from marketplace.web.desk.views import DESK_VIEWS
from marketplace.web.doors.door import private
from marketplace.web.escort import escort, followed, links
from marketplace.web.home import home
from marketplace.web.reports import files, reports, shared, trends
from marketplace.web.urls import DESK_PAGES, OPERATOR_PAGES, PAGES, DeskPage, OperatorPage

VIEWS: Views = {
    **sign_in.VIEWS,
    **arriving.VIEWS,
    **home.VIEWS,
    **places.VIEWS,
    **venues.VIEWS,
    **cities.VIEWS,
    **levels.VIEWS,
    **favourites.VIEWS,
    **path.VIEWS,
    **services.VIEWS,
    **bookings.VIEWS,
    **changing.VIEWS,
    **escort.VIEWS,
    **links.VIEWS,
    **followed.VIEWS,
    **reports.VIEWS,
    **files.VIEWS,
    **shared.VIEWS,
    **consent.VIEWS,
    **trends.VIEWS,
    **me.VIEWS,
    **policies.VIEWS,
    **data.VIEWS,
    **erasing.VIEWS,
    **phone.VIEWS,
    **notices.VIEWS,
    **message_settings.VIEWS,
    **calendars.VIEWS,
    **development.VIEWS,
    **offline.VIEWS,
    **live_ticket.VIEWS,
    **usage.VIEWS,
    **waiting.VIEWS,
    **start.VIEWS,
    **conversation.VIEWS,
    **saying.VIEWS,
    **agreed.VIEWS,
}

_OPEN = frozenset(f"web.{page.endpoint}" for page in PAGES if page.open)
_PUBLIC_ID = re.compile("[0-9A-Za-z_-]{1,64}")

csrf = CSRFProtect()


def install(app: Flask) -> None:
    """Add the pages to `app`. Forms are guarded here alone: programs prove themselves by token or signature."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    csrf.init_app(app)
    init_look(app)
    app.jinja_env.globals.update(unread_notices=notices.unread, drawn_for=drawn_for, account=session.account)
    app.register_blueprint(_blueprint(VIEWS))
    app.register_blueprint(_behind("console", OPERATOR_PAGES, CONSOLE_VIEWS, admit_operator))
    app.register_blueprint(_behind("desk", DESK_PAGES, DESK_VIEWS, admit_member))


def _blueprint(views: Views) -> Blueprint:
    web = Blueprint("web", __name__)
    for page in PAGES:
        web.add_url_rule(page.rule, page.endpoint, views[page.endpoint], methods=page.methods)
    web.before_request(_admit)
    web.after_request(_private)
    return web


def _behind(
    door: str, map_of: Sequence[OperatorPage | DeskPage], views: Views, admit: Callable[[], Response | None]
) -> Blueprint:
    """The pages behind a door, which admits its people alone."""
    pages = Blueprint(door, __name__)
    for page in map_of:
        pages.add_url_rule(page.rule, page.endpoint, views[page.endpoint], methods=page.methods)
    pages.before_request(admit)
    pages.before_request(_guard)
    pages.after_request(private)
    return pages


def _guard() -> None:
    _check_ids()
    if request.method == "POST":
        guard_form()


def _admit() -> Response | None:
    """None lets the request through; a visitor who is not signed in is asked to, and comes back afterwards."""
    _check_ids()
    if request.endpoint not in _OPEN and session.visitor() is None:
        if request.headers.get("HX-Request"):
            raise Unauthenticated()
        return see_other(url_for("web.sign_in", next=session.here() or None))
    if request.method == "POST":
        guard_form()
    return None


def _check_ids() -> None:
    """Raises NotFound for an address that names what can't be an id."""
    if not all(_PUBLIC_ID.fullmatch(part) for part in (request.view_args or {}).values()):
        raise NotFound()


def guard_form() -> None:
    """Refuse a form that was not sent from a page of ours in this browser. A browser that says where it comes from must
    come from here, whatever token it brings; one that keeps it to itself is believed for the form's token. Raises
    Forbidden."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":  # told even where Origin is null
        raise Forbidden()
    came_from = request.headers.get("Origin") or request.referrer
    if came_from and came_from != "null" and urlsplit(came_from).netloc != request.host:
        raise Forbidden()
    try:
        csrf.protect()
    except CSRFError as wrong:
        raise Forbidden() from wrong


def _private(response: Response) -> Response:
    """Pages are one person's: no cache keeps them, and going back shows them as they are now."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response
