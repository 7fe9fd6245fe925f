"""kill -9 at the worst moments, with real processes: worker, web, PostgreSQL, and a provider with its own ledger."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from sqlalchemy import select

from booking.models import Booking
from marketplace.core import clock
from marketplace.core.database import db as database
from marketplace.core.database.db import reading
from marketplace.development.database import DevDatabase
from tests.conftest import TestDatabase
from tests.sandboxes import eventually
from tests.stage import Stage, set_stage
from tests.world import booking_row, history

pytestmark = pytest.mark.one_postgres
EACH = 8
"""So many bookings a customer makes while something is killed."""


@pytest.fixture
def stage(
    other_database: Callable[[str], TestDatabase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """A provider that confirms at once."""
    with set_stage(other_database("stage"), tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def killable(own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The same, on a server of its own."""
    with set_stage(own_server, tmp_path, monkeypatch) as made:
        yield made


def state(public_id: str) -> str:
    return booking_row(public_id).state.value


def confirmed(public_id: str) -> Callable[[], bool]:
    return lambda: state(public_id) == "confirmed"


def test_a_worker_killed_between_the_providers_commit_and_our_settling(stage: Stage) -> None:
    stage.sandbox.control().fault("commit_then_hang", "reserve", seconds=30)
    first = stage.worker()
    principal, beneficiary, _ = stage.customer(1)
    public_id = stage.submit(principal, beneficiary, stage.slots()[0])
    eventually(lambda: stage.live_there(public_id) == 1, 20)
    first.kill()
    assert state(public_id) in ("awaiting_provider", "outcome_unknown"), "its yes was not settled"
    stage.worker()
    eventually(confirmed(public_id), 30)
    assert stage.live_there(public_id) == 1
    stage.assert_books_add_up()


def test_a_provider_that_times_out_after_committing_is_unknown_and_settles_by_look_up(stage: Stage) -> None:
    control = stage.sandbox.control()
    control.fault("commit_then_hang", "reserve", seconds=30)
    control.fault("unavailable", "look_up", times=2)
    control.fault("webhook_drop", times=None)
    control.fault("unavailable", "bookings", times=None)
    principal, beneficiary, _ = stage.customer(1)
    public_id = stage.submit(principal, beneficiary, stage.slots()[0])
    stage.worker()
    eventually(lambda: state(public_id) == "confirmed", 30)
    assert history(public_id) == ["held", "awaiting_provider", "outcome_unknown", "confirmed"]
    assert stage.live_there(public_id) == 1
    stage.assert_books_add_up()


def test_two_workers_send_each_command_once(stage: Stage) -> None:
    stage.worker()
    stage.worker()
    principal, beneficiary, _ = stage.customer(1)
    made = [stage.submit(principal, beneficiary, slot) for slot in stage.slots()[:20]]
    eventually(lambda: all(state(each) == "confirmed" for each in made), 40)
    assert [stage.live_there(each) for each in made] == [1] * 20


@dataclass
class Shopper(threading.Thread):
    """A customer's app: books slot after slot through the API, repeating each request until it is acknowledged."""

    url: str
    token: str
    beneficiary: str
    offer: str
    slots: list[str]
    acknowledged: list[str] = field(default_factory=list)
    broken: int = 0
    wrong: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        for slot in self.slots:
            if self.over.is_set():
                return
            self._book(slot)

    def _book(self, slot: str) -> None:
        body = {"offer_id": self.offer, "slot_id": slot, "beneficiary_id": self.beneficiary, "details": {}}
        made = self._until_answered("/api/v1/bookings", body, str(uuid.uuid4()))
        if made is not None and made.status_code == 201:
            self.acknowledged.append(made.json()["id"])
            self._until_answered(f"/api/v1/bookings/{made.json()['id']}/confirm", {}, None)
        elif made is not None:
            self.wrong.append((made.status_code, made.text[:200]))

    def _until_answered(self, path: str, body: dict[str, Any], key: str | None) -> requests.Response | None:
        headers = {"Authorization": f"Bearer {self.token}", **({"Idempotency-Key": key} if key else {})}
        until = clock.now() + timedelta(seconds=40)
        while clock.now() < until:
            try:
                answer = requests.post(self.url + path, json=body, headers=headers, timeout=10)
            except requests.RequestException:
                self.broken += 1
            else:
                if answer.status_code != 503:
                    return answer
                self.broken += 1
            self.over.wait(0.1)
        self.wrong.append((path, "never answered"))
        return None


def shop(stage: Stage, url: str, shoppers: int = 4, each: int = EACH) -> list[Shopper]:
    slots = stage.slots()
    made = []
    for number in range(shoppers):
        _, beneficiary, token = stage.customer(number)
        mine = slots[number * each : (number + 1) * each]
        made.append(Shopper(url, token, beneficiary, stage.offer.public_id, mine))
    for shopper in made:
        shopper.start()
    return made


def wait_for_some(shoppers: list[Shopper], count: int) -> None:
    eventually(lambda: sum(len(shopper.acknowledged) for shopper in shoppers) >= count, 60)


def assert_everything_is_there(stage: Stage, shoppers: list[Shopper], each: int = EACH) -> None:
    for shopper in shoppers:
        shopper.join(timeout=90)
        assert not shopper.is_alive()
        assert shopper.wrong == []
        assert len(shopper.acknowledged) == each
    known = [public_id for shopper in shoppers for public_id in shopper.acknowledged]
    assert len(set(known)) == len(known)

    def all_confirmed() -> bool:
        with reading() as session:
            rows = session.execute(select(Booking.public_id, Booking.state)).all()
        return {row.public_id for row in rows if row.state == "confirmed"} == set(known)

    eventually(all_confirmed, 60)
    assert [stage.live_there(public_id) for public_id in known] == [1] * len(known)
    stage.assert_books_add_up()


def test_the_web_killed_inside_bookings_loses_and_doubles_nothing(stage: Stage) -> None:
    stage.worker()
    web = stage.web()
    shoppers = shop(stage, web.url)
    for count in (5, 15):
        wait_for_some(shoppers, count)
        web.kill()
        web = stage.web()
    assert_everything_is_there(stage, shoppers)
    assert sum(shopper.broken for shopper in shoppers) > 0, "no request was hit: the kill proves nothing"


@pytest.mark.every_postgres
def test_postgresql_killed_while_customers_book_loses_nothing_acknowledged(killable: Stage) -> None:
    killable.worker()
    shoppers = shop(killable, killable.web().url, each=12)
    for count in (5, 20):
        wait_for_some(shoppers, count)
        killable.server.kill()
        killable.server.start()
        database.forget_engines()
    assert_everything_is_there(killable, shoppers, 12)
    assert sum(shopper.broken for shopper in shoppers) > 0, "no request was hit: the kill proves nothing"


def test_a_stopped_worker_finishes_and_says_goodbye(stage: Stage) -> None:
    worker = stage.worker()
    principal, beneficiary, _ = stage.customer(1)
    public_id = stage.submit(principal, beneficiary, stage.slots()[0])
    eventually(confirmed(public_id), 20)
    assert worker.stop() == 0
    with psycopg.connect(stage.server.owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM worker_beat").fetchone() == (0,)
