"""The list for a relative begins in the city where she was booked for last, says so and leads out of it."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from booking.finding.booked import city_of_relative
from booking.models import Booking
from marketplace.catalog.models import Site
from marketplace.core.database.db import transaction
from tests.marketplace.catalog.coverage.stage import KIND
from tests.marketplace.web.surfer import Surfer, text_of
from tests.people import NOON
from tests.world import World, make_offer, make_world
from vip.customers.family import NewMember, add_member
from vip.models import Beneficiary

FINDERS = ("/places?benefit=health_check", f"/places/venues?benefit={KIND}")
SAID = "沈伯年 was booked for in Hangzhou last, so the list begins there. Show Shanghai"


@pytest.fixture
def father(world: World) -> str:
    """The reader's father, who was booked for in Hangzhou; most places are in Shanghai."""
    member = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1960, 5, 1)), NOON)
    booking = world.submit()
    with transaction() as session:
        his = session.scalars(select(Beneficiary.id).where(Beneficiary.public_id == member.public_id)).one()
        session.execute(update(Booking).where(Booking.public_id == booking).values(beneficiary_id=his))
    for _ in range(2):
        _provider, offer, _slots = make_offer(slots=0)
        with transaction() as session:
            there = {"province": "上海市", "city": "上海市"}
            session.execute(update(Site).where(Site.id == offer.site_id).values(**there))
    return member.public_id


@pytest.mark.parametrize("finder", FINDERS)
def test_the_list_for_a_relative_begins_where_she_was_booked_for(browser: Surfer, father: str, finder: str) -> None:
    own = browser.get(finder)
    assert "Shanghai" in text_of(own) and "begins there" not in text_of(own)
    assert f"for={father}" in own.text and f"for={father}&amp;city" not in own.text, "he is chosen without a city"
    his = browser.get(f"{finder}&for={father}")
    assert SAID in text_of(his)
    out = f"city={quote('上海市')}"
    assert out in his.text
    assert "begins there" not in text_of(browser.get(f"{finder}&for={father}&{out}")), "she chose it"


@pytest.mark.parametrize("finder", FINDERS)
def test_his_city_does_not_become_hers(browser: Surfer, father: str, finder: str) -> None:
    browser.get(f"{finder}&for={father}&city={quote('杭州市')}")
    assert SAID in text_of(browser.get(f"{finder}&for={father}")), "hers is still the one with most places"
    browser.get(f"{finder}&city={quote('杭州市')}")
    assert "begins there" not in text_of(browser.get(f"{finder}&for={father}")), "both look in one city"


def test_where_nothing_is_offered_in_his_city_the_list_begins_in_hers(
    browser: Surfer, world: World, father: str
) -> None:
    with transaction() as session:
        session.execute(update(Site).where(Site.id == world.offer.site_id).values(closed_at=NOON))
    told = text_of(browser.get(f"{FINDERS[0]}&for={father}"))
    assert "Shanghai" in told and "begins there" not in told


def test_words_that_lead_elsewhere_say_that_alone(browser: Surfer, father: str) -> None:
    assert "begins there" not in text_of(browser.get(f"{FINDERS[0]}&for={father}&q={quote('上海')}"))


def test_a_city_is_known_of_relatives_of_ones_own_alone(world: World, father: str) -> None:
    assert city_of_relative(world.customer.id, father) == "杭州市"
    stranger = make_world(phone="13800000022")
    assert city_of_relative(stranger.customer.id, father) == ""
    world.submit(1)
    assert city_of_relative(world.customer.id, world.beneficiary.public_id) == "", "her own is what she looked at last"
    assert city_of_relative(world.customer.id, "bnf_none") == ""
