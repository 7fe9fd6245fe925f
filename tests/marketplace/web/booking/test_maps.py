"""Links to maps: by coordinates where there are some, else by name and address."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from flask import Flask

from marketplace.web.booking.finding.maps import Spot, links

KNOWN = Spot("示范医院 & Co", "杭州市", "杭州市西湖区文溪路 8 号", 120.1234567, 30.25)
UNKNOWN = Spot("示范医院", "杭州市", "西湖区文溪路 8 号", None, None)


def test_a_place_with_coordinates_is_marked_by_them(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        amap, baidu, apple, other = links(KNOWN)
    assert [each.app for each in (amap, baidu, apple, other)] == [False, False, False, True]
    asked = parse_qs(urlsplit(amap.url).query)
    assert (asked["position"], asked["coordinate"], asked["name"]) == (
        ["120.123457,30.250000"],
        ["wgs84"],
        [KNOWN.name],
    )
    asked = parse_qs(urlsplit(baidu.url).query)
    assert (asked["location"], asked["coord_type"]) == (["30.250000,120.123457"], ["wgs84"])
    assert parse_qs(urlsplit(apple.url).query)["daddr"] == ["30.250000,120.123457"]
    assert other.url.startswith("geo:30.250000,120.123457?q=") and " " not in other.url and "&" not in other.url


def test_a_place_without_coordinates_is_looked_for_by_its_name_in_its_city(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        amap, baidu, apple, other = links(UNKNOWN)
    assert parse_qs(urlsplit(amap.url).query)["keyword"] == ["示范医院"]
    assert parse_qs(urlsplit(baidu.url).query)["region"] == ["杭州市"]
    assert parse_qs(urlsplit(apple.url).query)["daddr"] == ["示范医院, 杭州市西湖区文溪路 8 号"]
    assert other.url.startswith("geo:0,0?q=%") and other.app
