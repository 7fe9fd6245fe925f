"""`/notifications`."""

from __future__ import annotations

from tests.api.caller import Caller, problem
from tests.unit.test_moves import S as State
from tests.unit.test_moves import go
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
