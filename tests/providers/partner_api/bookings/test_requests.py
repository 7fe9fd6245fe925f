"""What the request of an answer must hold: version, key and body."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask

from tests.providers.partner_api.answering import code, requested, say
from tests.providers.partner_api.partner import partner_of
from tests.world import World, booking_row, set_provider

pytestmark = pytest.mark.usefixtures("db")


def test_an_answer_needs_the_version_it_is_made_of_and_a_key(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    for what, body in (
        ("confirm", {}),
        ("reject", {"reason": "x"}),
        ("proposal", {"slot": "s"}),
        ("move", {"slot": "s"}),
        ("cancel", {"reason": "x"}),
        ("change/accept", {}),
        ("change/refuse", {"reason": "x"}),
    ):
        assert code(say(partner, public_id, what, etag=None, **body)) == (428, "precondition_required")
        for stale in ('"1"', '"99"', "*", "nonsense", '"2", "3"', ""):
            assert code(say(partner, public_id, what, etag=stale, **body)) == (412, "precondition_failed")
    assert code(say(partner, public_id, "check-in", etag='"1"')) == (412, "precondition_failed")
    without = partner.post(f"/bookings/{public_id}/confirm", headers={"If-Match": '"2"', "Idempotency-Key": ""})
    assert code(without) == (400, "idempotency_key_missing")
    assert booking_row(public_id).version == 2


def test_where_a_system_is_called_nobody_answers_by_the_api(app: Flask, world: World) -> None:
    public_id = requested(world)
    set_provider(world.provider, adapter="open_protocol")
    partner, before = partner_of(app, world.provider), booking_row(public_id)
    for what, body in (("confirm", {}), ("reject", {"reason": "x"}), ("cancel", {"reason": "x"}), ("complete", {})):
        assert code(say(partner, public_id, what, **body)) == (409, "answered_elsewhere")
    assert (booking_row(public_id).state, booking_row(public_id).version) == (before.state, before.version)


def test_the_same_request_twice_is_one_answer(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    headers = {"Idempotency-Key": "k-1", "If-Match": '"2"'}
    first = partner.post(f"/bookings/{public_id}/confirm", headers=headers)
    again = partner.post(f"/bookings/{public_id}/confirm", headers=headers)
    assert (first.status_code, again.status_code, first.data == again.data) == (200, 200, True)
    other = partner.post(f"/bookings/{public_id}/cancel", headers=headers, json={"reason": "x"})
    assert code(other) == (422, "idempotency_key_reused")
    refused = {"Idempotency-Key": "k-2", "If-Match": '"1"'}
    assert code(partner.post(f"/bookings/{public_id}/cancel", headers=refused, json={"reason": "x"}))[0] == 412
    refused["If-Match"] = '"3"'
    assert partner.post(f"/bookings/{public_id}/cancel", headers=refused, json={"reason": "x"}).status_code == 200


HOSTILE = (
    b"",
    b"[]",
    b"{",
    b"\xff",
    b'{"reason": 1}',
    b'{"reason": ""}',
    b'{"reason": "\\u0000"}',
    b'{"reason": "x", "y": 1}',
    b'{"slot": "\\ud800"}',
    b'{"slot": "s", "expires_at": 5}',
    b'{"slot": "s", "expires_at": "2026-03-09T00:00:00"}',
    b'{"slot": "s", "expires_at": "0001-01-01T00:00:00+14:00"}',
)


@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_bodies_are_refused_in_words(app: Flask, world: World, body: bytes) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    for what in ("reject", "proposal", "move", "cancel", "change/refuse", "confirm", "check-in"):
        headers = {"Idempotency-Key": str(uuid.uuid4()), "If-Match": '"2"'}
        answer = partner.post(
            f"/bookings/{public_id}/{what}", headers=headers, data=body, content_type="application/json"
        )
        expected = (200, 412) if body == b"" and what in ("confirm", "check-in") else (400, 422)
        assert answer.status_code in expected, (what, answer.text)
