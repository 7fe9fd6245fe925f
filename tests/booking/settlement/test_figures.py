"""A provider's own figures: what counts, of which days, and whose."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from booking.actors import SYSTEM
from booking.models import Booking
from booking.reports.models import Report, ReportVersion
from booking.settlement.figures import Figures, figures
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.people import NOON
from tests.world import DAY, EIGHT, World, booking_row, make_offer, make_world

pytestmark = pytest.mark.usefixtures("db")

_S = BookingState
NOTHING = Figures(0, 0, 0, None, None, 0, 0, 0, 0, 0, 0, 0)
EVENING = EIGHT + timedelta(hours=11)
"""19:00 of the day of the visits, in Shanghai."""


@pytest.fixture
def world() -> World:
    return make_world(quantity=9)


def became(world: World, slot: int, *states: tuple[BookingState, datetime], asked_at: datetime = NOON) -> str:
    """A booking that was asked for, and then moved on."""
    public_id = world.submit(slot, now=asked_at)
    for state, at in states:
        with transaction() as session:
            booking, _ = lock_booking(session, booking_row(public_id).id)
            move(session, booking, state, actor=SYSTEM, now=at)
    return public_id


def mistaken(booking: str) -> None:
    """It was entered in error."""
    with transaction() as session:
        session.execute(update(Booking).where(Booking.public_id == booking).values(state=_S.ENTERED_IN_ERROR.value))


def reported(booking: str, due: datetime, *versions: tuple[str, datetime]) -> None:
    """The report of a booking was due, and these versions came."""
    row = booking_row(booking)
    with transaction() as session:
        session.execute(update(Booking).where(Booking.id == row.id).values(report_due_at=due))
        if not versions:
            return
        report = Report(
            public_id=new_id("rep"),
            insurer_id=row.insurer_id,
            provider_id=row.provider_id,
            booking_id=row.id,
            beneficiary_id=row.beneficiary_id,
            customer_id=row.customer_id,
            reference=booking,
            state="ready",
            announced_version=1,
            issued_at=NOON,
            created_at=NOON,
        )
        session.add(report)
        session.flush()
        for number, (status, at) in enumerate(versions, start=1):
            session.add(
                ReportVersion(
                    report_id=report.id,
                    version=number,
                    status=status,
                    issued_at=at,
                    received_at=at,
                    content_sealed=b"x",
                    document_sealed=b"x",
                    document_type="",
                    items=0,
                    abnormal=0,
                )
            )


def minutes(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def test_nothing_has_happened_yet(world: World) -> None:
    assert figures(world.provider.id, 7, now=NOON) == NOTHING


def test_answers_are_counted_with_the_time_they_took(world: World) -> None:
    became(world, 0, (_S.CONFIRMED, minutes(10)))
    became(world, 1, (_S.OUTCOME_UNKNOWN, minutes(5)), (_S.REJECTED, minutes(60)))
    became(world, 2)
    found = figures(world.provider.id, 7, now=minutes(90))
    assert (found.asked, found.confirmed, found.refused) == (3, 1, 1)
    assert (found.median, found.most) == (timedelta(minutes=10), timedelta(minutes=60))
    withdrawn = became(world, 1, (_S.CANCELLED, minutes(1)))
    assert booking_row(withdrawn).state == _S.CANCELLED
    found = figures(world.provider.id, 7, now=minutes(90))
    assert (found.asked, found.confirmed, found.refused) == (4, 1, 1), "what the customer took back is no answer"


def test_a_booking_that_is_only_held_was_not_asked_for(world: World) -> None:
    world.hold(0)
    assert figures(world.provider.id, 7, now=minutes(5)) == NOTHING


def test_visits_count_by_what_became_of_them_if_they_were_confirmed(world: World) -> None:
    yes = (_S.CONFIRMED, minutes(1))
    came = became(world, 0, yes, (_S.CHECKED_IN, EIGHT), (_S.FULFILLED, EVENING))
    became(world, 1, yes, (_S.NO_SHOW, EVENING))
    became(world, 2, yes, (_S.CANCELLED, minutes(30)))
    became(world, 2, (_S.REJECTED, minutes(1)))
    found = figures(world.provider.id, 30, now=EVENING)
    assert (found.visits, found.came, found.no_show, found.cancelled) == (3, 1, 1, 1)
    assert booking_row(came).service_date == DAY
    mistaken(came)
    found = figures(world.provider.id, 30, now=EVENING)
    assert (found.visits, found.came) == (2, 0), "what was entered in error was no visit"
    before = figures(world.provider.id, 30, now=EIGHT - timedelta(hours=9))
    assert before.visits == 0, "its day has not come"


@pytest.mark.parametrize(
    ("versions", "on_time", "late"),
    [
        ((), 0, 0),
        ((("final", -1),), 1, 0),
        ((("final", 0), ("corrected", 5)), 1, 0),
        ((("partial", -1), ("final", 1)), 0, 1),
        ((("partial", -1),), 0, 0),
    ],
)
def test_a_report_is_on_time_if_all_of_it_came_by_then(
    world: World, versions: tuple[tuple[str, int], ...], on_time: int, late: int
) -> None:
    due = EVENING + timedelta(hours=1)
    booking = became(world, 0, (_S.CONFIRMED, minutes(1)), (_S.FULFILLED, EVENING))
    reported(booking, due, *((status, due + timedelta(minutes=at)) for status, at in versions))
    found = figures(world.provider.id, 7, now=due + timedelta(hours=1))
    assert (found.reports, found.on_time, found.late) == (1, on_time, late)
    assert figures(world.provider.id, 7, now=due - timedelta(seconds=1)).reports == 0, "it was not due yet"


def test_a_period_ends_with_today_and_begins_at_its_first_midnight_there(world: World) -> None:
    booking = became(world, 0, (_S.CONFIRMED, minutes(1)), (_S.FULFILLED, EVENING))
    reported(booking, EVENING, ("final", EVENING))
    last = EIGHT + timedelta(days=6, hours=15, minutes=59)  # 23:59 in Shanghai, the seventh day of the visit's
    found = figures(world.provider.id, 7, now=last)
    assert (found.visits, found.reports) == (1, 1)
    found = figures(world.provider.id, 7, now=last + timedelta(minutes=1))
    assert (found.visits, found.reports) == (0, 0)
    midnight = NOON.replace(hour=16, minute=0)  # of the day after NOON's, in Shanghai
    assert figures(world.provider.id, 7, now=midnight + timedelta(days=6, minutes=-1)).asked == 1
    assert figures(world.provider.id, 7, now=midnight + timedelta(days=6)).asked == 0
    assert figures(world.provider.id, 30, now=midnight + timedelta(days=6)).asked == 1


def test_another_providers_figures_are_its_own(world: World) -> None:
    booking = became(world, 0, (_S.CONFIRMED, minutes(1)), (_S.FULFILLED, EVENING))
    reported(booking, EVENING, ("final", EVENING))
    other, _offer, _slots = make_offer()
    assert figures(other.id, 7, now=EVENING) == NOTHING
