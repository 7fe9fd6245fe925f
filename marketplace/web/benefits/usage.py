"""The record of benefits, of all or of one."""

from __future__ import annotations

from flask import Response, url_for
from flask_babel import gettext as _

from booking.views import usage
from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.web import session
from marketplace.web.answers import Views, asked, render
from marketplace.web.benefit_cards import Benefit
from marketplace.web.benefits import usage_page
from marketplace.web.benefits.usage_page import Usage
from marketplace.web.kind_words import kind_name
from vip.customers.family import family
from vip.entitlements.of_customer import EntitlementView, entitlements
from vip.principal import Principal

SHOWN = 30


def record() -> Response:
    """All lines, newest first."""
    page = usage.usage(session.principal(), None, cursor=asked("after") or None, limit=SHOWN)
    more = url_for("web.usage", after=page.next) if page.next else ""
    return render("usage.html", page=Usage(_("Use of benefits"), tuple(map(usage_page.line, page.items)), None, more))


def benefit(entitlement: str) -> Response:
    """One benefit and its lines."""
    principal = session.principal()
    held = _held(principal, entitlement)
    page = usage.usage(principal, entitlement, cursor=asked("after") or None, limit=SHOWN)
    more = url_for("web.benefit", entitlement=entitlement, after=page.next) if page.next else ""
    lines = tuple(map(usage_page.line, page.items))
    return render("usage.html", page=Usage(kind_name(held.kind), lines, _card(principal, held), more))


def _held(principal: Principal, public_id: str) -> EntitlementView:
    today = clock.today(principal.time_zone)
    found = next((it for it in entitlements(principal.id, today=today) if it.public_id == public_id), None)
    if found is None:
        raise NotFound(field="entitlement_id")
    return found


def _card(principal: Principal, held: EntitlementView) -> Benefit:
    return usage_page.card(held, family(principal.id), clock.today(principal.time_zone))


VIEWS: Views = {"usage": record, "benefit": benefit}
