"""Calls that publish slots take turns."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

import pytest
from flask import Flask
from sqlalchemy import Engine

from booking.sync import publish
from tests.providers.partner_api.partner import NDJSON, Partner, ndjson, partner_of
from tests.providers.partner_api.slot_lines import Watched, held, line, statuses
from tests.world import World, make_offer, make_world

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world(db: Engine) -> World:
    """A world without slots."""
    return make_world(slots=0)


@pytest.fixture
def partner(app: Flask, world: World) -> Partner:
    """A program of its provider that may publish slots."""
    return partner_of(app, world.provider, "slots")


def test_a_provider_publishes_one_call_at_a_time_and_a_second_is_refused_before_its_body_is_read(
    app: Flask, partner: Partner
) -> None:
    other = partner_of(app, make_offer(slots=0)[0], "slots")
    body = ndjson([line()])
    second = Watched(body)
    answers = []

    def send(sender: Partner, read: io.BytesIO) -> None:
        length = {"CONTENT_LENGTH": str(len(body))}
        answers.append(sender.post("/slots", input_stream=read, content_type=NDJSON, environ_overrides=length))

    def meanwhile() -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(send, partner, second).result()
            thread.submit(send, other, io.BytesIO(body)).result()

    send(partner, Watched(body, meanwhile))
    refused, of_another, first = answers
    assert (refused.status_code, refused.get_json()["code"], refused.headers["Retry-After"]) == (429, "too_many", "2")
    assert second.asked == 0
    assert (of_another.status_code, first.status_code) == (200, 200)
    assert statuses(partner.publish([line()])) == ["unchanged"], "the turn was given back"


def test_only_so_many_calls_are_written_at_a_time(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    publishers = BoundedSemaphore(publish.PUBLISHED_AT_ONCE)
    monkeypatch.setattr(publish, "_publishers", publishers)
    assert partner.post("/slots?snapshot=snp_7c1x9d4t6b3n0v8m5r2k", data=b"", content_type=NDJSON).status_code == 404
    for _ in range(publish.PUBLISHED_AT_ONCE):
        assert publishers.acquire(blocking=False), "a refused call keeps no place"
    answer = partner.post("/slots", data=ndjson([line()]), content_type=NDJSON)
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many")
    assert (answer.headers["Retry-After"], held(partner)) == ("2", [])
    publishers.release()
    assert statuses(partner.publish([line()])) == ["created"]
