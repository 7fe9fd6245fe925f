"""Home, and the way to a time: places, cities, packages, times."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from marketplace.web.benefit_cards import Benefit
from marketplace.web.booking.finding.packages_page import Column, SideBySide
from marketplace.web.booking.finding.places_page import City, CityGroup, Finder, Option, PersonChoice, Place
from marketplace.web.booking.times_page import Day, Month, Slot, Taken, Times
from marketplace.web.home.home import Home
from marketplace.web.parts import Choice, When
from marketplace.web.tickets import NextBooking
from tests.marketplace.web.samples.everyday import ZONE, Context, at, package, people, place, ticket, zh_en


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
    return {"page": Home(greeting, plan, upcoming, benefits(), chat_url="#")}


def home_waiting() -> Context:
    page: Home = home()["page"]
    waiting = NextBooking("b1", ticket("awaiting_provider", home=True, answer_by=at(11, 23, 16)))
    return {"page": replace(page, next=waiting, chat_url="", benefits=benefits()[:1])}


def home_empty() -> Context:
    page: Home = home()["page"]
    return {"page": replace(page, next=None, chat_url="", benefits=())}


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
        options=(Option(select, "¥1,680", "/gallery/times"), Option(basic, "¥880", "/gallery/times")),
    )
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
        tuple(
            Choice(name, name)
            for name in (
                zh_en("西湖区", "Xihu"),
                zh_en("上城区", "Shangcheng"),
                zh_en("拱墅区", "Gongshu"),
                zh_en("滨江区", "Binjiang"),
            )
        ),
        (Choice("3A", tier, on=True), Choice("3", zh_en("三级", "Tier 3"))),
        (Choice("hospital", zh_en("医院", "Hospital")), Choice("centre", zh_en("体检中心", "Check-up centre"))),
        (rows[0], rows[1], full, young, rows[2]),
        tuple(PersonChoice(person, "/gallery/places") for person in people()),
        more_url="/gallery/places?cursor=2",
        total=68,
        tier_source=zh_en("等级来自医院名录，2026 年 6 月。", "Tiers are from the hospital directory of June 2026."),
    )


def places() -> Context:
    return {
        "page": finder(),
        "city_name": zh_en("杭州", "Hangzhou"),
        "cities_url": "/gallery/cities",
        "who_url": "/gallery/who",
    }


def places_empty() -> Context:
    page = replace(finder(), places=(), more_url="", total=0, tier_source="", query="zzz")
    return {"page": page, "city_name": page.city, "cities_url": "/gallery/cities", "who_url": "/gallery/who"}


def cities() -> Context:
    def city(zh: str, en: str, count: int, words: str, current: bool = False) -> City:
        return City(zh_en(zh, en), "/gallery/places", count, words, current)

    here = city("杭州", "Hangzhou", 68, "hangzhou hz", True)
    zhejiang = (
        here,
        city("宁波", "Ningbo", 24, "ningbo nb"),
        city("温州", "Wenzhou", 19, "wenzhou wz"),
        city("绍兴", "Shaoxing", 8, "shaoxing sx"),
    )
    jiangsu = (
        city("南京", "Nanjing", 51, "nanjing nj"),
        city("苏州", "Suzhou", 37, "suzhou sz"),
        city("无锡", "Wuxi", 22, "wuxi wx"),
    )
    groups = (CityGroup(zh_en("浙江", "Zhejiang"), zhejiang), CityGroup(zh_en("江苏", "Jiangsu"), jiangsu))
    return {"groups": groups, "near": (here, jiangsu[0]), "back_url": "/gallery/places"}


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
    return {
        "site": place(),
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


def times_by_day() -> Context:
    opening = zh_en("07:30 至 10:00 到院", "come between 07:30 and 10:00")
    only = Slot("s1", When(date(2026, 11, 26), "Asia/Urumqi", opening=opening), 21, chosen=True)
    return {"page": replace(times_page(), morning=(only,), afternoon=(), hint="")}


def times_none() -> Context:
    return {"page": replace(times_page(), days=(), morning=(), afternoon=(), chosen_day=None)}
