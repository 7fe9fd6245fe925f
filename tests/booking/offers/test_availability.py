"""Offers with their next free place, the slots of an offer, and what a slot cannot be booked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, text

from booking.offers.availability import OfferQuery, days, offer, search_offers, slots
from booking.offers.cards import PersonFacts
from marketplace.core.database.db import engine
from marketplace.core.errors import Invalid, NotFound
from tests.sites import Place, add_slot, load_sites, make_offer, plans_of, row

pytestmark = pytest.mark.every_postgres

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
TODAY = date(2026, 3, 2)


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def _slot(place: Place, day: date, hour: int, **fields: Any) -> str:
    return add_slot(place, day, _at(day, hour), _at(day, hour + 1), **fields)


@pytest.fixture
def place(db: Engine, tmp_path: Path) -> Place:
    """An offer with a lead time of an hour at a site in Beijing."""
    load_sites(tmp_path, [row("甲医院"), row("乙医院", province="河北省", city="唐山市", tier="三级")])
    return make_offer("甲医院")


def test_each_slot_says_why_it_cannot_be_booked(place: Place) -> None:
    tomorrow = TODAY + timedelta(1)
    expected = {
        _slot(place, TODAY, 11): "past",
        _slot(place, TODAY, 12): "past",
        _slot(place, TODAY, 13): None,
        _slot(place, TODAY, 14, offered=0): "full",
        _slot(place, TODAY, 15, closed=True): "closed",
        _slot(place, tomorrow, 9): None,
    }
    assert {each.id: each.reason for each in slots(place.offer, TODAY, tomorrow, now=NOON)} == expected
    later = {each.id: each.reason for each in slots(place.offer, TODAY, tomorrow, now=NOON + timedelta(seconds=1))}
    assert [later[each] for each in expected][2] == "past"


def test_a_slot_carries_its_times_with_zone_and_its_places(place: Place) -> None:
    _slot(place, TODAY, 15, offered=5)
    (shown,) = slots(place.offer, TODAY, TODAY, now=NOON)
    assert (shown.starts_at, shown.service_date) == (_at(TODAY, 15), TODAY)
    assert (shown.capacity, shown.free) == (5, 5)


def test_days_outside_the_offers_season_are_not_offered(db: Engine, tmp_path: Path) -> None:
    load_sites(tmp_path, [row("甲医院")])
    first, last = TODAY + timedelta(2), TODAY + timedelta(3)
    season = make_offer("甲医院", available_from=first, available_until=last)
    for number in range(1, 5):
        _slot(season, TODAY + timedelta(number), 9)
    shown = slots(season.offer, TODAY, TODAY + timedelta(9), now=NOON)
    assert [each.reason for each in shown] == ["out_of_season", None, None, "out_of_season"]
    upcoming = offer(season.offer, now=NOON).card.next_free
    assert upcoming is not None
    assert upcoming.service_date == first


def test_a_day_without_times_closes_before_its_midnight_in_the_sites_zone(place: Place) -> None:
    add_slot(place, TODAY, None, None)
    add_slot(place, TODAY + timedelta(1), None, None)
    assert [each.reason for each in slots(place.offer, TODAY, TODAY + timedelta(1), now=NOON)] == ["past", None]
    closing = slots(place.offer, TODAY + timedelta(1), TODAY + timedelta(1), now=NOON)[0].closes_at
    assert closing == datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    before, after = closing, closing + timedelta(seconds=1)
    assert [slots(place.offer, TODAY, TODAY + timedelta(1), now=now)[-1].reason for now in (before, after)] == [
        None,
        "past",
    ]


def test_the_card_shows_the_first_place_that_can_still_be_booked(place: Place) -> None:
    _slot(place, TODAY, 12)
    _slot(place, TODAY, 14, offered=0)
    _slot(place, TODAY, 16, closed=True)
    _slot(place, TODAY + timedelta(2), 9, offered=3)
    _slot(place, TODAY + timedelta(1), 9, offered=4)
    (card,) = search_offers(OfferQuery(), now=NOON).items
    assert card.next_free is not None
    assert (card.next_free.starts_at, card.next_free.free) == (_at(TODAY + timedelta(1), 9), 4)


def test_an_offer_without_a_free_place_is_shown_without_one(place: Place) -> None:
    (card,) = search_offers(OfferQuery(benefit="health_check"), now=NOON).items
    assert card.next_free is None


def test_a_card_says_whether_the_person_may_come_at_that_date(db: Engine, tmp_path: Path) -> None:
    load_sites(tmp_path, [row("甲医院")])
    package = {"sex": "any", "age_max": 70, "items": [{"code": "ecg", "name_zh": "心电图", "name_en": "ECG"}]}
    place = make_offer("甲医院", package=package)
    _slot(place, TODAY + timedelta(30), 9)
    father = PersonFacts("male", date(1955, 3, 20))
    (card,) = search_offers(OfferQuery(person=father), now=NOON).items
    assert card.not_eligible is not None
    assert card.not_eligible.facts == {"reason": "age", "min_age": None, "max_age": 70, "age": 71}
    _slot(place, TODAY + timedelta(10), 9)
    assert search_offers(OfferQuery(person=father), now=NOON).items[0].not_eligible is None
    assert offer(place.offer, person=father, now=NOON).package == package


def test_offers_are_found_by_city_words_and_site_and_inactive_ones_are_not(place: Place) -> None:
    other = make_offer("乙医院", price_minor=1)
    make_offer("乙医院", code="two", active=False)

    def found(**query: Any) -> list[str]:
        return [each.public_id for each in search_offers(OfferQuery(**query), now=NOON).items]

    assert found() == [place.offer, other.offer]
    assert found(city="唐山") == found(q="乙医院") == found(tiers=("三级",)) == [other.offer]
    site_id = search_offers(OfferQuery(city="北京"), now=NOON).items[0].site_id
    assert found(site=site_id) == [place.offer]
    assert found(q="湘雅") == found(site="site_none") == []


def test_offers_page_by_cursor_without_gaps_or_doubles(place: Place) -> None:
    made = [place.offer, *(make_offer("甲医院", code=f"c{n}", price_minor=n // 2).offer for n in range(9))]
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        page = search_offers(OfferQuery(q="医院"), cursor=cursor, limit=3, now=NOON)
        seen += [each.public_id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
    assert seen[-1] == place.offer


def test_the_calendar_counts_free_slots_and_places_by_day(place: Place) -> None:
    tomorrow = TODAY + timedelta(1)
    _slot(place, tomorrow, 9, offered=2)
    _slot(place, tomorrow, 10, offered=3)
    _slot(place, tomorrow + timedelta(1), 9, offered=0)
    shown = days(place.offer, TODAY, TODAY + timedelta(2), now=NOON)
    assert [(day.date, day.slots, day.free, day.known) for day in shown] == [
        (TODAY, 0, 0, False),
        (tomorrow, 2, 5, True),
        (tomorrow + timedelta(1), 0, 0, True),
    ]


@pytest.mark.parametrize(
    ("first", "last"),
    [(TODAY, TODAY - timedelta(1)), (TODAY, TODAY + timedelta(62)), (date.min, date.max), (date.max, date.min)],
)
def test_a_range_that_cannot_be_asked_for_names_its_field(place: Place, first: date, last: date) -> None:
    for ask in (slots, days):
        with pytest.raises(Invalid) as refused:
            ask(place.offer, first, last, now=NOON)
        assert refused.value.at == "to"


def test_ranges_at_the_ends_of_the_calendar_are_answered(place: Place) -> None:
    assert slots(place.offer, date.max, date.max, now=NOON) == slots(place.offer, date.min, date.min, now=NOON) == []
    assert [day.known for day in days(place.offer, date.max, date.max, now=NOON)] == [False]


@pytest.mark.parametrize("public_id", ["", "ofr_none", "\0", "\ud800", "x" * 1_000_000])
def test_an_unknown_offer_is_not_found(place: Place, public_id: str) -> None:
    for ask in (lambda: offer(public_id, now=NOON), lambda: slots(public_id, TODAY, TODAY, now=NOON)):
        with pytest.raises(NotFound) as refused:
            ask()
        assert refused.value.at == "offer_id"


def test_unknown_benefits_and_bad_cursors_are_refused_by_name(place: Place) -> None:
    with pytest.raises(NotFound) as refused:
        search_offers(OfferQuery(benefit="\ud800"), now=NOON)
    assert refused.value.at == "benefit"
    with pytest.raises(Invalid) as bad:
        search_offers(OfferQuery(), cursor="AAAA", now=NOON)
    assert bad.value.at == "cursor"


def test_among_a_hundred_thousand_slots_none_is_read_that_is_not_needed(
    place: Place, owner_connection: Connection
) -> None:
    owner_connection.execute(
        text(
            "INSERT INTO capacity_pool (public_id, provider_id, site_id, external_ref) "
            "SELECT 'pool_' || n, (SELECT min(id) FROM provider), (SELECT min(id) FROM site), 'many' || n "
            "FROM generate_series(1, 250) n"
        )
    )
    owner_connection.execute(
        text(
            "INSERT INTO slot (public_id, pool_id, external_ref, service_date, starts_at, ends_at, offered, capacity) "
            "SELECT 'slt_' || p.id || '_' || d || '_' || n, p.id, d || '_' || n, CAST(:today AS date) + d, "
            "CAST(:noon AS timestamptz) + d * interval '1 day' + n * interval '1 hour', "
            "CAST(:noon AS timestamptz) + d * interval '1 day' + (n + 1) * interval '1 hour', d % 2, d % 2 "
            "FROM capacity_pool p, generate_series(0, 57) d, generate_series(0, 6) n"
        ),
        {"today": TODAY, "noon": NOON},
    )
    owner_connection.execute(text("ANALYZE"))
    assert owner_connection.execute(text("SELECT count(*) FROM slot")).scalar_one() > 100_000
    with plans_of(engine()) as plans:
        (card,) = search_offers(OfferQuery(benefit="health_check"), now=NOON).items
        shown = slots(place.offer, TODAY, TODAY + timedelta(61), now=NOON)
    assert card.next_free is not None
    assert len(shown) == 58 * 7
    assert all("Seq Scan on slot" not in plan for plan in plans)
    assert "ix_slot_free" in plans[0]
    assert "ix_slot_pool_date" in plans[-1]
