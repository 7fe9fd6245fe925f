"""A cancel that nobody answers is given up, and its case tells a person."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from booking.exchange.inbound import apply_remote
from booking.reconcile import cases
from booking.reconcile.repair import repair
from booking.reconcile.strays import GIVE_UP_AFTER, MOST_TRIES
from marketplace.core.database.db import transaction
from marketplace.core.errors import Busy
from providers.port import Accepted, Answer, ProviderError, Refused, RetryAfter, Unknown
from providers.reported import RemoteBooking
from tests.booking.reconcile.strays import LATER, case, click, compare, take_over, the_cancel, with_a_stray, work
from tests.books import Books
from tests.world import World, booking_row, make_world
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
    passes, now = until_given_up(world, books, timedelta(minutes=15))
    assert (passes, now) == (96, LATER + GIVE_UP_AFTER)
    assert (case().facts["gave_up"], case().facts["gave_up_why"], case().closed_at) == (96, why, None)


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


def test_what_has_ended_there_after_giving_up_is_taken_over_as_ended(
    world: World, books: Books, operator: Principal
) -> None:
    public_id, now = given_up(world, books, operator)
    with transaction() as session:
        apply_remote(session, world.provider.id, RemoteBooking("R-9", public_id, "cancelled", 6), now=now)
    assert booking_row(public_id).state == "cancelled"
