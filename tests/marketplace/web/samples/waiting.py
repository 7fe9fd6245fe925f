"""The list of bookings with what is waited for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from booking.waiting.view import HeldPlace, WaitingSite, WaitingView
from marketplace.core.text import Text
from marketplace.web.booking import waiting_page as waiting_words
from marketplace.web.booking.bookings_page import (
    Bookings,
)
from marketplace.web.booking.waiting_page import WaitingList, WaitingPage, WaitingRow
from marketplace.web.parts import Choice, Form
from tests.marketplace.web.samples.booking import bookings
from tests.marketplace.web.samples.everyday import NOW, ZONE, Context, at, package, people, place, zh_en


def waiting_rows() -> tuple[WaitingRow, ...]:
    start = at(11, 26, 8)
    view = WaitingView(
        id="w1",
        state="waiting",
        cause="",
        version=1,
        kind="health_check",
        beneficiary_id="p2",
        beneficiary_name=zh_en("沈伯年", "Shen Bonian"),
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
            "last_day": zh_en("结束日期不能早于开始日期。", "The last day must not lie before the first."),
            "places": zh_en("请至少选一处。", "Choose at least one place."),
            "weekdays": zh_en(
                "起止日期之间没有您选的星期。", "None of these days lies between the first and the last day."
            ),
        }
        form = replace(form, errors=errors, problem=zh_en("此人已在候补其中一处。", "This person waits there already."))
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
            zh_en("杭州", "Hangzhou"),
            zh_en("只在还能免费取消时替您约。", "Only as long as you can still cancel free of charge."),
            "/gallery/waiting_new",
            "/gallery/times",
            "/gallery/who",
            auto_book=True,
            existing_url="/gallery/bookings" if wrong else "",
            reasons=reasons,
        )
    }


def waiting_refused() -> Context:
    return waiting_new(reasons=(zh_en("此套餐仅限女性。", "This package is for women."),))


def waiting_stop(problem: str = "") -> Context:
    offered, *_others = waiting_rows()
    return {"row": replace(offered, stop_url="") if problem else offered, "problem": problem}


def bookings_empty() -> Context:
    text = zh_en("您有 1 次体检可用，12 月 31 日到期。", "You have one health check left, until 31 December.")
    return {"page": Bookings((), (), text, zh_en("预约体检", "Book a check"), "/gallery/places")}
