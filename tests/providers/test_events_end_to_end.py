"""Webhooks from a real provider process to our real web server: twice, late, out of order, and lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import requests
from standardwebhooks.webhooks import Webhook

from marketplace.core import clock
from tests.conftest import TestDatabase
from tests.sandboxes import WEBHOOK_SECRET, eventually
from tests.stage import Stage, let_its_day_come, set_stage
from tests.world import booking_row, history


@pytest.fixture
def stage(processes_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A provider that takes its time and is polled once an hour: what we hear of it, we hear by webhook."""
    with set_stage(processes_database, tmp_path, monkeypatch, "deliberate", poll_seconds=3600) as made:
        made.sandbox.control().settings(confirm_after=3600, report_after=0.1)
        yield made


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def book(stage: Stage) -> tuple[str, str, str]:
    """A booking the provider has accepted: our id, its reference, the customer's token."""
    principal, beneficiary, token = stage.customer(1)
    public_id = stage.submit(principal, beneficiary, stage.slots()[0])
    eventually(lambda: stage.sandbox.control().bookings(public_id), 30)
    (there,) = stage.sandbox.control().bookings(public_id)
    return public_id, str(there["reference"]), token


def test_events_twice_and_out_of_order_end_in_the_providers_state(stage: Stage) -> None:
    stage.worker()
    web = stage.web()
    control = stage.sandbox.control()
    public_id, reference, token = book(stage)
    control.fault("webhook_duplicate", times=None)
    control.fault("webhook_reorder", times=2)
    let_its_day_come(control, public_id, reference)
    control.move(reference, "confirm")
    control.move(reference, "check_in")
    control.move(reference, "fulfil")
    eventually(lambda: state(public_id) == "fulfilled", 30)
    assert history(public_id)[:3] == ["held", "awaiting_provider", "confirmed"]
    control.replay_webhooks()
    eventually(lambda: booking_row(public_id).report_state == "ready", 30)
    with psycopg.connect(stage.server.owner_url) as connection:
        row = connection.execute("SELECT reserved, used FROM entitlement").fetchone()
        assert row == (0, 1), "used once, however often it was told"
    headers = {"Authorization": f"Bearer {token}"}
    seen = requests.get(f"{web.url}/api/v1/bookings/{public_id}", headers=headers, timeout=10).json()
    assert seen["state"] == "fulfilled"


def test_an_event_that_is_not_signed_by_the_provider_changes_nothing(stage: Stage) -> None:
    web = stage.web()
    url = f"{web.url}/partner/v1/webhooks/{stage.provider.code}"
    now = str(int(clock.now().timestamp()))
    forged = {"webhook-id": "evt_1", "webhook-timestamp": now, "webhook-signature": "v1,AAAA"}
    answer = requests.post(url, json={"type": "booking.confirmed", "data": {}}, headers=forged, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    unknown = requests.post(f"{web.url}/partner/v1/webhooks/nobody", json={}, headers=forged, timeout=10)
    told = [{name: value for name, value in each.json().items() if name != "instance"} for each in (answer, unknown)]
    assert (unknown.status_code, told[0]) == (401, told[1]), "nobody learns which codes there are"
    with psycopg.connect(stage.server.owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM inbox_event").fetchone() == (0,)


def test_a_signed_event_that_cannot_be_read_or_is_not_known_is_not_sent_again(stage: Stage) -> None:
    web = stage.web()
    url = f"{web.url}/partner/v1/webhooks/{stage.provider.code}"
    booking = {"reference": "R-1", "our_reference": "bkg_1", "status": "confirmed", "version": 1}

    def post(number: int, kind: str, about: dict[str, object]) -> tuple[int, str]:
        body, now = json.dumps({"type": kind, "data": {"booking": about}}), clock.now()
        signature = Webhook(WEBHOOK_SECRET).sign(f"evt_{number}", now, body)
        seconds = str(int(now.timestamp()))
        signed = {"webhook-id": f"evt_{number}", "webhook-timestamp": seconds, "webhook-signature": signature}
        answer = requests.post(url, data=body, headers=signed, timeout=10)
        return answer.status_code, answer.json()["outcome"]

    assert post(1, "booking.changed", {**booking, "status": "lost"}) == (200, "unreadable")
    assert post(1, "booking.changed", {**booking, "status": "lost"}) == (200, "duplicate")
    assert post(2, "booking.vanished", booking) == (200, "ignored")
    with psycopg.connect(stage.server.owner_url) as connection:
        opened = connection.execute("SELECT kind, subject, facts ->> 'reason' FROM discrepancy").fetchall()
    assert opened == [("unreadable_row", "bookings:R-1", "status.unknown")]


def test_a_lost_event_is_made_up_for_by_the_poll(stage: Stage) -> None:
    with psycopg.connect(stage.server.owner_url, autocommit=True) as connection:
        connection.execute("UPDATE provider SET poll_seconds = 1")
    stage.worker()
    control = stage.sandbox.control()
    public_id, reference, _ = book(stage)
    control.fault("webhook_drop", times=None)
    control.move(reference, "confirm")
    eventually(lambda: state(public_id) == "confirmed", 30)
    assert booking_row(public_id).updated_at > clock.now() - timedelta(minutes=1)
