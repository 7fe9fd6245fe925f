"""What a customer sees is of her market: lists, cities, single offers and times, on pages and in the API."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import Engine, text, update

from booking.offers.availability import OfferQuery, days, offer, search_offers, slots, slots_as_json
from booking.offers.cities import narrowing, offer_cities
from booking.twins.customers import customer
from booking.waiting.join import Criteria, join
from booking.waiting.view import alike
from marketplace.app import create_app
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Site
from marketplace.catalog.terms import search_columns
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from tests.booking.twins.stage import Stage, make_stage
from tests.people import NOON
from tests.world import DAY
from vip.models import Customer
from vip.principal import Principal
from vip.signin.authentication import authenticate, credential
from vip.signin.signin import issue_token_to

pytestmark = pytest.mark.usefixtures("db")


def sees(stage: Stage, market: int) -> set[str]:
    """The offers that those of a market find, by every way of finding them."""
    names = {stage.world.offer.public_id: "live", stage.offer.public_id: "test"}
    listed = {names[card.public_id] for card in search_offers(OfferQuery(), now=NOON, market=market).items}
    for public_id, name in names.items():
        ways = (
            lambda it=public_id: offer(it, market=market, now=NOON),
            lambda it=public_id: slots(it, DAY, DAY, market=market, now=NOON),
            lambda it=public_id: days(it, DAY, DAY, market=market, now=NOON),
            lambda it=public_id: slots_as_json(it, DAY, DAY, market=market, now=NOON),
            lambda it=public_id: alike(it, market=market),
        )
        for way in ways:
            if name in listed:
                way()
            else:
                with pytest.raises(NotFound):
                    way()
    return listed


def test_each_market_sees_its_own_offers_by_every_way() -> None:
    stage = make_stage()
    assert sees(stage, LIVE) == {"live"}
    assert sees(stage, stage.twin.id) == {"test"}
    other = make_stage(phone="13800000044")
    assert {each.public_id for each in search_offers(OfferQuery(), now=NOON, market=other.twin.id).items} == {
        other.offer.public_id
    }, "and no other twin's"


def test_nothing_of_a_twin_stands_in_public_counts(db: Engine) -> None:
    stage = make_stage()
    with db.begin() as connection:
        connection.execute(text("UPDATE offer SET active = false WHERE market = 0"))
    assert offer_cities("health_check") == [] and narrowing("health_check", "杭州").districts == []
    assert narrowing("health_check", "杭州").tiers == []
    assert [city.sites for city in offer_cities("health_check", market=stage.twin.id)] == [1]
    assert [tier.sites for tier in narrowing("health_check", "杭州", market=stage.twin.id).tiers] == [1]


def test_a_test_needs_no_certificate_and_what_is_live_does(db: Engine) -> None:
    stage = make_stage()
    with db.begin() as connection:
        connection.execute(text("UPDATE offer SET certified = false"))
    assert search_offers(OfferQuery(), now=NOON).items == []
    found = search_offers(OfferQuery(), now=NOON, market=stage.twin.id).items
    assert [card.next_free is not None for card in found] == [True]


def test_who_shows_a_token_sees_her_own_market(stage_token: tuple[Stage, str]) -> None:
    stage, token = stage_token
    assert authenticate(token, now=NOON).market == stage.twin.id
    found = search_offers(OfferQuery(), now=NOON, who=credential(token)).items
    assert [card.public_id for card in found] == [stage.offer.public_id]
    words = search_columns(["示范大学附属医院"], ["浙江省", "杭州市"], [])
    with transaction() as session:
        session.execute(
            update(Site).values(terms=list(words.terms), search_text=words.search_text, pinyin=words.pinyin)
        )
    assert search_offers(OfferQuery(q="示范"), now=NOON, who=credential(token)).items == found
    assert search_offers(OfferQuery(q="示大附院"), now=NOON, who=credential(token)).items == found, (
        "the second, loose look"
    )
    slots_as_json(stage.offer.public_id, DAY, DAY, now=NOON, who=credential(token))
    with pytest.raises(NotFound):
        slots_as_json(stage.world.offer.public_id, DAY, DAY, now=NOON, who=credential(token))


@pytest.fixture
def stage_token() -> tuple[Stage, str]:
    """A test customer who has a token all the same."""
    stage = make_stage()
    with transaction() as session:
        who = session.get_one(Customer, customer(stage.twin.id, 1).principal.id)
        return stage, issue_token_to(session, who, NOON).token


def test_the_api_answers_each_with_her_own_offers(stage_token: tuple[Stage, str], worker_database: object) -> None:
    stage, token = stage_token
    app: Flask = create_app()
    with clock.frozen(NOON):
        client = app.test_client()
        headers = {"Authorization": f"Bearer {token}"}
        listed = client.get("/api/v1/offers", headers=headers).get_json()["items"]
        live = client.get(f"/api/v1/offers/{stage.world.offer.public_id}/slots", headers=headers)
    assert [each["id"] for each in listed] == [stage.offer.public_id]
    assert live.status_code == 404


def test_nobody_waits_for_a_place_of_another_market() -> None:
    stage = make_stage()

    def wait(who: Principal, offer_id: str, person: str) -> None:
        wanted = Criteria((offer_id,), person, date(2026, 3, 10), date(2026, 3, 11))
        join(who, wanted, key=f"{who.public_id}{offer_id}", fingerprint=b"f", now=NOON)

    test = customer(stage.twin.id, 1)
    with pytest.raises(NotFound):
        wait(stage.world.principal, stage.offer.public_id, stage.world.beneficiary.public_id)
    with pytest.raises(NotFound):
        wait(test.principal, stage.world.offer.public_id, test.person)
    wait(stage.world.principal, stage.world.offer.public_id, stage.world.beneficiary.public_id)
    wait(test.principal, stage.offer.public_id, test.person)
