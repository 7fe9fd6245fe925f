"""What the provider sells: the list, and the form of one service."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.capacity_rules import calendars
from booking.idempotency import Repeatable
from booking.offers.at_desk import answered_here, offer_lines, reference_of
from booking.offers.maintain import (
    ANY,
    MaintainedOffer,
    OfferChanged,
    VersionMissing,
    Writer,
    offer_of,
    put_offer,
)
from marketplace import wording
from marketplace.catalog.benefit_kind import BenefitKind
from marketplace.catalog.kinds import kinds
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web import schema_form
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.offering import forms, offers_page
from marketplace.web.kind_words import kind_name
from marketplace.web.parts import Form
from marketplace.web.place_words import site_name

_PAGE = 50


@dataclass(frozen=True)
class _Sent:
    """A form: of which kind, what is typed, and the service as it stands (None for a new one)."""

    kind: BenefitKind
    fields: forms.Fields
    before: MaintainedOffer | None
    offer: str = ""

    @property
    def url(self) -> str:
        """Where the form is sent."""
        return url_for("desk.offer", offer=self.offer) if self.offer else url_for("desk.offer_new")


def offers() -> Response:
    """Every service, and what it lacks before customers can book it; the places that there are."""
    who, now = session.member(), clock.now()
    page = offer_lines(who.provider_id, cursor=asked("after") or None, limit=_PAGE, now=now)
    pools = calendars.pools(who.provider_id)
    return desk_page(
        "offering/list",
        "offers",
        rows=[offers_page.row(it) for it in page.items],
        places=pools,
        following=page.next,
        first=not asked("after"),
    )


def offer_new() -> Response:
    """A service that is not there yet: of which kind, then its form."""
    who = session.member()
    pools = calendars.pools(who.provider_id)
    if not pools:
        return see_other(url_for("desk.offer_place_new"))
    code = field("benefit", 64) if request.method == "POST" else asked("benefit", 64)
    known = kinds()
    if not code and len(known) == 1:
        code = next(iter(known))
    if code not in known:
        links = [(kind_name(each), url_for("desk.offer_new", benefit=each)) for each in known]
        return desk_page("offering/kinds", "offers", links=links)
    kind = known[code]
    if request.method != "POST":
        first = forms.first_values(kind)
        chosen = next((each.reference for each in pools if each.id == asked("pool", 40)), pools[0].reference)
        return _form(_Sent(kind, {**first, "pool": chosen, "key": secrets.token_urlsafe(12)}, None))
    return _saved(_Sent(kind, _numbered(kind, schema_form.sent()), None))


def offer(offer: str) -> Response:
    """A service that is there."""
    who = session.member()
    before = offer_of(who.provider_id, reference_of(who.provider_id, offer))
    kind = kinds().get(before.benefit)
    if kind is None:
        raise NotFound(field="offer")
    if request.method != "POST":
        return _form(_Sent(kind, _standing(kind, before), before, offer))
    fixed = {"reference": before.reference, "benefit": before.benefit, "pool": before.pool}
    return _saved(_Sent(kind, {**_numbered(kind, schema_form.sent()), **fixed}, before, offer))


def _standing(kind: BenefitKind, before: MaintainedOffer) -> dict[str, str]:
    return {**forms.values_of(kind, before), "version": str(before.version)}


def _numbered(kind: BenefitKind, fields: forms.Fields) -> dict[str, str]:
    return schema_form.numbered(kind.package_schema, forms.PACKAGE, fields)


def _saved(sent: _Sent) -> Response:
    """Save it, or show it again with what is wrong; `more` only adds blank rows."""
    if sent.fields.get("do") == "more":
        return _form(sent, blanks=schema_form.MORE_ROWS)
    who, now = session.member(), clock.now()
    try:
        terms = forms.terms_in(sent.kind, sent.fields, sent.before)
        reference = forms.reference_in(sent.fields, _made(sent))
        known = None if sent.before is None else [seen] if (seen := sent.fields.get("version", "")) != ANY else []
        repeat: Repeatable = forms.repeatable(who, sent.fields, sent.offer)
        saved = put_offer(Writer(who.provider_id, who.public_id), reference, terms, known=known, repeat=repeat, now=now)
    except OfferChanged as refusal:
        anew = offer_of(who.provider_id, sent.fields["reference"])
        return _form(_Sent(sent.kind, _standing(sent.kind, anew), anew, sent.offer), refusal)
    except Refusal as refusal:
        return _form(sent, refusal)
    if sent.before is None:
        flash(_("The service is there. Its places are what customers can book next."), "ok")
    else:
        flash(_("Saved. What is booked keeps the price and the rules of its day."), "ok")
    return see_other(url_for("desk.offer", offer=saved.id) if sent.before else url_for("desk.offers"))


def _made(sent: _Sent) -> str:
    """The code that a service has whose provider gives none: blank where the provider's own system must know it."""
    key = sent.fields.get("key", "")
    return f"desk-{key}" if answered_here(session.member().provider_id) and key else ""


def _form(sent: _Sent, refusal: Refusal | None = None, *, blanks: int = schema_form.BLANK_ROWS) -> Response:
    errors, problem = _problem(refusal)
    pools = calendars.pools(session.member().provider_id)
    context: Mapping[str, Any] = {
        "url": sent.url,
        "new": sent.before is None,
        "offer": sent.before,
        "kind": kind_name(sent.kind.code),
        "form": Form(dict(sent.fields), errors, problem),
        "groups": schema_form.drawn(sent.kind.package_schema, forms.PACKAGE, sent.fields, blanks=blanks),
        "pools": [(each.reference, f"{each.name} · {site_name(each.site)}") for each in pools],
        "pool": next((each for each in pools if each.reference == sent.fields.get("pool")), None),
        "own_system": not answered_here(session.member().provider_id),
    }
    return desk_page("offering/offer", "offers", 200 if refusal is None else refusal.status, **context)


def _problem(refusal: Refusal | None) -> tuple[dict[str, str], str]:
    """The sentence at the field that is at fault, or above the form."""
    if refusal is None:
        return {}, ""
    if isinstance(refusal, VersionMissing):
        return {"reference": _("You have a service with this code already.")}, ""
    if isinstance(refusal, OfferChanged):
        return {}, _("Somebody else changed this service meanwhile. This is how it stands now; change it again.")
    if isinstance(refusal, Invalid):
        named = forms.named(refusal)
        return {named: wording.sentence(forms.why(refusal))}, ""
    return {}, wording.sentence(refusal)


VIEWS: Views = {"offers": offers, "offer_new": offer_new, "offer": offer}
