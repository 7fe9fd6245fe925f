"""Two providers at two entries of one hospital: one place with all offers, each with its own capacity."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from booking.finding.places import find_places
from booking.hold.place import hold
from booking.models import Booking, Slot
from booking.offers.alternatives import nearest
from booking.offers.availability import OfferQuery, offer, search_offers
from booking.offers.cities import narrowing, offer_cities
from booking.offers.located import located
from booking.views.customer import booking
from booking.waiting.view import alike
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.merge import merge, undo
from marketplace.catalog.search import SiteQuery
from marketplace.core.database.db import reading, transaction
from tests.people import NOON
from tests.world import EIGHT, World, booking_row, make_offer, make_world


@pytest.fixture
def world(db: Engine) -> World:
    return make_world(quantity=4)


@pytest.fixture
def other(world: World) -> Offer:
    """A cheaper offer of another provider, with a place a day earlier, at another entry of the same hospital."""
    made = make_offer(start=EIGHT - timedelta(days=1), capacity=2)[1]
    with transaction() as session:
        session.get_one(Offer, made.id).price_minor = 90_000
    return made


def site(made: Offer) -> Site:
    with reading() as session:
        return session.get_one(Site, made.site_id)


def put(world: World, other: Offer) -> str:
    """The other's entry becomes part of the world's."""
    with transaction() as session:
        return merge(session, site(other).public_id, site(world.offer).public_id, by="opr_1", now=NOON)


def listed(**query: str) -> list[tuple[str, str, datetime | None]]:
    found = search_offers(OfferQuery(city="杭州市", **query), now=NOON)
    return [(card.site_id, card.public_id, card.next_free and card.next_free.starts_at) for card in found.items]


def test_the_customer_sees_one_place_with_all_offers_each_with_its_own_free_places(world: World, other: Offer) -> None:
    before, place = listed(), site(world.offer)
    assert len({site_id for site_id, *_ in before}) == 2 and offer_cities("health_check")[0].sites == 2
    made = put(world, other)
    assert listed() == [
        (place.public_id, other.public_id, EIGHT - timedelta(days=1)),
        (place.public_id, world.offer.public_id, EIGHT),
    ], "the cheaper first, as at any place; each with the next free place of its own pool"
    for entry in (place, site(other)):
        assert listed(site=entry.public_id) == listed(), "the old address leads to the place"
    assert offer(other.public_id, now=NOON).card.site_name == place.name
    assert offer_cities("health_check")[0].sites == 1
    assert [each.sites for each in narrowing("health_check", "杭州市").tiers] == [1]
    found = find_places(OfferQuery("health_check", "杭州市"), now=NOON)
    assert [(each.shown.site_id, len(each.cards)) for each in found.items] == [(place.public_id, 2)]
    assert {each.site_name for each in alike(world.offer.public_id)} == {place.name}
    with transaction() as session:
        undo(session, made, by="opr_1", now=NOON)
    assert listed() == before


def test_words_from_another_city_find_the_place_by_an_offer_of_its_entry_alone(world: World, other: Offer) -> None:
    put(world, other)
    with transaction() as session:
        session.get_one(Offer, world.offer.id).active = False
    there = located("health_check", SiteQuery("北京市", q=site(world.offer).name))
    assert [(hits.city, hits.sites) for hits in there.others] == [("杭州市", 1)]


def hold_at(world: World, made: Offer) -> str:
    """Hold the first place of an offer."""
    with reading() as session:
        slot = session.scalars(
            select(Slot.public_id).where(Slot.pool_id == made.pool_id).order_by(Slot.starts_at)
        ).first()
    request = replace(world.request(), offer=made.public_id, slot=slot)
    return hold(world.principal, request, key=str(uuid.uuid4()), fingerprint=b"f", now=NOON).public_id


def test_each_offer_takes_its_own_places_and_a_new_booking_names_the_place(world: World, other: Offer) -> None:
    before = hold_at(world, other)
    made = put(world, other)
    after = world.hold(0)
    with reading() as session:
        rows = session.execute(select(Slot.pool_id, Slot.taken).where(Slot.taken > 0)).all()
        taken = {row.pool_id: row.taken for row in rows}
    assert taken == {world.offer.pool_id: 1, other.pool_id: 1}
    entry, place = site(other).name, site(world.offer).name
    view = booking(world.principal, before, now=NOON)
    assert (view.site["name"], view.listed_as) == (entry, place), "as it was booked, and what it is called now"
    assert booking(world.principal, after, now=NOON).listed_as == ""
    with transaction() as session:
        undo(session, made, by="opr_1", now=NOON)
    assert booking(world.principal, before, now=NOON).listed_as == ""


def test_an_offer_at_a_merged_entry_freezes_the_place_into_a_booking_and_is_an_alternative_there(
    world: World, other: Offer
) -> None:
    put(world, other)
    frozen = booking_row(hold_at(world, other)).snapshot["site"]
    assert (frozen["id"], frozen["name"]) == (site(world.offer).public_id, site(world.offer).name)
    lost = booking_row(world.hold(0))
    with reading() as session:
        found = nearest(session, session.get_one(Booking, lost.id), now=NOON)
    assert {one.site_name for one in found} == {site(world.offer).name}
    assert other.public_id in {one.offer_id for one in found}
