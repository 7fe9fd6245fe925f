"""Places that services draw on: a new one (a site of the list, and what the provider calls what is there), and another
name for one."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.capacity_rules import calendars
from booking.capacity_rules.calendars import Pool
from booking.offers import limits
from booking.offers.maintain import PlaceOfPool, PoolAtAnotherSite, Writer, put_pool
from booking.offers.naming import name_place
from marketplace import wording
from marketplace.catalog.search import MAX_QUERY, SiteQuery, SiteView, search_sites
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.text import Text
from marketplace.web import schema_form
from marketplace.web.answers import Views, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.offering import forms
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from marketplace.web.place_words import both_names

_SHOWN = 20


def offer_place_new() -> Response:
    """Search the list of sites, choose the site, and name the place."""
    if request.method != "POST":
        return _form({"q": request.args.get("q", "").strip()[: MAX_QUERY + 1]})
    who, fields = session.member(), schema_form.sent()
    try:
        site, name = fields.get("site", ""), fields.get("name", "")
        if not site:
            raise Invalid(field="site", reason="choice")
        if not name:
            raise Invalid(field="name", reason="required")
        if not limits.usable_reference(name):
            raise Invalid(field="name", reason="name")
        writer, repeat = Writer(who.provider_id, who.public_id), forms.repeatable(who, fields, "place")
        _pool, new = put_pool(writer, name, PlaceOfPool(site_id=site), repeat=repeat, now=clock.now())
    except Refusal as refusal:
        return _form(fields, refusal)
    flash(_("The place is there. Now add what is offered at it.") if new else _("This place was there already."), "ok")
    return see_other(url_for("desk.offers"))


def offer_place(pool: str) -> Response:
    """What the provider's people call a place; programs know it by its reference, which stays."""
    who = session.member()
    place = next((each for each in calendars.pools(who.provider_id) if each.id == pool), None)
    if place is None:
        raise NotFound(field="pool")
    if request.method != "POST":
        return _name(place, Form({"name": "" if place.name == place.reference else place.name}))
    name = request.form.get("name", "").strip()
    try:
        name_place(Writer(who.provider_id, who.public_id), pool, name, now=clock.now())
    except Invalid as refusal:
        return _name(place, Form({"name": name}, {"name": wording.sentence(refusal)}), refusal.status)
    flash(_("Saved."), "ok")
    return see_other(url_for("desk.offers"))


def _name(place: Pool, form: Form, status: int = 200) -> Response:
    longest = limits.LONGEST_PLACE_NAME
    return desk_page("offering/place_name", "offers", status, place=place, form=form, longest=longest)


def _form(fields: forms.Fields, refusal: Refusal | None = None) -> Response:
    errors, found, more = _errors(refusal), [], False
    query = fields.get("q", "")
    if query:
        try:
            page = search_sites(SiteQuery(q=query), limit=_SHOWN)
            found, more = [*page.items], page.next is not None
        except Invalid as wrong:
            errors, refusal = {**errors, "q": wording.sentence(wrong)}, refusal or wrong
    return desk_page(
        "offering/place",
        "offers",
        200 if refusal is None else refusal.status,
        form=Form(dict(fields), errors),
        sites=_with_place(found),
        searched=bool(query) and "q" not in errors,
        more=more,
        longest=limits.LONGEST_REFERENCE,
    )


def _with_place(found: list[SiteView]) -> list[tuple[str, str, str]]:
    """Id, name and where it is, of each site."""
    return [
        (each.public_id, both_names(each.name, each.city, each.district, each.province), _where(each)) for each in found
    ]


def _where(it: SiteView) -> str:
    around = " ".join((it.province, it.city, it.district, it.address))
    return by_language(Text(around, it.address_en or it.where_en))


def _errors(refusal: Refusal | None) -> dict[str, str]:
    if refusal is None:
        return {}
    if isinstance(refusal, PoolAtAnotherSite):
        return {"name": _("You have a place of this name at another site. Choose another name.")}
    field = {"site_id": "site"}.get(refusal.at or "", refusal.at or "name")
    return {field: wording.sentence(refusal)}


VIEWS: Views = {"offer_place_new": offer_place_new, "offer_place": offer_place}
