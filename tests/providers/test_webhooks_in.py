"""Events of the sandbox as the adapter reads them, and signatures that it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from providers.adapters.open_protocol import OpenProtocol
from providers.adapters.open_wire import read_item
from providers.port import BadSignature, Confirmed, Connection, ProviderError
from providers.reported import Event, RemoteSlot
from tests.providers.wishes import cancel, change, reserve
from tests.sandboxes import WEBHOOK_SECRET, Inbox, Received, Sandbox, eventually

OTHER_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtYWx0b2dldGhlci0xMjM="
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BOOKING = {
    "reference": "R1",
    "our_reference": "AX1",
    "slot": "S1",
    "status": "confirmed",
    "version": 3,
    "service_date": "2026-03-05",
    "starts_at": "2026-03-05T08:00:00+08:00",
    "ends_at": None,
    "updated_at": "2026-03-01T11:59:00+00:00",
}

REPORT = {
    "reference": "P1",
    "booking": "R1",
    "our_reference": "AX1",
    "version": 1,
    "status": "final",
    "issued_at": "2026-03-05T12:00:00+08:00",
}


def reader(*secrets: str) -> OpenProtocol:
    return OpenProtocol(Connection("p", "http://127.0.0.1:9", "key", secrets or (WEBHOOK_SECRET,)))


def signed(body: str, at: datetime = NOW, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("msg_1", at, body),
    }


def event(**changes: Any) -> str:
    message = {"type": "booking.confirmed", "timestamp": NOW.isoformat(), "data": {"booking": BOOKING}}
    return json.dumps({**message, **changes}, ensure_ascii=False)


def read_all(sandbox: Sandbox, code: str, received: list[Received]) -> list[Event]:
    adapter = OpenProtocol(sandbox.connection(code))
    return [adapter.read_event(message.headers, message.body, datetime.now(UTC)) for message in received]


def test_a_signed_event_carries_the_whole_booking() -> None:
    read = reader().read_event(signed(event()), event().encode(), NOW)
    assert (read.id, read.kind, read.sent_at) == ("msg_1", "booking.confirmed", NOW)
    assert read.booking is not None and (read.booking.version, read.booking.our_reference) == (3, "AX1")


def test_either_of_two_secrets_will_do_while_one_is_replaced() -> None:
    body = event()
    headers = signed(body, secret=OTHER_SECRET)
    assert reader(WEBHOOK_SECRET, OTHER_SECRET).read_event(headers, body.encode(), NOW).id == "msg_1"
    both = {**headers, "Webhook-Signature": signed(body)["Webhook-Signature"] + " " + headers["Webhook-Signature"]}
    assert reader(OTHER_SECRET).read_event(both, body.encode(), NOW).id == "msg_1"


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)])
def test_a_message_outside_the_tolerance_is_refused(age: timedelta) -> None:
    with pytest.raises(BadSignature):
        reader().read_event(signed(event()), event().encode(), NOW + age)
    assert reader().read_event(signed(event()), event().encode(), NOW + timedelta(minutes=5)).id == "msg_1"


@pytest.mark.parametrize(
    "spoil",
    [
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1,AAAA é"},
        {"Webhook-Signature": "nonsense"},
        {"Webhook-Signature": Webhook(OTHER_SECRET).sign("msg_1", NOW, event())},
        {"Webhook-Signature": Webhook(WEBHOOK_SECRET).sign("msg_1", NOW, event()).replace("v1,", "v2,")},
        {"Webhook-Id": "msg_2"},
        {"Webhook-Id": ""},
        {"Webhook-Timestamp": ""},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": "-1"},
        {"Webhook-Timestamp": "9" * 30},
        {"Webhook-Timestamp": str(int(NOW.timestamp()) + 1)},
    ],
)
def test_a_message_not_signed_by_the_provider_is_refused(spoil: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        reader().read_event({**signed(event()), **spoil}, event().encode(), NOW)


def test_a_changed_body_is_refused_also_one_that_is_no_text() -> None:
    for body in (event().replace("AX1", "AX2").encode(), event().encode() + b"\xff", b""):
        with pytest.raises(BadSignature):
            reader().read_event(signed(event()), body, NOW)


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{}",
        "nonsense",
        "[" * 100_000,
        event().replace('"booking.confirmed"', '"booking.\\udc00"'),
    ],
)
def test_a_signed_message_that_says_not_what_it_is_is_an_error_of_the_provider(body: str) -> None:
    with pytest.raises(ProviderError) as raised:
        reader().read_event(signed(body), body.encode(), NOW)
    assert not isinstance(raised.value, BadSignature)


@pytest.mark.parametrize(
    ("body", "reason", "reference"),
    [
        (event(data=None), "row.object", None),
        (event(data={}), "row.object", None),
        (event(data={"booking": {**BOOKING, "status": "lost"}}), "status.unknown", "R1"),
        (event(data={"booking": {**BOOKING, "version": -1}}), "version.number", "R1"),
        (event(data={"booking": {**BOOKING, "version": "3"}}), "version.number", "R1"),
        (event(data={"booking": {**BOOKING, "starts_at": "2026-03-05T08:00:00"}}), "starts_at.zone", "R1"),
        (event(data={"booking": {**BOOKING, "reference": None}}), "reference.text", None),
        (event(data={"booking": {**BOOKING, "our_reference": "AX\0"}}), "our_reference.characters", "R1"),
        (event(data={"booking": {**BOOKING, "reason": "half"}}).replace("half", "\\ud800"), "reason.characters", "R1"),
        (event(data={"booking": {**BOOKING, "reference": "R\0"}}), "reference.characters", None),
        (event(data={"booking": {**BOOKING, "reference": "R" * 256}}), "reference.length", None),
        (event(data={"booking": {**BOOKING, "reason": "\0"}}), "reason.characters", "R1"),
        (event().replace('"AX1"', '"\\ud800"'), "our_reference.characters", "R1"),
        (event(data={"booking": {**BOOKING, "service_date": "9999-12-31"}}), "service_date.year", "R1"),
        (event(data={"booking": {**BOOKING, "updated_at": "0001-01-01T00:00:00+14:00"}}), "updated_at.year", "R1"),
        (event(data={"booking": {**BOOKING, "starts_at": "9999-12-31T23:59:59-14:00"}}), "starts_at.year", "R1"),
        (event(type="report.issued"), "row.object", None),
        (
            event(type="report.issued", data={"report": {**REPORT, "issued_at": "0001-01-01T00:00:00+14:00"}}),
            "issued_at.year",
            "P1",
        ),
        (event(type="report.issued", data={"report": {**REPORT, "booking": "R" * 256}}), "booking.length", "P1"),
    ],
)
def test_what_a_signed_message_is_about_may_be_unreadable(body: str, reason: str, reference: str | None) -> None:
    told = reader().read_event(signed(body), body.encode(), NOW)
    assert (told.booking, told.report) == (None, None)
    assert told.unreadable is not None
    assert (told.unreadable.reason, told.unreadable.reference) == (reason, reference)


@pytest.mark.parametrize("kind", ["booking.archived", "booking.", "report.withdrawn", "slots.changed", "bookings"])
def test_a_signed_message_of_another_kind_is_about_nothing(kind: str) -> None:
    body = event(type=kind, data={"booking": BOOKING, "report": REPORT})
    told = reader().read_event(signed(body), body.encode(), NOW)
    assert (told.kind, told.booking, told.report, told.unreadable) == (kind, None, None, None)


def test_a_signed_report_is_read() -> None:
    body = event(type="report.issued", data={"report": REPORT})
    read = reader().read_event(signed(body), body.encode(), NOW)
    assert read.report is not None and read.report.booking_reference == "R1"


def test_an_id_too_long_to_be_kept_is_refused() -> None:
    long = "m" * 256
    headers = {
        **signed(event()),
        "Webhook-Id": long,
        "Webhook-Signature": Webhook(WEBHOOK_SECRET).sign(long, NOW, event()),
    }
    with pytest.raises(BadSignature):
        reader().read_event(headers, event().encode(), NOW)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e13", "9" * 400])
def test_a_range_that_is_no_number_is_an_error_of_the_provider(number: str) -> None:
    with pytest.raises(ProviderError):
        read_item(json.loads(f'{{"name": "Glucose", "value": "5", "low": {number}}}'))


def test_an_event_of_an_unknown_kind_is_read_without_booking() -> None:
    body = event(type="weather.changed", data={})
    read = reader().read_event(signed(body), body.encode(), NOW)
    assert (read.kind, read.booking, read.report) == ("weather.changed", None, None)


def test_each_change_is_told_with_a_growing_version(sandbox: Sandbox, slot: RemoteSlot, inbox: Inbox) -> None:
    adapter, wish, control = OpenProtocol(sandbox.connection()), reserve(slot), sandbox.control()
    booked = adapter.reserve(wish)
    assert isinstance(booked, Confirmed)
    for action in ("check_in", "start", "fulfil"):
        control.move(booked.reference, action)
    control_done = eventually(lambda: [event for event in mine(sandbox, inbox, wish.our_reference) if event.report])
    control.move(booked.reference, "report")
    events = eventually(
        lambda: (
            [e for e in mine(sandbox, inbox, wish.our_reference) if e.kind == "report.corrected"]
            and mine(sandbox, inbox, wish.our_reference)
        )
    )
    assert len(control_done) == 1
    assert [event.kind for event in events] == [
        "booking.confirmed",
        "booking.checked_in",
        "booking.in_service",
        "booking.fulfilled",
        "report.issued",
        "report.corrected",
    ]
    assert [event.booking.version for event in events if event.booking] == [1, 2, 3, 4]
    assert [event.report.version for event in events if event.report] == [1, 2]


def mine(sandbox: Sandbox, inbox: Inbox, our_reference: str, code: str = "prompt") -> list[Event]:
    """The events of one booking, in the order of arrival."""
    received = [message for message in list(inbox.received) if our_reference.encode() in message.body]
    return read_all(sandbox, code, received)


def test_changed_cancelled_no_show_and_slots_have_their_events(
    sandbox: Sandbox, slot: RemoteSlot, inbox: Inbox
) -> None:
    adapter, wish, other = OpenProtocol(sandbox.connection()), reserve(slot), reserve(slot)
    booked, second = adapter.reserve(wish), adapter.reserve(other)
    assert isinstance(booked, Confirmed) and isinstance(second, Confirmed)
    later = adapter.slots(slot.service_date + timedelta(days=3), slot.service_date + timedelta(days=9), None, None)
    adapter.change(change(wish, booked.reference, later.slots[-1]))
    adapter.cancel(cancel(wish, booked.reference))
    sandbox.control().move(second.reference, "no_show")
    sandbox.control().set_slot(slot.reference, offered=4)
    eventually(lambda: "slots.changed" in inbox.kinds())
    kinds = [event.kind for event in mine(sandbox, inbox, wish.our_reference)]
    assert kinds == ["booking.confirmed", "booking.changed", "booking.cancelled"]
    assert mine(sandbox, inbox, other.our_reference)[-1].kind == "booking.no_show"


def test_a_message_sent_twice_keeps_its_id(sandbox: Sandbox, slot: RemoteSlot, inbox: Inbox) -> None:
    sandbox.control().fault("webhook_duplicate", "booking.confirmed")
    wish = reserve(slot)
    OpenProtocol(sandbox.connection()).reserve(wish)
    events = eventually(lambda: (found := mine(sandbox, inbox, wish.our_reference)) and len(found) == 2 and found)
    assert events[0] == replace(events[1], sent_at=events[0].sent_at)


def test_messages_arrive_out_of_order_on_demand(sandbox: Sandbox, slot: RemoteSlot, inbox: Inbox) -> None:
    sandbox.control().fault("webhook_reorder", "booking.confirmed")
    adapter, wish = OpenProtocol(sandbox.connection()), reserve(slot)
    booked = adapter.reserve(wish)
    assert isinstance(booked, Confirmed)
    adapter.cancel(cancel(wish, booked.reference))
    events = eventually(lambda: (found := mine(sandbox, inbox, wish.our_reference)) and len(found) == 2 and found)
    assert [event.booking.version for event in events] == [2, 1]


def test_a_dropped_message_is_never_sent_and_a_late_one_waits(sandbox: Sandbox, slot: RemoteSlot, inbox: Inbox) -> None:
    control = sandbox.control()
    control.fault("webhook_drop", "booking.confirmed")
    control.fault("webhook_late", "booking.confirmed", seconds=2)
    adapter = OpenProtocol(sandbox.connection())
    dropped, late, plain = reserve(slot), reserve(slot), reserve(slot)
    for wish in (dropped, late, plain):
        adapter.reserve(wish)
    eventually(lambda: mine(sandbox, inbox, late.our_reference))
    told = [json.loads(message.body)["data"].get("booking", {}).get("our_reference") for message in inbox.received]
    ours = [wish.our_reference for wish in (dropped, late, plain)]
    assert [reference for reference in told if reference in ours] == [plain.our_reference, late.our_reference]


def test_a_refused_message_is_tried_again(sandbox: Sandbox, slot: RemoteSlot, inbox: Inbox) -> None:
    wish = reserve(slot)
    inbox.refuse_only, inbox.refuse = wish.our_reference.encode(), 2
    OpenProtocol(sandbox.connection()).reserve(wish)
    assert len(eventually(lambda: mine(sandbox, inbox, wish.our_reference))) == 1

    def delivered() -> bool:
        sent = [message for message in sandbox.control().webhooks() if wish.our_reference in str(message["body"])]
        return [(message["state"], message["tries"]) for message in sent] == [("delivered", 3)]

    assert eventually(delivered)
