"""One probe, however many workers ask at once; and a control that shows two without the claim."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from booking.calls import breaker
from booking.calls.models import ProviderBreaker
from booking.outbox import Claimed
from marketplace.core.database.db import bare_app, transaction
from tests.people import NOON
from tests.sandboxes import eventually
from tests.world import World, claim_all, make_world, set_breaker

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

WORKERS = 3
WAITING = """
    SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE NOT l.granted AND a.datname = current_database()
"""


def half_open() -> World:
    world = make_world(slots=6, quantity=6)
    for slot in range(6):
        world.submit(slot)
    set_breaker(world.provider, failures=5, opened_at=NOON, open_until=NOON)
    return world


def claim_in_a_worker(world: World, worker: str) -> list[Claimed]:
    with bare_app().app_context():
        return claim_all(world, now=NOON, worker=worker)


def probes(world: World, watcher: Connection) -> int:
    """How many tasks three workers get that all found the pause over: its row is kept busy until each waits for it."""
    with ThreadPoolExecutor(WORKERS) as pool:
        with transaction() as session:
            session.scalars(select(ProviderBreaker).with_for_update()).one()
            asked = [pool.submit(claim_in_a_worker, world, f"w{n}") for n in range(WORKERS)]
            eventually(lambda: watcher.exec_driver_sql(WAITING).scalar_one() == WORKERS, 10)
        return sum(len(each.result()) for each in asked)


def test_three_workers_that_ask_at_once_make_one_probe(owner_connection: Connection) -> None:
    assert probes(half_open(), owner_connection) == 1


def test_with_a_claim_that_looks_at_nothing_each_of_them_makes_one(
    owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim_blindly(session: Session, provider_id: int, _call: object, lease: datetime, _now: datetime) -> bool:
        mine = ProviderBreaker.provider_id == provider_id
        session.execute(update(ProviderBreaker).where(mine).values(probe_until=lease))
        return True

    monkeypatch.setattr(breaker, "_claim_probe", claim_blindly)
    assert probes(half_open(), owner_connection) == WORKERS
