"""Choosing a place by program: the same list, the same favourites."""

from __future__ import annotations

from sqlalchemy import update

from marketplace.catalog.models import Site
from marketplace.core.database.db import transaction
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON
from tests.world import World, make_offer


def site_of(world: World, **values: object) -> str:
    with transaction() as session:
        if values:
            session.execute(update(Site).where(Site.id == world.offer.site_id).values(**values))
        return session.get_one(Site, world.offer.site_id).public_id


def test_places_come_with_their_counts_times_and_ways(caller: Caller, world: World) -> None:
    site = site_of(world, longitude=120.2, latitude=30.25, tier="三级甲等")
    make_offer(slots=0)
    asked = {"benefit": "health_check", "sort": "nearest", "limit": "1"}
    told = caller.get("/places", query_string=asked, headers={"Near": "30.241,120.2"}).get_json()
    assert (told["bookable"], told["not_now"]) == (1, 1)
    [place] = told["items"]
    assert (place["site_id"], place["metres"]) == (site, 1001) and place["next_free"]["free"] == 5
    assert [offer["id"] for offer in place["offers"]] == [world.offer.public_id]
    rest = caller.get("/places", query_string={**asked, "cursor": told["next"]}).get_json()
    assert [each["next_free"] for each in rest["items"]] == [None] and rest["next"] is None
    assert caller.get("/places?benefit=health_check&tier=二级").get_json()["items"] == []
    weekend = caller.get("/places?benefit=health_check&when=weekend_morning").get_json()
    assert (weekend["bookable"], weekend["not_now"]) == (0, 2)


def test_what_is_wrong_is_named(caller: Caller, world: World) -> None:
    problem(caller.get("/places"), 422, "invalid", "benefit")
    problem(caller.get("/places?benefit=teleport"), 404, "not_found", "benefit")
    problem(caller.get("/places?benefit=health_check&sort=best"), 422, "invalid", "sort")
    problem(caller.get("/places?benefit=health_check&cursor=AAAA"), 422, "invalid", "cursor")
    problem(caller.get("/places?benefit=health_check&beneficiary_id=ben_x"), 404, "not_found", "beneficiary_id")
    problem(caller.get("/places?benefit=health_check", headers={"Near": "home"}), 422, "invalid", "Near")


def test_a_favourite_is_the_same_on_the_page_and_here(caller: Caller, world: World) -> None:
    site = site_of(world)
    for _ in range(2):
        assert caller.call("PUT", f"/sites/{site}/favourite").status_code == 204
    assert [each["id"] for each in caller.get("/sites/favourites").get_json()["items"]] == [site]
    problem(caller.call("PUT", f"/sites/{site}/favourite", json={"on": 1}), 422, "invalid", "on")
    problem(caller.call("PUT", "/sites/sit_00000000000000000000/favourite"), 404, "not_found", "site")
    for _ in range(2):
        assert caller.call("DELETE", f"/sites/{site}/favourite").status_code == 204
    assert caller.get("/sites/favourites").get_json() == {"items": [], "next": None}


def test_places_that_were_booked_are_told(caller: Caller, world: World) -> None:
    assert caller.get("/sites/booked").get_json()["items"] == []
    world.submit(0, now=NOON)
    assert [each["id"] for each in caller.get("/sites/booked").get_json()["items"]] == [site_of(world)]
