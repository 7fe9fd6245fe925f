"""A customer marks places, and nobody else sees which; where her family was booked is known from her bookings."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text, update

from booking.finding import favourites
from booking.finding.booked import booked_sites, family_cities
from booking.finding.favourites import FavouritesFull, add_favourite, favourite_sites, remove_favourite
from booking.models import Booking
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.merge import merge, undo
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.people import NOON
from tests.world import World, make_world


def site_of(world: World) -> str:
    with reading() as session:
        return session.get_one(Site, world.offer.site_id).public_id


def close(world: World) -> None:
    with transaction() as session:
        session.execute(update(Site).where(Site.id == world.offer.site_id).values(closed_at=NOON))


def test_a_mark_is_hers_alone_stands_once_and_goes(db: Engine) -> None:
    her, other = make_world(), make_world(phone="13800000022")
    one, two = site_of(her), site_of(other)
    for site in (one, two, one):
        add_favourite(her.principal, site, now=NOON)
    assert favourite_sites(her.customer.id) == [two, one] and favourite_sites(other.customer.id) == []
    remove_favourite(other.principal, one)
    remove_favourite(her.principal, two)
    remove_favourite(her.principal, two)
    assert favourite_sites(her.customer.id) == [one]


def test_a_place_that_is_not_there_or_closed_is_not_marked(db: Engine, owner_connection: Connection) -> None:
    her = make_world()
    site = site_of(her)
    add_favourite(her.principal, site, now=NOON)
    close(her)
    for wrong in (site, "sit_" + "0" * 20, "\x00", "x" * 9999):
        with pytest.raises(NotFound):
            add_favourite(her.principal, wrong, now=NOON)
    assert favourite_sites(her.customer.id) == []
    remove_favourite(her.principal, site)
    assert owner_connection.execute(text("SELECT count(*) FROM favourite_site")).scalar_one() == 0


def test_a_mark_on_a_merged_entry_shows_its_place_once_and_comes_back_when_the_merge_is_undone(db: Engine) -> None:
    her, other = make_world(quantity=4), make_world(phone="13800000022")
    entry, place = site_of(other), site_of(her)
    for marked in (place, entry):
        add_favourite(her.principal, marked, now=NOON)
    with transaction() as session:
        made = merge(session, entry, place, by="opr_1", now=NOON)
    assert favourite_sites(her.customer.id) == [place]
    with transaction() as session:
        undo(session, made, by="opr_1", now=NOON)
    assert favourite_sites(her.customer.id) == [entry, place]
    with transaction() as session:
        merge(session, entry, place, by="opr_1", now=NOON)
    remove_favourite(her.principal, place)
    assert favourite_sites(her.customer.id) == [], "the place has no mark left, whichever entry had it"
    add_favourite(her.principal, entry, now=NOON)
    add_favourite(her.principal, place, now=NOON)
    assert favourite_sites(her.customer.id) == [place]


def test_where_a_merged_entry_was_booked_is_its_place(db: Engine) -> None:
    her, other = make_world(), make_world(phone="13800000022")
    her.submit(0, now=NOON)
    with transaction() as session:
        merge(session, site_of(her), site_of(other), by="opr_1", now=NOON)
    assert booked_sites(her.customer.id) == [site_of(other)]


def test_there_is_an_end_to_favourites(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(favourites, "MOST", 1)
    her, other = make_world(), make_world(phone="13800000022")
    add_favourite(her.principal, site_of(her), now=NOON)
    add_favourite(her.principal, site_of(her), now=NOON)
    with pytest.raises(FavouritesFull) as full:
        add_favourite(her.principal, site_of(other), now=NOON)
    assert full.value.facts == {"most": 1}
    add_favourite(other.principal, site_of(other), now=NOON)


def test_places_of_bookings_come_last_first_and_what_came_to_nothing_is_none(db: Engine) -> None:
    her = make_world(quantity=None)
    assert booked_sites(her.customer.id) == [] and family_cities(her.customer.id) == {}
    held = her.hold(0)
    assert booked_sites(her.customer.id) == [], "held, but never submitted"
    with transaction() as session:
        session.execute(update(Booking).where(Booking.public_id == held).values(updated_at=NOON - timedelta(days=1)))
    her.submit(1)
    stranger = make_world(phone="13800000022")
    assert booked_sites(her.customer.id) == [site_of(her)] and booked_sites(stranger.customer.id) == []
    assert family_cities(her.customer.id) == {her.beneficiary.public_id: "杭州市"}
    close(her)
    assert booked_sites(her.customer.id) == []
