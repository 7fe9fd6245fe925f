"""Customer, web server, worker, sandbox, escort, event, page: what is done on one side stands on the other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from sqlalchemy import select

from booking.discrepancies import Discrepancy
from booking.hold.place import HoldRequest, hold
from booking.hold.submit import submit
from booking.models import Slot
from booking.notices.models import Notification
from marketplace.core import clock
from marketplace.core.database.db import reading
from marketplace.development.database import DevDatabase
from tests.escorts import ANSWERS, KIND, PACKAGE, add_site, cover, put
from tests.eventually import eventually
from tests.providers.escorts.sending import WINDOWS
from tests.sandboxes import Control, Sandbox, start_sandbox
from tests.stage import Stage, set_stage

SOLD = {**WINDOWS, "pool": "pool-1", "offers": ["basic"]}


@dataclass
class Booked:
    """An escort of one customer; `moved` holds how far the clock of all was moved on."""

    stage: Stage
    token: str
    id: str
    starts_at: datetime
    moved: Path

    @property
    def control(self) -> Control:
        """The provider's strings."""
        return self.stage.sandbox.control()

    def call(self, verb: str, path: str = "", body: Any = None) -> requests.Response:
        """A request of the customer's program about it."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid.uuid4())}
        address = f"{self.stage.running[0].url}/api/v1/bookings/{self.id}{path}"
        return requests.request(verb, address, json=body, headers=headers, timeout=20)

    def view(self) -> dict[str, Any]:
        """The escort as our API tells it."""
        return dict(self.call("GET", "/escort").json())

    def there(self) -> dict[str, Any]:
        """What the provider holds of it."""
        return self.control.escorts(self.id)[0]

    def go_to(self, minutes: float) -> None:
        """It is so long after it began, for everybody."""
        away = (self.starts_at - datetime.now(UTC)).total_seconds()
        self.moved.write_text(str(int(away + minutes * 60)))


@contextmanager
def set_service(server: DevDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stage, Path]]:
    """A provider whose escorts the sandbox plays, by the clock of their windows. Web server and worker run."""
    moved = folder / "moved"
    moved.write_text("0")
    monkeypatch.setenv("DEMO_CLOCK_FILE", str(moved))

    def start(place: Path, accounts: list[dict[str, Any]], pools: Any) -> Sandbox:
        works = {"offers": ["basic"], "staff": 6, "assign_after": 0.1, "every": None}
        return start_sandbox(place, [{**each, "pools": [SOLD], "escorts": works} for each in accounts], pools)

    selling = {"kind": KIND, "package": PACKAGE, "allotment": True}
    with set_stage(server, folder, monkeypatch, start=start, selling=selling) as stage:
        cover("covered", since=clock.now().date())
        stage.web()
        stage.worker()
        yield stage, moved


def book(stage: Stage, moved: Path, fault: str) -> Booked:
    """The customer books; what is to happen there is ordered before."""
    venue = add_site("杭州示范总院")
    principal, beneficiary, token = stage.customer(1)
    put(phone="13800440001", insurer_id=principal.insurer_id)
    stage.sandbox.control().fault(fault)
    slot = stage.slots()[0]
    request = HoldRequest(stage.offer.public_id, slot, beneficiary, None, ANSWERS, venue=venue.public_id)
    now = clock.now()
    booking = hold(principal, request, key=str(uuid.uuid4()), fingerprint=b"f", now=now).public_id
    submit(principal, booking, now=now)
    with reading() as session:
        starts_at = session.scalars(select(Slot.starts_at).where(Slot.public_id == slot)).one()
    assert starts_at is not None
    return Booked(stage, token, booking, starts_at, moved)


def cases() -> list[str]:
    """The kinds of those that are open."""
    with reading() as session:
        return sorted(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


def notices() -> list[str]:
    """The kinds of what the customer was told."""
    with reading() as session:
        return list(session.scalars(select(Notification.kind).order_by(Notification.id)))


def units(stage: Stage) -> tuple[int, int]:
    """Of the only benefit: reserved, and used."""
    with psycopg.connect(stage.server.owner_url) as connection:
        (found,) = connection.execute("SELECT reserved, used FROM entitlement").fetchall()
        return found[0], found[1]


def test_another_worker_comes_and_the_day_goes_by(
    own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with set_service(own_server, tmp_path, monkeypatch) as (stage, moved):
        it = book(stage, moved, "escort_swapped")
        first = eventually(lambda: it.view()["worker"], 60)["name"]
        word = it.view()["safe_word"]
        assert word == it.there()["safe_word"] and len(it.view()["code"]) == 4
        it.go_to(-9)
        second = eventually(lambda: found if (found := it.view()["worker"]["name"]) != first else "", 60)
        assert it.view()["safe_word"] != word
        it.go_to(250)
        eventually(lambda: it.view()["stage"] == "handed_over", 90)
        seen = it.view()
        assert seen["worker"]["name"] == second and seen["costs"] and seen["handed_over"]
        eventually(lambda: len(it.view()["papers"]) == 1, 60)
        assert "escort_replaced" in notices() and "replaced" in [step["what"] for step in it.view()["steps"]]
        assert it.call("PUT", "/escort/outcome", {"well": True}).status_code == 200
        assert (it.view()["stage"], units(stage)) == ("done", (0, 1))
        assert not {"escort_end_unproved", "escort_not_named", "unreadable_row"} & set(cases())
        stage.assert_books_add_up()


def test_the_provider_cancels_an_hour_before(
    own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with set_service(own_server, tmp_path, monkeypatch) as (stage, moved):
        it = book(stage, moved, "escort_cancels")
        eventually(lambda: it.view()["worker"], 60)
        it.go_to(-59)
        eventually(lambda: it.view()["stage"] == "given_up", 60)
        eventually(lambda: "escort_called_off" in cases(), 60)
        with reading() as session:
            told = session.scalars(select(Notification).where(Notification.kind == "cancelled")).one()
        assert told.facts["alternatives"] and units(stage) == (0, 0)
        stage.assert_books_add_up()
