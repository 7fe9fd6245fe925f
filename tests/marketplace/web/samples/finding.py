"""The way to a place: places, cities, packages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from marketplace.web.booking.finding.cities_page import City, Picker, Province, Region
from marketplace.web.booking.finding.maps import Spot, links
from marketplace.web.booking.finding.packages_page import Column, SideBySide
from marketplace.web.booking.finding.places_page import (
    CityHits,
    Elsewhere,
    FilterGroup,
    Finder,
    KnownPlace,
    Option,
    PersonChoice,
    Place,
    Search,
)
from marketplace.web.parts import Choice, Link
from marketplace.web.slow_words import slow_note
from tests.marketplace.web.samples.everyday import ZONE, Context, at, package, people, place, zh_en

SLOW = AnswersSlowly(at(11, 23, 9, 40), SlowReason.NOT_REACHED)


def finder() -> Finder:
    rows = _bookable()
    return Finder(
        "health_check",
        zh_en("选择体检机构", "Choose a place"),
        people()[1],
        zh_en("杭州", "Hangzhou"),
        "",
        filters(),
        (rows[0], rows[1], _full(), _too_young_for(), rows[2]),
        tuple(PersonChoice(person, "/gallery/places") for person in people()),
        counts=zh_en("9 家可约·2 家暂不可约", "9 places to book · 2 not now"),
        sorts=(
            Choice("soonest", zh_en("最早可约优先", "Soonest first")),
            Choice("level", zh_en("等级最高优先", "Highest tier first")),
            Choice("nearest", zh_en("离我最近优先", "Nearest first"), on=True),
        ),
        note=zh_en("距离为直线距离。", "Distances are as the crow flies."),
        known=known(),
        more_url="/gallery/places?skip=20",
        plain_url="/gallery/places",
    )


def _tier() -> str:
    return zh_en("三级甲等", "Tier 3A")


def _bookable() -> list[Place]:
    """One with two packages, one that answers slowly, one that is asked."""
    names = [
        (
            place(),
            zh_en("西湖区", "Xihu"),
            zh_en("文溪路 8 号，地铁 300 米", " · 8 Wenxi Road"),
            25,
            zh_en("上午余 12 位，下午余 6 位", "12 in the morning, 6 in the afternoon"),
            False,
        ),
        (
            zh_en("望江示范医院·健康管理中心", "Wangjiang Model Hospital, Health Management Centre"),
            zh_en("上城区", "Shangcheng"),
            zh_en("望江东路 120 号", " · 120 Wangjiang East Road"),
            27,
            zh_en("只剩 2 位", "Only 2 left"),
            True,
        ),
        (
            zh_en("松山示范医院·体检中心", "Songshan Model Hospital, Checks"),
            zh_en("滨江区", "Binjiang"),
            zh_en("松山路 18 号，可停车", " · 18 Songshan Road"),
            28,
            zh_en("需医院确认，通常 2 小时内答复", "On request, usually answered in 2 hours"),
            False,
        ),
    ]
    rows = [
        Place(name, district, road, _tier(), package().name, "/gallery/times", date(2026, 11, day), note, few)
        for name, district, road, day, note, few in names
    ]
    select, basic = zh_en("甄选套餐", "Select package"), zh_en("基础套餐", "Basic package")
    rows[0] = replace(
        rows[0],
        package=zh_en("2 个套餐·价值 ¥880 至 ¥1,680", "2 packages · worth CN¥880 to CN¥1,680"),
        packages=2,
        options=(
            Option(select, "¥1,680", "/gallery/times", zh_en("安享示范医院", "Anxiang Model Hospital")),
            Option(basic, "¥880", "/gallery/times", zh_en("松山健康管理", "Songshan Health Management")),
        ),
    )
    rows[1] = replace(rows[1], slow=slow_note(SLOW, "health_check", ZONE))
    return [
        replace(row, site=f"sit_{number}", favourite=number == 0, way=zh_en(f"{far} 公里", f"{far} km"))
        for number, (row, far) in enumerate(zip(rows, ("2.4", "5.1", "11"), strict=True))
    ]


def _full() -> Place:
    return Place(
        zh_en("澄湖示范医院·国际体检部", "Chenghu Model Hospital, International Checks"),
        zh_en("拱墅区", "Gongshu"),
        zh_en("澄湖路 66 号", " · 66 Chenghu Road"),
        _tier(),
        "",
        "",
        None,
        reasons=(
            zh_en(
                "11 月和 12 月已约满，新的日期放出后会显示在这里。",
                "November and December are full. New dates appear here as they open.",
            ),
        ),
        site="sit_8",
        wait_url="/gallery/waiting_new",
    )


def _too_young_for() -> Place:
    return Place(
        zh_en("云岭示范医院·体检科", "Yunling Model Hospital, Checks"),
        zh_en("余杭区", "Yuhang"),
        zh_en("云岭大道 1 号", " · 1 Yunling Avenue"),
        _tier(),
        "",
        "",
        None,
        reasons=(
            zh_en(
                "此院接待 18 至 70 岁，沈伯年 72 岁，暂不能在这里预约。",
                "This hospital sees ages 18 to 70. Shen Bonian is 72, so it can't be booked for him.",
            ),
        ),
        change_person=True,
    )


def filters() -> tuple[FilterGroup, ...]:
    """Two tiers, two kinds, the two choices of time and four districts."""
    names = (("西湖区", "Xihu"), ("上城区", "Shangcheng"), ("拱墅区", "Gongshu"), ("滨江区", "Binjiang"))
    return (
        FilterGroup(
            "tier",
            zh_en("等级", "Tier"),
            (
                Choice("三级甲等", zh_en("三级甲等", "Tier 3A"), on=True),
                Choice("三级", zh_en("三级", "Tier 3")),
            ),
        ),
        FilterGroup(
            "kind",
            zh_en("机构类型", "Kind of place"),
            (
                Choice("general", zh_en("综合医院", "General hospital")),
                Choice("centre", zh_en("体检中心", "Check-up centre")),
            ),
        ),
        FilterGroup(
            "when",
            zh_en("时间", "When"),
            (
                Choice("weekend", zh_en("周末可约", "Free at a weekend")),
                Choice("morning", zh_en("上午可约", "Free in the morning")),
            ),
        ),
        FilterGroup("district", zh_en("区县", "District"), tuple(Choice(zh, zh_en(zh, en)) for zh, en in names)),
    )


def known() -> tuple[KnownPlace, ...]:
    """One that she marked here, one that she has been to elsewhere, and one that is full."""
    soon, none = zh_en("最早 11 月 25 日 周三", "From Wed 25 November"), zh_en("暂不可约", "Not now")
    there = zh_en("上海安享示范医院", "Anxiang Model Hospital, Shanghai")
    return (
        KnownPlace(place(), "", "/gallery/packages", soon, True, True),
        KnownPlace(there, zh_en("上海", "Shanghai"), "/gallery/packages", soon, False, True),
        KnownPlace(zh_en("澄湖示范医院", "Chenghu Model Hospital"), "", "/gallery/packages", none, False, False),
    )


def _shown(page: Finder) -> Context:
    words = {"city_name": zh_en("杭州", "Hangzhou"), "cities_url": "/gallery/cities", "who_url": "/gallery/who"}
    return {"page": page, **words, "here": "/gallery/places"}


def places() -> Context:
    return _shown(finder())


def places_empty() -> Context:
    none = zh_en("0 家可约", "0 places to book")
    return _shown(replace(finder(), places=(), more_url="", counts=none, known=(), note="", query="zzz"))


def places_elsewhere() -> Context:
    cities = tuple(
        CityHits(zh_en(f"{zh} {count} 家", f"{en}, {count} places"), "/gallery/places")
        for zh, en, count in (("成都", "Chengdu", 6), ("重庆", "Chongqing", 2))
    )
    title = zh_en("杭州没有，这些城市有：", "Not in Hangzhou, but here:")
    page = replace(finder(), more_url="", counts=zh_en("机构", "Places"), known=(), note="", query="华西")
    return _shown(replace(page, elsewhere=Elsewhere(title, cities)))


def places_too_long() -> Context:
    error = zh_en("最多 100 个字。", "At most 100 characters.")
    page = replace(
        finder(), places=(), more_url="", counts=zh_en("机构", "Places"), known=(), note="", query="华西" * 60
    )
    return _shown(replace(page, query_error=error))


def places_searched() -> Context:
    """With words, and without a position: nothing of her own above, and what has to be said of the order."""
    said = zh_en("本页不知道您在哪里。点“离我最近”可按距离排序。", "This page does not know where you are.")
    page = finder()
    rows = tuple(replace(row, way="", favourite=False) for row in page.places)
    sorts = (Choice("match", zh_en("最相符优先", "Best match first"), on=True), *page.sorts[:2])
    return _shown(replace(page, places=rows, sorts=sorts, known=(), note=said, query=zh_en("示范", "Model")))


def levels() -> Context:
    sources = [("安享示范数据 / Anxiang sample", "2026-01-01"), ("示范名录", "")]
    return {"sources": sources, "back_url": "/gallery/places"}


def cities(letter: str = "", words: str = "", none: bool = False) -> Context:
    """By region; with a letter its cities stand below it, with words their hits alone."""

    def city(zh: str, en: str, count: int, note: str = "", current: bool = False) -> City:
        return City(zh_en(zh, en), "/gallery/places", count, note, current)

    here, father = (
        city("杭州", "Hangzhou", 68, current=True),
        city("延边朝鲜族自治州", "Yanbian", 4, zh_en("父亲", "Father")),
    )
    zhejiang = (here, city("宁波", "Ningbo", 24), city("温州", "Wenzhou", 19), city("绍兴", "Shaoxing", 8))
    jiangsu = (city("南京", "Nanjing", 51), city("苏州", "Suzhou", 37), city("无锡", "Wuxi", 22))
    shanghai = city("上海", "Shanghai", 136)
    north = city("呼和浩特", "Hohhot", 12)
    regions = (
        Region(zh_en("华北", "North China"), (Province(zh_en("内蒙古自治区", "Inner Mongolia"), (north,), 12),)),
        Region(
            zh_en("华东", "East China"),
            (
                Province(zh_en("上海", "Shanghai"), (shanghai,), 136, alone=True),
                Province(zh_en("浙江", "Zhejiang"), zhejiang, 119, current=True),
                Province(zh_en("江苏", "Jiangsu"), jiangsu, 110),
            ),
        ),
        Region(zh_en("东北", "Northeast"), (Province(zh_en("吉林", "Jilin"), (father,), 4),)),
    )
    hits = () if none else (jiangsu[0], replace(north, note=zh_en("内蒙古自治区", "Inner Mongolia")))
    page = Picker(
        (here, father, shanghai),
        (shanghai, here, *jiangsu),
        tuple(Link(each, "/gallery/cities_letter", each == letter) for each in "HNSWY"),
        letter,
        (here, north) if letter else (),
        regions,
        words,
        hits if words else None,
    )
    return {"page": page, "search": Search("health_check", "ben_x", "杭州市"), "back_url": "/gallery/places"}


def packages() -> Context:
    scan, heart = zh_en("胸部低剂量 CT", "low-dose chest CT"), zh_en("心脏彩超", "heart ultrasound")
    plain = replace(package(), id="of3", name=zh_en("基础套餐", "Basic package"), count=38, chosen=False)
    woman = replace(
        package(),
        id="of2",
        name=zh_en("女性专项", "Women's package"),
        count=64,
        chosen=False,
        people=zh_en("女性，20 至 70 岁", "Women, 20 to 70"),
        reasons=(zh_en("仅限女性，沈伯年不能选。", "For women only, so not for Shen Bonian."),),
    )
    suits = zh_en("这里的其他套餐适合沈伯年。", "Another one here suits Shen Bonian.")
    more = tuple((zh_en(f"肿瘤标志物 {number}", f"tumour marker {number}"), True) for number in range(1, 9))
    columns = (
        Column(package(), 168000, "CNY", True, ((scan, True), (heart, True), *more)),
        Column(plain, 88000, "CNY", False, ((scan, False), (heart, False))),
        Column(woman, 158000, "CNY", False, ((scan, True), (heart, False)), suits),
    )
    common = (zh_en("血常规", "full count"), zh_en("腹部彩超", "abdominal ultrasound"), zh_en("心电图", "ECG"))
    line = zh_en(
        "健康体检 · 安享一号 · 还剩 2 次 · 至 12 月 31 日", "Health check, Anxiang One, 2 left, until 31 December"
    )
    road = zh_en("杭州市西湖区文溪路 8 号", "8 Wenxi Road, Xihu, Hangzhou")
    return {
        "site": place(),
        "driver": zh_en("", "安享示范医院 杭州市西湖区文溪路 8 号"),
        "site_id": "sit_1",
        "address": road,
        "tier": zh_en("三级甲等", "Tier 3A"),
        "favourite": True,
        "routes": links(Spot(place(), zh_en("杭州", "Hangzhou"), road, 120.13, 30.27)),
        "here": "/gallery/packages",
        "beside": SideBySide(columns, common),
        "person": people()[1],
        "benefit_line": line,
        "back_url": "#",
        "who_url": "#",
    }
