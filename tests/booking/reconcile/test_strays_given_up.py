"""A cancel that nobody answers is given up, and its case tells a person."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.discrepancies import UNREADABLE, Discrepancy
from booking.exchange.inbound import apply_remote
from booking.feeds.cursors import cursor_of
from booking.feeds.unreadable import record_rows
from booking.reconcile import cases
from booking.reconcile.repair import repair
from booking.reconcile.strays import GIVE_UP_AFTER, MOST_TRIES
from booking.sync import bookings
from booking.sync.bookings import poll_bookings
from booking.sync.webhooks import receive_event
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Busy
from providers.port import Accepted, Answer, LookUp, ProviderError, Refused, RetryAfter, Unknown
from providers.port import NotFound as NotThere
from providers.reported import BookingPage, Event, RemoteBooking, UnreadableRow
from tests.booking.reconcile.strays import LATER, case, click, compare, take_over, the_cancel, with_a_stray, work
from tests.books import Books
from tests.world import World, booking_row, connection_to, make_world
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def books(world: World) -> Books:
    return with_a_stray(world)


def until_given_up(world: World, there: Any, step: timedelta) -> tuple[int, datetime]:
    """Work until nothing is left to try: how many passes there were, and when the last was."""
    now, passes = LATER, 0
    while the_cancel().finished_at is None:
        assert passes < 1000, "it is never given up"
        now += step
        with suppress(ProviderError):
            work(world, there, now)
        passes += 1
    return passes, now


def test_after_the_last_try_that_nobody_answered_its_case_tells_a_person_who_may_begin_anew(
    world: World, books: Books, operator: Principal
) -> None:
    click(operator)
    books.silent = True
    passes, now = until_given_up(world, books, timedelta(minutes=2))
    assert (passes, the_cancel().outcome) == (MOST_TRIES, "gave_up")
    view = cases.case(operator, case().public_id, now=now)
    assert (view.facts["gave_up"], view.facts["gave_up_why"]) == (MOST_TRIES, "silent")
    assert not view.cancelling and "cancel_there" in view.actions
    books.silent = False
    compare(world, books, now)
    assert case().facts["gave_up_why"] == "silent", "a comparison that finds it again keeps the reason"
    click(operator, now)
    assert not {"gave_up", "gave_up_why"} & case().facts.keys()
    assert work(world, books, now) == {"cancelled": 1}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Accepted("R-9"), "undecided"),
        (RetryAfter(60), "busy"),
        (RetryAfter(60, reached=False), "unreached"),
    ],
)
def test_a_provider_that_answers_is_given_a_day_and_the_case_says_what_was_the_matter(
    world: World, books: Books, operator: Principal, answer: Answer, why: str
) -> None:
    click(operator)
    books.answers = [answer] * 200
    passes, now = until_given_up(world, books, timedelta(minutes=40))
    assert passes == 36 > MOST_TRIES and now == LATER + GIVE_UP_AFTER
    assert (case().facts["gave_up"], case().facts["gave_up_why"], case().closed_at) == (36, why, None)


def given_up(world: World, books: Books, operator: Principal) -> tuple[str, datetime]:
    """A booking of ours, and a cancel of R-9 that was sent and given up: the provider may still carry it out."""
    click(operator)
    public_id = world.submit()
    books.answers = [Unknown("timed out")] * MOST_TRIES
    _, now = until_given_up(world, books, timedelta(minutes=2))
    return public_id, now


def test_what_may_be_cancelled_after_giving_up_is_nobodys_until_a_person_closes_its_case(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    with pytest.raises(Busy):
        take_over(world, public_id)
    click(operator, now)
    with pytest.raises(Busy):
        take_over(world, public_id)
    repair(operator, case().public_id, "note", note="They have deleted our cancel.", now=now)
    take_over(world, public_id)
    assert booking_row(public_id).state == "confirmed"


def test_what_may_be_cancelled_after_giving_up_can_be_ours_once_a_later_cancel_was_refused(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    click(operator, now)
    books.answers = [Refused("too_late")]
    assert work(world, books, now) == {"refused": 1}
    take_over(world, public_id)
    assert booking_row(public_id).state == "confirmed"


class Feed:
    """The provider's list and single answers, both with what is `told`."""

    def __init__(self, *told: RemoteBooking) -> None:
        self.told = list(told)
        self.asked: list[str | None] = []

    def bookings_since(self, cursor: str | None, _page: str | None) -> BookingPage:
        return BookingPage(tuple(self.told) if cursor is None else (), None, "c1")

    def look_up(self, question: LookUp) -> RemoteBooking | NotThere:
        self.asked.append(question.reference)
        return next((each for each in self.told if each.reference == question.reference), NotThere())


def put_aside() -> list[tuple[str, str]]:
    """Rows that could not be applied, with why."""
    with reading() as session:
        rows = session.scalars(
            select(Discrepancy).where(Discrepancy.kind == UNREADABLE, Discrepancy.closed_at.is_(None))
        )
        return [(row.facts["reference"], row.facts["reason"]) for row in rows]


def stray_case() -> str:
    with reading() as session:
        return session.scalars(select(Discrepancy.public_id).where(Discrepancy.kind == "theirs_only")).one()


def test_a_list_goes_on_past_what_may_be_cancelled_and_asks_for_it_until_that_has_ended(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    other = world.submit(1)
    feed = Feed(RemoteBooking("R-9", public_id, "confirmed", 5), RemoteBooking("R-10", other, "confirmed", 5))
    assert poll(world, feed, now)["put_off"] == 1
    assert (booking_row(public_id).state, booking_row(other).state) == ("awaiting_provider", "confirmed")
    with reading() as session:
        assert cursor_of(session, world.provider.id, "bookings") == "c1"
    assert put_aside() == [("R-9", "row.may_be_cancelled")]
    for minute in range(1, 5):
        poll(world, feed, now + timedelta(minutes=minute))
    assert feed.asked == ["R-9"] * 3, "later and later, as all that could not be applied"
    repair(operator, stray_case(), "note", note="They have deleted our cancel.", now=now)
    poll(world, feed, now + timedelta(hours=1))
    assert (booking_row(public_id).state, put_aside()) == ("confirmed", [])


def test_what_cannot_be_applied_yet_does_not_stand_in_the_way_of_what_was_put_aside_after_it(
    world: World, books: Books, operator: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bookings, "ASK_AT_ONCE", 1)
    public_id, now = given_up(world, books, operator)
    poll(world, Feed(RemoteBooking("R-9", public_id, "confirmed", 5)), now)
    other = world.submit(1)
    record_rows(world.provider.id, "bookings", [UnreadableRow("status.unknown", b"", "d", "R-10", other)], now=now)
    feed = Feed(RemoteBooking("R-9", public_id, "confirmed", 5), RemoteBooking("R-10", other, "confirmed", 5))
    for minute in (1, 2, 3):
        poll(world, feed, now + timedelta(minutes=minute))
    assert feed.asked == ["R-9", "R-9", "R-10"] and booking_row(other).state == "confirmed"


def test_a_message_about_what_may_be_cancelled_is_taken_and_put_aside(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    told = Event("e1", "booking.confirmed", now, booking=RemoteBooking("R-9", public_id, "confirmed", 5))
    assert receive_event(world.provider.id, told, now=now) == "put_off"
    assert receive_event(world.provider.id, told, now=now) == "duplicate"
    assert put_aside() == [("R-9", "row.may_be_cancelled")]
    assert booking_row(public_id).state == "awaiting_provider"


def poll(world: World, feed: Feed, now: datetime) -> dict[str, int]:
    return poll_bookings(connection_to(world.provider), feed, now=now)  # type: ignore[arg-type]


def test_what_has_ended_there_after_giving_up_is_taken_over_as_ended(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    with transaction() as session:
        apply_remote(session, world.provider.id, RemoteBooking("R-9", public_id, "cancelled", 6), now=now)
    assert booking_row(public_id).state == "cancelled"
