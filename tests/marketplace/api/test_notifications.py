"""`/notifications`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.booking.test_moves import S as State
from tests.booking.test_moves import go
from tests.marketplace.api.caller import Caller, problem
from tests.world import World


def test_what_was_told_is_listed_in_the_language_of_the_request(caller: Caller, world: World) -> None:
    booking = world.submit()
    go(booking, State.CONFIRMED)
    (item,) = caller.get("/notifications").get_json()["items"]
    assert (item["kind"], item["booking_id"], item["read_at"]) == ("confirmed", booking, None)
    assert item["title"] == "Your booking is confirmed"
    assert "Tue 10 March, 08:00" in item["text"]
    (item,) = caller.get("/notifications", headers={"Accept-Language": "zh"}).get_json()["items"]
    assert item["title"] == "预约已确认"


def test_reading_is_noted(caller: Caller, world: World) -> None:
    go(world.submit(), State.CONFIRMED, State.NO_SHOW)
    newest, oldest = caller.get("/notifications").get_json()["items"]
    assert (newest["kind"], oldest["kind"]) == ("no_show", "confirmed")
    read = caller.post(f"/notifications/{newest['id']}/read")
    assert (read.status_code, read.get_json()["read_at"]) == (200, "2026-03-02T04:00:00+00:00")
    assert caller.post("/notifications/read").get_json() == {"read": 1}
    assert caller.post("/notifications/read").get_json() == {"read": 0}


def test_a_notification_that_is_not_hers_is_not_there(caller: Caller) -> None:
    problem(caller.post("/notifications/ntf_00000000000000000000/read"), 404, "not_found", "notification_id")
    problem(caller.get("/notifications?cursor=W10"), 422, "invalid", "cursor")


# --- how she is told -------------------------------------------------------------------------------------------------

CHOSEN = {"sms": False, "email": True, "quiet": True, "quiet_from": "21:00", "quiet_until": "07:30"}


def test_how_she_is_told_is_read_and_chosen(caller: Caller) -> None:
    assert caller.get("/me/notifications").get_json() == {
        "sms": True,
        "email": True,
        "phone_masked": "138****0021",
        "email_masked": "",
        "email_confirmed": False,
        "quiet": True,
        "quiet_from": "22:00",
        "quiet_until": "08:00",
        "calendar_feed": False,
    }
    answer = caller.call("PUT", "/me/notifications", json=CHOSEN)
    assert answer.status_code == 200
    assert CHOSEN.items() <= caller.get("/me/notifications").get_json().items()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sms": 1}, "sms"),
        ({"quiet": "on"}, "quiet"),
        ({"quiet_from": "24:00"}, "quiet_from"),
        ({"quiet_until": "8:00"}, "quiet_until"),
        ({"phone": "x"}, "phone"),
    ],
)
def test_a_wrong_choice_is_named(caller: Caller, change: dict[str, Any], field: str) -> None:
    problem(caller.call("PUT", "/me/notifications", json={**CHOSEN, **change}), 422, "invalid", field)


def test_a_calendar_address_is_made_renewed_and_taken_back(app: Flask, caller: Caller) -> None:
    program = app.test_client()

    def make() -> str:
        answer = caller.post("/me/calendar-feed")
        assert answer.status_code == 201
        return urlsplit(answer.get_json()["url"]).path

    first, second = make(), make()
    assert (program.get(first).status_code, program.get(second).status_code) == (404, 200)
    assert caller.get("/me/notifications").get_json()["calendar_feed"]
    assert [caller.call("DELETE", "/me/calendar-feed").status_code for _ in range(2)] == [204, 204]
    assert program.get(second).status_code == 404
