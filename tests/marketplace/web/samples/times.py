"""Times to choose among."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from marketplace.web.booking.times_page import Day, Month, Slot, Taken, Times
from marketplace.web.parts import When
from marketplace.web.slow_words import slow_note
from tests.marketplace.web.samples.everyday import ZONE, Context, at, package, people, place, zh_en
from tests.marketplace.web.samples.finding import SLOW


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
