"""Venues: the sites to which somebody is sent, and who may be sent to one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from booking.offers.availability import OfferQuery, search_offers
from booking.offers.cards import OfferCard, PersonFacts
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.sql import place_is
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.ids import well_formed
from marketplace.core.paging import MAX_LIMIT


@dataclass(frozen=True)
class Venue:
    """A site that is open, by its public id."""

    id: str
    name: str
    province: str
    city: str
    district: str
    address: str
    tier: str | None
    time_zone: str


def venue(public_id: str) -> Venue:
    """The open place of this public id, also of a site that was merged into it. Raises NotFound(field="venue_id")."""
    found = None
    if well_formed(public_id):
        with reading() as session:
            found = session.scalar(select(Site).where(place_is(public_id), Site.closed_at.is_(None)))
    if found is None:
        raise NotFound(field="venue_id")
    return Venue(
        found.public_id,
        found.name,
        found.province,
        found.city,
        found.district,
        found.address,
        found.tier,
        found.time_zone,
    )


def offers_to(venue: Venue, benefit: str, person: PersonFacts, *, market: int, now: datetime) -> list[OfferCard]:
    """Who sends somebody to the venue for a kind of benefit (its code): the offers of its city with their next free
    time, the soonest first and those without one last."""
    query = OfferQuery(benefit=benefit, city=venue.city, person=person)
    found = search_offers(query, limit=MAX_LIMIT, market=market, now=now).items
    there = [card for card in found if card.province == venue.province]
    return sorted(there, key=lambda card: (card.next_free is None, card.next_free and card.next_free.service_date))
