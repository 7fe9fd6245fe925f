"""Test mode at the desk."""

from __future__ import annotations

from datetime import date

from marketplace.web import booking_words
from marketplace.web.desk.twins.bookings_page import Listed, Row
from marketplace.web.desk.work.bookings_page import TimeChoice, TimesOfDay
from marketplace.web.parts import Form, When
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context, at, zh_en

_PEOPLE = ("测试客户一 Test 1", "测试客户二 Test 2", "测试客户三 Test 3")


def mode(on: bool = False, opens: bool = True) -> Context:
    people = _PEOPLE if on else ()
    return desk_page("test_mode", people=people, opened=on, test_mode=on, opens=opens, books=True)


def _row(number: str, state: str, **changes: object) -> Row:
    when = When(date(2026, 11, 26), ZONE, at(11, 26, 8), at(11, 26, 8, 30))
    given: dict[str, object] = {
        "reference": number,
        "offer": zh_en("甄选套餐", "Select package"),
        "customer": _PEOPLE[0],
        "when": when,
        "pill": booking_words.pill(state),
        "aside": "",
        "wanted": None,
        "url": "/gallery/desk_booking",
        "cancel_url": "/gallery/desk_test_bookings",
        "change_url": "",
    }
    return Row(**{**given, **changes})  # type: ignore[arg-type]


def bookings(none: bool = False) -> Context:
    wanted = When(date(2026, 11, 27), ZONE, at(11, 27, 9), at(11, 27, 9, 30))
    rows = (
        _row("AX8P3N025R", "awaiting_provider"),
        _row("AX7K2M9QWD", "confirmed", change_url="/gallery/desk_test_change", customer=_PEOPLE[1]),
        _row("AX5T4J3HNB", "confirmed", aside=zh_en("客户申请改期", "Change of date asked for"), wanted=wanted),
        _row("AX2D6F8GZX", "cancelled", cancel_url=""),
    )
    shown = Listed(() if none else rows, True, "" if none else "/gallery/desk_test_bookings")
    return desk_page("test_bookings", page=shown, live_url="/gallery", version='"1"', test_mode=True)


def clear(none: bool = False) -> Context:
    return desk_page("test_bookings", number=0 if none else 3, test_mode=True)


def _days() -> tuple[TimesOfDay, ...]:
    times = tuple(TimeChoice(f"slt_{number}", f"{8 + number:02}:00–{8 + number:02}:30", 4) for number in range(4))
    return (TimesOfDay(zh_en("11 月 26 日 周四", "Thu 26 November"), times),)


def offers(none: bool = False) -> Context:
    links = (
        (zh_en("甄选套餐", "Select package"), zh_en("大厅", "Main hall"), "/gallery/desk_test_book", True),
        (zh_en("基础套餐", "Basic package"), zh_en("大厅", "Main hall"), "/gallery/desk_test_book_none", False),
    )
    more = "" if none else "/gallery/desk_test_offers"
    return desk_page("test_bookings", links=() if none else links, first=True, more_url=more, test_mode=True)


def book(wrong: bool = False, none: bool = False) -> Context:
    problem = zh_en(
        "这个时间刚刚被约走。您的权益未被使用，请另选时间。", "This time has just gone. Choose another one."
    )
    return desk_page(
        "test_bookings",
        offer_id="ofr_1",
        offer=zh_en("甄选套餐", "Select package"),
        site=zh_en("安享示范医院", "Anxiang Demonstration Hospital"),
        people=tuple((str(number), name) for number, name in enumerate(_PEOPLE, 1)),
        days=() if none else _days(),
        form=Form({"customer": "2", "slot": "slt_1"}, problem=problem if wrong else ""),
        test_mode=True,
    )


def change(none: bool = False, closed: bool = False) -> Context:
    row = _row("AX7K2M9QWD", "confirmed", change_url="" if closed else "/gallery/desk_test_change")
    return desk_page("test_bookings", row=row, days=() if none else _days(), test_mode=True)
