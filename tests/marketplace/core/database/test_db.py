"""The database as callers meet it: one pool, one session a transaction, and nothing left open."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import InvalidRequestError, OperationalError
from sqlalchemy.orm import Session

from booking.worker_models import JobRun
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.database import db, silence
from marketplace.core.database.db import bare_app, reading, statements, transaction
from marketplace.core.errors import Busy
from tests.eventually import eventually

pytestmark = pytest.mark.usefixtures("db")


def test_a_transaction_is_on_the_session_of_flask_sqlalchemy() -> None:
    with bare_app().app_context(), transaction() as session:
        assert db.db.session() is session


def test_what_a_transaction_wrote_is_there_for_a_reader_and_what_broke_is_not() -> None:
    with transaction() as session:
        session.add(_job("kept"))
    with pytest.raises(ZeroDivisionError), transaction() as session:
        session.add(_job("lost"))
        session.flush()
        raise ZeroDivisionError
    with reading() as session:
        assert session.scalars(select(JobRun.name)).all() == ["kept"]


def test_outside_a_transaction_the_session_refuses_to_read_and_to_write() -> None:
    with bare_app().app_context():
        with pytest.raises(InvalidRequestError, match="Autobegin is disabled"):
            db.db.session.execute(select(1))
        with pytest.raises(InvalidRequestError, match="Autobegin is disabled"):
            db.db.session.add(_job("smuggled"))


def test_a_second_transaction_of_a_context_sees_what_somebody_else_changed(owner_connection: Connection) -> None:
    with transaction() as session:
        session.add(_job("changed"))
    with bare_app().app_context():
        with transaction() as session:
            assert session.get_one(JobRun, "changed").every_seconds == 60
        owner_connection.execute(text("UPDATE job_run SET every_seconds = 61"))
        with transaction() as session:
            assert session.get_one(JobRun, "changed").every_seconds == 61


@pytest.mark.parametrize("look", ["reading", "statements", "a transaction that ended", "one that broke"])
def test_nothing_stays_open_after(look: str) -> None:
    _looks()[look]()
    assert _states() == {"idle"}


def test_a_read_holds_no_transaction_between_its_statements() -> None:
    with reading() as session:
        session.execute(select(1))
        assert _states() == {"idle"}


def test_a_transaction_is_seen_where_one_is_open() -> None:
    with transaction() as session:
        session.execute(select(1))
        assert "idle in transaction" in _states()


def test_the_session_is_gone_when_the_transaction_ended() -> None:
    with bare_app().app_context():
        with transaction() as session:
            session.add(_job("seen"))
        assert not db.db.session.registry.has()


def test_two_threads_never_share_a_session_even_in_one_context() -> None:
    sessions: list[Session] = []
    both = threading.Barrier(2, timeout=10)

    def work() -> None:
        with transaction() as session:
            sessions.append(session)
            both.wait()

    with bare_app().app_context():
        threads = [threading.Thread(target=contextvars.copy_context().run, args=(work,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(sessions) == 2
    assert sessions[0] is not sessions[1]


def test_two_threads_without_a_context_have_sessions_of_their_own() -> None:
    sessions: list[Session] = []
    both = threading.Barrier(2, timeout=10)

    def work() -> None:
        with transaction() as session:
            sessions.append(session)
            both.wait()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(session) for session in sessions}) == 2


def test_web_and_worker_draw_on_one_pool() -> None:
    pools = []
    for app in (create_app(), create_app(), bare_app()):
        with app.app_context():
            with transaction() as session:
                pools.append(session.connection().engine.pool)
            with reading() as session:
                pools.append(session.connection().engine.pool)
            pools.append(db.db.engine.pool)
    assert set(pools) == {db.engine().pool}


def test_transactions_do_not_nest() -> None:
    with transaction(), pytest.raises(RuntimeError, match="pass the session"), transaction():
        pass
    with transaction(), pytest.raises(RuntimeError, match="not be part of it"), statements():
        pass


def test_a_context_pushed_inside_does_not_make_a_second_transaction() -> None:
    with transaction(), bare_app().app_context(), pytest.raises(RuntimeError, match="pass the session"), transaction():
        pass


def test_models_are_flask_sqlalchemy_s_and_share_their_metadata() -> None:
    assert issubclass(JobRun, db.db.Model)
    assert JobRun.metadata is db.db.metadata
    assert inspect(JobRun).local_table is db.db.metadata.tables["job_run"]


def test_the_application_of_a_process_knows_the_database() -> None:
    app: Flask = create_app()
    assert app.extensions["sqlalchemy"] is db.db


def _states() -> set[str]:
    """What the product's connections are doing, as another of the same role sees them (the owner may not look)."""
    with psycopg.connect(os.environ["DATABASE_URL"], application_name="onlooker") as onlooker:
        rows = onlooker.execute(
            "SELECT state FROM pg_stat_activity WHERE application_name = 'anxiang' AND datname = current_database()"
        )
        return {state for (state,) in rows}


def _job(name: str) -> JobRun:
    return JobRun(name=name, every_seconds=60, started_at=clock.now(), finished_at=clock.now(), outcome={})


def _looks() -> dict[str, Callable[[], None]]:
    def read() -> None:
        with reading() as session:
            session.execute(select(JobRun)).all()

    def bare() -> None:
        with statements() as cursor:
            cursor.execute("SELECT 1")

    def write() -> None:
        with transaction() as session:
            session.add(_job("written"))

    def broken() -> None:
        with pytest.raises(ZeroDivisionError), transaction() as session:
            session.add(_job("broken"))
            session.flush()
            raise ZeroDivisionError

    return {"reading": read, "statements": bare, "a transaction that ended": write, "one that broke": broken}


def test_the_connection_that_was_given_back_last_is_lent_first() -> None:
    def one() -> int:
        with statements() as cursor:
            return cursor.connection.info.backend_pid

    with statements() as outer, statements() as inner:
        pids = [cursor.connection.info.backend_pid for cursor in (outer, inner)]
    assert [one(), one()] == [pids[0]] * 2  # the outer one, which was given back after the inner one


def test_connections_that_the_server_ended_while_they_lay_in_the_pool_are_lent_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lent() -> int:
        with statements() as cursor:
            cursor.execute("SELECT 1")
            return cursor.connection.info.backend_pid

    def end(*pids: int) -> None:
        with db.apart_engine().connect() as ender:
            ends = text("SELECT pg_terminate_backend(pid, 5000) FROM unnest(CAST(:pids AS int[])) AS each(pid)")
            ender.execute(ends, {"pids": list(pids)})

    with statements() as outer, statements() as inner:
        pids = [cursor.connection.info.backend_pid for cursor in (outer, inner)]
    end(*pids)
    assert lent() not in pids, "the first that asks after it is answered, by another connection"
    monkeypatch.setattr(silence, "_ENDED", 0)
    end(lent())
    with pytest.raises(OperationalError):  # control: who doesn't look meets it
        lent()


def test_a_connection_that_is_lent_is_switched_and_given_back_without_a_word_to_the_server(tmp_path: Path) -> None:
    connection = db.engine().raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, psycopg.Connection)

    def said(act: Callable[[], object]) -> bytes:
        with (tmp_path / "said").open("wb") as file:
            driver.pgconn.trace(file.fileno())
            act()
            driver.pgconn.untrace()
        return (tmp_path / "said").read_bytes()

    assert said(lambda: setattr(driver, "autocommit", True)) == b""
    assert b"SELECT 1" in said(lambda: driver.execute("SELECT 1")), "what is said is noted"
    assert said(lambda: setattr(driver, "autocommit", False)) == b""
    assert said(connection.close) == b""


def test_a_connection_in_the_middle_of_a_transaction_rolls_back_and_refuses_to_commit_by_itself() -> None:
    connection = db.engine().raw_connection()
    try:
        driver = connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        driver.execute("SELECT 1")
        assert driver.pgconn.transaction_status == TransactionStatus.INTRANS
        with pytest.raises(psycopg.ProgrammingError):
            driver.autocommit = True
        driver.rollback()
        assert driver.pgconn.transaction_status == TransactionStatus.IDLE
        driver.autocommit = True
        driver.execute("SELECT 1")
        assert driver.pgconn.transaction_status == TransactionStatus.IDLE
        driver.autocommit = False
    finally:
        connection.close()


def test_a_transaction_that_was_left_alone_for_too_long_is_undone_and_may_be_tried_again(
    owner_connection: Connection,
) -> None:
    """Where a process gets no processor for so long, PostgreSQL ends the session, and the caller may try again."""
    there = text("SELECT 1 FROM pg_stat_activity WHERE pid = :pid")
    with pytest.raises(Busy), transaction() as session:
        pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        session.add(_job("left alone"))
        session.flush()
        session.execute(text("SET idle_in_transaction_session_timeout = '20ms'"))
        eventually(lambda: owner_connection.execute(there, {"pid": pid}).first() is None)
    with reading() as session:
        assert session.scalars(select(JobRun).where(JobRun.name == "left alone")).all() == []
