"""Rating a service, whatever it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from booking.ratings.models import Rating
from booking.ratings.rate import CHANGED_FOR, NotDone, RatingFixed, RatingView, rate, rating_of
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.concurrency.controls import all_at_once
from tests.people import NOON
from tests.world import World, go, make_world

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def done(world: World) -> str:
    """A booking of a service that was done."""
    booking = world.submit()
    go(booking, BookingState.CONFIRMED, BookingState.FULFILLED)
    return booking


def test_a_service_is_rated_once_it_is_done_and_the_words_are_sealed() -> None:
    world = make_world()
    booking = world.submit()
    with pytest.raises(NotDone):
        rate(world.principal, booking, 5, "很好", NOON)
    assert rating_of(world.principal, booking) is None
    go(booking, BookingState.CONFIRMED, BookingState.FULFILLED)
    rate(world.principal, booking, 4, " 很好 ", NOON)

    assert rating_of(world.principal, booking) == RatingView(4, "很好", NOON, NOON, NOON + CHANGED_FOR)
    with reading() as session:
        assert "很好".encode() not in (session.scalars(select(Rating.words_sealed)).one() or b"")


def test_it_is_changed_within_a_day_and_stands_afterwards() -> None:
    world = make_world()
    booking = done(world)
    rate(world.principal, booking, 5, "", NOON)
    later, over = NOON + CHANGED_FOR - timedelta(seconds=1), NOON + CHANGED_FOR
    rate(world.principal, booking, 2, "等了很久", later)

    with pytest.raises(RatingFixed):
        rate(world.principal, booking, 3, "等了很久", over)
    same = rate(world.principal, booking, 2, "等了很久", over)
    assert (same.stars, same.at, same.changed_at) == (2, NOON, later)


def test_nobody_rates_what_is_anothers() -> None:
    world, other = make_world(), make_world(phone="13800000022")
    booking = done(world)
    for look in (
        lambda: rate(other.principal, booking, 5, "", NOON),
        lambda: rating_of(other.principal, booking),
    ):
        with pytest.raises(NotFound):
            look()


@pytest.mark.parametrize(("stars", "words", "field"), [(0, "", "stars"), (6, "", "stars"), (5, "好" * 1_001, "words")])
def test_what_can_not_be_is_refused(stars: int, words: str, field: str) -> None:
    world = make_world()
    booking = done(world)
    with pytest.raises(Invalid) as refused:
        rate(world.principal, booking, stars, words, NOON)
    assert refused.value.at == field


def test_eight_at_once_make_one_rating() -> None:
    world = make_world()
    booking = done(world)
    results = all_at_once([lambda: rate(world.principal, booking, 5, "好", NOON)] * 8)
    assert {type(each) for each in results} == {RatingView}
    with reading() as session:
        assert len(session.scalars(select(Rating)).all()) == 1


def test_without_the_lock_the_constraint_refuses_a_second_one() -> None:
    world = make_world()
    booking = done(world)
    rate(world.principal, booking, 5, "", NOON)
    with pytest.raises(IntegrityError, match="uq_rating_booking_id"), transaction() as session:
        session.execute(
            text("INSERT INTO rating (booking_id, stars, at, changed_at) SELECT booking_id, 1, at, at FROM rating")
        )


def test_the_database_knows_no_other_stars() -> None:
    world = make_world()
    booking = done(world)
    rate(world.principal, booking, 5, "", NOON)
    with pytest.raises(IntegrityError, match="ck_rating_stars"), transaction() as session:
        session.execute(text("UPDATE rating SET stars = 6"))
