"""Rehearsals by the partner API: asked for with a test client's token alone, looked at until they have passed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from booking.faults.kinds import Kind
from providers.partner_api import struck
from tests.booking.rehearsals.programs import Honest
from tests.booking.rehearsals.running import run, staged
from tests.booking.webhooks.receiver import listening
from tests.providers.partner_api.answering import code
from tests.providers.partner_api.partner import Partner, partner_of

WANTED: dict[str, Any] = {"faults": ["gone", "lost_answer"], "bookings": 2, "seed": 7}


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(struck, "pause", found.append)
    return found


def ask(partner: Partner, **changes: Any) -> Any:
    return partner.post("/test/rehearsals", json={**WANTED, **changes})


def test_a_ci_asks_and_looks_until_it_has_passed(app: Flask, db: object, waited: list[float]) -> None:
    _stage, twin = staged()
    with listening() as receiver:
        program = Honest(app, twin, receiver)
        made = ask(program.api)
        assert made.status_code == 202
        begun = made.get_json()
        assert (begun["state"], begun["passed"], begun["seed"], begun["results"]) == ("queued", None, 7, [])
        run(twin.id, begun["id"], program.act)
        ended = program.api.get(f"/test/rehearsals/{begun['id']}").get_json()
    assert (ended["state"], ended["passed"], ended["right"], ended["wrong"]) == ("done", True, 2, 0)
    lost = next(each for each in ended["results"] if each["fault"] == "lost_answer")
    assert (lost["reason"], lost["explanation"]) == ("repeated", "It was sent again with the same key.")
    said = [(each["by"], each["what"]) for each in lost["steps"]]
    assert said.index(("us", "answer_lost")) < len(said) - 1 and said[0] == ("customer", "booked")
    lost_with = [each["facts"]["key"] for each in lost["steps"] if each["what"] == "answered"]
    assert len(lost_with) == 2 and len(set(lost_with)) == 1
    assert len(waited) == 1


def test_the_lost_answer_is_a_503_that_says_nothing(app: Flask, db: object, waited: list[float]) -> None:
    _stage, twin = staged()
    answers = []

    class Noting(Honest):
        def say(self, booking: str, etag: str, key: str) -> Any:
            answers.append(super().say(booking, etag, key))
            return answers[-1]

    with listening() as receiver:
        program = Noting(app, twin, receiver)
        run(twin.id, ask(program.api, faults=["lost_answer"], bookings=1).get_json()["id"], program.act)
    assert [answer.status_code for answer in answers] == [503, 200]
    assert answers[0].data == b"" and answers[1].get_json()["status"] == "confirmed"


def test_asked_again_with_the_same_key_it_is_the_same(app: Flask, db: object) -> None:
    _stage, twin = staged()
    partner = partner_of(app, twin)
    twice = [partner.post("/test/rehearsals", json=WANTED, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert {answer.status_code for answer in twice} == {202}
    assert len({answer.get_json()["id"] for answer in twice}) == 1
    refused = ask(partner)
    assert code(refused) == (409, "rehearsal_under_way")


def test_a_client_of_a_live_provider_asks_for_none_and_finds_none(app: Flask, db: object) -> None:
    stage, twin = staged()
    live = partner_of(app, stage.world.provider)
    assert code(ask(live)) == (409, "not_in_test_mode")
    made = ask(partner_of(app, twin)).get_json()["id"]
    assert code(live.get(f"/test/rehearsals/{made}")) == (404, "not_found")
    assert code(ask(partner_of(app, twin, "slots"))) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"faults": []}, "faults"),
        ({"faults": ["gone", "earthquake"]}, "faults.1"),
        ({"bookings": 21}, "bookings"),
        ({"bookings": 0}, "bookings"),
        ({"seed": 1_000_000_000}, "seed"),
        ({"seed": "7"}, "seed"),
        ({"more": 1}, "more"),
    ],
)
def test_what_cant_be_used_is_named(app: Flask, db: object, changes: dict[str, Any], field: str) -> None:
    _stage, twin = staged()
    refused = ask(partner_of(app, twin), **changes)
    assert (refused.status_code, refused.get_json()["field"]) == (422, field)


def test_another_offer_is_not_there(app: Flask, db: object) -> None:
    stage, twin = staged()
    partner = partner_of(app, twin)
    assert code(ask(partner, offer="nothing")) == (404, "not_found")
    assert ask(partner, offer=stage.offer.external_ref, faults=[kind.value for kind in Kind]).status_code == 202
