"""The places of a benefit: narrowed, counted and put in order for one person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from booking.finding import places
from booking.finding.places import FoundPlace, find_places
from booking.offers.availability import OfferQuery
from booking.offers.cards import PersonFacts
from marketplace.core.errors import Invalid
from marketplace.core.sphere import Position
from tests.sites import Place, add_slot, load_sites, make_offer, row

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # Monday, 12:00 in Shanghai
FATHER = PersonFacts("male", date(1955, 3, 20))
HERE = Position(39.9, 116.4)
WOMEN = {"sex": "female", "items": []}


def slot(place: Place, days: int, hour: int, zone: str = "Asia/Shanghai") -> None:
    day = date(2026, 3, 2) + timedelta(days)
    start = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    add_slot(place, day, start, start + timedelta(hours=1))


@pytest.fixture
def city(db: Engine, tmp_path: Path) -> None:
    """Five places. 甲 is of the second tier, far and free on Wednesday afternoon; 乙 of the third, near and free on
    Saturday afternoon; 丙 without tier and coordinates has whole days from Sunday on; 丁 is full; 戊 is for women."""
    near, far = {"latitude": "39.901", "longitude": "116.4"}, {"latitude": "39.99", "longitude": "116.4"}
    load_sites(
        tmp_path,
        [
            row("甲医院", tier="二级", district="东城区", kind="中医医院", **far),
            row("乙医院", tier="三级甲等", district="西城区", **near),
            row("丙体检中心", tier="", district="西城区", kind="体检中心"),
            row("丁医院", tier="三级甲等", district="朝阳区"),
            row("戊医院", tier="三级", district="", **near),
        ],
    )
    slot(make_offer("甲医院"), 2, 14)
    slot(make_offer("乙医院", price_minor=5), 5, 15)
    add_slot(make_offer("丙体检中心"), date(2026, 3, 8), None, None)
    make_offer("丁医院")
    women = make_offer("戊医院", package=WOMEN)
    slot(women, 1, 9)
    slot(women, 12, 9)


def found(order: places.Order = "soonest", near: Position | None = None, **query: Any) -> list[str]:
    shown = find_places(OfferQuery("health_check", **query), order, near=near, now=NOON)
    return [each.shown.site_name[:1] for each in shown.items]


def test_each_order_puts_what_can_be_booked_first(city: None) -> None:
    assert found() == ["戊", "甲", "乙", "丙", "丁"], "nobody in particular"
    assert found(person=FATHER) == ["甲", "乙", "丙", "丁", "戊"]
    assert found("level", person=FATHER) == ["乙", "甲", "丙", "丁", "戊"]
    assert found("nearest", HERE, person=FATHER) == ["乙", "甲", "丙", "戊", "丁"]
    assert found("nearest", None, person=FATHER) == found(person=FATHER), "nothing is near to nowhere"
    assert found("match", q="医院", person=FATHER) == ["丁", "乙", "戊", "甲"], "as the search has them"


def test_the_way_is_known_where_both_ends_are(city: None) -> None:
    ways = {
        each.shown.site_name[:1]: each.metres for each in places.find_places(OfferQuery(), near=HERE, now=NOON).items
    }
    assert ways == {"乙": 111, "戊": 111, "甲": 10008, "丙": None, "丁": None}
    assert all(each.metres is None for each in find_places(OfferQuery(), now=NOON).items)


def test_filters_of_one_sort_widen_and_of_several_narrow(city: None) -> None:
    assert found(tiers=("三级甲等",)) == ["乙", "丁"]
    assert found(tiers=("三级甲等", "unknown")) == ["乙", "丙", "丁"]
    assert found(districts=("西城", "东城区")) == ["甲", "乙", "丙"], "with or without its rank"
    assert found(site_kinds=("中医医院", "体检中心")) == ["甲", "丙"]
    assert found(tiers=("三级甲等",), districts=("西城区",)) == ["乙"]
    assert found(site_kinds=("海滩",)) == []
    for wrong in ({"tiers": ("七级",)}, {"districts": ("区" * 60,)}, {"site_kinds": ("\ud800",)}):
        with pytest.raises(Invalid):
            found(**wrong)


def test_a_wish_for_a_time_looks_further_and_leaves_nobody_out(city: None) -> None:
    def free(**wish: bool) -> dict[str, date | None]:
        shown = find_places(OfferQuery("health_check", **wish), now=NOON).items
        return {each.shown.site_name[:1]: each.next_free.service_date if each.next_free else None for each in shown}

    saturday, sunday, after = date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 14)
    assert free(weekend=True) == {"乙": saturday, "丙": sunday, "戊": after, "甲": None, "丁": None}
    assert free(morning=True) == {"戊": date(2026, 3, 3), "丙": sunday, "甲": None, "乙": None, "丁": None}
    assert free(weekend=True, morning=True) == {
        "丙": sunday,
        "戊": date(2026, 3, 14),
        "甲": None,
        "乙": None,
        "丁": None,
    }


def test_a_morning_ends_at_noon_where_the_place_is(db: Engine, tmp_path: Path) -> None:
    load_sites(tmp_path, [row("甲医院"), row("乙医院")])
    slot(make_offer("甲医院"), 2, 11)
    slot(make_offer("乙医院"), 1, 12)
    assert [bool(each.next_free) for each in find_places(OfferQuery(morning=True), now=NOON).items] == [True, False]


def test_offers_of_a_department_are_found_by_its_code(db: Engine, tmp_path: Path) -> None:
    load_sites(tmp_path, [row("甲医院"), row("乙医院")])
    heart = {"code": "heart", "name_zh": "心内科", "name_en": "Cardiology"}
    make_offer("甲医院", package={"sex": "any", "items": [], "departments": [heart]})
    make_offer("乙医院")
    assert found(departments=("heart", "skin")) == ["甲"] and found(departments=("skin",)) == []


def test_places_are_counted_for_the_person_and_given_page_by_page(city: None) -> None:
    query = OfferQuery("health_check", person=FATHER)
    first = find_places(query, limit=3, now=NOON)
    assert (first.bookable, first.not_now, first.following, len(first.items)) == (3, 2, 3, 3)
    second = find_places(query, skip=3, limit=3, now=NOON)
    assert (second.bookable, second.following, len(second.items)) == (3, None, 2)
    beyond = find_places(query, skip=99, now=NOON)
    assert (beyond.items, beyond.following) == ((), None)


def test_more_offers_than_are_looked_at_are_not_counted(city: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MOST_OFFERS", 3)
    shown = find_places(OfferQuery("health_check"), now=NOON)
    assert (shown.bookable, shown.not_now, len(shown.items)) == (None, None, 3)


def test_a_place_speaks_by_the_package_that_she_may_have_soonest(db: Engine, tmp_path: Path) -> None:
    load_sites(tmp_path, [row("甲医院")])
    for code, price, days in (("late", 1, 9), ("soon", 2, 3), ("none", 3, 0)):
        offer = make_offer("甲医院", code=code, price_minor=price, name_en=code)
        if days:
            slot(offer, days, 9)
    slot(make_offer("甲医院", code="women", package=WOMEN, name_en="women", price_minor=0), 1, 9)
    (place,) = find_places(OfferQuery(person=FATHER), now=NOON).items
    assert [card.name_en for card in place.fit] == ["late", "soon", "none"]
    assert [card.name_en for card in place.free] == ["soon", "late"] and place.shown.name_en == "soon"
    assert FoundPlace(place.fit[2:]).next_free is None


def test_her_own_places_are_found_by_their_ids_in_any_city(city: None) -> None:
    ids = {each.shown.site_name[:1]: each.shown.site_id for each in find_places(OfferQuery(), now=NOON).items}
    assert found(sites=(ids["丁"], ids["甲"], "sit_nowhere", "\x00")) == ["甲", "丁"]
