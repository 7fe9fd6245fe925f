"""An escort by the API: what goes on, how it went, and links for the family."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from marketplace.core import clock
from tests.escorting import CODE, SAFE_WORD, Escorted, escorted
from tests.marketplace.api.caller import Caller, problem
from tests.people import NOON, make_customer
from tests.world import EIGHT

HERS, OTHERS = "13800000021", "13800000031"


@pytest.fixture
def one(db: Engine) -> Iterator[Escorted]:
    with clock.frozen(NOON):
        yield escorted()


def test_the_whole_of_it(app: Flask, one: Escorted) -> None:
    her, path = Caller.of(app, HERS), f"/bookings/{one.booking}/escort"
    seen = her.get(path).json
    assert (seen["stage"], seen["worker"]["name"]) == ("coming", "何静")
    assert (seen["safe_word"], seen["code"], seen["site"]["name"]) == (SAFE_WORD, CODE, "杭州示范总院")
    picture = one.did("paper", 10, picture=True)
    one.did("handed_over", 180)
    assert [step["what"] for step in her.get(path).json["steps"]] == ["handed_over"]
    assert her.get(f"{path}/papers/{picture}").data.startswith(b"\xff\xd8\xff")
    with clock.frozen(EIGHT + timedelta(hours=4)):
        problem(her.call("PUT", f"{path}/outcome", json={"well": False}), 422, "invalid", "what")
        wrong = her.call("PUT", f"{path}/outcome", json={"well": False, "what": "late"}).json
        assert wrong["awaited"]["complained"] is True
        done = her.call("PUT", f"{path}/outcome", json={"well": True}).json
        assert (done["stage"], done["safe_word"]) == ("done", "")


def test_links_are_made_listed_and_ended(app: Flask, one: Escorted) -> None:
    her, path = Caller.of(app, HERS), f"/bookings/{one.booking}/escort/links"
    wanted = {"name": "哥哥", "days_after": 1, "with_notes": True}
    problem(her.post(path, wanted), 400, "idempotency_key_missing", "Idempotency-Key")
    made = made_link(her, path, wanted, "k-1")
    assert made_link(her, path, wanted, "k-1").json == made.json
    assert made.status_code == 201 and "/shared/escort/" in made.json["url"]
    (link,) = her.get(path).json["items"]
    assert (link["name"], link["state"], link["looks"], link["with_notes"]) == ("哥哥", "open", [], True)
    assert made.json["url"].rpartition("/")[2] not in str(her.get(path).json)
    assert her.call("DELETE", f"{path}/{link['id']}").status_code == 204
    assert her.get(path).json["items"][0]["state"] == "ended"
    problem(made_link(her, path, {"name": " "}), 422, "invalid", "name")
    for _number in range(5):
        made_link(her, path, {"name": "哥哥"})
    problem(made_link(her, path, {"name": "哥哥"}), 409, "too_many_followers")


def made_link(who: Caller, path: str, wanted: Any, key: str = "") -> TestResponse:
    return who.post(path, wanted, headers={"Idempotency-Key": key or str(uuid.uuid4())})


def test_it_is_nobody_elses(app: Flask, one: Escorted) -> None:
    make_customer(OTHERS)
    other, path = Caller.of(app, OTHERS), f"/bookings/{one.booking}/escort"
    problem(other.get(path), 404, "not_found", "booking_id")
    problem(other.call("PUT", f"{path}/outcome", json={"well": True}), 404, "not_found", "booking_id")
    problem(made_link(other, f"{path}/links", {"name": "x"}), 404, "not_found", "booking_id")
    problem(other.get(f"{path}/links"), 404, "not_found", "booking_id")
