"""A stage for tests with real processes: a database, a provider, and what a customer needs to book there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, update

from booking.calls.connections import connection_of
from booking.hold.place import HoldRequest, hold
from booking.hold.submit import submit
from booking.models import Booking, Slot
from booking.sync.slots import pull_slots
from marketplace.catalog.models import Offer, Provider
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.crypto import seal_master
from marketplace.core.database import db as database
from marketplace.core.database.db import reading, transaction
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import free_port
from tests.conftest import TestDatabase
from tests.people import give, make_customer, self_of
from tests.processes import Running, start_web, start_worker
from tests.sandboxes import WEBHOOK_SECRET, Control, Sandbox, account, start_sandbox
from tests.world import make_offer
from vip.principal import Principal
from vip.signin.authentication import authenticate
from vip.signin.signin import issue_token

POOLS = [{"pool": "pool-1", "offers": ["basic"], "capacity": 50}]


@dataclass
class Stage:
    """A database, a provider and what a customer needs; processes are added by the test."""

    server: DevDatabase | TestDatabase
    sandbox: Sandbox
    folder: Path
    provider: Provider
    offer: Offer
    port: int
    owner: psycopg.Connection
    """As the owner of the tables, each statement by itself: for what is asked again and again."""
    running: list[Running] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.server.database_url,
            "DATABASE_OWNER_URL": self.server.owner_url,
            "OUTBOX_LEASE_SECONDS": "4",
        }

    def worker(self) -> Running:
        self.running.append(start_worker(self.environment, self.folder / "worker.log"))
        return self.running[-1]

    def web(self) -> Running:
        self.running.append(start_web(self.environment, self.folder / "web.log", self.port))
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
        give(customer, quantity, valid_until=clock.now().date() + timedelta(days=90), kind=self.offer.kind)
        token = issue_token(phone, clock.now()).token
        return authenticate(token, now=clock.now()), self_of(customer).public_id, token

    def submit(self, principal: Principal, beneficiary: str, slot: str) -> str:
        request = HoldRequest(self.offer.public_id, slot, beneficiary, None, {})
        now = clock.now()
        public_id = hold(principal, request, key=str(uuid.uuid4()), fingerprint=b"f", now=now).public_id
        submit(principal, public_id, now=now)
        return public_id

    def open_tasks(self) -> int:
        """How many commands to providers are not done. A poll may confirm a booking before its command is settled."""
        with psycopg.connect(self.server.owner_url) as connection:
            row = connection.execute("SELECT count(*) FROM provider_task WHERE state <> 'done'").fetchone()
        return int(row[0]) if row else 0

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


def let_its_day_come(control: Control, public_id: str, reference: str) -> None:
    """Date the booking today in both books: no test waits for the day that it was booked for."""
    today = clock.today("Asia/Shanghai")
    control.alter(reference, service_date=today.isoformat(), keep_version=True)
    with transaction() as session:
        session.execute(update(Booking).where(Booking.public_id == public_id).values(service_date=today))


@contextmanager
def set_stage(
    server: DevDatabase | TestDatabase,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    manner: str = "prompt",
    start: Callable[..., Sandbox] = start_sandbox,
    selling: Mapping[str, Any] | None = None,
    **settled: Any,
) -> Iterator[Stage]:
    """A provider with a manner, its slots pulled, nothing running of ours yet. `settled` changes the provider's row;
    `start` is start_sandbox or start_day_sandbox, `selling` says what is sold there, in the words of make_offer.

    The provider sends its events to the port that Stage.web() will listen on.
    """
    port = free_port()
    monkeypatch.setenv("DATABASE_URL", server.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", server.owner_url)
    database.forget_engines()
    settings.cache_clear()
    sandbox = start(folder / "sandbox", [account("prompt", manner)], POOLS)
    provider, offer, _ = make_offer(slots=0, base_url=sandbox.base_url(), **(selling or {}))
    with transaction() as session:
        row = session.get_one(Provider, provider.id)
        row.secret_sealed = seal_master("key-prompt", f"provider:{row.code}:secret")
        row.webhook_secrets_sealed = [seal_master(WEBHOOK_SECRET, f"provider:{row.code}:webhook")]
        for name, value in {"deadline_seconds": 2, "settle_window_seconds": 3, "poll_seconds": 1, **settled}.items():
            setattr(row, name, value)
        known = connection_of(row)
    now = clock.now()
    pull_slots(known, known.open(), today=clock.today("Asia/Shanghai", now), now=now)
    sandbox.control().settings(webhook_url=f"http://127.0.0.1:{port}/partner/v1/webhooks/{provider.code}")
    owner = psycopg.connect(server.owner_url, autocommit=True)
    made = Stage(server, sandbox, folder, provider, offer, port, owner)
    try:
        yield made
    finally:
        for each in made.running:
            each.kill()
        sandbox.kill()
        owner.close()
        database.forget_engines()
        monkeypatch.undo()
        settings.cache_clear()
