"""Places that somebody can be sent to: the list, its city picker, what helps where one is not covered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Literal

from booking.coverage.nearest import Near
from booking.coverage.venues import Narrowing, Sender, Venue
from marketplace.catalog.coverage.counts import CityCoverage
from marketplace.catalog.search import Counted, SiteView
from marketplace.core.text import Text
from marketplace.web.booking.finding import venues_page
from marketplace.web.booking.finding.places_page import CityHits, Elsewhere, PersonChoice
from marketplace.web.booking.finding.venues_page import VenueFinder, VenueSearch
from marketplace.web.kind_words import kind_name
from tests.marketplace.web.samples.everyday import Context, people, zh_en

KIND = "hospital_escort"
SEARCH = VenueSearch(KIND, "ben_1", "杭州市")
COUNTS = (
    CityCoverage("北京市", "北京市", "B", 41, 12, 148),
    CityCoverage("浙江省", "杭州市", "H", 28, 4, 3),
    CityCoverage("云南省", "西双版纳傣族自治州", "X", 0, 0, 7),
)
NEAR = (
    Near("sit_1", "杭州安享示范医院", "浙江省", "杭州市", "covered", 3_200),
    Near("sit_4", "宁波安享示范医院", "浙江省", "宁波市", "on_request", None),
)


def _venue(number: int, name: str, tier: str | None, level: Literal["covered", "on_request", "not_covered"]) -> Venue:
    site = SiteView(
        *(f"sit_{number}", name, [], "浙江省", "杭州市", "西湖区", tier, "", "", "综合/其他"),
        *("浙江省杭州市西湖区文溪路 8 号", None, None, "Asia/Shanghai"),
    )
    services = (
        Sender("ofr_1", Text("半天陪诊", "Half a day"), Text("安行陪诊", "Anxing Escorts"), level == "covered", 4),
    )
    later = level == "not_covered"
    return Venue(
        site,
        level,
        date(2026, 12, 24) if later else None,
        "on_request" if later else None,
        () if later else services,
    )


def _rows() -> tuple[Venue, ...]:
    return (
        _venue(1, "杭州安享示范医院", "三级甲等", "covered"),
        _venue(2, "杭州安享示范中医院", "二级甲等", "on_request"),
        _venue(3, "安享示范妇幼健康中心", None, "not_covered"),
        replace(_venue(4, "杭州安享示范康复医院", "二级", "covered"), senders=()),
    )


def venues(empty: bool = False, elsewhere: bool = False) -> Context:
    search = replace(SEARCH, query=zh_en("华西", "West China") if elsewhere else "", level="covered" if empty else "")
    narrowing = Narrowing(
        [Counted("西湖区", 20), Counted("上城区", 15)], [Counted("三级甲等", 12), Counted("unknown", 3)]
    )
    rows = () if empty else _rows()
    page = VenueFinder(
        search,
        zh_en(f"预约{kind_name(KIND)}", f"Book: {kind_name(KIND)}"),
        "杭州",
        people()[0],
        tuple(PersonChoice(person, "/gallery/venues") for person in people()),
        venues_page.levels(search),
        venues_page.tiers(narrowing, search),
        venues_page.districts(narrowing, search),
        tuple(venues_page.row(it, search, NEAR) for it in rows),
        venues_page.counts(COUNTS[1:2] if rows else ()),
        _elsewhere() if elsewhere else None,
        "/gallery/venues" if rows else "",
        zh_en("使用：陪诊，还剩 4 次", "Uses: Hospital escort, 4 left"),
        search.query,
    )
    return {"page": page, "cities_url": "/gallery/venue_cities", "who_url": "/gallery/who"}


def _elsewhere() -> Elsewhere:
    city = CityHits(zh_en("北京，2 家机构", "Beijing, 2 places"), "/gallery/venues")
    return Elsewhere(zh_en("其他城市也有：", "Also in other cities:"), (city,))


def venue_cities(empty: bool = False) -> Context:
    found = () if empty else COUNTS
    return {
        "best": venues_page.best_cities(found, SEARCH, ["杭州市"]),
        "groups": venues_page.cities(found, SEARCH),
        "back_url": "/gallery/venues",
    }


def venue_coverage(open: bool = False, waits: bool = False) -> Context:
    it = _rows()[0 if open else 2]
    return {
        "title": kind_name(KIND),
        "row": venues_page.row(it, SEARCH),
        "open": open,
        "book_url": "/gallery/venue",
        "near": () if waits else tuple((venues_page.near_place(each), "/gallery/venues") for each in NEAR),
        "waits": waits,
        "here": "/gallery/venue_coverage",
        "back_url": "/gallery/venues",
    }
