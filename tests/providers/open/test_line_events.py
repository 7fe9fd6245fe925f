"""An event brings a line early: the same line as in the list, signed, or what cannot be read of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from providers.port import BadSignature
from providers.reported import Event
from tests.providers.open.answering import WEBHOOK_SECRET, Hospital
from tests.providers.open.said import THEIRS, line

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


def told(hospital: Hospital, data: Any, *, secret: str = WEBHOOK_SECRET) -> Event:
    """What an event with this data is read as."""
    message = {"type": "consultation.message", "timestamp": "2026-03-05T09:00:00Z", "data": data}
    body = json.dumps(message)
    signed = Webhook(secret).sign("evt_1", NOW, body)
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signed}
    return hospital.adapter().read_event(headers, body.encode(), NOW)


def test_an_event_brings_the_line_of_the_list(hospital: Hospital) -> None:
    event = told(hospital, {"message": line(3)})
    hospital.says(200, {"messages": [line(3)], "next": None})
    assert [event.message] == list(hospital.adapter().said_after(THEIRS, 2).messages)
    assert (event.id, event.kind, event.unreadable) == ("evt_1", "consultation.message", None)


@pytest.mark.parametrize(
    ("data", "reason", "number"),
    [
        ({"message": line(3, text="")}, "text.text", 3),
        ({"message": line(0)}, "seq.number", None),
        ({"message": None}, "row.object", None),
        ({}, "row.object", None),
        (None, "row.object", None),
    ],
)
def test_an_event_that_breaks_the_contract_says_what_is_wrong(
    hospital: Hospital, data: Any, reason: str, number: int | None
) -> None:
    event = told(hospital, data)
    assert event.message is None and event.unreadable is not None
    assert (event.unreadable.reason, event.unreadable.seq) == (reason, number)


def test_nobody_elses_event_is_read(hospital: Hospital) -> None:
    with pytest.raises(BadSignature):
        told(hospital, {"message": line(3)}, secret="whsec_c29tZWJvZHktZWxzZS1lbnRpcmVseS0xMjM0NTY3ODkw")


def test_a_line_in_an_event_of_another_kind_is_not_read(hospital: Hospital) -> None:
    body = json.dumps({"type": "consultation.typing", "data": {"message": line(3)}})
    signed = Webhook(WEBHOOK_SECRET).sign("evt_2", NOW, body)
    headers = {"webhook-id": "evt_2", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signed}
    event = hospital.adapter().read_event(headers, body.encode(), NOW)
    assert event.message is None and event.unreadable is None
