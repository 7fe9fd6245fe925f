"""The city picker: what is likely, by letter, by region, and by what people type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.search import CityCount
from marketplace.web.booking.finding import cities_page
from marketplace.web.booking.finding.places_page import Search
from marketplace.web.regions import MUNICIPALITIES, REGIONS

SEARCH = Search("health_check", "ben_1", "杭州市", "ent_1", query="协和", tiers=("三级",), when=("weekend",))
PLACES = (
    ("北京市", "北京市", 201),
    ("浙江省", "杭州市", 68),
    ("江苏省", "苏州市", 36),
    ("江苏省", "宿州市", 2),
    ("吉林省", "吉林市", 7),
    ("吉林省", "延边朝鲜族自治州", 4),
    ("内蒙古自治区", "呼和浩特市", 12),
    ("内蒙古自治区", "兴安盟", 1),
    ("西藏自治区", "阿里地区", 1),
    ("重庆市", "重庆市", 96),
    ("云南省", "西双版纳傣族自治州", 3),
    ("某地", "某城市", 1),
)
FOUND = [CityCount(province, city, "".join(syllables(city))[:1].upper(), sites) for province, city, sites in PLACES]


@pytest.fixture(autouse=True)
def asked(app: Flask) -> Iterator[None]:
    with app.test_request_context("/places/cities?lang=zh"):
        yield


def names(words: str) -> list[str]:
    return [city.name for city in cities_page.matching(FOUND, SEARCH, words)]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("杭州", "杭州"), ("杭州市", "杭州"), (" hang zhou ", "杭州"), ("HZ", "杭州"), ("hangz", "杭州"),
        ("chongqing", "重庆"), ("cq", "重庆"), ("重慶", "重庆"), ("su zhou", "苏州"), ("杭", "杭州"),
        ("xishuang", "西双版纳傣族自治州"),
        ("延边", "延边朝鲜族自治州"), ("朝鲜族", "延边朝鲜族自治州"), ("阿里", "阿里地区"), ("内蒙古", "呼和浩特"),
        ("neimenggu", "呼和浩特"), ("吉林", "吉林"), ("xi'an", None), ("zzz", None), ("，", None), ("%_", None),
    ],
)  # fmt: skip
def test_a_city_is_found_by_what_people_type(words: str, first: str | None) -> None:
    assert next(iter(names(words)), None) == first


def test_an_english_reader_reads_and_types_english_names(app: Flask) -> None:
    with app.test_request_context("/places/cities?lang=en"):
        hits = cities_page.matching(FOUND, SEARCH, "Hohhot")
        assert [(city.name, city.note) for city in hits] == [("Hohhot", "Inner Mongolia")]
        regions = {
            region.name: [each.name for each in region.provinces] for region in cities_page.regions(FOUND, SEARCH)
        }
        assert regions["North China"] == ["Beijing", "Inner Mongolia"]
        assert "Yanbian" in names("yanbian")


def test_what_has_the_same_pinyin_comes_with_most_places_first_and_its_province() -> None:
    hits = cities_page.matching(FOUND, SEARCH, "suzhou")
    assert [(city.name, city.note, city.count) for city in hits] == [("苏州", "江苏", 36), ("宿州", "江苏", 2)]


def test_a_letter_does_not_find_half_the_country() -> None:
    assert names("j") == ["吉林"], "what begins with it, and no province"


def test_places_stand_in_their_region_under_their_full_names() -> None:
    regions = {each.name: {one.name: one for one in each.provinces} for each in cities_page.regions(FOUND, SEARCH)}
    assert list(regions) == ["华北", "东北", "华东", "西南", "其他"], "those without a city are left out"
    assert list(regions["华北"]) == ["北京", "内蒙古自治区"] and list(regions["其他"]) == ["某地"]
    assert [city.name for city in regions["东北"]["吉林"].cities] == ["吉林", "延边朝鲜族自治州"]
    assert [city.name for city in regions["华北"]["内蒙古自治区"].cities] == ["呼和浩特", "兴安盟"]
    assert regions["华北"]["北京"].alone and not regions["华东"]["浙江"].alone
    assert (regions["华东"]["江苏"].count, regions["华东"]["浙江"].current) == (38, True)


def test_every_province_stands_once() -> None:
    every = [name for _region, provinces in REGIONS for name in provinces]
    assert len(every) == len(set(every)) == 34 and set(MUNICIPALITIES) <= set(every)


def test_the_current_city_comes_before_the_familys_and_those_chosen_last() -> None:
    family = cities_page.family(
        {"b1": "延边朝鲜族自治州", "b2": "延边朝鲜族自治州", "b9": "北京市"}, {"b1": "父亲", "b2": "母亲"}
    )
    near = cities_page.likely(FOUND, SEARCH, ["苏州市", "杭州市", "纽约"], family)
    assert [(city.name, city.note, city.current) for city in near] == [
        ("杭州", "", True), ("延边朝鲜族自治州", "父亲, 母亲", False), ("苏州", "", False),
    ]  # fmt: skip
    assert [city.name for city in cities_page.hot(FOUND, SEARCH)[:2]] == ["北京", "重庆"]


def test_letters_are_those_that_there_are() -> None:
    letters = cities_page.letters(FOUND, SEARCH, "X")
    assert [each.text for each in letters] == sorted({city.initial for city in FOUND})
    assert [each.text for each in letters if each.current] == ["X"]
    assert [city.name for city in cities_page.lettered(FOUND, SEARCH, "X")] == ["兴安盟", "西双版纳傣族自治州"]
    assert cities_page.lettered(FOUND, SEARCH, "") == ()


def test_another_city_clears_the_words_and_filters_of_this_one() -> None:
    url = cities_page.city(FOUND[0], SEARCH).url
    assert "for=ben_1" in url and "entitlement=ent_1" in url
    assert not any(part in url for part in ("q=", "tier=", "when="))
