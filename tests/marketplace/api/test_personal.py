"""The customer's copy by the API."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta

from booking.personal.export import make_copies
from marketplace.core import clock
from tests.marketplace.api.caller import Caller
from tests.people import NOON
from tests.world import World
from vip.customers.family import NewMember, add_member, remove_member


def test_a_copy_is_asked_for_and_fetched(caller: Caller) -> None:
    asked = caller.post("/me/copies")
    assert (asked.status_code, asked.json["state"], asked.json["size"]) == (202, "asked", 0)
    assert caller.post("/me/copies").json == asked.json
    make_copies(now=NOON)
    [ready] = caller.get("/me/copies").json["items"]
    assert (ready["id"], ready["state"]) == (asked.json["id"], "ready")
    answer = caller.get(f"/me/copies/{ready['id']}/file")
    assert (answer.content_type, len(answer.data)) == ("application/zip", ready["size"])
    assert "customer.json" in zipfile.ZipFile(io.BytesIO(answer.data)).namelist()


def test_an_old_session_is_told_to_sign_in_again(caller: Caller) -> None:
    asked = caller.post("/me/copies")
    make_copies(now=NOON)
    with clock.frozen(NOON + timedelta(minutes=16)):
        answer = caller.get(f"/me/copies/{asked.json['id']}/file")
    assert (answer.status_code, answer.json["code"]) == (403, "sign_in_again")


def test_everything_that_may_go_is_deleted_and_the_answer_says_what_stays(caller: Caller) -> None:
    assert caller.get("/me/erasure").json == {"stays": [{"what": "books", "until": None}]}
    for unsure in ({"sure": False}, {}, {"sure": "yes"}):
        assert caller.post("/me/erasure", unsure).status_code == 422
    assert caller.get("/me").status_code == 200
    answer = caller.post("/me/erasure", {"sure": True})
    assert (answer.status_code, answer.json) == (200, {"stays": [{"what": "books", "until": None}]})
    assert caller.get("/me").status_code == 401


def test_a_booking_under_way_is_named(caller: Caller, world: World) -> None:
    world.submit()
    answer = caller.post("/me/erasure", {"sure": True})
    assert (answer.status_code, answer.json["code"]) == (409, "erasure_under_way")
    assert "AX" in answer.json["detail"]


def test_a_relative_is_erased_after_she_was_removed(caller: Caller, world: World) -> None:
    father = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1951, 9, 3)), NOON).public_id
    path = f"/me/family/{father}/erasure"
    assert caller.post(path, {"sure": True}).status_code == 404
    remove_member(world.principal, father, NOON, in_use=lambda _session, _person: False)
    assert caller.post(path, {"sure": True}).json["stays"] == [{"what": "books", "until": None}]
