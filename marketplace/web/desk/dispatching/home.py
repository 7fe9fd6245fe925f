"""The page on which a manager says where a worker sets out from: near a place of the list, or by coordinates."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.escort.workers import home, read
from booking.escort.workers.coordinates import LONGEST
from marketplace import wording
from marketplace.catalog.search import MAX_QUERY
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.dispatching import workers_page
from marketplace.web.desk.dispatching.places import places
from marketplace.web.parts import Form
from providers.staff import duties

_LONGEST_ID = 64
_TYPED = "coordinates"


def dispatch_home(worker: str) -> Response:
    """Where she sets out from."""
    who, now = session.member(), clock.now()
    duties.require(who, "team")
    it = read.worker_of(who, worker, now=now)
    query, status, problem = asked("q", MAX_QUERY), 200, ""
    errors: dict[str, str] = {}
    typed = ""
    if request.method == "POST":
        query = field("q", MAX_QUERY)
        typed = field(_TYPED, LONGEST)
        try:
            flash(_act(worker, typed), "ok")
            return see_other(url_for("desk.dispatch_worker", worker=worker))
        except NotFound:
            raise
        except Refusal as refusal:
            status = refusal.status
            if refusal.at == _TYPED:
                errors = {_TYPED: wording.sentence(refusal)}
            else:
                problem = wording.sentence(refusal)
    found, wrong = places(it, query, located=True)
    if wrong:
        errors["q"] = wrong
    return desk_page(
        "dispatching/home",
        "dispatch_workers",
        status,
        page=workers_page.page(it, now),
        home=workers_page.home_words(home.home(who, worker)),
        form=Form({"q": query, _TYPED: typed}, errors),
        found=found,
        searched=bool(query) and not wrong,
        problem=problem,
    )


def _act(worker: str, typed: str) -> str:
    """Do it; returns the message about it, with what was understood."""
    who, what, now = session.member(), field("do", 10), clock.now()
    if what == "near":
        home.set_near(who, worker, field("site", _LONGEST_ID), now=now)
    elif what == "typed":
        home.set_typed(who, worker, typed, now=now)
    elif what == "forget":
        home.forget(who, worker, now=now)
        return _("Forgotten. The way is reckoned by the size of the city again.")
    else:
        raise Invalid(field="do", reason="unknown_value")
    understood = workers_page.home_words(home.home(who, worker))
    return _("Saved: %(place)s. The way to her first escort of a day is reckoned from there.", place=understood)


VIEWS: Views = {"dispatch_home": dispatch_home}
