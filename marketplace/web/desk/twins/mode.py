"""Test mode: what it is, and switching this session into it and out of it."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.actors import Actor
from booking.twins.customers import customers
from booking.twins.open import open_test_mode, twin_of
from marketplace.core import clock
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from providers.staff import duties
from vip.principal import Member
from vip.signin.mode import set_test_mode


def test_mode() -> Response:
    """Explain it; the form switches it on, which every member may once a manager has opened it."""
    who = session.member()
    match field("do", 10):
        case "on" if not who.test:
            return _on(who)
        case "on":  # somebody else's tab switched it on already
            return see_other(_work(who))
        case _ if request.method == "POST":
            return see_other(url_for("desk.test_mode"))
    return desk_page(
        "twins/mode",
        "test_mode",
        people=tuple(each.name for each in customers(who.provider_id)) if who.test else (),
        opened=who.test or twin_of(who.provider_id) is not None,
        opens=duties.may(who, "setup"),
        books=duties.may(who, "bookings"),
    )


def test_mode_leave() -> Response:
    """Back to the real desk: for every role, since who is in test mode may have another one by now."""
    set_test_mode(session.member(), on=False)
    flash(_("You are out of test mode: this is your real desk."), "ok")
    return see_other(url_for("desk.home"))


def _on(who: Member) -> Response:
    if duties.may(who, "setup"):
        open_test_mode(who.provider_id, Actor(who.acts_as, who.public_id), clock.now())
    elif twin_of(who.provider_id) is None:
        flash(_("A manager opens test mode the first time. Ask yours."), "bad")
        return see_other(url_for("desk.test_mode"))
    set_test_mode(who, on=True)
    return see_other(_work(who))


def _work(who: Member) -> str:
    """Where her work in test mode begins."""
    return url_for("desk.test_bookings" if duties.may(who, "bookings") else "desk.home")


VIEWS: Views = {"test_mode": test_mode, "test_mode_leave": test_mode_leave}
