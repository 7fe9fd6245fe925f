"""A worker's escorts on her phone: the list, yes or no to one that she is asked for, and each in full."""

from __future__ import annotations

from flask import Response, flash, jsonify, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from booking.consultation.intake.bounds import LARGEST
from booking.escort.evidence.position import NEAR_METRES, POOREST_METRES
from booking.escort.evidence.told import LARGEST_SUM, MOST_CHARACTERS, MOST_CHARACTERS_FOR
from booking.escorting import mine
from marketplace import wording
from marketplace.core import clock
from marketplace.core.database.moment import by_database
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import well_formed
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.escorting import page
from marketplace.web.desk.escorting.worker import ACCOUNT
from marketplace.web.desk.session import member
from marketplace.web.language import current


def escorts() -> Response:
    """Her escorts: asked, today's, later, lately. Whom her provider has not made a worker yet is told so."""
    who = member()
    try:
        shown = page.lists(mine.my_escorts(who, now=clock.now()))
    except NotFound:
        shown = page.Lists("", unset=True)
    return _kept(desk_page("escorting/list", "escorts", page=shown, language_code=current().code))


def escort(assignment: str) -> Response:
    """One that she has accepted; each look is recorded."""
    shown = page.one(mine.my_escort(member(), assignment, now=clock.now()))
    limits = {
        "words": MOST_CHARACTERS,
        "what": MOST_CHARACTERS_FOR,
        "sum": LARGEST_SUM,
        "near": NEAR_METRES,
        "poorest": POOREST_METRES,
        "sides": page.SIDES,
        "picture": LARGEST,
    }
    answer = desk_page("escorting/one", "escorts", page=shown, limits=limits, language_code=current().code)
    answer.headers["Permissions-Policy"] = POSITION_HERE
    return _kept(answer)


def escort_answer(assignment: str) -> Response:
    """Yes or no to what she is asked for."""
    said = field("answer", 10)
    if said not in ("yes", "no"):
        raise NotFound()
    try:
        mine.answer(member(), assignment, yes=said == "yes", now=by_database)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(wording.sentence(refusal), "bad")
        return see_other(url_for("desk.escorts"))
    if said == "yes":
        flash(_("You go. Here is what you need to know."), "ok")
        return see_other(url_for("desk.escort", assignment=assignment))
    flash(_("You declined. Somebody else is asked."), "ok")
    return see_other(url_for("desk.escorts"))


def escort_here() -> Response:
    """Whose this browser is now, the token for what it sends, and of each escort of `of` the highest number that stands
    here and its state."""
    who = member()
    named = request.args.getlist("of")[:_MOST_NAMED]
    found = mine.standing(who, [each for each in named if well_formed(each)])
    return jsonify(
        account=who.public_id,
        token=generate_csrf(),
        highest={each: it.highest for each, it in found.items()},
        state={each: it.state for each, it in found.items()},
    )


def _kept(answer: Response) -> Response:
    """A page that the browser may keep for this worker alone, while there is no connection."""
    answer.headers[ACCOUNT] = member().public_id
    return answer


POSITION_HERE = "camera=(), display-capture=(), geolocation=(self), microphone=(), payment=(), usb=()"
"""This page may ask where a phone is; hardly any other may."""
_MOST_NAMED = 50

VIEWS: Views = {
    "escorts": escorts,
    "escort": escort,
    "escort_answer": escort_answer,
    "escort_here": escort_here,
}
