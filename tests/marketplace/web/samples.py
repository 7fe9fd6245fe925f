"""Invented people, places and bookings for looking at every page. Texts are functions, since they depend on the reader's
language. Today is Monday 23 November 2026, 09:48 in Hangzhou."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from booking.calls.breaker import Call
from booking.changes.cancel import REASONS
from booking.closures.view import Affected, ClosureView
from booking.personal.erase import Stays
from booking.reconcile.cases import CaseView, Counts, DiscrepancyView, Filter, HistoryLine, OurSide
from booking.reconcile.look_ups import Reached
from booking.reconcile.runs import RunView
from booking.reports.reading.read import read
from booking.reports.reading.told import Delivered, Whose
from booking.reports.reading.vocabulary import vocabulary
from booking.reports.share import ShareLink
from booking.reports.trend import Point, Trend
from booking.settlement.statements import Stated, StatementRow, StatementView
from booking.views.oversight import AuditHealth, BreakerView, LateJob, ProviderHealth
from booking.waiting.view import HeldPlace, WaitingSite, WaitingView
from marketplace.chain.heads import HeadsFile
from marketplace.chain.watch import LastVerification
from marketplace.core.integrity import Alarm
from marketplace.core.sending.outgoing import Sent
from marketplace.core.text import Text
from marketplace.web import booking_words, language
from marketplace.web.account.consent import ConsentPage
from marketplace.web.account.data import CopyLine, MyData
from marketplace.web.account.me import Me, SessionLine
from marketplace.web.account.message_settings import MessageSettings
from marketplace.web.account.notices_page import Inbox, NoticeRow
from marketplace.web.assets import asset
from marketplace.web.benefit_cards import Benefit
from marketplace.web.benefits.usage_page import Usage, UsageLine
from marketplace.web.booking import waiting_page as waiting_words
from marketplace.web.booking.bookings_page import (
    Asked,
    BookingPage,
    BookingRow,
    Bookings,
    Cancel,
    Change,
    Proposal,
    Rule,
)
from marketplace.web.booking.confirm_page import Confirm
from marketplace.web.booking.finding.packages_page import Column, Package, SideBySide
from marketplace.web.booking.finding.places_page import City, CityGroup, Finder, Option, PersonChoice, Place
from marketplace.web.booking.timeline import Step
from marketplace.web.booking.times_page import Day, Month, Slot, Taken, Times
from marketplace.web.booking.waiting_page import WaitingList, WaitingPage, WaitingRow
from marketplace.web.console import closures_page, desk_page, overview_page
from marketplace.web.console.accounts.qr import qr_code
from marketplace.web.console.books import cases_page, runs_page, statements_page
from marketplace.web.error_page import error_words
from marketplace.web.formats import dotted
from marketplace.web.home.home import Home
from marketplace.web.offline import STYLES
from marketplace.web.parts import AlternativeRow, Choice, Code, Fact, Form, Link, Person, Pill, Ticket, Turn, When
from marketplace.web.reports import trends_page
from marketplace.web.reports.reports_page import Item, PaperRow, Range, ReportPage, ReportRow, Section
from marketplace.web.reports.shares_page import AboutReport, MadeLink, SharedReport, ShareRow
from marketplace.web.reports.trends_page import ChooseTwo, ComparePage, PairLine
from marketplace.web.staying import InTheWay, Staying, staying
from marketplace.web.tickets import NextBooking
from vip.customers.blocking import CustomerStatus
from vip.operators.administration import NewOperator, OperatorLine
from vip.operators.device_changes import DeviceStatus
from vip.operators.operators import OperatorView
from vip.operators.second_factor import Offer

NOW = datetime(2026, 11, 23, 1, 48, tzinfo=UTC)
ZONE = "Asia/Shanghai"
Context = dict[str, Any]


def _t(zh: str, en: str) -> str:
    return zh if language.current().code == "zh" else en


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def people() -> tuple[Person, ...]:
    return (
        Person(
            "p1", _t("沈知微", "Shen Zhiwei"), _t("本人", "You"), "沈", is_self=True, note=_t("女，44 岁", "Female, 44")
        ),
        Person(
            "p2",
            _t("沈伯年", "Shen Bonian"),
            _t("父亲", "Father"),
            "父",
            note=_t("男，72 岁", "Male, 72"),
            consent="given",
        ),
        Person(
            "p3",
            _t("林素琴", "Lin Suqin"),
            _t("母亲", "Mother"),
            "母",
            note=_t("女，70 岁", "Female, 70"),
            consent="missing",
        ),
    )


def when() -> When:
    return When(date(2026, 11, 26), ZONE, at(11, 26, 8), at(11, 26, 8, 30))


def place() -> str:
    return _t("安享示范医院·体检中心", "Anxiang Model Hospital, Health Check Centre")


def address() -> str:
    return _t("杭州市西湖区文溪路 8 号 3 号楼 2 层", "8 Wenxi Road, Building 3, Xihu District, Hangzhou")


def ticket(state: str = "confirmed", home: bool = False, **facts: Any) -> Ticket:
    known = booking_words.Facts(state, when(), "health_check", **facts)
    named = (
        Fact(_t("体检人", "For"), _t("沈伯年（父亲）", "Shen Bonian (father)")),
        Fact(_t("到院出示", "Show"), _t("身份证", "ID card")),
        Fact(_t("预约号", "Number"), "AX 7K2M 914Q"),
    )
    return Ticket(
        booking_words.ticket_style(state),
        _t("再过 3 天·为父亲预约", "In 3 days, for your father")
        if home
        else _t("健康体检·甄选套餐", "Health check, Select package"),
        booking_words.pill(state, "health_check"),
        when(),
        place(),
        address="" if home else address(),
        facts=() if home else named,
        live=booking_words.live_line(known) if home else "",
        gone=booking_words.date_is_gone(state),
        with_year=not home,
    )


def package() -> Package:
    items = (
        (
            _t("一般检查", "General"),
            (_t("身高体重", "height and weight"), _t("血压", "blood pressure"), _t("内外科", "physical examination")),
        ),
        (
            _t("血液", "Blood"),
            (
                _t("血常规", "full count"),
                _t("空腹血糖", "fasting glucose"),
                _t("血脂四项", "lipids"),
                _t("肝肾功能", "liver and kidney function"),
            ),
        ),
        (
            _t("影像", "Imaging"),
            (_t("胸部低剂量 CT", "low-dose chest CT"), _t("腹部彩超", "abdominal ultrasound"), _t("心电图", "ECG")),
        ),
    )
    return Package(
        "of1",
        _t("甄选套餐", "Select package"),
        _t("覆盖心脑血管、代谢与肿瘤早筛", "Heart, metabolism and early cancer signs"),
        items,
        71,
        _t("男女均可，18 至 80 岁", "Men and women, 18 to 80"),
        _t("需空腹 8 小时", "Eight hours without food"),
        "/gallery/times",
        chosen=True,
        kind="health_check",
    )


def benefits() -> tuple[Benefit, ...]:
    family = people()
    return (
        Benefit(
            "e1",
            _t("健康体检", "Health check"),
            _t("甄选套餐·68 家机构可约", "Select package, 68 centres"),
            1,
            2,
            1,
            0,
            _t("可用 1 次，另 1 次已为 11 月 26 日保留", "1 free, 1 kept for 26 November"),
            date(2026, 12, 31),
            38,
            family,
            _t("预约体检", "Book a check"),
            "/gallery/places",
            leading=True,
        ),
        Benefit(
            "e2",
            _t("就医陪诊", "Hospital escort"),
            _t("317 个城市·全程一人陪同", "317 cities, one person with you all the way"),
            3,
            3,
            0,
            0,
            _t("三次都可用", "All three are free"),
            date(2027, 3, 31),
            None,
            family,
            _t("预约陪诊", "Book an escort"),
            "#",
        ),
        Benefit(
            "e3",
            _t("图文问诊", "Text consultation"),
            _t("全科与 12 个专科", "General practice and 12 specialties"),
            None,
            None,
            0,
            4,
            "",
            date(2027, 3, 31),
            None,
            family,
            _t("去提问", "Ask a doctor"),
            "#",
        ),
        Benefit(
            "e4",
            _t("口腔护理", "Dental care"),
            _t("洁牙一次", "One cleaning"),
            0,
            1,
            0,
            1,
            _t("已于 6 月 18 日使用，1 月 1 日重新发放", "Used on 18 June, granted anew on 1 January"),
            date(2026, 12, 31),
            None,
            family,
        ),
    )


def home() -> Context:
    upcoming = NextBooking("b1", ticket(home=True), "https://example.com/route")
    greeting = _t("沈女士，早上好", "Good morning, Ms Shen")
    plan = _t("尊享计划·2026 年度，四项权益", "Premier plan 2026, four benefits")
    return {"page": Home(greeting, plan, upcoming, benefits(), chat_url="#")}


def home_waiting() -> Context:
    page: Home = home()["page"]
    waiting = NextBooking("b1", ticket("awaiting_provider", home=True, answer_by=at(11, 23, 16)))
    return {"page": replace(page, next=waiting, chat_url="", benefits=benefits()[:1])}


def home_empty() -> Context:
    page: Home = home()["page"]
    return {"page": replace(page, next=None, chat_url="", benefits=())}


def finder() -> Finder:
    tier = _t("三级甲等", "Tier 3A")
    names = [
        (
            place(),
            _t("西湖区", "Xihu"),
            _t("文溪路 8 号，地铁 300 米", " · 8 Wenxi Road"),
            25,
            _t("上午余 12 位，下午余 6 位", "12 in the morning, 6 in the afternoon"),
            False,
        ),
        (
            _t("望江示范医院·健康管理中心", "Wangjiang Model Hospital, Health Management Centre"),
            _t("上城区", "Shangcheng"),
            _t("望江东路 120 号", " · 120 Wangjiang East Road"),
            27,
            _t("只剩 2 位", "Only 2 left"),
            True,
        ),
        (
            _t("松山示范医院·体检中心", "Songshan Model Hospital, Checks"),
            _t("滨江区", "Binjiang"),
            _t("松山路 18 号，可停车", " · 18 Songshan Road"),
            28,
            _t("需医院确认，通常 2 小时内答复", "On request, usually answered in 2 hours"),
            False,
        ),
    ]
    rows = [
        Place(name, district, road, tier, package().name, "/gallery/times", date(2026, 11, day), note, few)
        for name, district, road, day, note, few in names
    ]
    select, basic = _t("甄选套餐", "Select package"), _t("基础套餐", "Basic package")
    rows[0] = replace(
        rows[0],
        package=_t("2 个套餐·价值 ¥880 至 ¥1,680", "2 packages · worth CN¥880 to CN¥1,680"),
        packages=2,
        options=(Option(select, "¥1,680", "/gallery/times"), Option(basic, "¥880", "/gallery/times")),
    )
    full = Place(
        _t("澄湖示范医院·国际体检部", "Chenghu Model Hospital, International Checks"),
        _t("拱墅区", "Gongshu"),
        _t("澄湖路 66 号", " · 66 Chenghu Road"),
        tier,
        "",
        "",
        None,
        reasons=(
            _t(
                "11 月和 12 月已约满，新的日期放出后会显示在这里。",
                "November and December are full. New dates appear here as they open.",
            ),
        ),
    )
    young = Place(
        _t("云岭示范医院·体检科", "Yunling Model Hospital, Checks"),
        _t("余杭区", "Yuhang"),
        _t("云岭大道 1 号", " · 1 Yunling Avenue"),
        tier,
        "",
        "",
        None,
        reasons=(
            _t(
                "此院接待 18 至 70 岁，沈伯年 72 岁，暂不能在这里预约。",
                "This hospital sees ages 18 to 70. Shen Bonian is 72, so it can't be booked for him.",
            ),
        ),
        change_person=True,
    )
    return Finder(
        "health_check",
        _t("选择体检机构", "Choose a place"),
        people()[1],
        _t("杭州", "Hangzhou"),
        "",
        tuple(
            Choice(name, name)
            for name in (
                _t("西湖区", "Xihu"),
                _t("上城区", "Shangcheng"),
                _t("拱墅区", "Gongshu"),
                _t("滨江区", "Binjiang"),
            )
        ),
        (Choice("3A", tier, on=True), Choice("3", _t("三级", "Tier 3"))),
        (Choice("hospital", _t("医院", "Hospital")), Choice("centre", _t("体检中心", "Check-up centre"))),
        (rows[0], rows[1], full, young, rows[2]),
        tuple(PersonChoice(person, "/gallery/places") for person in people()),
        more_url="/gallery/places?cursor=2",
        total=68,
        tier_source=_t("等级来自医院名录，2026 年 6 月。", "Tiers are from the hospital directory of June 2026."),
    )


def places() -> Context:
    return {
        "page": finder(),
        "city_name": _t("杭州", "Hangzhou"),
        "cities_url": "/gallery/cities",
        "who_url": "/gallery/who",
    }


def places_empty() -> Context:
    page = replace(finder(), places=(), more_url="", total=0, tier_source="", query="zzz")
    return {"page": page, "city_name": page.city, "cities_url": "/gallery/cities", "who_url": "/gallery/who"}


def cities() -> Context:
    def city(zh: str, en: str, count: int, words: str, current: bool = False) -> City:
        return City(_t(zh, en), "/gallery/places", count, words, current)

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
    groups = (CityGroup(_t("浙江", "Zhejiang"), zhejiang), CityGroup(_t("江苏", "Jiangsu"), jiangsu))
    return {"groups": groups, "near": (here, jiangsu[0]), "back_url": "/gallery/places"}


def packages() -> Context:
    scan, heart = _t("胸部低剂量 CT", "low-dose chest CT"), _t("心脏彩超", "heart ultrasound")
    plain = replace(package(), id="of3", name=_t("基础套餐", "Basic package"), count=38, chosen=False)
    woman = replace(
        package(),
        id="of2",
        name=_t("女性专项", "Women's package"),
        count=64,
        chosen=False,
        people=_t("女性，20 至 70 岁", "Women, 20 to 70"),
        reasons=(_t("仅限女性，沈伯年不能选。", "For women only, so not for Shen Bonian."),),
    )
    suits = _t("这里的其他套餐适合沈伯年。", "Another one here suits Shen Bonian.")
    more = tuple((_t(f"肿瘤标志物 {number}", f"tumour marker {number}"), True) for number in range(1, 9))
    columns = (
        Column(package(), 168000, "CNY", True, ((scan, True), (heart, True), *more)),
        Column(plain, 88000, "CNY", False, ((scan, False), (heart, False))),
        Column(woman, 158000, "CNY", False, ((scan, True), (heart, False)), suits),
    )
    common = (_t("血常规", "full count"), _t("腹部彩超", "abdominal ultrasound"), _t("心电图", "ECG"))
    line = _t(
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
                row.append(Day(day, None, _t("休息", "closed") if day.day >= 24 else ""))
            else:
                row.append(Day(day, 18, few=False, chosen=day.day == 26, url="/gallery/times"))
        if any(row):
            weeks.append(tuple(row))
    return Month(first, tuple(weeks), after_url="/gallery/times?month=2026-12")


def times_page() -> Times:
    days = (
        Day(date(2026, 11, 24), None, _t("已截止", "closed")),
        Day(date(2026, 11, 25), 18),
        Day(date(2026, 11, 26), 21, chosen=True),
        Day(date(2026, 11, 27), 2, few=True),
        Day(date(2026, 11, 28), 9),
        Day(date(2026, 11, 29), None, _t("休息", "closed")),
        Day(date(2026, 11, 30), None, _t("约满", "full"), wait_url="/gallery/waiting_new"),
        Day(date(2026, 12, 1), 30),
    )
    morning = (
        slot(26, 7, 30, 0, closed=_t("已约满", "full")),
        slot(26, 8, 0, 2, chosen=True),
        slot(26, 8, 30, 1, few=True),
        slot(26, 9, 0, 4),
        slot(26, 9, 30, 6),
        slot(26, 10, 0, 3),
    )
    return Times(
        "of1",
        place(),
        _t("三级甲等", "Tier 3A"),
        package(),
        people()[1],
        days,
        month(),
        date(2026, 11, 26),
        morning,
        (slot(26, 13, 30, 4), slot(26, 14, 0, 2)),
        ZONE,
        _t("杭州", "Hangzhou"),
        "/gallery/times",
        "/gallery/places",
        "/gallery/who",
        packages_url="/gallery/packages",
        hint=_t(
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
    opening = _t("07:30 至 10:00 到院", "come between 07:30 and 10:00")
    only = Slot("s1", When(date(2026, 11, 26), "Asia/Urumqi", opening=opening), 21, chosen=True)
    return {"page": replace(times_page(), morning=(only,), afternoon=(), hint="")}


def times_none() -> Context:
    return {"page": replace(times_page(), days=(), morning=(), afternoon=(), chosen_day=None)}


def who() -> Context:
    me, father, mother = people()
    father = replace(father, reasons=(_t("此套餐仅限 18 至 70 岁。", "This package is for ages 18 to 70."),))
    return {
        "people": (me, father, mother),
        "chosen": "p1",
        "form_action": "/gallery/times",
        "next_url": "/",
        "back_url": "/gallery/times",
        "subtitle": dotted((place(), package().name)),
        "add_url": "/gallery/family_new",
    }


def confirm() -> Context:
    return {
        "page": Confirm(
            "b1",
            replace(ticket("held"), facts=()),
            people()[1],
            package(),
            _t("用 1 次健康体检，还剩 0 次", "Uses 1 health check, 0 left afterwards"),
            (
                _t(
                    "11 月 25 日 08:00 前取消，权益全额退回。",
                    "Cancel before 25 November, 08:00, and your benefit comes back in full.",
                ),
            ),
            _t("医院在 2 小时内答复。", "The hospital answers within 2 hours."),
            582,
            600,
            128000,
            icon="hospital",
        )
    }


def steps(state: str) -> tuple[Step, ...]:
    sent = Step(
        "done",
        _t("您提交了预约", "You submitted the booking"),
        at(11, 20, 19, 42),
        _t("为这次体检预留了 1 次权益", "One use of your benefit is reserved for it"),
    )
    sure = Step(
        "done",
        _t("医院已确认", "Confirmed by the hospital"),
        at(11, 20, 20, 5),
        _t("用时 23 分钟", "It took 23 minutes"),
    )
    coming = (
        Step("next", _t("到院签到", "Check in"), aside=_t("11 月 26 日 07:50 起", "from 26 November, 07:50")),
        Step("next", _t("体检完成", "Check done"), aside=_t("约需 2 小时", "about 2 hours")),
        Step(
            "next",
            _t("报告送达", "Report arrives"),
            aside=_t("最迟 12 月 3 日，由医院交付", "by 3 December, from the hospital"),
        ),
    )
    if state == "held":
        return (Step("now", _t("等您确认", "Waiting for you to confirm"), aside=_t("轮到您", "your turn")), *coming)
    if state in ("awaiting_provider", "outcome_unknown"):
        return (
            sent,
            Step("now", _t("等医院答复", "Waiting for the hospital"), aside=_t("还有 6 小时 12 分", "6 h 12 min left")),
            *coming,
        )
    if state in ("cancelled", "rejected", "expired", "no_show"):
        return (
            sent,
            Step(
                "fail" if state != "cancelled" else "done",
                booking_words.pill(state, "health_check").text,
                at(11, 22, 9, 30),
            ),
        )
    if state == "confirmed":
        return (
            sent,
            sure,
            Step(
                "now",
                _t("体检前准备", "Prepare"),
                note=_t("空腹，带身份证，穿宽松上衣", "No food, ID card, loose clothes"),
                aside=_t("轮到您", "your turn"),
            ),
            *coming,
        )
    there = Step("done", _t("已到院签到", "Checked in"), at(11, 23, 7, 55))
    if state == "fulfilled":
        return (sent, sure, there, Step("done", _t("体检完成", "Check done"), at(11, 23, 9, 40)), coming[2])
    return (
        sent,
        sure,
        there,
        Step("now", booking_words.pill(state, "health_check").text, aside=_t("轮到医院", "the hospital's turn")),
        coming[2],
    )


def booking(state: str, **facts: Any) -> Context:
    known = booking_words.Facts(state, when(), "health_check", **facts)
    open_still = state in ("confirmed", "awaiting_provider")
    hints = booking_words.preparation("health_check", package().fasting)
    rules = (
        Rule(
            icon="check",
            text=_t(
                "11 月 25 日 08:00 前取消免费，权益全额退回。",
                "Free until 25 November, 08:00; your benefit comes back in full.",
            ),
            tone="ok",
            strong=_t("还剩 1 天 22 小时。", "1 day 22 h left."),
        ),
        Rule(
            icon="clock",
            text=_t(
                "在此之后不能在线取消。未到院算使用 1 次，有特殊情况可申诉。",
                "After that it can't be cancelled online. Not coming counts as one use; you can appeal.",
            ),
        ),
    )
    cancel = Cancel(
        "b1",
        _t("取消 11 月 26 日的体检？", "Cancel the check on 26 November?"),
        _t(
            "现在取消免费，1 次体检权益会退回，12 月 31 日前可再约。",
            "It's free now. One health check comes back and can be booked again until 31 December.",
        ),
        _t("取消预约，退回权益", "Cancel and get it back"),
    )
    return {
        "page": BookingPage(
            "b1",
            "AX7K2M914Q",
            _t("预约详情", "Booking"),
            ticket(state),
            booking_words.turn(known),
            steps(state),
            ZONE,
            booking_words.final(known),
            hints if open_still else (),
            rules if open_still else (),
            cancel if open_still else None,
            route_url="https://example.com/route" if state == "confirmed" else "",
            report_url="/gallery/report" if facts.get("report") == "ready" else "",
            confirm_url="/gallery/confirm" if state == "held" else "",
            again_url="/gallery/places" if booking_words.date_is_gone(state) else "",
        )
    }


def booking_changing(unknown: bool = False) -> Context:
    """A new date has been asked for; the old one stays."""
    page: BookingPage = booking("confirmed")["page"]
    new = When(date(2026, 11, 28), ZONE, at(11, 28, 9), at(11, 28, 9, 30))
    live = _t("等待医院答复，最迟今天 16:00。", "Waiting for the hospital, until 16:00 today at the latest.")
    if unknown:
        live = (
            _t("医院系统尚未明确答复，我们正在核实。", "Its system has not answered clearly yet. We are checking.")
            + live
        )
    second = Ticket(
        "asked",
        _t("想改到", "Asked for"),
        booking_words.pill("awaiting_provider", "health_check"),
        new,
        place(),
        live=live,
        with_year=True,
    )
    ends = (
        Fact(
            _t("对方同意", "It agrees"),
            _t("改为 11 月 28 日 09:00，原时间随即释放。", "Your date is 28 November, 09:00."),
        ),
        Fact(_t("对方不同意", "It does not"), _t("仍是 11 月 26 日 08:00。", "Your date stays 26 November, 08:00.")),
    )
    keep = _t("撤回改期，保留 11 月 26 日", "Take the change back, keep 26 November")
    still = replace(page.ticket, pill=Pill(_t("仍为您保留", "Still yours"), "ok", icon="shield-check"))
    asked = Asked(second, ends, "/gallery/booking", keep)
    return {"page": replace(page, ticket=still, turn=None, asked=asked)}


def booking_refused() -> Context:
    """The hospital did not agree to another date: one message, and other times at different times and places."""
    page: BookingPage = booking("confirmed")["page"]
    others: BookingPage = booking_moved_away()["page"]
    title = _t("医院未同意改期", "The hospital did not agree to the new date.")
    text = _t("那个时间已约满。原日期不变。", "That time is no longer free there. This date stays.")
    turn = Turn(title, text, icon="calendar-x", tone="bad")
    here = replace(others.alternatives[0], change_url="/gallery/booking_change")
    note = _t("这是另一个预约；在您取消本预约之前，会多占用一次权益。", "A booking of its own; it takes one more use.")
    away = replace(others.alternatives[1], note=note)
    return {"page": replace(page, turn=turn, alternatives=(here, away))}


def booking_proposed(state: str = "confirmed") -> Context:
    """The hospital proposes another time."""
    page: BookingPage = booking(state)["page"]
    new = When(date(2026, 11, 28), ZONE, at(11, 28, 9), at(11, 28, 9, 30))
    text = _t("请在 11 月 25 日 18:00 前答复。", "Answer by 25 November, 18:00.")
    reason = _t("当天设备检修", "The scanner is serviced on that day")
    proposal = Proposal("prp_1", when(), new, text, reason, state == "confirmed", "health_check")
    return {"page": replace(page, turn=None, proposal=proposal)}


def booking_changeable() -> Context:
    """A confirmed booking whose date can be changed."""
    page: BookingPage = booking("confirmed")["page"]
    rule = Rule(
        icon="calendar-days",
        text=_t("11 月 25 日 08:00 前可以改期。", "The date can be changed until 25 November, 08:00."),
        strong=_t("还可改期 2 次。", "2 changes left."),
    )
    return {"page": replace(page, rules=(*page.rules, rule), change_url="/gallery/times_change")}


def times_change() -> Context:
    """The picker of a new time."""
    page: Times = times()["page"]
    first = replace(page.morning[0], closed=_t("当前", "yours now"), chosen=False)
    return {"page": replace(page, present=when(), who_url="", packages_url="", morning=(first, *page.morning[1:]))}


def booking_change() -> Context:
    """Old and new side by side."""
    new = When(date(2026, 11, 28), ZONE, at(11, 28, 9), at(11, 28, 9, 30))
    rules = (
        _t("医院同意之前，当前日期保持不变。", "Your present date stays until the hospital agrees."),
        _t("之后还可改期 1 次。", "After that it can be changed 1 more time."),
    )
    return {"page": Change("b1", replace(ticket(), facts=()), new, "s1", rules, "/gallery/times_change", "k")}


def booking_moved_away() -> Context:
    """Cancelled by the hospital, with other times."""
    page: BookingPage = booking("cancelled", by="provider")["page"]
    day = date(2026, 11, 27)
    other = AlternativeRow(
        "s1",
        When(day, ZONE, at(11, 27, 8), at(11, 27, 8, 30)),
        place(),
        package().name,
        "",
        "/gallery/confirm",
        "p2",
        "k",
    )
    away = _t("相距 3.2 公里", "3.2 km away")
    far = replace(other, slot="s2", when=When(day, ZONE, at(11, 27, 9), at(11, 27, 9, 30)), way=away)
    whole = replace(other, slot="s3", when=When(date(2026, 11, 28), ZONE))
    return {"page": replace(page, alternatives=(other, far, whole), again_url="", more_times_url="/gallery/times")}


def booking_missed(dispute: str = "") -> Context:
    """A no-show: still disputable, or with the state of the dispute."""
    until = None if dispute else at(12, 9, 9)
    page: BookingPage = booking("no_show", by="provider", quota_used=True, dispute=dispute, dispute_until=until)["page"]
    told = _t("前台当天没有您的签到记录，也没有缴费记录。", "The front desk has no record of you on that day.")
    return {
        "page": replace(
            page,
            dispute_url="" if dispute else "/gallery/booking_dispute",
            dispute_answer=told if dispute == "rejected" else "",
        )
    }


def booking_dispute(problem: bool = False) -> Context:
    """The form of a dispute."""
    words = _t("请写明当天的情况。", "Say what happened.")
    form = Form({"words": ""}, {"words": words}) if problem else Form()
    return {
        "booking": "b1",
        "ticket": ticket("no_show"),
        "kind": "health_check",
        "until": at(12, 9, 9),
        "uses": True,
        "zone": ZONE,
        "form": form,
        "longest": 1000,
    }


def booking_cancel() -> Context:
    return {"cancel": booking("confirmed")["page"].cancel, "ticket": ticket(), "problem": ""}


def bookings() -> Context:
    def row(state: str, live: str = "") -> BookingRow:
        return BookingRow(
            "b1", package().name, place(), people()[1].name, when(), booking_words.pill(state, "health_check"), live
        )

    upcoming = (
        row("confirmed"),
        row(
            "awaiting_provider",
            booking_words.live_line(booking_words.Facts("awaiting_provider", when(), "health_check", at(11, 23, 16))),
        ),
    )
    return {"page": Bookings(upcoming, (row("fulfilled"), row("cancelled"), row("no_show")), more_url="#")}


def waiting_rows() -> tuple[WaitingRow, ...]:
    start = at(11, 26, 8)
    view = WaitingView(
        id="w1",
        state="waiting",
        cause="",
        version=1,
        kind="health_check",
        beneficiary_id="p2",
        beneficiary_name=_t("沈伯年", "Shen Bonian"),
        relation="father",
        entitlement_id=None,
        sites=tuple(
            WaitingSite(f"o{number}", Text("甄选套餐", "Select package"), "s", place(), "杭州市", "西湖区", None)
            for number in range(3)
        ),
        first_day=date(2026, 11, 26),
        last_day=date(2026, 12, 9),
        weekdays=(1, 2, 6),
        from_hour=0,
        until_hour=12,
        hours_before=48,
        auto_book=True,
        lapses=0,
        unit_free=True,
        closes_at=at(12, 9, 12),
        created_at=NOW,
        updated_at=NOW,
        held=None,
    )
    held = HeldPlace(
        "b1", "held", NOW + timedelta(minutes=22), NOW - timedelta(minutes=8), "o1", place(), date(2026, 11, 26), start,
        start + timedelta(minutes=30), ZONE,
    )  # fmt: skip
    offered = replace(view, state="offered", held=held, auto_book=False, last_day=view.first_day)
    submitted = replace(offered, held=replace(held, state="awaiting_provider"))
    ended = replace(view, state="ended", cause="lapsed", lapses=2)
    return tuple(waiting_words.row(one, NOW) for one in (offered, submitted, view, ended))


def bookings_waiting() -> Context:
    known = bookings()["page"]
    return {"page": replace(known, waiting=WaitingList(waiting_rows(), '"etag"', final=False))}


def bookings_waited() -> Context:
    page = bookings_empty()["page"]
    return {"page": replace(page, waiting=WaitingList(waiting_rows()[3:], '"etag"', final=True))}


def waiting_new(wrong: bool = False, reasons: tuple[str, ...] = ()) -> Context:
    form = Form({"first_day": "2026-11-26", "last_day": "2026-12-09", "part": "am", "hours_before": "48"})
    if wrong:
        errors = {
            "last_day": _t("结束日期不能早于开始日期。", "The last day must not lie before the first."),
            "places": _t("请至少选一处。", "Choose at least one place."),
            "weekdays": _t(
                "起止日期之间没有您选的星期。", "None of these days lies between the first and the last day."
            ),
        }
        form = replace(form, errors=errors, problem=_t("此人已在候补其中一处。", "This person waits there already."))
    sites = tuple(Choice(f"o{number}", f"{place()} {number}", number == 0) for number in range(4))
    return {
        "page": WaitingPage(
            place(),
            package(),
            people()[1],
            form,
            date(2026, 11, 23),
            date(2027, 5, 22),
            sites,
            waiting_words.weekday_choices((1, 2, 6)),
            waiting_words.part_choices(),
            waiting_words.hour_choices(),
            _t("杭州", "Hangzhou"),
            _t("只在还能免费取消时替您约。", "Only as long as you can still cancel free of charge."),
            "/gallery/waiting_new",
            "/gallery/times",
            "/gallery/who",
            auto_book=True,
            existing_url="/gallery/bookings" if wrong else "",
            reasons=reasons,
        )
    }


def waiting_refused() -> Context:
    return waiting_new(reasons=(_t("此套餐仅限女性。", "This package is for women."),))


def waiting_stop(problem: str = "") -> Context:
    offered, *_others = waiting_rows()
    return {"row": replace(offered, stop_url="") if problem else offered, "problem": problem}


def bookings_empty() -> Context:
    text = _t("您有 1 次体检可用，12 月 31 日到期。", "You have one health check left, until 31 December.")
    return {"page": Bookings((), (), text, _t("预约体检", "Book a check"), "/gallery/places")}


def reports() -> Context:
    me, father, _mother = people()
    title = _t("2026 年度体检", "Health check 2026")
    waiting = Pill(_t("待交付", "To come"), "wait", icon="clock")
    rows = (
        ReportRow(
            "r0",
            title,
            me,
            place(),
            date(2026, 11, 20),
            False,
            due=date(2026, 11, 27),
            pill=waiting,
            booking_url="#",
            kind="health_check",
        ),
        ReportRow("r1", title, father, place(), date(2026, 11, 16), True, 3, 71),
        ReportRow("r2", _t("2025 年度体检", "Health check 2025"), father, place(), date(2025, 11, 18), True, 0, 68),
    )
    people_links = (Link(_t("全部", "All"), "#", True), Link(me.name, "#"), Link(father.relation, "#"))
    years = (Link(_t("全部年份", "All years"), "#", True), Link("2026", "#"), Link("2025", "#"))
    more = {
        "people": people_links,
        "years": years,
        "compare_url": "/gallery/report_choose",
        "all_url": "",
        "asking": (people()[2],),
    }
    return {"rows": rows, "more_url": "", "empty_text": "", **more}


def reports_none(text: str = "") -> Context:
    narrow = {"people": (), "years": (), "compare_url": "", "all_url": "/gallery/reports", "asking": ()}
    return {"rows": (), "more_url": "", "empty_text": text, **narrow}


def trend(values: int = 4) -> Context:
    """An item over the years, with its last `values`."""

    def point(day: date, value: str, unit: str, flag: str = "", **more: Any) -> Point:
        given = Delivered("低密度脂蛋白胆固醇", value, "", unit, None, None, flag, "", "")
        read_as = read(given, Whose("male", date(1954, 3, 1), day), {})
        names = Text("和馨健康", "Hexin Health")
        return Point("r1", day, place(), names, read_as, more.get("apart", ""))

    points = (
        point(date(2023, 11, 20), "2.96", "mmol/L"),
        point(date(2024, 11, 22), "3.31", "mmol/L"),
        point(date(2025, 11, 18), "141", "mg/dL", "high"),
        point(date(2026, 11, 16), "3.92", "mmol/L", "high"),
    )
    apart = (point(date(2022, 11, 1), "3.0", "", apart="unit"),)
    item = vocabulary().items["ldl"]
    found = Trend(item, "p2", people()[1].name, "father", points[-values:], apart, None, 3.4, "provider")
    return {"page": trends_page.trend_page(found, lambda _report: "/gallery/report")}


def compare() -> Context:
    bad = Pill(_t("偏高", "High"), "bad", icon="triangle-alert")
    ldl, glucose = _t("低密度脂蛋白胆固醇", "LDL cholesterol"), _t("空腹血糖", "Fasting glucose")
    one = PairLine(
        ldl,
        _t("141 mg/dL（即 3.65 mmol/L）", "141 mg/dL (= 3.65 mmol/L)"),
        "3.92 mmol/L",
        bad,
        bad,
        "↑",
        _t("升高 0.27 mmol/L。", "Higher by 0.27 mmol/L."),
        "/gallery/report_trend",
    )
    two = PairLine(
        glucose,
        "6.4 mmol/L",
        "5.6 mmol/L",
        bad,
        None,
        "↓",
        _t("降低 0.8 mmol/L。现已回到范围内。", "Lower by 0.8 mmol/L. Now within range."),
        "#",
    )
    three = PairLine(
        _t("腹部彩超", "Abdominal ultrasound"),
        "",
        _t("脂肪肝（轻度）", "Mildly fatty liver"),
        None,
        None,
        "",
        _t("较早的报告里没有。", "Not in the earlier report."),
        "",
    )
    sides = ((date(2025, 11, 18), place(), "/gallery/report"), (date(2026, 11, 16), place(), "/gallery/report"))
    return {"page": ComparePage(people()[1], *sides, (one, two), (three,)), "choose_url": "/gallery/report_choose"}


def choose(*, several: bool = True, problem: bool = False) -> Context:
    options = (
        ("r1", _t("2026 年 11 月 16 日", "16 November 2026")),
        ("r2", _t("2025 年 11 月 18 日", "18 November 2025")),
    )
    links = (Link(people()[0].name, "#"), Link(people()[1].relation, "#", True))
    text = _t("两次选了同一份报告，请换一份。", "These are the same report. Choose another one.") if problem else ""
    return {"page": ChooseTwo(links, options if several else options[:1], "r2", "r1", text)}


def report_corrected() -> Context:
    page = report()["page"]
    ldl, glucose, urate = page.abnormal
    marked = replace(
        ldl,
        change=_t("这一版有改动，之前为 3.52 mmol/L", "Changed in this version; before: 3.52 mmol/L"),
        ours="3.92 mmol/L",
        source=_t("由医院标注。", "Marked by the hospital."),
        trend_url="/gallery/report_trend",
    )
    links = (
        Link(_t("第 2 版，11 月 20 日", "Version 2, 20 November"), "#", True),
        Link(_t("第 1 版，11 月 16 日", "Version 1, 16 November"), "#"),
    )
    return {
        "page": replace(
            page,
            abnormal=(marked, glucose, urate),
            corrected=True,
            versions=links,
            changed=1,
            removed=(_t("心电图", "Electrocardiogram"),),
            compare_url="/gallery/report_choose",
        )
    }


def report_partial() -> Context:
    page = report()["page"]
    parts = (_t("腹部超声", "Abdominal ultrasound"), _t("胸部正位片", "Chest X-ray"))
    return {"page": replace(page, partial=True, outstanding=parts, due=date(2026, 11, 22), late=True)}


def report() -> Context:
    high = Pill(_t("偏高", "High"), "bad", icon="triangle-alert")
    ldl = Item(
        _t("低密度脂蛋白胆固醇", "LDL cholesterol"),
        "3.92",
        "mmol/L",
        _t("低于 3.40", "below 3.40"),
        high,
        Range(0, 56, 78),
        _t(
            "这是常说的“坏胆固醇”，比参考上限高约一成半。是否用药要由医生结合血压和病史判断。",
            "The “bad” cholesterol, about 15 % above the limit. A doctor judges what to do, with blood pressure and history in view.",
        ),
    )
    glucose = Item(
        _t("空腹血糖", "Fasting glucose"),
        "6.4",
        "mmol/L",
        _t("3.9 至 6.1", "3.9 to 6.1"),
        high,
        Range(22, 62, 68),
        _t(
            "略高于参考上限。一次结果不能下结论，请复查。",
            "Slightly above the limit. One result proves nothing; have it repeated.",
        ),
    )
    urate = Item(_t("尿酸", "Uric acid"), "451", "µmol/L", _t("208 至 428", "208 to 428"), high, Range(18, 64, 71))
    fine = tuple(
        Item(_t(f"项目 {n}", f"Item {n}"), "5.1", "10⁹/L", _t("3.5 至 9.5", "3.5 to 9.5")) for n in range(1, 24)
    )
    sections = (
        Section(_t("血常规", "Blood count"), fine),
        Section(_t("代谢", "Metabolism"), (ldl, glucose, urate, *fine[:6]), 3),
        Section(_t("影像与心电", "Imaging and ECG"), fine[:14]),
    )
    conclusion = _t(
        "没有需要马上就医的结果。建议三个月内到心内科或全科门诊复查血脂和血糖。",
        "Nothing needs a doctor at once. Have lipids and glucose repeated within three months.",
    )
    return {
        "page": ReportPage(
            "r1",
            _t("体检报告", "Health check report"),
            people()[1],
            place(),
            date(2026, 11, 16),
            1,
            (ldl, glucose, urate),
            sections,
            71,
            conclusion,
            "/gallery/report.pdf",
            _t("原始报告 PDF", "Original report as PDF"),
            papers=papers(),
            kind="health_check",
        )
    }


def papers() -> tuple[PaperRow, ...]:
    return (
        PaperRow(_t("文件 1（PDF）", "Document 1 (PDF)"), "2.1 MB", "#"),
        PaperRow(_t("图片 2", "Picture 2"), "640 KB", "#"),
    )


def about() -> AboutReport:
    title = _t("2026 年度体检", "Health check 2026")
    return AboutReport(
        "r1", title, _t("沈伯年·父亲", "Shen Bonian · father"), place(), date(2026, 11, 16), "health_check"
    )


def report_share(made: bool = False) -> Context:
    link = MadeLink(
        "https://anxiang.example/shared/4kQ0vWm2Yx8nB1sT6uRzL3cJ9eHfGpDa5iKoXwVbNqE", "480213", at(11, 30, 9)
    )
    looks = (
        _t("昨天 19:42 · 查看", "Yesterday, 19:42 · Read"),
        _t("11 月 20 日 08:15 · 访问码输错", "20 November, 08:15 · Wrong access code"),
    )
    opened = Pill(_t("有效", "Open"), "ok", icon="check")
    over = Pill(_t("已过期", "Expired"), "off", icon="clock")
    links = (
        ShareRow(
            "s2",
            _t("给医生", "For a doctor"),
            opened,
            _t("已打开 1 次，最多 5 次", "Opened 1 of 5 times"),
            at(11, 27, 9),
            looks,
            True,
            True,
        ),
        ShareRow(
            "s1",
            _t("给家人", "For the family"),
            over,
            _t("已打开 3 次", "Opened 3 times"),
            at(11, 18, 9),
            (),
            False,
            False,
        ),
    )
    form = Form({"audience": "doctor", "days": "7"})
    if not made:
        form = Form(
            {"audience": "doctor", "days": "7", "max_views": "1000"},
            {"max_views": _t("须在 1 到 100 之间。", "This must be between 1 and 100.")},
        )
    return {"report": about(), "form": form, "made": link if made else None, "links": links if made else ()}


def shared_door(error: bool = False) -> Context:
    told = (
        {"code": _t("访问码不对，还可尝试 3 次。", "That is not this link's access code. Tries left: 3.")}
        if error
        else {}
    )
    return {"link": ShareLink("s1", error, at(11, 30, 9)), "form": Form(errors=told), "token": "t"}


def shared() -> Context:
    return {"page": SharedReport(report()["page"], "#", papers(), at(11, 30, 9))}


def consent(state: str) -> Context:
    given = at(11, 20, 9) if state == "given" else None
    error = {} if given else {"phone": _t("这是您自己的号码，验证码须发到对方的手机。", "This is your own number.")}
    return {"page": ConsentPage(people()[1], state, given), "form": Form({"phone": "13800002041"}, error)}


def consent_back(step: str) -> Context:
    told = {"code": _t("验证码为 6 位数字。", "The code has six digits.")} if step == "code" else {}
    return {"step": step, "form": Form({"phone": "13900000001"}, told), "length": 6}


def consent_code() -> Context:
    code = Code("139****0001", 5, 42, 5)
    return {"page": ConsentPage(people()[1], "missing"), "form": Form(), "code": code}


def me() -> Context:
    sessions = (
        SessionLine("s1", _t("浏览器", "Browser"), NOW, True),
        SessionLine("s2", _t("应用", "App"), NOW - timedelta(days=3)),
    )
    return {
        "page": Me(
            people()[0].name,
            _t("尊享计划，至 2031 年 5 月 8 日", "Premier plan, until 8 May 2031"),
            "138****2041",
            people(),
            sessions,
            "沈",
        )
    }


def my_data(recent: bool = True) -> Context:
    ready = CopyLine("cpy_1", "ready", at(11, 20, 9), at(11, 27, 9), "3.4 MB")
    failed = CopyLine("cpy_2", "failed", at(11, 19, 9), None, "1 kB")
    return {"page": MyData((ready, failed), recent, False, removed=people()[1:2]), "problem": ""}


def left() -> tuple[Staying, ...]:
    return staying((Stays("process", date(2029, 3, 10)), Stays("medical", date(2041, 3, 10)), Stays("books", None)))


def erase(recent: bool = True, booked: bool = False) -> Context:
    told = _t("没有删除任何数据：预约 AX7K2M914Q 仍在进行。", "Nothing was deleted: AX7K2M914Q is under way.")
    return {
        "name": "" if recent else people()[1].name,
        "here": "#",
        "staying": () if booked else left(),
        "under_way": (InTheWay("b1", "AX 7K2 9143"),) if booked else (),
        "recent": recent,
        "problem": told if booked else "",
    }


def family_new() -> Context:
    form = Form(
        {"name": _t("沈伯年", "Shen Bonian"), "id_number": "3301021954031200"},
        {"id_number": _t("还差 2 位，身份证号一共 18 位。", "Two digits are missing. An ID number has 18.")},
    )
    relations = (
        ("father", _t("父亲", "Father")),
        ("mother", _t("母亲", "Mother")),
        ("spouse", _t("配偶", "Spouse")),
        ("child", _t("子女", "Child")),
    )
    return {"form": form, "relations": relations, "next_url": ""}


def phone(step: str) -> Context:
    code = Code("139****7755", 5, 40) if step == "codes" else None
    errors = {"old_code": _t("这不是我们发出的验证码，还可以试 3 次。", "That is not the code we sent. Tries left: 3.")}
    form = Form(errors=errors if step == "codes" else {})
    return {"step": step, "form": form, "code": code, "current": "138****2041"}


def family_remove(problem: bool = False) -> Context:
    told = _t("她还有一个预约，请先取消。", "A booking is for this person. Cancel it first.") if problem else ""
    return {"person": people()[1], "problem": told}


def usage() -> Context:
    def line(
        moment: datetime, zh: str, en: str, change: str, left: int, gain: bool = False, booked: bool = False
    ) -> UsageLine:
        return UsageLine(
            moment,
            _t(zh, en),
            change,
            left,
            _t("健康体检", "Health check"),
            "#" if booked else "",
            "AX7K2M914Q" if booked else "",
            gain,
        )

    lines = (
        line(
            at(11, 20, 19, 42),
            "为父亲预约 11 月 26 日体检，占用 1 次",
            "Kept for your father's check on 26 November",
            "−1",
            1,
            booked=True,
        ),
        line(
            at(8, 12, 16, 5),
            "医院取消了 8 月 20 日的体检，退回 1 次",
            "The hospital cancelled 20 August; given back",
            "+1",
            2,
            gain=True,
            booked=True,
        ),
        line(at(1, 1, 0), "年度发放 2 次", "Granted for the year", "+2", 2, gain=True),
    )
    return {"page": Usage(_t("健康体检的使用记录", "History of health checks"), lines, benefits()[0])}


def sign_in(error: bool = False) -> Context:
    form = (
        Form(
            {"phone": "1380013"},
            {"phone": _t("还差 4 位，手机号一共 11 位。", "Four digits are missing. A mobile number has 11.")},
        )
        if error
        else Form()
    )
    return {"form": form, "next_url": ""}


def sign_in_code() -> Context:
    form = Form({}, {"code": _t("验证码不对，请再看一下短信。", "That's not the code. Look at the message again.")})
    text = _t("【安享】验证码 402817，5 分钟内有效。", "Anxiang: your code is 402817, good for 5 minutes.")
    return {"form": form, "code": Code("138****2041", 3, 42), "next_url": "", "printed": text}


def error(status: int) -> Context:
    title, text = error_words(status)
    return {
        "error": status,
        "title": title,
        "text": text,
        "reference": "E 4F92 71" if status == 500 else "",
        "retry_url": "#" if status in (500, 403) else "",
        "wait": 540 if status == 429 else 0,
    }


def operator() -> Context:
    return {"form": Form(), "action": "/gallery/operator", "next_url": ""}


_OFFER = Offer(
    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "otpauth://totp/Anxiang:lin?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Anxiang",
    "sealed",
)
_CODES = tuple(f"a2b{n}-c4d5-e6f7-g8h9" for n in range(10))


def operator_code() -> Context:
    errors = {
        "code": _t("验证码不正确，或已使用过。请等下一个验证码再试。", "That code is not right, or was used before.")
    }
    return {"form": Form(errors=errors), "action": "/gallery/operator_code", "next_url": ""}


def operator_device() -> Context:
    more = {"offer": _OFFER, "qr": qr_code(_OFFER.uri)}
    return {"form": Form(), "action": "/gallery/operator_device", "next_url": "", **more}


def operator_codes() -> Context:
    return {"codes": _CODES, "next_url": "/operators"}


def operator_own_password() -> Context:
    return {"form": Form(), "action": "/gallery/operator_own_password", "next_url": ""}


def _account(login: str, name: str, role: str, ended: bool = False, myself: bool = False) -> OperatorLine:
    seen = None if login == "mei" else at(11, 20, 9)
    return OperatorLine(
        f"opr_{login}", login, name, role, seen, seen, at(11, 21, 9) if ended else None, seen is None, myself
    )


def console_accounts() -> Context:
    rows = (
        _account("lin", _t("林默", "Lin Mo"), "admin", myself=True),
        _account("mei", _t("梅若", "Mei Ruo"), "agent"),
        _account("wu", _t("吴迪", "Wu Di"), "agent", ended=True),
    )
    return _console("accounts", rows=rows)


def console_account(ended: bool = False) -> Context:
    return _console("accounts", page=_account("wu", _t("吴迪", "Wu Di"), "agent", ended=ended), problem="")


def console_account_new(made: bool = False) -> Context:
    errors = {"login": _t("另一位操作员已使用此登录名。", "Another operator has this login.")}
    new = NewOperator("opr_wu", "a2b3-c4d5-e6f7-g8h9") if made else None
    return _console("accounts", form=Form({"name": "Wu", "role": "agent"}, errors), made=new, login="wu", problem=None)


def console_second_factor(none: bool = False) -> Context:
    return _console("second_factor", page=DeviceStatus(None if none else at(11, 20, 9), 9), form=Form())


def console_device() -> Context:
    return _console("second_factor", offer=_OFFER, qr=qr_code(_OFFER.uri), form=Form(), present=True, problem=None)


def console_recovery_codes() -> Context:
    return _console("second_factor", codes=_CODES)


def _console(here: str, role: str = "admin", **context: Any) -> Context:
    me = OperatorView("opr_1", "lin", _t("林默", "Lin Mo"), role)
    return {"me": me, "here": here, "feeds": overview_page.feeds(), **context}


def _discrepancies() -> tuple[overview_page.DiscrepancyRow, ...]:
    name = Text("和馨体检", "Hexin Health")
    kinds = ("outcome_unknown", "theirs_only", "slot_oversold", "report_unmatched", "cancel_refused", "state_differs")
    return tuple(
        overview_page.discrepancy(
            DiscrepancyView(
                "d1", kind, "R-20261120-77", "AX7K2M914Q" if n % 2 else None, "hexin", name, at(11, 20 + n // 2, 9)
            )
        )
        for n, kind in enumerate(kinds)
    )


def _providers() -> tuple[overview_page.ProviderRow, ...]:
    def health(code: str, zh: str, en: str, **changes: Any) -> overview_page.ProviderRow:
        fresh = {feed: NOW - timedelta(seconds=20) for feed in ("slots", "bookings", "reports")}
        calm = ProviderHealth(code, Text(zh, en), fresh, {}, None, 2, 0, 0)
        return overview_page.provider(replace(calm, **changes), NOW)

    return (
        health("hexin", "和馨体检", "Hexin Health"),
        health(
            "kangyue",
            "康悦健康",
            "Kangyue Health",
            breakers={
                Call.COMMANDS: BreakerView(6, NOW + timedelta(minutes=1)),
                Call.REPORTS: BreakerView(9, NOW - timedelta(seconds=1)),
            },
            unknown=3,
            waiting=41,
        ),
        health("ruian", "瑞安医疗", "Ruian Medical", paused_at=NOW - timedelta(hours=2), discrepancies=1),
        health(
            "anhe",
            "安和体检",
            "Anhe Health",
            look_ups=(
                Reached(214, NOW - timedelta(minutes=9, seconds=12), 0),
                Reached(1_630, NOW - timedelta(hours=3), 88),
            ),
        ),
        health("new", "新泽体检", "Xinze Health", pulled={"slots": None, "bookings": None, "reports": None}),
    )


def _jobs() -> tuple[overview_page.JobRow, ...]:
    return (
        overview_page.job(LateJob("slots:kangyue", 60, NOW - timedelta(minutes=9), NOW - timedelta(minutes=12))),
        overview_page.job(LateJob("entitlements", 300, None, None)),
    )


def console() -> Context:
    found = ("changed: audit_line 4711 (seal 88)", "missing: entitlement_entry 12 (seal 3)")
    verified = LastVerification(NOW - timedelta(hours=6), 48_213, 2, found)
    audit = overview_page.audit(AuditHealth(312.0, HeadsFile.UNWRITABLE, verified))
    alarms = (
        Alarm("customer:cus_7tq2m9x4kd8p3w5z1rnb:phone", 3, NOW - timedelta(hours=2), NOW - timedelta(minutes=4)),
        Alarm("key:rpt_dd83vt3jkdsnv1mn4mjd:1", 1, NOW - timedelta(days=1), NOW - timedelta(days=1)),
    )
    rows = {
        "discrepancies": _discrepancies(),
        "providers": _providers(),
        "jobs": _jobs(),
        "audit": audit,
        "alarms": alarms,
    }
    return _console("home", more_url="/gallery/console_differences", **rows)


def console_quiet() -> Context:
    audit = overview_page.audit(
        AuditHealth(0.0, HeadsFile.WELL, LastVerification(NOW - timedelta(hours=6), 48_213, 0, ()))
    )
    return _console("home", discrepancies=(), providers=(), jobs=(), more_url="", audit=audit, alarms=())


def console_differences(closed: bool = False) -> Context:
    name = Text("和馨体检", "Hexin Health")
    other = Text("康悦健康", "Kangyue Health")
    counts = Counts({"ours_only": 2, "time_differs": 1}, {"hexin": (name, 2), "kangyue": (other, 1)}, 3, 41)
    states, kinds, providers = cases_page.choices(counts, Filter(closed=closed))
    return _console(
        "discrepancies",
        discrepancies=() if closed else _discrepancies(),
        closed=closed,
        narrowed=False,
        states=states,
        kinds=kinds,
        providers=providers,
        more_url="" if closed else "/gallery/console_differences",
    )


def _case(**changes: Any) -> cases_page.CasePage:
    discrepancy = DiscrepancyView(
        "dsc_1", "time_differs", "bkg_7k2m914qx", "AX7K2M914Q", "hexin", Text("和馨体检", "Hexin Health"),
        at(11, 22, 9), units=-1, money_minor=-128000, currency="CNY",
    )  # fmt: skip
    ours = OurSide(
        "bkg_7k2m914qx", "AX7K2M914Q", "confirmed", date(2026, 11, 26), at(11, 26, 8), ZONE,
        Text("甄选套餐", "Select package"), 128000, "CNY", {"HEX-20261120-77": "current"},
    )  # fmt: skip
    facts = {
        "ours": "confirmed", "theirs": "confirmed", "reference": "HEX-20261120-77", "our_reference": "bkg_7k2m914qx",
        "service_date": "2026-11-27", "starts_at": at(11, 27, 9).isoformat(), "version": 4,
    }  # fmt: skip
    view = CaseView(
        discrepancy=discrepancy,
        facts=facts,
        note="",
        ours=ours,
        lines=(
            HistoryLine(at(11, 22, 9, 20), "look_up", True, "operator", "林默"),
            HistoryLine(at(11, 20, 10), "confirmed", False, "provider", "hexin"),
            HistoryLine(at(11, 20, 9), "held", False, "customer", "cus_1"),
        ),
        commands=(("cancel", "queued"),),
        asking=True,
        cancelling=False,
        actions=("look_up", "send_again", "take_their_time", "cancel_there", "cancel_here", "note"),
    )
    return cases_page.case(replace(view, **changes))


def console_case() -> Context:
    return _console("discrepancies", page=_case())


def console_case_closed() -> Context:
    closed = DiscrepancyView(
        "dsc_2", "theirs_only", "HEX-1", None, "hexin", Text("和馨体检", "Hexin Health"), at(11, 20, 9),
        at(11, 21, 9), "explained",
    )  # fmt: skip
    note = _t("对方的测试预约，已电话确认。", "Their test booking; they confirmed it by phone.")
    page = _case(discrepancy=closed, ours=None, facts={}, lines=(), commands=(), asking=False, actions=(), note=note)
    return _console("discrepancies", page=page)


def console_repair(action: str = "cancel_here", problem: bool = False) -> Context:
    form = Form({}, {"note": _t("请填写说明。", "Write a note.")} if problem else {})
    return _console("discrepancies", page=_case(), repair=cases_page.repair("dsc_1", action), form=form)


def console_runs(empty: bool = False) -> Context:
    name = Text("和馨体检", "Hexin Health")

    def run(state: str, by: str, reason: str = "", case: str | None = None, **counts: int) -> runs_page.RunRow:
        view = RunView(
            "rec_1", name, "hexin", state, by, not by, case, at(11, 23, 9), at(11, 23, 9), at(11, 23, 9, 1), reason,
            counts,
        )  # fmt: skip
        return runs_page.run(view)

    rows = (
        run("running", "林默"),
        run("done", "林默", case="dsc_1", agrees=1),
        run("done", "", listed=1240, found=6, repaired=2, opened=1, standing=3),
        run("failed", "", reason="status 502"),
    )
    providers = (("hexin", _t("和馨体检", "Hexin Health")), ("kangyue", _t("康悦健康", "Kangyue Health")))
    return _console("runs", rows=() if empty else rows, providers=providers, form=Form(), more_url="")


def _statement(**changes: Any) -> StatementRow:
    content = {
        "ours": {"states": {"fulfilled": 41, "no_show": 2, "confirmed": 1}, "units": 41, "money": {"CNY": 5248000}},
        "theirs": {
            "states": {"fulfilled": 42, "no_show": 2},
            "money": {"CNY": 5376000},
            "unmatched": 1,
            "read_at": at(11, 23, 0, 20).isoformat(),
        },
        "balance": {"CNY": 128000},
        "open": {"count": 1, "units": 1, "money": {"CNY": 128000}},
    }
    name = Text("和馨体检", "Hexin Health")
    row = StatementRow("stm_1", "hexin", name, date(2026, 11, 22), ZONE, at(11, 23, 0, 25), content)
    return replace(row, **changes)


def console_statements(empty: bool = False) -> Context:
    calm = {"ours": {"units": 0, "money": {}}, "theirs": {}, "balance": {}, "open": {"count": 0}}
    rows = (
        _statement(),
        _statement(day=date(2026, 11, 21), content=calm),
        _statement(day=date(2026, 11, 20), content={**calm, "balance": None}),
    )
    shown = () if empty else tuple(map(statements_page.statement_row, rows))
    providers = (("", _t("全部服务方", "All providers")), ("hexin", _t("和馨体检", "Hexin Health")))
    return _console("statements", rows=shown, providers=providers, form=Form(), more_url="")


def console_statement() -> Context:
    lines = (
        Stated("AX7K2M914Q", "HEX-20261120-77", date(2026, 11, 22), "fulfilled", 1, 128000, "CNY", False),
        Stated("AX8P3N025R", "HEX-20261119-12", date(2026, 11, 20), "entered_in_error", -1, -128000, "CNY", True),
    )
    view = StatementView(_statement(), lines, 42, 41, {"CNY": 5248000}, -1, {"CNY": -128000})
    return _console("statements", page=statements_page.statement(view))


def _closures() -> tuple[closures_page.ClosurePage, ...]:
    view = ClosureView(
        "clo_1", place(), _t("杭州市", "Hangzhou"), date(2026, 12, 1), None, "move", "open", at(11, 23, 9), None,
        {"cancelled": 12, "asked": 30, "moving": 8, "kept": 1}, (("AX7K2M914Q", "confirmed"), ("AX8P3N025R", "in_service")),
    )  # fmt: skip
    done = replace(
        view, state="done", to_day=date(2026, 12, 3), mode="cancel", finished_at=at(11, 23, 10), remaining=()
    )
    return closures_page.closure(view), closures_page.closure(done)


def console_closures(empty: bool = False) -> Context:
    return _console("closures", rows=() if empty else _closures())


def console_closure() -> Context:
    return _console("closures", page=_closures()[0])


def console_closure_new(step: int = 0) -> Context:
    values = ({}, {"wanted": "示范"}, {"wanted": "示范", "site": "sit_1", "from_day": "2026-12-01", "mode": "move"})[
        step
    ]
    sites = [("sit_1", place(), _t("杭州市", "Hangzhou"))] if step else None
    affected = Affected(place(), _t("杭州市", "Hangzhou"), (), 50, 1, 640) if step == 2 else None
    form = Form(values, {"from_day": _t("请填写日期。", "This is needed.")} if step == 1 else {})
    offers = [(_t("甄选套餐", "Select package"), 38), (_t("臻享套餐", "Premier package"), 12)] if affected else []
    return _console("closures", form=form, sites=sites, affected=affected, offers=offers, modes=closures_page.modes())


def console_password() -> Context:
    errors = {"new": _t("这个密码太容易被猜到，请换一个更长的。", "This password is too easy to guess.")}
    return _console("password", form=Form(errors=errors))


def console_customers() -> Context:
    errors = {"phone": _t("没有客户使用这个手机号。", "No customer has this phone.")}
    return _console("customers", form=Form({"phone": "13800000099"}, errors))


def console_customer(blocked: bool = False) -> Context:
    name = _t("沈若兰", "Shen Ruolan")
    return _console(
        "customers", page=CustomerStatus("cus_1", name, "138****0021", at(11, 20, 9) if blocked else None), problem=None
    )


def console_erase() -> Context:
    return _console("customers", customer="cus_1", whose="沈**", staying=left(), problem="")


def _desk_booking() -> desk_page.DeskBooking:
    row = desk_page.DeskRow(
        "b1", "AX7K2M914Q", package().name, place(), people()[1].name, when(), booking_words.pill("confirmed"), "#"
    )
    history = (
        desk_page.DeskLine(at(11, 21, 9), booking_words.pill("awaiting_provider").text, _t("客户", "customer"), ""),
        desk_page.DeskLine(at(11, 21, 10), booking_words.pill("confirmed").text, _t("服务方", "provider"), ""),
    )
    facts = (
        Fact(_t("使用人", "For"), people()[1].name),
        Fact(_t("服务方", "Provider"), _t("康悦体检", "Kangyue")),
        Fact(_t("权益", "Benefit"), _t("已为它保留 1 次", "One use is reserved for it")),
    )
    return desk_page.DeskBooking(row, facts, history, ZONE, "/gallery/console_cancel", "")


def console_bookings(searched: bool = True) -> Context:
    rows = (_desk_booking().row, replace(_desk_booking().row, pill=booking_words.pill("cancelled")))
    return _console("bookings", wanted="AX7K2M914Q" if searched else "", rows=rows if searched else None, problem="")


def console_booking() -> Context:
    return _console("bookings", page=_desk_booking())


def console_cancel() -> Context:
    effects = (
        _t("无论何种原因，1 次权益都会退回。", "One use of the benefit comes back, whatever the reason."),
        _t("若服务方已收到预约，须由其同意。", "If the provider knows of it, it has to agree."),
    )
    form = Form({"reason": "unwell"})
    reasons = desk_page.reasons(REASONS)
    return _console("bookings", page=_desk_booking(), effects=effects, form=form, reasons=reasons)


def console_agent() -> Context:
    note = _t(
        "客户自助取消的时限已过，现在只有管理员可以取消。",
        "The customer's own window is over; only an administrator can still cancel it.",
    )
    return _console("bookings", "agent", page=replace(_desk_booking(), cancel_url="", note=note))


def _dispute_row() -> desk_page.DisputeRow:
    return desk_page.DisputeRow(
        "AX7K2M914Q",
        package().name,
        place(),
        _t("康悦体检", "Kangyue"),
        when(),
        at(11, 27, 9),
        "/gallery/console_dispute",
    )


def console_disputes(empty: bool = False) -> Context:
    return _console("disputes", rows=() if empty else (_dispute_row(),), more_url="" if empty else "#")


def console_dispute(problem: bool = False) -> Context:
    words = _t("我八点就到了，前台说系统坏了，让我改天再来。", "I came at eight. They said their system was down.")
    told = _t("服务方反馈未到院。", "The provider told that nobody came.")
    page = desk_page.DisputePage("d1", _dispute_row(), "#", "open", words, told, "")
    wrong = Form({"decision": "rejected"}, {"words": _t("这一项必填。", "This is needed.")})
    form = wrong if problem else Form()
    return _console("disputes", page=page, form=form, longest=1000, decisions=desk_page.decisions())


def console_providers() -> Context:
    return _console("providers", providers=_providers())


def console_jobs() -> Context:
    return _console("jobs", jobs=_jobs())


def notices() -> Context:
    def row(number: int, zh: tuple[str, str], en: tuple[str, str], sign: str, tone: str, whose: str = "") -> NoticeRow:
        title, text = zh if language.current().code == "zh" else en
        told = NOW - timedelta(hours=7 * number)
        return NoticeRow(f"n{number}", title, text, whose, told, sign, tone, unread=number < 2)

    rows = (
        row(
            0,
            ("明天有预约", "甄选套餐，11 月 24 日 周二 08:00，安享示范医院·体检中心。今晚 22:00 后请不要进食。"),
            (
                "A booking tomorrow",
                "Select package, Tue 24 November, 08:00, Anxiang Model Hospital. Nothing to eat after 22:00.",
            ),
            "bell",
            "plain",
            _t("沈伯年·父亲", "Shen Bonian · father"),
        ),
        row(
            1,
            ("预约已确认", "甄选套餐，11 月 26 日 周四 08:00。"),
            ("Your booking is confirmed", "Select package, Thu 26 November, 08:00."),
            "check",
            "ok",
        ),
        row(
            2,
            ("权益即将到期", "体检：12 月 22 日 周二 到期，还剩 30 天。"),
            ("A benefit is about to end", "Health check: it ends on Tue 22 December, in 30 days."),
            "clock",
            "wait",
        ),
        row(
            3,
            ("预约已取消", "甄选套餐，11 月 12 日 周四 09:00。"),
            ("Your booking is cancelled", "Select package, Thu 12 November, 09:00."),
            "x",
            "off",
        ),
    )
    return {"page": Inbox(rows, 2, "#")}


def message_settings(fresh: bool = False) -> Context:
    form = Form({"quiet_from": "22:00", "quiet_until": "08:00"})
    page = MessageSettings(True, True, True, "138****2041", "s***@example.com", False, True, NOW - timedelta(days=2))
    if fresh:
        secret = "https://anxiang.example.com/calendar/" + "x" * 43 + ".ics"
        errors = {"code": _t("验证码不对，还可以试 4 次。", "That is not the code we sent. Tries left: 4.")}
        form = replace(form, errors=errors)
        page = replace(page, address_open=True, quiet=False, feed_url=secret)
    return {"page": page, "form": form}


def outbox() -> Context:
    sms = Sent(
        NOW,
        "sms",
        "+86****41",
        "",
        "【安享】明天有预约（沈**）：甄选套餐，11 月 24 日 周二 08:00。",
        "ntd_000000000000000000a1",
    )
    mail = Sent(
        NOW,
        "email",
        "she****om",
        "Anxiang: A booking tomorrow",
        "A booking tomorrow\nSelect package, Tue 24 November, 08:00.",
        "ntd_000000000000000000a2",
    )
    return {"messages": (sms, mail)}


def notices_none() -> Context:
    return {"page": Inbox((), 0)}


def offline() -> Context:
    return {"styles": [asset(path) for path in STYLES]}
