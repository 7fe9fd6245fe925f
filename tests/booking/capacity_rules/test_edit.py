"""Changing a calendar: one sees what it does, who comes second is told, nobody is forgotten, nobody else's is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.answering.answer import AnsweredElsewhere, ProvidersAnswer, propose
from booking.capacity_rules import edit
from booking.capacity_rules.calendars import Pool
from booking.capacity_rules.decisions import Decision
from booking.capacity_rules.edit import (
    NEW,
    BookingsToDecide,
    CalendarChanged,
    Wish,
    calendar_of,
    change,
    preview,
)
from booking.capacity_rules.holidays import public_holidays
from booking.capacity_rules.models import (
    CapacityChangeItem,
    CapacityException,
    CapacityRule,
    PoolCalendar,
)
from booking.capacity_rules.plan import Rules, Section, WeeklyRule, day_plan, whole_day, with_places
from booking.capacity_rules.view import calendar, change_view, to_decide
from booking.hold.submit import submit
from booking.idempotency import Repeatable
from booking.states import BookingState
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, NotFound
from tests.booking.capacity_rules.calendars import (
    EVERY_DAY,
    MEMBER,
    ON,
    all_of,
    another,
    answers_here,
    book,
    books,
    closed_day,
    editor,
    pool_id,
    save,
    version,
    weekly,
)
from tests.concurrency.controls import all_at_once
from tests.people import NOON, TODAY
from tests.world import World, booking_row, go, make_world, set_provider

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    made = answers_here(make_world(slots=0, quantity=9))
    save(made, weekly())
    return made


def test_who_saves_second_is_told_and_nothing_is_lost(world: World) -> None:
    seen = version(world)
    save(world, weekly(places=6), seen=seen)
    with pytest.raises(CalendarChanged):
        save(world, weekly(places=9), seen=seen)
    assert {slot.offered for slot in books(world)} == {6}


def test_of_two_who_save_at_once_one_is_told(world: World) -> None:
    seen = version(world)
    results = all_at_once([lambda n=n: save(world, weekly(places=n), seen=seen, publish=False) for n in (6, 9)])  # type: ignore[misc]
    assert sorted(type(each).__name__ for each in results) == ["CalendarChanged", "str"]
    assert len(calendar_of(world.provider.id, pool_id(world))[2].weekly) == 1


@pytest.mark.every_postgres
def test_control_without_the_lock_the_constraint_refuses_the_second(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, both = version(world), Barrier(2)
    honest = edit._store

    def unlocked(session: Session, pool: Pool, version: int, on: date) -> PoolCalendar:
        return session.get_one(PoolCalendar, pool.key)

    def store(*given: Any) -> None:
        both.wait(timeout=30)
        honest(*given)

    monkeypatch.setattr(edit, "_lock", unlocked)
    monkeypatch.setattr(edit, "_store", store)
    results = all_at_once([lambda n=n: save(world, weekly(places=n), seen=seen, publish=False) for n in (6, 9)])  # type: ignore[misc]
    assert sorted(type(each).__name__ for each in results) == ["IntegrityError", "str"]


def test_of_what_is_not_carried_out_yet_the_later_decision_holds(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    save(world, closed_day(), [Decision(booked, "cancel", reason="x")], publish=False)
    save(world, closed_day(), [Decision(booked, "keep")])
    with reading() as session:
        found = session.execute(select(CapacityChangeItem.action, CapacityChangeItem.state)).all()
    assert [tuple(row) for row in found] == [("keep", "done")]
    assert booking_row(booked).state is BookingState.CONFIRMED


def test_who_is_moving_away_already_is_counted_and_not_to_decide(world: World) -> None:
    booked, staying = (book(world, books(world, ON)[0]) for _ in range(2))
    there = books(world, date(2026, 3, 12))[0].public_id
    said = ProvidersAnswer(world.provider.id, booked, Repeatable("x", "x", b"f" * 32))
    propose(said, there, reason="", expires_at=None, now=NOON)
    found = preview(editor(world), pool_id(world), closed_day(), now=NOON).bookings
    assert ([each.booking.id for each in found.to_decide], found.moving) == ([staying], 1)
    save(world, closed_day(), all_of(world, "cancel", reason="x"))
    assert [booking_row(each).state for each in (booked, staying)] == [BookingState.CONFIRMED, BookingState.CANCELLED]


def test_of_two_who_make_the_first_rules_at_once_one_is_told() -> None:
    made = answers_here(make_world(slots=0))
    results = all_at_once([lambda n=n: save(made, weekly(places=n), seen=NEW, publish=False) for n in (6, 9)])  # type: ignore[misc]
    assert sorted(type(each).__name__ for each in results) == ["CalendarChanged", "str"]


def test_what_a_change_would_do_is_seen_before(world: World) -> None:
    found = preview(editor(world), pool_id(world), closed_day(), now=NOON)
    assert [(each.day, each.slots, each.places) for each in found.days] == [(ON, (4, 0), (16, 0))]
    nothing = preview(editor(world), pool_id(world), Wish(rules=weekly()), now=NOON)
    assert nothing.days == []
    assert len(books(world)) == 14 * 4, "nothing was changed"


def test_a_preview_lists_the_bookings_that_lose_their_places_and_names_nobody_in_full(world: World) -> None:
    first, second, third, other = books(world, ON)
    booked = book(world, first)
    begun = book(world, second)
    go(begun, BookingState.CHECKED_IN)
    world.slots[:] = [third]
    another(world).hold(0)
    book(world, books(world, ON - timedelta(days=1))[0])
    found = preview(editor(world), pool_id(world), closed_day(), now=NOON).bookings
    assert [each.booking.id for each in found.to_decide] == [booked]
    assert (found.held, found.begun, found.asked) == (1, 1, 0)
    assert found.to_decide[0].booking.person_name == "沈**"
    one = with_places([Section(480, 600, 30, 4)], 570, 0)
    assert preview(editor(world), pool_id(world), Wish(day=ON, sections=one), now=NOON).bookings.to_decide == []
    assert other.taken == 0


def test_bookings_that_would_lose_their_places_must_be_decided(world: World) -> None:
    slot = books(world, ON)[0]
    for _ in range(3):
        book(world, slot)
    seen = version(world)
    with pytest.raises(BookingsToDecide) as refused:
        save(world, closed_day(), all_of(world, "keep")[:2])
    assert refused.value.facts == {"number": 1}
    assert version(world) == seen, "nothing was changed"
    fewer = Wish(day=ON, sections=with_places([Section(480, 600, 30, 4)], 480, 2))
    with pytest.raises(BookingsToDecide):
        save(world, fewer)
    save(world, Wish(day=ON, sections=with_places([Section(480, 600, 30, 4)], 480, 3)))
    save(world, fewer, all_of(world, "keep"))
    assert next((each.offered, each.taken) for each in books(world, ON)) == (2, 3)


def test_who_is_kept_is_not_asked_about_again(world: World) -> None:
    book(world, books(world, ON)[0])
    save(world, closed_day(), all_of(world, "keep"))
    assert to_decide(world.provider.id, pool_id(world), now=NOON).bookings == []
    save(world, replace(weekly(), horizon_days=10))


def test_who_books_while_the_manager_decides_is_asked_about_afterwards(world: World) -> None:
    late = book(world, books(world, ON)[0])
    made = save(world, closed_day(), all_of(world, "keep"))
    world.slots[:] = books(world, ON)
    assert change_view(world.provider.id, made, now=NOON).left == []
    save(world, replace(closed_day(), sections=None))
    world.slots[:] = [books(world, ON)[1]]
    held = another(world)
    public_id = held.hold(0)
    save(world, closed_day(), [Decision(late, "keep")])
    submit(held.principal, public_id, now=NOON)
    assert [each.booking.id for each in to_decide(world.provider.id, pool_id(world), now=NOON).bookings] == [public_id]


def test_rows_of_rules_that_stay_stay_and_others_are_ended(world: World) -> None:
    two = weekly()
    extra = WeeklyRule(frozenset({1}), Section(900, 960, 60, 1), date(2026, 1, 1))
    save(world, replace(two, weekly=[*two.weekly, extra]))
    save(world, replace(two, weekly=[extra]))
    with reading() as session:
        rows = session.scalars(select(CapacityRule).order_by(CapacityRule.id)).all()
    assert [(row.from_minute, row.ended_at is None) for row in rows] == [(480, False), (900, True)]


def why(world: World, day: date) -> str:
    """By what the pool's calendar plans the day."""
    rules = calendar_of(world.provider.id, pool_id(world))[2]
    return day_plan(rules, public_holidays(), day).why


def test_a_day_that_is_given_back_is_as_the_rules_say(world: World) -> None:
    save(world, closed_day())
    assert why(world, ON) == "exception"
    save(world, closed_day())
    save(world, Wish(day=ON, sections=None))
    assert why(world, ON) == "rules"
    with reading() as session:
        assert [row.ended_at is None for row in session.scalars(select(CapacityException))] == [False, False]


def test_each_change_is_a_line_of_the_audit(world: World) -> None:
    booked = book(world, books(world, ON)[0])
    made = save(world, closed_day(), all_of(world, "keep"))
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.action.like("capacity.%")).order_by(AuditLine.id))
        found = [(line.action, line.actor_kind, line.actor, line.subject, line.insurer_id) for line in lines]
    insurer = booking_row(booked).insurer_id
    assert sorted(found[1:]) == [
        ("capacity.changed", "provider", MEMBER, made, None),
        ("capacity.keep", "provider", MEMBER, booked, insurer),
    ]


def test_another_providers_pool_is_not_there(world: World) -> None:
    other = answers_here(make_world(slots=0, phone="13800000555"))
    made = save(world, closed_day())
    stranger = editor(other)
    for look in (
        lambda: preview(stranger, pool_id(world), closed_day(), now=NOON),
        lambda: change(stranger, pool_id(world), closed_day(), version(world), now=NOON),
        lambda: calendar(other.provider.id, pool_id(world), ON, ON, now=NOON),
        lambda: to_decide(other.provider.id, pool_id(world), now=NOON),
        lambda: change_view(other.provider.id, made, now=NOON),
        lambda: calendar_of(other.provider.id, pool_id(world)),
        lambda: change(stranger, "pol_nobodys", closed_day(), NEW, now=NOON),
    ):
        with pytest.raises(NotFound):
            look()


def test_a_provider_whose_system_we_read_only_looks(world: World) -> None:
    set_provider(world.provider, adapter="open_protocol")
    with pytest.raises(AnsweredElsewhere):
        preview(editor(world), pool_id(world), closed_day(), now=NOON)
    with pytest.raises(AnsweredElsewhere):
        change(editor(world), pool_id(world), closed_day(), version(world), now=NOON)
    found = calendar(world.provider.id, pool_id(world), ON, ON, now=NOON)
    assert not found.pool.written_here
    assert len(found.days[0].slots) == 4


def one(section: Section, weekdays: frozenset[int] = frozenset({1}), **valid: Any) -> WeeklyRule:
    return WeeklyRule(weekdays, section, valid.get("since", TODAY), valid.get("until"))


HOUR = Section(480, 540, 30, 1)
REFUSED: dict[str, tuple[Wish, str, str]] = {
    "no places": (Wish(rules=Rules([one(replace(HOUR, places=0))])), "rules.1.places", "out_of_range"),
    "no weekday": (Wish(rules=Rules([one(HOUR, frozenset())])), "rules.1.weekdays", "required"),
    "an eighth weekday": (Wish(rules=Rules([one(HOUR, frozenset({8}))])), "rules.1.weekdays", "required"),
    "backwards": (Wish(rules=Rules([one(replace(HOUR, end=480))])), "rules.1.to", "ends_before_it_begins"),
    "too long a slot": (
        Wish(rules=Rules([one(replace(HOUR, minutes=61))])),
        "rules.1.minutes",
        "longer_than_its_hours",
    ),
    "too short a slot": (Wish(rules=Rules([one(replace(HOUR, minutes=1))])), "rules.1.minutes", "out_of_range"),
    "days backwards": (
        Wish(rules=Rules([one(HOUR, until=TODAY - timedelta(days=1))])),
        "rules.1.valid_until",
        "ends_before_it_begins",
    ),
    "overlapping": (
        Wish(rules=Rules([one(HOUR), one(Section(530, 600, 30, 1), frozenset({1, 2}))])),
        "rules.2.from",
        "times_overlap",
    ),
    "a whole day besides": (Wish(rules=Rules([one(HOUR), one(whole_day(3))])), "rules.2.from", "times_overlap"),
    "too far": (Wish(rules=Rules(horizon_days=367)), "horizon_days", "out_of_range"),
    "no such make-up day": (Wish(rules=Rules(make_up_weekday=8)), "make_up_weekday", "choice"),
    "too many slots": (Wish(rules=Rules([one(Section(0, 1440, 5, 1))])), "rules", "too_many_slots"),
    "too many slots in all": (
        Wish(rules=Rules([one(Section(0, 960, 10, 1), EVERY_DAY)], closed_on_holidays=False, horizon_days=366)),
        "rules",
        "too_many_slots_in_all",
    ),
    "too many rules": (Wish(rules=Rules([one(HOUR)] * 61)), "rules", "too_many_rules"),
    "a day that is over": (closed_day(TODAY - timedelta(days=1)), "day", "day_is_over"),
    "a day without places": (Wish(day=ON, sections=[replace(HOUR, places=-1)]), "sections.1.places", "out_of_range"),
    "a day that overlaps": (Wish(day=ON, sections=[HOUR, HOUR]), "sections.2.from", "times_overlap"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_refused_by_its_field(world: World, what: str) -> None:
    wish, field, reason = REFUSED[what]
    with pytest.raises(Invalid) as refused:
        change(editor(world), pool_id(world), wish, version(world), now=NOON)
    assert (refused.value.at, refused.value.facts["reason"]) == (field, reason)


@pytest.mark.parametrize(
    ("decision", "field"),
    [
        (Decision("bkg_1", "shrug"), "decisions.bkg_1"),
        (Decision("bkg_1", "cancel", reason=" "), "decisions.bkg_1.reason"),
        (Decision("bkg_1", "keep", reason="x" * 201), "decisions.bkg_1.reason"),
    ],
)
def test_what_is_no_decision_is_refused(world: World, decision: Decision, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        change(editor(world), pool_id(world), closed_day(), version(world), [decision], now=NOON)
    assert refused.value.at == field


def test_rules_of_different_seasons_may_have_the_same_hours(world: World) -> None:
    spring = one(HOUR, since=TODAY, until=TODAY + timedelta(days=4))
    summer = one(HOUR, since=TODAY + timedelta(days=5))
    assert change(editor(world), pool_id(world), Wish(rules=Rules([spring, summer])), version(world), now=NOON)


def test_a_month_says_what_is_taken_and_free_and_why_it_is_closed(world: World) -> None:
    book(world, books(world, ON)[0])
    save(world, closed_day(), all_of(world, "keep"))
    found = calendar(world.provider.id, pool_id(world), date(2026, 3, 9), date(2026, 3, 16), now=NOON)
    assert [(each.taken, each.free, each.over, each.closed) for each in found.days] == [
        (0, 16, 0, False),
        (1, 0, 1, True),
        *[(0, 16, 0, False)] * 5,
        (0, 0, 0, True),
    ]
    assert [each.why for each in found.days][:2] == ["rules", "exception"]
    assert found.ends_on == date(2026, 3, 15)
    assert found.unknown_years == []
    assert not found.behind


def test_a_horizon_that_reaches_into_a_year_without_a_notice_says_so(world: World) -> None:
    save(world, replace(weekly(), horizon_days=320))
    found = calendar(world.provider.id, pool_id(world), ON, ON, now=NOON)
    assert found.unknown_years == [2027]
