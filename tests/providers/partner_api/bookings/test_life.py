"""The life of a booking at a provider that answers here: each step over HTTP, the customer's beside it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from booking.attendance.no_show import call_no_shows
from booking.calls.connections import connection_of
from booking.changes.cancel import cancel
from booking.exchange import send
from booking.models import ProviderBooking
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading
from tests.people import NOON, counters
from tests.providers.partner_api.answering import code, open_cases, requested, say, work
from tests.providers.partner_api.partner import partner_of
from tests.world import EIGHT, World, booking_row, history, taken

pytestmark = pytest.mark.usefixtures("db")

ON_THE_DAY = EIGHT


def test_the_whole_life_of_a_booking(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    [queued] = partner.get("/bookings?status=requested").get_json()["items"]
    assert (queued["id"], queued["status"], queued["answer_due_at"] is not None) == (public_id, "requested", True)
    confirmed = say(partner, public_id, "confirm")
    assert (confirmed.status_code, confirmed.get_json()["status"]) == (200, "confirmed")
    assert confirmed.headers["ETag"] == f'"{booking_row(public_id).version}"'
    assert partner.get("/bookings?status=requested").get_json()["items"] == []
    partner = partner_of(app, world.provider, now=ON_THE_DAY)
    for step, status in (("check-in", "checked_in"), ("start", "in_service"), ("complete", "fulfilled")):
        answer = say(partner, public_id, step, etag=None)
        assert (answer.status_code, answer.get_json()["status"]) == (200, status)
    assert history(public_id) == ["held", "awaiting_provider", "confirmed", "checked_in", "in_service", "fulfilled"]
    assert (counters(world.entitlement.id)["used"], open_cases()) == (1, [])


def test_a_rejected_booking_gives_place_and_unit_back_with_the_providers_reason(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    answer = say(partner, public_id, "reject", reason="sold_out")
    assert answer.status_code == 200
    assert (answer.get_json()["status"], answer.get_json()["cause"]) == ("rejected", "sold_out")
    assert (taken(world.slots[0]), counters(world.entitlement.id)["available"]) == (0, 2)


def test_it_can_be_answered_before_the_worker_has_sent_it(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), world.submit()
    assert say(partner, public_id, "confirm").status_code == 200
    assert work(world) == []
    assert booking_row(public_id).state == "confirmed"


def test_a_command_that_a_dead_worker_took_changes_nothing_and_is_done_again(app: Flask, world: World) -> None:
    public_id = world.submit()
    with reading() as session:
        known = connection_of(session.get_one(Provider, world.provider.id))
    assert len(send.claim_tasks(known, worker="dies", places=10, now=NOON)) == 1
    later = NOON + timedelta(hours=1)
    assert work(world, now=later) == ["applied"]
    assert booking_row(public_id).state == "awaiting_provider"
    assert say(partner_of(app, world.provider), public_id, "confirm").status_code == 200
    cancel(world.principal, public_id, now=NOON)
    assert len(send.claim_tasks(known, worker="dies", places=10, now=later)) == 1
    outcomes = [work(world, now=later + timedelta(hours=hour)) for hour in (1, 2)]
    assert booking_row(public_id).state == "cancelled", outcomes


def test_a_customers_cancel_needs_no_answer(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    cancel(world.principal, public_id, now=NOON)
    assert partner.get(f"/bookings/{public_id}").get_json()["booking"]["cancel_asked"] is True
    assert code(say(partner, public_id, "move", slot=world.slots[1].external_ref)) == (409, "cancel_under_way")
    work(world)
    assert (booking_row(public_id).state, taken(world.slots[0])) == ("cancelled", 0)
    with reading() as session:
        assert session.scalars(select(ProviderBooking.status)).all() == ["cancelled"]
    assert code(say(partner, public_id, "check-in", etag=None)) == (409, "not_possible_now")


@pytest.mark.parametrize("step", ["check-in", "start", "complete", "no-show"])
def test_what_comes_too_early_is_refused_and_nothing_is_written(app: Flask, world: World, step: str) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    before = booking_row(public_id).version
    assert code(say(partner, public_id, step, etag=None)) == (409, "too_early")
    assert (booking_row(public_id).version, open_cases()) == (before, [])
    with reading() as session:
        assert session.scalars(select(ProviderBooking.version)).all() == [2]


@pytest.mark.parametrize("step", ["check-in", "start", "complete", "no-show"])
def test_who_came_is_no_answer_to_a_request(app: Flask, world: World, step: str) -> None:
    partner, public_id = partner_of(app, world.provider, now=ON_THE_DAY + timedelta(hours=3)), requested(world)
    before = booking_row(public_id).version
    refused = say(partner, public_id, step, etag=None)
    assert code(refused) == (409, "not_confirmed") and "Confirm it first" in refused.get_json()["detail"]
    assert (booking_row(public_id).state, booking_row(public_id).version) == ("awaiting_provider", before)
    assert say(partner, public_id, "confirm").status_code == 200
    assert say(partner, public_id, step, etag=None).status_code == 200


def test_what_a_booking_is_past_is_refused_and_nothing_is_written(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    assert code(say(partner, public_id, "reject", reason="closed")) == (409, "not_possible_now")
    partner = partner_of(app, world.provider, now=ON_THE_DAY)
    say(partner, public_id, "check-in", etag=None)
    assert code(say(partner, public_id, "confirm")) == (409, "not_possible_now")
    assert code(say(partner, public_id, "proposal", slot=world.slots[1].external_ref)) == (409, "not_possible_now")
    assert (booking_row(public_id).state, open_cases()) == ("checked_in", [])


def test_a_no_show_can_be_corrected(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    partner = partner_of(app, world.provider, now=ON_THE_DAY + timedelta(hours=3))
    assert say(partner, public_id, "no-show", etag=None).get_json()["status"] == "no_show"
    assert say(partner, public_id, "complete", etag=None).get_json()["status"] == "fulfilled"


def test_the_clock_calls_a_no_show_where_there_is_no_list_to_read(app: Flask, world: World) -> None:
    public_id = requested(world)
    say(partner_of(app, world.provider), public_id, "confirm")
    with reading() as session:
        hours = session.get_one(Provider, world.provider.id).no_show_hours
    over = EIGHT + timedelta(minutes=30, hours=hours)
    assert call_no_shows(now=over - timedelta(seconds=1)) == 0
    assert call_no_shows(now=over) == 1
    assert booking_row(public_id).state == "no_show"


def test_a_providers_cancel_gives_the_unit_back(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    say(partner, public_id, "confirm")
    answer = say(partner, public_id, "cancel", reason="closed")
    assert (answer.get_json()["status"], counters(world.entitlement.id)["available"]) == ("cancelled", 2)
