"""kill -9 at the worst moments, with real processes: worker, web, PostgreSQL, and a provider with its own ledger."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from sqlalchemy import select

from booking.confirm import confirm
from booking.gateway import line
from booking.models import Booking, Slot
from booking.place import HoldRequest, hold
from booking.slot_sync import pull_slots
from marketplace.catalog.models import Offer, Provider
from marketplace.core import clock
from marketplace.core import db as database
from marketplace.core.config import settings
from marketplace.core.crypto import seal_master
from marketplace.core.db import reading, transaction
from marketplace.core.devdb import DevDatabase
from tests.people import give, make_customer, self_of
from tests.processes import Running, start_web, start_worker
from tests.sandboxes import WEBHOOK_SECRET, Sandbox, account, eventually, start_sandbox
from tests.world import booking_row, make_offer
from vip.principal import Principal
from vip.signin import authenticate, issue_token

POOLS = [{"pool": "pool-1", "offers": ["basic"], "capacity": 50}]


@dataclass
class Stage:
    """A database server, a provider and what a customer needs; processes are added by the test."""

    server: DevDatabase
    sandbox: Sandbox
    folder: Path
    provider: Provider
    offer: Offer
    running: list[Running] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.server.database_url,
            "DATABASE_OWNER_URL": self.server.owner_url,
            "OUTBOX_LEASE_SECONDS": "3",
        }

    def worker(self) -> Running:
        self.running.append(start_worker(self.environment, self.folder / "worker.log"))
        return self.running[-1]

    def web(self, port: int = 0) -> Running:
        self.running.append(start_web(self.environment, self.folder / "web.log", port))
        return self.running[-1]

    def slots(self) -> list[str]:
        """Slots from the day after tomorrow on, by their times."""
        with reading() as session:
            return list(
                session.scalars(
                    select(Slot.public_id)
                    .where(Slot.pool_id == self.offer.pool_id, Slot.starts_at > clock.now() + timedelta(days=2))
                    .order_by(Slot.starts_at)
                )
            )

    def customer(self, number: int, quantity: int = 50) -> tuple[Principal, str, str]:
        """Principal, beneficiary and token of another customer."""
        phone = f"1380044{number:04}"
        customer = make_customer(phone)
        give(customer, quantity, valid_until=clock.now().date() + timedelta(days=90))
        token = issue_token(phone, clock.now()).token
        return authenticate(token, now=clock.now()), self_of(customer).public_id, token

    def submit(self, principal: Principal, beneficiary: str, slot: str) -> str:
        request = HoldRequest(self.offer.public_id, slot, beneficiary, None, {})
        now = clock.now()
        public_id = hold(principal, request, key=str(uuid.uuid4()), fingerprint=b"f", now=now).public_id
        confirm(principal, public_id, now=now)
        return public_id

    def live_there(self, public_id: str) -> int:
        return self.sandbox.control().live(public_id)

    def assert_books_add_up(self) -> None:
        """Ledger and columns, claims and counters, both by bare SQL as the owner."""
        with psycopg.connect(self.server.owner_url) as connection:
            wrong = connection.execute(
                """
                SELECT e.id FROM entitlement e LEFT JOIN entitlement_entry l ON l.entitlement_id = e.id
                 GROUP BY e.id HAVING e.reserved <> coalesce(sum(l.quantity) FILTER (WHERE l.entry = 'reserve'), 0)
                   - coalesce(sum(l.quantity) FILTER (WHERE l.entry IN ('release', 'use')), 0)
                """
            ).fetchall()
            assert wrong == []
            wrong = connection.execute(
                """
                SELECT s.id FROM slot s LEFT JOIN slot_claim c ON c.slot_id = s.id AND c.live
                 GROUP BY s.id HAVING s.taken <> coalesce(sum(c.places), 0)
                """
            ).fetchall()
            assert wrong == []
            bare = connection.execute(
                """
                SELECT b.id FROM booking b WHERE b.live
                   AND (NOT EXISTS (SELECT 1 FROM slot_claim c WHERE c.booking_id = b.id AND c.live)
                     OR NOT EXISTS (SELECT 1 FROM entitlement_entry l
                                     WHERE l.booking_id = b.id AND l.entry = 'reserve'))
                """
            ).fetchall()
            assert bare == []


@pytest.fixture
def stage(own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A provider that confirms at once, its slots pulled, nothing running of ours yet."""
    monkeypatch.setenv("DATABASE_URL", own_server.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", own_server.owner_url)
    database.forget_engines()
    settings.cache_clear()
    sandbox = start_sandbox(tmp_path / "sandbox", [account("prompt", "prompt")], POOLS)
    provider, offer, _ = make_offer(slots=0, base_url=sandbox.base_url())
    with transaction() as session:
        row = session.get_one(Provider, provider.id)
        row.secret_sealed = seal_master("key-prompt", f"provider:{row.code}:secret")
        row.webhook_secrets_sealed = [seal_master(WEBHOOK_SECRET, f"provider:{row.code}:webhook")]
        row.deadline_seconds, row.settle_window_seconds, row.poll_seconds = 2, 3, 1
        known = line(row)
    now = clock.now()
    pull_slots(known, known.open(), today=clock.today("Asia/Shanghai", now), now=now)
    made = Stage(own_server, sandbox, tmp_path, provider, offer)
    yield made
    for each in made.running:
        each.kill()
    sandbox.kill()
    database.forget_engines()
    monkeypatch.undo()
    settings.cache_clear()


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
    assert state(public_id) == "awaiting_provider", "nothing was settled"
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
    seen: set[str] = set()
    stage.worker()

    def settled() -> bool:
        kept = booking_row(public_id)
        seen.add(kept.state.value)
        return kept.state.value == "confirmed"

    eventually(settled, 30)
    assert "outcome_unknown" in seen
    assert seen <= {"awaiting_provider", "outcome_unknown", "confirmed"}
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


def shop(stage: Stage, url: str, shoppers: int = 4, each: int = 12) -> list[Shopper]:
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


def assert_everything_is_there(stage: Stage, shoppers: list[Shopper], each: int) -> None:
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
    port = int(web.url.rsplit(":", 1)[1])
    for count in (5, 15, 25):
        wait_for_some(shoppers, count)
        web.kill()
        web = stage.web(port)
    assert_everything_is_there(stage, shoppers, 12)
    assert sum(shopper.broken for shopper in shoppers) > 0, "no request was hit: the kill proves nothing"


def test_postgresql_killed_while_customers_book_loses_nothing_acknowledged(stage: Stage) -> None:
    stage.worker()
    shoppers = shop(stage, stage.web().url)
    for count in (5, 20):
        wait_for_some(shoppers, count)
        stage.server.kill()
        stage.server.start()
        database.forget_engines()
    assert_everything_is_there(stage, shoppers, 12)
    assert sum(shopper.broken for shopper in shoppers) > 0, "no request was hit: the kill proves nothing"


def test_a_stopped_worker_finishes_and_says_goodbye(stage: Stage) -> None:
    worker = stage.worker()
    principal, beneficiary, _ = stage.customer(1)
    public_id = stage.submit(principal, beneficiary, stage.slots()[0])
    eventually(confirmed(public_id), 20)
    assert worker.stop() == 0
    with psycopg.connect(stage.server.owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM worker_beat").fetchone() == (0,)
    assert isinstance(clock.now(), datetime)
