"""Sites that close: the list, closing one, how far it is."""

from __future__ import annotations

from datetime import date

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.closures import close, view
from booking.closures.closed_by_others import closed_by_others
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.console import closures_page, session
from marketplace.web.console.answers import console_page
from marketplace.web.language import by_language
from marketplace.web.parts import Form


def closures() -> Response:
    """Sites that others closed where own bookings stand; the own closures, newest first."""
    who = session.operator()
    return console_page(
        "closures",
        "closures",
        others=tuple(map(closures_page.stands_there, closed_by_others(who, now=clock.now()))),
        rows=tuple(map(closures_page.closure, view.closures(who))),
    )


def closure_new() -> Response:
    """Find the site, say when, see what it means, close it."""
    who, now = session.operator(), clock.now()
    take = field if request.method == "POST" else asked
    values = {name: take(name, 80) for name in ("wanted", "site", "from_day", "to_day", "mode")}
    form, status, affected = Form(values), 200, None
    try:
        if values["site"] and values["from_day"]:
            first, last = _day(values, "from_day"), _day(values, "to_day") if values["to_day"] else None
            if request.method == "POST":
                closing = close.close_site(who, values["site"], first, last, values["mode"], now=now)
                return see_other(url_for("console.closure", closure=closing))
            affected = view.preview(who, values["site"], first, last, now=now)
        elif values["site"] and request.method == "POST":
            raise Invalid(field="from_day", reason="required")
    except NotFound:
        raise
    except Invalid as refusal:
        form, status = Form(values, {refusal.at or "from_day": wording.sentence(refusal)}), refusal.status
    except Refusal as refusal:
        form, status = Form(values, problem=wording.sentence(refusal)), refusal.status
    sites = view.find_sites(who, values["wanted"]) if values["wanted"] else None
    return console_page(
        "closure_new",
        "closures",
        status,
        form=form,
        sites=sites,
        affected=affected,
        offers=[(by_language(name), number) for name, number in affected.offers] if affected else [],
        modes=closures_page.modes(),
    )


def closure(closure: str) -> Response:
    """How far a closure is; the form takes it back."""
    who = session.operator()
    if request.method == "POST":
        close.reopen_site(who, closure, now=clock.now())
        flash(_("Taken back. The times come back with the provider's next full list."), "ok")
        return see_other(url_for("console.closure", closure=closure))
    return console_page("closure", "closures", page=closures_page.closure(view.closure(who, closure)))


def _day(values: dict[str, str], name: str) -> date:
    try:
        return date.fromisoformat(values[name])
    except ValueError as wrong:
        raise Invalid(field=name, reason="date") from wrong


VIEWS: Views = {"closures": closures, "closure_new": closure_new, "closure": closure}
