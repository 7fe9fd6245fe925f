"""Endpoints of webhooks over HTTP: added, rotated, paused, deleted; their log, and sending once more."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, text
from standardwebhooks.webhooks import Webhook
from werkzeug.test import TestResponse

from booking.webhooks.deliveries import KEPT, forget_deliveries
from booking.webhooks.make import make_deliveries
from marketplace.clients.owners import SCOPES
from marketplace.core.crypto import unseal_master
from marketplace.core.database.db import transaction
from tests.booking.webhooks.hooks import real_now, rows, send_all
from tests.booking.webhooks.receiver import Receiver, listening
from tests.people import NOON
from tests.providers.partner_api.partner import Partner, partner_of
from tests.world import World, make_world

URL = "https://hooks.example/anxiang"
TYPES = ["booking.requested"]


@pytest.fixture
def world(db: Engine) -> World:
    """Somebody who may book."""
    return make_world(quantity=5)


@pytest.fixture
def partner(app: Flask, world: World) -> Partner:
    """The provider's program."""
    return partner_of(app, world.provider)


def post(partner: Partner, path: str, body: Any = None, *, key: str | None = None) -> TestResponse:
    sent = {} if body is None else {"json": body}
    return partner.post(path, headers={"Idempotency-Key": key or str(uuid.uuid4())}, **sent)


def added(partner: Partner, url: str = URL, types: list[str] = TYPES) -> dict[str, Any]:
    answer = post(partner, "/webhook-endpoints", {"url": url, "event_types": types})
    assert answer.status_code == 201, answer.text
    endpoint: dict[str, Any] = answer.get_json()
    return endpoint


def test_the_secret_is_shown_once_and_stored_sealed(partner: Partner, db: Engine) -> None:
    made = added(partner)
    assert made["secret"].startswith("whsec_")
    shown = partner.get(f"/webhook-endpoints/{made['id']}").get_json()
    assert "secret" not in shown
    assert (shown["url"], shown["event_types"], shown["state"], shown["reason"]) == (URL, TYPES, "active", "")
    assert partner.get("/webhook-endpoints").get_json() == {"items": [shown]}
    with db.connect() as connection:
        sealed = connection.execute(text("SELECT sealed FROM webhook_secret")).scalar_one()
    assert made["secret"].encode() not in bytes(sealed)
    assert unseal_master(bytes(sealed), f"webhook:{made['id']}:secret") == made["secret"]


def test_the_same_request_again_adds_nothing_and_says_the_same(partner: Partner) -> None:
    body = {"url": URL, "event_types": TYPES}
    first, again = (post(partner, "/webhook-endpoints", body, key="k1") for _ in range(2))
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert len(partner.get("/webhook-endpoints").get_json()["items"]) == 1
    other = post(partner, "/webhook-endpoints", {**body, "url": URL + "/2"}, key="k1")
    assert other.get_json()["code"] == "idempotency_key_reused"
    secrets = [post(partner, f"/webhook-endpoints/{first.get_json()['id']}/secrets", key="k2") for _ in range(2)]
    assert secrets[0].get_json() == secrets[1].get_json()


def test_another_client_is_not_told_a_secret_by_the_same_key(app: Flask, world: World, partner: Partner) -> None:
    body = {"url": URL, "event_types": TYPES}
    first = post(partner, "/webhook-endpoints", body, key="k1").get_json()
    other = partner_of(app, world.provider)
    again = post(other, "/webhook-endpoints", body, key="k1")
    assert first["secret"] not in again.text and again.get_json().get("id") != first["id"]
    second = post(partner, f"/webhook-endpoints/{first['id']}/secrets", key="k2").get_json()["secret"]
    assert second not in post(other, f"/webhook-endpoints/{first['id']}/secrets", key="k2").text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "https://10.0.0.1/", "event_types": TYPES}, "url"),
        ({"url": "http://hooks.example@10.0.0.1/", "event_types": TYPES}, "url"),
        ({"url": "https://2130706433/", "event_types": TYPES}, "url"),
        ({"url": "https://[::ffff:169.254.169.254]/", "event_types": TYPES}, "url"),
        ({"url": URL, "event_types": []}, "event_types"),
        ({"url": URL, "event_types": ["booking.eaten"]}, "event_types.0"),
        ({"url": URL}, "event_types"),
        ({"url": URL, "event_types": TYPES, "secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(partner: Partner, body: dict[str, Any], field: str) -> None:
    answer = post(partner, "/webhook-endpoints", body)
    assert (answer.status_code, answer.get_json()["field"]) == (422, field)
    assert partner.get("/webhook-endpoints").get_json() == {"items": []}


def test_an_existing_endpoint_is_not_led_into_our_network_either(partner: Partner) -> None:
    made = added(partner)
    body = {"url": "https://169.254.169.254/", "event_types": TYPES, "state": "active"}
    answer = partner.send("PUT", f"/webhook-endpoints/{made['id']}", json=body)
    assert (answer.status_code, answer.get_json()["field"]) == (422, "url")
    assert partner.get(f"/webhook-endpoints/{made['id']}").get_json()["url"] == URL


def test_secrets_are_two_at_most_and_one_at_least(partner: Partner, db: Engine) -> None:
    made = added(partner)
    path = f"/webhook-endpoints/{made['id']}/secrets"
    second = post(partner, path).get_json()
    assert second["secret"] != made["secret"] and len(second["secrets"]) == 2
    assert post(partner, path).get_json()["code"] == "two_secrets"
    first = made["secrets"][0]["id"]
    assert [partner.send("DELETE", f"{path}/{first}").status_code for _ in range(2)] == [204, 204]
    last = partner.get(f"/webhook-endpoints/{made['id']}").get_json()["secrets"]
    refused = partner.send("DELETE", f"{path}/{last[0]['id']}")
    assert (refused.status_code, refused.get_json()["code"], len(last)) == (409, "last_secret", 1)
    assert partner.send("DELETE", f"{path}/whs_00000000000000000000").status_code == 404
    with db.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM webhook_secret WHERE sealed IS NULL")).scalar_one() == 1


def test_an_endpoint_is_paused_resumed_and_deleted(partner: Partner) -> None:
    made = added(partner)
    path = f"/webhook-endpoints/{made['id']}"
    wanted = {"url": URL + "/2", "event_types": ["booking.confirmed"], "state": "paused"}
    paused = partner.send("PUT", path, json=wanted).get_json()
    assert {name: paused[name] for name in wanted} == wanted and paused["reason"] == "asked"
    assert partner.send("PUT", path, json={**wanted, "state": "active"}).get_json()["reason"] == ""
    assert partner.send("DELETE", path).status_code == 204
    assert [partner.send(method, path).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert partner.get("/webhook-endpoints").get_json() == {"items": []}


def test_there_are_ten_endpoints_at_most(partner: Partner) -> None:
    for _ in range(10):
        last = added(partner)
    refused = post(partner, "/webhook-endpoints", {"url": URL, "event_types": TYPES})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "too_many_endpoints")
    partner.send("DELETE", f"/webhook-endpoints/{last['id']}")
    added(partner)


def test_another_providers_endpoint_is_not_there(app: Flask, partner: Partner) -> None:
    made = added(partner)
    stranger = partner_of(app, make_world(phone="13800000078").provider)
    path = f"/webhook-endpoints/{made['id']}"
    body = {"url": URL, "event_types": TYPES, "state": "paused"}
    span = {"since": "2026-03-02T00:00:00Z", "until": "2026-03-03T00:00:00Z"}
    answers = [
        stranger.get(path),
        stranger.send("PUT", path, json=body),
        stranger.send("DELETE", path),
        post(stranger, f"{path}/test"),
        post(stranger, f"{path}/secrets"),
        stranger.send("DELETE", f"{path}/secrets/{made['secrets'][0]['id']}"),
        stranger.get(f"{path}/deliveries"),
        post(stranger, f"{path}/deliveries/whd_00000000000000000000/replay"),
        post(stranger, f"{path}/replay", span),
    ]
    assert [answer.status_code for answer in answers] == [404] * 9
    missing = stranger.get("/webhook-endpoints/whe_00000000000000000000").get_json()
    assert {**answers[0].get_json(), "instance": ""} == {**missing, "instance": ""}
    assert stranger.get("/webhook-endpoints").get_json() == {"items": []}
    assert partner.get(path).get_json()["state"] == "active"


ENDPOINT = "/webhook-endpoints/whe_00000000000000000000"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/webhook-endpoints"),
        ("GET", "/webhook-endpoints"),
        ("GET", ENDPOINT),
        ("PUT", ENDPOINT),
        ("DELETE", ENDPOINT),
        ("POST", f"{ENDPOINT}/test"),
        ("POST", f"{ENDPOINT}/secrets"),
        ("DELETE", f"{ENDPOINT}/secrets/whs_00000000000000000000"),
        ("GET", f"{ENDPOINT}/deliveries"),
        ("POST", f"{ENDPOINT}/deliveries/whd_00000000000000000000/replay"),
        ("POST", f"{ENDPOINT}/replay"),
        ("GET", "/contacts"),
        ("PUT", "/contacts"),
    ],
)
def test_every_route_needs_its_scope(app: Flask, world: World, method: str, path: str) -> None:
    without = partner_of(app, world.provider, *(set(SCOPES) - {"webhooks"}))
    answer = without.send(method, path, data=b"not json")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "insufficient_scope")
    assert answer.get_json()["facts"] == {"scope": "webhooks"}


def delivered(partner: Partner, world: World, receiver: Receiver, status: int = 200) -> str:
    """An endpoint that was sent two bookings; its path."""
    made = added(partner, receiver.url)
    world.submit(0)
    world.submit(1)
    receiver.says(status, body=b"thank you")
    make_deliveries(now=NOON)
    send_all()
    return f"/webhook-endpoints/{made['id']}"


def test_the_log_says_what_was_sent_and_answered(partner: Partner, world: World) -> None:
    with listening() as receiver:
        path = delivered(partner, world, receiver)
        page = partner.get(f"{path}/deliveries?limit=1").get_json()
        [newest] = page["items"]
        assert (newest["state"], newest["status"], newest["answer"], newest["tries"]) == ("done", 200, "thank you", 1)
        assert newest["next_try"] is None and newest["milliseconds"] >= 0
        assert newest["body_sha256"] == rows()[-1].body_hash.hex()  # type: ignore[union-attr]
        assert newest["event_id"] in {it.id for it in receiver.received}
        assert newest["url"] == receiver.url
        [older] = partner.get(f"{path}/deliveries?limit=1&cursor={page['next']}").get_json()["items"]
        assert older["id"] != newest["id"]
        assert partner.get(f"{path}/deliveries?state=failed").get_json()["items"] == []


def test_a_message_says_of_an_event_what_the_feed_says(partner: Partner, world: World) -> None:
    with listening() as receiver:
        delivered(partner, world, receiver)
        told = {it.id: it.content["data"] for it in receiver.received}
        items = partner.get("/events").get_json()["items"]
        assert told == {it["id"]: it for it in items if it["kind"] in TYPES} and len(told) == 2


def test_the_log_says_when_the_next_try_is(partner: Partner, world: World) -> None:
    with listening() as receiver:
        path = delivered(partner, world, receiver, 500)
        [newest, _] = partner.get(f"{path}/deliveries").get_json()["items"]
        assert (newest["state"], newest["status"], newest["tries"]) == ("queued", 500, 1)
        assert newest["next_try"] > "2026-03-02T04:00:04"


def test_one_delivery_is_sent_once_more_under_its_id(partner: Partner, world: World) -> None:
    with listening() as receiver:
        path = delivered(partner, world, receiver)
        delivery = partner.get(f"{path}/deliveries").get_json()["items"][0]
        replay = f"{path}/deliveries/{delivery['id']}/replay"
        assert [post(partner, replay, key="k").status_code for _ in range(2)] == [204, 204]
        assert send_all() == ["done"]
        assert [it.id for it in receiver.received].count(delivery["event_id"]) == 2
        post(partner, replay, key="k")
        assert send_all() == [], "the same key sends nothing more"
        assert post(partner, f"{path}/deliveries/whd_00000000000000000000/replay").status_code == 404


def test_all_of_a_time_is_sent_once_more(partner: Partner, world: World) -> None:
    with listening() as receiver:
        path = delivered(partner, world, receiver)
        before = {"since": "2026-03-01T04:00:00Z", "until": "2026-03-02T04:00:00Z"}
        assert post(partner, f"{path}/replay", before).status_code == 204
        assert send_all() == []
        span = {"since": "2026-03-02T04:00:00Z", "until": "2026-03-02T04:00:01Z"}
        assert post(partner, f"{path}/replay", span).status_code == 204
        assert send_all() == ["done", "done"]
        ends = (span["since"], "2026-13-02T04:00:00Z", "2026-03-03T04:00:01Z")
        for wrong in ({**span, "until": end} for end in ends):
            assert post(partner, f"{path}/replay", wrong).get_json()["field"] == "until"


def test_a_test_is_sent_once_and_stands_in_the_log(partner: Partner) -> None:
    with listening() as receiver:
        made = added(partner, receiver.url)
        path = f"/webhook-endpoints/{made['id']}"
        asked = post(partner, f"{path}/test", key="t1")
        queued = asked.get_json()
        assert (asked.status_code, queued["event_type"], queued["state"]) == (202, "webhook.test", "queued")
        assert post(partner, f"{path}/test", key="t1").get_json() == queued, "the same request again"
        waiting = post(partner, f"{path}/test")
        assert (waiting.status_code, waiting.get_json()["code"]) == (409, "test_waiting")
        assert send_all(real_now()) == ["done"]
        [came] = receiver.received
        content = Webhook(made["secret"]).verify(came.body, came.headers)
        assert (content["type"], content["data"]) == ("webhook.test", {"id": came.id, "kind": "webhook.test"})
        [logged] = partner.get(f"{path}/deliveries").get_json()["items"]
        assert (logged["state"], logged["status"], logged["booking_id"], logged["version"]) == ("done", 200, None, None)
        assert post(partner, f"{path}/test").status_code == 202


@pytest.mark.parametrize("status", [500, 410])
def test_a_test_that_fails_is_tried_once_and_changes_nothing_of_the_endpoint(partner: Partner, status: int) -> None:
    with listening() as receiver:
        path = f"/webhook-endpoints/{added(partner, receiver.url)['id']}"
        receiver.says(status)
        post(partner, f"{path}/test")
        assert send_all() == ["failed"]
        shown = partner.get(path).get_json()
        assert (shown["state"], shown["failing_since"]) == ("active", None)


def test_a_paused_endpoint_gets_tests_and_nothing_else_and_an_ended_one_none(partner: Partner, world: World) -> None:
    with listening() as receiver:
        made = added(partner, receiver.url)
        path = f"/webhook-endpoints/{made['id']}"
        world.submit()
        make_deliveries(now=NOON)
        partner.send("PUT", path, json={"url": receiver.url, "event_types": TYPES, "state": "paused"})
        post(partner, f"{path}/test")
        [waiting] = [it for it in partner.get(f"{path}/deliveries").get_json()["items"] if it["next_try"]]
        assert waiting["event_type"] == "webhook.test"
        assert send_all() == ["done"]
        assert [it.content["type"] for it in receiver.received] == ["webhook.test"]
        with transaction() as session:
            session.execute(text("UPDATE webhook_endpoint SET state = 'ended', reason = 'gone'"))
        refused = post(partner, f"{path}/test")
        assert (refused.status_code, refused.get_json()["code"]) == (409, "endpoint_ended")


def test_a_replayed_span_has_no_tests_in_it(partner: Partner) -> None:
    with listening() as receiver:
        path = f"/webhook-endpoints/{added(partner, receiver.url)['id']}"
        post(partner, f"{path}/test")
        assert send_all() == ["done"]
        span = {"since": "2026-03-02T00:00:00Z", "until": "2026-03-02T23:00:00Z"}
        assert post(partner, f"{path}/replay", span).status_code == 204
        assert send_all() == []


def test_contacts_are_said_and_shown(app: Flask, partner: Partner, world: World) -> None:
    items = [{"email": "it@hospital.example", "language": "en"}, {"email": "desk@hospital.example", "language": "zh"}]
    assert partner.get("/contacts").get_json() == {"items": []}
    assert partner.send("PUT", "/contacts", json={"items": [items[0], {"email": items[1]["email"]}]}).get_json() == {
        "items": items
    }
    assert partner.get("/contacts").get_json() == {"items": items}
    assert partner_of(app, make_world(phone="13800000066").provider).get("/contacts").get_json() == {"items": []}
    for wrong in ([{"email": "none"}], [{"email": "a@b.example", "language": "fr"}], [items[0]] * 6, "x"):
        answer = partner.send("PUT", "/contacts", json={"items": wrong})
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid"), wrong
    assert partner_of(app, world.provider, "slots").get("/contacts").status_code == 403


def test_the_log_is_kept_for_thirty_days(partner: Partner, world: World) -> None:
    with listening() as receiver:
        path = delivered(partner, world, receiver)
        assert forget_deliveries(now=NOON + KEPT) == 0
        assert forget_deliveries(now=NOON + KEPT + timedelta(seconds=1)) == 2
        assert partner.get(f"{path}/deliveries").get_json()["items"] == []


def test_refusals_speak_the_callers_language(app: Flask, world: World) -> None:
    chinese = partner_of(app, world.provider, language="zh")
    answer = post(chinese, "/webhook-endpoints", {"url": "https://10.0.0.1/", "event_types": TYPES})
    assert "公网" in str(answer.get_json())
