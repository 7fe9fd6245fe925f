"""The heart on a place: marked to be found again, on all devices of the customer."""

from __future__ import annotations

from flask import Response, flash, make_response, request, url_for

from booking.finding.favourites import FavouritesFull, add_favourite, remove_favourite
from marketplace.catalog.search import sites_named
from marketplace.core import clock
from marketplace.web import session
from marketplace.web.answers import Views, field, render, said, see_other
from marketplace.web.place_words import site_name


def favourite(site: str) -> Response:
    """Mark the place or take the mark away (`on` blank); then back to where the form stood."""
    back = session.safe_path(field("next")) or url_for("web.places")
    wanted = bool(field("on", 1))
    try:
        if wanted:
            add_favourite(session.principal(), site, now=clock.now())
        else:
            remove_favourite(session.principal(), site)
    except FavouritesFull as full:
        flash(said(full), "bad")
        return _reload(back)
    if not request.headers.get("HX-Request"):
        return see_other(back)
    (shown,) = sites_named([site])
    name = site_name(shown.name, shown.city, shown.district, shown.province)
    return render("parts/heart.html", site=site, favourite=wanted, name=name, back=back)


def _reload(back: str) -> Response:
    if not request.headers.get("HX-Request"):
        return see_other(back)
    answer = make_response("")
    answer.headers["HX-Redirect"] = back
    return answer


VIEWS: Views = {"favourite": favourite}
