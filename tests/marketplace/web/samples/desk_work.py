"""The provider desk: today's work, bookings and the answers to them, check-in. Made by the product's own page models."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from booking.answering.day import Arrival, Day, Figures, HalfDay, OwedReport, WeekDay
from booking.answering.history import Happened
from booking.answering.possible import FreeSlot, possible
from booking.answering.queue import Waiting
from booking.answering.shown import AskedTime, Comer, ShownBooking, WithPerson
from marketplace.core.text import Text
from marketplace.web.desk.work import bookings_page, today_page, words
from marketplace.web.desk.work.saying import LONGEST_REASON, Said
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from tests.marketplace.web.samples.desk import PROVIDER, desk_page
from tests.marketplace.web.samples.everyday import NOW, ZONE, Context, at, zh_en
from vip.principal import MemberRole

SELECT, WOMEN, HEART = Text("甄选套餐", "Select package"), Text("女性专项", "Women's"), Text("心脑血管专项", "Heart")


def _waiting() -> tuple[Waiting, ...]:
    def one(number: int, person: str, offer: Text, minutes: int, day: int, left: int, **more: Any) -> Waiting:
        due = NOW + timedelta(minutes=minutes)
        given: dict[str, Any] = {"matter": "new", "due_at": due, "old_date": None, "old_starts_at": None, **more}
        return Waiting(
            booking=f"b{number}",
            reference=f"AX7K2M91{number}Q",
            version=2,
            person=person,
            offer=offer,
            asked_at=NOW - timedelta(hours=2),
            service_date=date(2026, 11, day),
            starts_at=at(11, day, 8),
            time_zone=ZONE,
            left=left,
            **given,
        )

    return (
        one(1, "陈**", SELECT, 22, 24, 3),
        one(2, "吴*", WOMEN, 65, 25, 6),
        one(3, "沈**", SELECT, 372, 30, 9, matter="change", old_date=date(2026, 11, 26), old_starts_at=at(11, 26, 8)),
        one(4, "何**", HEART, 450, 27, 0),
        one(5, "J***", WOMEN, 0, 28, 2, matter="cancelled", due_at=None),
    )


def _arrivals() -> tuple[Arrival, ...]:
    def one(number: int, person: str, offer: Text, hour: int, minute: int, **more: Any) -> Arrival:
        given: dict[str, Any] = {"state": "confirmed", "came": False, "late": None, **more}
        starts = at(11, 23, hour, minute)
        return Arrival(
            booking=f"a{number}",
            reference=f"AX7K2M92{number}Q",
            version=3,
            person=person,
            offer=offer,
            service_date=date(2026, 11, 23),
            starts_at=starts,
            time_zone=ZONE,
            **given,
        )

    return (
        one(1, "赵**", SELECT, 9, 30, late=timedelta(minutes=18)),
        one(2, "孙**", WOMEN, 10, 0),
        one(3, "马*", SELECT, 10, 0, state="checked_in", came=True),
        one(4, "冯**", HEART, 10, 30),
    )


def _week() -> tuple[WeekDay, ...]:
    free = ((2, 2), (3, 6), (12, 6), (15, 6), (0, 2), (9, None), (None, None))

    def half(part: str, left: int | None) -> HalfDay:
        return HalfDay(part, 0, 0, True) if left is None else HalfDay(part, 40, left, False)

    days = [date(2026, 11, 23) + timedelta(days=number) for number in range(7)]
    return tuple(
        WeekDay(day, () if number == 6 else (half("morning", before), half("afternoon", after)))
        for number, (day, (before, after)) in enumerate(zip(days, free, strict=True))
    )


def _day(empty: bool = False) -> Day:
    owed = (
        OwedReport("r1", "AX7K2M931Q", "李**", SELECT, date(2026, 11, 16), ZONE, at(11, 22, 0), True, False),
        OwedReport("r2", "AX7K2M932Q", "周**", HEART, date(2026, 11, 17), ZONE, at(11, 24, 0), False, True),
    )
    if empty:
        none = tuple(replace(each, parts=()) for each in _week())
        return Day(PROVIDER, ZONE, Figures(0, 0, 0, 0, 0, 0, 0, 0), (), (), 0, (), none)
    figures = Figures(52, 1, 64, 38, 4, 2, 356, 63)
    return Day(PROVIDER, ZONE, figures, _waiting(), _arrivals(), 26, owed, _week())


def today(role: MemberRole = "front_desk", empty: bool = False, asked: bool = False, said: bool = False) -> Context:
    page = today_page.page(_day(empty), NOW, answers=role != "clinician")
    results = (
        Said("AX 7K2M 911Q", words.done_line("confirm"), done=True),
        Said(
            "AX 7K2M 912Q",
            zh_en("您查看期间它已有变化，您的操作没有执行。现在的状态：已取消。", "It changed while you looked at it."),
            done=False,
        ),
    )
    return desk_page("home", role, page=page, version='"x"', results=results if said else (), asked=asked or said)


def _shown(status: str = "requested", **changes: Any) -> ShownBooking:
    given: dict[str, Any] = {
        "id": "b1",
        "reference": "AX7K2M914Q",
        "version": 2,
        "kind": "health_check",
        "status": status,
        "cause": "",
        "offer": "select",
        "pool": "p",
        "slot": "s",
        "service_date": date(2026, 11, 26),
        "starts_at": at(11, 26, 8),
        "ends_at": at(11, 26, 8, 30),
        "time_zone": ZONE,
        "answer_due_at": at(11, 23, 16) if status == "requested" else None,
        "person_name": "沈**",
        "change": None,
        "cancel_asked": False,
        "proposal": None,
        "differences": (),
        "created_at": at(11, 23, 9),
        "updated_at": at(11, 23, 9),
    }
    return ShownBooking(**{**given, **changes})


def _names() -> dict[str, str]:
    return {"select": by_language(SELECT)}


def _list(rows: tuple[ShownBooking, ...], **more: Any) -> Context:
    made = tuple(bookings_page.row(each, _names()) for each in rows)
    given: dict[str, Any] = {
        "show": "",
        "day": "",
        "more_url": "",
        "wanted": "",
        "searched": False,
        "problem": "",
        **more,
    }
    return desk_page("bookings", "front_desk", rows=made, filters=bookings_page.filters(str(given["show"])), **given)


def bookings() -> Context:
    asked = AskedTime("s2", date(2026, 11, 30), at(11, 30, 9), at(11, 30, 9, 30), at(11, 24, 9))
    return _list(
        (
            _shown(),
            _shown("confirmed", change=asked),
            _shown("requested", proposal=asked),
            _shown("checked_in"),
            _shown("no_show"),
            _shown("cancelled", starts_at=None, ends_at=None),
        ),
        more_url="/gallery/desk",
    )


def bookings_none(searched: bool = False) -> Context:
    return _list(
        (), show="confirmed", day="2026-11-24", wanted=zh_en("王", "Wang") if searched else "", searched=searched
    )


def bookings_crowded() -> Context:
    problem = zh_en("尝试次数过多，请在 40 秒后再试。", "Too many tries. The next one is possible in 40 seconds.")
    return _list((), searched=True, problem=problem)


def booking(status: str = "requested", now: datetime = NOW, **changes: Any) -> Context:
    it = _shown(status, **changes)
    over = status in ("fulfilled", "cancelled", "rejected", "no_show")
    person = None if over else Comer(zh_en("沈伯年", "Shen Bonian"), "male", date(1954, 2, 1))
    note = zh_en("血压偏高，请安排坐位休息。", "High blood pressure; please let him sit.")
    answers: dict[str, Any] = {} if over else {"note": note, "wheelchair": True}
    lines = [Happened(at(11, 23, 9), "awaiting_provider", True, "customer", "submitted", False)]
    if status != "requested":
        lines.append(Happened(at(11, 23, 10), "confirmed", True, "provider", "", True))
    if it.change:
        lines.append(Happened(at(11, 23, 11), "confirmed", False, "customer", "change_asked", False))
    page = bookings_page.page(
        WithPerson(it, person, answers), by_language(SELECT), "health_check", possible(it, now=now), lines
    )
    return desk_page("bookings", "front_desk", page=page, problem="")


def booking_change() -> Context:
    asked = AskedTime("s2", date(2026, 11, 30), at(11, 30, 9), at(11, 30, 9, 30), at(11, 24, 9))
    return booking("confirmed", change=asked, differences=("time_differs",))


def booking_today() -> Context:
    return booking("confirmed", now=at(11, 26, 8))


def answer(saying: str, none: bool = False, wrong: bool = False, missing: bool = False) -> Context:
    it = _shown("requested" if saying in ("reject", "propose") else "confirmed")
    slots = [
        FreeSlot(f"s{day}{hour}", date(2026, 11, day), at(11, day, hour), at(11, day, hour, 30), left)
        for day in (27, 28)
        for hour, left in ((8, 3), (9, 12), (10, 1))
    ]
    form = Form()
    if wrong:
        form = Form({"words": "…"}, {"slot": zh_en("请选一个。", "Choose one."), "reason": zh_en("必填。", "Needed.")})
    return desk_page(
        "bookings",
        "front_desk",
        row=bookings_page.row(it, _names()),
        booking=it,
        saying=saying,
        label=words.label(saying),
        effect=words.effect(saying),
        needs_reason=saying in ("reject", "refuse_change", "cancel"),
        needs_slot=saying in ("propose", "move"),
        takes_words=saying in ("reject", "refuse_change", "cancel", "propose"),
        days=() if none or saying not in ("propose", "move") else bookings_page.times(slots, ZONE),
        reasons=words.reasons(),
        not_free=zh_en("明天 07:30", "07:30 tomorrow") if missing else "",
        longest=LONGEST_REASON,
        form=form,
    )


def check_in(wrong: bool = False) -> Context:
    none = zh_en("贵院没有对应这个签到码或预约号的预约。", "No booking of yours has this code or number.")
    return desk_page("check_in", "front_desk", form=Form({}, {"code": none}) if wrong else Form(), longest=120)
