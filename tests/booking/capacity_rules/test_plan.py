"""Rules, exceptions and holidays give exactly the slots that somebody with a calendar and a clock would write down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.capacity_rules.holidays import PublicHolidays, Year, public_holidays
from booking.capacity_rules.plan import (
    DAY,
    PlannedSlot,
    Rules,
    Section,
    WeeklyRule,
    day_plan,
    planned,
    slots_of,
    whole_day,
    with_places,
)
from marketplace.core.text import Text

pytestmark = pytest.mark.quick

ZONES = ("Asia/Shanghai", "Asia/Urumqi", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe")
MONDAY = date(2026, 3, 2)
WEEKDAYS = frozenset(range(1, 6))
MORNING = Section(8 * 60, 11 * 60, 30, 4)
KNOWN = public_holidays()


def rule(section: Section = MORNING, weekdays: frozenset[int] = WEEKDAYS, **valid: date) -> WeeklyRule:
    return WeeklyRule(weekdays, section, valid.get("since", date(2020, 1, 1)), valid.get("until"))


def starts(rules: Rules, day: date, zone: str = "Asia/Shanghai") -> list[str]:
    """When the day's slots begin, by the clock on the wall."""
    found = slots_of(day_plan(rules, KNOWN, day), zone)
    return [each.starts_at.astimezone(ZoneInfo(zone)).strftime("%H:%M") for each in found if each.starts_at]


# --- the oracle goes through every five minutes of the world's clock, and asks what the one on the wall shows ---------

Written = tuple[date, str | None, datetime | None, datetime | None, int]


def written_down(rules: Rules, holidays: PublicHolidays, zone: str, today: date) -> set[Written]:
    found = set[Written]()
    for number in range(rules.horizon_days):
        day = today + timedelta(days=number)
        for section in what_applies(rules, holidays, day):
            if section.minutes is None:
                found.add((day, None, None, None, section.places))
                continue
            seen = set[str]()
            at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
            for _ in range(44 * 12):
                wall = at.astimezone(ZoneInfo(zone))
                into = wall.hour * 60 + wall.minute - section.start
                fits = into % section.minutes == 0 and 0 <= into <= section.end - section.start - section.minutes
                name = wall.strftime("%H:%M")
                if wall.date() == day and fits and name not in seen:
                    seen.add(name)
                    found.add((day, name, at, at + timedelta(minutes=section.minutes), section.places))
                at += timedelta(minutes=5)
    return found


def what_applies(rules: Rules, holidays: PublicHolidays, day: date) -> Sequence[Section]:
    if day in rules.exceptions:
        return rules.exceptions[day]
    year = holidays.years.get(day.year)
    if year and day in year.holidays and rules.closed_on_holidays:
        return []
    as_day = day.weekday() + 1
    if year and day in year.working_days and rules.make_up_weekday:
        as_day = rules.make_up_weekday
    return [
        each.section
        for each in rules.weekly
        if as_day in each.weekdays and not day < each.valid_from and not (each.valid_until and day > each.valid_until)
    ]


def wrote(slots: Sequence[PlannedSlot]) -> list[Written]:
    return [
        (
            each.day,
            None if each.minute is None else f"{each.minute // 60:02}:{each.minute % 60:02}",
            each.starts_at,
            each.ends_at,
            each.places,
        )
        for each in slots
    ]


@st.composite
def sections(draw: st.DrawFn) -> list[Section]:
    """A day's sections: the whole of it, or some that do not overlap."""
    if draw(st.integers(0, 5)) == 0:
        return [whole_day(draw(st.integers(1, 9)))]
    edges = sorted(draw(st.lists(st.integers(0, DAY // 5), min_size=2, max_size=6, unique=True)))
    found = []
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        minutes = draw(st.sampled_from([5, 15, 20, 30, 45, 60, 90]))
        if minutes <= (end - start) * 5:
            found.append(Section(start * 5, end * 5, minutes, draw(st.integers(1, 9))))
    return found


@st.composite
def rule_books(draw: st.DrawFn) -> tuple[Rules, PublicHolidays, str, date]:
    """Rules, holidays, a zone, and a day near one on which its clocks change."""
    zone = draw(st.sampled_from(ZONES))
    turns = [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 4), date(2026, 10, 25)]
    today = draw(st.sampled_from(turns)) - timedelta(days=draw(st.integers(0, 3)))
    days = [today + timedelta(days=number) for number in range(6)]
    weekly = []
    for weekday in draw(st.sets(st.integers(1, 7))):
        since = draw(st.sampled_from(days)) if draw(st.booleans()) else date(2020, 1, 1)
        until = draw(st.sampled_from([None, *days]))
        if until is not None and until < since:
            until = None
        weekly += [WeeklyRule(frozenset({weekday}), each, since, until) for each in draw(sections())]
    exceptions: Mapping[date, list[Section]] = draw(
        st.dictionaries(st.sampled_from(days), st.one_of(st.just([]), sections()), max_size=2)
    )
    off = draw(st.sets(st.sampled_from(days), max_size=2))
    work = frozenset(draw(st.sets(st.sampled_from(days), max_size=2))) - off
    holidays = PublicHolidays("x", {today.year: Year("x", today, dict.fromkeys(off, Text("节", "Day")), work)})
    rules = Rules(
        weekly, exceptions, draw(st.booleans()), draw(st.sampled_from([None, *range(1, 8)])), draw(st.integers(1, 5))
    )
    return rules, holidays, zone, today


@settings(max_examples=80, deadline=None)
@given(rule_books())
def test_they_give_exactly_the_slots_that_somebody_would_write_down(
    book: tuple[Rules, PublicHolidays, str, date],
) -> None:
    made = wrote(list(planned(*book)))
    assert len(made) == len(set(made))
    assert set(made) == written_down(*book)
    assert wrote(list(planned(*book))) == made, "the same rules, the same slots"


def test_a_week_by_its_rules_has_five_mornings_of_six() -> None:
    slots = list(planned(Rules([rule()], horizon_days=7), KNOWN, "Asia/Shanghai", MONDAY))
    assert [each.day.isoweekday() for each in slots] == [day for day in range(1, 6) for _ in range(6)]
    assert slots[0].starts_at == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    assert slots[0].ends_at == datetime(2026, 3, 2, 0, 30, tzinfo=UTC)


def test_what_is_left_at_the_end_is_no_slot() -> None:
    assert starts(Rules([rule(Section(480, 570, 40, 1))]), MONDAY) == ["08:00", "08:40"]


def test_a_rule_holds_from_its_first_day_to_its_last() -> None:
    rules = Rules([rule(since=date(2026, 3, 3), until=date(2026, 3, 4))])
    assert [bool(starts(rules, date(2026, 3, day))) for day in (2, 3, 4, 5)] == [False, True, True, False]


def test_the_spring_festival_is_closed_and_the_days_that_make_up_for_it_work_as_the_day_that_was_chosen() -> None:
    rules = Rules([rule(), rule(Section(780, 840, 60, 1), frozenset({5}))], make_up_weekday=5)
    festival = [date(2026, 2, 15) + timedelta(days=number) for number in range(9)]
    assert [starts(rules, day) for day in festival] == [[]] * 9
    assert day_plan(rules, KNOWN, festival[0]).holiday == Text("春节", "Spring Festival")
    for makes_up in (date(2026, 2, 14), date(2026, 2, 28)):
        assert day_plan(rules, KNOWN, makes_up).why == "make_up"
        assert starts(rules, makes_up)[-1] == "13:00"
    assert starts(Rules([rule()]), date(2026, 2, 28)) == [], "as the Saturday it is, where none was chosen"


def test_who_stays_open_on_holidays_is_open_by_the_weekly_rules() -> None:
    rules = Rules([rule()], closed_on_holidays=False)
    labour_day = day_plan(rules, KNOWN, date(2026, 5, 1))
    assert labour_day.sections == (MORNING,)
    assert labour_day.holiday is not None


def test_an_exception_comes_before_holidays_and_rules() -> None:
    open_on = {date(2026, 5, 1): [Section(600, 660, 60, 2)], MONDAY: []}
    rules = Rules([rule()], exceptions=open_on)
    assert starts(rules, date(2026, 5, 1)) == ["10:00"]
    assert starts(rules, MONDAY) == []


def test_a_year_that_is_not_published_is_not_guessed() -> None:
    assert KNOWN.published(2026)
    assert not KNOWN.published(2027)
    assert day_plan(Rules([rule()]), KNOWN, date(2027, 1, 1)).holiday is None
    assert starts(Rules([rule()]), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("year", "off", "work"),
    [(2025, 28, 5), (2026, 33, 6)],
)
def test_the_notices_are_taken_down_as_they_were_published(year: int, off: int, work: int) -> None:
    found = KNOWN.years[year]
    assert (len(found.holidays), len(found.working_days)) == (off, work)
    assert all(day.isoweekday() > 5 for day in found.working_days), "they are Saturdays and Sundays"
    assert not found.working_days & set(found.holidays)
    assert {day.year for day in [*found.holidays, *found.working_days]} == {year}
    assert found.published.year == year - 1
    assert found.source


def test_a_time_that_the_clock_leaps_over_has_no_slot_and_one_that_comes_twice_has_one() -> None:
    night = Rules([rule(Section(60, 240, 60, 1), frozenset({7}))])
    zone = "America/New_York"
    assert starts(night, date(2026, 3, 8), zone) == ["01:00", "03:00"]
    back = slots_of(day_plan(night, KNOWN, date(2026, 11, 1)), zone)
    assert [each.minute for each in back] == [60, 120, 180]
    assert back[0].starts_at == datetime(2026, 11, 1, 5, 0, tzinfo=UTC)


def test_a_site_by_the_clock_of_urumqi_opens_two_hours_later() -> None:
    first = slots_of(day_plan(Rules([rule()]), KNOWN, MONDAY), "Asia/Urumqi")[0]
    assert first.starts_at == datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def test_one_slot_of_a_day_can_be_closed_or_have_other_places() -> None:
    closed = with_places([MORNING], 540, 0)
    assert starts(Rules(exceptions={MONDAY: closed}), MONDAY) == ["08:00", "08:30", "09:30", "10:00", "10:30"]
    fewer = slots_of(day_plan(Rules(exceptions={MONDAY: with_places([MORNING], 480, 1)}), KNOWN, MONDAY), "UTC")
    assert [each.places for each in fewer] == [1, 4, 4, 4, 4, 4]
    assert with_places([whole_day(9)], None, 3) == (whole_day(3),)
    assert with_places([whole_day(9)], None, 0) == ()
    assert with_places([MORNING], 541, 0) == (MORNING,), "there is none at that time"
