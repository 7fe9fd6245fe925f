"""What becomes of a dispute when the provider corrects its no-show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.attendance.disputes import dispute
from booking.attendance.models import Dispute
from booking.changes.cancel import cancel
from booking.changes.reschedule import reschedule
from booking.exchange.inbound import apply_remote
from booking.models import Booking, ChangeRequest
from booking.notices.models import Notification
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed
from tests.people import NOON
from tests.world import EIGHT, FakeAdapter, World, booking_row, join, make_world, one_pass, remote, taken

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

AFTER = EIGHT + timedelta(hours=12)


def missed(world: World, reference: str) -> str:
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed(reference, 1)]), now=NOON)
    tell(world, public_id, "no_show", 2, reference)
    return public_id


def tell(world: World, public_id: str, status: str, version: int, reference: str) -> None:
    with transaction() as session:
        apply_remote(session, world.provider.id, remote(public_id, status, version, reference), now=AFTER)


def disputes() -> dict[str, str]:
    with reading() as session:
        rows = session.execute(select(Booking.public_id, Dispute.state).join(Booking, Booking.id == Dispute.booking_id))
        return {row.public_id: row.state for row in rows}


def answers() -> list[str]:
    """The bookings whose customers were told how their dispute ended."""
    told = select(Booking.public_id).join(Notification, Notification.booking_id == Booking.id)
    with reading() as session:
        return list(session.scalars(told.where(Notification.kind == "dispute_answered")))


def test_a_correction_wins_the_open_dispute_of_this_booking_only() -> None:
    world = make_world()
    other = join(world.provider, world.offer, world.slots, phone="13800000099")
    hers, mine = missed(other, "R-1"), missed(world, "R-2")
    for who, public_id in ((other, hers), (world, mine)):
        dispute(who.principal, public_id, "我去了", now=AFTER)
    tell(world, mine, "fulfilled", 3, "R-2")
    assert (disputes(), answers()) == ({hers: "open", mine: "accepted"}, [mine])


def test_a_correction_that_nobody_disputed_answers_no_dispute() -> None:
    world = make_world()
    public_id = missed(world, "R-1")
    tell(world, public_id, "fulfilled", 3, "R-1")
    assert (booking_row(public_id).state, disputes(), answers()) == ("fulfilled", {}, [])


def test_a_correction_after_the_desk_has_answered_leaves_that_answer() -> None:
    world = make_world()
    public_id = missed(world, "R-1")
    dispute(world.principal, public_id, "我去了", now=AFTER)
    with transaction() as session:
        session.execute(update(Dispute).values(state="rejected", closed_at=AFTER, decided_by="opr_1"))
    tell(world, public_id, "fulfilled", 3, "R-1")
    assert (disputes(), answers()) == ({public_id: "rejected"}, [])


def test_a_cancel_that_the_provider_has_not_answered_gives_no_date_up() -> None:
    """Only a change leads away from a date: a cancel that is still open does not say that nobody had to come."""
    world = make_world()
    with transaction() as session:
        session.execute(update(Offer).values(cancel_hours=0))
    public_id = world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    cancel(world.principal, public_id, now=NOON)
    tell(world, public_id, "no_show", 2, "R-1")
    assert booking_row(public_id).state == "no_show"


def test_a_neighbours_change_gives_up_no_date_of_this_booking_and_goes_on() -> None:
    world = make_world()
    other = join(world.provider, world.offer, world.slots, phone="13800000099")
    hers, mine = other.submit(), world.submit()
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1), Confirmed("R-2", 1)]), now=NOON)
    reschedule(other.principal, hers, world.slots[1].public_id, now=NOON)
    tell(world, mine, "no_show", 2, "R-2")
    with reading() as session:
        changes = session.scalars(select(ChangeRequest.state)).all()
    assert (booking_row(mine).state, changes, taken(world.slots[1])) == ("no_show", ["open"], 1)
