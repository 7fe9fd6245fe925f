"""The waiting list through the API."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from booking.hold.submit import submit
from booking.waiting.offers import HOLD
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON
from tests.waiting import fill, give_up, serve, wait
from tests.world import World, join


def body(world: World, **changes: Any) -> dict[str, Any]:
    """What waits for the world's offer on its day."""
    return {
        "offer_ids": [world.offer.public_id],
        "beneficiary_id": world.beneficiary.public_id,
        "first_day": "2026-03-10",
        "last_day": "2026-03-10",
        **changes,
    }


def ask(caller: Caller, wanted: Any, key: str = "") -> Any:
    return caller.post("/waiting", wanted, headers={"Idempotency-Key": key or str(uuid.uuid4())})


def test_waiting_is_begun_offered_and_confirmed(caller: Caller, world: World) -> None:
    holders = fill(world)
    answer = ask(caller, body(world, hours_before=24, weekdays=[2, 3], from_hour=8, until_hour=9))
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert answer.headers["Location"] == f"/api/v1/waiting/{made['id']}"
    assert (made["state"], made["held"], made["weekdays"], made["unit_free"]) == ("waiting", None, [2, 3], True)
    assert [site["offer_id"] for site in made["sites"]] == [world.offer.public_id]
    give_up(holders[0])
    serve()
    found = caller.get(f"/waiting/{made['id']}").get_json()
    assert (found["state"], found["held"]["state"]) == ("offered", "held")
    assert found["held"]["until"] == (NOON + HOLD).isoformat()
    confirmed = caller.post(f"/bookings/{found['held']['booking_id']}/confirm")
    assert confirmed.get_json()["state"] == "awaiting_provider"


def test_the_list_shows_everything_newest_first_page_by_page(caller: Caller, world: World) -> None:
    fill(world)
    for _ in range(3):
        made = ask(caller, body(world)).get_json()
        assert caller.call("DELETE", f"/waiting/{made['id']}").status_code == 204
    first = caller.get("/waiting?limit=2").get_json()
    rest = caller.get(f"/waiting?limit=2&cursor={first['next']}").get_json()
    assert [entry["state"] for entry in first["items"] + rest["items"]] == ["withdrawn"] * 3
    assert rest["next"] is None


def test_one_key_gives_one_entry(caller: Caller, world: World) -> None:
    first, again = ask(caller, body(world), key="k"), ask(caller, body(world), key="k")
    assert (first.status_code, first.get_json()["id"]) == (again.status_code, again.get_json()["id"])
    problem(ask(caller, body(world, hours_before=1), key="k"), 422, "idempotency_key_reused", "Idempotency-Key")
    problem(caller.post("/waiting", body(world)), 400, "idempotency_key_missing", "Idempotency-Key")


def test_the_same_twice_is_refused_and_stopping_twice_is_not(caller: Caller, world: World) -> None:
    made = ask(caller, body(world)).get_json()
    problem(ask(caller, body(world)), 409, "already_waiting", "offer_ids")
    assert [caller.call("DELETE", f"/waiting/{made['id']}").status_code for _ in range(2)] == [204, 204]
    assert ask(caller, body(world)).status_code == 201


def test_stopping_gives_back_what_was_held_and_leaves_what_was_submitted(caller: Caller, world: World) -> None:
    made = ask(caller, body(world)).get_json()
    serve()
    held = caller.get(f"/waiting/{made['id']}").get_json()["held"]["booking_id"]
    caller.call("DELETE", f"/waiting/{made['id']}")
    assert caller.get(f"/bookings/{held}").get_json()["state"] == "cancelled"
    again = ask(caller, body(world)).get_json()
    serve()
    submitted = caller.get(f"/waiting/{again['id']}").get_json()["held"]["booking_id"]
    submit(world.principal, submitted, now=NOON)
    caller.call("DELETE", f"/waiting/{again['id']}")
    assert caller.get(f"/bookings/{submitted}").get_json()["state"] == "awaiting_provider"


def test_another_customers_entry_is_not_there(caller: Caller, world: World) -> None:
    theirs = wait(join(world.provider, world.offer, world.slots, phone="13800000098"))
    problem(caller.get(f"/waiting/{theirs}"), 404, "not_found", "waiting_id")
    problem(caller.call("DELETE", f"/waiting/{theirs}"), 404, "not_found", "waiting_id")
    assert caller.get("/waiting").get_json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"offer_ids": []}, "offer_ids"),
        ({"offer_ids": "ofr"}, "offer_ids"),
        ({"offer_ids": [7]}, "offer_ids.0"),
        ({"weekdays": [0]}, "weekdays.0"),
        ({"weekdays": [1.5]}, "weekdays.0"),
        ({"weekdays": [3]}, "weekdays"),
        ({"hours_before": 721}, "hours_before"),
        ({"hours_before": True}, "hours_before"),
        ({"auto_book": 1}, "auto_book"),
        ({"from_hour": 20, "until_hour": 8}, "until_hour"),
        ({"first_day": "2026-3-1"}, "first_day"),
        ({"last_day": "2026-03-09"}, "last_day"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_input_is_named_by_its_field(caller: Caller, world: World, changes: dict[str, Any], field: str) -> None:
    answer = ask(caller, body(world, **changes)).get_json()
    assert answer["status"] == 422
    assert answer.get("field") == field or [each["field"] for each in answer["errors"]] == [field]
