"""How one's own registration stands: what is missing to be on sale, and sending it in again."""

from __future__ import annotations

from dataclasses import asdict, fields

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, Refusal
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.applying import words
from marketplace.web.parts import Form
from providers.applying import own
from providers.applying.facts import LONGEST_NOTE, LONGEST_NUMBER
from providers.applying.own import Again, ApplicationClosed

_FIELDS = tuple(each.name for each in fields(Again))


def application() -> Response:
    """Show it; the form changes what is said, and sends in what was declined or asked about."""
    who = session.member()
    if request.method != "POST":
        return _page(own.own_application(who))
    given = Again(**{name: request.form.get(name, "") if name == "reply" else field(name) for name in _FIELDS})
    try:
        own.send_again(who, given, now=clock.now())
    except (Invalid, ApplicationClosed) as refusal:
        return _page(own.own_application(who), given, refusal)
    flash(_("Sent in. We write to you once we have looked at it."), "ok")
    return see_other(url_for("desk.application"))


def _page(it: own.OwnApplication, typed: Again | None = None, refusal: Refusal | None = None) -> Response:
    values = asdict(typed) if typed else {name: getattr(it, name) for name in _FIELDS}
    said = "" if refusal is None else wording.sentence(refusal)
    at = refusal.at if refusal is not None and refusal.at in _FIELDS else None
    return desk_page(
        "applying/application",
        "application",
        200 if refusal is None else refusal.status,
        it=it,
        turn_now=words.turn(it),
        steps=[words.step(each, it) for each in it.steps],
        form=Form(values, {at: said} if at else {}, "" if at else said),
        answers=words.answers(),
        countries=words.countries(),
        longest={"number": LONGEST_NUMBER, "note": LONGEST_NOTE},
    )


VIEWS: Views = {"application": application}
