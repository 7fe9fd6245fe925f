"""A database that swallows answers, breaks off or goes away: waits end, what was lost is not repeated, all goes on."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from drill.rig.proxy import Mode, Proxy, proxy_to
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.config import ConfigError, role_settings, settings
from marketplace.core.database import db as database
from marketplace.core.database import silence
from marketplace.core.database.db import asking, engine, reading, rows, statements, transaction
from tests.conftest import TestDatabase
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON, PHONE, make_customer
from tests.processes import Running, killed_afterwards, start_web
from tests.sandboxes import eventually

pytestmark = pytest.mark.one_postgres
QUICK = 0.6


@pytest.fixture
def proxy(db: Any, worker_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The settings lead through it. An answer is waited for 0.6 s, a connection 2 s."""
    port = make_url(worker_database.database_url).port
    assert port is not None
    with proxy_to(port) as made:
        url = worker_database.database_url.replace(f":{port}/", f":{made.port}/")
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("DATABASE_ANSWER_MS", str(int(QUICK * 1000)))
        monkeypatch.setenv("WEB_DATABASE_ANSWER_MS", str(int(QUICK * 1000)))
        monkeypatch.setattr(silence, "CONNECT_SECONDS", 2)
        monkeypatch.setattr(silence, "WEB_CONNECT_SECONDS", 2)
        _forget()
        yield made
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    database.forget_engines()
    settings.cache_clear()
    silence.forget()


def by_rows() -> Any:
    return rows("SELECT 1 AS one", {})[0].one


def by_statements() -> Any:
    with statements() as cursor:
        return cursor.execute("SELECT 1").fetchall()[0][0]


def by_asking() -> Any:
    with asking() as ask:
        return ask("SELECT 1 AS one", {})[0].one


def by_reading() -> Any:
    with reading() as session:
        return session.execute(text("SELECT 1")).scalar_one()


def by_transaction() -> Any:
    with transaction() as session:
        return session.execute(text("SELECT 1")).scalar_one()


WAYS = [by_rows, by_statements, by_asking, by_reading, by_transaction]


def seconds_until_it_fails(work: Callable[[], Any]) -> tuple[float, BaseException]:
    begun = time.monotonic()
    with pytest.raises(DBAPIError) as failed:
        work()
    return time.monotonic() - begun, failed.value


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["silent", "half", "reset", "down"])
def test_every_way_to_the_database_ends_and_is_well_again(proxy: Proxy, way: Callable[[], Any], mode: Mode) -> None:
    assert way() == 1
    proxy.become(mode)
    seconds, failed = seconds_until_it_fails(way)
    assert seconds < QUICK + 5, "its own bound ended it, not the 12 s of an installation"
    assert isinstance(failed, DBAPIError)
    assert isinstance(failed.orig, silence.AnswerLost) is (mode in ("silent", "half"))
    proxy.become("pass")
    eventually(lambda: _well(way))
    assert engine().pool.checkedout() == 0  # type: ignore[attr-defined]


def _well(way: Callable[[], Any]) -> bool:
    try:
        return bool(way() == 1)
    except DBAPIError:
        return False


def test_without_the_bound_a_silent_database_keeps_a_thread_waiting(proxy: Proxy) -> None:
    """The control: the driver's own connection waits on, until its socket is taken away."""
    with psycopg.connect(settings().database_url.replace("+psycopg", "")) as connection:
        proxy.become("silent")

        def wait() -> None:
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        waiting.join(3 * QUICK)
        assert waiting.is_alive()
        proxy.become("reset")
        waiting.join(30)
        assert not waiting.is_alive()


def test_a_connection_is_not_waited_for_longer_than_its_time(proxy: Proxy) -> None:
    proxy.become("silent")
    seconds, failed = seconds_until_it_fails(by_rows)
    assert 1.5 < seconds < 5
    assert isinstance(failed, DBAPIError)
    assert isinstance(failed.orig, psycopg.errors.ConnectionTimeout)


def test_a_lost_answer_to_commit_is_unknown_and_not_repeated(proxy: Proxy, owner_connection: Any) -> None:
    def beat() -> None:
        with transaction() as session:
            session.execute(text("INSERT INTO worker_beat (worker, at, leader) VALUES ('w', now(), false)"))
            proxy.become("half")

    with pytest.raises(DBAPIError) as lost:
        beat()
    assert isinstance(lost.value.orig, silence.AnswerLost)
    assert owner_connection.execute(text("SELECT count(*) FROM worker_beat")).scalar_one() == 1


def kinds_of_failure(rivals: int) -> list[str]:
    """What so many threads meet that ask at once."""
    with ThreadPoolExecutor(rivals) as threads:
        found = list(threads.map(lambda _: seconds_until_it_fails(by_rows)[1], range(rivals)))
    return sorted(type(each.orig).__name__ for each in found if isinstance(each, DBAPIError))


def test_after_a_silence_threads_do_not_all_wait_for_the_same(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    by_rows()
    now = time.monotonic()
    monkeypatch.setattr(silence, "monotonic", lambda: now)
    proxy.become("silent")
    seconds_until_it_fails(by_rows)
    assert kinds_of_failure(64) == ["DatabaseSilent"] * 64
    now += 2  # from then on one tries, the others still don't wait
    assert kinds_of_failure(16) == ["ConnectionTimeout"] + ["DatabaseSilent"] * 15


def test_one_wait_without_end_is_no_silence_while_others_are_answered(
    proxy: Proxy, worker_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a lock that a lost session holds would refuse everybody a connection, again and again."""
    monkeypatch.setenv("DATABASE_ANSWER_MS", "3000")
    _forget()
    running = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(8)' AND state = 'active'"
    with psycopg.connect(worker_database.database_url, autocommit=True) as same_role, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(seconds_until_it_fails, lambda: rows("SELECT pg_sleep(8)", {}))
        eventually(lambda: same_role.execute(running).fetchall() == [(1,)])
        assert by_rows() == 1
        assert not waiting.done()
        _, failed = waiting.result()
    assert isinstance(failed, DBAPIError)
    assert isinstance(failed.orig, silence.AnswerLost)
    assert by_rows() == 1


@pytest.mark.every_postgres
def test_a_slow_statement_is_ended_by_the_server_not_taken_for_silence(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_ANSWER_MS", "5000")
    settings.cache_clear()
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = '300ms'"))
        with pytest.raises(DBAPIError) as slow:
            session.execute(text("SELECT pg_sleep(3)"))
        session.rollback()
    assert isinstance(slow.value.orig, psycopg.errors.QueryCanceled)


@pytest.mark.every_postgres
def test_the_server_ends_what_nobody_waits_for_any_more(
    proxy: Proxy, worker_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_ANSWER_MS", "2000")
    _forget()
    running = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(8)' AND state = 'active'"
    with psycopg.connect(worker_database.database_url, autocommit=True) as same_role, ThreadPoolExecutor(1) as threads:
        lost = threads.submit(seconds_until_it_fails, lambda: rows("SELECT pg_sleep(8)", {}))
        eventually(lambda: same_role.execute(running).fetchall() == [(1,)])
        failed = lost.result()[1]
        assert isinstance(failed, DBAPIError) and isinstance(failed.orig, silence.AnswerLost)
        eventually(lambda: same_role.execute(running).fetchall() == [], 5)  # by itself it would go on for six


def test_the_kernel_ends_a_connection_to_a_host_that_is_gone(db: Any) -> None:
    """What `ss` would show: a dead host can't be had here."""
    with engine().connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with socket.socket(fileno=os.dup(driver.pgconn.socket)) as same:
            assert same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            assert [same.getsockopt(socket.IPPROTO_TCP, each) for each in options] == [10, 5, 3, 15_000]


@pytest.mark.parametrize("mode", ["silent", "half"])
def test_a_process_that_starts_in_a_silence_keeps_nobody_waiting(
    proxy: Proxy, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_ANSWER_MS", "60000")
    monkeypatch.setattr(silence, "CONNECT_SECONDS", 60)
    _forget()
    proxy.become(mode)
    begun = time.monotonic()
    database.require_limits()
    assert time.monotonic() - begun < 30, "it waited as who has nobody waiting at a browser"


def test_limits_are_in_order() -> None:
    """A rival's lock, then our wait for an answer in a request; the server's limit, then our wait elsewhere."""
    limits = role_settings()
    assert int(limits["lock_timeout"]) < settings().web_answer_seconds * 1000
    assert int(limits["statement_timeout"]) < settings().answer_seconds * 1000
    assert settings().web_answer_seconds < 5


def test_a_wait_of_no_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = ["DATABASE_ANSWER_MS", "WEB_DATABASE_ANSWER_MS", "WORKER_OVERDUE_SECONDS", "WORKER_STILL_SECONDS"]
    for name in [*limits, "LEADER_SILENT_SECONDS"]:
        with monkeypatch.context() as patch:
            patch.setenv(name, "0")
            settings.cache_clear()
            with pytest.raises(ConfigError, match=f"{name} must be more than 0"):
                settings()
    settings.cache_clear()


@pytest.mark.parametrize("mode", ["silent", "half", "reset", "down"])
def test_web_answers_503_within_five_seconds_and_is_well_again(proxy: Proxy, mode: Mode) -> None:
    client = create_app().test_client()
    assert client.get("/readyz").get_json()["parts"]["database"] == "ok"
    by_rows()
    proxy.become(mode)
    begun = time.monotonic()
    refused = client.get("/api/v1/entitlements", headers={"Authorization": "Bearer axt_" + "a" * 43})
    assert time.monotonic() - begun < 5
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    begun = time.monotonic()
    ready = client.get("/readyz")
    assert time.monotonic() - begun < 10
    assert (ready.status_code, ready.get_json()["parts"]["database"]) == (503, "unreachable")
    assert client.get("/healthz").status_code == 200
    proxy.become("pass")
    assert client.get("/readyz").get_json()["parts"]["database"] == "ok"
    eventually(
        lambda: client.get("/api/v1/entitlements", headers={"Authorization": "Bearer axt_x"}).status_code == 401, 10
    )


def test_readyz_does_not_wait_for_the_pool(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_POOL_SIZE", "1")
    _forget()
    client = create_app().test_client()
    with engine().connect(), engine().connect():
        begun = time.monotonic()
        assert client.get("/readyz").get_json()["parts"]["database"] == "ok"
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("mode", ["silent", "half", "down"])
def test_a_page_for_people_says_that_we_are_back_in_a_moment(proxy: Proxy, mode: Mode) -> None:
    make_customer()
    with clock.frozen(NOON):
        visitor = Visitor.signed_in(create_app(), PHONE)
        assert visitor.get("/me").status_code == 200
        proxy.become(mode)
        begun = time.monotonic()
        page = visitor.get("/me")
        assert time.monotonic() - begun < 5
        assert (page.status_code, page.headers["Retry-After"]) == (503, "2")
        assert "We are back in a moment" in page.text
        proxy.become("pass")
        eventually(lambda: visitor.get("/me").status_code == 200, 10)


@pytest.mark.parametrize("mode", ["silent", "half"])
def test_a_web_server_with_all_connections_taken_answers_within_five_seconds(
    proxy: Proxy, mode: Mode, tmp_path: Path
) -> None:
    """Two processes, four connections each, and more who ask at once. A person's wait is shorter than an
    installation's, which leaves the machine time for much else."""
    own = {"DATABASE_ANSWER_MS": "", "WEB_DATABASE_ANSWER_MS": "1500", "DATABASE_POOL_SIZE": "2"}
    environment = {"DATABASE_URL": settings().database_url, **own}
    web = start_web(environment, tmp_path / "web.log")
    with killed_afterwards(web), ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: ask(web)[0], range(16))) == {401}
        proxy.become(mode)
        found = list(threads.map(lambda _: ask(web), range(24)))
        assert {status for status, _ in found} == {503}
        assert max(seconds for _, seconds in found) < 5
        begun = time.monotonic()
        ready = requests.get(f"{web.url}/readyz", timeout=15)
        assert time.monotonic() - begun < 10
        assert (ready.status_code, ready.json()["parts"]["database"]) == (503, "unreachable")
        assert requests.get(f"{web.url}/healthz", timeout=10).status_code == 200
        proxy.become("pass")
        eventually(lambda: ask(web)[0] == 401)
        eventually(lambda: {status for status, _ in threads.map(lambda _: ask(web), range(16))} == {401})


def ask(web: Running) -> tuple[int, float]:
    """Status and seconds of a request that needs the database."""
    begun = time.monotonic()
    token = "axt_" + "a" * 43  # nobody's
    answer = requests.get(f"{web.url}/api/v1/entitlements", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return answer.status_code, time.monotonic() - begun
