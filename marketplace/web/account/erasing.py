"""Deleting what is stored about the customer, or about a relative whom she removed."""

from __future__ import annotations

from datetime import date

import flask
from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.personal.erase import Stays, UnderWay, erase, preview
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.web import session
from marketplace.web.answers import Views, field, render, see_other
from marketplace.web.staying import InTheWay, in_the_way, refused, staying
from vip.customers.family import removed
from vip.signin.signin import SignInAgain, signed_in_recently

_LEFT = "erased"


def erase_me() -> Response:
    """Delete everything about the customer that may go; she is signed out."""
    problem, status = "", 200
    if request.method == "POST" and field("sure", 1):
        try:
            stays = erase(session.principal(), now=clock.now())
        except (UnderWay, SignInAgain) as refusal:
            problem, status = refused(refusal), refusal.status
        else:
            return _goodbye(stays)
    elif request.method == "POST":
        problem, status = _("Tick that you are sure. Nothing was deleted."), 422
    return _page(None, "", problem, status)


def erase_person(person: str) -> Response:
    """The same for a relative whom she removed."""
    found = next((it for it in removed(session.principal().id) if it.public_id == person), None)
    if found is None:
        raise NotFound(field="beneficiary_id")
    problem, status = "", 200
    if request.method == "POST" and field("sure", 1):
        try:
            erase(session.principal(), now=clock.now(), person=person)
        except (UnderWay, SignInAgain) as refusal:
            problem, status = refused(refusal), refusal.status
        else:
            flash(_("The data of %(name)s is deleted.", name=found.name), "ok")
            return see_other(url_for("web.my_data"))
    elif request.method == "POST":
        problem, status = _("Tick that you are sure. Nothing was deleted."), 422
    return _page(person, found.name, problem, status)


def erased() -> Response:
    """What stays, for who has just been erased and is nobody any more."""
    left = flask.session.pop(_LEFT, None)
    if left is None:
        return see_other(url_for("web.sign_in"))
    stays = [Stays(what, date.fromisoformat(until) if until else None) for what, until in left]
    return render("erased.html", staying=staying(stays))


def _goodbye(stays: tuple[Stays, ...]) -> Response:
    flask.session.clear()
    flask.session[_LEFT] = [[it.what, it.until.isoformat() if it.until else ""] for it in stays]
    answer = see_other(url_for("web.erased"))
    session.forget(answer)
    return answer


def _page(person: str | None, name: str, problem: str, status: int) -> Response:
    me, now = session.principal(), clock.now()
    under_way: tuple[InTheWay, ...] = ()
    stays: tuple[Stays, ...] = ()
    try:
        stays = preview(me, person=person)
    except UnderWay as refusal:
        problem, under_way = refused(refusal), in_the_way(refusal)
    here = url_for("web.erase_person", person=person) if person else url_for("web.erase_me")
    return render(
        "erase.html",
        status,
        name=name,
        here=here,
        staying=staying(stays),
        under_way=under_way,
        recent=signed_in_recently(me, now),
        problem=problem,
    )


VIEWS: Views = {"erase_me": erase_me, "erase_person": erase_person, "erased": erased}
