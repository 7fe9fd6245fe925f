"""Home, and the way to a time: places, cities, packages, times."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from marketplace.web.benefit_cards import Benefit
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
from marketplace.web.booking.times_page import Day, Month, Slot, Taken, Times
from marketplace.web.home.chat import Chat
from marketplace.web.home.home import Home
from marketplace.web.parts import Choice, Link, When
from marketplace.web.slow_words import slow_note
from marketplace.web.tickets import NextBooking
from tests.marketplace.web.samples.everyday import ZONE, Context, at, package, people, place, ticket, zh_en

SLOW = AnswersSlowly(at(11, 23, 9, 40), SlowReason.NOT_REACHED)


def benefits() -> tuple[Benefit, ...]:
    family = people()
    return (
        Benefit(
            "e1",
            zh_en("健康体检", "Health check"),
            zh_en("甄选套餐·68 家机构可约", "Select package, 68 centres"),
            1,
            2,
            1,
            0,
            zh_en("可用 1 次，另 1 次已为 11 月 26 日保留", "1 free, 1 kept for 26 November"),
            date(2026, 12, 31),
            38,
            family,
            zh_en("预约体检", "Book a check"),
            "/gallery/places",
            leading=True,
        ),
        Benefit(
            "e2",
            zh_en("就医陪诊", "Hospital escort"),
            zh_en("317 个城市·全程一人陪同", "317 cities, one person with you all the way"),
            3,
            3,
            0,
            0,
            zh_en("三次都可用", "All three are free"),
            date(2027, 3, 31),
            None,
            family,
            zh_en("预约陪诊", "Book an escort"),
            "#",
        ),
        Benefit(
            "e3",
            zh_en("图文问诊", "Text consultation"),
            zh_en("全科与 12 个专科", "General practice and 12 specialties"),
            None,
            None,
            0,
            4,
            "",
            date(2027, 3, 31),
            None,
            family,
            zh_en("去提问", "Ask a doctor"),
            "#",
        ),
        Benefit(
            "e4",
            zh_en("口腔护理", "Dental care"),
            zh_en("洁牙一次", "One cleaning"),
            0,
            1,
            0,
            1,
            zh_en("已于 6 月 18 日使用，1 月 1 日重新发放", "Used on 18 June, granted anew on 1 January"),
            date(2026, 12, 31),
            None,
            family,
        ),
    )


def home() -> Context:
    upcoming = NextBooking("b1", ticket(home=True), "https://example.com/route")
    greeting = zh_en("沈女士，早上好", "Good morning, Ms Shen")
    plan = zh_en("尊享计划·2026 年度，四项权益", "Premier plan 2026, four benefits")
    chat = Chat(
        zh_en("医生 90 秒内回复", "A doctor answers within 90 s"),
        zh_en("全天 24 小时，图文问诊", "Day and night, by text"),
        "#",
        "90″",
    )
    return {"page": Home(greeting, plan, upcoming, benefits(), chat=chat)}


def home_chat() -> Context:
    """A doctor has answered."""
    page: Home = home()["page"]
    about = zh_en("沈伯年·父亲·全科", "Shen Bonian · Father · General practice")
    return {"page": replace(page, chat=Chat(zh_en("医生正在接诊", "A doctor is with you"), about, "#", unread=2))}


def home_waiting() -> Context:
    page: Home = home()["page"]
    waiting = NextBooking("b1", ticket("awaiting_provider", home=True, answer_by=at(11, 23, 16)))
    return {"page": replace(page, next=waiting, chat=None, benefits=benefits()[:1])}


def home_empty() -> Context:
    page: Home = home()["page"]
    return {"page": replace(page, next=None, chat=None, benefits=())}


def finder() -> Finder:
    tier = zh_en("三级甲等", "Tier 3A")
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
        Place(name, district, road, tier, package().name, "/gallery/times", date(2026, 11, day), note, few)
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
    rows = [
        replace(row, site=f"sit_{number}", favourite=number == 0, way=zh_en(f"{far} 公里", f"{far} km"))
        for number, (row, far) in enumerate(zip(rows, ("2.4", "5.1", "11"), strict=True))
    ]
    full = Place(
        zh_en("澄湖示范医院·国际体检部", "Chenghu Model Hospital, International Checks"),
        zh_en("拱墅区", "Gongshu"),
        zh_en("澄湖路 66 号", " · 66 Chenghu Road"),
        tier,
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
    young = Place(
        zh_en("云岭示范医院·体检科", "Yunling Model Hospital, Checks"),
        zh_en("余杭区", "Yuhang"),
        zh_en("云岭大道 1 号", " · 1 Yunling Avenue"),
        tier,
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
    return Finder(
        "health_check",
        zh_en("选择体检机构", "Choose a place"),
        people()[1],
        zh_en("杭州", "Hangzhou"),
        "",
        filters(),
        (rows[0], rows[1], full, young, rows[2]),
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


def slot(
    day: int, hour: int, minute: int, free: int, few: bool = False, closed: str = "", chosen: bool = False
) -> Slot:
    starts = at(11, day, hour, minute)
    return Slot(
        f"s{day}{hour}{minute}",
        When(date(2026, 11, day), ZONE, starts, starts + timedelta(minutes=30)),
        free,
        few,
        closed,
        chosen,
    )


def month() -> Month:
    first = date(2026, 11, 1)
    start = first - timedelta(days=first.weekday())
    weeks = []
    for week in range(6):
        row: list[Day | None] = []
        for n in range(7):
            day = start + timedelta(days=7 * week + n)
            if day.month != 11:
                row.append(None)
            elif day.day < 24 or day.weekday() == 6:
                row.append(Day(day, None, zh_en("休息", "closed") if day.day >= 24 else ""))
            else:
                row.append(Day(day, 18, few=False, chosen=day.day == 26, url="/gallery/times"))
        if any(row):
            weeks.append(tuple(row))
    return Month(first, tuple(weeks), after_url="/gallery/times?month=2026-12")


def times_page() -> Times:
    days = (
        Day(date(2026, 11, 24), None, zh_en("已截止", "closed")),
        Day(date(2026, 11, 25), 18),
        Day(date(2026, 11, 26), 21, chosen=True),
        Day(date(2026, 11, 27), 2, few=True),
        Day(date(2026, 11, 28), 9),
        Day(date(2026, 11, 29), None, zh_en("休息", "closed")),
        Day(date(2026, 11, 30), None, zh_en("约满", "full"), wait_url="/gallery/waiting_new"),
        Day(date(2026, 12, 1), 30),
    )
    morning = (
        slot(26, 7, 30, 0, closed=zh_en("已约满", "full")),
        slot(26, 8, 0, 2, chosen=True),
        slot(26, 8, 30, 1, few=True),
        slot(26, 9, 0, 4),
        slot(26, 9, 30, 6),
        slot(26, 10, 0, 3),
    )
    return Times(
        "of1",
        place(),
        zh_en("三级甲等", "Tier 3A"),
        package(),
        people()[1],
        days,
        month(),
        date(2026, 11, 26),
        morning,
        (slot(26, 13, 30, 4), slot(26, 14, 0, 2)),
        ZONE,
        zh_en("杭州", "Hangzhou"),
        "/gallery/times",
        "/gallery/places",
        "/gallery/who",
        packages_url="/gallery/packages",
        hint=zh_en(
            "抽血项目只在 10:30 前进行，所以空腹体检请选上午。", "Blood is taken before 10:30 only, so pick a morning."
        ),
        wait_url="/gallery/waiting_new",
    )


def times() -> Context:
    return {"page": times_page()}


def times_taken() -> Context:
    page = times_page()
    return {"page": replace(page, taken=Taken("08:30", (slot(26, 9, 0, 4), slot(27, 8, 0, 1), slot(28, 8, 30, 5))))}


def times_slow() -> Context:
    return {"page": replace(times_page(), slow=slow_note(SLOW, "health_check", ZONE))}


def times_by_day() -> Context:
    opening = zh_en("07:30 至 10:00 到院", "come between 07:30 and 10:00")
    only = Slot("s1", When(date(2026, 11, 26), "Asia/Urumqi", opening=opening), 21, chosen=True)
    return {"page": replace(times_page(), morning=(only,), afternoon=(), hint="")}


def times_none() -> Context:
    return {"page": replace(times_page(), days=(), morning=(), afternoon=(), chosen_day=None)}
