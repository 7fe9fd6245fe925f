"""The home page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Response, render_template
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.views.lists import bookings
from marketplace.core import clock
from marketplace.web import benefit_cards
from marketplace.web.answers import Views, live, render, unchanged
from marketplace.web.benefit_cards import Benefit
from marketplace.web.formats import dotted, local
from marketplace.web.home.chat import Chat, chat
from marketplace.web.people import addressed, person
from marketplace.web.session import principal
from marketplace.web.tickets import NextBooking, followed_tag, next_booking
from vip.customers.customers import profile
from vip.customers.family import family
from vip.entitlements.of_customer import EntitlementView, entitlements
from vip.principal import Principal


@dataclass(frozen=True)
class Home:
    """`plan_line` such as `尊享计划·2026 年度，四项权益`. `chat` leads to a doctor, None without a benefit for it."""

    greeting: str
    plan_line: str
    next: NextBooking | None
    benefits: tuple[Benefit, ...]
    chat: Chat | None = None


_LOOKED_AT = 20


def home() -> Response:
    """What the customer has, what is next."""
    me, now = principal(), clock.now()
    today = clock.today(me.time_zone, now)
    members = family(me.id)
    people = [person(member, today) for member in members]
    herself = next((member for member in members if member.relation == "self"), None)
    name = addressed(herself.name, herself.sex) if herself else profile(me.id).name
    found = entitlements(me.id, today=today)
    return render(
        "home.html",
        page=Home(
            _greeting(name, now, me.time_zone),
            _plan_line(found),
            _next(me, now),
            benefit_cards.benefits(found, people),
            chat(me, found, now),
        ),
    )


def home_live() -> Response:
    """The ticket alone, for the page that waits."""
    me, now = principal(), clock.now()
    etag = followed_tag(me, now)
    if unchanged(etag):
        return live("", etag)
    page = Home("", "", _next(me, now), ())
    return live(render_template("parts/next_booking.html", page=page), etag)


def _next(me: Principal, now: datetime) -> NextBooking | None:
    """What waits for her to confirm it, since that runs out within minutes; else the soonest."""
    ahead = bookings(me, cursor=None, limit=_LOOKED_AT, now=now, when="upcoming").items
    chosen = next((card for card in ahead if card.state == "held"), ahead[0] if ahead else None)
    return next_booking(chosen, now) if chosen else None


def _greeting(name: str, now: datetime, zone: str) -> str:
    hour = local(now, zone).hour
    if 5 <= hour < 11:
        return _("Good morning, %(name)s", name=name)
    if 11 <= hour < 18:
        return _("Good afternoon, %(name)s", name=name)
    return _("Good evening, %(name)s", name=name)


def _plan_line(found: list[EntitlementView]) -> str:
    open_now = [benefit for benefit in found if benefit.state != "expired"]
    plan = next((benefit_cards.plan_name(benefit) for benefit in open_now if benefit_cards.plan_name(benefit)), "")
    return dotted((plan, ngettext("%(num)d benefit", "%(num)d benefits", len(open_now))))


VIEWS: Views = {"home": home, "home_live": home_live}
