"""The soonest times of the service that a doctor suggests: one tap holds one, the next confirms it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from booking.offers.availability import OfferQuery, search_offers, slots
from booking.offers.cards import NextFree, OfferCard, PersonFacts
from booking.offers.cities import offer_cities
from marketplace.catalog.kinds import has_times, is_dispatched, kinds
from marketplace.core import clock
from marketplace.web import formats
from marketplace.web.cities import usual_city
from marketplace.web.place_words import site_name
from vip.customers.family import family
from vip.entitlements.of_customer import entitlements
from vip.principal import Principal

MOST_TIMES = 3
_MOST_OFFERS = 20


@dataclass(frozen=True)
class NextTime:
    """A time that can be held: public ids of the offer and of its slot, when it is and where."""

    offer: str
    slot: str
    when: str
    where: str


def next_times(me: Principal, kind: str, person: str, now: datetime) -> tuple[NextTime, ...]:
    """The soonest time of each of MOST_TIMES offers that the person (public id) is welcome to, in the city that she
    looks for places in. None where the kind has no times, a venue is to be chosen first, or no benefit of hers
    pays for it."""
    if kind not in kinds() or not has_times(kind) or is_dispatched(kind):
        return ()
    member = next((it for it in family(me.id) if it.public_id == person), None)
    today = clock.today(me.time_zone, now)
    paid = member is not None and any(
        it.kind == kind and it.state == "active" and (member.relation == "self" or it.sharing == "family")
        for it in entitlements(me.id, today=today)
    )
    if member is None or not paid:
        return ()
    city = usual_city(offer_cities(kind, market=me.market))
    query = OfferQuery(benefit=kind, city=city or None, person=PersonFacts(member.sex, member.birth_date))
    found = search_offers(query, limit=_MOST_OFFERS, now=now, market=me.market).items
    welcome = [(it.next_free, it) for it in found if it.next_free is not None and it.not_eligible is None]
    welcome.sort(key=lambda pair: (pair[0].service_date, str(pair[0].starts_at or ""), pair[1].price_minor))
    times = (_time(me, upcoming, card, now) for upcoming, card in welcome[:MOST_TIMES])
    return tuple(it for it in times if it is not None)


def _time(me: Principal, upcoming: NextFree, card: OfferCard, now: datetime) -> NextTime | None:
    day = upcoming.service_date
    free = (it for it in slots(card.public_id, day, day, market=me.market, now=now) if it.bookable)
    slot = next(free, None)
    if slot is None:
        return None
    when = formats.date_of(day) if slot.starts_at is None else formats.moment(slot.starts_at, card.time_zone)
    return NextTime(card.public_id, slot.id, when, site_name(card.site_name, card.city, card.district))
