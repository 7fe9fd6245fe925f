"""The desk's pages about escort workers: the list, one of them, taking one on, what is said of her, what she knows."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.escort.workers import home, keep, read, venues
from booking.escort.workers.absence import hand_on_all
from booking.idempotency import Repeatable
from marketplace import wording
from marketplace.catalog.schemas.pieces import LANGUAGES
from marketplace.catalog.search import MAX_QUERY
from marketplace.core import clock
from marketplace.core.database.moment import now_by_database
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_token
from marketplace.web import schema_form
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.dispatching import words, workers_page
from marketplace.web.desk.dispatching.places import places
from marketplace.web.desk.dispatching.workers_page import VenueRow
from marketplace.web.parts import Form
from providers.staff import duties
from vip.principal import Member

_LONGEST_ID = 64


def dispatch_workers() -> Response:
    """All of them, or those whose name, number or city has what is looked for. A search is a form that is sent, so that
    no name stands in an address."""
    who, wanted = session.member(), field("q", read.LONGEST_WANTED)
    found = read.workers_of(who, wanted, now=clock.now())
    return desk_page(
        "dispatching/workers",
        "dispatch_workers",
        rows=tuple(workers_page.row(each) for each in found),
        wanted=wanted,
        manages=duties.may(who, "team"),
        most=read.MOST_SHOWN,
    )


def dispatch_worker_new() -> Response:
    """Take one on."""
    if request.method != "POST":
        cities = workers_page.city_options(read.cities_for(session.member()))
        first = {"key": new_token(), "language.mandarin": "1", "auto": "1", "city": cities[0][0] if cities else ""}
        return _form(first)
    who, fields = session.member(), schema_form.sent()
    try:
        said = workers_page.profile_in(fields, workers_page.languages_in())
        made = keep.add(who, said, repeat=_repeatable(who, fields), now=clock.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _form(dict(fields), refusal)
    flash(_("She is on the list. Look at her papers and write her hours, then she can be asked."), "ok")
    return see_other(url_for("desk.dispatch_worker", worker=made))


def dispatch_worker(worker: str) -> Response:
    """One of them; the form does what a manager may do to her."""
    problem, status = "", 200
    if request.method == "POST":
        try:
            _act(worker, field("do", 20))
            return see_other(url_for("desk.dispatch_worker", worker=worker))
        except NotFound:
            raise
        except Refusal as refusal:
            problem, status = wording.sentence(refusal), refusal.status
    who, now = session.member(), clock.now()
    it = read.worker_of(who, worker, now=now)
    manages = duties.may(who, "team")
    return desk_page(
        "dispatching/worker",
        "dispatch_workers",
        status,
        page=workers_page.page(it, now),
        manages=manages,
        home=workers_page.home_words(home.home(who, worker)) if manages else "",
        free=read.free_members(who) if manages and it.member is None else (),
        problem=problem,
    )


def dispatch_worker_change(worker: str) -> Response:
    """What is said of her."""
    who = session.member()
    it = read.worker_of(who, worker, now=clock.now())
    duties.require(who, "team")
    if request.method != "POST":
        return _form({**workers_page.fields_of(it.profile), "seen": it.seen.isoformat()}, worker=it)
    fields = schema_form.sent()
    try:
        said = workers_page.profile_in(fields, workers_page.languages_in())
        keep.change(who, worker, said, seen=_moment(fields.get("seen", "")), now=clock.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _form(dict(fields), refusal, it)
    flash(_("Saved."), "ok")
    return see_other(url_for("desk.dispatch_worker", worker=worker))


def dispatch_venues(worker: str) -> Response:
    """The venues that she knows: the list of sites of her city is searched, and one added or taken off."""
    who, now = session.member(), clock.now()
    it = read.worker_of(who, worker, now=now)
    query = asked("q", MAX_QUERY)
    problem, status = "", 200
    if request.method == "POST":
        query, site = field("q", MAX_QUERY), field("site", _LONGEST_ID)
        try:
            if field("do", 10) == "remove":
                venues.knows_no_more(who, worker, site, now=now)
            else:
                venues.knows(who, worker, site, now=now)
            return see_other(url_for("desk.dispatch_venues", worker=worker, q=query or None))
        except NotFound:
            raise
        except Refusal as refusal:
            problem, status = wording.sentence(refusal), refusal.status
    found, wrong = _sites(it, query)
    return desk_page(
        "dispatching/venues",
        "dispatch_workers",
        status,
        page=workers_page.page(it, now),
        form=Form({"q": query}, {"q": wrong} if wrong else {}),
        found=found,
        searched=bool(query) and not wrong,
        problem=problem,
    )


def _sites(it: read.WorkerView, query: str) -> tuple[tuple[VenueRow, ...], str]:
    """Places of her city that she is not known to know, and why nothing could be looked for."""
    found, wrong = places(it, query)
    known = {each.id for each in it.known}
    return tuple(each for each in found if each.id not in known), wrong


def _act(worker: str, what: str) -> None:
    """Do it, and leave a message about it."""
    who, now = session.member(), clock.now()
    if what == "papers":
        keep.check_papers(who, worker, seen=_moment(field("seen", _LONGEST_ID)), now=now)
        flash(_("Written down: her papers are in order."), "ok")
    elif what == "papers_back":
        keep.take_papers_back(who, worker, now=now)
        flash(_("Written down: she is asked for nothing until her papers were looked at again."), "ok")
    elif what == "link":
        chosen = field("member", _LONGEST_ID)
        if not chosen:
            raise Invalid(field="member", reason="required")
        keep.link(who, worker, chosen, now=now)
        flash(_("She can sign in now and answer for herself."), "ok")
    elif what == "unlink":
        keep.link(who, worker, "", now=now)
        flash(_("Nobody signs in as her any more. The desk answers for her."), "ok")
    elif what == "end":
        keep.end(who, worker, now=now)
        replaced = len(hand_on_all(who, worker, now=now_by_database()))
        flash(f"{_('Her service is ended.')} {_replaced(replaced)}".strip(), "ok")
    elif what == "resume":
        keep.take_back(who, worker, now=now)
        flash(_("She works here again."), "ok")
    else:
        raise Invalid(field="do", reason="unknown_value")


def _replaced(number: int) -> str:
    if not number:
        return ""
    return ngettext(
        "Somebody else is looked for, for %(num)d escort.", "Somebody else is looked for, for %(num)d escorts.", number
    )


def _form(fields: dict[str, str], refusal: Refusal | None = None, worker: read.WorkerView | None = None) -> Response:
    errors: dict[str, str] = {}
    problem = ""
    if refusal is not None and refusal.at in _FIELDS:
        errors = {str(refusal.at): wording.sentence(refusal)}
    elif refusal is not None:
        problem = wording.sentence(refusal)
    cities = read.cities_for(session.member())
    if worker is not None and worker.profile.city not in cities:
        cities = (*cities, worker.profile.city)
    return desk_page(
        "dispatching/worker_form",
        "dispatch_workers",
        200 if refusal is None else refusal.status,
        form=Form(fields, errors, problem),
        worker=None if worker is None else worker.id,
        name="" if worker is None else worker.profile.shown_name,
        cities=workers_page.city_options(cities),
        sexes=[(sex, words.sex_name(sex)) for sex in ("female", "male")],
        spoken=[(code, words.language_name(code)) for code in LANGUAGES],
    )


_FIELDS = frozenset(
    {"shown_name", "staff_number", "sex", "languages", "qualification_zh", "qualification_en", "city", "phone"}
)


def _repeatable(who: Member, fields: schema_form.Fields) -> Repeatable:
    said = {name: text for name, text in sorted(fields.items()) if name != "csrf_token"}
    content = hashlib.sha256(json.dumps(said).encode())
    return Repeatable(f"member:{who.public_id}", f"escort_worker:{content.hexdigest()}", content.digest())


def _moment(text: str) -> datetime:
    """What a form was drawn from; one that can't be read was drawn from nothing."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


VIEWS: Views = {
    "dispatch_workers": dispatch_workers,
    "dispatch_worker_new": dispatch_worker_new,
    "dispatch_worker": dispatch_worker,
    "dispatch_worker_change": dispatch_worker_change,
    "dispatch_venues": dispatch_venues,
}
