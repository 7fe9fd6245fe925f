"""Home, and the benefits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from marketplace.web.benefit_cards import Benefit
from marketplace.web.home.chat import Chat
from marketplace.web.home.home import Home
from marketplace.web.tickets import NextBooking
from tests.marketplace.web.samples.everyday import Context, at, people, ticket, zh_en


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
