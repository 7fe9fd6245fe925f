"""Three workers look bookings up at once: none twice, and together no more than the provider's rate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.sql.selectable import Select

from booking.reconcile.look_ups import Claimed, claim_next
from marketplace.catalog.models import Provider
from marketplace.core.database.db import bare_app, transaction
from providers.port import Confirmed
from tests.people import NOON
from tests.sandboxes import eventually
from tests.world import FakeAdapter, World, connection_to, make_world, one_pass, set_provider

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

WORKERS = 3
WAITING = """
    SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE NOT l.granted AND a.datname = current_database()
"""


@pytest.fixture
def world() -> World:
    world = make_world(slots=4, quantity=4)
    for slot in range(4):
        world.submit(slot)
        one_pass(world, FakeAdapter(answers=[Confirmed(f"R-{slot}")]), now=NOON)
    return world


def claims(world: World, watcher: Connection) -> list[Claimed]:
    """What three workers get that all begin at the same moment: the provider's row is kept busy until each waits for
    it, or has passed it by."""
    known = connection_to(world.provider)

    def claim() -> Claimed | None:
        with bare_app().app_context():
            return claim_next(known, now=NOON)

    with ThreadPoolExecutor(WORKERS) as pool:
        with transaction() as session:
            session.scalars(select(Provider).where(Provider.id == known.id).with_for_update()).one()
            asked = [pool.submit(claim) for _ in range(WORKERS)]
            eventually(lambda: watcher.exec_driver_sql(WAITING).scalar_one() == WORKERS)
        return [found for each in asked if (found := each.result()) is not None]


def test_three_workers_that_look_at_once_take_three_bookings(world: World, owner_connection: Connection) -> None:
    found = claims(world, owner_connection)
    assert len({each.booking for each in found}) == len(found) == WORKERS


def test_three_workers_together_keep_the_rate(world: World, owner_connection: Connection) -> None:
    set_provider(world.provider, look_ups_a_minute=4)
    assert len(claims(world, owner_connection)) == 2


def test_without_the_lock_they_take_the_same_booking(
    world: World, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Select.with_for_update

    def unlocked(query: Any, *args: Any, **kwargs: Any) -> Any:
        return query if kwargs.get("key_share") else plain(query, *args, **kwargs)

    monkeypatch.setattr(Select, "with_for_update", unlocked)
    assert len({each.booking for each in claims(world, owner_connection)}) == 1
