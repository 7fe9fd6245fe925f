"""Choosing a place on the pages: filters, orders, distance, favourites, cities, maps."""

from __future__ import annotations

import logging
import re
from urllib.parse import unquote

import pytest
from sqlalchemy import update

from booking.finding import favourites
from marketplace.catalog.models import Site
from marketplace.core.database.db import reading, transaction
from tests.marketplace.web.surfer import Surfer, surfer, text_of
from tests.people import NOON
from tests.world import World, make_offer, make_world

FINDER = "/places?benefit=health_check&city=杭州市"


def change(world: World, **values: object) -> str:
    """Change the place of the world's offer; its public id."""
    with transaction() as session:
        if values:
            session.execute(update(Site).where(Site.id == world.offer.site_id).values(**values))
        return session.get_one(Site, world.offer.site_id).public_id


def test_chips_narrow_the_list_and_stay_in_the_address(browser: Surfer, world: World) -> None:
    change(world, tier="三级甲等", kind="中医医院", district="西湖区")
    make_offer(slots=0, place_name="无号")
    told = text_of(browser.get(FINDER))
    assert "1 place to book · 1 not now" in told and "Wuhao" in told
    page = browser.get(f"{FINDER}&tier=三级甲等&tier=unknown&kind=中医医院&when=weekend&sort=level")
    told, markup = text_of(page), page.text
    assert "1 place, not to be booked now" in told and "Nothing free on a weekend within two months." in told
    assert "Wuhao" not in told and "Join the waiting list" not in told
    for name, value in (("tier", "三级甲等"), ("tier", "unknown"), ("kind", "中医医院"), ("when", "weekend")):
        assert re.search(rf'name="{name}" value="{value}" checked', markup), name
    assert re.search(r'<option value="level" selected', markup)
    assert "Tier 3A" in told and "Chinese medicine" in told


def test_a_full_place_offers_its_waiting_list(browser: Surfer) -> None:
    _provider, offer, _slots = make_offer(slots=0)
    page = browser.get(FINDER)
    assert f'href="/offers/{offer.public_id}/waiting?for=' in page.text


@pytest.mark.parametrize(
    "query",
    ["tier=七级", "kind=" + "x" * 60, "district=%00", "skip=-1", "skip=x", "sort=nowhere", "weekend=yes&morning="],
)
def test_what_nobody_can_choose_breaks_no_page(browser: Surfer, query: str) -> None:
    assert browser.get(f"{FINDER}&{query}").status_code in (200, 422)


def test_the_list_goes_on_where_it_ended(browser: Surfer, world: World) -> None:
    for _ in range(20):
        make_offer(slots=0)
    first = browser.get(FINDER)
    assert "1 place to book · 20 not now" in text_of(first) and first.text.count('class="place') > 20
    [more] = re.findall(r'hx-get="(/places[^"]*skip=20[^"]*)"', first.text)
    rest = browser.get(more.replace("&amp;", "&"))
    assert rest.text.count('<li class="place') == 1 and "More places" not in text_of(rest)


def test_distance_is_said_to_who_tells_where_she_is_and_to_nobody_else(
    browser: Surfer, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    change(world, longitude=120.2, latitude=30.25)
    make_offer(slots=0)
    with caplog.at_level(logging.DEBUG):
        page = browser.get(f"{FINDER}&sort=nearest", headers={"Near": "30.2409,120.2003"})
    told = text_of(page)
    assert "1 km" in told and "Places whose position we do not know stand last." in told
    assert '<option value="nearest" selected' in page.text
    assert not any(part in place for part in ("30.24", "120.2003") for place in (page.text, caplog.text))
    assert "geolocation=(self)" in page.headers["Permissions-Policy"]
    assert "geolocation=()" in browser.get("/bookings").headers["Permissions-Policy"]


@pytest.mark.parametrize(("near", "said"), [("", "does not know where you are"), ("here", "could not be read")])
def test_without_a_position_the_list_stays_and_says_so(browser: Surfer, near: str, said: str) -> None:
    page = browser.get(f"{FINDER}&sort=nearest", headers={"Near": near})
    assert page.status_code == 200 and said in text_of(page)
    assert '<option value="soonest" selected' in page.text and "1 place to book" in text_of(page)


def test_a_favourite_is_marked_shown_and_taken_back(browser: Surfer, world: World) -> None:
    site = change(world, name="心爱医院")
    assert "Your usual places" not in text_of(browser.get(FINDER))
    answer = browser.post(f"/sites/{site}/favourite", on="1", next=FINDER)
    assert (answer.status_code, unquote(str(answer.location))) == (303, FINDER)
    page = browser.get(FINDER)
    assert "Your usual places Favourite: Xin'ai Hospital From Tue 10 March" in text_of(page)
    assert f'id="heart-{site}" aria-pressed="true"' in page.text
    assert "Your usual places Favourite: Xin'ai Hospital" in text_of(browser.get("/places?city=北京市")), (
        "in every city"
    )
    assert "Your usual places" not in text_of(browser.get(f"{FINDER}&q=心爱")), "who looks for words wants those"
    packages = browser.get(f"/sites/{site}/packages")
    assert f'id="heart-{site}" aria-pressed="true"' in packages.text
    browser.post(f"/sites/{site}/favourite", next="https://elsewhere.example/")
    assert "Your usual places" not in text_of(browser.get(FINDER))


def test_the_heart_answers_with_itself_where_there_is_a_script(browser: Surfer, world: World) -> None:
    site, data = change(world, name="心爱医院"), {"csrf_token": browser.token(), "on": "1", "next": FINDER}
    answer = browser.client.post(f"/sites/{site}/favourite", data=data, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "Favourite: Xin&#39;ai Hospital" in answer.text
    assert 'aria-pressed="true"' in answer.text and answer.text.count("<form") == 1


def test_too_many_favourites_are_refused_in_words(
    browser: Surfer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(favourites, "MOST", 0)
    site = change(world)
    answer = browser.post(f"/sites/{site}/favourite", on="1", next=FINDER)
    assert answer.status_code == 303 and "There can be 0 favourite places." in text_of(browser.get(FINDER))
    data = {"csrf_token": browser.token(), "on": "1", "next": FINDER}
    answer = browser.client.post(f"/sites/{site}/favourite", data=data, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == FINDER


def test_where_she_has_booked_stands_above_the_list(browser: Surfer, world: World) -> None:
    change(world, name="去过医院")
    world.submit(0, now=NOON)
    assert "Your usual places Booked before: Quguo Hospital" in text_of(browser.get(FINDER))
    make_world(phone="13800000022")
    other = surfer(browser.client.application, "13800000022")
    assert "Your usual places" not in text_of(other.get(FINDER))


def test_a_place_leads_to_maps_and_says_its_tier_without_its_source(browser: Surfer, world: World) -> None:
    site = change(world, tier="三级甲等", tier_source="名录", tier_date="2020-01-01", address="杭州市西湖区文溪路 8 号")
    page = browser.get(f"/sites/{site}/packages")
    told = text_of(page)
    assert "Tier 3A" in told and "西湖区文溪路 8 号" in told
    assert re.search(
        r'href="https://uri\.amap\.com/search\?[^"]*" target="_blank" rel="noopener noreferrer"', page.text
    )
    finder = browser.get(FINDER)
    assert "名录" not in told + finder.text and "About tiers" in text_of(finder)
    about = text_of(browser.get("/places/levels?next=/places"))
    assert "Where the tiers are from 名录 (2020-01-01)" in about


def test_the_city_picker_finds_by_words_and_letters(browser: Surfer, world: World) -> None:
    picker = "/places/cities?benefit=health_check&city=杭州市"
    world.submit(0, now=NOON)
    told = text_of(browser.get(picker))
    assert "Here, and where your family was" in told and "East China" in told
    assert "1 city Hangzhou Zhejiang 1 place" in text_of(browser.get(f"{picker}&words=hz"))
    assert "No city of that name takes bookings yet." in text_of(browser.get(f"{picker}&words=zzz"))
    assert browser.get(f"{picker}&letter=%00&words=" + "x" * 99).status_code == 200


def test_an_empty_list_leads_back_without_its_filters(browser: Surfer) -> None:
    page = browser.get(f"{FINDER}&kind=皮肤病医院&when=morning&q=zzz")
    assert "No place fits all of this" in text_of(page)
    [plain] = re.findall(r'href="(/places[^"]*)"[^>]*>\s*Clear filters', page.text)
    assert "q=zzz" in plain and "kind=" not in plain and "when" not in plain


def test_the_person_is_switched_and_the_filters_stay(browser: Surfer, world: World) -> None:
    answer = browser.get(
        "/who",
        query_string={
            "go": "1",
            "for": world.beneficiary.public_id,
            "next": f"{FINDER}&tier=三级&tier=unknown&skip=20",
        },
    )
    assert answer.location is not None and answer.location.count("tier=") == 2 and "skip" not in answer.location


def test_nothing_of_the_position_is_stored(browser: Surfer, world: World) -> None:
    change(world, longitude=120.2, latitude=30.25)
    page = browser.get(f"{FINDER}&sort=nearest", headers={"Near": "30.24,120.20"})
    with reading() as session:
        assert session.get_one(Site, world.offer.site_id).longitude == 120.2
    assert page.headers["Cache-Control"] == "no-store" and "Near" not in str(page.headers.getlist("Set-Cookie"))
