"""The published contract is true: the sandbox answers and the adapter asks as the file says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from openapi_spec_validator import validate

from providers.adapters.open.lines import (
    KINDS,
    LONGEST_NAME,
    MOST_CHARACTERS,
    MOST_CLINICIANS,
    close_body,
    message_body,
    open_body,
)
from providers.adapters.open.numbered import LONGEST_CODE, LONGEST_PICTURE_ID, MOST_LINES
from providers.adapters.open_protocol import MESSAGE_EVENT, OpenProtocol
from providers.adapters.open_wire import cancel_body, change_body, decline_body, reserve_body
from providers.conversing import Picture
from providers.port import Accepted, Confirmed
from providers.reported import RemoteSlot
from tests.providers.open.said import clinician, closing, line, opening, saying
from tests.providers.wishes import PERSON, bookable, cancel, change, decline, reserve
from tests.sandboxes import ROOT, Inbox, Sandbox, eventually

CONTRACT: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "provider-protocol.yaml").read_text(encoding="utf-8"))


def check(name: str, document: Any) -> None:
    """The document suits a schema of the contract."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": CONTRACT["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(document)


class Caller:
    """Calls a path of the contract and validates whatever answer comes."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {key}"}

    def __call__(self, verb: str, path: str, status: int, *, at: str = "", **parts: Any) -> Any:
        headers = {**self._headers, **parts.pop("headers", {})}
        response = requests.request(verb, self._base_url + (at or path), headers=headers, timeout=10, **parts)
        assert response.status_code == status, response.text
        stated = CONTRACT["paths"][path][verb.lower()]["responses"][str(status)]
        if "$ref" in stated:
            stated = CONTRACT["components"]["responses"][stated["$ref"].rsplit("/", 1)[1]]
        for name in stated.get("headers", {}):
            assert name in response.headers
        kind = response.headers["Content-Type"].split(";")[0]
        schema = stated["content"][kind]["schema"]
        if "$ref" in schema:
            check(schema["$ref"].rsplit("/", 1)[1], response.json())
            return response.json()
        return response.content


@pytest.fixture
def call(sandbox: Sandbox) -> Caller:
    """The prompt account."""
    return Caller(sandbox.base_url("prompt"), "key-prompt")


def test_the_contract_is_valid_openapi() -> None:
    validate(CONTRACT)


def test_every_page_answers_as_stated(sandbox: Sandbox, call: Caller, slot: RemoteSlot) -> None:
    days = {"from": "2000-01-01", "to": "2100-01-01"}
    page = call("GET", "/slots", 200, params={**days, "limit": "3"})
    assert len(page["slots"]) == 3 and page["next"]
    call("GET", "/slots", 200, params={**days, "page": page["next"]})
    assert call("GET", "/slots", 400, params={**days, "cursor": "x"})["code"] == "bad_cursor"
    call("GET", "/slots", 422, params={"from": "today", "to": "2100-01-01"})
    call("GET", "/slots", 422, params={**days, "limit": "1001"})
    call("GET", "/bookings", 200, params={"limit": "1"})
    call("GET", "/bookings", 400, params={"cursor": "x"})
    call("GET", "/reports", 200)


def test_commands_answer_as_stated(sandbox: Sandbox, call: Caller, slot: RemoteSlot) -> None:
    wish = reserve(slot)
    key = {"Idempotency-Key": wish.key}
    booking = call("POST", "/bookings", 201, json=reserve_body(wish), headers=key)
    assert call("POST", "/bookings", 201, json=reserve_body(wish), headers=key) == booking
    call("POST", "/bookings", 422, json=reserve_body(replace(wish, offer="X")), headers=key)
    refusal = call("POST", "/bookings", 409, json=reserve_body(replace(wish, offer="X")), headers=_key(wish.key, 1))
    assert refusal["code"] == "closed"
    call("POST", "/bookings", 400, json=reserve_body(wish))
    call("POST", "/bookings", 400, data="nonsense", headers=_key(wish.key, 2))
    call("GET", "/lookup", 200, params={"idempotency_key": wish.key})
    call("GET", "/lookup", 404, params={"our_reference": "nobody"})
    call("GET", "/lookup", 422)
    other = bookable(OpenProtocol(sandbox.connection()), 300)
    moving = change_body(change(wish, booking["reference"], other))
    assert call("POST", "/changes", 200, json=moving, headers=_key(wish.key, 3))["slot"] == other.reference
    call("POST", "/changes", 409, json={**moving, "slot": "none"}, headers=_key(wish.key, 4))
    call("POST", "/changes", 404, json={**moving, "reference": "none"}, headers=_key(wish.key, 5))
    ending = cancel_body(cancel(wish, booking["reference"]))
    assert call("POST", "/cancellations", 200, json=ending, headers=_key(wish.key, 6))["status"] == "cancelled"
    call("POST", "/cancellations", 404, json={**ending, "reference": "none"}, headers=_key(wish.key, 7))


def _key(key: str, number: int) -> dict[str, str]:
    return {"Idempotency-Key": f"{key} {number}"}


def test_accepted_rate_limited_and_unauthorised_answers_are_as_stated(sandbox: Sandbox, slot: RemoteSlot) -> None:
    deliberate, wish = Caller(sandbox.base_url("deliberate"), "key-deliberate"), reserve(slot)
    booking = deliberate("POST", "/bookings", 202, json=reserve_body(wish), headers={"Idempotency-Key": wish.key})
    assert booking["status"] == "requested"
    for fault, status in (("rate_limited", 429), ("unavailable", 503)):
        sandbox.control("deliberate").fault(fault)
        deliberate("GET", "/lookup", status, params={"our_reference": wish.our_reference})
    Caller(sandbox.base_url("deliberate"), "wrong")("GET", "/reports", 401)
    Caller(sandbox.base_url("nobody"), "key-prompt")("GET", "/reports", 401)


def test_proposals_and_their_answers_are_as_stated(
    sandbox: Sandbox, call: Caller, slot: RemoteSlot, inbox: Inbox
) -> None:
    wish = reserve(slot)
    reference = call("POST", "/bookings", 201, json=reserve_body(wish), headers=_key(wish.key, 0))["reference"]
    other = bookable(OpenProtocol(sandbox.connection()), 302)
    check("Booking", sandbox.control().propose(reference, other.reference, reason="设备检修"))
    path, at = "/bookings/{reference}/proposal/decline", f"/bookings/{reference}/proposal/decline"
    body = decline_body(decline(wish, reference, other.reference))
    check("ProposalDecline", body)
    assert call("POST", path, 200, at=at, json=body, headers=_key(wish.key, 8))["proposal"] is None
    call("POST", path, 400, at=at, json=body)
    call("POST", path, 422, at=at, json={**body, "slot": ""}, headers=_key(wish.key, 9))
    call("POST", path, 404, at=at.replace(reference, "none"), json=body, headers=_key(wish.key, 10))

    def told() -> list[Any]:
        messages = [_json(each.body) for each in inbox.received]
        return [each["data"] for each in messages if each["type"] == "booking.time_proposed"]

    eventually(lambda: reference in {each["booking"]["reference"] for each in told()})
    event = next(each for each in told() if each["booking"]["reference"] == reference)
    assert event["booking"]["proposal"]["slot"] == other.reference
    for message in inbox.received:
        check("Event", _json(message.body))


def test_reports_and_events_are_as_stated(sandbox: Sandbox, call: Caller, slot: RemoteSlot, inbox: Inbox) -> None:
    wish = reserve(slot)
    booked = OpenProtocol(sandbox.connection()).reserve(wish)
    assert isinstance(booked, Confirmed)
    sandbox.control().move(booked.reference, "fulfil")
    sandbox.control().set_slot(slot.reference, closed=True)
    eventually(lambda: {"report.issued", "slots.changed"} <= set(inbox.kinds()))
    for message in inbox.received:
        check("Event", _json(message.body))
    at = f"/reports/R{booked.reference}"
    assert len(call("GET", "/reports/{reference}", 200, at=at)["items"]) >= 25
    assert call("GET", "/reports/{reference}/document", 200, at=at + "/document").startswith(b"%PDF-")
    call("GET", "/reports/{reference}", 404, at="/reports/none")


def _json(body: bytes) -> Any:
    return json.loads(body)


def test_the_adapter_asks_as_stated(slot: RemoteSlot) -> None:
    wish = reserve(slot, person=replace(PERSON, phone="13800000000", id_number="11010519491231002X"))
    for name, body in (
        ("Reservation", reserve_body(wish)),
        ("Reservation", reserve_body(reserve(slot))),
        ("Person", reserve_body(wish)["person"]),
        ("Change", change_body(change(wish, "R1", slot))),
        ("Cancellation", cancel_body(cancel(wish, None))),
    ):
        check(name, body)
        assert set(body) <= set(CONTRACT["components"]["schemas"][name]["properties"])


def test_what_is_said_in_consultations_goes_out_as_stated() -> None:
    content = b"\x89PNG"
    picture = Picture(content, "image/png", hashlib.sha256(content).hexdigest())
    for name, body in (
        ("Consultation", open_body(opening())),
        ("Consultation", open_body(opening(answer_seconds=None, answers={}, language="en"))),
        ("CustomerMessage", message_body(saying())),
        ("CustomerMessage", message_body(saying("", picture=picture, flagged=True))),
        ("SentPicture", message_body(saying("", picture=picture))["picture"]),
        ("ConsultationClose", close_body(closing(reason="cancelled"))),
    ):
        check(name, body)
        assert set(body) <= set(CONTRACT["components"]["schemas"][name]["properties"])


def test_what_is_read_of_consultations_is_bounded_as_stated() -> None:
    schemas = CONTRACT["components"]["schemas"]
    told, summary = schemas["Message"]["properties"], schemas["Message"]["properties"]["summary"]["properties"]
    assert {each["maxLength"] for each in (told["text"], summary["summary"], summary["advice"])} == {MOST_CHARACTERS}
    assert schemas["CustomerMessage"]["properties"]["text"]["maxLength"] == MOST_CHARACTERS
    assert told["kind"]["enum"] == list(KINDS)
    assert told["clinician"]["maxLength"] == schemas["Clinician"]["properties"]["code"]["maxLength"] == LONGEST_CODE
    assert told["picture"]["properties"]["id"]["maxLength"] == LONGEST_PICTURE_ID
    assert schemas["MessagePage"]["properties"]["messages"]["maxItems"] == MOST_LINES
    assert schemas["Roster"]["properties"]["clinicians"]["maxItems"] == MOST_CLINICIANS
    names = ("name", "title_zh", "title_en")
    assert {schemas["Clinician"]["properties"][name]["maxLength"] for name in names} == {LONGEST_NAME}
    for each in (line(), line(kind="summary", summary={"summary": "好"})):
        check("Message", each)
    check("Roster", {"clinicians": [clinician()]})
    event = {"type": MESSAGE_EVENT, "timestamp": "2026-03-05T09:00:00Z", "data": {"message": line()}}
    check("Event", event)
    with pytest.raises(ValidationError):
        check("Event", {**event, "data": {}})
    with pytest.raises(ValidationError):
        check("Message", {**line(), "kind": "picture"})


def test_a_moody_provider_is_the_same_for_the_same_seed(sandbox: Sandbox, slot: RemoteSlot) -> None:
    control, adapter = sandbox.control("moody"), OpenProtocol(sandbox.connection("moody"))
    control.settings(dice={"refuse": 0.5}, confirm_after=0.1, seed="seven")
    start = datetime.now(UTC).date() + timedelta(days=20)
    slots = adapter.slots(start, date(2100, 1, 1), None, None).slots[:20]
    wishes = [reserve(each, our_reference=f"MOODY-{number}") for number, each in enumerate(slots)]
    assert all(isinstance(adapter.reserve(wish), Accepted) for wish in wishes)

    def decided() -> list[set[str]] | None:
        found = [{booking["status"] for booking in control.bookings(wish.our_reference)} for wish in wishes]
        return None if any("requested" in statuses for statuses in found) else found

    first = eventually(decided)
    assert 3 <= first.count({"rejected"}) <= 17
    for wish in wishes:
        adapter.reserve(replace(wish, key=wish.key + " again"))
    assert eventually(decided) == first
