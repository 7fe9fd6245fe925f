"""Two services of a worker always have the way between them: it is written when either comes or goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from booking.escort.assign import decline
from booking.escort.assigning.refusals import WorkerUnavailable
from booking.escort.matching.travel import CITY_SECONDS, FIXED_SECONDS, SAME_PLACE_SECONDS, VERY_LARGE_SECONDS
from booking.hold.submit import submit
from booking.states import BookingState
from marketplace.catalog.models import Site
from marketplace.core.database.db import transaction
from tests.booking.escort.staff import EIGHT, Staff, asked, assignment, make_staff
from tests.escorts import ANSWERS, add_site
from tests.people import NOON
from tests.world import go, make_slot

pytestmark = pytest.mark.usefixtures("db")

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def book_at(staff: Staff, hours: float, venue: Site | None = None) -> str:
    """A booking so many hours after EIGHT, at the usual hospital without another word; each lasts four hours."""
    world = staff.made.world
    with transaction() as session:
        slot = make_slot(world.offer.pool_id, EIGHT + hours * HOUR, 5)
        session.add(slot)
    world.slots.append(slot)
    venue = venue or staff.made.venue
    booking = world.hold(len(world.slots) - 1, venue=venue.public_id, details=ANSWERS)
    submit(world.principal, booking, now=NOON)
    return booking


def place_at(name: str, longitude: float, latitude: float) -> Site:
    """A hospital that lies there."""
    site = add_site(name)
    lie_at(site, longitude, latitude)
    return site


def lie_at(site: Site, longitude: float, latitude: float) -> None:
    """Where a hospital lies becomes known."""
    with transaction() as session:
        session.execute(update(Site).where(Site.id == site.id).values(longitude=longitude, latitude=latitude))


def way(row: str) -> tuple[int, timedelta]:
    """How long it takes, and how much of it is kept free before the service."""
    found = assignment(row)
    return found.travel_seconds, found.period.lower - found.padded.lower


def test_the_way_is_from_home_then_from_the_one_before_and_is_written_anew_as_one_comes_between() -> None:
    staff = make_staff(0)
    her = staff.add(home_longitude=120.15, home_latitude=30.25)
    near = place_at("近", 120.15, 30.25)
    far = place_at("远", 120.15, 30.34)  # ten kilometres north
    first, last = staff.ask(book_at(staff, 0, near)), staff.ask(book_at(staff, 10, near))
    assert way(first) == (FIXED_SECONDS, FIXED_SECONDS * timedelta(seconds=1))
    assert way(last) == (SAME_PLACE_SECONDS, SAME_PLACE_SECONDS * timedelta(seconds=1))
    between = staff.ask(book_at(staff, 5, far))
    seconds = way(between)[0]
    assert 2500 < seconds - FIXED_SECONDS < 2600 and way(last) == way(between), "the same way back"
    decline(her.id, between, now=NOON)
    assert way(last)[0] == SAME_PLACE_SECONDS


def test_who_could_not_get_there_or_on_in_time_is_not_asked() -> None:
    staff = make_staff()
    here, there = place_at("甲", 120.15, 30.25), place_at("乙", 120.15, 30.34)
    staff.ask(book_at(staff, 0, here))
    for hours, reason in ((4.5, "travel"), (-4.5, "travel"), (3.9, "busy")):
        with pytest.raises(WorkerUnavailable) as refused:
            staff.ask(book_at(staff, hours, there))
        assert refused.value.facts == {"reason": reason}
    staff.ask(book_at(staff, 5, there))


def test_a_hospital_without_coordinates_is_as_far_as_is_said_of_the_city() -> None:
    staff = make_staff()
    other = add_site("另一家")
    first = staff.ask(book_at(staff, 0))
    second = staff.ask(book_at(staff, 5, other))
    assert [way(each)[0] for each in (first, second)] == [VERY_LARGE_SECONDS] * 2
    assert CITY_SECONDS < VERY_LARGE_SECONDS, "Hangzhou is one of the very large ones"


def test_where_hospitals_turn_out_to_lie_far_apart_the_way_is_said_and_kept_as_far_as_there_is_time() -> None:
    staff = make_staff()
    here, there = add_site("甲"), add_site("乙")
    first, second = staff.ask(book_at(staff, 0, here)), staff.ask(book_at(staff, 5, there))
    lie_at(here, 120.15, 30.25)
    lie_at(there, 120.15, 30.70)
    staff.ask(book_at(staff, 14, there))  # whoever writes next writes all of them
    seconds, kept = way(second)
    assert seconds > 3 * 3600 and kept == HOUR
    assert assignment(second).padded.lower == assignment(first).period.upper


def test_what_was_before_and_was_withdrawn_with_its_booking_counts_no_more() -> None:
    staff = make_staff(0)
    staff.add(home_longitude=120.15, home_latitude=30.25)
    near, far = place_at("近", 120.15, 30.25), place_at("远", 120.15, 30.34)
    booking = book_at(staff, 0, far)
    staff.ask(booking)
    last = staff.ask(book_at(staff, 5, near))
    assert way(last)[0] > 2 * FIXED_SECONDS
    go(booking, BookingState.REJECTED)
    assert asked(booking)[0][1:] == ("withdrawn", "cancelled")
    staff.ask(book_at(staff, 10, near))
    assert way(last)[0] == FIXED_SECONDS


def test_a_day_before_says_nothing_of_where_she_sets_out() -> None:
    staff = make_staff(0)
    staff.add(home_longitude=120.15, home_latitude=30.25)
    near = place_at("近", 120.15, 30.25)
    far = place_at("远", 120.15, 30.34)
    staff.ask(book_at(staff, -14, far))
    assert way(staff.ask(book_at(staff, 0, near)))[0] == FIXED_SECONDS
