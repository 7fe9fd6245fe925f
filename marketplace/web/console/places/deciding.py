"""Entries of the list that may mean one place: the pairs to decide, and one place with what was merged into it."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.places import decide, view
from marketplace import wording
from marketplace.catalog.search import SiteQuery, search_sites
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import console_page
from marketplace.web.console.places import page
from marketplace.web.parts import Form

_SHOWN = 20
_FOUND = 10


def places() -> Response:
    """Pairs to decide, those kept apart, and what is merged; each is decided and taken back here."""
    who, problem = session.operator(), None
    wanted, city, cursor = asked("state", 10), asked("city", 50), asked("cursor") or None
    if request.method == "POST":
        try:
            _act()
            return see_other(_url(wanted, city))
        except NotFound:
            raise
        except Refusal as refusal:
            problem = refusal
    pairs: Sequence[view.Pair] = ()
    merges: Sequence[view.Merged] = ()
    following: str | None
    if wanted == "merged":
        merged = view.merges(who, cursor=cursor, limit=_SHOWN)
        merges, following = merged.items, merged.next
    else:
        wanted = "apart" if wanted == "apart" else "open"
        found = view.pairs(who, "apart" if wanted == "apart" else "open", city=city, cursor=cursor, limit=_SHOWN)
        pairs, following = found.items, found.next
    return console_page(
        "places",
        "places",
        problem.status if problem else 200,
        state=wanted,
        states=page.filters(wanted, city),
        pairs=tuple(map(page.pair, pairs)),
        merges=tuple(map(page.merged, merges)),
        form=Form({"city": city, "q": asked("q", 100)}, problem=wording.sentence(problem) if problem else ""),
        hits=_found(asked("q", 100)),
        more_url=_url(wanted, city, following) if following else "",
    )


def _url(state: str, city: str, cursor: str = "") -> str:
    return url_for("console.places", state=state or None, city=city or None, cursor=cursor or None)


def place(site: str) -> Response:
    """One place: what is merged into it, what may be the same, and what it may do although its kind can't."""
    who, problem = session.operator(), None
    if request.method == "POST":
        try:
            _act(site)
            return see_other(url_for("console.place", site=site))
        except NotFound:
            raise
        except Refusal as refusal:
            problem = refusal
    known = view.place(who, site)
    wanted = asked("q", 100)
    return console_page(
        "place",
        "places",
        problem.status if problem else 200,
        page=page.place(known),
        form=Form({"q": wanted}, problem=wording.sentence(problem) if problem else ""),
        hits=_found(wanted, known.side.city, but=known.side.id),
    )


def _found(wanted: str, city: str | None = None, but: str = "") -> tuple[page.Hit, ...] | None:
    """The places that a search finds, in a city or everywhere; None where nothing was searched for."""
    if not wanted:
        return None
    found = search_sites(SiteQuery(q=wanted, city=city), limit=_FOUND).items
    return tuple(page.hit(each) for each in found if each.public_id != but)


def _act(site: str = "") -> None:
    who, now, act = session.operator(), clock.now(), field("act", 10)
    if act == "merge":
        decide.merge_sites(who, field("other", 64), field("keep", 64) or site, now=now)
        flash(_("Merged. Everything sold at either entry stands under one place now."), "ok")
    elif act == "undo":
        decide.undo_merge(who, field("merge", 64), now=now)
        flash(_("Parted. Each entry has its own services again."), "ok")
    elif act == "apart":
        decide.keep_apart(who, field("pair", 64), now=now)
        flash(_("Remembered. The two are not proposed again."), "ok")
    elif act == "again":
        decide.propose_again(who, field("pair", 64), now=now)
        flash(_("The two are to be decided again."), "ok")
    elif act == "allow" and site:
        decide.allow(who, site, field("benefit", 40), now=now)
        flash(_("Allowed at this place."), "ok")
    elif act == "end" and site:
        decide.end_allowance(who, site, field("benefit", 40), now=now)
        flash(_("Not allowed any more. What is booked stays."), "ok")
    else:
        raise Invalid(field="act", reason="unknown_value")


VIEWS: Views = {"places": places, "place": place}
