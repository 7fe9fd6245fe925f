"""Signing in, and what a customer reads: herself, her benefits, places, offers and times."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.sending import sms
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON, SmsBox, give, self_of
from tests.world import World

PHONE = "13800000021"


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> SmsBox:
    """Where texts go."""
    drawer = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: drawer)
    return drawer


def test_a_customer_signs_in_with_the_code_and_out_again(anybody: Caller, app: Flask, box: SmsBox) -> None:
    sent = anybody.post("/sessions/codes", {"phone": PHONE})
    assert (sent.status_code, sent.get_json()["resend_after_seconds"]) == (202, 60)
    answer = anybody.post("/sessions", {"phone": PHONE, "code": box.code_for(PHONE)})
    assert answer.status_code == 201
    assert answer.get_json()["token_type"] == "Bearer"
    caller = Caller(app, answer.get_json()["token"])
    assert caller.get("/me").get_json()["id"] == answer.get_json()["customer_id"]
    assert caller.call("DELETE", "/sessions/current").status_code == 204
    problem(caller.get("/me"), 401, "unauthenticated")


def test_signing_in_again_ends_the_session_that_was_sent_along(caller: Caller, box: SmsBox) -> None:
    caller.post("/sessions/codes", {"phone": PHONE})
    assert caller.post("/sessions", {"phone": PHONE, "code": box.code_for(PHONE)}).status_code == 201
    problem(caller.get("/me"), 401, "unauthenticated")


def test_all_sessions_end_at_once(caller: Caller, app: Flask) -> None:
    other = Caller.of(app, PHONE)
    assert caller.call("DELETE", "/sessions").status_code == 204
    problem(other.get("/me"), 401, "unauthenticated")


def test_a_wrong_code_is_refused_with_the_tries_left(anybody: Caller, box: SmsBox) -> None:
    anybody.post("/sessions/codes", {"phone": PHONE})
    wrong = "000000" if box.code_for(PHONE) != "000000" else "111111"
    body = problem(anybody.post("/sessions", {"phone": PHONE, "code": wrong}), 422, "wrong_code", "code")
    assert "Tries left: 4" in body["detail"]


def test_who_asks_for_a_sixth_code_of_one_phone_has_to_wait(anybody: Caller, box: SmsBox) -> None:
    for _ in range(5):
        assert anybody.post("/sessions/codes", {"phone": PHONE}).status_code == 202
    answer = anybody.post("/sessions/codes", {"phone": PHONE})
    problem(answer, 429, "too_many")
    assert int(answer.headers["Retry-After"]) == 3_600 / 5


def test_a_phone_that_is_none_is_named(anybody: Caller) -> None:
    problem(anybody.post("/sessions/codes", {"phone": "12"}), 422, "invalid", "phone")


def test_an_expired_session_is_none(caller: Caller) -> None:
    with clock.frozen(NOON + timedelta(days=31)):
        problem(caller.get("/me"), 401, "unauthenticated")


def test_a_customer_sees_herself_with_her_phone_masked(caller: Caller, world: World) -> None:
    told = caller.get("/me").get_json()
    assert (told["id"], told["phone_masked"]) == (world.customer.public_id, "138****0021")
    assert told["time_zone"] == "Asia/Shanghai"


def test_the_family_begins_with_the_customer(caller: Caller, world: World) -> None:
    told = caller.get("/me/family").get_json()
    assert (told["items"][0]["relation"], told["items"][0]["id"]) == ("self", self_of(world.customer).public_id)
    assert told["next"] is None


def test_benefits_add_up(caller: Caller, world: World) -> None:
    world.hold()
    [told] = caller.get("/entitlements").get_json()["items"]
    assert (told["id"], told["benefit"], told["granted"]) == (world.entitlement.public_id, "health_check", 2)
    parts = ("available", "reserved", "used", "expired", "revoked")
    assert [told[part] for part in parts] == [1, 1, 0, 0, 0]


def test_an_unlimited_benefit_has_no_number(caller: Caller, world: World) -> None:
    made = give(world.customer, None)
    told = {one["id"]: one for one in caller.get("/entitlements").get_json()["items"]}[made.public_id]
    assert (told["unlimited"], told["granted"], told["available"]) == (True, None, None)


def test_places_are_found_by_city_and_words(caller: Caller, world: World) -> None:
    told = caller.get("/sites", query_string={"city": "杭州市", "limit": "5"}).get_json()
    assert [site["city"] for site in told["items"]] == ["杭州市"]
    assert caller.get("/sites", query_string={"city": "上海市"}).get_json() == {"items": [], "next": None}


def test_an_unknown_tier_is_named(caller: Caller) -> None:
    problem(caller.get("/sites", query_string={"tier": "七级"}), 422, "invalid", "tier")


def test_offers_come_with_their_next_free_time(caller: Caller, world: World) -> None:
    [offer] = caller.get("/offers?benefit=health_check").get_json()["items"]
    assert (offer["id"], offer["price_minor"]) == (world.offer.public_id, 128000)
    assert offer["next_free"] == {
        "service_date": "2026-03-10",
        "starts_at": "2026-03-10T00:00:00+00:00",
        "ends_at": "2026-03-10T00:30:00+00:00",
        "free": 5,
    }
    assert caller.get(f"/offers?site={offer['site_id']}").get_json()["items"][0]["id"] == offer["id"]


def test_an_unknown_benefit_is_not_there(caller: Caller) -> None:
    problem(caller.get("/offers?benefit=nothing"), 404, "not_found", "benefit")


def test_a_slot_tells_its_capacity_and_what_is_free(caller: Caller, world: World) -> None:
    world.hold()
    told = caller.get(f"/offers/{world.offer.public_id}/slots?from=2026-03-10&to=2026-03-10").get_json()
    first = told["items"][0]
    names = ("id", "starts_at", "ends_at", "capacity", "free", "bookable", "closes_at", "reason")
    assert {name: first[name] for name in names} == {
        "id": world.slots[0].public_id,
        "starts_at": "2026-03-10T00:00:00+00:00",
        "ends_at": "2026-03-10T00:30:00+00:00",
        "capacity": 5,
        "free": 4,
        "bookable": True,
        "closes_at": "2026-03-09T12:00:00+00:00",
        "reason": None,
    }
    assert (len(told["items"]), told["next"]) == (3, None)


def test_slots_without_days_are_those_of_the_next_two_weeks(caller: Caller, world: World) -> None:
    assert len(caller.get(f"/offers/{world.offer.public_id}/slots").get_json()["items"]) == 3
