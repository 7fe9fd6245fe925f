"""The steps that the sandbox takes by itself wait for the booking's day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from providers.adapters.open_protocol import OpenProtocol
from providers.port import Confirmed
from providers.reported import RemoteSlot
from tests.providers.wishes import bookable, change, reserve
from tests.sandboxes import Sandbox, account, eventually, start_sandbox

STEPS = {"check_in": 0.0, "fulfil": 0.0}


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = start_sandbox(tmp_path / "own", [account("prompt", "prompt", auto=STEPS)])
    yield sandbox
    sandbox.kill()


def status(sandbox: Sandbox, reference: str) -> str:
    (found,) = [each for each in sandbox.control().bookings() if each["reference"] == reference]
    return str(found["status"])


def restart_on(sandbox: Sandbox, day: date, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's clock stands right after midnight of that day in its pools' zone."""
    begins = datetime.combine(day, time(0, 1), ZoneInfo("Asia/Shanghai"))
    monkeypatch.setenv("CLOCK_OFFSET_SECONDS", str(int((begins - datetime.now(UTC)).total_seconds())))
    sandbox.restart()


def later(adapter: OpenProtocol, than: RemoteSlot) -> RemoteSlot:
    found = adapter.slots(than.service_date + timedelta(days=2), than.service_date + timedelta(days=6), None, None)
    return next(slot for slot in found.slots if slot.pool == than.pool)


def test_nobody_is_checked_in_before_the_day_of_the_booking_not_even_one_that_was_moved(
    own_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = OpenProtocol(own_sandbox.connection())
    slot = bookable(adapter, 0)
    stays, goes = reserve(slot), reserve(slot)
    booked, moved = adapter.reserve(stays), adapter.reserve(goes)
    assert isinstance(booked, Confirmed) and isinstance(moved, Confirmed)
    new = later(adapter, slot)
    restart_on(own_sandbox, slot.service_date - timedelta(days=1), monkeypatch)
    assert isinstance(OpenProtocol(own_sandbox.connection()).change(change(goes, moved.reference, new)), Confirmed)
    assert {status(own_sandbox, each.reference) for each in (booked, moved)} == {"confirmed"}
    restart_on(own_sandbox, slot.service_date, monkeypatch)
    eventually(lambda: status(own_sandbox, booked.reference) == "fulfilled")
    assert status(own_sandbox, moved.reference) == "confirmed"
    restart_on(own_sandbox, new.service_date, monkeypatch)
    eventually(lambda: status(own_sandbox, moved.reference) == "fulfilled")
