"""Invented people, times and places that every page uses. Texts are functions, since they depend on the reader's
language. Today is Monday 23 November 2026, 09:48 in Hangzhou."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from marketplace.web import booking_words, language
from marketplace.web.assets import asset
from marketplace.web.booking.finding.packages_page import Package
from marketplace.web.error_page import error_words
from marketplace.web.offline import STYLES
from marketplace.web.parts import Fact, Person, Ticket, When

NOW = datetime(2026, 11, 23, 1, 48, tzinfo=UTC)

ZONE = "Asia/Shanghai"

Context = dict[str, Any]


def zh_en(zh: str, en: str) -> str:
    return zh if language.current().code == "zh" else en


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def people() -> tuple[Person, ...]:
    return (
        Person(
            "p1",
            zh_en("沈知微", "Shen Zhiwei"),
            zh_en("本人", "You"),
            "沈",
            is_self=True,
            note=zh_en("女，44 岁", "Female, 44"),
        ),
        Person(
            "p2",
            zh_en("沈伯年", "Shen Bonian"),
            zh_en("父亲", "Father"),
            "父",
            note=zh_en("男，72 岁", "Male, 72"),
            consent="given",
        ),
        Person(
            "p3",
            zh_en("林素琴", "Lin Suqin"),
            zh_en("母亲", "Mother"),
            "母",
            note=zh_en("女，70 岁", "Female, 70"),
            consent="missing",
        ),
    )


def when() -> When:
    return When(date(2026, 11, 26), ZONE, at(11, 26, 8), at(11, 26, 8, 30))


def place() -> str:
    return zh_en("安享示范医院·体检中心", "Anxiang Model Hospital, Health Check Centre")


def address() -> str:
    return zh_en("杭州市西湖区文溪路 8 号 3 号楼 2 层", "8 Wenxi Road, Building 3, Xihu District, Hangzhou")


def ticket(state: str = "confirmed", home: bool = False, **facts: Any) -> Ticket:
    known = booking_words.Facts(state, when(), "health_check", **facts)
    named = (
        Fact(zh_en("体检人", "For"), zh_en("沈伯年（父亲）", "Shen Bonian (father)")),
        Fact(zh_en("到院出示", "Show"), zh_en("身份证", "ID card")),
        Fact(zh_en("预约号", "Number"), "AX 7K2M 914Q"),
    )
    return Ticket(
        booking_words.ticket_style(state),
        zh_en("再过 3 天·为父亲预约", "In 3 days, for your father")
        if home
        else zh_en("健康体检·甄选套餐", "Health check, Select package"),
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
            zh_en("一般检查", "General"),
            (
                zh_en("身高体重", "height and weight"),
                zh_en("血压", "blood pressure"),
                zh_en("内外科", "physical examination"),
            ),
        ),
        (
            zh_en("血液", "Blood"),
            (
                zh_en("血常规", "full count"),
                zh_en("空腹血糖", "fasting glucose"),
                zh_en("血脂四项", "lipids"),
                zh_en("肝肾功能", "liver and kidney function"),
            ),
        ),
        (
            zh_en("影像", "Imaging"),
            (
                zh_en("胸部低剂量 CT", "low-dose chest CT"),
                zh_en("腹部彩超", "abdominal ultrasound"),
                zh_en("心电图", "ECG"),
            ),
        ),
    )
    return Package(
        "of1",
        zh_en("甄选套餐", "Select package"),
        zh_en("覆盖心脑血管、代谢与肿瘤早筛", "Heart, metabolism and early cancer signs"),
        items,
        71,
        zh_en("男女均可，18 至 80 岁", "Men and women, 18 to 80"),
        zh_en("需空腹 8 小时", "Eight hours without food"),
        "/gallery/times",
        chosen=True,
        kind="health_check",
        provider=zh_en("安享示范医院", "Anxiang Model Hospital"),
    )


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


def offline() -> Context:
    return {"styles": [asset(path) for path in STYLES]}
