"""Notices and how messages are sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from marketplace.core.sending.outgoing import Sent
from marketplace.web import language
from marketplace.web.account.message_settings import MessageSettings
from marketplace.web.account.notices_page import Inbox, NoticeRow
from marketplace.web.parts import Form
from tests.marketplace.web.samples.everyday import NOW, Context, zh_en


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
            zh_en("沈伯年·父亲", "Shen Bonian · father"),
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
        errors = {"code": zh_en("验证码不对，还可以试 4 次。", "That is not the code we sent. Tries left: 4.")}
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
