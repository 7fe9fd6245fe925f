"""Another date of a booking: her change, the provider's proposal, and a move that the provider reports."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from booking.changes.proposals import accept, decline
from booking.changes.reschedule import reschedule
from booking.changes.withdraw import withdraw
from booking.models import Booking
from booking.proposal import Proposal
from marketplace.core.database.db import reading
from tests.people import NOON
from tests.providers.partner_api.answering import code, open_cases, requested, say, work
from tests.providers.partner_api.partner import partner_of
from tests.world import EIGHT, World, booking_row, taken

pytestmark = pytest.mark.usefixtures("db")

LATER = NOON + timedelta(minutes=5)
ON_THE_DAY = EIGHT


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "not sent yet"])
def test_a_change_is_accepted_or_refused_by_the_provider(app: Flask, world: World, sent: bool) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    for step, slot in (("refuse", 0), ("accept", 1)):
        reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
        if sent:
            assert work(world) == ["waiting"]
        [waiting] = partner.get("/bookings?status=change_asked").get_json()["items"]
        assert waiting["change"]["slot"] == world.slots[1].external_ref
        answer = say(partner, public_id, f"change/{step}", **({"reason": "closed"} if step == "refuse" else {}))
        assert (answer.status_code, answer.get_json()["change"]) == (200, None)
        assert answer.get_json()["slot"] == world.slots[slot].external_ref
        work(world)
        assert [taken(each) for each in world.slots] == [int(number == slot) for number in range(3)]
        assert code(say(partner, public_id, f"change/{step}", **({"reason": "x"} if step == "refuse" else {}))) == (
            409,
            "no_open_change",
        )
    partner = partner_of(app, world.provider, now=ON_THE_DAY + timedelta(hours=1))
    assert say(partner, public_id, "complete", etag=None).get_json()["status"] == "fulfilled"
    assert open_cases() == []


def test_a_change_that_waits_does_not_change_the_version_again_and_again(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    work(world)
    seen = booking_row(public_id).version
    for minutes in (2, 4, 6):
        assert work(world, now=NOON + timedelta(minutes=minutes)) == ["waiting"]
    assert booking_row(public_id).version == seen
    assert say(partner, public_id, "change/accept", etag=f'"{seen}"').status_code == 200


def test_a_change_that_is_taken_back_gives_its_place_back(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    work(world)
    withdraw(world.principal, public_id, now=NOON)
    assert code(say(partner, public_id, "change/accept")) == (409, "no_open_change")
    for minutes in (2, 4, 6):
        work(world, now=NOON + timedelta(minutes=minutes))
    assert [taken(each) for each in world.slots] == [1, 0, 0]
    assert open_cases() == []


@pytest.mark.parametrize("first", ["confirmed", "requested"])
def test_a_proposal_that_is_accepted_confirms_the_booking_there(app: Flask, world: World, first: str) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    if first == "confirmed":
        say(partner, public_id, "confirm")
    answer = say(partner, public_id, "proposal", slot=world.slots[2].external_ref, reason="the doctor is away")
    assert answer.get_json()["proposal"]["slot"] == world.slots[2].external_ref
    accept(world.principal, public_id, proposal_of(public_id), now=LATER)
    work(world, now=LATER)
    work(world, now=LATER)
    shown = partner.get(f"/bookings/{public_id}").get_json()["booking"]
    assert (shown["status"], shown["slot"], shown["proposal"]) == ("confirmed", world.slots[2].external_ref, None)
    assert [taken(each) for each in world.slots] == [0, 0, 1]
    assert open_cases() == []


@pytest.mark.parametrize(("first", "end"), [("confirmed", "confirmed"), ("requested", "cancelled")])
def test_a_proposal_that_is_declined_leaves_the_date_or_ends_the_booking(
    app: Flask, world: World, first: str, end: str
) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    if first == "confirmed":
        say(partner, public_id, "confirm")
    say(partner, public_id, "proposal", slot=world.slots[2].external_ref)
    decline(world.principal, public_id, proposal_of(public_id), now=LATER)
    work(world, now=LATER)
    assert (booking_row(public_id).state, taken(world.slots[2])) == (end, 0)
    assert open_cases() == []


def proposal_of(public_id: str) -> str:
    """The booking's open proposal."""
    with reading() as session:
        return session.scalars(
            select(Proposal.public_id)
            .join(Booking, Booking.id == Proposal.booking_id)
            .where(Booking.public_id == public_id, Proposal.state == "open")
        ).one()


def test_a_proposal_must_end_before_the_slot_and_not_be_the_same_time(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    other = world.slots[1].external_ref
    for wrong in (NOON, EIGHT + timedelta(hours=1)):
        answer = say(partner, public_id, "proposal", slot=other, expires_at=wrong.isoformat())
        assert code(answer) == (422, "invalid")
    assert code(say(partner, public_id, "proposal", slot=world.slots[0].external_ref)) == (422, "same_slot")
    assert code(say(partner, public_id, "proposal", slot="no such slot")) == (404, "not_found")
    assert booking_row(public_id).version == 2


@pytest.mark.parametrize("wrong", ["2026-03-09 10:00:00+08:00", "2026-03-09T10:00+08:00", "2026-03-09T10:00:00"])
def test_the_end_of_a_proposal_is_read_as_every_other_moment(app: Flask, world: World, wrong: str) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    answer = say(partner, public_id, "proposal", slot=world.slots[1].external_ref, expires_at=wrong)
    assert code(answer) == (422, "invalid")
    told = [(error["field"], error["detail"]) for error in answer.get_json()["errors"]]
    assert told == [("expires_at", "This must be a moment with its zone such as 2030-01-31T08:30:00+08:00.")]


def test_a_move_keeps_what_was_promised_and_tells_everybody(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    answer = say(partner, public_id, "move", slot=world.slots[1].external_ref)
    assert (answer.status_code, answer.get_json()["differences"]) == (202, ["time_differs"])
    assert answer.get_json()["slot"] == world.slots[0].external_ref
    assert open_cases() == ["time_differs"]
    assert code(say(partner, public_id, "move", slot=world.slots[2].external_ref)) == (409, "time_differs")
    assert code(say(partner, public_id, "move", slot=world.slots[0].external_ref)) == (422, "same_slot")


def test_a_move_to_the_time_that_she_asks_for_accepts_her_change(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    reschedule(world.principal, public_id, world.slots[1].public_id, now=NOON)
    answer = say(partner, public_id, "move", slot=world.slots[1].external_ref)
    assert (answer.get_json()["slot"], answer.get_json()["differences"]) == (world.slots[1].external_ref, [])
