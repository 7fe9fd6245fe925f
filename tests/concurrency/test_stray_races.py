"""A stray is cancelled at the moment at which it becomes ours: one of the two comes first, and the other one knows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from booking.discrepancies import Discrepancy, open_discrepancy
from booking.exchange.inbound import apply_remote
from booking.reconcile.repair import repair
from booking.reconcile.strays import cancel_due
from marketplace.core.database.db import bare_app, reading, transaction
from providers.reported import RemoteBooking
from tests.books import Books
from tests.concurrency.controls import all_at_once
from tests.people import NOON, make_insurer
from tests.sandboxes import eventually
from tests.world import World, booking_row, connection_to, make_world
from vip.principal import Principal

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

LATER = NOON + timedelta(hours=1)
WAITING = """
    SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE NOT l.granted AND a.datname = current_database()
"""


@pytest.fixture
def world() -> World:
    world = make_world()
    with transaction() as session:
        facts = {"theirs": "confirmed"}
        open_discrepancy(session, world.provider.id, "theirs_only", "R-9", now=LATER, facts=facts)
    operator = Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")
    with reading() as session:
        case = session.scalars(select(Discrepancy)).one()
    repair(operator, case.public_id, "cancel_there", now=LATER)
    return world


@pytest.fixture
def books(world: World) -> Books:
    books = Books()
    books.put(RemoteBooking("R-9", None, "confirmed", 1))
    return books


def work(world: World, books: Books) -> dict[str, int]:
    with bare_app().app_context():
        return cancel_due(connection_to(world.provider), books, clock=lambda: LATER)  # type: ignore[arg-type]


def test_a_cancel_waits_for_whoever_takes_the_reference_over_at_that_moment_and_sends_nothing(
    world: World, books: Books, owner_connection: Connection
) -> None:
    public_id = world.submit()
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            apply_remote(session, world.provider.id, RemoteBooking("R-9", public_id, "confirmed", 5), now=LATER)
            session.flush()
            cancelling = pool.submit(work, world, books)
            eventually(lambda: owner_connection.exec_driver_sql(WAITING).scalar_one() == 1)
        assert cancelling.result() == {"became_ours": 1}
    assert books.sent == [] and booking_row(public_id).state == "confirmed"


def test_of_three_workers_one_cancels(world: World, books: Books) -> None:
    outcomes = all_at_once([lambda: work(world, books)] * 3)
    assert len(books.sent) == 1, outcomes


def test_whichever_comes_first_both_sides_end_alike(world: World, books: Books) -> None:
    public_id = world.submit()

    def report(status: str, version: int) -> str:
        with bare_app().app_context(), transaction() as session:
            there = RemoteBooking("R-9", public_id, status, version)  # type: ignore[arg-type]
            return apply_remote(session, world.provider.id, there, now=LATER).what

    all_at_once([lambda: work(world, books), lambda: report("confirmed", 5)])
    if books.sent:  # its word came too late, or while nobody could take it over: what it says next counts
        report("cancelled", 6)
    assert booking_row(public_id).state in (("cancelled", "rejected") if books.sent else ("confirmed",))
