"""An escort's page with its live part, its papers one by one, and what its customer says at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from flask import Response, flash, make_response, render_template, url_for
from flask_babel import gettext as _

from booking.escort.after.confirm import NothingToComplainOf, NothingToConfirm, something_wrong, went_well
from booking.escort.shown import view
from booking.escort.shown.pictures import paper
from booking.ratings.rate import NotDone, RatingFixed
from marketplace import wording
from marketplace.core import clock
from marketplace.core.crypto import Unreadable
from marketplace.core.errors import Invalid, NotFound
from marketplace.web import rating_form
from marketplace.web.answers import Views, field, live, render, see_other, tag, unchanged
from marketplace.web.escort import escort_page
from marketplace.web.escort.escort_page import EscortPage
from marketplace.web.parts import Form
from marketplace.web.prefetch import not_yet, only_prefetched
from marketplace.web.session import principal
from vip.customers.consent import ConsentMissing
from vip.principal import Principal


def escort(booking: str) -> Response:
    """The page, whatever its stage; each time it is opened is a look at what the escort wrote."""
    if only_prefetched():
        return not_yet()
    return _page(booking)


def escort_live(booking: str) -> Response:
    """The part that changes by itself; while nothing moved, that alone is read."""
    me, now = principal(), clock.now()
    etag = _version(me, booking, now)
    if unchanged(etag):
        return live("", etag)
    return live(render_template("parts/escort_live.html", page=_shown(me, booking, etag, now, look=False)), etag)


def escort_paper(booking: str, picture: str) -> Response:
    """A photographed paper or receipt; the look is recorded first."""
    if only_prefetched():
        return not_yet()
    try:
        content = paper(principal(), booking, picture, now=clock.now())
    except ConsentMissing as missing:
        return see_other(url_for("web.consent", member=missing.facts["beneficiary_id"]))
    except Unreadable as erased:
        raise NotFound() from erased
    answer = make_response(content)
    answer.content_type = "image/jpeg"
    answer.headers["Content-Disposition"] = "inline"
    return answer


def escort_well(booking: str) -> Response:
    """It went well."""
    try:
        went_well(principal(), booking, now=clock.now())
        flash(_("Thank you. The escort is done."), "ok")
    except NothingToConfirm as refusal:
        flash(wording.sentence(refusal), "bad")
    return see_other(url_for("web.escort", booking=booking))


def escort_wrong(booking: str) -> Response:
    """Something is wrong: a person looks into it."""
    try:
        something_wrong(principal(), booking, field("what", 40), now=clock.now())
        flash(_("A person looks into it and calls you."), "ok")
    except Invalid:
        return _page(booking, 422, form=Form(errors={"what": _("Choose what is wrong.")}))
    except NothingToComplainOf as refusal:
        flash(wording.sentence(refusal), "bad")
    return see_other(url_for("web.escort", booking=booking))


def escort_rate(booking: str) -> Response:
    """How it was."""
    try:
        wrong = rating_form.given(principal(), booking)
    except (NotDone, RatingFixed) as refusal:
        flash(wording.sentence(refusal), "bad")
        wrong = None
    if wrong is not None:
        return _page(booking, 422, stars=wrong)
    return see_other(url_for("web.escort", booking=booking))


def _page(booking: str, status: int = 200, *, form: Form | None = None, stars: Form | None = None) -> Response:
    me, now = principal(), clock.now()
    version = _version(me, booking, now)  # before the page is read: what moves meanwhile is asked for once more
    page = _shown(me, booking, version, now, form=form, stars=stars)
    refused = form is not None or stars is not None
    return render("escort.html", status, page=replace(page, version="") if refused else page)


def _shown(
    me: Principal,
    booking: str,
    version: str,
    now: datetime,
    *,
    look: bool = True,
    form: Form | None = None,
    stars: Form | None = None,
) -> EscortPage:
    found = view.escort(me, booking, now=now, look=look)
    rated = rating_form.stars(me, booking, found.state, stars, now, found.time_zone)
    return escort_page.page(found, version, rated, form)


def _version(me: Principal, booking: str, now: datetime) -> str:
    """The ETag; what is asked of her changes by the hour, and another day is told in other words."""
    return tag("escort", booking, *view.escort_mark(me, booking), now.strftime("%Y-%m-%d %H"))


VIEWS: Views = {
    "escort": escort,
    "escort_live": escort_live,
    "escort_paper": escort_paper,
    "escort_well": escort_well,
    "escort_wrong": escort_wrong,
    "escort_rate": escort_rate,
}
