"""Booking, following and cancelling through the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from booking.models import Slot
from marketplace.core import clock
from marketplace.core.database.db import transaction
from tests.marketplace.api.caller import Caller, problem, wanted
from tests.people import NOON, counters, give, make_customer, self_of
from tests.statements import statements_sent
from tests.world import World, join, set_provider, taken
from vip.operators.operators import create_admin, sign_in_operator


def test_a_place_is_held_confirmed_and_cancelled(caller: Caller, world: World) -> None:
    answer = caller.book(wanted(world))
    assert answer.status_code == 201
    held = answer.get_json()
    assert held["state"] == "held"
    assert held["hold_expires_at"] == (NOON + timedelta(minutes=10)).isoformat()
    assert answer.headers["Location"] == f"/api/v1/bookings/{held['id']}"
    assert taken(world.slots[0]) == 1

    submitted = caller.post(f"/bookings/{held['id']}/confirm")
    assert (submitted.status_code, submitted.get_json()["state"]) == (200, "awaiting_provider")

    cancelled = caller.post(f"/bookings/{held['id']}/cancel").get_json()
    assert cancelled["state"] == "cancelled"
    assert [line["state"] for line in cancelled["timeline"]] == ["held", "awaiting_provider", "cancelled"]
    assert counters(world.entitlement.id)["available"] == 2


def test_who_asks_and_what_she_asks_are_one_question(caller: Caller, world: World) -> None:
    with statements_sent() as sent:
        assert caller.book(wanted(world)).status_code == 201
    assert len(sent) == 2, "who and whether, and the hold"


def test_nobody_holds_a_place_with_a_session_that_ended_or_an_operators(
    caller: Caller, app: Flask, world: World
) -> None:
    create_admin("admin", "a long password", "Admin", now=NOON)
    operator = Caller(app, sign_in_operator("admin", "a long password", now=NOON).token)
    problem(operator.book(wanted(world)), 403, "forbidden")
    problem(operator.book({"offer_id": 1}), 403, "forbidden")
    caller.call("DELETE", "/sessions")
    problem(caller.book(wanted(world)), 401, "unauthenticated")
    problem(caller.book({"offer_id": 1}), 401, "unauthenticated")
    assert taken(world.slots[0]) == 0


@pytest.mark.parametrize("allotment", [False, True], ids=["asked", "allotted"])
@pytest.mark.parametrize("whole_day", [False, True], ids=["timed", "whole day"])
def test_a_confirmation_answers_with_the_booking_as_it_is_read_afterwards(
    caller: Caller, world: World, allotment: bool, whole_day: bool
) -> None:
    set_provider(world.provider, allotment=allotment)
    if whole_day:
        with transaction() as session:
            session.execute(update(Slot).values(starts_at=None, ends_at=None))
    held = caller.book(wanted(world)).get_json()["id"]
    with clock.frozen(NOON + timedelta(minutes=3)), statements_sent() as sent:
        submitted = caller.post(f"/bookings/{held}/confirm").get_json()
    assert len(sent) == 2, "who is it, and the submission"
    with clock.frozen(NOON + timedelta(minutes=3)):
        assert submitted == caller.get(f"/bookings/{held}").get_json()
    assert submitted["state"] == ("confirmed" if allotment else "awaiting_provider")


def test_confirming_again_answers_with_the_booking_as_it_is_by_then(caller: Caller, world: World) -> None:
    set_provider(world.provider, allotment=True)
    held = caller.book(wanted(world)).get_json()["id"]
    caller.post(f"/bookings/{held}/confirm")
    caller.post(f"/bookings/{held}/reschedule", {"slot_id": world.slots[1].public_id}, headers={"Idempotency-Key": "k"})
    again = caller.post(f"/bookings/{held}/confirm")
    assert again.status_code == 200
    assert again.get_json() == caller.get(f"/bookings/{held}").get_json()
    assert [line["state"] for line in again.get_json()["timeline"]].count("confirmed") == 2


def test_somebody_elses_hold_cannot_be_confirmed(app: Flask, caller: Caller, world: World) -> None:
    held = caller.book(wanted(world)).get_json()["id"]
    join(world.provider, world.offer, world.slots, phone="13800000022")
    stranger = Caller.of(app, "13800000022")
    problem(stranger.post(f"/bookings/{held}/confirm"), 404, "not_found", "booking_id")
    assert caller.get(f"/bookings/{held}").get_json()["state"] == "held"


def test_without_an_entitlement_the_one_that_fits_is_used(caller: Caller, world: World) -> None:
    body = wanted(world)
    del body["entitlement_id"], body["details"]
    answer = caller.book(body)
    assert answer.status_code == 201, answer.text
    assert caller.get(f"/bookings/{answer.get_json()['id']}").get_json()["entitlement_id"] == (
        world.entitlement.public_id
    )


def test_one_key_gives_one_booking_and_one_answer(caller: Caller, world: World) -> None:
    first = caller.book(wanted(world), key="k1")
    with clock.frozen(NOON + timedelta(minutes=3)):
        again = caller.book(wanted(world), key="k1")
    assert (first.status_code, first.get_json()) == (again.status_code, again.get_json())
    assert taken(world.slots[0]) == 1


def test_a_key_with_other_content_is_refused(caller: Caller, world: World) -> None:
    caller.book(wanted(world), key="k1")
    problem(caller.book(wanted(world, slot=1), key="k1"), 422, "idempotency_key_reused", "Idempotency-Key")
    assert taken(world.slots[1]) == 0


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "two words"])
def test_a_booking_needs_a_usable_key(caller: Caller, world: World, key: str) -> None:
    answer = caller.post("/bookings", wanted(world), headers={"Idempotency-Key": key})
    problem(answer, 400, "idempotency_key_missing", "Idempotency-Key")


def test_a_full_slot_is_refused_with_its_reason(caller: Caller, world: World, app: Flask) -> None:
    for number in range(5):
        other = join(world.provider, world.offer, world.slots, phone=f"1380000010{number}")
        other.hold()
    body = problem(caller.book(wanted(world)), 409, "slot_full", "slot_id")
    assert "Your benefit is untouched" in body["detail"]
    assert counters(world.entitlement.id)["available"] == 2


def test_an_exhausted_benefit_is_refused(caller: Caller, world: World) -> None:
    assert [caller.book(wanted(world, slot=slot)).status_code for slot in range(2)] == [201, 201]
    problem(caller.book(wanted(world, slot=2)), 409, "entitlement_exhausted", "entitlement_id")


def test_a_slot_that_is_over_is_refused(caller: Caller, world: World) -> None:
    with clock.frozen(NOON + timedelta(days=8, hours=1)):
        problem(caller.book(wanted(world)), 422, "slot_past", "slot_id")


def test_an_expired_benefit_is_refused(caller: Caller, world: World) -> None:
    old = give(world.customer, 1, valid_until=NOON.date())
    body = problem(
        caller.book(wanted(world, entitlement_id=old.public_id)), 409, "entitlement_expired", "entitlement_id"
    )
    assert "2" in body["detail"]


def test_somebody_outside_the_family_cannot_be_booked_for(caller: Caller, world: World) -> None:
    stranger = self_of(make_customer("13800000099"))
    body = wanted(world, beneficiary_id=stranger.public_id)
    problem(caller.book(body), 404, "not_found", "beneficiary_id")


def test_the_same_person_cannot_be_in_two_places(caller: Caller, world: World) -> None:
    assert caller.book(wanted(world)).status_code == 201
    problem(caller.book(wanted(world)), 409, "beneficiary_busy", "beneficiary_id")


@pytest.mark.parametrize("field", ["offer_id", "slot_id", "entitlement_id", "beneficiary_id"])
def test_an_unknown_id_is_named_by_its_field(caller: Caller, world: World, field: str) -> None:
    problem(caller.book(wanted(world, **{field: "xyz_00000000000000000000"})), 404, "not_found", field)


def test_another_customers_benefit_is_not_there(caller: Caller, world: World) -> None:
    other = join(world.provider, world.offer, world.slots, phone="13800000098")
    body = wanted(world, entitlement_id=other.entitlement.public_id)
    problem(caller.book(body), 404, "not_found", "entitlement_id")


def test_another_customers_booking_is_not_there(caller: Caller, world: World, app: Flask) -> None:
    other = join(world.provider, world.offer, world.slots, phone="13800000098")
    theirs = other.hold()
    problem(caller.get(f"/bookings/{theirs}"), 404, "not_found", "booking_id")
    for verb in ("confirm", "cancel"):
        problem(caller.post(f"/bookings/{theirs}/{verb}"), 404, "not_found", "booking_id")
    assert caller.get("/bookings").get_json() == {"items": [], "next": None}


def test_confirming_after_the_hold_is_over_is_refused(caller: Caller, world: World) -> None:
    held = caller.book(wanted(world)).get_json()["id"]
    with clock.frozen(NOON + timedelta(minutes=11)):
        problem(caller.post(f"/bookings/{held}/confirm"), 409, "hold_expired")


def test_confirming_a_cancelled_booking_is_refused(caller: Caller, world: World) -> None:
    held = caller.book(wanted(world)).get_json()["id"]
    caller.post(f"/bookings/{held}/cancel")
    problem(caller.post(f"/bookings/{held}/confirm"), 409, "not_held")


def test_cancelling_too_late_is_refused_with_the_time(caller: Caller, world: World) -> None:
    held = caller.book(wanted(world)).get_json()["id"]
    caller.post(f"/bookings/{held}/confirm")
    with clock.frozen(NOON + timedelta(days=7, hours=19)):
        body = problem(caller.post(f"/bookings/{held}/cancel"), 409, "cancel_too_late")
    assert "9 March, 08:00" in body["detail"]


def test_a_booking_is_sent_again_only_when_it_changed(caller: Caller, world: World) -> None:
    held = caller.book(wanted(world)).get_json()["id"]
    first = caller.get(f"/bookings/{held}")
    assert first.headers["Cache-Control"] == "private, no-cache"
    tag = {"If-None-Match": first.headers["ETag"]}
    unchanged = caller.get(f"/bookings/{held}", headers=tag)
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    caller.post(f"/bookings/{held}/confirm")
    changed = caller.get(f"/bookings/{held}", headers=tag)
    assert (changed.status_code, changed.get_json()["state"]) == (200, "awaiting_provider")


def test_a_booking_tells_all_that_a_page_needs(caller: Caller, world: World) -> None:
    body = wanted(world, details={"note": "轮椅", "wheelchair": True})
    held = caller.book(body).get_json()["id"]
    told = caller.get(f"/bookings/{held}").get_json()
    assert told["reference"].startswith("AX")
    assert (told["price_minor"], told["currency"]) == (128000, "CNY")
    assert told["beneficiary_id"] == world.beneficiary.public_id
    assert (told["starts_at"], told["time_zone"]) == ("2026-03-10T00:00:00+00:00", "Asia/Shanghai")
    assert told["can_cancel"] is True
    assert [(line["state"], line["actor"]) for line in told["timeline"]] == [("held", "customer")]
    assert "轮椅" not in str(told)


def test_bookings_are_listed_in_pages(caller: Caller, world: World) -> None:
    made = [caller.book(wanted(world, slot=slot)).get_json()["id"] for slot in range(2)]
    first = caller.get("/bookings?limit=1").get_json()
    second = caller.get(f"/bookings?limit=1&cursor={first['next']}").get_json()
    assert [first["items"][0]["id"], second["items"][0]["id"]] == made[::-1]
    assert second["next"] is None
    upcoming = caller.get("/bookings?when=upcoming").get_json()["items"]
    assert [card["id"] for card in upcoming] == made
    assert caller.get("/bookings?when=past").get_json()["items"] == []


def test_upcoming_bookings_are_paged_too(caller: Caller, world: World) -> None:
    made = [caller.book(wanted(world, slot=slot)).get_json()["id"] for slot in range(2)]
    first = caller.get("/bookings?when=upcoming&limit=1").get_json()
    second = caller.get(f"/bookings?when=upcoming&limit=1&cursor={first['next']}").get_json()
    assert [first["items"][0]["id"], second["items"][0]["id"]] == made


def test_answers_to_unknown_questions_are_refused_by_their_path(caller: Caller, world: World) -> None:
    answer = caller.book(wanted(world, details={"colour": "red"}))
    assert answer.status_code == 422
    assert answer.get_json()["field"].startswith("details")
