"""A venue, to which somebody is sent: why not, if so, and who comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, url_for

from booking.eligibility.refusals import NoTimeThen, NotOfferedThere, TooShortNotice
from booking.eligibility.why_not import why_not
from booking.offers.cards import OfferCard
from booking.offers.venues import Venue, offers_to, venue
from marketplace import wording
from marketplace.catalog.kinds import is_dispatched
from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.text import Text
from marketplace.web import formats, session
from marketplace.web.answers import Views, asked, render, see_other
from marketplace.web.benefit_cards import which_line
from marketplace.web.booking.finding.whose import facts_of, paying, people_of, usable_benefits
from marketplace.web.kind_words import kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import When
from marketplace.web.people import person
from marketplace.web.place_words import city_name, for_the_driver, site_name, where_line
from marketplace.web.tiers import tier_word
from vip.customers.family import Member
from vip.principal import Principal


@dataclass(frozen=True)
class Service:
    """Who can be sent. `first`: the next free time, None without one; `reasons`: why not for this person."""

    name: str
    provider: str
    first: When | None
    reasons: tuple[str, ...]
    url: str


def services(site: str) -> Response:
    """Who comes to the venue for a benefit; where one alone can, its times follow at once."""
    me, now = session.principal(), clock.now()
    benefit = asked("benefit", 40)
    if not is_dispatched(benefit):
        raise NotFound(field="benefit")
    at = venue(site)
    _members, member = people_of(me)
    kept = {"for": member.public_id, "entitlement": asked("entitlement", 64), "venue": at.id}
    found = offers_to(at, benefit, facts_of(member), market=me.market, now=now)
    reasons = reasons_of(me, benefit, at, member, now)
    if len(found) == 1 and not reasons:
        return see_other(address("web.times", kept, offer=found[0].public_id))
    benefits = usable_benefits(me, benefit, kept["entitlement"], now)
    here = address("web.venue", {**kept, "venue": "", "benefit": benefit}, site=site)
    return render(
        "venue.html",
        title=kind_name(benefit),
        kind=benefit,
        site=site_name(at.name, at.city, at.district, at.province),
        where=formats.dotted((city_name(at.city), where_line(at.province, at.city, at.district, at.address))),
        driver=for_the_driver({"name": at.name, "city": at.city, "district": at.district, "address": at.address}),
        tier=tier_word(at.tier),
        person=person(member, clock.today(me.time_zone, now)),
        who_url=address("web.who", {"for": member.public_id, "next": here}),
        back_url=finder_url(benefit, at, kept),
        benefit_line=which_line(paying(benefits, member), named=bool(kept["entitlement"])),
        reasons=reasons,
        services=tuple(_service(card, kept, at) for card in found),
    )


def _service(card: OfferCard, kept: dict[str, str], at: Venue) -> Service:
    first = card.next_free
    return Service(
        by_language(Text(card.name_zh, card.name_en)),
        by_language(Text(card.provider_zh, card.provider_en)),
        When(first.service_date, at.time_zone, first.starts_at, first.ends_at) if first else None,
        (wording.sentence(card.not_eligible),) if card.not_eligible else (),
        address("web.times", kept, offer=card.public_id),
    )


def reasons_of(
    me: Principal, benefit: str, at: Venue, member: Member, now: datetime, *, day: date | None = None
) -> tuple[str, ...]:
    """Why nobody can be sent there for this person on any day, or on that one, each as a sentence that says what would
    help; for a day without what is said of its times, which the picker shows."""
    return _sentences(why_not(me, benefit, at.id, member.public_id, day, now=now).reasons, times=day is None)


def first_day(me: Principal, benefit: str, at: Venue, member: Member, now: datetime) -> tuple[date, tuple[str, ...]]:
    """The first day on which somebody can be sent there for this person; where there is none, the first with a free
    time, with the reasons that no other time changes."""
    found = why_not(me, benefit, at.id, member.public_id, now=now)
    return found.day, _sentences(found.reasons, times=False)


def _sentences(reasons: Iterable[Refusal], *, times: bool) -> tuple[str, ...]:
    of_times = (NoTimeThen, TooShortNotice, NotOfferedThere)
    return tuple(wording.sentence(each) for each in reasons if times or not isinstance(each, of_times))


def venue_of(benefit: str, named: str) -> Venue | None:
    """The venue that was chosen for a kind for which somebody is sent, None for every other kind. Raises NotFound for
    one that is not there or was not named."""
    return venue(named) if is_dispatched(benefit) else None


def finder_url(benefit: str, at: Venue, kept: dict[str, str]) -> str:
    """The list of places in the venue's city."""
    return address("web.places", {**kept, "venue": "", "benefit": benefit, "city": at.city})


def address(endpoint: str, query: dict[str, str], **path: Any) -> str:
    """An address with the query's values that are not blank."""
    return f"{url_for(endpoint, **path)}?{urlencode({name: value for name, value in query.items() if value})}"


VIEWS: Views = {"venue": services}
