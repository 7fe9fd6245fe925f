"""The published contract is true: the sandbox answers and the adapter asks as the file says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from openapi_spec_validator import validate

from providers.adapters.fields import BadField
from providers.adapters.open import deeds
from providers.adapters.open.deeds import read_deed
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
from providers.adapters.open_protocol import ESCORT_EVENT, MESSAGE_EVENT, OpenProtocol
from providers.adapters.open_wire import cancel_body, change_body, decline_body, reserve_body
from providers.conversing import Picture
from providers.port import Accepted, Confirmed
from providers.reported import RemoteSlot
from tests.providers.escorts.sending import booked, sending
from tests.providers.open.done import deed
from tests.providers.open.said import clinician, closing, line, opening, saying
from tests.providers.wishes import PERSON, bookable, cancel, change, decline, reserve
from tests.sandboxes import ROOT, Inbox, Sandbox, eventually, open_inbox, start_sandbox

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


@pytest.fixture
def escorting(tmp_path: Path) -> Iterator[Sandbox]:
    """A server of its own, whose account sends escorts when it is told to."""
    sandbox = start_sandbox(tmp_path, [sending("idle", assign_after=None)])
    yield sandbox
    sandbox.kill()


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


def test_what_is_read_of_escorts_is_bounded_as_stated() -> None:
    schemas = CONTRACT["components"]["schemas"]
    line, worker = schemas["EscortLine"]["properties"], schemas["EscortWorker"]["properties"]
    assert line["kind"]["enum"] == list(deeds.KINDS) and line["position"]["enum"] == list(deeds.POSITIONS)
    assert (line["cause"]["enum"], worker["sex"]["enum"]) == (list(deeds.CAUSES), list(deeds.SEXES))
    patterns = (
        line["safe_word"]["pattern"],
        line["code"]["pattern"],
        line["cost"]["properties"]["currency"]["pattern"],
    )
    assert patterns == (deeds.SAFE_WORD, deeds.CODE, deeds.CURRENCY)
    assert line["escort"]["maxLength"] == worker["code"]["maxLength"] == LONGEST_CODE
    assert line["picture"]["properties"]["id"]["maxLength"] == LONGEST_PICTURE_ID
    assert (line["words"]["maxLength"], line["cost"]["properties"]["purpose"]["maxLength"]) == (
        deeds.MOST_CHARACTERS,
        deeds.MOST_CHARACTERS_FOR,
    )
    assert line["cost"]["properties"]["amount"]["maximum"] == deeds.LARGEST_SUM
    assert (worker["name"]["maxLength"], worker["staff_number"]["maxLength"]) == (
        deeds.LONGEST_NAME,
        deeds.LONGEST_STAFF_NUMBER,
    )
    assert worker["qualification_zh"]["maxLength"] == worker["qualification_en"]["maxLength"]
    assert worker["qualification_zh"]["maxLength"] == deeds.LONGEST_QUALIFICATION
    assert schemas["EscortPage"]["properties"]["lines"]["maxItems"] == MOST_LINES


@pytest.mark.parametrize("kind", deeds.KINDS)
def test_a_line_is_read_where_it_is_as_stated_and_not_otherwise(kind: str) -> None:
    check("EscortLine", deed(1, kind))
    assert read_deed(deed(1, kind)).kind == kind
    needed = set(deed(1, kind)) - {"staff_number"}
    for name in needed:
        without = {key: value for key, value in deed(1, kind).items() if key != name}
        with pytest.raises(ValidationError):
            check("EscortLine", without)
        with pytest.raises(BadField):
            read_deed(without)


def test_the_examples_of_lines_are_lines() -> None:
    examples = CONTRACT["components"]["schemas"]["EscortLine"]["examples"]
    assert {"assigned", "met", "cost"} <= {each["kind"] for each in examples}
    for each in examples:
        check("EscortLine", each)
        read_deed(each)


def test_escorts_answer_and_tell_as_stated(escorting: Sandbox) -> None:
    call = Caller(escorting.base_url("idle"), "key-idle")
    with open_inbox() as inbox:
        escorting.control("idle").settings(webhook_url=inbox.url)
        sent = booked(escorting, "idle")
        for kind in deeds.KINDS:
            if kind != "released":
                sent.control.deed(sent.reference, kind)
        sent.control.deed(sent.reference, "released", cause="ill")
        at = f"/escorts/{sent.reference}"
        page = call("GET", "/escorts/{reference}/lines", 200, at=f"{at}/lines")
        assert [each["kind"] for each in page["lines"]] == [
            *(each for each in deeds.KINDS if each != "released"),
            "released",
        ]
        some = call("GET", "/escorts/{reference}/lines", 200, at=f"{at}/lines", params={"after": "2", "limit": "3"})
        assert ([each["seq"] for each in some["lines"]], some["next"]) == ([3, 4, 5], 5)
        call("GET", "/escorts/{reference}/lines", 404, at="/escorts/none/lines")
        call("GET", "/escorts/{reference}/lines", 422, at=f"{at}/lines", params={"limit": "201"})
        name = next(each["picture"]["id"] for each in page["lines"] if each["kind"] == "paper")
        path = "/escorts/{reference}/pictures/{id}"
        assert call("GET", path, 200, at=f"{at}/pictures/{name}").startswith(b"\xff\xd8\xff")
        call("GET", path, 404, at=f"{at}/pictures/none")
        for fault, status in (("rate_limited", 429), ("unavailable", 503)):
            sent.control.fault(fault, "lines")
            call("GET", "/escorts/{reference}/lines", status, at=f"{at}/lines")
        Caller(escorting.base_url("idle"), "wrong")("GET", "/escorts/{reference}/lines", 401, at=f"{at}/lines")
        eventually(lambda: inbox.kinds().count("escort.line") == len(page["lines"]))
        for message in inbox.received:
            check("Event", _json(message.body))


def test_an_event_of_an_escort_has_its_line() -> None:
    event = {"type": ESCORT_EVENT, "timestamp": "2026-03-05T09:00:00Z", "data": {"line": deed()}}
    check("Event", event)
    with pytest.raises(ValidationError):
        check("Event", {**event, "data": {}})


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
