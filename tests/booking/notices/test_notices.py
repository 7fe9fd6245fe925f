"""What a customer is told, when, and in which words."""

from __future__ import annotations

import pkgutil
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.actors import Actor
from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.messages import inbox
from booking.models import Slot
from booking.notices.kinds import KINDS
from booking.notices.models import Notification
from booking.notices.notify import facts_of, notify
from booking.states import BookingState as S
from booking.transition import lock_booking, move
from marketplace.catalog.models import Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.text import masked_name
from marketplace.messages import compose, words
from marketplace.messages.moments import day_text
from marketplace.messages.words.every import SUBJECTS, WORDS
from providers.port import Answer, Confirmed, Refused
from tests.people import NOON
from tests.world import FakeAdapter, World, booking_row, join, make_world, one_pass

EIGHT = {"day": "2026-03-10", "starts_at": "2026-03-10T00:00:00+00:00", "zone": "Asia/Shanghai"}
BOOKED = {"offer": {"zh": "甄选套餐", "en": "Select package"}, "site": "示范医院", **EIGHT}


@pytest.fixture
def world(db: object) -> World:
    """A customer with two uses."""
    return make_world()


def to(public_id: str, *states: S, actor: str = "provider", cause: str = "") -> None:
    for state in states:
        with transaction() as session:
            booking, _ = lock_booking(session, booking_row(public_id).id)
            move(session, booking, state, actor=Actor(actor), now=NOON, cause=cause)  # type: ignore[arg-type]


def told(world: World) -> list[tuple[str, str]]:
    """Kind and subject of everything this customer was told, in order."""
    with reading() as session:
        rows = session.execute(
            select(Notification.kind, Notification.subject)
            .where(Notification.customer_id == world.customer.id, Notification.kind != "held")
            .order_by(Notification.id)
        )
        return [(row.kind, row.subject) for row in rows]


# --- when ------------------------------------------------------------------------------------------------------------


def test_a_booking_that_is_confirmed_is_told_once(world: World) -> None:
    booking = world.submit()
    assert told(world) == []
    to(booking, S.CONFIRMED)
    assert told(world) == [("confirmed", f"{booking}:3")]


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ([S.REJECTED], ["rejected"]),
        ([S.CANCELLED], ["cancelled"]),
        ([S.CONFIRMED, S.CANCELLED], ["confirmed", "cancelled"]),
        ([S.CONFIRMED, S.NO_SHOW], ["confirmed", "no_show"]),
        ([S.CONFIRMED, S.CHECKED_IN, S.IN_SERVICE, S.FULFILLED], ["confirmed"]),
        ([S.OUTCOME_UNKNOWN, S.CONFIRMED], ["confirmed"]),
    ],
)
def test_each_move_that_concerns_her_is_told(world: World, path: list[S], kinds: list[str]) -> None:
    to(world.submit(), *path)
    assert [kind for kind, _ in told(world)] == kinds


def test_giving_a_hold_back_oneself_is_not_told_but_losing_it_to_others_is(world: World) -> None:
    cancel(world.principal, world.hold(0), now=NOON)
    assert told(world) == []
    to(world.hold(1), S.CANCELLED, actor="system", cause="site_closed")
    assert [kind for kind, _ in told(world)] == ["cancelled"]


def test_what_is_told_falls_with_the_move_it_tells_of(world: World) -> None:
    booking = world.submit()
    with pytest.raises(RuntimeError), transaction() as session:
        row, _ = lock_booking(session, booking_row(booking).id)
        move(session, row, S.CONFIRMED, actor=Actor("provider"), now=NOON)
        raise RuntimeError
    assert told(world) == []


def test_the_same_of_the_same_subject_is_told_once(world: World) -> None:
    with transaction() as session:
        assert notify(session, world.customer.id, "report_ready", "rpt_1:1", now=NOON)
        assert not notify(session, world.customer.id, "report_ready", "rpt_1:1", now=NOON)
        assert notify(session, world.customer.id, "report_ready", "rpt_1:2", now=NOON)
    assert len(told(world)) == 2


def test_the_facts_hold_the_appointment_and_nothing_of_a_person(world: World) -> None:
    to(world.submit(), S.CONFIRMED)
    with reading() as session:
        row = session.scalars(select(Notification).where(Notification.kind == "confirmed")).one()
    assert {name: value for name, value in row.facts.items() if name != "alternatives"} == {
        "benefit": "health_check",
        "offer": {"zh": "甄选套餐", "en": "Select package"},
        "site": booking_row_site(row),
        "day": "2026-03-10",
        "starts_at": "2026-03-10T00:00:00+00:00",
        "zone": "Asia/Shanghai",
        "cause": "",
        "by": "provider",
    }


@pytest.mark.parametrize("whole_day", [False, True], ids=["at a time", "for a whole day"])
def test_a_hold_is_told_by_the_database_in_the_words_of_facts_of(world: World, whole_day: bool) -> None:
    if whole_day:
        with transaction() as session:
            session.execute(update(Slot).values(starts_at=None, ends_at=None))
    booking = booking_row(world.hold())
    with reading() as session:
        row = session.scalars(select(Notification).where(Notification.kind == "held")).one()
    assert (row.subject, row.customer_id, row.booking_id) == (booking.public_id, world.customer.id, booking.id)
    assert booking.hold_expires_at is not None
    until = row.facts.pop("until")
    assert datetime.fromisoformat(until) == booking.hold_expires_at
    assert row.facts == facts_of(booking)
    with reading() as session:
        assert row.facts["site"] == session.get_one(Site, world.offer.site_id).name


def booking_row_site(row: Notification) -> str:
    return str(row.facts["site"])


@pytest.mark.parametrize(
    ("answer", "kind", "starts_at"),
    [
        (Confirmed("R-1", 2), "changed", "2026-03-10T01:00:00+00:00"),
        (Refused("sold_out"), "change_refused", "2026-03-10T00:00:00+00:00"),
    ],
)
def test_how_a_change_ended_is_told_with_the_date_that_stands(
    world: World, answer: Answer, kind: str, starts_at: str
) -> None:
    booking = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    reschedule(world.principal, booking, world.slots[1].public_id, now=NOON)
    assert [kind for kind, _ in told(world)] == ["confirmed"], "asking is not told"
    one_pass(world, FakeAdapter(answers=[answer]), now=NOON + timedelta(minutes=5))
    newest = inbox.notices(world.principal, cursor=None, limit=1).items[0]
    assert (newest.kind, newest.facts["starts_at"]) == (kind, starts_at)


# --- the inbox -------------------------------------------------------------------------------------------------------


def test_the_inbox_pages_newest_first_and_counts_what_is_new(world: World) -> None:
    with transaction() as session:
        for number in range(5):
            notify(session, world.customer.id, "waitlist_ended", f"wait:{number}", now=NOON + timedelta(minutes=number))
    first = inbox.notices(world.principal, cursor=None, limit=3)
    rest = inbox.notices(world.principal, cursor=first.next, limit=3)
    assert [it.created_at.minute for it in (*first.items, *rest.items)] == [4, 3, 2, 1, 0]
    assert rest.next is None
    assert inbox.unread(world.principal) == 5
    assert inbox.unread(world.principal, most=2) == 2
    assert inbox.mark_read(world.principal, first.items[0].id, now=NOON).read_at == NOON
    assert inbox.unread(world.principal) == 4
    later = NOON + timedelta(hours=1)
    assert inbox.mark_read(world.principal, first.items[0].id, now=later).read_at == NOON, "the first time counts"
    assert inbox.mark_all_read(world.principal, now=NOON) == 4
    assert inbox.unread(world.principal) == 0


def test_somebody_elses_notice_is_not_there(world: World) -> None:
    stranger = join(world.provider, world.offer, world.slots, phone="13800000077")
    to(world.submit(), S.CONFIRMED)
    (mine, *_) = inbox.notices(world.principal, cursor=None, limit=5).items
    with pytest.raises(NotFound):
        inbox.mark_read(stranger.principal, mine.id, now=NOON)
    assert inbox.notices(stranger.principal, cursor=None, limit=5).items == []
    assert inbox.mark_all_read(stranger.principal, now=NOON) == 0
    with pytest.raises(Invalid):
        inbox.notices(world.principal, cursor="nonsense", limit=5)


# --- the words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_words_in_both_languages(kind: str, language: Any) -> None:
    facts = {
        **BOOKED,
        "new_day": "2026-03-12",
        "until": "2026-03-02T05:00:00+00:00",
        "until_day": "2026-12-31",
        "benefit": "health_check",
        "days_left": 7,
        "prepare": {"zh": "空腹。", "en": "No food."},
        "by": "provider",
    }
    said = compose.say(kind, facts, language, as_of=NOON)
    assert said.title and said.text
    assert "{" not in said.title + said.text
    bare = compose.say(kind, {}, language, as_of=NOON)
    assert "{" not in bare.text and "，，" not in bare.text and ", ," not in bare.text


def test_every_kind_has_its_words_once_in_the_file_of_its_subject() -> None:
    beside = {each.name for each in pkgutil.iter_modules(words.__path__)} - {"every"}
    assert [subject.__name__.rpartition(".")[2] for subject in SUBJECTS] == sorted(beside)
    assert sorted(kind for subject in SUBJECTS for kind in subject.WORDS) == sorted(KINDS)
    assert set(WORDS) == set(KINDS)


def test_a_kind_that_this_version_does_not_know_is_still_told() -> None:
    said = compose.say("from_the_future", BOOKED, "en", as_of=NOON)
    assert said.title == "There is news of your booking"
    assert "Select package" in said.text


WHEN: list[tuple[str, dict[str, Any], datetime, str, str]] = [
    ("a time", EIGHT, NOON, "3 月 10 日 周二 08:00", "Tue 10 March, 08:00"),
    ("a whole day", {"day": "2026-03-10", "zone": "Asia/Shanghai"}, NOON, "3 月 10 日 周二", "Tue 10 March"),
    (
        "next year, seen from Shanghai's new year's eve",
        {"day": "2027-01-01", "starts_at": "2027-01-01T00:30:00+00:00", "zone": "Asia/Shanghai"},
        datetime(2026, 12, 31, 10, 0, tzinfo=UTC),
        "2027 年 1 月 1 日 周五 08:30",
        "Fri 1 January 2027, 08:30",
    ),
    (
        "already next year in Shanghai",
        {"day": "2027-01-01", "starts_at": "2027-01-01T00:30:00+00:00", "zone": "Asia/Shanghai"},
        datetime(2026, 12, 31, 16, 30, tzinfo=UTC),
        "1 月 1 日 周五 08:30",
        "Fri 1 January, 08:30",
    ),
    (
        "New York, the day its clocks go forward",
        {"day": "2026-03-08", "starts_at": "2026-03-08T12:00:00+00:00", "zone": "America/New_York"},
        NOON,
        "3 月 8 日 周日 08:00（纽约时间）",
        "Sun 8 March, 08:00 (New York time)",
    ),
    (
        "Lord Howe, half an hour of summer time",
        {"day": "2026-04-05", "starts_at": "2026-04-04T21:30:00+00:00", "zone": "Australia/Lord_Howe"},
        NOON,
        "4 月 5 日 周日 08:00（豪勋爵岛时间）",
        "Sun 5 April, 08:00 (Lord Howe Island time)",
    ),
    (
        "29 February",
        {"day": "2028-02-29", "starts_at": "2028-02-29T00:00:00+00:00", "zone": "Asia/Shanghai"},
        datetime(2028, 2, 1, tzinfo=UTC),
        "2 月 29 日 周二 08:00",
        "Tue 29 February, 08:00",
    ),
]


@pytest.mark.parametrize(("facts", "as_of", "zh", "en"), [row[1:] for row in WHEN], ids=[row[0] for row in WHEN])
def test_the_time_is_the_sites(facts: dict[str, Any], as_of: datetime, zh: str, en: str) -> None:
    said = {language: compose.say("changed", facts, language, as_of=as_of) for language in ("zh", "en")}  # type: ignore[arg-type]
    assert (said["zh"].text, said["en"].text) == (f"现在是 {zh}。", f"It is now {en}.")


@pytest.mark.parametrize(("name", "masked"), [("沈静宜", "沈**"), ("沈", "沈*"), ("John Smith", "J***")])
def test_a_name_is_masked(name: str, masked: str) -> None:
    assert masked_name(name) == masked


def test_the_day_is_written_for_its_reader() -> None:
    assert day_text(date(2026, 3, 10), "zh", 2026) == "3 月 10 日 周二"
