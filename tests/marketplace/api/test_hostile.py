"""Whatever is sent, the answer is a problem document that names the field, never a 500."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.marketplace.api.caller import Caller, problem, wanted
from tests.world import World

POSTS = ("/sessions/codes", "/sessions", "/bookings")
VERBS = ("/bookings/{}/confirm", "/bookings/{}/cancel")
BODIES: dict[str, dict[str, Any]] = {
    "/sessions/codes": {"phone": "13800000021"},
    "/sessions": {"phone": "13800000021", "code": "123456"},
}
FIELDS = [
    ("/sessions/codes", "phone"),
    ("/sessions", "phone"),
    ("/sessions", "code"),
    ("/bookings", "offer_id"),
    ("/bookings", "slot_id"),
    ("/bookings", "beneficiary_id"),
    ("/bookings", "entitlement_id"),
]
QUERIES = [
    ("/sites", "city"), ("/sites", "district"), ("/sites", "tier"), ("/sites", "kind"), ("/sites", "q"),
    ("/sites", "cursor"), ("/sites", "limit"), ("/offers", "benefit"), ("/offers", "city"), ("/offers", "site"),
    ("/offers", "q"), ("/offers", "cursor"), ("/offers", "limit"), ("/bookings", "when"), ("/bookings", "cursor"),
    ("/bookings", "limit"), ("/reports", "cursor"), ("/reports", "limit"),
    ("/offers/{offer}/slots", "from"), ("/offers/{offer}/slots", "to"),
]  # fmt: skip

OTHER_TYPES = [1, 1.5, True, [], ["x"], {}, {"a": 1}]

UNSTORABLE = ['"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', "9223372036854775808", "-1e400"]

UNREADABLE = ["%00", "a%00b", "%ff", "%ed%a0%80", "x" * 20_000]

LIMITS = ["0", "-1", "101", "9223372036854775808", "1e2", "1.0", "%2B1", "x", "", "１", "99999999999999999999"]

CURSORS = [
    "",
    "x",
    "e30",
    "WzFd",
    "WyJhIiwiYiIsImMiXQ",
    "bnVsbA",
    "WzkyMjMzNzIwMzY4NTQ3NzU4MDhd",
    "W10",
    "WzEsMiwzLCJhIiwiYiJd",
    "é",
]

NO_DAYS = ["x", "", "2030-02-30", "2030-1-1", "20300101", "2030-W01-1", "1999-12-31", "9999-12-31", "2030-01-01T00:00"]

NO_IDS = ["x", "%00", "a%00", "%ff", "%ed%a0%80", "é", "..", "x" * 5_000, "1%20OR%201", "9223372036854775808", "%2e"]

NO_JSON = [b"", b"{", b"\xff\xfe", b"[" * 50_000, b'{"a":' * 5_000, b"NaN", b'{"phone": Infinity}', b"9" * 5_000]

NO_OBJECTS = [b"[]", b"null", b"1", b'"x"', b"true"]


def send(caller: Caller, path: str, raw: bytes, content_type: str | None = "application/json") -> TestResponse:
    """POST raw bytes."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    return caller.post(path, data=raw, content_type=content_type, headers=headers)


def body_of(world: World, path: str) -> dict[str, Any]:
    """A body that the endpoint would take."""
    return BODIES.get(path) or wanted(world)


@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_no_json_is_refused(caller: Caller, path: str) -> None:
    for raw in NO_JSON:
        problem(send(caller, path, raw), 400, "not_json")


@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_no_object_is_refused(caller: Caller, path: str) -> None:
    for raw in NO_OBJECTS:
        body = problem(send(caller, path, raw), 422, "invalid", "body")
        assert body["errors"][0]["pointer"] == "#"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_content_type_is_refused(caller: Caller, world: World, path: str, content_type: str | None) -> None:
    raw = json.dumps(body_of(world, path)).encode()
    problem(send(caller, path, raw, content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", [*POSTS, *VERBS])
def test_a_megabyte_is_too_large(caller: Caller, path: str) -> None:
    raw = json.dumps({"phone": "x" * 1_000_000}).encode()
    problem(send(caller, path.format("bkg_0"), raw), 413, "too_large")


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_a_value_of_another_type_is_named(caller: Caller, world: World, path: str, field: str) -> None:
    for value in OTHER_TYPES:
        raw = json.dumps({**body_of(world, path), field: value}).encode()
        body = problem(send(caller, path, raw), 422, "invalid", field)
        assert body["errors"][0]["pointer"] == f"#/{field}"


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_what_cannot_be_stored_is_named(caller: Caller, world: World, path: str, field: str) -> None:
    for value in UNSTORABLE:
        raw = json.dumps({**body_of(world, path), field: "HERE"}).replace('"HERE"', value).encode()
        problem(send(caller, path, raw), 422, "invalid", field)


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_a_text_that_is_too_long_is_named(caller: Caller, world: World, path: str, field: str) -> None:
    raw = json.dumps({**body_of(world, path), field: "x" * 100_000}).encode()
    problem(send(caller, path, raw), 422, "invalid", field)


@pytest.mark.parametrize(("path", "field"), [one for one in FIELDS if one[1] != "entitlement_id"])
@pytest.mark.parametrize("missing", [True, False])
def test_a_field_that_is_needed_is_named(caller: Caller, world: World, path: str, field: str, missing: bool) -> None:
    body = {**body_of(world, path), field: None}
    if missing:
        del body[field]
    problem(send(caller, path, json.dumps(body).encode()), 422, "invalid", field)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("name", ["surplus", "名", "__proto__", "x" * 5_000])
def test_a_field_that_does_not_exist_is_named(caller: Caller, world: World, path: str, name: str) -> None:
    raw = json.dumps({**body_of(world, path), name: 1}).encode()
    problem(send(caller, path, raw), 422, "invalid", name[:64])


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_a_field_that_is_given_twice_is_named(caller: Caller, world: World, path: str, field: str) -> None:
    raw = json.dumps({**body_of(world, path), field: "x"})
    problem(send(caller, path, f'{{"{field}": "y", {raw[1:]}'.encode()), 422, "invalid", field)


@pytest.mark.parametrize("value", [1, "x", [], True, None])
def test_details_that_are_no_object_are_named(caller: Caller, world: World, value: Any) -> None:
    problem(send(caller, "/bookings", json.dumps(wanted(world, details=value)).encode()), 422, "invalid", "details")


@pytest.mark.parametrize(
    "details",
    [
        '{"note": 5}', '{"note": "\\u0000"}', '{"note": "\\ud800"}', '{"wheelchair": 9223372036854775808}',
        '{"note": {"a": {"b": [1]}}}', '{"\\u0000": 1}', '{"note": null}', '{"other": 1}',
    ],
)  # fmt: skip
def test_details_are_judged_by_their_benefit(caller: Caller, world: World, details: str) -> None:
    rest = {name: held for name, held in wanted(world).items() if name != "details"}
    answer = send(caller, "/bookings", f'{{"details": {details}, {json.dumps(rest)[1:]}'.encode())
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), answer.text
    assert answer.get_json()["field"].startswith("details")


@pytest.mark.parametrize(("path", "name"), QUERIES)
def test_a_query_that_cannot_be_read_is_named(caller: Caller, world: World, path: str, name: str) -> None:
    for value in UNREADABLE:
        path = path.format(offer=world.offer.public_id)
        problem(caller.get(f"{path}?{name}={value}"), 422, "invalid", name)


@pytest.mark.parametrize(("path", "name"), QUERIES)
def test_a_query_that_is_given_twice_or_does_not_exist_is_named(
    caller: Caller, world: World, path: str, name: str
) -> None:
    path = path.format(offer=world.offer.public_id)
    problem(caller.get(f"{path}?{name}=1&{name}=2"), 422, "invalid", name)
    problem(caller.get(f"{path}?surplus=1"), 422, "invalid", "surplus")


@pytest.mark.parametrize("path", ["/sites", "/offers", "/bookings", "/reports"])
def test_a_limit_out_of_range_is_named(caller: Caller, path: str) -> None:
    for value in LIMITS:
        problem(caller.get(f"{path}?limit={value}"), 422, "invalid", "limit")


@pytest.mark.parametrize("path", ["/sites", "/offers", "/bookings", "/bookings?when=upcoming", "/reports"])
def test_a_forged_cursor_is_refused_or_leads_nowhere(caller: Caller, path: str) -> None:
    for cursor in CURSORS:
        answer = caller.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
        if answer.status_code != 200:
            problem(answer, 422, "invalid", "cursor")


@pytest.mark.parametrize("name", ["from", "to"])
def test_a_day_that_is_none_is_named(caller: Caller, world: World, name: str) -> None:
    for day in NO_DAYS:
        problem(caller.get(f"/offers/{world.offer.public_id}/slots?{name}={day}"), 422, "invalid", name)


@pytest.mark.parametrize("days", ["from=2030-01-02&to=2030-01-01", "from=2030-01-01&to=2031-01-01", "to=2001-01-01"])
def test_an_empty_or_endless_range_is_refused(caller: Caller, world: World, days: str) -> None:
    problem(caller.get(f"/offers/{world.offer.public_id}/slots?{days}"), 422, "invalid", "to")


def test_the_last_days_of_the_century_are_only_empty(caller: Caller, world: World) -> None:
    assert caller.get(f"/offers/{world.offer.public_id}/slots?from=2099-12-31").get_json()["items"] == []


@pytest.mark.parametrize(
    "path",
    ["/bookings/{}", "/reports/{}", "/reports/{}/document", "/offers/{}/slots", "/problems/{}"],
)
def test_an_id_that_names_nothing_is_not_there(caller: Caller, path: str) -> None:
    for name in NO_IDS:
        answer = caller.get(path.format(name))
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found"), answer.text


@pytest.mark.parametrize("verb", ["confirm", "cancel"])
@pytest.mark.parametrize("name", ["x", "%00", "%ff", "bkg_00000000000000000000"])
def test_a_verb_on_nothing_is_not_there(caller: Caller, verb: str, name: str) -> None:
    answer = caller.post(f"/bookings/{name}/{verb}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found"), answer.text


@pytest.mark.parametrize("verb", ["confirm", "cancel"])
def test_a_verb_takes_no_body(caller: Caller, world: World, verb: str) -> None:
    path = f"/bookings/{world.hold()}/{verb}"
    problem(send(caller, path, b"{"), 400, "not_json")
    problem(send(caller, path, b"{}", "text/plain"), 415, "unsupported_media_type")
    problem(send(caller, path, b'{"force": true}'), 422, "invalid", "force")
    problem(send(caller, path, b"[]"), 422, "invalid", "body")
    assert send(caller, path, b"{}").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "DELETE"])
def test_a_method_that_is_not_offered_says_which_are(caller: Caller, method: str) -> None:
    answer = caller.call(method, "/bookings")
    problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/nothing", "/bookings/", "/bookings/a/b/c", "/me/../me"])
def test_a_path_that_does_not_exist_is_not_there(caller: Caller, path: str) -> None:
    assert caller.get(path).get_json()["code"] == "not_found"


def test_a_body_of_nothing_but_faults_has_a_short_answer(anybody: Caller) -> None:
    body = {**BODIES["/sessions"], **{f"x{number}": 1 for number in range(1000)}}
    answer = anybody.post("/sessions", body)
    assert (answer.status_code, len(answer.json["errors"])) == (422, 100)
