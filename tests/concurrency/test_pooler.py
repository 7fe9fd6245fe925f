"""Behind PgBouncer in transaction mode: limits in force, nothing prepared, no leader but past the pooler."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from booking.worker.leader import LeaderLock
from marketplace.core import migrate
from marketplace.core.config import ConfigError, settings, sqlalchemy_url
from marketplace.core.database import db as database
from marketplace.core.database.connection import set_on_role
from marketplace.core.database.db import reading, require_limits, statements, transaction
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import APPLICATION, OWNER, SUPERUSER
from tests.conftest import running_server
from tests.pooler import pooler
from tests.processes import Running, start, start_worker
from tests.sandboxes import eventually
from tests.stage import Stage, set_stage
from tests.world import booking_row

pytestmark = pytest.mark.one_postgres


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevDatabase]:
    """One server for all of these."""
    with running_server(tmp_path_factory.mktemp("pooler") / "postgres") as server:
        yield server


@pytest.fixture(autouse=True)
def roles_as_before(own_server: DevDatabase) -> Iterator[None]:
    """What a test took from a role or gave it ends with the test. Set up before any monkeypatch, so torn down after."""
    yield
    with psycopg.connect(own_server.server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {OWNER} RESET ALL".encode())
    set_on_role(sqlalchemy_url(own_server.database_url))


@pytest.fixture
def pooled(own_server: DevDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address behind the pooler; the settings point at it."""
    with pooler(own_server) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        _forget()
        yield url
    monkeypatch.undo()
    _forget()


def test_limits_and_zone_are_in_force_for_all_three_ways_to_the_database(pooled: str) -> None:
    limits = (
        "SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,"
        " current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('TimeZone') AS zone"
    )
    expected = [("10s", "3s", "15s", "UTC")]
    with transaction() as session:
        assert [tuple(row) for row in session.execute(text(limits))] == expected
    with reading() as session:
        assert [tuple(row) for row in session.execute(text(limits))] == expected
    with statements() as cursor:
        assert [tuple(row) for row in cursor.execute(limits)] == expected


def test_what_asks_to_be_prepared_meets_no_statement_of_somebody_else(pooled: str) -> None:
    def ask(number: int) -> int:
        for _ in range(10):
            with statements() as cursor:
                assert cursor.execute(f"SELECT {number}", prepare=True).fetchall() == [(number,)]
            with reading() as session:
                assert session.execute(text(f"SELECT {number} + 100")).scalar_one() == number + 100
        return number

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == list(range(8))
    with psycopg.connect(pooled, prepare_threshold=None) as connection:
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_a_threshold_that_was_set_wins_over_what_the_connection_is(
    pooled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _threshold() is None
    monkeypatch.setenv("DATABASE_PREPARE_THRESHOLD", "3")
    _forget()
    assert _threshold() == 3


@pytest.mark.parametrize(("given", "threshold"), [(None, 5), ("7", 7), ("0", None), ("", None)])
def test_without_a_pooler_the_threshold_is_the_driver_s_or_the_setting_s(
    own_server: DevDatabase, monkeypatch: pytest.MonkeyPatch, given: str | None, threshold: int | None
) -> None:
    monkeypatch.setenv("DATABASE_URL", own_server.database_url)
    if given is not None:
        monkeypatch.setenv("DATABASE_PREPARE_THRESHOLD", given)
    _forget()
    assert _threshold() == threshold
    monkeypatch.undo()
    _forget()


def test_nobody_leads_behind_a_pooler_and_one_leads_past_it(
    own_server: DevDatabase, pooled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not LeaderLock().take()
    monkeypatch.setenv("LEADER_DATABASE_URL", own_server.database_url)
    _forget()
    first, second = LeaderLock(), LeaderLock()
    assert first.take()
    assert not second.take()
    first.drop()
    eventually(second.take)
    second.drop()


@pytest.mark.every_postgres
@pytest.mark.parametrize("missing", ["statement_timeout", "lock_timeout"])
def test_a_role_without_a_limit_is_refused_and_migrating_gives_it_back(
    own_server: DevDatabase, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", own_server.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", own_server.owner_url)
    _forget()
    _take_from_role(own_server, missing)
    with pytest.raises(ConfigError, match=f"{APPLICATION} has no {missing}"):
        require_limits()
    with pytest.raises(ConfigError), reading() as session:
        session.execute(text("SELECT 1"))
    assert migrate.main() == 0
    _forget()
    require_limits()
    monkeypatch.undo()
    _forget()


@pytest.mark.parametrize("module", ["booking.worker", "wsgi"])
def test_neither_web_nor_worker_starts_without_limits(own_server: DevDatabase, module: str, tmp_path: Path) -> None:
    _take_from_role(own_server, "lock_timeout")
    log = tmp_path / "log"
    started = Running(start([module], {"DATABASE_URL": own_server.database_url}, log))
    assert started.wait(60) == 1
    said = log.read_text()
    assert f"The database's role {APPLICATION} has no lock_timeout" in said
    assert "Traceback" not in said


@pytest.mark.every_postgres
def test_two_migrations_may_set_the_role_at_once(own_server: DevDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCK_TIMEOUT_MS", "4321")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(set_on_role, [sqlalchemy_url(own_server.database_url)] * 4))
    with psycopg.connect(own_server.database_url) as connection:
        assert connection.execute("SHOW lock_timeout").fetchone() == ("4321ms",)


@pytest.mark.every_postgres
def test_one_role_for_everything_migrates_without_the_application_s_limits(own_server: DevDatabase) -> None:
    with psycopg.connect(own_server.server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute("ALTER ROLE anxiang_owner SET statement_timeout = '1s'")
    with ThreadPoolExecutor(1) as threads, psycopg.connect(own_server.owner_url) as rival:
        rival.execute("SET statement_timeout = 0")
        rival.execute("LOCK TABLE alembic_version")
        run = threads.submit(migrate.upgrade, own_server.owner_url, application_role=APPLICATION)
        time.sleep(2)
        assert not run.done(), "it waits for its rival longer than the application would"
        rival.rollback()
        run.result(timeout=20)


def test_a_booking_is_held_confirmed_and_sent_through_the_pooler(
    own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pooler(own_server) as url, set_stage(own_server, tmp_path, monkeypatch) as stage:
        monkeypatch.setenv("DATABASE_URL", url)
        _forget()
        principal, beneficiary, _ = stage.customer(1)
        public_id = stage.submit(principal, beneficiary, stage.slots()[0])
        assert booking_row(public_id).state == "awaiting_provider"
        worker = _worker(stage, url)
        eventually(lambda: booking_row(public_id).state == "confirmed", 30)
        eventually(lambda: _leaders() == [True], 30)
        assert worker.stop() == 0
        assert "worker.database_trouble" not in (tmp_path / "worker.log").read_text()
        stage.assert_books_add_up()


def _worker(stage: Stage, url: str) -> Running:
    environment = {**stage.environment, "DATABASE_URL": url, "LEADER_DATABASE_URL": stage.server.database_url}
    stage.running.append(start_worker(environment, stage.folder / "worker.log"))
    return stage.running[-1]


def _leaders() -> list[bool]:
    with reading() as session:
        return list(session.scalars(text("SELECT leader FROM worker_beat")))


def _threshold() -> int | None:
    with reading() as session:
        driver = session.connection().connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        return driver.prepare_threshold


def _take_from_role(server: DevDatabase, name: str) -> None:
    with psycopg.connect(server.server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE {} RESET {}").format(sql.Identifier(APPLICATION), sql.Identifier(name)))


def _forget() -> None:
    database.forget_engines()
    settings.cache_clear()
