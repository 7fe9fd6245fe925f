"""The desk's calendar of places: a month and a week, the forms, what a change would do, and what came of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from booking.answering.shown import AskedTime, ShownBooking, Status
from booking.capacity_rules.affected import Affected, AtSlot
from booking.capacity_rules.calendars import Pool
from booking.capacity_rules.edit import DayChange, Preview
from booking.capacity_rules.holidays import public_holidays
from booking.capacity_rules.plan import DayPlan, Rules, Section, WeeklyRule
from booking.capacity_rules.view import CalendarView, ChangeView, DayView, ItemView, SlotView
from booking.offers.alternatives import Alternative
from marketplace.core.errors import Invalid
from marketplace.core.text import Text
from marketplace.web.desk.capacity import calendar_page, deciding, forms
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context, at, zh_en

TODAY = date(2026, 11, 23)
OFFERS = (Text("甄选体检套餐", "Select check-up package"), Text("女性专项", "Women's check-up"))
MORNING, AFTERNOON = Section(480, 690, 30, 6), Section(810, 960, 30, 4)


def _pool(*, here: bool = True) -> Pool:
    return Pool(
        1, "pol_1", "hall-a", "hall-a", zh_en("安享示范医院", "Anxiang Demonstration Hospital"), ZONE, OFFERS, here
    )


def _slots(day: date, number: int) -> list[SlotView]:
    found = []
    for place, hour in enumerate((8, 9, 10, 14)):
        taken = (number * 3 + place) % 7
        starts = at(day.month, day.day, hour)
        free = max(6 - taken, 0)
        found.append(SlotView(f"slt_{number}{place}", starts, starts + timedelta(minutes=30), 6, taken, free, False))
    return found


def _day(day: date) -> DayView:
    number = day.toordinal()
    plan = DayPlan(day, (MORNING,), "rules")
    slots = _slots(day, number)
    if day.day == 26:
        closed = [SlotView("slt_c", at(11, 26, 8), at(11, 26, 8, 30), 6, 3, 0, True)]
        return DayView(day, closed, None, False, True, DayPlan(day, (), "exception"))
    if day.day == 27:
        slots = [SlotView(it.id, it.starts_at, it.ends_at, 6, 6, 0, False) for it in slots]
    if day.day == 19:
        holiday = Text("演示节", "Demonstration Day")
        return DayView(day, (), holiday, False, True, DayPlan(day, (), "holiday", holiday))
    if day.isoweekday() == 7:
        return DayView(day, (), None, False, True, plan)
    return DayView(day, slots, None, day.day == 28, True, plan)


def _calendar(first: date, last: date, *, here: bool = True, new: bool = False) -> CalendarView:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    shown = [DayView(day, (), None, False, True, None) if new else _day(day) for day in days]
    return CalendarView(
        pool=_pool(here=here),
        version=0 if new or not here else 4,
        rules=Rules(),
        today=TODAY,
        ends_on=None if new or not here else date(2027, 2, 20),
        behind=not new and here,
        days=shown,
        undecided=0 if new or not here else 3,
        unknown_years=(2027,),
    )


def pools(none: bool = False) -> Context:
    rows = [
        (_pool(), zh_en("甄选体检套餐", "Select check-up package")),
        (_pool(), zh_en("心脑血管专项", "Heart and brain")),
    ]
    return desk_page("capacity", rows=[] if none else rows)


def month(view: str = "month", here: bool = True, new: bool = False) -> Context:
    first, last = calendar_page.span(view, TODAY)
    begins = calendar_page.monday(TODAY) if view == "month" else first
    found = _calendar(begins, last, here=here, new=new)
    other = Pool(
        2,
        "pol_2",
        "hall-b",
        zh_en("三楼", "Third floor"),
        found.pool.site,
        ZONE,
        (Text("心脑血管专项", "Heart and brain"),),
        here,
    )
    return desk_page(
        "capacity",
        found=found,
        name=calendar_page.pool_name(found.pool),
        pools=calendar_page.pool_links((found.pool, other), found.pool.id),
        view=view,
        day=TODAY,
        first=first,
        last=last,
        before=first - timedelta(days=1),
        after=last + timedelta(days=1),
        current=view == "month",
        past=begins > first,
        cells=calendar_page.cells(found),
        years=public_holidays().years,
    )


def rules(wrong: bool = False) -> Context:
    weekly = [
        WeeklyRule(frozenset(range(1, 6)), MORNING, date(2026, 1, 1)),
        WeeklyRule(frozenset({1, 3}), AFTERNOON, date(2026, 12, 1), date(2027, 2, 28)),
    ]
    rows = forms.with_blanks(forms.rows_of(Rules(weekly), TODAY))
    overlap = zh_en("与同一天的其他时段重叠。", "These hours overlap with others of the same day.")
    needed = zh_en("请填写此项。", "This is needed.")
    errors = {"r2_from": overlap, "r3_days": needed, "horizon": needed} if wrong else {}
    return desk_page(
        "capacity",
        pool=_pool(),
        name=calendar_page.pool_name(_pool()),
        url="/gallery/desk",
        seen=4,
        rows=rows,
        form=Form({"holidays": "closed", "make_up": "5", "horizon": "90"}, errors),
        problem="",
        lengths=deciding.lengths(),
        new=not wrong,
        make_ups=deciding.make_ups(),
        notices=[(2026, public_holidays().years[2026])],
        unknown=[2027],
    )


def day() -> Context:
    found = _calendar(TODAY + timedelta(days=1), TODAY + timedelta(days=1))
    return desk_page(
        "capacity",
        pool=found.pool,
        name=calendar_page.pool_name(found.pool),
        url="/gallery/desk",
        seen=4,
        rows=forms.with_blanks(forms.rows_of_day((MORNING, AFTERNOON))),
        form=Form(),
        problem="",
        lengths=deciding.lengths(),
        day=TODAY + timedelta(days=1),
        found=found,
        cell=calendar_page.cells(found)[0],
        minutes={it.id: 480 for it in found.days[0].slots},
        why="exception",
        past=False,
    )


def _booking(
    number: int, person: Text, status: Status = "confirmed", proposal: AskedTime | None = None
) -> ShownBooking:
    starts = at(11, 26, 8 + number)
    return ShownBooking(
        id=f"bkg_{number}",
        reference=f"AX7K2914{number}Q",
        version=1,
        kind="health_check",
        status=status,
        cause="",
        offer="select",
        pool="hall-a",
        slot="x",
        service_date=date(2026, 11, 26),
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30),
        time_zone=ZONE,
        answer_due_at=None,
        person_name=by_language(person),
        change=None,
        cancel_asked=False,
        proposal=proposal,
        differences=(),
        created_at=at(11, 20, 9),
        updated_at=at(11, 20, 9),
    )


def _people(proposal: AskedTime | None = None) -> list[ShownBooking]:
    return [
        _booking(0, Text("陈**", "Chen **")),
        _booking(1, Text("吴*", "Wu *"), "requested"),
        _booking(2, Text("沈**", "Shen **"), proposal=proposal),
    ]


def _other(starts: datetime) -> Alternative:
    return Alternative("ofr_1", OFFERS[0], "x", "slt_9", starts.date(), starts, None, ZONE, None, True)


def _dialogue(wrong: bool = False) -> deciding.Dialogue:
    bookings = [AtSlot(1, it) for it in _people()]
    others = {it.booking.id: [_other(at(11, 27, 9)), _other(at(11, 30, 8, 30))] for it in bookings}
    refusal = Invalid(field="decisions.bkg_1.reason", reason="required") if wrong else None
    fields = {"what_all": "propose", "what_bkg_1": "cancel", "why_all": zh_en("设备检修", "The machine is serviced")}
    return deciding.dialogue(bookings, others, ZONE, fields, refusal)


def preview(bookings: bool = True, wrong: bool = False) -> Context:
    days = [
        DayChange(TODAY + timedelta(days=n), (11, 0 if bookings else 12), (62, 0 if bookings else 70))
        for n in range(1 if bookings else 20)
    ]
    lost = Affected([AtSlot(1, it) for it in _people()] if bookings else [], 1, 2 if bookings else 0, 1, 1)
    problem = zh_en(
        "请为下列每个预约选择如何处理。本次未保存。", "Say of each booking below what becomes of it. Nothing was saved."
    )
    return desk_page(
        "capacity",
        pool=_pool(),
        name=calendar_page.pool_name(_pool()),
        day=date(2026, 11, 26) if bookings else None,
        url="/gallery/desk",
        seen=4,
        typed={"what": "closed"},
        found=Preview(days, lost, {}),
        closes=bookings,
        deciding=_dialogue(wrong) if bookings else deciding.dialogue((), {}, ZONE, {}),
        problem=problem if wrong else "",
    )


def decide(none: bool = False) -> Context:
    empty = deciding.dialogue((), {}, ZONE, {})
    return desk_page(
        "capacity", pool=_pool(), name=calendar_page.pool_name(_pool()), deciding=empty if none else _dialogue()
    )


def change(waits: bool = False) -> Context:
    there = AskedTime("x", date(2026, 11, 27), at(11, 27, 9), None, at(11, 24, 9))
    kept, cancelled, proposed = _people(there)
    now, reason = at(11, 23, 9, 40), zh_en("设备检修", "The machine is serviced")
    items = [
        ItemView(kept, "keep", "", "done", "", now),
        ItemView(cancelled, "cancel", reason, "waiting" if waits else "done", "", now),
        ItemView(proposed, "propose", reason, "done", "slt_9", now),
        ItemView(_booking(3, Text("郑*", "Zheng *")), "propose", reason, "refused", "no_other_time", now),
        ItemView(_booking(4, Text("何**", "He **")), "cancel", reason, "moved_on", "", now),
    ]
    left = [AtSlot(1, items[3].booking)]
    found = ChangeView("cch_1", _pool(), "day", date(2026, 11, 26), "mbr_1", now, not waits, items, left)
    rows = tuple(deciding.item_row(it) for it in items)
    return desk_page("capacity", found=found, name=calendar_page.pool_name(found.pool), rows=rows)
