"""Where a benefit can be booked."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, update

from booking.offers.cities import narrowing, offer_cities
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound
from tests.world import make_offer


def change(offer: Offer, **values: object) -> None:
    """Change the site of an offer."""
    with transaction() as session:
        session.execute(update(Site).where(Site.id == offer.site_id).values(**values))


def test_cities_count_the_sites_that_offer_it_in_the_order_of_their_pinyin(db: Engine) -> None:
    first, second, third = (make_offer()[1] for _ in range(3))
    change(third, province="北京市", city="北京市")
    found = offer_cities("health_check")
    assert [(city.name, city.sites, city.initial) for city in found] == [("北京市", 1, "B"), ("杭州市", 2, "H")]
    assert first.site_id != second.site_id


def test_a_closed_site_and_an_offer_given_up_do_not_count(db: Engine) -> None:
    closed, ended = make_offer()[1], make_offer()[1]
    change(closed, closed_at="2026-01-01T00:00:00Z")
    with transaction() as session:
        session.execute(update(Offer).where(Offer.id == ended.id).values(active=False))
    assert offer_cities("health_check") == []


def test_a_city_is_narrowed_by_what_it_has_highest_tier_first(db: Engine) -> None:
    offers = [make_offer()[1] for _ in range(4)]
    heart = {"code": "heart", "name_zh": "心内科", "name_en": "Cardiology"}
    for offer, tier, district, kind in zip(
        offers,
        ("二级", "三级甲等", None, "二级"),
        ("上城区", "西湖区", "西湖区", ""),
        ("中医医院", "综合/其他", "", "综合/其他"),
        strict=True,
    ):
        change(offer, tier=tier, district=district, kind=kind)
        with transaction() as session:
            session.execute(update(Offer).where(Offer.id == offer.id).values(package={"departments": [heart]}))
    found = narrowing("health_check", "杭州")
    assert [(tier.name, tier.sites) for tier in found.tiers] == [("三级甲等", 1), ("二级", 2), ("unknown", 1)]
    assert [(district.name, district.sites) for district in found.districts] == [("西湖区", 2), ("上城区", 1)]
    assert [(kind.name, kind.sites) for kind in found.kinds] == [("综合/其他", 2), ("中医医院", 1)]
    assert [(department.code, department.name.en) for department in found.departments] == [("heart", "Cardiology")]


def test_an_unknown_benefit_and_an_impossible_city_are_named(db: Engine) -> None:
    with pytest.raises(NotFound) as unknown:
        offer_cities("teleport")
    with pytest.raises(Invalid) as impossible:
        narrowing("health_check", "市" * 60)
    assert (unknown.value.at, impossible.value.at) == ("benefit", "city")
