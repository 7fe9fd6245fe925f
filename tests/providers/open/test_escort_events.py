"""An event brings a line of an escort early: the same line as in the list, signed, or what cannot be read of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from providers.port import BadSignature
from providers.reported import Event
from tests.providers.open.answering import WEBHOOK_SECRET, Hospital
from tests.providers.open.done import deed
from tests.providers.open.said import THEIRS

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


def told(hospital: Hospital, data: Any, *, kind: str = "escort.line", secret: str = WEBHOOK_SECRET) -> Event:
    """What an event with this data is read as."""
    body = json.dumps({"type": kind, "timestamp": "2026-03-05T09:00:00Z", "data": data})
    signed = Webhook(secret).sign("evt_1", NOW, body)
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signed}
    return hospital.adapter().read_event(headers, body.encode(), NOW)


@pytest.mark.parametrize("kind", ["assigned", "met", "cost"])
def test_an_event_brings_the_line_of_the_list(hospital: Hospital, kind: str) -> None:
    event = told(hospital, {"line": deed(3, kind)})
    hospital.says(200, {"lines": [deed(3, kind)], "next": None})
    assert [event.escort] == list(hospital.adapter().escort_lines_after(THEIRS, 2).lines)
    assert (event.id, event.kind, event.unreadable, event.message) == ("evt_1", "escort.line", None, None)


@pytest.mark.parametrize(
    ("data", "reason", "number"),
    [
        ({"line": deed(3, "note", words="")}, "words.text", 3),
        ({"line": deed(0)}, "seq.number", None),
        ({"line": None}, "row.object", None),
        ({"message": deed(3)}, "row.object", None),
        (None, "row.object", None),
    ],
)
def test_an_event_that_breaks_the_contract_says_what_is_wrong(
    hospital: Hospital, data: Any, reason: str, number: int | None
) -> None:
    event = told(hospital, data)
    assert event.escort is None and event.unreadable is not None
    assert (event.unreadable.reason, event.unreadable.seq) == (reason, number)


def test_nobody_elses_event_is_read(hospital: Hospital) -> None:
    with pytest.raises(BadSignature):
        told(hospital, {"line": deed(3)}, secret="whsec_c29tZWJvZHktZWxzZS1lbnRpcmVseS0xMjM0NTY3ODkw")


def test_a_line_in_an_event_of_another_kind_is_not_read(hospital: Hospital) -> None:
    event = told(hospital, {"line": deed(3)}, kind="escort.moved")
    assert event.escort is None and event.unreadable is None
