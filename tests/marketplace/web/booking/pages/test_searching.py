"""The words of the finder: another city, elsewhere, too long, nothing; and English for who reads English."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketplace.catalog.importer import import_sites
from marketplace.catalog.search import SiteQuery, search_sites
from tests.marketplace.web.surfer import Surfer, text_of
from tests.sites import make_offer, row, write_sites

SITES = (
    row("四川大学华西医院", province="四川省", city="成都市", district="武侯区", address="四川省成都市国学巷37号"),
    row("四川大学华西口腔医院", province="四川省", city="成都市"),
    row("北京协和医院", district="东城区", address="帅府园1号"),
    row("北京市第六医院", district="东城区"),
)


@pytest.fixture(autouse=True)
def _offered(browser: Surfer, tmp_path: Path) -> None:
    import_sites(write_sites(tmp_path / "sites.csv", SITES))
    for site in SITES[:3]:
        make_offer(site["name"], code=site["name"])


def _places(browser: Surfer, **query: str) -> str:
    return text_of(browser.get("/places", query_string={"benefit": "health_check", "lang": "zh", **query}))


def test_words_that_name_another_city_lead_there_and_back_when_they_go(browser: Surfer) -> None:
    page = browser.get("/places", query_string={"lang": "zh", "city": "北京市", "q": "成都 华西"})
    told, markup = text_of(page), page.get_data(as_text=True)
    assert "四川大学华西医院" in told and "四川大学华西口腔医院" in told
    assert "按您输入的，显示成都的结果。 回到北京" in told
    assert 'name="city" value="北京市"' in markup, "the words alone lead to Chengdu"
    assert "北京协和医院" in _places(browser), "which is not remembered"


def test_without_a_hit_here_it_is_shown_where_there_are_some_that_can_be_booked(browser: Surfer) -> None:
    told = _places(browser, city="北京市", q="华西", district="东城区")
    assert "北京没有，这些城市有： 成都 2 家" in told
    assert told.index("成都 2 家") < told.index("四川大学华西医院") < told.index("成都 武侯区国学巷37号")
    page = browser.get("/places", query_string={"city": "北京市", "q": "华西"}).get_data(as_text=True)
    assert "city=%E6%88%90%E9%83%BD%E5%B8%82&amp;q=%E5%8D%8E%E8%A5%BF" in page, "one tap goes there"
    assert "北京市第六医院" not in _places(browser, city="北京市", q="北京六院"), "nothing is offered there"
    assert "其他城市也有" not in _places(browser, city="成都市", q="华西")


def test_where_there_is_nothing_that_is_said_and_clearing_clears_the_city_too(browser: Surfer) -> None:
    page = browser.get("/places", query_string={"lang": "en", "city": "成都市", "q": "xyzzyx"})
    assert "No place fits all of this" in text_of(page)
    clear = page.get_data(as_text=True).split("Clear filters")[0].rsplit('href="', 1)[1].split('"')[0]
    assert "city" not in clear and "q=" not in clear and "benefit=health_check" in clear


def test_words_that_are_too_long_are_said_to_be_and_stay_in_the_box(browser: Surfer) -> None:
    page = browser.get("/places", query_string={"lang": "zh", "city": "北京市", "q": "协和" * 51})
    assert page.status_code == 200
    told, markup = text_of(page), page.get_data(as_text=True)
    assert "100" in told and 'role="alert"' in markup and "协和" * 51 in markup
    assert "北京协和医院" not in told
    assert browser.get("/places", query_string={"q": "x" * 7_000}).status_code == 200
    answer = browser.get("/places", query_string={"q": "协\x00和"})
    assert answer.status_code == 200


def test_an_english_reader_reads_english_and_shows_the_driver_chinese(browser: Surfer) -> None:
    told = _places(browser, city="成都市", lang="en")
    assert "West China Hospital, Sichuan University" in told
    assert "37 Guoxue Lane, Wuhou District" in told
    assert "华西" not in told
    site = search_sites(SiteQuery(q="四川大学华西医院")).items[0].public_id
    packages = f"/sites/{site}/packages"
    told = text_of(browser.get(packages))
    assert "四川大学华西医院 四川省成都市国学巷37号" in told and "West China Hospital" in told
    told = text_of(browser.get(f"{packages}?lang=zh"))
    assert told.count("国学巷") == 1, "who reads Chinese reads the address once"
