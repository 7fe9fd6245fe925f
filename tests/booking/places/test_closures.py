"""A merge and a closure: what belongs to the place holds for it while it does, in whichever order they came."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.closures.close import close_site, work_closures
from booking.closures.models import SiteClosure
from booking.eligibility.refusals import VenueClosed
from booking.feeds.cursors import cursor_of, done
from booking.hold.submit import submit
from booking.models import Slot
from booking.places import decide
from booking.sync.slots import SIGHT
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import reading, transaction
from tests.escorts import add_site, make_escorts
from tests.people import NOON, make_insurer
from tests.world import DAY, EIGHT, World, booking_row, make_offer, make_slot, make_world
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")


def admin() -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")


def site(made: Offer) -> str:
    with reading() as session:
        return session.get_one(Site, made.site_id).public_id


def closed(made: Offer) -> list[bool]:
    with reading() as session:
        return list(session.scalars(select(Slot.closed).where(Slot.pool_id == made.pool_id).order_by(Slot.id)))


def states() -> list[tuple[str, bool]]:
    """The closures' states, and whether each says when it was done."""
    with reading() as session:
        rows = session.execute(select(SiteClosure.state, SiteClosure.finished_at).order_by(SiteClosure.id))
        return [(row.state, row.finished_at is not None) for row in rows]


def elsewhere(world: World) -> World:
    """The world's customer with an offer at another entry, and a slot there on the day after as well."""
    provider, offer, slots = make_offer()
    with transaction() as session:
        session.add(make_slot(offer.pool_id, EIGHT + timedelta(days=1), 1))
    return World(provider, offer, slots, world.customer, world.beneficiary, world.entitlement, world.principal)


def test_closures_that_were_done_are_worked_again_at_what_is_merged_into_the_place() -> None:
    world = make_world(quantity=4)
    who, part = admin(), elsewhere(world)
    over = NOON - timedelta(days=9)
    close_site(who, site(world.offer), over.date(), over.date(), "cancel", now=over)
    work_closures(now=over)
    for first in (DAY, DAY + timedelta(days=1)):  # two of one insurer, one after the other
        close_site(who, site(world.offer), first, first, "cancel", now=NOON)
        work_closures(now=NOON)
    booked = part.hold(0)
    assert closed(part.offer) == [False] * 4 and states() == [("done", True)] * 3
    made = decide.merge_sites(who, site(part.offer), site(world.offer), now=NOON)
    assert closed(part.offer) == [True] * 4, "nothing is sold there from that moment on"
    for _each in range(2):
        work_closures(now=NOON)
    assert booking_row(booked).state == "cancelled" and states() == [("done", True)] * 3
    with reading() as session:
        assert session.scalars(select(SiteClosure.finished_at).order_by(SiteClosure.id)).first() == over

    done(part.provider.id, SIGHT, "here", now=NOON)
    done(world.provider.id, SIGHT, "here", now=NOON)
    decide.undo_merge(who, made, now=NOON)
    with reading() as session:
        assert cursor_of(session, part.provider.id, SIGHT) is None, "its slots are pulled afresh"
    with transaction() as session:
        session.execute(update(Slot).values(closed=False))
    assert closed(part.offer) == [False] * 4 and set(closed(world.offer)) == {True}
    done(part.provider.id, SIGHT, "there", now=NOON)
    decide.undo_merge(who, made, now=NOON)
    with reading() as session:
        assert cursor_of(session, part.provider.id, SIGHT) == "there", "twice changes nothing"


def test_a_hospital_that_was_closed_before_it_was_merged_is_closed_as_a_venue() -> None:
    made, who = make_escorts(quantity=4), admin()
    booked = made.hold(0)
    entry = add_site("示范总院西门")
    close_site(who, entry.public_id, DAY, DAY, "cancel", now=NOON)
    work_closures(now=NOON)
    assert booking_row(booked).state == "held"
    decide.merge_sites(who, entry.public_id, made.venue.public_id, now=NOON)
    with pytest.raises(VenueClosed):
        made.hold(1)
    work_closures(now=NOON)
    assert booking_row(booked).state == "cancelled", "and what is booked there is dealt with"


def test_a_booking_whose_venue_was_merged_moves_out_of_the_closure_of_its_place() -> None:
    made, who = make_escorts(quantity=4, allotment=True), admin()
    after = make_slot(made.world.offer.pool_id, EIGHT + timedelta(days=7), 5)
    with transaction() as session:
        session.add(after)
    booked, place = made.hold(0), add_site("示范总院新址")
    submit(made.world.principal, booked, now=NOON)
    decide.merge_sites(who, made.venue.public_id, place.public_id, now=NOON)
    close_site(who, place.public_id, DAY, DAY, "move", now=NOON)
    assert work_closures(now=NOON) == {"moving": 1, "over": 0}
    assert booking_row(booked).service_date == after.service_date
