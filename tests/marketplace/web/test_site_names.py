"""To a reader of English the console and the desk name places in English; where she must know which one, the Chinese
name stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import pytest
from flask import Flask, render_template_string

from booking.closures.closed_by_others import StandsThere
from booking.coverage.operators import LineView, SiteRow
from booking.places.view import Side
from marketplace.catalog.search import SiteView
from marketplace.web.console import closures_page
from marketplace.web.console.coverage import cities_page
from marketplace.web.console.places import page
from marketplace.web.desk.offering import places
from tests.people import NOON

NAME, CITY, DISTRICT, PROVINCE = "杭州市西湖区人民医院", "杭州市", "西湖区", "浙江省"
CHINESE = re.compile("[㐀-鿿]")
TODAY = date(2026, 3, 2)
SIDE = Side("sit_1", NAME, (), PROVINCE, CITY, DISTRICT, None, "", "文溪路8号", None, None)
SITE = SiteView("sit_1", NAME, [], PROVINCE, CITY, DISTRICT, None, "", "", "", "文溪路8号", None, None, "Asia/Shanghai")


def shown() -> dict[str, Iterable[str]]:
    """What pages of the console and the desk say of the place."""
    closed = closures_page.stands_there(StandsThere("sit_1", NAME, CITY, TODAY, None, 1))
    said = LineView("cov_1", None, None, NAME, "covered", TODAY, "counts", True, "", "bulk:1", NOON)
    line = cities_page.line(said)
    part = cities_page.line(LineView(**{**vars(said), "site": None, "district": DISTRICT}))
    place = cities_page.place(SiteRow("sit_1", NAME, DISTRICT, None, "covered"))
    return {
        "closures": (closed.site, closed.city),
        "coverage": (vars(line)["part"] if "part" in vars(line) else next(iter(vars(line).values())),),
        "a part": (next(iter(vars(part).values())),),
        "places covered": (place.name, place.district),
        "one place": (page.side(SIDE).name.removesuffix(f" {NAME}"), page.hit(SITE).where),
        "the list of sites": (places._with_place([SITE])[0][2],),
        "templates": (render_template_string("{{ n|site_name }} {{ c|city_name }}", n=NAME, c=CITY),),
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_place_is_named_in_the_readers_language(app: Flask, language: str) -> None:
    with app.test_request_context(f"/?lang={language}"):
        texts = {where: " ".join(said) for where, said in shown().items()}
    assert {where: bool(CHINESE.search(said)) for where, said in texts.items()} == dict.fromkeys(
        texts, language == "zh"
    ), texts


def test_who_chooses_or_decides_by_an_english_name_has_the_chinese_one_beside_it(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        for name in (page.side(SIDE).name, page.hit(SITE).name, places._with_place([SITE])[0][1]):
            assert name.endswith(f" {NAME}") and name != f" {NAME}"
    with app.test_request_context("/?lang=zh"):
        assert page.side(SIDE).name == page.hit(SITE).name == NAME
