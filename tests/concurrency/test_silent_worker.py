"""Workers behind a database that swallows answers: somebody leads again, holds expire, nothing is done twice."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from booking.hold.place import HoldRequest, hold
from booking.worker.watchdog import EXIT_CODE
from drill.rig.proxy import Mode, Proxy, proxy_to
from marketplace.core import clock
from marketplace.core.config import sqlalchemy_url
from marketplace.core.database.connection import set_on_role
from marketplace.development.database import DevDatabase
from tests.conftest import TestDatabase
from tests.processes import Running, start_worker
from tests.sandboxes import eventually
from tests.stage import Stage, set_stage
from tests.world import booking_row

pytestmark = pytest.mark.one_postgres


@pytest.fixture
def stage(
    other_database: Callable[[str], TestDatabase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """A provider that confirms at once."""
    with set_stage(other_database("stage"), tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def proxies(database_server: DevDatabase) -> Iterator[tuple[Proxy, Proxy]]:
    """Two ways to the database, each with trouble of its own."""
    with ExitStack() as stack:
        port = database_server.server.port
        yield stack.enter_context(proxy_to(port)), stack.enter_context(proxy_to(port))


def worker(stage: Stage, proxy: Proxy, **more: str) -> Running:
    """A worker behind the proxy that waits 1 s for an answer, and whose lock ends after 4 s of silence."""
    server = make_url(stage.server.database_url).port
    environment = {
        **stage.environment,
        "DATABASE_URL": stage.server.database_url.replace(f":{server}/", f":{proxy.port}/"),
        "DATABASE_ANSWER_MS": "1000",
        "LEADER_SILENT_SECONDS": "4",
        "WORKER_OVERDUE_SECONDS": "20",
        **more,
    }
    stage.running.append(start_worker(environment, stage.folder / f"worker-{proxy.port}.log"))
    return stage.running[-1]


def leader(stage: Stage) -> str:
    found = stage.owner.execute(
        "SELECT worker FROM worker_beat WHERE leader AND at > now() - interval '3 seconds' ORDER BY at DESC"
    ).fetchone()
    return str(found[0]) if found else ""


def name(running: Running) -> str:
    return f"{socket.gethostname()}:{running.pid}"


def held_over(stage: Stage, number: int) -> str:
    """A hold whose time is over."""
    principal, beneficiary, _ = stage.customer(number)
    request = HoldRequest(stage.offer.public_id, stage.slots()[0], beneficiary, None, {})
    now = clock.now() - timedelta(minutes=20)
    return hold(principal, request, key=str(uuid.uuid4()), fingerprint=b"f", now=now).public_id


def expires(public_id: str) -> None:
    eventually(lambda: booking_row(public_id).state == "expired", 40)


def test_another_leads_when_the_leaders_database_is_silent(stage: Stage, proxies: tuple[Proxy, Proxy]) -> None:
    first = worker(stage, proxies[0])
    eventually(lambda: leader(stage) == name(first), 40)
    second = worker(stage, proxies[1])
    expires(held_over(stage, 1))
    proxies[0].become("silent")
    eventually(lambda: leader(stage) == name(second), 40)
    expires(held_over(stage, 2))
    assert first.alive, "waits end: there was no need for the watchdog"
    proxies[0].become("pass")
    eventually(lambda: _beats(stage, first), 40)
    assert eventually(lambda: leader(stage), 40) == name(second)


def _beats(stage: Stage, running: Running) -> bool:
    found = stage.owner.execute(
        "SELECT 1 FROM worker_beat WHERE worker = %s AND at > now() - interval '3 seconds'", [name(running)]
    )
    return found.fetchone() is not None


TROUBLES: tuple[Mode, ...] = ("silent", "half", "reset", "down")


def test_a_lone_worker_leads_again_after_each_trouble_and_does_nothing_twice(
    stage: Stage, proxies: tuple[Proxy, Proxy]
) -> None:
    lone = worker(stage, proxies[0])
    principal, beneficiary, _ = stage.customer(0)
    slots, booked = iter(stage.slots()), list[str]()

    def book_four() -> None:
        booked.extend(stage.submit(principal, beneficiary, next(slots)) for _ in range(4))

    def confirmed(least: int) -> None:
        eventually(lambda: _states(booked).count("confirmed") >= least, 40)

    for number, trouble in enumerate(TROUBLES, 1):
        eventually(lambda: leader(stage) == name(lone), 40)
        before = len(booked)
        book_four()
        confirmed(before + 1)
        proxies[0].become(trouble)
        book_four()
        eventually(lambda: not leader(stage), 40)
        proxies[0].become("pass")
        expires(held_over(stage, number))
        confirmed(len(booked))
    assert [stage.live_there(each) for each in booked] == [1] * len(booked)
    stage.assert_books_add_up()
    assert lone.stop() == 0


def _states(booked: list[str]) -> list[Any]:
    return [booking_row(each).state for each in booked]


def test_a_process_whose_heartbeat_stands_still_ends_itself_and_another_leads(
    stage: Stage, proxies: tuple[Proxy, Proxy]
) -> None:
    """Also the control: without a bound on its waits the worker stands still for as long as the database is silent."""
    unbounded = worker(stage, proxies[0], DATABASE_ANSWER_MS="600000", WORKER_OVERDUE_SECONDS="5")
    eventually(lambda: leader(stage) == name(unbounded), 40)
    proxies[0].become("silent")
    assert unbounded.wait(60) == EXIT_CODE
    heir = worker(stage, proxies[1])
    eventually(lambda: leader(stage) == name(heir), 40)
    expires(held_over(stage, 1))


@pytest.mark.every_postgres
def test_the_role_has_what_ends_connections_to_hosts_that_are_gone(own_server: DevDatabase) -> None:
    set_on_role(sqlalchemy_url(own_server.database_url))
    with psycopg.connect(own_server.database_url) as connection:
        for setting, value in (
            ("tcp_keepalives_idle", "10"),
            ("tcp_user_timeout", "15000"),
            ("client_connection_check_interval", "1s"),
        ):
            assert connection.execute(f"SHOW {setting}").fetchone() == (value,)
